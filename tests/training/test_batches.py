"""Batches follow from a seed and a step; rare labels are found; no data stays no data."""

from dataclasses import replace

import numpy as np
import pytest
from toys import toy_coarse, toy_mixture, toy_recipe, toy_scenes

from training.batches import Mixture, Spots
from training.recipes.recipe import LANDSCAPES, Looks, Share


def test_a_batch_depends_on_its_step_alone():
    mixture = toy_mixture()
    first = mixture.draw(5)
    mixture.draw(6)
    again, other = mixture.draw(5), mixture.draw(6)
    for name in ("image_NCHW", "sets_NHW", "is_absent_NC"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    assert not np.array_equal(first.image_NCHW, other.image_NCHW)


def test_images_and_classes_turn_together():
    mixture = toy_mixture()
    for step in range(12):
        batch = mixture.draw(step)
        assert batch.image_NCHW.shape == (2, 4, 64, 64)
        assert (~batch.image_NCHW.any(axis=1) == (batch.sets_NHW == 255)).all()


def test_rare_labels_are_sought():
    scenes = toy_scenes(num_scenes=4, side_px=256, values=(0,))
    scenes.classes_NHW[2, 200:203, 100:103] = 9
    mixture = Mixture.of([scenes.as_source()], toy_recipe(rare_share=1.0))
    batches = [mixture.draw(step).sets_NHW for step in range(10)]
    holds_rare = [(labels_HW == 9).any() for labels_NHW in batches for labels_HW in labels_NHW]
    assert (
        4 <= sum(holds_rare) <= 16
    )  # a half of twenty crops, where a random crop would find it in one of sixty


def test_frequencies_are_over_labelled_pixels():
    spots = Spots.of(toy_scenes().classes_NHW, seed=0)
    assert np.isclose(spots.frequencies.sum(), 1)
    assert len(spots.spots_by_label) == 3


def both(**changes):
    shares = (Share(source=LANDSCAPES, num_samples=2), Share(source="coarse", num_samples=3, **changes))
    return Mixture.of([toy_coarse(), toy_scenes().as_source()], toy_recipe(shares=shares))


def test_each_source_has_its_share_and_its_own_label_sets():
    mixture = both()
    batch = mixture.draw(0)
    of_landscapes, of_coarse = np.split(batch.sets_NHW, [2])
    assert set(np.unique(of_landscapes)) <= {0, 6, 12, 255}
    assert set(np.unique(of_coarse)) <= {16, 17, 255}
    shares_SK = mixture.shares()
    assert shares_SK.shape == (18, 16)
    assert np.flatnonzero(shares_SK[17]).tolist() == [6, 12]
    assert [len(each) for each in mixture.frequencies()] == [16, 2]


def test_bands_that_a_source_lacks_are_absent_from_its_samples():
    batch = both().draw(0)
    assert batch.is_absent_NC[2:, 3].all()
    assert not batch.is_absent_NC[:, :3].any()
    drawn = [both().draw(step).is_absent_NC[:2, 3].mean() for step in range(60)]
    assert 0.3 < np.mean(drawn) < 0.7


@pytest.mark.parametrize("zoom", [(0.5, 0.5), (2.0, 2.0), (0.1, 0.1)])
def test_zoomed_labels_stay_with_their_pixels(zoom):
    still = Looks(gain=0, band_gain=0, offset=0, band_offset=0, gamma=0, zoom=zoom)
    batch = both(looks=still).draw(3)
    red_NHW, sets_NHW = batch.image_NCHW[2:, 0], batch.sets_NHW[2:]
    assert red_NHW[sets_NHW == 16].mean() < 60
    assert red_NHW[sets_NHW == 17].mean() > 140


def test_no_data_stays_no_data_under_noise():
    recipe = toy_recipe(shares=(Share(source=LANDSCAPES, num_samples=2, looks=Looks(noise=9.0)),))
    batch = Mixture.of([toy_scenes().as_source()], recipe).draw(0)
    assert not batch.image_NCHW.transpose(0, 2, 3, 1)[batch.sets_NHW == 255].any()


def test_sources_are_those_of_the_recipe():
    with pytest.raises(ValueError, match="trains on landscapes"):
        Mixture.of([toy_scenes().as_source(), replace(toy_coarse(), name="other")], toy_recipe())
