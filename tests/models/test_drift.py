"""Drift is small for images like those of training and large for others, by the same windows each time."""

import numpy as np
import pytest
from scipy import ndimage, stats

from models.drift import NUM_WINDOWS, DriftReference, Look, window_origins
from tests.landscape_looks import look_at, picture, reference


@pytest.fixture(scope="module")
def ground() -> DriftReference:
    return reference()


def test_an_image_like_those_of_training_is_near(ground):
    drifts = [ground.measure(look_at(picture(seed))) for seed in range(100, 106)]
    assert not any(drift.is_far for drift in drifts)
    assert all(drift.nearest in ground.domains for drift in drifts)
    assert ground.measure(look_at(picture(3))).value < 0.01
    assert ground.measure(look_at(picture(3))).nearest == "ground 3"


@pytest.mark.parametrize(
    "change",
    [
        lambda image_CHW: 255 - image_CHW,
        lambda image_CHW: np.ascontiguousarray(image_CHW[::-1]),
        lambda image_CHW: ndimage.gaussian_filter(image_CHW, (0, 4, 4)),
        lambda image_CHW: np.full_like(image_CHW, 100),
    ],
    ids=["inverted", "bands in another order", "blurred", "blank"],
)
def test_the_same_image_changed_is_far(ground, change):
    drift = ground.measure(look_at(change(picture(100))))
    assert drift.is_far
    assert drift.value > 1.5 * drift.threshold


def test_windows_are_the_same_each_time_and_spread_over_the_image():
    first, again = (list(window_origins(5000, 3000)) for _ in range(2))
    assert first == again
    assert len(set(first)) == NUM_WINDOWS
    assert all(0 <= row <= 5000 - 256 and 0 <= col <= 3000 - 256 for row, col in first)
    thirds = {(3 * row // 5000, 3 * col // 3000) for row, col in first}
    assert len(thirds) == 9
    assert set(window_origins(200, 256)) == {(0, 0)}


def test_the_first_term_is_the_distance_of_histograms_and_the_second_of_log_gradients():
    rng = np.random.default_rng(0)
    images = [rng.integers(low, low + 60, (1, 256, 256), dtype=np.uint8) for low in (20, 60, 150)]
    looks = [look_at(image_CHW) for image_CHW in images]
    found = DriftReference.of({str(number): look for number, look in enumerate(looks[:2])})
    apart = stats.wasserstein_distance(images[0].ravel(), images[1].ravel())
    assert found.spread_C2[0, 0] == pytest.approx(apart, abs=1e-3)
    wanted = stats.wasserstein_distance(images[2].ravel(), images[1].ravel()) / apart
    gradient = abs(looks[2].log_gradient_C[0] - looks[1].log_gradient_C[0]) / found.spread_C2[0, 1]
    assert found.measure(looks[2]).value == pytest.approx(wanted + gradient, abs=2e-3)
    assert found.measure(looks[2]).nearest == "1"


def test_the_threshold_is_the_farthest_of_any_domain_from_the_others():
    looks = {f"{seed}": look_at(picture(seed)) for seed in range(4)}
    whole = DriftReference.of({**looks, "odd": look_at(255 - picture(9))})
    without = DriftReference.of(looks)
    assert whole.threshold > without.threshold


def test_pixels_without_data_are_not_looked_at():
    image_CHW = picture(0)[:, :256, :256].copy()
    is_data_HW = np.ones((256, 256), dtype=bool)
    is_data_HW[100:] = False
    torn_CHW = np.where(is_data_HW, image_CHW, 0).astype(np.uint8)
    look, whole = Look.at([(torn_CHW, is_data_HW)]), Look.at([(image_CHW[:, :100], is_data_HW[:100])])
    np.testing.assert_allclose(look.shares_CV, whole.shares_CV)
    np.testing.assert_allclose(look.log_gradient_C, whole.log_gradient_C)
    assert Look.at([(image_CHW, np.zeros_like(is_data_HW))]) is None
    assert Look.at([]) is None


def test_what_is_written_is_read_back(ground, tmp_path):
    ground.write(tmp_path / "drift.npz")
    again = DriftReference.read(tmp_path / "drift.npz")
    assert (again.domains, again.threshold) == (ground.domains, ground.threshold)
    look = look_at(255 - picture(100))
    assert again.measure(look) == ground.measure(look)
    assert (tmp_path / "drift.npz").stat().st_size < 200_000


def test_what_cannot_be_compared_is_refused(ground):
    with pytest.raises(ValueError, match="one cannot be compared"):
        DriftReference.of({"alone": look_at(picture(0))})
    with pytest.raises(ValueError, match="4 bands were looked at, not 3"):
        ground.measure(look_at(picture(0, num_bands=4)))
