"""Drift of a finished map is told everywhere as the same two numbers, each with its threshold."""

import re
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from service.cli import main
from tests.artefacts import write_tiny_artefact
from tests.landscape_looks import mapped, picture, reference


@pytest.fixture
def house_that_knows(open_house, tmp_path, monkeypatch):
    """Open a service whose model knows what it made of some domains."""

    def opened(of_maps):
        drift = replace(reference(), of_maps=of_maps)
        write_tiny_artefact(tmp_path / "home" / "models", drift=drift)
        monkeypatch.setenv("ORTHOSCAPE_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("ORTHOSCAPE_THREADS", "1")
        return open_house()

    return opened


def made(house, path):
    """The job of a map, finished."""
    job = house.send(path).json()
    assert job["map_drift"] is None
    house.work()
    return house.client.get(f"/jobs/{job['id']}").json()


def pixels_of(path):
    with rasterio.open(path) as file:
        values = file.read(1)
    return values[values != 255]


def test_service_item_and_command_tell_the_same_numbers(house_that_knows, make_raster, tmp_path):
    house = house_that_knows(mapped({0: 10, 5: 90}, {0: 20, 5: 80}, confidence=99))
    path = make_raster(pixels=picture(100))
    job = made(house, path)
    drift = job["map_drift"]
    assert drift["value"] > drift["threshold"]
    assert drift["confidence"] < drift["least_confidence"] == 99
    assert [text.split()[0] for text in drift["warnings"]] == ["classes", "confidence"]
    item = house.client.get(f"/maps/{job['map']['id']}/item.json").json()
    told = item["properties"]["orthoscape:drift"]
    assert told == {name: value for name, value in drift.items() if name != "warnings"}

    outputs = []
    for number, options in enumerate(([], ["--confidence"])):
        out = tmp_path / f"{number}" / "map.tif"
        words = ["predict", str(path), "-o", str(out), "--model", "tiny-rgb", *options]
        outputs.append(CliRunner().invoke(main, words).output)
    for output in outputs:
        shares = f"{drift['value']:.2f}, above {drift['threshold']:.2f}; nearest to {drift['nearest']}"
        assert re.search(rf"^classes +drift {re.escape(shares)}$", output, re.MULTILINE), output
        sure = f"{drift['confidence']:.1f} %, below 99.0 %"
        assert re.search(rf"^sure +mean confidence {re.escape(sure)}$", output, re.MULTILINE), output
        assert output.count("look at the map before you trust it") == 2
    confidence = pixels_of(tmp_path / "1" / "map_confidence.tif")
    assert drift["confidence"] == pytest.approx(confidence.mean(), abs=0.005)


def test_a_map_like_a_domain_gets_its_numbers_and_no_warning(
    house_that_knows, make_raster, tmp_path, models_home, monkeypatch
):
    path, out = make_raster(pixels=picture(100)), tmp_path / "map.tif"
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(models_home))
    shown = CliRunner().invoke(main, ["predict", str(path), "-o", str(out), "--model", "tiny-rgb"])
    assert "classes  drift not known\nsure     mean confidence not known\n" in shown.output
    values, counts = np.unique(pixels_of(out), return_counts=True)
    same = {int(value): int(count) for value, count in zip(values, counts, strict=True)}
    drift = made(house_that_knows(mapped(same, {0: 10, 5: 90}, confidence=0)), path)["map_drift"]
    assert (drift["value"], drift["nearest"], drift["warnings"]) == (0, "mapped 0", [])


def test_models_of_before_answer_not_known(house, make_raster):
    path = make_raster(pixels=picture(100))
    job = made(house, path)
    assert job["status"] == "successful"
    assert job["map_drift"] is None
    item = house.client.get(f"/maps/{job['map']['id']}/item.json").json()
    assert "orthoscape:drift" not in item["properties"]
