"""The class of a pixel belongs to the place: another extent, another area, the same classes."""

import json

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from rasterio.warp import transform_geom

from tests.cli.conftest import noise

LEFT, TOP, GSD = 700_000.0, 6_600_000.0, 0.2
HEIGHT, WIDTH = 230, 260
SEEN_IN_A_PATCH_PX = 8
"""A patch that is cut to other data shows other pixels within the halo of that edge at most."""
TRIANGLE = shapely.Polygon([(LEFT + 5.03, TOP - 40.4), (LEFT + 47.7, TOP - 21.37), (LEFT + 20.9, TOP - 3.3)])


@pytest.fixture(name="image_CHW", scope="module")
def image():
    return noise(3, HEIGHT, WIDTH)


@pytest.fixture
def scene(image_CHW, make_raster):
    return make_raster(pixels=image_CHW)


def inside(area, made):
    """True where the centre of a pixel is in the area."""
    transform, _, width, height = made.place
    cols, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return shapely.contains_xy(area, transform.c + cols * transform.a, transform.f + rows * transform.e)


@pytest.mark.parametrize(("row", "col"), [(37, 61), (64, 0), (1, 129)])
def test_a_scene_of_another_extent_gets_the_same_classes(row, col, image_CHW, scene, make_raster, predict):
    part_CHW = image_CHW[:, row : row + 150, col : col + 120]
    part = make_raster("part.tif", pixels=part_CHW, origin=(LEFT + col * GSD, TOP - row * GSD))
    whole, other = predict(scene, name="whole.tif"), predict(part, name="part_map.tif")
    away = (slice(SEEN_IN_A_PATCH_PX, -SEEN_IN_A_PATCH_PX),) * 2
    np.testing.assert_array_equal(other.classes_HW[away], whole.classes_HW[whole.at(other)][away])


def areas(tmp_path):
    """The triangle, said in every way."""
    lonlat = transform_geom("EPSG:2154", "EPSG:4326", shapely.geometry.mapping(TRIANGLE))
    (tmp_path / "area.geojson").write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [{"type": "Feature", "properties": {}, "geometry": lonlat}],
            }
        )
    )
    old = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}
    (tmp_path / "old.geojson").write_text(json.dumps(shapely.geometry.mapping(TRIANGLE) | {"crs": old}))
    utm = shapely.geometry.shape(
        transform_geom("EPSG:2154", "EPSG:32631", shapely.geometry.mapping(TRIANGLE))
    )
    pyogrio.raw.write(
        tmp_path / "area.gpkg",
        geometry=np.array([utm.wkb], dtype=object),
        field_data=[],
        fields=[],
        geometry_type="Polygon",
        crs="EPSG:32631",
    )
    return {
        "GeoJSON": json.dumps(lonlat),
        "GeoJSON file": str(tmp_path / "area.geojson"),
        "GeoJSON file of before 2016": str(tmp_path / "old.geojson"),
        "GeoPackage in UTM": str(tmp_path / "area.gpkg"),
    }


def test_an_area_gets_the_classes_of_the_whole_and_nothing_else(scene, predict, tmp_path):
    whole = predict(scene, name="whole.tif")
    for number, (said, aoi) in enumerate(areas(tmp_path).items()):
        part = predict(scene, "--aoi", aoi, name=f"part_{number}.tif")
        kept_HW = inside(TRIANGLE, part)
        # Bounds cover the area and no row or column more.
        assert all(kept_HW[edge].any() or part.valid_HW[edge].sum() == 0 for edge in (0, -1)), said
        expected_HW = np.where(kept_HW, whole.classes_HW[whole.at(part)], 255)
        wrong_HW = part.classes_HW != expected_HW
        # A corner bent from one CRS to another moves by less than a millimetre.
        assert wrong_HW.sum() <= 2, (said, np.argwhere(wrong_HW))
        assert inside(TRIANGLE, whole).sum() == kept_HW.sum()


@pytest.mark.parametrize("code", ["", ",EPSG:2154"])
def test_bounds_decide_by_the_centre_of_a_pixel(code, scene, predict):
    whole = predict(scene, name="whole.tif")
    # Of the outermost columns and rows 0.05 m are inside in the west and south, 0.15 m in the north and east.
    left, bottom, right, top = LEFT + 10.15, TOP - 30.05, LEFT + 31.15, TOP - 7.05
    part = predict(scene, "--aoi", f"{left},{bottom},{right},{top}{code}")
    transform, _, width, height = part.place
    assert (transform.c, transform.f) == (pytest.approx(LEFT + 10.0), pytest.approx(TOP - 7.0))
    assert (width, height) == (106, 116)
    expected_HW = whole.classes_HW[whole.at(part)].copy()
    expected_HW[:, 0] = expected_HW[-1] = 255
    np.testing.assert_array_equal(part.classes_HW, expected_HW)


def test_bounds_on_pixel_borders_give_just_those_pixels(scene, predict):
    whole = predict(scene, name="whole.tif")
    part = predict(scene, "--aoi", f"{LEFT + 12.8},{TOP - 40},{LEFT + 30},{TOP - 8}")
    assert part.place[2:] == (86, 160)
    np.testing.assert_array_equal(part.classes_HW, whole.classes_HW[whole.at(part)])


def test_an_area_larger_than_the_scene_is_the_scene(scene, predict):
    whole = predict(scene, name="whole.tif")
    part = predict(scene, "--aoi", f"{LEFT - 900},{TOP - 900},{LEFT + 900},{TOP + 900}")
    assert part.place == whole.place
    np.testing.assert_array_equal(part.classes_HW, whole.classes_HW)


@pytest.mark.parametrize("kind", ["coarser", "degrees"])
def test_a_resampled_scene_is_the_same_in_any_area(kind, make_raster, predict):
    options = {"gsd": 0.8, "shape": (3, 100, 110)}
    aoi = f"{LEFT + 31.3},{TOP - 70.2},{LEFT + 66.6},{TOP - 20.9}"
    if kind == "degrees":
        options = {"crs": "EPSG:4326", "gsd": (0.2 / 77_000, 0.2 / 111_200), "origin": (2.35, 46.5)}
        aoi = "2.35008,46.49993,2.35022,46.49997,EPSG:4326"
    scene = make_raster(**options)
    whole, part = predict(scene, name="whole.tif"), predict(scene, "--aoi", aoi)
    there_HW = whole.classes_HW[whole.at(part)]
    kept_HW = part.valid_HW
    assert kept_HW.mean() > 0.5
    np.testing.assert_array_equal(part.classes_HW[kept_HW], there_HW[kept_HW])


@pytest.mark.parametrize(
    ("aoi", "told"),
    [
        ("0,0,10,10", "outside the data"),
        ("", "no bounds"),
        ("700002,6599990,700010", "no bounds"),
        ("700010,6599990,700002,6599998", "left,bottom,right,top"),
        ('{"type": "Point", "coordinates": [2.9, 46.5]}', "no polygon"),
        ('{"type": "Polygon"', "no GeoJSON"),
        (
            '{"type": "Polygon", "coordinates": [[[46.5,3],[46.6,3],[46.6,3.1],[46.5,3]]]}',
            "longitude, latitude",
        ),
        ("1,2,3,4,EPSG:nonsense", "EPSG:code"),
        ("9" * 5000, "no bounds"),
        ("-180,-90,180,90,EPSG:4326", "nearer to the scene"),
    ],
)
def test_an_area_that_is_none_or_elsewhere_is_refused(aoi, told, make_raster, refused):
    assert told in refused(make_raster(), "--aoi", aoi)


def test_geojson_longer_than_a_path_may_be_is_read(scene, predict):
    short, circle = predict(scene, name="whole.tif"), shapely.Point(LEFT + 20, TOP - 20).buffer(9, 64)
    lonlat = transform_geom("EPSG:2154", "EPSG:4326", shapely.geometry.mapping(circle))
    part = predict(scene, "--aoi", json.dumps(lonlat))
    expected_HW = np.where(inside(circle, part), short.classes_HW[short.at(part)], 255)
    assert (part.classes_HW != expected_HW).sum() <= 2


def test_an_area_file_without_polygons_or_crs_is_refused(make_raster, refused, tmp_path):
    (tmp_path / "letter.gpkg").write_text("dear reader")
    assert "vector data" in refused(make_raster(), "--aoi", tmp_path / "letter.gpkg")
    assert "no bounds" in refused(make_raster(), "--aoi", tmp_path / "absent.gpkg")


U_SHAPE = shapely.box(LEFT - 9, TOP - 60, LEFT + 60, TOP + 9) - shapely.box(
    LEFT - 1, TOP - 50, LEFT + 50, TOP + 9
)


def test_an_area_around_the_scene_is_refused(make_raster, refused):
    """Its bounds meet the scene, it does not."""
    crs = {"type": "name", "properties": {"name": "EPSG:2154"}}
    aoi = json.dumps(shapely.geometry.mapping(U_SHAPE) | {"crs": crs})
    assert "outside the data" in refused(make_raster(), "--aoi", aoi)


def test_an_area_between_the_sheets_of_one_map_is_refused(make_raster, refused, monkeypatch):
    monkeypatch.setattr("service.planning.jobs.SHEET_PX", 64)
    sheets = [make_raster(f"{n}.tif", origin=(LEFT + n * 25, TOP)) for n in range(2)]  # 5 px apart: one map
    aoi = f"{LEFT + 24.2},{TOP - 10},{LEFT + 24.8},{TOP - 2}"
    assert "outside the data" in refused(*sheets, "--aoi", aoi, name="maps")


def test_scenes_that_an_area_does_not_meet_get_no_map(make_raster, predict, refused):
    near = make_raster("near.tif")
    far = make_raster("far.tif", origin=(LEFT + 90_000, TOP), seed=1)
    utm = make_raster("utm.tif", crs="EPSG:32631", origin=(500_000.0, 5_150_000.0))
    whole = predict(near, name="whole.tif")
    aoi = f"{LEFT + 2},{TOP - 12},{LEFT + 14},{TOP - 2}"
    part = predict(utm, far, near, "--aoi", aoi + ",EPSG:2154")
    np.testing.assert_array_equal(part.classes_HW, whole.classes_HW[whole.at(part)])
    assert "outside the data" in refused(far, near, "--aoi", f"{LEFT},{TOP + 2},{LEFT + 9},{TOP + 12}")


def test_an_area_keeps_the_transform_of_the_grid(scene, predict):
    part = predict(scene, "--aoi", f"{LEFT + 12.8},{TOP - 40},{LEFT + 30},{TOP - 8}")
    with rasterio.open(part.path) as file:
        assert file.transform.a == GSD
        assert file.crs.to_epsg() == 2154
