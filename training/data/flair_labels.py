"""Labels of FLAIR #1, #2 and FLAIR-HUB as CoSIA's class values.

FLAIR #1 and #2 count 1 to 19 in an order of their own, and carry 0 where there is no label; FLAIR-HUB counts
0 to 18, CoSIA's order first. Mixed, ligneous and other have no class in CoSIA: they teach nothing.
"""

from typing import Literal

from models.nomenclature import COSIA
from training.data.samples import IGNORED

Merge = Literal["16 classes", "15 classes", "12 classes"]
"""All of CoSIA; without clear cuts, as FLAIR-HUB and 15cl; also without pools, snow, greenhouses, as 12cl."""

_LAST_FLAIR_CODE = 19
_LAST_HUB_VALUE = 18
_BASELINE_CODES = range(1, 13)
_CLEAR_CUT = COSIA.by_slug("clear_cut").value


def taught_values(merge: Merge) -> frozenset[int]:
    """CoSIA values that teach something under a merge."""
    if merge == "12 classes":
        return frozenset(
            land_cover.value for land_cover in COSIA.classes if land_cover.flair_code in _BASELINE_CODES
        )
    values = frozenset(land_cover.value for land_cover in COSIA.classes)
    return values if merge == "16 classes" else values - {_CLEAR_CUT}


def flair_table(merge: Merge) -> dict[int, int]:
    """Mask value of FLAIR #1 and #2 to class value.

    The reference code takes one off and one-hot encodes: 0 wraps to 255, to no class, to argmax 0: building.
    """
    taught = taught_values(merge)
    value_of = {land_cover.flair_code: land_cover.value for land_cover in COSIA.classes}
    table = {code: value_of.get(code, IGNORED) for code in range(_LAST_FLAIR_CODE + 1)}
    return {code: value if value in taught else IGNORED for code, value in table.items()}


def hub_table(merge: Merge) -> dict[int, int]:
    """Mask value of FLAIR-HUB to class value; 0 is building, whatever a file declares as nodata."""
    taught = taught_values(merge)
    table = {value: value if value in taught else IGNORED for value in range(_LAST_HUB_VALUE + 1)}
    return table | {IGNORED: IGNORED}
