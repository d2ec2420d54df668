"""An artefact tells what real imagery taught it, how it does on other real ground, and whose data it saw."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from toys import toy_coarse, toy_recipe

from models.artefact import Artefact
from models.manifest import parse_manifest
from models.nomenclature import COSIA
from models.registry import PACKAGED_FOLDER
from training import runfolder
from training.cli import main
from training.data.credits import CREDITS
from training.data.label_sets import label_sets
from training.data.sources import READERS
from training.machine import device_name, read_starts
from training.real import provenance_of, with_bands
from training.recipes import LANDSCAPES, finding
from training.recipes.recipe import Share


def test_a_class_is_real_fine_where_pixels_carry_a_label_of_its_own():
    coarse = toy_coarse()
    told = provenance_of([coarse], channels=range(16), nomenclature=COSIA)
    assert told["building"] == "real-fine"
    assert told["water"] == told["deciduous"] == "real-coarse"
    assert told["snow"] == "synthetic-only"
    assert list(told) == [each.slug for each in COSIA.classes]


def test_a_label_without_pixels_teaches_nothing():
    coarse = toy_coarse()
    unseen = replace(coarse, labels=[np.ones_like(each) for each in coarse.labels])
    assert provenance_of([unseen], channels=(0, 6), nomenclature=COSIA)["building"] == "synthetic-only"


def test_the_best_teacher_counts_and_dead_channels_share_nothing():
    coarse = toy_coarse()
    wide = replace(coarse, sets=label_sets(any=(0, 6, 12), rest=(6, 12)))
    assert provenance_of([coarse, wide], channels=(0, 6, 12), nomenclature=COSIA)["building"] == "real-fine"
    assert provenance_of([wide, coarse], channels=(0, 6, 12), nomenclature=COSIA)["building"] == "real-fine"
    assert provenance_of([coarse], channels=(0, 6), nomenclature=COSIA)["water"] == "real-fine"


def test_sources_without_a_band_of_the_graph_are_not_judged():
    real = {"dubai": (toy_coarse(), toy_coarse())}
    assert set(with_bands(real, [0, 1, 2])) == {"dubai"}
    assert not with_bands(real, [0, 1, 2, 3])


def test_every_data_set_says_whose_it_is():
    assert set(READERS) <= set(CREDITS)


def test_manifests_of_before_are_read():
    text = (PACKAGED_FOLDER / "landscapes-compact-rgbi" / "manifest.json").read_bytes()
    written = json.loads(text)
    for field in ("coarse_metrics", "provenance"):
        written.pop(field, None)
    manifest = parse_manifest(json.dumps(written).encode(), where="here")
    assert manifest.coarse_metrics == manifest.provenance == {}


def test_the_processor_is_told_by_its_name(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Quick 3000\n")
    assert device_name(tmp_path / "cpuinfo") == "Quick 3000"
    assert device_name(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The artefacts of a run over landscapes and a coarse source of which one place is held out."""
    place = tmp_path_factory.mktemp("real")
    shares = (Share(source=LANDSCAPES, num_samples=1), Share(source="dubai", num_samples=1))

    def recipe():
        return toy_recipe(name="mixed_compact", shares=shares)

    def load(name, *_, **__):
        source = replace(toy_coarse(), name=name)
        return source.of_domains({"place-0"}), source.of_domains({"place-1"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "RECIPES", {"mixed_compact": recipe})
        patch.setattr(runfolder, "CACHE_FOLDER", place / "scenes")
        patch.setattr(runfolder, "load_source", load)
        run, data = str(place / "run"), ["--data", f"dubai={place}"]
        words = ["fit", "mixed_compact", "--out", run, "--steps", "2", "--processes", "1", *data]
        fitted = CliRunner().invoke(main, words)
        assert fitted.exit_code == 0, fitted.output
        without = CliRunner().invoke(main, ["export", run, "--into", str(place / "models")])
        assert "--data dubai=FOLDER" in without.output
        result = CliRunner().invoke(main, ["export", run, "--into", str(place / "models"), *data])
        assert result.exit_code == 0, result.output
    return place / "run", {each.name: Artefact.load(each) for each in (place / "models").iterdir()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_was_held_out_is_measured_where_the_graph_has_its_bands(exported):
    run, artefacts = exported
    (start,) = read_starts(run)
    rgb, rgbi = (artefacts[name] for name in sorted(artefacts))
    assert rgbi.manifest.coarse_metrics == {}
    assert "- dubai: not measured here, since it lacks a band of this graph." in rgbi.card()
    told = rgb.manifest.coarse_metrics["place-1"]
    assert (told.label_set, told.num_images, told.num_pixels) == ("dubai", 1, 100 * 140)
    assert set(told.recall) == {"building", "rest"}
    assert told.balanced_accuracy == pytest.approx(np.mean(list(told.recall.values())), abs=1e-4)
    for artefact in (rgb, rgbi):
        card, manifest = artefact.card(), artefact.manifest
        assert manifest.domains == ("generated landscapes", "dubai: place-0")
        assert manifest.provenance["building"] == "real-fine"
        assert manifest.provenance["water"] == manifest.provenance["deciduous"] == "real-coarse"
        assert list(manifest.provenance.values()).count("synthetic-only") == 13
        assert "never seen a real image" not in card
        assert "orthoscape-train fit mixed_compact --data dubai=FOLDER --steps 2" in card
        assert CREDITS["dubai"] in card
        assert f"in 0 minutes on {device_name()} ({start.threads} thread" in card
    assert "| place-1 | dubai | 1 | 14000 |" in rgb.card()
    generated = ("generated landscape 0", "generated landscape 1")
    assert rgb.drift_reference().domains == (*generated, "dubai: place-0")
    assert rgbi.drift_reference().domains == generated
    assert rgbi.drift_reference().log_gradient_DC.shape == (2, 4)
    assert (start.device, start.num_steps) == (device_name(), 2)
