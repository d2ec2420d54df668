"""The block files of a job: one small GeoTIFF each, the truth of what is done."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from service.rasters.levels import LEVELS_SUFFIX, write_levels
from service.rasters.writing import RasterInfo, write_block

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from service.planning.blocks import Block
    from service.planning.jobs import JobPlan, SheetPlan

    U8 = np.typing.NDArray[np.uint8]


class BlockFolder:
    """The block files of one job.

    A file appears under its name only when it is whole and on disk, so a block is done exactly when its
    file is there: after any crash, and with any number of writers.
    """

    def __init__(
        self, folder: Path, plan: JobPlan, *, has_overviews: bool = False, token: str | None = None
    ) -> None:
        """Name the files of a job.

        Args:
            folder: Of the job.
            plan: Of the job.
            has_overviews: Whether blocks are to be looked at while the map is under way; their levels then
                lie beside them.
            token: Of the lease, where several writers may be at work on one sheet.
        """
        self._folder = folder
        self._plan = plan
        self._has_overviews = has_overviews
        self._token = token

    @property
    def token(self) -> str:
        """Part of the names of temporary files: repeated, it replaces what a kill left behind."""
        return self._token or self._folder.name.strip(".").removesuffix(".job")

    def mosaic_of(self, product: Path) -> Path:
        """Where the mosaic of a product is put together; it goes with the folder."""
        part = "" if self._token is None else f".{self._token}"
        return self._folder / f"{product.parent.name}.{product.stem}{part}.mosaic.tif"

    def path_of(self, sheet: SheetPlan, block: Block) -> Path:
        """The file of a block, there or not."""
        return self._folder / sheet.name / f"{block.name}.tif"

    def levels_of(self, sheet: SheetPlan, block: Block) -> Path:
        """The file of a block's overviews, if blocks have them; it is there before the block is."""
        return self.path_of(sheet, block).with_suffix(LEVELS_SUFFIX)

    def missing(self, sheet: SheetPlan, blocks: Sequence[Block]) -> list[Block]:
        """Those of the blocks that are not done."""
        return [block for block in blocks if not self.path_of(sheet, block).is_file()]

    def commit(self, sheet: SheetPlan, block: Block, classes_HW: U8, confidence_HW: U8) -> None:
        """Write a block, on disk when this returns.

        Args:
            sheet: Of the block.
            block: Of this sheet.
            classes_HW: Class values, 255 where there is none.
            confidence_HW: Percent, 255 where there is none.

        Raises:
            FileNotFoundError: The job's folder is gone.
        """
        path = self.path_of(sheet, block)
        path.parent.mkdir(exist_ok=True)  # not the job's own folder: one that is gone was deleted
        if self._has_overviews:
            write_levels(
                self.levels_of(sheet, block),
                {"classes": classes_HW, "confidence": confidence_HW},
                block=block.window,
                sheet=sheet.window,
                token=self._token,
            )
        write_block(
            path,
            classes_HW,
            confidence_HW,
            info=RasterInfo(
                crs_wkt=self._plan.grid.crs_wkt,
                transform=self._plan.grid.transform_of(block.window),
                tags={"BLOCK": block.name},
            ),
            token=self._token,
        )

    def remove(self, sheet: SheetPlan) -> None:
        """Remove the blocks of a sheet whose product is there."""
        shutil.rmtree(self._folder / sheet.name, ignore_errors=True)
