"""A sheet's blocks made into its product."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import rasterio
from PIL import Image
from rasterio.windows import Window as RasterioWindow

from service.errors import MapError
from service.maps.seams import SeamCount
from service.rasters.growing import nothing
from service.rasters.writing import MosaicWriter, RasterInfo, write_cog
from service.room import full_disk_told

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from numpy.typing import NDArray

    from service.maps.blockfolder import BlockFolder
    from service.planning.jobs import JobPlan, SheetPlan
    from service.rasters.writing import Palette

U8 = np.typing.NDArray[np.uint8]

NODATA = 255
_CLASSES_BAND, _CONFIDENCE_BAND = 1, 2
PRODUCT_TAG = "PRODUCT"
"""Tag that tells what the pixels of a product are: ``classes`` or ``confidence``."""
CONFIDENCE = "confidence"
_BAND_ROWS = 512


class BlocksMissing(MapError):
    """A sheet cannot be finished: some of its blocks are not done."""


@dataclass(frozen=True, kw_only=True)
class SheetReport:
    """What a finished sheet holds."""

    pixel_counts: dict[int, int]
    """Pixels by class value; classes that do not occur are left out."""
    num_nodata_px: int
    """Pixels without class."""
    confidence_total: int
    """Sum over the pixels with a class, in percent."""
    seams: SeamCount
    """How often classes change across the borders of cores, and inside them."""


def finish_sheet(  # noqa: PLR0913  what is written, from what, and how it is told
    plan: JobPlan,
    sheet: SheetPlan,
    blocks: BlockFolder,
    *,
    path: Path,
    palette: Palette,
    tags: dict[str, str],
    holes: Collection[str] = (),
    confidence_total: int | None = None,
    on_part: Callable[[], object] = nothing,
) -> SheetReport:
    """Put a sheet's blocks together into one Cloud-Optimized GeoTIFF of classes.

    Safe to repeat: the product appears under its name only when it is whole. The seam rate joins the tags.

    Args:
        plan: The job.
        sheet: The sheet.
        blocks: Where its blocks are.
        path: Of the file to write.
        palette: Colour by class value.
        tags: Provenance.
        holes: Names of blocks that were given up; they stay without class.
        confidence_total: From `finish_confidence`; None counts it here, from the blocks.
        on_part: Called whenever it moves on, at least with each band of rows; what it raises ends the making.

    Raises:
        BlocksMissing: Not all other blocks are done.
    """
    mosaic = blocks.mosaic_of(path)
    try:
        info = RasterInfo(crs_wkt=plan.grid.crs_wkt, transform=sheet.transform, palette=palette)
        band = _Band(_CLASSES_BAND, "land cover", info, holes, counts_confidence=confidence_total is None)
        counts = _assemble(plan, sheet, blocks, mosaic, band=band, on_part=on_part)
        report = _count(
            mosaic,
            sheet,
            core_px=plan.geometry.core_px,
            confidence_total=_total(counts) if confidence_total is None else confidence_total,
            on_part=on_part,
        )
        if report.seams.rate is not None:
            tags = tags | {"SEAM_RATE": f"{report.seams.rate:.4f}"}
        info = replace(info, tags=tags | {PRODUCT_TAG: "classes"})
        write_cog(mosaic, path, info=info, token=blocks.token, on_part=on_part)
    finally:
        mosaic.unlink(missing_ok=True)
    return report


def finish_confidence(  # noqa: PLR0913  as finish_sheet
    plan: JobPlan,
    sheet: SheetPlan,
    blocks: BlockFolder,
    *,
    path: Path,
    tags: dict[str, str],
    holes: Collection[str] = (),
    on_part: Callable[[], object] = nothing,
) -> int:
    """Put a sheet's blocks together into one Cloud-Optimized GeoTIFF of confidence, in percent.

    See `finish_sheet`.

    Returns:
        The sum over its pixels, those without class left out.
    """
    mosaic = blocks.mosaic_of(path)
    try:
        info = RasterInfo(
            crs_wkt=plan.grid.crs_wkt, transform=sheet.transform, tags=tags | {PRODUCT_TAG: CONFIDENCE}
        )
        band = _Band(_CONFIDENCE_BAND, "confidence, percent", info, holes, counts_confidence=True)
        counts = _assemble(plan, sheet, blocks, mosaic, band=band, on_part=on_part)
        write_cog(mosaic, path, info=info, overviews="AVERAGE", token=blocks.token, on_part=on_part)
    finally:
        mosaic.unlink(missing_ok=True)
    return _total(counts)


def _total(counts: NDArray[np.int64]) -> int:
    """Sum of confidences from pixels by value."""
    return int((np.arange(NODATA) * counts[:NODATA]).sum())


class _Band(NamedTuple):
    """One band of the block files."""

    number: int
    description: str
    info: RasterInfo
    holes: Collection[str]
    """Names of blocks that are left out."""
    counts_confidence: bool
    """Whether confidences are counted on the way."""


def _assemble(
    plan: JobPlan,
    sheet: SheetPlan,
    blocks: BlockFolder,
    mosaic: Path,
    *,
    band: _Band,
    on_part: Callable[[], object],
) -> NDArray[np.int64]:
    """Write a band of all blocks into the mosaic.

    Returns:
        Pixels by confidence, of every pixel once; zeros where they are not to be counted.
    """
    counts = np.zeros(256, dtype=np.int64)
    wanted = [block for block in plan.blocks_of(sheet) if block.name not in band.holes]
    missing = blocks.missing(sheet, wanted)
    if missing:
        raise BlocksMissing(
            f"{len(missing)} of {len(wanted)} blocks of {sheet.name} are not done, first {missing[0].name}"
        )
    size = {"width": sheet.window.width, "height": sheet.window.height}
    with (
        full_disk_told(mosaic.parent),
        MosaicWriter(mosaic, **size, info=band.info, description=band.description) as writer,
    ):
        for block in wanted:
            with rasterio.open(blocks.path_of(sheet, block)) as file:
                values_HW = file.read(band.number)
                if band.counts_confidence:
                    is_same = band.number == _CONFIDENCE_BAND
                    counts += count_values(values_HW if is_same else file.read(_CONFIDENCE_BAND))
            writer.write(
                block.window.shifted(cols=-sheet.window.col_off, rows=-sheet.window.row_off), values_HW
            )
            on_part()
    return counts


def _count(
    mosaic: Path,
    sheet: SheetPlan,
    *,
    core_px: int,
    confidence_total: int,
    on_part: Callable[[], object],
) -> SheetReport:
    """Count classes and seams, band of rows by band of rows."""
    counts = np.zeros(256, dtype=np.int64)
    seams = SeamCount(core_px=core_px)
    with rasterio.open(mosaic) as file:
        for row in range(0, file.height, _BAND_ROWS):
            rows = min(_BAND_ROWS + 1, file.height - row)
            classes_HW = file.read(1, window=RasterioWindow(0, row, file.width, rows))
            has_next_row = rows > _BAND_ROWS
            counts += count_values(classes_HW[:-1] if has_next_row else classes_HW)
            seams.add(
                classes_HW,
                row_off=sheet.window.row_off + row,
                col_off=sheet.window.col_off,
                has_next_row=has_next_row,
            )
            on_part()
    return SheetReport(
        pixel_counts={int(value): int(counts[value]) for value in np.flatnonzero(counts[:NODATA])},
        num_nodata_px=int(counts[NODATA]),
        confidence_total=confidence_total,
        seams=seams,
    )


def count_values(values_HW: U8) -> NDArray[np.int64]:
    """Pixels by value, 0-255; numpy's bincount would first make each pixel eight bytes."""
    return np.array(Image.fromarray(values_HW).histogram(), dtype=np.int64)
