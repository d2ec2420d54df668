"""Hostile names and files, through the command itself; the reader's own tests hold the rest."""

import pytest

from tests.cli.conftest import files_under


@pytest.mark.parametrize(
    "name",
    [
        "https://example.org/ortho.tif",
        "/vsicurl/https://example.org/ortho.tif",
        "/vsimem/ortho.tif",
        "vrt:///etc/passwd",
        "GTIFF_DIR:1:ortho.tif",
        "/dev/zero",
        "-o",
    ],
)
def test_a_name_that_is_no_file_is_refused(name, orthoscape, tmp_path):
    result = orthoscape("predict", "-o", tmp_path / "map.tif", "--model", "tiny-rgb", "--", name)
    assert result.exit_code == 1, result.output
    assert "what to do: " in result.output
    assert not files_under(tmp_path)


@pytest.mark.parametrize("name", ["ortho.tif", "ortho.jp2"])
def test_a_vrt_by_another_name_is_refused_unread(name, make_raster, refused, tmp_path):
    make_raster("private.tif")
    (tmp_path / name).write_text(
        f'<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand band="1"><SimpleSource><SourceFilename>'
        f"{tmp_path / 'private.tif'}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    assert "VRT" in refused(tmp_path / name)


@pytest.mark.parametrize("suffix", [".ovr", ".msk", ".aux.xml"])
def test_what_lies_beside_a_scene_changes_nothing(suffix, make_raster, predict, tmp_path):
    scene = make_raster()
    alone = predict(scene, name="alone.tif").classes_HW
    (tmp_path / f"ortho.tif{suffix}").write_text(
        '<VRTDataset rasterXSize="60" rasterYSize="50"/>' if suffix != ".aux.xml" else "<PAMDataset/>"
    )
    beside = predict(scene, name="beside.tif").classes_HW
    assert (alone == beside).all()


def test_a_world_file_is_no_place(make_raster, refused, tmp_path):
    scene = make_raster(origin=None)
    (tmp_path / "ortho.tfw").write_text("0.2\n0\n0\n-0.2\n700000.1\n6599999.9\n")
    assert "no transform" in refused(scene)


def test_an_area_file_that_reads_another_is_not_opened(make_raster, refused, tmp_path):
    (tmp_path / "private.csv").write_text('WKT,name\n"POINT (1 1)",a secret\n')
    (tmp_path / "area.gpkg").write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="private"><SrcDataSource>{tmp_path / "private.csv"}'
        "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    assert "vector data" in refused(make_raster(), "--aoi", tmp_path / "area.gpkg")


@pytest.mark.parametrize(
    ("crs", "origin"), [("EPSG:2154", (1e9, 1e9)), ("EPSG:4326", (700_000.0, 6_600_000.0))]
)
def test_coordinates_beyond_their_crs_are_refused(crs, origin, make_raster, refused):
    message = refused(make_raster(crs=crs, origin=origin))
    assert "--source-crs" in message or "check the georeference" in message


def test_web_mercator_is_measured_on_the_ground(make_raster, predict, refused):
    """At 46 degrees north its metres are 0.69 of a metre on the ground."""
    place = {"crs": "EPSG:3857", "origin": (300_000.0, 5_800_000.0)}
    near = make_raster("near.tif", gsd=0.29, **place)
    made = predict(near)
    assert "resampled" not in made.output
    assert made.place[0].a == 0.29
    assert "resampled to" in predict(make_raster("fine.tif", gsd=0.2, **place), name="fine_map.tif").output
    refused(make_raster("coarse.tif", gsd=1.6, **place), name="coarse_map.tif")
