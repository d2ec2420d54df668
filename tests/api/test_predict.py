"""POST /predict: what may be sent and said, and what comes of it."""

import json
import re
from typing import get_args

import numpy as np
import pytest
import rasterio
import shapely
from pyogrio.raw import write

from models.nomenclature import COSIA
from service.api.asking import REMEDIES, Style
from service.catalogue.styles import styles_of
from service.inference.offering import offered_class
from tests.api.conftest import TINY


def test_a_file_becomes_a_job_and_the_job_a_map(house, make_raster):
    answer = house.send(make_raster("Été à Annecy.tif"))
    job = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == job["links"]["self"]["href"]
    assert (job["status"], job["map"]["name"], job["bounds"][0]) == ("accepted", "Ete-a-Annecy", 3.0)
    assert job["title"] == "Land cover of Été à Annecy.tif"
    assert house.bell.rung == [None]
    house.work()
    job = house.client.get(f"/jobs/{job['id']}").json()
    assert (job["status"], job["progress"], job["error"]) == ("successful", 100.0, None)
    landcover = house.settings.maps_folder / job["map"]["id"] / "sheets" / "Ete-a-Annecy" / "landcover.tif"
    with rasterio.open(landcover) as raster:
        assert (raster.width, raster.height) == (120, 100)


@pytest.mark.parametrize(
    "kind", ["image/tiff", "image/tiff; application=geotiff", "application/octet-stream"]
)
def test_a_raster_may_be_the_body(house, make_raster, kind):
    raw = make_raster().read_bytes()
    query = TINY | {"title": "Mine", "map": "mine"}
    job = house.client.post("/predict", params=query, content=raw, headers={"Content-Type": kind}).json()
    assert (job["title"], job["map"]["name"]) == ("Mine", "mine")


def test_a_map_is_called_by_the_title_it_was_given_else_by_its_name(house, make_raster):
    titled = house.send(make_raster(), title="Été à Annecy", map="annecy-2024").json()
    plain = house.send(make_raster(), map="annecy-2025", force="true").json()
    for job, label in ((titled, "Été à Annecy"), (plain, "annecy-2025")):
        assert job["label"] == label
        of_map = house.client.get(f"/maps/{job['map']['id']}").json()
        assert (of_map["label"], of_map["name"]) == (label, job["map"]["name"])
        for path in ("tilejson.json", "image/tilejson.json"):
            assert house.client.get(f"/maps/{of_map['id']}/{path}").json()["name"].startswith(f"{label}: ")
        item = house.client.get(f"/maps/{of_map['id']}/item.json").json()
        assert item["properties"]["title"] == label


def test_json_names_files_of_the_folders_that_the_server_offers(open_house, make_raster, tmp_path):
    house = open_house(source_folders=(tmp_path / "sheets",))
    (tmp_path / "sheets").mkdir()
    for number in (0, 1):
        make_raster(f"sheets/s{number}.tif", origin=(700_000 + 24 * number, 6_600_000))
    asked = TINY | {"source": str(tmp_path / "sheets")}
    job = house.client.post("/predict", json=asked).json()
    assert job["title"] == "Land cover of s0.tif (+1)"
    assert job["area_km2"] == pytest.approx(2 * 24 * 20 / 1e6, rel=0.01)
    one = house.client.post("/predict", json=asked | {"source": [str(tmp_path / "sheets" / "s0.tif")]})
    assert one.status_code == 201


def test_a_plain_form_does_as_well(open_house, make_raster, tmp_path):
    house = open_house(source_folders=(tmp_path,))
    answer = house.client.post("/predict", data=TINY | {"source": str(make_raster())})
    assert answer.status_code == 201


def test_a_dry_run_estimates_and_keeps_nothing(house, make_raster):
    house.register("onnxruntime-1-fp32-cpu-x", mpx_per_s=0.001)
    answer = house.send(make_raster(), dry_run="true")
    estimate = answer.json()
    assert answer.status_code == 200
    assert (estimate["num_px"], estimate["seconds"], estimate["warnings"]) == (12_000, 12.0, [])
    assert estimate["area_km2"] == pytest.approx(12_000 * 0.04 / 1e6, rel=0.01)
    assert estimate["gsd_m"] == pytest.approx(0.2, rel=0.01)
    assert house.left == []
    assert house.client.get("/jobs").json()["jobs"] == []


AREA = {
    "type": "Polygon",
    "coordinates": [[[3.0, 46.49995], [3.0001, 46.49995], [3.0001, 46.5], [3.0, 46.49995]]],
}


AREAS = [
    AREA,
    {"type": "Feature", "properties": {}, "geometry": AREA},
    {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": AREA}]},
    {"bbox": [700_000, 6_599_990, 700_010, 6_600_000], "crs": "EPSG:2154"},
    "700000,6599990,700010,6600000,EPSG:2154",
    {"bbox": [3.0, 46.49995, 3.0001, 46.5]},
    "3.0,46.49995,3.0001,46.5",
]


def test_areas_are_said_in_many_ways(house, make_raster):
    path = make_raster()
    for aoi in AREAS:
        text = aoi if isinstance(aoi, str) else json.dumps(aoi)
        estimate = house.send(path, dry_run="1", aoi=text).json()
        assert 0 < estimate["num_px"] < 12_000


@pytest.mark.parametrize(
    ("name", "driver"), [("a.gpkg", "GPKG"), ("a.fgb", "FlatGeobuf"), ("a.json", "GeoJSON")]
)
def test_areas_come_as_files(house, make_raster, tmp_path, name, driver):
    crs = "EPSG:4326" if driver == "GeoJSON" else "EPSG:2154"
    box = (
        shapely.box(3.0, 46.49995, 3.0001, 46.5)
        if driver == "GeoJSON"
        else shapely.box(7e5, 6_599_990, 700_010, 6.6e6)
    )
    wkb = np.array([shapely.to_wkb(box)], dtype=object)
    write(tmp_path / name, wkb, [], [], geometry_type="Polygon", crs=crs, driver=driver)
    with make_raster().open("rb") as ortho, (tmp_path / name).open("rb") as area:
        answer = house.client.post(
            "/predict", files={"file": ortho, "aoi": (name, area)}, data=TINY | {"dry_run": "true"}
        )
    assert 0 < answer.json()["num_px"] < 12_000, answer.text
    assert house.left == []


def test_companions_are_files_of_their_own(house, make_raster):
    ortho = make_raster("ortho.tif", tags={"TIFFTAG_DATETIME": "2024:06:15 10:00:00"})
    twin = make_raster("irc.tif", seed=2)
    with ortho.open("rb") as file, twin.open("rb") as irc:
        files = {"file": ("ortho.tif", file), "irc": ("irc.tif", irc)}
        job = house.client.post("/predict", files=files, data={"model": "tiny-rgbi"}).json()
    assert job["model"] == "tiny-rgbi@1.0.0"


def test_sources_apart_are_told_apart(house, make_raster):
    near, far = make_raster("near.tif"), make_raster("far.tif", origin=(800_000, 6_600_000))
    with near.open("rb") as one, far.open("rb") as other:
        files = [("file", ("near.tif", one)), ("file", ("far.tif", other))]
        answer = house.client.post("/predict", files=files, data=TINY)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "urn:orthoscape:problem:several-maps")
    assert "near.tif" in problem["detail"]
    assert "far.tif" in problem["detail"]
    assert house.left == []


def test_an_answer_waits_as_long_as_is_preferred(house, make_raster):
    with make_raster().open("rb") as file:
        answer = house.client.post(
            "/predict", files={"file": file}, data=TINY, headers={"Prefer": "respond-async, wait=1"}
        )
    assert answer.headers["preference-applied"] == "wait=1"
    assert answer.json()["status"] == "accepted"


def test_a_job_is_pinned_to_gpus_first_then_to_what_most_offer(house, make_raster):
    job = house.send(make_raster("a.tif", seed=1)).json()
    assert job["profile"] is None
    assert "no worker is connected" in job["message"]
    assert "orthoscape worker" in job["message"]
    cpu, gpu = "onnxruntime-1-fp32-cpu-x", "onnxruntime-1-fp32-cuda-h200"
    house.register(cpu, name="one")
    house.register(cpu, name="two")
    house.register("openvino-1-fp32-cpu-x", name="three")
    job = house.send(make_raster("b.tif", seed=2)).json()
    assert (job["profile"], "no worker" in job["message"]) == (cpu, False)
    house.register(gpu, name="four")
    assert house.send(make_raster("c.tif", seed=3)).json()["profile"] == gpu
    assert house.bell.rung == [None, cpu, gpu]
    for name in ("one", "two"):
        house.store.fleet.forget(name)
    house.forget_crew()
    waiting = house.client.get(f"/jobs/{job['id']}").json()
    assert f"no worker that offers {cpu} is connected" in waiting["message"]


def test_a_map_of_another_kind_of_worker_is_not_given_for_the_same(house, make_raster):
    path = make_raster()
    first = house.send(path).json()
    house.work()
    assert house.store.job(first["id"]).profile_class == offered_class("onnxruntime")
    house.register("onnxruntime-1-fp32-cuda-h200", name="gpu")
    assert house.send(path).json()["id"] != first["id"]


def test_titles_follow_the_language_asked_for(house, make_raster):
    headers = {"Accept-Language": "de, fr-CA;q=0.8, en;q=0.5"}
    with make_raster().open("rb") as file:
        job = house.client.post("/predict", files={"file": file}, data=TINY, headers=headers).json()
    assert job["title"] == "Couverture du sol de ortho.tif"
    assert job["links"]["legend"]["title"] == "Légende"
    assert job["links"]["stats"]["href"].endswith("/stats.json")
    assert house.client.get(f"/jobs/{job['id']}").json()["links"]["legend"]["title"] == "Legend"


REFUSED = [
    ({"nodata": "300"}, "#/nodata", "0 to 255"),
    ({"map": "../up"}, "#/map", "letters, digits"),
    ({"map": "latest"}, "#/map", "letters, digits"),
    ({"title": "a\r\nSet-Cookie: x"}, "#/title", "one line"),
    ({"max_failed_share": "2"}, "#/max_failed_share", "less than or equal to 1"),
    ({"source_crs": "/etc/passwd"}, "#/source_crs", "EPSG:2154"),
    ({"colour": "red"}, "#/colour", "there are file, source"),
    ({"subscriber": "https://x"}, "#/subscriber", "later version"),
    ({"acquisition_date": "15/06/2024"}, "#/acquisition_date", "2024-06-15"),
    ({"aoi": "/etc/passwd"}, "#/aoi", "is no area"),
    ({"aoi": "700000,6599990,700010,6600000"}, "#/aoi/crs", "without a CRS are degrees"),
    ({"aoi": '{"bbox": [700000, 6599990, 700010, 6600000]}'}, "#/aoi/crs", "without a CRS are degrees"),
    ({"aoi": '{"bbox": [true, 1, 2, 3]}'}, "#/aoi/bbox", "four numbers"),
    ({"aoi": '{"bbox": [1, 2]}'}, "#/aoi/bbox", "four numbers"),
    ({"aoi": '{"bbox": [1, 2, 3, 4], "crs": "http://127.0.0.1/x"}'}, "#/aoi/crs", "EPSG:2154"),
    ({"model": "none-such"}, "#/model", "no model 'none-such'"),
    ({"source": "https://example.org/a.tif"}, "#/source", "cannot be read"),
    ({"source": "s3://bucket/a.tif"}, "#/source", "cannot be read"),
    ({"source": "collection:x"}, "#/source", "cannot be read"),
]


def test_what_cannot_be_is_refused_where_it_stands(house, make_raster):
    path = make_raster()
    for fields, pointer, said in REFUSED:
        answer = house.send(path, **fields)
        problem = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
        assert said in problem["detail"]
        assert house.left == []


def test_the_house_speaks_of_fields_not_of_options_and_of_names_not_of_folders(house, make_raster):
    answer = house.send(make_raster(crs=None))
    problem = answer.json()
    assert problem["detail"] == "ortho.tif has no coordinate reference system"
    assert problem["remedy"].startswith("state it: source_crs=EPSG:2154")
    assert house.send(make_raster(crs=None), source_crs="EPSG:2154").status_code == 201


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ({"clip": "false"}, "leave clip out"),
        ({"clip": "2"}, "leave clip out"),
        ({"style": "groups"}, "cosia, flair, cvd; or a grouping: sealed"),
    ],
)
def test_fields_with_few_values_say_which_there_are(house, make_raster, said, remedy):
    answer = house.send(make_raster(), **said)
    problem = answer.json()
    assert (answer.status_code, problem["errors"][0]["pointer"]) == (422, f"#/{next(iter(said))}")
    assert remedy in problem["remedy"]
    assert house.left == []


def test_clipping_may_be_said(house, make_raster):
    assert house.send(make_raster(), clip="true").status_code == 201
    answer = house.client.post("/predict", json={"clip": True, "style": None, "lang": "de"})
    assert answer.json()["errors"][0]["pointer"] == "#/lang"


def test_a_job_may_be_shown_in_every_style_of_tiles(house, make_raster):
    styles = [style.id for style in styles_of(COSIA, "en")]
    assert list(get_args(Style)) == styles
    assert all(re.search(rf"\b{style}\b", REMEDIES["style"]) for style in styles)
    path = make_raster()
    for style in styles[1:]:
        links = house.send(path, style=style, force="true").json()["links"]
        assert links["tilejson"]["href"].endswith(f"?style={style}")
    house.work()
    for name in ("tilejson", "wmts", "legend"):
        assert house.client.get(links[name]["href"]).status_code == 200
    assert house.client.get(links["xyz"]["href"].format(z=0, x=0, y=0)).status_code == 200
