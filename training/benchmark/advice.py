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
_OF_TILE_7 = "Dubai_tiles-7-8"


def shares_truth(row: Row, other: Row) -> bool:
    """Whether labels that one is judged on judge the other too; a row shares its own.

    Both dates of a NAIP tile have one truth. Scene 8 is of scene 7's acquisition and shares ground with it:
    its domain does not advise the cleanest check that there is.
    """
    if row == other:
        return True
    experiments = {row[0], other[0]}
    if experiments == _SAME_PARTS:
        return True
    if experiments == {SEASONS}:
        return _tile(row[1]) == _tile(other[1])
    if TILE_7 in experiments:
        return _OF_TILE_7 in (row[1], other[1])
    return False


def _tile(target: str) -> str:
    return target.rpartition("_")[0]
