"""What the drawing of tiles needs to know of a map; whoever serves maps hands it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from service.planning.grid import Grid
    from service.rasters.windows import Window

PieceKind = Literal["sheet", "block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One part of a map whose pixels are there: a finished sheet, or a block of one that is under way."""

    kind: PieceKind
    window: Window
    """Its pixels on the grid."""
    sheet: Window
    """The window of the sheet: itself, or the one that the block belongs to.

    Overviews are counted from its corner.
    """
    path: Path
    """Of the classes: ``landcover.tif`` of a sheet; of a block its file, whose second band is confidence."""
    confidence: Path | None = None
    """Of a sheet: ``confidence.tif``, where there is one. Of a block: not needed."""


class BlockIndex(Protocol):
    """The pieces of one map, as they are at one moment."""

    @property
    def grid(self) -> Grid:
        """The grid of the map."""
        ...

    @property
    def window(self) -> Window:
        """The pixels of the whole map."""
        ...

    @property
    def is_final(self) -> bool:
        """Whether no pixel will change any more."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever a pixel does; it enters ETags."""
        ...

    def pieces(self, window: Window) -> Sequence[Piece]:
        """The pieces that meet a window of the grid; they do not overlap.

        Of a sheet that is finished the sheet, of another its blocks that are done.
        """
        ...

    def pictures(self, window: Window) -> Sequence[Path]:
        """The pictures of the source (``image.tif``) of the sheets that meet a window and have one."""
        ...

    def refreshed(self) -> BlockIndex:
        """The same map as it is now; asked for when a piece turns out to be gone."""
        ...
