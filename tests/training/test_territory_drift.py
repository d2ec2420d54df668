"""An adapted artefact knows its territory, whatever else there is that its base knew or did not."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_territory import draw_scenes, make_artefact, truth, without_exporter, write_ortho
from toys import EXPORTS, toy_coarse, toy_recipe, toy_scenes

from models.manifest import Range
from training.data.orthos import open_orthos
from training.drift import drift_reference
from training.outcomes import Outcomes
from training.scenes import load_scenes
from training.territory.drifting import drift_of_territory, drift_recalibrated
from training.territory.pieces import read_pieces
from training.territory.start import find_start

pytestmark = EXPORTS

RGB, RGBI = ("red", "green", "blue"), ("red", "green", "blue", "nir")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Two artefacts of one network, with and without a reference; scenes; and the pieces of a territory."""
    folder = tmp_path_factory.mktemp("house")
    draw_scenes(folder / "scenes")
    with pytest.MonkeyPatch.context() as patch:
        without_exporter(patch)
        bare = make_artefact(folder)
        start = find_start(str(bare.folder), into=folder)
        known = drift_reference(toy_scenes(), {}, rows=range(4))
        known = replace(known, of_maps=served(start, missing=()).reference(toy_scenes(), {}))
        make_artefact(folder, model_id="knowing", drift=known)
    write_ortho(folder / "orthos" / "a.tif", classes_HW=truth(), nodata_rows=10)
    orthos = open_orthos(folder / "orthos", bands=RGBI, gsd_m=Range(min=0.15, max=0.5, nominal=0.2))
    return folder, read_pieces(orthos, RGBI, annotations=None, seed=0).adapted_on


def start_of(folder, model_id):
    return find_start(str(folder / "artefacts" / model_id), into=folder)


def served(start, *, missing=(3,), temperature=1.0):
    return Outcomes(
        network=start.network, channels=start.recipe.channels, missing=missing, temperature=temperature
    )


def adapted(house, model_id, *, scenes=None, bands=RGB):
    folder, pieces = house
    start = start_of(folder, model_id)
    return drift_of_territory(
        start,
        pieces,
        name="orthos",
        bands=bands,
        adapted=served(start),
        scenes=scenes,
        cache=folder / "scenes",
    )


def test_what_the_base_knew_and_the_territory_are_known_in_the_bands_that_are_left(house):
    base = start_of(house[0], "knowing").artefact.drift_reference()
    known = adapted(house, "knowing")
    reference = known.reference
    assert reference.domains == (*base.domains, "orthos")
    assert reference.log_gradient_DC.shape == (4, 3)
    assert reference.threshold == base.of_bands([0, 1, 2]).threshold
    assert reference.of_maps.domains == reference.domains
    assert reference.of_maps.threshold == base.of_maps.threshold
    # Only the territory's is the adapted network's own.
    assert np.isnan(reference.of_maps.confidence_D).tolist() == [True, True, True, False]
    assert reference.of_maps.least_confidence is None
    assert "`knowing@" in known.told


def test_landscapes_that_are_drawn_anyway_give_confidences_of_the_adapted_network(house):
    recipe = toy_recipe()
    scenes = load_scenes(recipe.validation, bands=recipe.bands, folder=house[0] / "scenes")
    of_maps = adapted(house, "knowing", scenes=scenes).reference.of_maps
    assert of_maps.domains[-3:] == ("generated landscape 0", "generated landscape 1", "orthos")
    least, second, _ = np.sort(of_maps.confidence_D[~np.isnan(of_maps.confidence_D)])
    assert of_maps.least_confidence == pytest.approx(2 * least - second, abs=0.01)


def test_a_base_without_a_reference_gets_one_of_landscapes_and_the_card_says_what_it_lacks(house, caplog):
    known = adapted(house, "toy-rgbi")
    assert known.reference.domains == ("generated landscape 0", "generated landscape 1", "orthos")
    assert known.reference.of_maps.domains == known.reference.domains
    assert not np.isnan(known.reference.of_maps.confidence_D).any()
    assert "carries no reference" in known.told
    assert "not with real images" in known.told
    assert "toy-rgbi@0.1.0 carries no reference" in caplog.text


def test_calibration_keeps_looks_and_shares_and_forgets_confidences_of_before(house, caplog):
    start = start_of(house[0], "knowing")
    base = start.artefact.drift_reference()
    kept = drift_recalibrated(start, toy_coarse(), served(start, missing=(), temperature=2.0))
    assert kept.domains == base.domains
    assert kept.of_maps.domains == (*base.domains, "coarse: place-0", "coarse: place-1")
    assert np.isnan(kept.of_maps.confidence_D).tolist() == [True] * 3 + [False] * 2
    sharper = drift_recalibrated(start, toy_coarse(), served(start, missing=(), temperature=0.5))
    assert sharper.of_maps.least_confidence > kept.of_maps.least_confidence
    bare = start_of(house[0], "toy-rgbi")
    assert drift_recalibrated(bare, toy_coarse(), served(bare)) is None
    assert "drift: not known" in caplog.text


def test_a_domain_is_told_as_its_map_would_be(house):
    start = start_of(house[0], "knowing")
    image_CHW = np.asarray(toy_scenes().image_NCHW[0])
    is_data_HW = image_CHW.any(axis=0)
    made = served(start, missing=()).of_images([(image_CHW, is_data_HW)])
    assert made.shares_V.sum() == pytest.approx(1)
    assert made.confidence == round(made.confidence * is_data_HW.sum()) / is_data_HW.sum()
    assert served(start).of_images([(image_CHW, np.zeros_like(is_data_HW))]) is None
