"""The preview picture of a map: reads image and classes thinned out, draws them side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import rasterio

from models.nomenclature import NOMENCLATURES
from service.catalogue.preview import Caption, draw_preview
from service.inference.runs import opened, staged_sources
from service.intake.scenes import reader_limits
from service.maps.finishing import NODATA
from service.rasters.windows import Window

if TYPE_CHECKING:
    from pathlib import Path

    from models.artefact import Artefact
    from service.inference.reading import ReaderSource
    from service.intake.planned import PlannedMap
    from service.planning.jobs import SheetPlan
    from service.settings import Settings

SIDE_PX = 900
"""Longer side of image and map in the picture, in pixels."""

U8 = np.typing.NDArray[np.uint8]


def write_preview(
    path: Path, planned: PlannedMap, landcover: Path, *, artefact: Artefact, settings: Settings
) -> None:
    """Draw the first sheet of a map beside its image.

    Args:
        path: Of the PNG.
        planned: The map.
        landcover: Its first file.
        artefact: The model.
        settings: Limits of reading.
    """
    sheet = planned.plan.sheets[0]
    step = max(1, -(-max(sheet.window.height, sheet.window.width) // SIDE_PX))
    part = planned.part_of(sheet)
    sources = staged_sources(part, settings, lambda _path, _share: None)
    with opened(part, sources, limits=reader_limits(settings)) as source:
        image_HW3 = _thinned_image(source, sheet, planned.plan.bands, step=step)
    with rasterio.open(landcover) as file:
        classes_HW = file.read(1, out_shape=image_HW3.shape[:2])  # from the overviews, never the whole
        counts = np.zeros(256, dtype=np.int64)
        for _, window in file.block_windows(1):
            counts += np.bincount(file.read(1, window=window).ravel(), minlength=256)
    draw_preview(
        image_HW3,
        classes_HW,
        NOMENCLATURES[artefact.manifest.nomenclature],
        caption=Caption(title=landcover.name, subtitle=f"land cover by {artefact.manifest.key}"),
        pixel_counts={int(value): int(counts[value]) for value in np.flatnonzero(counts[:NODATA])},
    ).save(path)


def _thinned_image(source: ReaderSource, sheet: SheetPlan, bands: tuple[str, ...], *, step: int) -> U8:
    """Red, green, blue of a sheet, one pixel of each ``step`` x ``step``, white where there is no data."""
    window = sheet.window
    rgb = [bands.index(role) for role in ("red", "green", "blue")]
    rows = []
    for row in range(0, window.height, step):
        band = Window(
            row_off=window.row_off + row,
            col_off=window.col_off,
            height=min(step, window.height - row),
            width=window.width,
        )
        image_CHW, valid_HW = source.read(band)
        middle = min(step // 2, band.height - 1)
        line_CW, valid_W = image_CHW[rgb, middle, ::step], valid_HW[middle, ::step]
        rows.append(np.where(valid_W, line_CW, 255).T)
    return np.ascontiguousarray(np.stack(rows).astype(np.uint8))
