"""Where the files of a map lie in the results."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.maps.blockfolder import BlockFolder
from service.maps.products import Products

if TYPE_CHECKING:
    from pathlib import Path

    from service.planning.jobs import JobPlan, SheetPlan


@dataclass(frozen=True)
class MapFolder:
    """The folder of one map.

    ::

        <map id>/
            blocks/<sheet>/<block>.tif    while a sheet is under way; removed once it is finished
            sheets/<sheet>/landcover.tif  and landcover.qml, confidence.tif
            sheets/<sheet>/image.tif      a compressed picture of the source, for eyes
    """

    path: Path
    """Named after the map's id."""

    def make(self) -> bool:
        """Make the folder where it is not there; nothing that is written into it later makes it again.

        Returns:
            Whether it was made. Whoever made it asks the store after that whether there is still such a map:
            a map is deleted from the store first, its folder then, so one of the two is noticed.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.path.mkdir()
            is_new = True
        except FileExistsError:
            is_new = False
        for folder in (self.path / "blocks", self.path / "sheets"):
            folder.mkdir(exist_ok=True)
        return is_new

    def unmake(self) -> None:
        """Remove a folder in which nothing was written; one that holds something stays."""
        with contextlib.suppress(OSError):
            for folder in (self.path / "blocks", self.path / "sheets", self.path):
                folder.rmdir()

    def blocks(self, plan: JobPlan, *, token: str | None = None) -> BlockFolder:
        """The block files; they carry overviews, since they are looked at while the map is under way."""
        return BlockFolder(self.path / "blocks", plan, has_overviews=True, token=token)

    def products(self, sheet: SheetPlan) -> Products:
        """The files of a sheet, there or not."""
        folder = self.path / "sheets" / sheet.name
        return Products(classes=folder / "landcover.tif", confidence=folder / "confidence.tif")

    def picture(self, sheet: SheetPlan) -> Path:
        """The picture of the sheet's source, there or not."""
        return self.path / "sheets" / sheet.name / "image.tif"
