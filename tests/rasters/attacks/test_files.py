"""Files that claim, or try to reach, what they should not; with real bytes."""

import os
import subprocess
import sys
import zlib

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine

from service.rasters.confine import child_environment
from service.rasters.errors import (
    CollarWithoutNodata,
    NotALocalFile,
    ReaderDied,
    ReaderTimedOut,
    SuspiciousCompression,
    TooLarge,
    UnreadableRaster,
    UnsupportedFormat,
)
from service.rasters.inspect import read_facts
from service.rasters.limits import Limits
from service.rasters.placing import own_grid, place
from service.rasters.reader import SceneReader
from service.rasters.refusals import require_usable
from service.rasters.windows import Window

BANDS = {"red": 1, "green": 2, "blue": 3}


def read_pixels(facts, window, limits=None):
    source = place(facts, BANDS, grid=own_grid(facts))
    with SceneReader([source], roles=tuple(BANDS), limits=limits) as reader:
        return reader.read(window)


def in_the_childs_environment(script, *arguments):
    """What a script prints where only the child's environment protects it."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(
        command, env=child_environment(Limits()), capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


OVERVIEWS = (
    "import sys, rasterio; d = rasterio.open(sys.argv[1], driver='GTiff');"
    "print(d.overviews(1), d.mask_flag_enums[0][0].name)"
)


def test_a_vrt_renamed_tif_is_refused(facts_of, tmp_path, secret, vrt_of):
    path = tmp_path / "ortho.tif"
    path.write_text(vrt_of(secret))
    with pytest.warns(NotGeoreferencedWarning), rasterio.open(path) as unsafe:
        assert (unsafe.read() == 77).all()  # the attack is real
    with pytest.raises(UnsupportedFormat, match="a VRT, which reads other files"):
        facts_of(path)


@pytest.mark.parametrize("suffix", [".ovr", ".msk"])
def test_a_vrt_beside_is_never_opened(facts_of, tmp_path, secret, make_raster, vrt_of, suffix):
    path = make_raster(shape=(3, 100, 120))
    (tmp_path / f"ortho.tif{suffix}").write_text(vrt_of(secret, 120, 100))
    with rasterio.open(path, driver="GTiff") as unsafe:  # the attack is real
        assert unsafe.overviews(1) if suffix == ".ovr" else (unsafe.read_masks(1) != 255).any()
    assert in_the_childs_environment(OVERVIEWS, path) == "[] all_valid"
    assert facts_of(path).mask_kind == "none"


def test_statistics_and_georeference_beside_are_not_believed(facts_of, tmp_path, make_raster):
    path = make_raster(crs=None, origin=None)
    (tmp_path / "ortho.tfw").write_text("0.2\n0\n0\n-0.2\n1000\n2000\n")
    (tmp_path / "ortho.tif.aux.xml").write_text("<PAMDataset><SRS>EPSG:2154</SRS></PAMDataset>")
    facts = facts_of(path)
    assert facts.transform is None
    assert facts.crs_wkt is None


@pytest.mark.parametrize("prefix", ["/vsicurl/http://127.0.0.1:{}/a.tif", "http://127.0.0.1:{}/a.tif"])
def test_a_tag_that_names_overviews_elsewhere_reaches_no_network(facts_of, make_raster, listener, prefix):
    port, calls = listener
    path = make_raster(shape=(3, 100, 120))
    with rasterio.open(path, "r+") as raster:
        raster.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=prefix.format(port))
    assert in_the_childs_environment(OVERVIEWS, path) == "[] all_valid"
    assert facts_of(path).width == 120
    assert not calls
    # in a process of its own: GDAL waits for the answer with this interpreter's lock held
    subprocess.run([sys.executable, "-c", OVERVIEWS, str(path)], capture_output=True, check=False, timeout=60)
    assert calls  # the attack is real


def test_a_tag_that_names_a_vrt_as_overviews_is_not_followed(make_raster, tmp_path, secret, vrt_of):
    path = make_raster(shape=(3, 100, 120))
    (tmp_path / "server" / "over.vrt").write_text(vrt_of(secret))
    with rasterio.open(path, "r+") as raster:
        raster.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(tmp_path / "server" / "over.vrt"))
    assert in_the_childs_environment(OVERVIEWS, path) == "[] all_valid"


@pytest.mark.parametrize(
    "form",
    [
        "vrt://{}",
        "/vsizip/{}",
        "/vsicurl/http://127.0.0.1/a.tif",
        "/vsisubfile/0_100,{}",
        "GTI:{}",
        "GTIFF_DIR:1:{}",
        "http://127.0.0.1/a.tif",
        "s3://bucket/a.tif",
        "zip+file://{}!a.tif",
        "<VRTDataset/>",
        "\\\\vsicurl\\{}",
        "no-such-file.tif",
        "",
    ],
)
def test_only_plain_existing_files_are_opened(facts_of, make_raster, form):
    with pytest.raises(NotALocalFile) as caught:
        facts_of(form.format(make_raster()))
    assert caught.value.remedy


def test_folders_pipes_and_devices_are_no_rasters(facts_of, tmp_path):
    os.mkfifo(tmp_path / "pipe.tif")
    for path in (tmp_path, tmp_path / "pipe.tif", "/dev/zero"):
        with pytest.raises(NotALocalFile, match="not a regular file"):
            facts_of(path)


def test_a_file_that_opens_as_160_gpx_is_refused(facts_of, giga_raster):
    assert giga_raster.stat().st_size < 29 * 2**20
    with rasterio.open(giga_raster) as unsafe:
        assert unsafe.width * unsafe.height == 160_000_000_000
    with pytest.raises(SuspiciousCompression, match="400000 x 400000"):
        facts_of(giga_raster)


def test_a_sparse_sheet_without_data_is_legitimate(facts_of, tmp_path):
    path = tmp_path / "empty.tif"
    options = {"tiled": True, "sparse_ok": True, "nodata": 0, "crs": "EPSG:2154"}
    transform = Affine(0.2, 0, 0, 0, -0.2, 7_000_000)
    size = {"width": 32_768, "height": 32_768, "count": 3, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", transform=transform, **size, **options):
        pass
    assert path.stat().st_size < 300_000
    image, valid = read_pixels(facts_of(path), Window(30_000, 30_000, 200, 200))
    assert not valid.any()
    assert not image.any()


def test_one_huge_internal_block_is_refused(facts_of, block_bomb):
    assert block_bomb.stat().st_size < 2**21
    with pytest.raises(TooLarge, match="one internal block of 65536 x 16384 px"):
        facts_of(block_bomb)


def test_a_bomb_that_passes_for_small_hits_the_memory_limit(block_bomb):
    limits = Limits(max_block_bytes=2**40, address_space_bytes=2**30)
    with pytest.raises((ReaderDied, UnreadableRaster)) as caught:
        read_facts(block_bomb, limits=limits)
    assert "bomb.tif" in str(caught.value)


def test_a_read_that_takes_too_long_is_stopped(slow_bomb):
    with pytest.raises(ReaderTimedOut, match=r"0\.15 s and was stopped") as caught:
        read_facts(slow_bomb, limits=Limits(request_s=0.15))
    assert "bomb.tif" in str(caught.value)


def test_too_many_bands_or_pixels_are_refused(make_raster):
    path = make_raster(shape=(40, 10, 10))
    with pytest.raises(TooLarge, match="at most 32 bands"):
        read_facts(path)
    with pytest.raises(TooLarge, match="at most 99 pixels"):
        read_facts(path, limits=Limits(max_bands=50, max_pixels=99))


@pytest.mark.parametrize("keep", [0, 3, 8, 100, 0.5, 0.99])
def test_a_file_cut_short_is_refused_before_any_work(facts_of, make_raster, keep):
    path = make_raster(shape=(3, 200, 220))
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises((UnsupportedFormat, UnreadableRaster)) as caught:
        facts_of(path)
    assert "ortho.tif" in str(caught.value)


def test_a_cog_cut_short_is_refused_before_any_work(facts_of, make_raster):
    path = make_raster(shape=(3, 1500, 1400), driver="COG", BLOCKSIZE=256, COMPRESS="DEFLATE")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])
    with pytest.raises(UnreadableRaster, match="cut short"):
        facts_of(path)


def test_a_jpeg_2000_cut_short_is_refused_or_fails_clearly(facts_of, make_raster):
    path = make_raster("a.jp2", shape=(3, 600, 600), driver="JP2OpenJPEG")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableRaster):
        read_pixels(facts_of(path), Window(0, 0, 600, 600))


def test_damaged_pixels_fail_clearly_naming_the_place(facts_of, make_raster):
    path = make_raster(shape=(3, 512, 512), tiled=True, blockxsize=256, blockysize=256, compress="deflate")
    facts = facts_of(path)
    data = bytearray(path.read_bytes())
    with rasterio.open(path) as raster:
        start = int(raster.get_tag_item("BLOCK_OFFSET_1_1", "TIFF", bidx=1))
    data[start : start + 4000] = b"\xff" * 4000
    path.write_bytes(bytes(data))
    assert read_pixels(facts, Window(0, 0, 100, 100))[1].all()
    with pytest.raises(UnreadableRaster, match="damaged at columns 300"):
        read_pixels(facts, Window(300, 300, 100, 100))


def test_a_header_that_claims_more_than_there_is(facts_of, forge_tiff):
    strip = zlib.compress(bytes(100 * 10 * 3))
    claims = {257: (4, [100_000])}
    path = forge_tiff(
        "lie.tif",
        width=100,
        height=10,
        rows_per_strip=10,
        strips=[strip],
        compression=8,
        bands=3,
        claims=claims,
    )
    try:
        facts = facts_of(path, source_crs="EPSG:2154")
    except UnreadableRaster:
        return
    assert "blocks are missing" in facts.collar
    with pytest.raises(CollarWithoutNodata):
        require_usable(facts)


def test_blocks_that_are_missing_inside_are_told(facts_of, make_raster):
    pixels = np.full((3, 512, 512), 90, np.uint8)
    pixels[:, 128:256, 128:256] = 0
    options = {"tiled": True, "blockxsize": 128, "blockysize": 128, "sparse_ok": True}
    facts = facts_of(make_raster("a.tif", pixels=pixels, **options))
    assert "6% of the internal blocks are missing" in facts.collar
    assert facts_of(make_raster("b.tif", pixels=pixels, nodata=0, **options)).collar == "none"


def test_a_raster_of_one_strip_misses_nothing(facts_of, forge_tiff):
    pixels = np.random.default_rng(0).integers(1, 255, (400, 100, 3)).astype(np.uint8)
    strip = zlib.compress(pixels.tobytes())
    shape = {"width": 100, "height": 400, "rows_per_strip": 400, "bands": 3}
    path = forge_tiff("one.tif", **shape, strips=[strip], compression=8)
    facts = facts_of(path, source_crs="EPSG:2154")
    assert facts.collar == "none"
    assert np.array_equal(read_pixels(facts, Window(0, 0, 100, 400))[0], pixels.transpose(2, 0, 1))


@pytest.mark.parametrize(
    "transform", [(0, 0, 0, 0, 0, 0), (float("nan"), 0, 0, 0, -1, 0), (float("inf"), 0, 0, 0, -1, 0)]
)
def test_a_degenerate_transform_is_no_place(facts_of, make_raster, transform):
    path = make_raster(transform=Affine(*transform))
    try:
        assert facts_of(path).transform is None
    except UnreadableRaster as error:
        assert "degenerate" in str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(("driver", "word"), [("PNG", "a PNG"), ("JPEG", "a JPEG")])
def test_images_without_georeference_are_refused_with_a_remedy(facts_of, make_raster, driver, word):
    with pytest.raises(UnsupportedFormat, match=word) as caught:
        facts_of(make_raster("a.tif", driver=driver))
    assert "gdal_translate" in caught.value.remedy
    assert "-a_ullr" in caught.value.remedy


def test_an_archive_is_to_be_unpacked(facts_of, tmp_path):
    path = tmp_path / "sheets.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(UnsupportedFormat, match="a zip archive") as caught:
        facts_of(path)
    assert "unpack" in caught.value.remedy


def test_a_name_is_not_believed(facts_of, make_raster):
    assert facts_of(make_raster("ortho.png")).driver == "GTiff"


@pytest.mark.parametrize("seed", range(12))
def test_random_damage_never_gives_anything_but_a_clear_error_or_pixels(make_raster, seed):
    path = make_raster(shape=(3, 64, 64), tiled=True, blockxsize=32, blockysize=32, compress="lzw")
    random = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    for at in random.integers(0, min(len(data), 600), size=8):
        data[at] = random.integers(0, 256)
    path.write_bytes(bytes(data))
    try:
        facts = read_facts(path, limits=Limits(request_s=30))
        if (
            facts.crs_wkt
            and facts.transform
            and facts.is_uint8
            and not facts.is_rotated
            and len(facts.bands) > 2
        ):
            read_pixels(facts, Window(0, 0, 64, 64))
    except (UnsupportedFormat, UnreadableRaster, TooLarge, SuspiciousCompression, ReaderDied) as error:
        assert str(path) in str(error)  # noqa: PT017 - either outcome is right
