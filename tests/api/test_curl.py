"""What the documents tell newcomers to type, typed."""

import json
import shutil
import subprocess

import pytest

from tests.needs import lacking


def curl(*arguments: object) -> dict:
    found = shutil.which("curl")
    if found is None:
        lacking("curl", "apt install curl")
    command = [found, "-sS", "--max-time", "60", *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
def test_the_forms_of_curl(serve, make_raster, tmp_path):
    address, house = serve()
    ortho, twin = make_raster("ortho.tif"), make_raster("irc.tif", seed=1)
    corners = [[3.0, 46.4999], [3.0003, 46.4999], [3.0003, 46.5], [3.0, 46.4999]]
    (tmp_path / "area.json").write_text(json.dumps({"type": "Polygon", "coordinates": [corners]}))
    predict = f"{address}/predict"
    job = curl("-F", f"file=@{ortho}", "-F", "model=tiny-rgb", predict)
    assert (job["status"], job["title"]) == ("accepted", "Land cover of ortho.tif")
    job = curl(
        "-F", f"file=@{ortho}", "-F", f"irc=@{twin}", "-F", "model=tiny-rgbi", "-F", "map=annecy", predict
    )
    assert (job["model"], job["map"]["name"]) == ("tiny-rgbi@1.0.0", "annecy")
    part = ("-F", f"file=@{ortho}", "-F", f"aoi=@{tmp_path / 'area.json'}", "-F", "model=tiny-rgb")
    estimate = curl(*part, "-F", "dry_run=true", predict)
    assert 0 < estimate["num_px"] < 12_000
    raw = ("-H", "Content-Type: image/tiff", "--data-binary", f"@{ortho}")
    assert curl(*raw, f"{predict}?model=tiny-rgb")["deduplicated"]
    said = json.dumps({"source": "upload:" + "0" * 26})
    refused = curl("-H", "Content-Type: application/json", "-d", said, predict)
    assert refused["type"] == "urn:orthoscape:problem:upload-unknown"
    house.work()
    job = curl("-F", f"file=@{ortho}", "-F", "model=tiny-rgb", "-H", "Prefer: wait=30", predict)
    assert job["status"] == "successful"


@pytest.mark.slow
def test_a_large_file_that_is_refused_is_answered(serve, tmp_path):
    address, house = serve()
    (tmp_path / "big.tif").write_bytes(b"%PDF" + bytes(30 * 2**20))
    problem = curl("-F", f"file=@{tmp_path / 'big.tif'}", f"{address}/predict")
    assert problem["status"] == 415
    assert house.left == []
