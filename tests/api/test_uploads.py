"""Resumable uploads: the protocol, its edges, and what outlives a killed server."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from rasterio.windows import Window

from service.access.principals import Principal, Scope, widened
from service.api.access import principal
from service.api.janitor import sweep
from tests.api.conftest import TINY
from tests.api.test_receiving import eventually

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}
ROOT = Path(__file__).resolve().parents[2]


def start(client, size: int, *, name="ortho.tif", **headers: str):
    told = "filename " + base64.b64encode(name.encode()).decode()
    return client.post(
        "/uploads", headers=TUS | {"Upload-Length": str(size), "Upload-Metadata": told} | headers
    )


def send(client, url: str, offset: int, data: bytes, **headers: str):
    return client.patch(url, headers=PIECE | {"Upload-Offset": str(offset)} | headers, content=data)


def offset(client, url: str) -> int:
    return int(client.head(url, headers=TUS).headers["upload-offset"])


def test_a_file_comes_in_pieces_and_is_mapped(house, make_raster):
    raw, client = make_raster().read_bytes(), house.client
    started = start(client, len(raw))
    url = started.headers["location"]
    assert (started.status_code, started.headers["tus-resumable"], started.headers["upload-offset"]) == (
        201,
        "1.0.0",
        "0",
    )
    early = client.post("/predict", json=TINY | {"source": "upload:" + url.rsplit("/", 1)[1]})
    assert (early.status_code, early.json()["type"]) == (409, "urn:orthoscape:problem:upload-incomplete")
    sent = 0
    for size in (1, 10, 1000, len(raw)):
        answer = send(client, url, sent, raw[sent : sent + size])
        sent = min(sent + size, len(raw))
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(sent))
        asked = client.head(url, headers=TUS)
        assert (asked.headers["upload-offset"], asked.headers["upload-length"]) == (str(sent), str(len(raw)))
        assert asked.headers["cache-control"] == "no-store"
    shown = client.get(url).json()
    assert (shown["is_whole"], shown["name"], shown["offset"]) == (True, "ortho.tif", len(raw))
    job = client.post("/predict", json=TINY | {"source": shown["source"]}).json()
    assert job["title"] == "Land cover of ortho.tif"
    kept = client.delete(url, headers=TUS)
    assert (kept.status_code, kept.json()["type"]) == (409, "urn:orthoscape:problem:upload-in-use")
    house.work()
    assert client.delete(url, headers=TUS).status_code == 204
    assert client.head(url, headers=TUS).status_code == 404
    assert house.left == []


@pytest.mark.parametrize("size", [1, 24, 63, 64, 5000])
def test_what_is_no_file_that_is_read_is_told_so_however_small(house, size):
    text = b"This is a letter to you." * 1000
    url = start(house.client, size).headers["location"]
    answer = send(house.client, url, 0, text[:size])
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:orthoscape:problem:media-type-refused")
    assert house.client.head(url, headers=TUS).status_code == 404
    assert house.left == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        (PIECE | {"Upload-Checksum": "crc32 AAAA"}, 400),
        (PIECE | {"Upload-Checksum": "sha1 AAAA", "Upload-Length": "5000"}, 460),
        (PIECE | {"Upload-Length": "3"}, 413),
        (PIECE, 415),
    ],
)
def test_an_upload_that_begins_with_what_is_refused_does_not_begin(house, headers, status):
    letter = b"This is a letter to you."
    told = TUS | {"Upload-Length": str(len(letter))} | headers
    answer = house.client.post("/uploads", headers=told, content=letter)
    assert answer.status_code == status
    assert house.left == []


def test_what_is_spoken_is_told(house):
    told = house.client.options("/uploads")
    assert told.status_code == 204
    assert told.headers["tus-version"] == "1.0.0"
    assert told.headers["tus-max-size"] == str(house.settings.upload_max_bytes)
    assert set(told.headers["tus-extension"].split(",")) == {
        "creation", "creation-with-upload", "termination", "expiration", "checksum"
    }  # fmt: skip
    assert "sha1" in told.headers["tus-checksum-algorithm"]


def test_the_first_piece_may_come_with_the_start(house, make_raster):
    raw = make_raster().read_bytes()
    told = PIECE | {"Upload-Length": str(len(raw))}
    answer = house.client.post("/uploads", headers=told, content=raw[:5000])
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "5000")
    assert "upload-expires" in answer.headers


def test_offsets_must_meet(house, make_raster):
    raw = make_raster().read_bytes()
    url = start(house.client, len(raw)).headers["location"]
    assert send(house.client, url, 10, raw).status_code == 409
    assert offset(house.client, url) == 0
    longer = send(house.client, url, 0, raw + b"x")
    assert longer.status_code == 413
    assert f"{len(raw):,} bytes, as its Upload-Length said" in longer.json()["detail"]
    assert "compress" not in longer.json()["remedy"]
    assert house.client.get(url).json()["is_whole"] is False


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 412),
        ({"Tus-Resumable": "0.2.2", "Upload-Length": "5"}, 412),
        (TUS, 400),
        (TUS | {"Upload-Length": "-1"}, 400),
        (TUS | {"Upload-Length": "1e3"}, 400),
        (TUS | {"Upload-Length": "9" * 15}, 413),
        (TUS | {"Upload-Length": "5", "Upload-Metadata": "filename ???"}, 400),
    ],
)
def test_starts_that_are_none(house, headers, status):
    answer = house.client.post("/uploads", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert status != 412 or answer.headers["tus-version"] == "1.0.0"
    assert house.left == []


def test_pieces_of_another_type_are_refused(house):
    url = start(house.client, 100).headers["location"]
    answer = house.client.patch(url, headers=TUS | {"Upload-Offset": "0"}, content=b"x")
    assert answer.status_code == 415


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_damaged_piece_is_taken_back(house, make_raster, algorithm):
    raw = make_raster().read_bytes()
    url = start(house.client, len(raw)).headers["location"]
    assert send(house.client, url, 0, raw[:100]).status_code == 204

    def told(data: bytes) -> dict[str, str]:
        digest = hashlib.new(algorithm, data).digest()
        return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}

    assert send(house.client, url, 100, raw[100:], **told(b"other")).status_code == 460
    assert offset(house.client, url) == 100
    assert send(house.client, url, 100, raw[100:], **told(raw[100:])).status_code == 204
    assert house.client.get(url).json()["is_whole"]
    assert send(house.client, url, len(raw), b"", **{"Upload-Checksum": "md5 xx"}).status_code == 400


def test_what_is_no_raster_is_refused_by_its_first_bytes_and_removed(house):
    url = start(house.client, 10**6).headers["location"]
    answer = send(house.client, url, 0, b"%PDF-1.7" + bytes(1000))
    assert (answer.status_code, "a PDF" in answer.json()["detail"]) == (415, True)
    assert house.left == []


def test_an_upload_is_its_owners(house, make_raster):
    who = {"owner": "anne"}
    house.app.dependency_overrides[principal] = lambda: Principal(
        owner=who["owner"], scopes=widened(Scope.WRITE)
    )
    raw = make_raster().read_bytes()
    url = start(house.client, len(raw)).headers["location"]
    send(house.client, url, 0, raw)
    who["owner"] = "bob"
    assert house.client.head(url, headers=TUS).status_code == 404
    assert house.client.delete(url, headers=TUS).status_code == 404
    answer = house.client.post("/predict", json=TINY | {"source": "upload:" + url.rsplit("/", 1)[1]})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:orthoscape:problem:upload-unknown")


def test_uploads_expire_unless_a_job_reads_them(house, make_raster):
    raw = make_raster().read_bytes()
    urls = [start(house.client, len(raw)).headers["location"] for _ in range(3)]
    for url in urls[:2]:
        send(house.client, url, 0, raw)
    source = "upload:" + urls[0].rsplit("/", 1)[1]
    job = house.client.post("/predict", json=TINY | {"source": source}).json()
    uploads = house.app.state.services.uploads
    assert sweep(uploads, house.store, 3600.0) == 0
    for path in [*uploads.path.glob("*/data/*"), *uploads.path.iterdir()]:
        os.utime(path, (1, 1))
    assert sweep(uploads, house.store, 3600.0) == 2
    assert house.client.head(urls[0], headers=TUS).status_code == 200
    house.client.delete(f"/jobs/{job['id']}")
    for path in [*uploads.path.glob("*/data/*"), *uploads.path.iterdir()]:
        os.utime(path, (1, 1))
    assert sweep(uploads, house.store, 3600.0) == 0  # it may be resumed
    assert sweep(uploads, house.store, 0.0) == 1
    assert house.left == []


@pytest.mark.slow
def test_one_piece_at_a_time(serve, make_raster):
    address, _ = serve()
    raw = make_raster(shape=(3, 500, 500)).read_bytes()
    go_on = threading.Event()

    def slowly():
        yield raw[:1000]
        go_on.wait(30)
        yield raw[1000:]

    with httpx.Client(base_url=address, timeout=60) as client:
        url = start(client, len(raw)).headers["location"]
        slow = threading.Thread(target=send, args=(client, url, 0, slowly()))
        slow.start()
        eventually(lambda: offset(client, url) == 1000)
        answer = send(client, url, 1000, raw[1000:])
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:orthoscape:problem:upload-locked")
        go_on.set()
        slow.join()
        assert offset(client, url) == len(raw)


SERVER = """
import sys, uvicorn
from pathlib import Path
from service.api.app import create_app
from service.settings import Settings
app = create_app(Settings(home=Path(sys.argv[1])))
uvicorn.run(app, port=int(sys.argv[2]), log_level="error")
"""


@pytest.mark.slow
def test_a_large_upload_outlives_killed_servers(tmp_path):
    size, port = 1 * 2**30 + 12_345, 18_765
    home = tmp_path / "home"
    home.mkdir()
    piece = os.urandom(2**20)
    expected = hashlib.sha256()

    def content(begin: int):
        """The file from a byte on: II*, then a pattern that differs from MiB to MiB."""
        at = begin
        while at < size:
            number, inner = divmod(at, 2**20)
            block = (b"II*\x00" if number == 0 else number.to_bytes(4, "big")) + piece[4:]
            yield block[inner : min(2**20, inner + size - at)]
            at = (number + 1) * 2**20

    for chunk in content(0):
        expected.update(chunk)
    address = f"http://127.0.0.1:{port}"

    def serve() -> subprocess.Popen:
        process = subprocess.Popen([sys.executable, "-c", SERVER, str(home), str(port)], cwd=ROOT)
        eventually(lambda: _answers(address), patience_s=120)
        return process

    process = serve()
    kills, offsets = 0, []
    try:
        url = httpx.post(f"{address}/uploads", headers=TUS | {"Upload-Length": str(size)}).headers["location"]
        (data,) = home.glob("uploads/*/data/*")
        while (at := offset(httpx, url)) < size:
            offsets.append(at)
            if kills < 3:
                killer = threading.Thread(target=_kill_at, args=(process, data, at + 150 * 2**20))
                killer.start()
            try:
                send(httpx, url, at, content(at))
            except httpx.TransportError:
                assert kills < 3
            if kills < 3:
                killer.join()
                kills += 1
                process.wait()
                process = serve()
    finally:
        process.kill()
        process.wait()
    assert offsets == sorted(offsets)
    assert len(offsets) == 4
    assert offsets[1] >= 150 * 2**20  # what came before the first kill was not sent again
    with data.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == expected.digest()
    assert (data.parent.parent / "whole").exists()


def _kill_at(process: subprocess.Popen, data: Path, num_bytes: int) -> None:
    while data.stat().st_size < num_bytes:
        time.sleep(0.005)
    process.kill()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_a_file_beyond_4_gib_is_taken_up_where_it_was_cut(serve, tmp_path):
    """What goes before is a hole on either side: nobody has to send 4 GiB of zeros."""
    if shutil.disk_usage(tmp_path).free < 12 * 2**30:
        pytest.skip("there is no room to promise 5 GiB")
    address, house = serve()
    path = _write_large(tmp_path / "large.tif", side_px=37_888)
    size, cut = path.stat().st_size, 2**32 - 2**20
    assert size > 2**32 + 8 * 2**20

    def part(begin: int, num_bytes: int) -> bytes:
        with path.open("rb") as file:
            file.seek(begin)
            return file.read(num_bytes)

    def breaking():
        yield part(cut, 4 * 2**20)
        raise ConnectionError

    with httpx.Client(base_url=address, timeout=60) as client:
        url = start(client, size).headers["location"]
        head = part(0, 2**20)
        assert send(client, url, 0, head).headers["upload-offset"] == str(len(head))
        (data,) = house.settings.uploads_folder.glob("*/data/*")
        os.truncate(data, cut)
        assert send(client, url, cut % 2**20, b"x").status_code == 409
        with pytest.raises(ConnectionError):
            send(client, url, cut, breaking())
        eventually(lambda: offset(client, url) > 2**32)
        at = offset(client, url)
        for wrong in (at - 2**32, at - 1, 2**32 - 1):
            assert send(client, url, wrong, part(wrong, 10)).status_code == 409
        assert send(client, url, at, part(at, size - at)).headers["upload-offset"] == str(size)
        shown = client.get(url).json()
    assert (shown["is_whole"], shown["offset"], shown["size"]) == (True, size, size)
    with rasterio.open(data) as there, rasterio.open(path) as sent:
        assert there.profile == sent.profile
        for window in (Window(0, 0, 512, 512), Window(there.width - 700, there.height - 700, 700, 700)):
            assert np.array_equal(there.read(window=window), sent.read(window=window))
        assert there.read(window=window).any()
    house.app.state.services.uploads.get(shown["id"], owner=None).remove()


def _write_large(path: Path, *, side_px: int) -> Path:
    """An uncompressed raster of three bands, black but for its last corner; on the disk it is mostly hole."""
    noise = np.random.default_rng(0)
    with rasterio.open(
        path, "w", driver="GTiff", width=side_px, height=side_px, count=3, dtype="uint8", BIGTIFF="YES",
        tiled=True, blockxsize=512, blockysize=512, crs="EPSG:2154",
        transform=Affine(0.2, 0, 700_000, 0, -0.2, 6_600_000),
    ) as file:  # fmt: skip
        window = Window(side_px - 512, side_px - 512, 512, 512)
        file.write(noise.integers(1, 255, (3, 512, 512), dtype=np.uint8), window=window)
    return path
