"""The seam certificate: do cores show in the map?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NODATA = 255
U8 = np.typing.NDArray[np.uint8]


@dataclass(kw_only=True)
class SeamCount:
    """How often neighbouring pixels differ, across the borders of cores and inside them.

    The pairs inside are those halfway between two borders, so both counts sample the same landscape.
    """

    core_px: int
    """Side of a core, in pixels."""
    num_border: int = 0
    """Pairs of valid neighbours across a border."""
    num_border_changes: int = 0
    """Those of them whose classes differ."""
    num_inside: int = 0
    """Pairs of valid neighbours halfway between borders."""
    num_inside_changes: int = 0
    """Those of them whose classes differ."""

    def add(self, classes_HW: U8, *, row_off: int, col_off: int, has_next_row: bool) -> None:
        """Count the pairs in a band of rows.

        Args:
            classes_HW: Class values, 255 where there is none.
            row_off: Grid row of the array's first row.
            col_off: Grid column of its first column.
            has_next_row: Whether the last row is there only as the neighbour of the one before; the next
                band begins with it.
        """
        self._add_rows(classes_HW, row_off)
        self._add_rows((classes_HW[:-1] if has_next_row else classes_HW).T, col_off)

    def _add_rows(self, classes_HW: U8, row_off: int) -> None:
        phase = (np.arange(row_off, row_off + classes_HW.shape[0]) + 1) % self.core_px
        for wanted, kind in ((0, "border"), (self.core_px // 2, "inside")):
            rows = np.flatnonzero(phase[:-1] == wanted)
            first_NW, second_NW = classes_HW[rows], classes_HW[rows + 1]
            valid_NW = (first_NW != NODATA) & (second_NW != NODATA)
            changes = int(np.count_nonzero(valid_NW & (first_NW != second_NW)))
            setattr(self, f"num_{kind}", getattr(self, f"num_{kind}") + int(np.count_nonzero(valid_NW)))
            setattr(self, f"num_{kind}_changes", getattr(self, f"num_{kind}_changes") + changes)

    @property
    def rate(self) -> float | None:
        """Probability of a change across a border over that inside; 1.0 is seamless.

        None where it says nothing: no border was crossed, or nothing changes inside.
        """
        if not self.num_border or not self.num_inside_changes:
            return None
        across = self.num_border_changes / self.num_border
        return across / (self.num_inside_changes / self.num_inside)
