"""Labels are lit by themselves, and those of plants dried; what has no label stays what it was."""

from dataclasses import replace

import numpy as np
import pytest
from toys import toy_recipe, toy_scenes

from training.batches import Mixture
from training.data.dubai import SETS as DUBAI
from training.data.label_sets import exact_sets
from training.data.naip_chesapeake import SETS as NAIP
from training.own_light import in_own_light
from training.recipes.recipe import LANDSCAPES, Looks, Share

BANDS = ("red", "green", "blue", "nir")
GREEN = np.array([60, 90, 50, 160], dtype=np.float32)
STILL = Looks(gain=0, band_gain=0, offset=0, band_offset=0, gamma=0)


def lit(labels, *, bands=BANDS, plants=(1, 2), seed=0, **looks):
    labels_HW = np.array(labels, dtype=np.uint8)
    image_CHW = np.broadcast_to(GREEN[: len(bands), None, None], (len(bands), *labels_HW.shape)).copy()
    rng = np.random.default_rng(seed)
    return in_own_light(
        image_CHW, labels_HW, labels=range(3), plants=plants, bands=bands, looks=Looks(**looks), rng=rng
    ), image_CHW


def test_no_gain_and_no_drought_change_nothing():
    changed_CHW, image_CHW = lit([[0, 1, 2, 255]])
    assert np.array_equal(changed_CHW, image_CHW)


def test_each_label_has_a_gain_of_its_own():
    changed_CHW, image_CHW = lit([[0, 1, 2, 255], [0, 1, 2, 255]], label_gain=0.3)
    ratio_CHW = changed_CHW / image_CHW
    assert (ratio_CHW[..., 3] == 1).all()  # what has no label
    assert np.allclose(ratio_CHW, ratio_CHW[:1, :1])  # all bands, all pixels of a label
    assert len(np.unique(ratio_CHW[0, 0].round(4))) == 4


@pytest.mark.parametrize("seed", range(8))
def test_dry_plants_turn_from_green_to_red_and_lose_infrared(seed):
    changed_CHW, image_CHW = lit([[0, 1]], plant_drought=1.0, seed=seed)
    before_C, after_C = image_CHW[:, 0, 1], changed_CHW[:, 0, 1]
    assert np.array_equal(changed_CHW[:, 0, 0], image_CHW[:, 0, 0])
    assert after_C[0] / after_C[1] > before_C[0] / before_C[1]
    assert 0.6 * before_C[3] <= after_C[3] <= before_C[3]
    assert np.isclose(after_C[:3].mean(), before_C[:3].mean(), rtol=0.15)  # as light as it was


def test_texture_stays():
    rng = np.random.default_rng(0)
    image_CHW = rng.uniform(40, 120, (4, 16, 16)).astype(np.float32)
    labels_HW = np.ones((16, 16), dtype=np.uint8)
    changed_CHW = in_own_light(
        image_CHW,
        labels_HW,
        labels=(0, 1),
        plants=(1,),
        bands=BANDS,
        looks=Looks(label_gain=0.2, plant_drought=1),
        rng=rng,
    )
    light = [each[:3].mean(axis=0).ravel() for each in (image_CHW, changed_CHW)]
    assert np.corrcoef(*light)[0, 1] > 0.95


def test_bands_may_be_three_and_stay_within_bytes():
    changed_CHW, _ = lit([[1, 1]], bands=BANDS[:3], label_gain=4.0, plant_drought=0.5)
    assert changed_CHW.dtype == np.float32
    assert changed_CHW.min() >= 0
    assert changed_CHW.max() <= 255


def test_labels_that_may_be_something_else_are_no_plants():
    assert [DUBAI.sets[position].name for position in DUBAI.plants()] == ["vegetation"]
    assert [NAIP.sets[position].name for position in NAIP.plants()] == ["tree", "low_vegetation"]
    assert exact_sets().plants() == tuple(range(8, 16))


def test_batches_light_labels_and_pixels_without_data_stay_empty():
    def drawn(looks):
        shares = (Share(source=LANDSCAPES, num_samples=1, looks=looks),)
        return Mixture.of([toy_scenes(values=(8, 12)).as_source()], toy_recipe(shares=shares)).draw(3)

    moved = drawn(replace(STILL, label_gain=0.3))
    assert (~moved.image_NCHW.any(axis=1) == (moved.sets_NHW == 255)).all()
    assert not np.array_equal(moved.image_NCHW, drawn(STILL).image_NCHW)
