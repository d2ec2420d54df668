"""Which targets may advise which: none that is judged on truth that the advised one is judged on too.

Other labels of a target must leave its recipe what it was. So its own row is not enough to leave out: another
row may be judged on the very same labels.
"""

from __future__ import annotations

Row = tuple[str, str]
"""Experiment and target."""

INDUCED, LEAVE_ONE_OUT, SEASONS, TILE_7 = (
    "dubai_induced_shift",
    "dubai_leave_one_out",
    "naip_seasons",
    "tile_7",
)
_SAME_PARTS = frozenset({INDUCED, LEAVE_ONE_OUT})
"""Both are judged on the even parts of labelled scenes."""
_HAVE_GROUND_OF_TILE_7 = "Dubai_tiles-7-8"


def shares_truth(row: Row, other: Row) -> bool:
    """Whether labels that one is judged on judge the other too; a row shares its own.

    Both dates of a NAIP tile have one truth. Scene 8 shares ground with scene 7, which is to be as clean a
    check as there is, and scene 8 is among what the induced shift is judged on.
    """
    if row == other:
        return True
    experiments = {row[0], other[0]}
    if experiments == _SAME_PARTS:
        return True
    if experiments == {SEASONS}:
        return _tile(row[1]) == _tile(other[1])
    if TILE_7 in experiments:
        return INDUCED in experiments or _HAVE_GROUND_OF_TILE_7 in (row[1], other[1])
    return False


def _tile(target: str) -> str:
    return target.rpartition("_")[0]
