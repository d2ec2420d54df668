"""Place rasters on the inference grid: as they are where they fit it, else by resampling."""

import math
from typing import Literal

import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform as transform_points

from service.rasters.bands import resolve_bands
from service.rasters.errors import CompanionMismatch, MissingCrs, NotGeoreferenced, UnsupportedDtype
from service.rasters.facts import RasterFacts, Transform
from service.rasters.ground import epsg_of, ground_size_m
from service.rasters.sources import Grid, Layer, SourceSpec, WarpSpec
from service.rasters.transforms import apply, invert

NodataOption = float | Literal["file"] | None
"""A value, "file" for what the file states, or None for no value."""

CHUNK_PX = 512
_PHASE_PX = 0.01
"""Two grids are one if no pixel of the raster lies further off than this."""
_EDGE_PX = 1e-4
"""An outline that passes a pixel's edge by less does not reach into the next pixel."""
_AVERAGE_FROM = 1.5
"""Source pixels per grid pixel from which bilinear would skip pixels."""
_HEIGHT_LEVELS_PER_M = 5.0
"""FLAIR's scale of heights above ground: 8 bits, one grey level is 20 cm."""


def own_grid(facts: RasterFacts) -> Grid:
    """The raster's own pixel grid, pixel (0, 0) being its own.

    Raises:
        MissingCrs, NotGeoreferenced: As named, also for a rotated raster, which is no north-up grid.
    """
    crs_wkt, transform = _placed(facts)
    if facts.is_rotated:
        raise NotGeoreferenced(f"{facts.path} is rotated: it is no north-up grid", remedy="resample it")
    return Grid(crs_wkt=crs_wkt, transform=transform)


def place(
    facts: RasterFacts,
    bands: dict[str, int],
    *,
    grid: Grid,
    nodata: NodataOption = "file",
    use_alpha: bool | None = None,
    companions: tuple[Layer, ...] = (),
) -> SourceSpec:
    """Place a raster on a grid.

    Args:
        facts: The raster.
        bands: Role -> 1-based band, see ``resolve_bands``.
        grid: The inference grid.
        nodata: What value is no data.
        use_alpha: Whether a band tagged alpha tells validity; None: if it is binary and plays no role.
        companions: Layers that carry other roles, see ``companion_irc`` and ``companion_height``.

    Raises:
        MissingCrs, NotGeoreferenced: As named.
    """
    layer = _layer(facts, bands, grid=grid, nodata=nodata, use_alpha=use_alpha)
    return SourceSpec(**dict(layer), companions=companions)


def companion_irc(
    main: RasterFacts,
    irc: RasterFacts,
    *,
    grid: Grid,
    nodata: NodataOption = "file",
    bands_option: str = "auto",
) -> Layer:
    """The near infrared out of a raster's false-colour twin (bands NIR, R, G).

    Raises:
        CompanionMismatch: It does not lie on the raster's pixels.
        UnsupportedDtype: It is not 8-bit.
    """
    _require_same_pixels(main, irc)
    if not irc.is_uint8:
        raise UnsupportedDtype(
            f"{irc.path} is {irc.bands[0].dtype}, the near infrared is read as uint8",
            remedy="gdal_translate -ot Byte -scale in.tif out.tif, scaled like the orthophoto itself",
        )
    option = ("IRC" if len(irc.bands) > 2 else "I") if bands_option == "auto" else bands_option
    return _layer(irc, resolve_bands(irc, ("nir",), option), grid=grid, nodata=nodata)


def companion_height(height: RasterFacts, *, grid: Grid, nodata: NodataOption = "file") -> Layer:
    """Height above ground, on any grid: metres in floating point, or 8-bit levels of 20 cm.

    Raises:
        UnsupportedDtype: Neither of them.
        MissingCrs, NotGeoreferenced: As named.
    """
    dtype = height.bands[0].dtype
    if dtype not in ("uint8", "float32", "float64"):
        raise UnsupportedDtype(
            f"{height.path} is {dtype}; heights are metres in float32 or uint8 levels of 20 cm",
            remedy="gdal_translate -ot Float32 in.tif out.tif (with -scale if the unit is not the metre)",
        )
    scale = None if dtype == "uint8" else _HEIGHT_LEVELS_PER_M
    return _layer(height, {"height": 1}, grid=grid, nodata=nodata).model_copy(update={"pixel_scale": scale})


def fits_grid(facts: RasterFacts, grid: Grid) -> bool:
    """Whether the raster's pixels are pixels of the grid, to 0.01 px at every corner."""
    crs_wkt, transform = _placed(facts)
    if facts.is_rotated or not _same_crs(crs_wkt, grid.crs_wkt):
        return False
    col, row = _offset(transform, grid.transform)
    shift = (round(col), round(row))
    corners = ((0.0, 0.0), (float(facts.width), float(facts.height)))
    to_grid = invert(grid.transform)
    return all(
        abs(a - b) <= _PHASE_PX
        for corner in corners
        for a, b in zip(
            apply(to_grid, *apply(transform, *corner)),
            (corner[0] + shift[0], corner[1] + shift[1]),
            strict=True,
        )
    )


def _layer(
    facts: RasterFacts,
    bands: dict[str, int],
    *,
    grid: Grid,
    nodata: NodataOption,
    use_alpha: bool | None = None,
) -> Layer:
    alpha = facts.alpha_band
    if use_alpha is None:
        is_binary = alpha is not None and facts.bands[alpha - 1].alpha_is_binary is True
        use_alpha = is_binary and alpha not in bands.values()
    _, transform = _placed(facts)
    warp = None if fits_grid(facts, grid) else _warp(facts, grid)
    if warp is None:
        col, row = _offset(transform, grid.transform)
        extent = (round(col), round(row), facts.width, facts.height)
    else:
        extent = _outline(facts, grid)
    return Layer(
        path=facts.path,
        driver=facts.driver,
        bands=bands,
        file_width=facts.width,
        file_height=facts.height,
        col_off=extent[0],
        row_off=extent[1],
        width=extent[2],
        height=extent[3],
        is_south_up=facts.is_south_up,
        nodata=facts.usable_nodata if nodata == "file" else nodata,
        alpha_band=alpha if use_alpha else None,
        has_internal_mask=facts.mask_kind == "internal",
        warp=warp,
    )


def _warp(facts: RasterFacts, grid: Grid) -> WarpSpec:
    crs_wkt, transform = _placed(facts)
    x, y = apply(transform, facts.width / 2, facts.height / 2)
    (grid_x,), (grid_y,) = transform_points(CRS.from_wkt(crs_wkt), CRS.from_wkt(grid.crs_wkt), [x], [y])
    a, _, c, _, e, f = grid.transform
    # about the raster's own centre, so that the grid's origin cannot change a digit of it
    here = (a, 0.0, grid_x, 0.0, e, grid_y)
    grid_m = ground_size_m(CRS.from_wkt(grid.crs_wkt), here, col=0.0, row=0.0)
    source_m = facts.gsd_m
    assert source_m is not None  # it has a CRS and a transform
    # rounded, so that all sheets of a collection are resampled alike
    scale = (round(grid_m[0] / source_m[0], 2), round(grid_m[1] / source_m[1], 2))
    return WarpSpec(
        source_crs_wkt=crs_wkt,
        source_transform=transform,
        grid=grid,
        chunk_col_off=-round(c / a) % CHUNK_PX,
        chunk_row_off=-round(f / e) % CHUNK_PX,
        chunk_px=CHUNK_PX,
        resampling="average" if max(scale) >= _AVERAGE_FROM else "bilinear",
        scale_xy=scale,
    )


def _outline(facts: RasterFacts, grid: Grid) -> tuple[int, int, int, int]:
    """First column and row on the grid, width and height of a raster's densified outline."""
    crs_wkt, transform = _placed(facts)
    steps = np.linspace(0.0, 1.0, 65)
    zeros, ones = np.zeros_like(steps), np.ones_like(steps)
    cols = np.concatenate([steps, steps, zeros, ones]) * facts.width
    rows = np.concatenate([zeros, ones, steps, steps]) * facts.height
    xs, ys = apply(transform, cols, rows)
    grid_xs, grid_ys = transform_points(CRS.from_wkt(crs_wkt), CRS.from_wkt(grid.crs_wkt), xs, ys)
    grid_cols, grid_rows = apply(invert(grid.transform), np.array(grid_xs), np.array(grid_ys))
    left, top = (math.floor(axis.min() + _EDGE_PX) for axis in (grid_cols, grid_rows))
    right, bottom = (math.ceil(axis.max() - _EDGE_PX) for axis in (grid_cols, grid_rows))
    return left, top, max(right - left, 1), max(bottom - top, 1)


def _offset(transform: Transform, grid_transform: Transform) -> tuple[float, float]:
    return apply(invert(grid_transform), transform[2], transform[5])


def _placed(facts: RasterFacts) -> tuple[str, Transform]:
    if facts.transform is None:
        raise NotGeoreferenced(f"{facts.path} has no transform: nothing says where it lies")
    if facts.crs_wkt is None:
        raise MissingCrs(
            f"{facts.path} has no coordinate reference system", remedy="--source-crs EPSG:number"
        )
    return facts.crs_wkt, facts.transform


def _same_crs(one: str, other: str) -> bool:
    """Whether two CRS are one: the same definition, or the same code however it is spelt."""
    if one == other:
        return True
    first, second = CRS.from_wkt(one), CRS.from_wkt(other)
    code = epsg_of(first)
    return bool(first == second) or (code is not None and code == epsg_of(second))


def _require_same_pixels(main: RasterFacts, companion: RasterFacts) -> None:
    crs_wkt, transform = _placed(main)
    companion_wkt, companion_transform = _placed(companion)
    remedy = f"bring it onto the same pixels: gdalwarp -te ... -ts {main.width} {main.height} in.tif out.tif"
    if not _same_crs(crs_wkt, companion_wkt):
        raise CompanionMismatch(
            f"{companion.path} is in EPSG:{companion.epsg}, {main.path} in EPSG:{main.epsg}", remedy=remedy
        )
    if (companion.width, companion.height) != (main.width, main.height):
        raise CompanionMismatch(
            f"{companion.path} is {companion.width} x {companion.height} px,"
            f" {main.path} is {main.width} x {main.height}",
            remedy=remedy,
        )
    to_main = invert(transform)
    for corner in ((0.0, 0.0), (float(main.width), 0.0), (0.0, float(main.height))):
        col, row = apply(to_main, *apply(companion_transform, *corner))
        if max(abs(col - corner[0]), abs(row - corner[1])) > _PHASE_PX:
            raise CompanionMismatch(
                f"{companion.path} lies {col - corner[0]:.3f}, {row - corner[1]:.3f} px off {main.path}",
                remedy=remedy,
            )
