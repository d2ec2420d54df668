"""How bodies arrive: limits, aborts, nothing left behind, nothing held in memory."""

import http.client
import time
from pathlib import Path

import httpx
import psutil
import pytest

from service.api.uploadfolder import Upload, safe_name
from tests.api.conftest import TINY

BOUNDARY = "b0undary"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    told = f'; filename="{filename}"' if filename else ""
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{told}\r\n\r\n'.encode()
        + content
        + b"\r\n"
    )


def post_form(house, *parts: bytes, end: bytes = f"--{BOUNDARY}--\r\n".encode()):
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return house.client.post("/predict", content=b"".join(parts) + end, headers=headers)


def test_a_declared_size_beyond_the_limit_is_refused_unread(open_house):
    house = open_house(upload_max_bytes=1000)
    answer = house.client.post("/predict", content=bytes(2000), headers={"Content-Type": "image/tiff"})
    assert answer.status_code == 413
    assert "ORTHOSCAPE_UPLOAD_MAX_BYTES" in answer.json()["remedy"]
    assert house.left == []


def test_an_undeclared_size_beyond_the_limit_is_refused_as_it_comes(open_house, make_raster):
    raw = make_raster(shape=(3, 200, 200)).read_bytes()
    house = open_house(upload_max_bytes=len(raw) - 1)

    def chunks():
        yield raw[:50_000]
        yield raw[50_000:]

    answer = house.client.post("/predict", content=chunks(), headers={"Content-Type": "image/tiff"})
    assert answer.status_code == 413
    assert house.left == []


def test_a_full_disk_is_told(open_house, make_raster):
    house = open_house(disk_kept_free_bytes=2**60)
    answer = house.send(make_raster())
    assert (answer.status_code, answer.json()["type"]) == (507, "urn:orthoscape:problem:disk-full")
    assert "delete maps or uploads" in answer.json()["remedy"]
    assert house.left == []


def test_a_disk_that_fills_up_meanwhile_is_told(house, make_raster, monkeypatch):
    monkeypatch.setattr(Upload, "data", property(lambda self: self.folder.joinpath("/dev/full")))
    monkeypatch.setattr("service.api.forms.BATCH_BYTES", 16)
    answer = house.send(make_raster())
    assert (answer.status_code, answer.json()["type"]) == (507, "urn:orthoscape:problem:disk-full")


@pytest.mark.parametrize(
    ("parts", "end", "status", "said"),
    [
        ([part("file", b"II*\x00" + bytes(100), "a.tif")], b"", 400, "ends before its last boundary"),
        ([b"nonsense"], b"", 400, "no multipart"),
        ([part("other", b"x", "a.tif")], None, 422, "takes no file"),
        ([part("file", b"", "a.tif")], None, 415, "is empty"),
        ([part("title", b"\xff\xfe")], None, 422, "not UTF-8"),
        ([b"--b0undary\r\nX: y\r\n\r\nz\r\n"], None, 400, "which field"),
    ],
)
def test_forms_that_are_none(house, parts, end, status, said):
    answer = post_form(house, *parts, **({} if end is None else {"end": end}))
    assert answer.status_code == status, answer.text
    assert said in answer.text
    assert house.left == []


def test_a_form_without_a_boundary(house):
    answer = house.client.post("/predict", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert (answer.status_code, "boundary" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("kind", ["text/csv", "image/png", "application/xml"])
def test_other_bodies(house, kind):
    answer = house.client.post("/predict", content=b"x", headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "curl -F file=@" in answer.json()["remedy"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff"])
def test_json_that_is_none(house, body):
    answer = house.client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_a_field_longer_than_any(house, monkeypatch):
    monkeypatch.setattr("service.api.forms.MAX_FIELD_BYTES", 100)
    assert post_form(house, part("aoi", bytes(101))).status_code == 413


def test_refused_by_its_first_bytes_while_the_rest_is_still_to_come(serve):
    address, house = serve()
    with httpx.Client(base_url=address) as client:

        def endless():
            yield b"\x89PNG\r\n\x1a\n" + bytes(100)
            for _ in range(1000):
                time.sleep(0.05)
                yield bytes(100)

        started = time.monotonic()
        answer = client.post("/predict", content=endless(), headers={"Content-Type": "image/tiff"})
    assert answer.status_code == 415
    assert time.monotonic() - started < 40  # of 50 that sending it all would take
    assert house.left == []


def test_nothing_remains_of_a_request_that_is_cut_off(serve, make_raster):
    address, house = serve()
    raw = make_raster(shape=(3, 1000, 1000)).read_bytes()
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    connection.putrequest("POST", "/predict")
    connection.putheader("Content-Type", "image/tiff")
    connection.putheader("Content-Length", str(len(raw)))
    connection.endheaders()
    connection.send(raw[: len(raw) // 2])
    eventually(lambda: any(path.startswith("0") for path in house.left))
    connection.close()
    eventually(lambda: house.left == [])


def eventually(holds, *, patience_s: float = 20.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("ortho.tif", "ortho.tif"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\Ortho 2024 (1).tif", "Ortho 2024 (1).tif"),
        ("..", "file"),
        ("", "file"),
        (".bashrc", "bashrc"),
        ("a\x00\x1f;rm -rf.tif", "a_rm -rf.tif"),
        ("é" * 300 + ".tif", "é" * 98 + ".tif"),
    ],
)
def test_names_are_made_safe(name, safe):
    assert safe_name(name) == safe
    assert Path(safe).name == safe


@pytest.mark.slow
def test_a_large_file_never_lies_in_memory(serve):
    address, house = serve()
    size = 400 * 2**20

    def raw():
        yield b"II*\x00"
        for _ in range(size // 2**20):
            yield bytes(2**20)

    before = psutil.Process().memory_info().rss
    answer = httpx.post(
        f"{address}/predict", params=TINY, content=raw(), headers={"Content-Type": "image/tiff"}, timeout=300
    )
    assert answer.status_code == 422  # all of it arrived, and it is no raster
    assert psutil.Process().memory_info().rss - before < 100 * 2**20
    assert house.left == []
