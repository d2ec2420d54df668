"""Cases of the benchmark: what is judged lies apart from what is learned from."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny_dubai import write_dubai

from training.benchmark import dubai_cases, landscape_cases, shift
from training.data.dubai import load_dubai


def test_the_induced_shift_is_the_same_every_time():
    image_CHW = np.random.default_rng(0).integers(256, size=(3, 40, 50), dtype=np.uint8)
    first = shift.shift_image(image_CHW, name="tile/1")
    assert first.shape == image_CHW.shape
    assert (first == shift.shift_image(image_CHW, name="tile/1")).all()
    assert (first != shift.shift_image(image_CHW, name="tile/2")).any()
    haze_HW = shift.haze_field((40, 50), seed=1)
    assert shift.HAZE_SHARES[0] <= haze_HW.min() < haze_HW.max() <= shift.HAZE_SHARES[1]


def test_test_parts_are_apart_from_pool_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(dubai_cases, "TEST_GUARD_PX", 2)
    monkeypatch.setattr(dubai_cases, "APART", (1, 2))
    write_dubai(tmp_path)
    (only,) = dubai_cases.induced_shift(tmp_path)
    pool = {image_CHW.tobytes() for image_CHW in only.source.images}
    assert not pool & {image_CHW.tobytes() for image_CHW in only.in_domain.images}
    for labels_HW in only.test.labels:
        assert (labels_HW[:2] == 255).all()
        assert (labels_HW[:, -2:] == 255).all()
    assert [(a != b).any() for a, b in zip(only.pool.images, only.source.images, strict=True)]


def test_leaving_a_domain_out_leaves_all_of_it_out(tmp_path, monkeypatch):
    monkeypatch.setattr(dubai_cases, "TEST_GUARD_PX", 2)
    write_dubai(tmp_path)
    for each in dubai_cases.leave_one_out(tmp_path):
        assert each.target not in each.source.domains
        assert set(each.pool.domains) == set(each.test.domains) == {each.target}


def test_generated_shifts_share_a_source_and_no_truth(tmp_path, monkeypatch):
    """With a generator that answers by the spec alone."""
    asked = []

    def generate(spec):
        asked.append(spec)
        rng = np.random.default_rng(spec.seed)
        shape = (spec.side_px, spec.side_px)
        return SimpleNamespace(
            image_CHW=rng.integers(1, 255, (5, *shape), dtype=np.uint8),
            classes_HW=rng.integers(16, size=shape, dtype=np.uint8),
        )

    monkeypatch.setattr(landscape_cases, "generate_landscape", generate)
    scenes = landscape_cases.Scenes(num_train=2, num_pool=1, num_test=1, side_px=32)
    cases = landscape_cases.shifts(tmp_path, scenes=scenes)
    assert [each.target for each in cases] == [*landscape_cases.SHIFTS, "together"]
    assert len(asked) == 3 + 2 * len(cases)
    assert len({each.source.fingerprint() for each in cases}) == 1
    assert len({each.test.labels[0].tobytes() for each in cases}) == len(cases)
    assert {spec.haze for spec in asked} == {None, 0.4}
    again = landscape_cases.shifts(tmp_path, scenes=scenes)
    assert len(asked) == 3 + 2 * len(cases), "scenes are kept"
    assert [each.fingerprint() for each in again] == [each.fingerprint() for each in cases]


@pytest.mark.parametrize("scenes", [dubai_cases.APART, *((scene,) for scene in (2, 4, 5, 6, 8)), (1, 3)])
def test_no_judged_pixel_lies_near_a_pool_s_ground(scenes, real_data):
    """On the real scenes, in the frames that overlapping ones share; no pixel is read."""
    data = load_dubai(real_data("dubai_mbrsc"))
    parts = [part for part in data.parts if part.scene in scenes]
    guard_px = dubai_cases.TEST_GUARD_PX
    for part in (part for part in parts if not dubai_cases.is_odd(part)):
        frame, left, top, right, bottom = ground(data, part)
        for other in (other for other in parts if dubai_cases.is_odd(other)):
            other_frame, *bounds = ground(data, other)
            is_apart = (
                other_frame != frame
                or bounds[0] >= right
                or bounds[2] <= left
                or bounds[1] >= bottom
                or bounds[3] <= top
            )
            assert is_apart, f"judged pixels, {guard_px} px inside {part.name}, may lie on {other.name}"


def ground(data, part):
    frame, left, top, _, _ = data.ground_of(part.scene)
    left, top = left + part.left_px, top + part.top_px
    return frame, left, top, left + part.width, top + part.height_px
