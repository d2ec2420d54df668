"""One raster factory for all tests, and the way to real data."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine

# A busy machine is no failure: nothing here is timed.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

LEFT, TOP = 700_000.0, 6_600_000.0  # the middle of Lambert-93


def make_raster_file(  # noqa: C901, PLR0912 - one factory for every kind of raster, flat on purpose
    path: Path,
    *,
    pixels: NDArray | None = None,
    shape: tuple[int, int, int] = (3, 100, 120),
    dtype: str = "uint8",
    seed: int = 0,
    crs: str | None = "EPSG:2154",
    gsd: float | tuple[float, float] = 0.2,
    origin: tuple[float, float] | None = (LEFT, TOP),
    transform: Affine | None = None,
    rotation_deg: float = 0.0,
    south_up: bool = False,
    nodata: float | None = None,
    mask_HW: NDArray | None = None,
    mask_kind: str = "none",
    colours: Sequence[str] | None = None,
    descriptions: Sequence[str | None] | None = None,
    palette: Mapping[int, tuple[int, int, int, int]] | None = None,
    tags: Mapping[str, str] | None = None,
    driver: str = "GTiff",
    **creation: object,
) -> Path:
    """Write a raster of any kind.

    Args:
        path: Of the new file; its suffix is not changed by the driver.
        pixels: Bands, rows, columns *as seen north-up*; noise of 1-254 of ``shape`` when None.
        shape: Of the noise.
        dtype: Of the noise.
        seed: Of the noise.
        crs: Anything rasterio reads, or None.
        gsd: Pixel size in CRS units, or (x, y).
        origin: Left and top; None writes no transform.
        transform: Instead of gsd, origin, rotation and south_up.
        rotation_deg: Turns the raster about its upper left corner.
        south_up: Rows run northwards in the file; ``pixels`` and the place stay as seen north-up.
        nodata: Tag; pixels are not changed.
        mask_HW: True where valid (north-up view).
        mask_kind: How the mask is told: "none", "alpha" (a band more), "internal", "nodata" (written in).
        colours: Names of ColorInterp, one per band of ``pixels``.
        descriptions: One per band.
        palette: Of a one-band raster.
        tags: Dataset tags.
        driver: "GTiff", "JP2OpenJPEG" (lossless unless told otherwise), "PNG", "JPEG", "COG".
        creation: rasterio's and GDAL's creation options: tiled, blockxsize, compress, interleave, ...

    Returns:
        The path.
    """
    if pixels is None:
        pixels = np.random.default_rng(seed).integers(1, 255, size=shape).astype(dtype)
    pixels = np.array(pixels)
    colours = list(colours) if colours else None
    if mask_HW is not None and mask_kind == "nodata":
        assert nodata is not None
        pixels[:, ~mask_HW] = nodata
    if mask_HW is not None and mask_kind == "alpha":
        colours = [*(colours or ["red", "green", "blue", "undefined"][: len(pixels)]), "alpha"]
        pixels = np.concatenate([pixels, np.where(mask_HW, 255, 0)[None].astype(pixels.dtype)])
    count, height, width = pixels.shape
    if transform is None and origin is not None:
        gsd_x, gsd_y = gsd if isinstance(gsd, tuple) else (gsd, gsd)
        transform = Affine(gsd_x, 0.0, origin[0], 0.0, -gsd_y, origin[1])
        if rotation_deg:
            angle = np.deg2rad(rotation_deg)
            cos, sin = float(np.cos(angle)), float(np.sin(angle))
            transform = Affine(gsd_x * cos, gsd_y * sin, origin[0], gsd_x * sin, -gsd_y * cos, origin[1])
        if south_up:
            transform = Affine(gsd_x, 0.0, origin[0], 0.0, gsd_y, origin[1] - gsd_y * height)
    if south_up:
        pixels = pixels[:, ::-1]
        mask_HW = mask_HW[::-1] if mask_HW is not None else None
    profile = {"width": width, "height": height, "count": count, "dtype": pixels.dtype, "nodata": nodata}
    profile |= {"crs": crs, **({"transform": transform} if transform is not None else {})}
    if driver == "JP2OpenJPEG":
        creation = {"QUALITY": "100", "REVERSIBLE": "YES", "YCBCR420": "NO", **creation}
    copies = driver in ("JP2OpenJPEG", "PNG", "JPEG", "COG")
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_PAM_ENABLED="NO"):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        target = path.with_name(path.name + ".tmp.tif") if copies else path
        with rasterio.open(target, "w", driver="GTiff", **profile, **({} if copies else creation)) as raster:
            if colours:
                raster.colorinterp = [ColorInterp[name] for name in colours]
            if palette:
                raster.write_colormap(1, palette)
            raster.write(pixels)
            for index, text in enumerate(descriptions or (), start=1):
                if text:
                    raster.set_band_description(index, text)
            if tags:
                raster.update_tags(**tags)
            if mask_HW is not None and mask_kind == "internal":
                raster.write_mask(mask_HW)
        if copies:
            rasterio.shutil.copy(str(target), str(path), driver=driver, **creation)
            target.unlink()
    return path


@pytest.fixture(scope="session")
def write_raster() -> Callable[..., Path]:
    """``write_raster(path, **options)`` for fixtures that outlive a test; see ``make_raster_file``."""
    return make_raster_file


@pytest.fixture
def make_raster(tmp_path: Path) -> Callable[..., Path]:
    """``make_raster(name="ortho.tif", **options)`` in the test's folder; see ``make_raster_file``."""

    def make(name: str = "ortho.tif", **options: object) -> Path:
        return make_raster_file(tmp_path / name, **options)

    return make


def real_data_folder() -> Path | None:
    """Where real data lies, or None."""
    root = Path(__file__).resolve().parents[1]
    stated = os.environ.get("ORTHOSCAPE_TEST_DATA")
    folder = Path(stated) if stated else root.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """``real_data("ortho_e2e/test_tiled.tif")``: the path, or the test is skipped, saying so."""

    def find(name: str) -> Path:
        folder = real_data_folder()
        if folder is None or not (folder / name).exists():
            pytest.skip(f"real data {name} is not here (ORTHOSCAPE_TEST_DATA)")
        return folder / name

    return find
