"""Drift is told before anything is started, the same number everywhere, and keeps nobody from a map."""

import re

import pytest
from click.testing import CliRunner
from scipy import ndimage

from models.artefact import Artefact
from models.registry import PACKAGED_FOLDER
from service.cli import main
from service.intake import drifting
from tests.artefacts import write_tiny_artefact
from tests.landscape_looks import picture, reference

ALIKE = picture(100)
CHANGED = {"inverted": 255 - ALIKE, "blurred": ndimage.gaussian_filter(ALIKE, (0, 4, 4))}


@pytest.fixture(scope="module")
def drift_reference():
    return reference()


@pytest.fixture
def drifting_house(open_house, tmp_path, drift_reference, monkeypatch):
    """A service whose model carries a reference, and the command over the same home."""
    write_tiny_artefact(tmp_path / "home" / "models", drift=drift_reference)
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORTHOSCAPE_THREADS", "1")
    return open_house()


def test_imagery_like_that_of_training_gets_its_number_and_no_warning(drifting_house, make_raster):
    path = make_raster(pixels=ALIKE)
    estimate = drifting_house.send(path, dry_run="true").json()
    assert 0 <= estimate["drift"]["value"] <= estimate["drift"]["threshold"]
    assert estimate["drift"]["nearest"].startswith("ground ")
    assert not any("drift" in text for text in estimate["warnings"] + estimate["notes"])


@pytest.mark.parametrize("name", CHANGED)
def test_strange_imagery_is_warned_of_and_mapped(drifting_house, make_raster, name):
    path = make_raster(pixels=CHANGED[name])
    estimate = drifting_house.send(path, dry_run="true").json()
    assert estimate["drift"]["value"] > estimate["drift"]["threshold"]
    told = f"drift {estimate['drift']['value']:.2f} is above {estimate['drift']['threshold']:.2f}"
    assert any(text.startswith(told) for text in estimate["warnings"])
    assert not any("drift" in text for text in estimate["notes"])
    job = drifting_house.send(path).json()
    assert any(text.startswith(told) for text in job["notes"])
    drifting_house.work()
    assert drifting_house.store.job(job["id"]).status == "successful"


def test_the_command_tells_the_number_that_the_service_tells(drifting_house, make_raster, tmp_path):
    path = make_raster(pixels=CHANGED["blurred"])
    drift = drifting_house.send(path, dry_run="true").json()["drift"]
    drifting._measured.cache_clear()
    told = f"{drift['value']:.2f}, above {drift['threshold']:.2f}; nearest to {drift['nearest']}"
    shown = CliRunner().invoke(main, ["info", str(path)])
    assert f"drift: {told}" in shown.output, shown.output
    out = str(tmp_path / "map.tif")
    made = CliRunner().invoke(main, ["predict", str(path), "-o", out, "--model", "tiny-rgb"])
    assert made.exit_code == 0, made.output
    assert re.search(rf"^drift +{re.escape(told)}$", made.output, re.MULTILINE)
    assert "note     drift" in made.output


def test_a_model_without_a_reference_answers_not_known(house, make_raster):
    estimate = house.send(make_raster(pixels=CHANGED["inverted"]), dry_run="true").json()
    assert estimate["drift"] is None
    assert not any("drift" in text for text in estimate["warnings"] + estimate["notes"])
    assert drifting.drift_words(None) == "not known"


def test_what_cannot_be_read_is_not_known_but_not_refused(drifting_house, make_raster, monkeypatch, caplog):
    def fail(*_, **__):
        raise drifting.RasterError("a tile is damaged")

    monkeypatch.setattr(drifting.SceneReader, "read", fail)
    drifting._measured.cache_clear()
    estimate = drifting_house.send(make_raster(pixels=ALIKE), dry_run="true").json()
    assert estimate["drift"] is None
    assert "drift is not known: a tile is damaged" in caplog.text


def test_packaged_artefacts_load_with_and_without_a_reference():
    for folder in (path for path in PACKAGED_FOLDER.iterdir() if path.is_dir()):
        artefact = Artefact.load(folder)
        carries = any(spec.role == "drift" for spec in artefact.manifest.files.values())
        assert (artefact.drift_reference() is not None) == carries
