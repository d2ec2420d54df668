"""Drift of a map is small where some domain has its classes, and a map of one class is far from all."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import distance

from models.drift import DriftReference
from models.map_drift import NUM_VALUES, MapReference, Outcome, jensen_shannon
from tests.landscape_looks import look_at, picture, reference

shares = (
    st.lists(st.integers(0, 1000), min_size=4, max_size=4).filter(any).map(lambda n: np.array(n) / sum(n))
)


def outcome(counts, confidence=80):
    made = Outcome.of(
        counts, confidence_total=None if confidence is None else confidence * sum(counts.values())
    )
    assert made is not None
    return made


def mixed(number, confidence=80):
    """Fields, woods and some roofs, a little otherwise each time."""
    return outcome({0: 100 + 10 * number, 8: 500 - 20 * number, 12: 300 + 15 * number}, confidence)


@pytest.fixture(scope="module")
def known():
    return MapReference.of({f"ground {number}": mixed(number, 70 + number) for number in range(8)})


@given(one=shares, other=shares)
def test_the_distance_is_a_symmetric_one_from_0_to_1(one, other):
    found = float(jensen_shannon(one, other[None])[0])
    assert found == pytest.approx(float(jensen_shannon(other, one[None])[0]), abs=1e-9)
    assert 0 <= found <= 1
    assert jensen_shannon(one, one[None])[0] == 0
    # Near 0 both are roots of rounding errors.
    assert found == pytest.approx(distance.jensenshannon(one, other, base=2), abs=1e-6)


def test_shares_with_nothing_in_common_are_1_apart():
    assert jensen_shannon(np.array([0.5, 0.5, 0, 0]), np.array([[0, 0, 0.2, 0.8]]))[0] == 1


def test_a_map_like_a_training_domain_is_near_it_and_sure(known):
    drift = known.measure(mixed(3, 73))
    assert (drift.value, drift.nearest, drift.confidence) == (0, "ground 3", 73)
    assert not drift.is_far
    assert not drift.is_unsure


def test_a_map_of_one_class_is_far_and_one_that_is_a_guess_is_unsure(known):
    assert known.measure(outcome({9: 1000})).value == 1
    assert known.measure(outcome({8: 1000})).is_far
    doubtful = known.measure(mixed(3, 68))
    assert doubtful.is_unsure
    # The least sure domain lacks a percent to the next: a map may lack as much to it.
    assert (doubtful.confidence, doubtful.least_confidence) == (68, 69)
    assert not known.measure(mixed(3, 69)).is_unsure
    assert not doubtful.is_far


def test_the_threshold_is_the_farthest_of_any_domain_from_the_others(known):
    forest = outcome({5: 1000})
    whole = MapReference.of({**{str(number): mixed(number) for number in range(8)}, "forest": forest})
    assert whole.threshold == 1
    assert known.threshold < 0.1
    for number in range(8):
        assert not known.measure(mixed(number)).is_far


@pytest.mark.parametrize("seed", range(12))
def test_what_is_just_as_far_as_the_threshold_is_not_above_it(seed):
    """The domain that gave the threshold, left out: its maps and its images lie on it."""
    rng = np.random.default_rng(seed)
    made = {str(number): outcome(dict(enumerate(rng.integers(1, 1000, 4).tolist()))) for number in range(6)}
    whole = MapReference.of(made)
    others = [
        replace(
            MapReference.of({name: made[name] for name in made if name != left}), threshold=whole.threshold
        )
        for left in made
    ]
    drifts = [known.measure(each) for known, each in zip(others, made.values(), strict=True)]
    assert max(drift.value for drift in drifts) == pytest.approx(whole.threshold, abs=1e-3)
    assert not any(drift.is_far for drift in drifts)
    looks = {str(number): look_at(picture(10 * seed + number)) for number in range(4)}
    ground = DriftReference.of(looks)
    for left, look in looks.items():
        row = ground.domains.index(left)
        rest = replace(
            ground,
            domains=tuple(name for name in looks if name != left),
            cumulated_DCV=np.delete(ground.cumulated_DCV, row, axis=0),
            log_gradient_DC=np.delete(ground.log_gradient_DC, row, axis=0),
        )
        assert not rest.measure(look).is_far


def test_one_more_domain_is_near_and_lets_nothing_else_pass(known):
    forest = outcome({5: 1000}, 60)
    more = known.updated({"forest": forest})
    assert more.measure(forest).value == 0
    assert more.threshold == known.threshold
    assert more.least_confidence == 60 - (70 - 60)
    assert more.measure(outcome({9: 1000})).is_far
    assert more.updated({"forest": mixed(0)}).domains == more.domains


def test_confidence_is_not_known_where_nobody_counted_it_or_another_network_did(known):
    assert known.measure(mixed(3, None)).confidence is None
    other = known.without_confidence()
    assert other.least_confidence is None
    assert other.measure(mixed(3, 1)).confidence is None
    assert not other.measure(mixed(3, 1)).is_unsure
    assert other.updated({"a": mixed(1, 50)}).least_confidence is None
    assert other.updated({"a": mixed(1, 50), "b": mixed(2, 60)}).least_confidence == 40


def test_a_map_without_a_class_and_a_single_domain_are_nothing_to_compare():
    assert Outcome.of({}, confidence_total=0) is None
    with pytest.raises(ValueError, match="one cannot be compared"):
        MapReference.of({"alone": mixed(0)})


def test_it_is_kept_in_the_file_of_drift_and_files_of_before_answer_none(known, tmp_path):
    ground = reference()
    ground.write(tmp_path / "before.npz")
    assert DriftReference.read(tmp_path / "before.npz").of_maps is None
    replace(ground, of_maps=known).write(tmp_path / "after.npz")
    again = DriftReference.read(tmp_path / "after.npz").of_maps
    assert again is not None
    assert again.measure(mixed(2, 50)) == known.measure(mixed(2, 50))
    assert again.shares_DV.shape == (8, NUM_VALUES)


def test_an_included_territory_is_near_and_the_threshold_stays():
    ground = reference()
    strange = look_at(255 - picture(9))
    assert ground.measure(strange).is_far
    more = ground.including("far away", strange)
    assert more.measure(strange).value < 0.01
    assert (more.measure(strange).nearest, more.threshold) == ("far away", ground.threshold)
    assert more.including("far away", strange).domains == more.domains


def test_fewer_bands_are_compared_as_if_there_had_never_been_more():
    fewer = reference(num_bands=4).of_bands([0, 1, 2])
    looks = {f"ground {seed}": look_at(picture(seed, num_bands=4)).of_bands([0, 1, 2]) for seed in range(16)}
    wanted = DriftReference.of(looks)
    assert fewer.threshold == pytest.approx(wanted.threshold, abs=1e-3)
    look = look_at(picture(100, num_bands=4)).of_bands([0, 1, 2])
    assert fewer.measure(look).value == pytest.approx(wanted.measure(look).value, abs=1e-2)
