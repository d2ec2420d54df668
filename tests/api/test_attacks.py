"""Hostile files and names through POST /predict: refused clearly, and nothing of them remains."""

import gzip
import io
import json
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from rasterio.crs import CRS

from service.api.uploadfolder import MAX_NAME_BYTES
from service.rasters import areas
from service.rasters.errors import AreaTooDetailed
from service.rasters.polygons import MAX_POINTS
from tests.api.conftest import TINY
from tests.rasters.attacks.conftest import (  # noqa: F401  fixtures
    block_bomb,
    forge_tiff,
    giga_raster,
    listener,
    secret,
    vrt_of,
)


def refused(house, answer, status: int, kind: str) -> dict:
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:orthoscape:problem:{kind}"), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(house.settings.home) not in answer.text
    assert house.left == []
    assert house.store.jobs().items == []
    return problem


def post(house, name: str, content: bytes):
    return house.client.post("/predict", files={"file": (name, content)}, data=TINY)


def test_a_vrt_renamed_tif(house, secret, vrt_of):  # noqa: F811
    answer = post(house, "ortho.tif", vrt_of(secret).encode())
    assert "a VRT, which reads other files" in refused(house, answer, 415, "unsupported-format")["detail"]


@pytest.mark.slow
def test_a_raster_that_claims_160_gpx(house, giga_raster):  # noqa: F811
    refused(house, post(house, "giga.tif", giga_raster.read_bytes()), 422, "suspicious-compression")


@pytest.mark.slow
def test_a_bomb_of_strips(house, block_bomb):  # noqa: F811
    refused(house, post(house, "bomb.tif", block_bomb.read_bytes()), 422, "too-large")


def test_a_zip_bomb(house):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ortho.tif", bytes(10**7))
    answer = post(house, "ortho.tif", packed.getvalue())
    assert "a zip archive" in refused(house, answer, 415, "unsupported-format")["detail"]


def test_a_body_that_unpacks_is_not_unpacked(house, make_raster):
    headers = {"Content-Type": "image/tiff", "Content-Encoding": "gzip"}
    answer = house.client.post(
        "/predict", params=TINY, content=gzip.compress(make_raster().read_bytes()), headers=headers
    )
    refused(house, answer, 415, "unsupported-format")


def test_a_truncated_raster(house, make_raster):
    raw = make_raster().read_bytes()
    answer = post(house, "cut.tif", raw[: len(raw) // 3])
    assert answer.status_code == 422
    assert house.left == []


NAMES = (
    "../../../etc/cron.d/x.tif",
    "/etc/passwd",
    "..\\..\\x.tif",
    "a\x00b.tif",
    "..",
    ".hidden",
    "x" * 1000 + ".tif",
)


@pytest.mark.slow
def test_names_lead_nowhere(house, make_raster):
    raw = make_raster().read_bytes()
    for name in NAMES:
        query = TINY | {"filename": name, "force": "true"}
        headers = {"Content-Type": "image/tiff"}
        answers = [house.client.post("/predict", params=query, content=raw, headers=headers)]
        answers.append(post(house, name, raw))
        assert all(answer.status_code in (200, 201) for answer in answers), name
    found = list(house.settings.uploads_folder.glob("*/data/*"))
    assert len(found) == len(NAMES)  # what came in a form was there already
    assert all(not data.name.startswith(".") and len(data.name.encode()) <= MAX_NAME_BYTES for data in found)
    inside = house.settings.uploads_folder.resolve()
    assert all(data.resolve().is_relative_to(inside) for data in found)


@pytest.fixture
def offering(open_house, tmp_path):
    """A house that offers a folder, beside which a secret lies."""
    (tmp_path / "offered").mkdir()
    return open_house(source_folders=(tmp_path / "offered",))


FORMS = (
    "{outside}",
    "{folder}/../secret.tif",
    "{folder}/link.tif",
    "{folder}/folder/secret.tif",
    "{folder}/no-such.tif",
    "file://{folder}/inside.tif",
    "/vsicurl/http://127.0.0.1:{port}/a.tif",
    "vrt://{folder}/inside.tif",
    "GTIFF_DIR:1:{folder}/inside.tif",
    "inside.tif",
    "{folder}/inside.tif\x00.tif",
    "/" + "a" * 5000,
    "upload:../../etc",
    "http://127.0.0.1:{port}/a.tif",
)


def test_a_source_outside_is_not_told_from_one_that_is_not_there(offering, make_raster, tmp_path, listener):  # noqa: F811
    folder, (port, calls) = tmp_path / "offered", listener
    outside = make_raster("secret.tif")
    make_raster("offered/inside.tif")
    (folder / "link.tif").symlink_to(outside)
    (folder / "folder").symlink_to(tmp_path)
    for form in FORMS:
        source = form.format(outside=outside, folder=folder, port=port)
        answer = offering.client.post("/predict", json=TINY | {"source": source})
        assert answer.status_code in (404, 422), answer.text
    assert not calls
    assert offering.store.jobs().items == []
    good = offering.client.post("/predict", json=TINY | {"source": str(folder / "inside.tif")})
    assert good.status_code == 201


def test_a_link_among_the_sheets_of_a_folder_is_left_out(offering, make_raster, tmp_path):
    make_raster("offered/inside.tif")
    (tmp_path / "offered" / "link.tif").symlink_to(make_raster("secret.tif", origin=(700_024, 6_600_000)))
    answer = offering.client.post("/predict", json=TINY | {"source": str(tmp_path / "offered")})
    (planned,) = [offering.store.planned(job.id) for job in offering.store.jobs().items]
    assert answer.status_code == 201
    assert [Path(path).name for path in planned.plan.digests] == ["inside.tif"]


def test_an_area_names_no_file_and_no_address(house, make_raster, listener):  # noqa: F811
    port, calls = listener
    area = {
        "type": "Polygon",
        "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]],
        "crs": {"type": "name", "properties": {"name": f"http://127.0.0.1:{port}/crs"}},
    }
    with make_raster().open("rb") as file:
        answer = house.client.post("/predict", files={"file": file}, data=TINY | {"aoi": json.dumps(area)})
    refused(house, answer, 422, "field-error")
    assert not calls


def test_an_area_in_a_vrt_reads_no_file(house, make_raster):
    layer = "<OGRVRTLayer name='a'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>"
    vrt = f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"
    with make_raster().open("rb") as file:
        files = {"file": file, "aoi": ("area.gpkg", vrt.encode())}
        answer = house.client.post("/predict", files=files, data=TINY)
    refused(house, answer, 422, "field-error")


def tangle(num_points: int) -> str:
    """A ring that crosses itself everywhere, as GeoJSON about the scene."""
    longitudes_latitudes = (
        np.random.default_rng(0).uniform((3, 46.49), (3.01, 46.5), (num_points, 2)).tolist()
    )
    ring = [*longitudes_latitudes, longitudes_latitudes[0]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def test_an_area_that_crosses_itself_everywhere_costs_the_server_nothing(house, make_raster, monkeypatch):
    """Mending one of 2000 points took 15 s, and 1.3 GB that were not given back."""
    monkeypatch.setattr(areas, "MAX_AREA_S", 3.0)
    path, begun_s = make_raster(), time.process_time()
    answer = house.send(path, aoi=tangle(2000))
    refused(house, answer, 422, "area-too-detailed")
    assert "more than 3 s" in answer.json()["detail"]
    assert "simplify" in answer.json()["remedy"]
    assert time.process_time() - begun_s < 3.0


def test_an_area_has_no_more_points_than_a_mask_is_worth():
    with pytest.raises(AreaTooDetailed, match="200,000 points"):
        areas.area_of_geojson(tangle(MAX_POINTS), crs_wkt=CRS.from_epsg(2154).to_wkt(), pixel_size=0.2)


@pytest.mark.slow
def test_a_damaged_geopackage_ends_no_server(house, make_raster):
    with make_raster().open("rb") as file:
        files = {"file": file, "aoi": ("area.gpkg", b"SQLite format 3\x00" + os.urandom(4096))}
        answer = house.client.post("/predict", files=files, data=TINY)
    assert answer.status_code == 422, answer.text
    assert house.left == []


def test_deep_json_is_no_trap(house):
    for body in (b"[" * 100_000, b'{"aoi":' * 50_000):
        answer = house.client.post("/predict", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400


def test_no_header_is_made_of_what_users_send(house, make_raster):
    raw = make_raster().read_bytes()
    query = TINY | {"filename": "a\r\nSet-Cookie: x=1.tif"}
    answer = house.client.post("/predict", params=query, content=raw, headers={"Content-Type": "image/tiff"})
    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers
