"""Files come whole or by range, exactly, and under names that belong together."""

import hashlib
import io
import json

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.io import MemoryFile

from service.planning import jobs as planning_jobs
from tests.api_maps.conftest import LEFT, TOP, scene


@pytest.fixture
def landcover(house, finished):
    (sheet,) = house.store.planned(finished.job_id).plan.sheets
    return house.folder(finished).products(sheet).classes.read_bytes()


@pytest.fixture
def address(finished):
    return f"/maps/{finished.id}/landcover.tif"


def test_the_whole_file_arrives_as_it_is(client, address, landcover):
    response = client.get(address)
    assert response.content == landcover
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["content-disposition"] == 'attachment; filename="annecy.tif"'
    with MemoryFile(response.content) as memory, memory.open() as file:
        assert file.crs.to_epsg() == 2154


def test_head_tells_size_and_tag_and_sends_nothing(client, address, landcover):
    told, got = client.head(address), client.get(address)
    assert told.content == b""
    for name in ("content-length", "etag", "last-modified", "accept-ranges", "content-type"):
        assert told.headers[name] == got.headers[name]
    assert int(told.headers["content-length"]) == len(landcover)


@pytest.mark.parametrize(("asked", "part"), [
    ("bytes=0-0", slice(0, 1)),
    ("bytes=16-1039", slice(16, 1040)),
    ("bytes=100-", slice(100, None)),
    ("bytes=-50", slice(-50, None)),
    ("bytes=0-99999999", slice(0, None)),
])  # fmt: skip
def test_a_range_is_exactly_those_bytes(client, address, landcover, asked, part):
    response = client.get(address, headers={"Range": asked})
    assert response.status_code == 206
    assert response.content == landcover[part]
    first, last, _ = part.indices(len(landcover))
    assert response.headers["content-range"] == f"bytes {first}-{last - 1}/{len(landcover)}"
    assert int(response.headers["content-length"]) == last - first
    told = client.head(address, headers={"Range": asked})
    assert (told.status_code, told.content) == (206, b"")
    assert told.headers["content-range"] == response.headers["content-range"]


def test_several_ranges_come_in_parts(client, address, landcover):
    response = client.get(address, headers={"Range": "bytes=0-9,50-59"})
    assert response.status_code == 206
    assert response.headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert landcover[0:10] in response.content
    assert landcover[50:60] in response.content
    assert int(response.headers["content-length"]) == len(response.content)


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "pages=1-2", "bytes=", "bytes=1-2,x"])
def test_a_range_that_means_nothing_is_ignored(client, address, landcover, asked):
    response = client.get(address, headers={"Range": asked})
    assert response.status_code == 200
    assert response.content == landcover


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_range_beyond_the_end_is_refused_with_the_length(client, address, landcover, method):
    response = client.request(method, address, headers={"Range": f"bytes={len(landcover)}-"})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(landcover)}"
    assert response.headers["content-type"] == "application/problem+json"


def test_if_range_sends_the_range_of_the_same_file_and_all_of_another(client, address, landcover):
    etag, modified = (client.head(address).headers[name] for name in ("etag", "last-modified"))
    ask = {"Range": "bytes=10-19"}
    for same in (etag, modified):
        response = client.get(address, headers=ask | {"If-Range": same})
        assert (response.status_code, response.content) == (206, landcover[10:20])
    for other in ('"other"', f"W/{etag}", "Thu, 01 Jan 1970 00:00:00 GMT"):
        response = client.get(address, headers=ask | {"If-Range": other})
        assert (response.status_code, response.content) == (200, landcover)


def test_a_known_file_is_not_sent_again(client, address):
    etag = client.head(address).headers["etag"]
    for method in ("GET", "HEAD"):
        response = client.request(method, address, headers={"If-None-Match": etag})
        assert (response.status_code, response.content) == (304, b"")


def test_a_style_finds_its_raster_by_name(client, finished):
    names = {
        name: client.get(f"/maps/{finished.id}/{name}").headers["content-disposition"]
        for name in ("landcover.tif", "landcover.qml", "confidence.tif", "image.tif")
    }
    assert names == {
        "landcover.tif": 'attachment; filename="annecy.tif"',
        "landcover.qml": 'attachment; filename="annecy.qml"',
        "confidence.tif": 'attachment; filename="annecy_confidence.tif"',
        "image.tif": 'attachment; filename="annecy_image.tif"',
    }


def test_the_style_speaks_the_language_and_palette_asked_for(client, finished):
    text = client.get(f"/maps/{finished.id}/landcover.qml", params={"lang": "fr", "style": "cvd"}).text
    assert 'label="Bâtiment"' in text
    assert 'color="#6a0000"' in text


def test_the_item_tells_of_the_files_as_they_are(client, finished, landcover):
    item = client.get(f"/maps/{finished.id}/item.json").json()
    asset = item["assets"]["landcover"]
    got = client.get(asset["href"].removeprefix("http://testserver")).content
    assert got == landcover
    assert asset["file:size"] == len(landcover)
    assert asset["file:checksum"] == "1220" + hashlib.sha256(landcover).hexdigest()
    assert item["properties"]["datetime"] == "2024-06-15T00:00:00Z"
    assert {"orthoscape", "rasterio", "gdal", "onnxruntime"} <= set(item["properties"]["processing:software"])
    assert "/tmp" not in json.dumps(item)  # noqa: S108  folders of the server are nobody's business
    model = next(link["href"] for link in item["links"] if link["rel"] == "derived_from")
    assert client.get(model.removeprefix("http://testserver")).json()["id"] == "tiny-rgb@1.0.0"


def test_the_preview_shows_the_map_as_it_stands(client, house, finished, tmp_path):
    picture = client.get(f"/maps/{finished.id}/preview.png", params={"lang": "fr"})
    assert picture.content.startswith(b"\x89PNG")
    assert client.get(f"/maps/{finished.id}/preview.png").content != picture.content
    record = house.begin(scene(tmp_path / "ortho.tif", seed=21), name="begun")
    empty = client.get(f"/maps/{record.id}/preview.png")
    assert empty.status_code == 200
    house.store.dismiss(record.job_id)


def test_the_thumbnail_grows_with_the_map_and_is_asked_for_once(client, house, tmp_path):
    record = house.begin(scene(tmp_path / "ortho.tif", seed=23), name="grows")
    pictures = []
    for leases in (0, 2, 10_000):
        house.work(leases=leases)
        answer = client.get(f"/maps/{record.id}/thumbnail.png")
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (176, 176)
            pictures.append(picture.getchannel("A").histogram()[255])
        known = {"If-None-Match": answer.headers["ETag"]}
        assert client.get(f"/maps/{record.id}/thumbnail.png", headers=known).status_code == 304
        other = client.get(f"/maps/{record.id}/thumbnail.png", params={"style": "cvd"}, headers=known)
        assert other.status_code == 200
    assert pictures[0] == 0
    assert pictures == sorted(pictures)
    assert pictures[-1] > 0


def test_a_file_that_is_not_made_yet_is_not_found_and_says_why(client, house, tmp_path):
    record = house.begin(scene(tmp_path / "ortho.tif", seed=22), name="early")
    response = client.get(f"/maps/{record.id}/landcover.tif")
    assert response.status_code == 404
    assert record.job_id in response.json()["remedy"]
    house.store.dismiss(record.job_id)


@pytest.fixture(scope="module")
def sheets(house, tmp_path_factory):
    """A finished map of several sheets: two scenes side by side, cut small."""
    folder = tmp_path_factory.mktemp("sheets")
    paths = [
        scene(folder / "west.tif", seed=31, origin=(LEFT, TOP)),
        scene(folder / "east.tif", seed=32, origin=(LEFT + 180 * 0.2, TOP)),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning_jobs, "SHEET_PX", 256)
        record = house.begin(*paths, name="valley")
    house.work()
    return house.store.map(record.id)


@pytest.mark.slow
def test_files_of_several_sheets_are_found_by_their_list(client, sheets):
    response = client.get(f"/maps/{sheets.id}/landcover.tif")
    assert response.status_code == 409
    assert f"/maps/{sheets.id}/sheets" in response.json()["remedy"]
    page = client.get(f"/maps/{sheets.id}/sheets", params={"limit": 1}).json()
    listed = list(page["sheets"])
    while "next" in page["links"]:
        page = client.get(page["links"]["next"]["href"]).json()
        listed += page["sheets"]
    assert len(listed) == sheets.num_sheets > 1
    total = 0
    for sheet in listed:
        file = sheet["files"]["landcover.tif"]
        got = client.get(file["href"])
        assert len(got.content) == file["size"]
        assert got.headers["content-disposition"] == f'attachment; filename="{sheet["name"]}.tif"'
        with MemoryFile(got.content) as memory, memory.open() as raster:
            assert (raster.width, raster.height) == (sheet["width"], sheet["height"])
            assert raster.bounds == pytest.approx(sheet["bounds"])
            total += int((raster.read(1) < 255).sum())
        assert client.get(sheet["files"]["landcover.qml"]["href"]).status_code == 200
    assert total == sum(sheets.pixel_counts.values())


@pytest.mark.slow
def test_a_map_of_several_sheets_is_one_map_to_all_else(client, sheets):
    assert client.get(f"/maps/{sheets.id}/sheets/nope/landcover.tif").status_code == 404
    item = client.get(f"/maps/{sheets.id}/item.json").json()
    assert sum(key.startswith("landcover_valley") for key in item["assets"]) == sheets.num_sheets
    stats = client.get(f"/maps/{sheets.id}/stats.json").json()
    assert stats["num_px"] == sum(sheets.pixel_counts.values())
    assert client.get(f"/maps/{sheets.id}/preview.png").status_code == 200
    links = client.get(f"/maps/{sheets.id}").json()["links"]
    assert "landcover" not in links
    assert "sheets" in links


def test_pixels_of_the_rasters_are_those_of_the_folder(client, house, finished):
    for name, band in (("landcover.tif", house.classes(finished)),):
        with MemoryFile(client.get(f"/maps/{finished.id}/{name}").content) as memory, memory.open() as file:
            assert np.array_equal(file.read(1), band)
            assert isinstance(file, rasterio.DatasetReader)
