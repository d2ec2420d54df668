"""Where the files of a map lie in the results."""

from __future__ import annotations

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
