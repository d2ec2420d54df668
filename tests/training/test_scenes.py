"""The cache of scenes: drawn once, resumed, never taken for another set."""

from dataclasses import replace

import numpy as np
from toys import toy_recipe, toy_scenes

from training import scenes as module
from training.reference import read_reference, write_reference
from training.scenes import draw_scene, load_scenes

BANDS = ("red", "green", "blue", "nir")


def small_set(**changes):
    return replace(toy_recipe().train, side_px=64, num_scenes=2, **changes)


def test_scenes_are_drawn_once(tmp_path, monkeypatch):
    drawn = []

    def counting(spec, index, *, bands):
        drawn.append(index)
        return draw_scene(spec, index, bands=bands)

    monkeypatch.setattr(module, "draw_scene", counting)
    first = load_scenes(small_set(), bands=BANDS, folder=tmp_path, num_processes=1)
    again = load_scenes(small_set(), bands=BANDS, folder=tmp_path, num_processes=1)
    assert drawn == [0, 1]
    assert first.image_NCHW.shape == (2, 4, 64, 64)
    assert np.array_equal(first.image_NCHW, again.image_NCHW)
    load_scenes(small_set(first_seed=10), bands=BANDS, folder=tmp_path, num_processes=1)
    assert drawn == [0, 1, 0, 1]


def test_bands_are_picked_by_role():
    spec = small_set()
    image_CHW, classes_HW = draw_scene(spec, 0, bands=BANDS)
    swapped_CHW, again_HW = draw_scene(spec, 0, bands=("nir", "red"))
    assert np.array_equal(swapped_CHW, image_CHW[[3, 0]])
    assert np.array_equal(classes_HW, again_HW)


def test_classes_without_a_channel_teach_nothing():
    scenes = toy_scenes()
    source = scenes.as_source((12, 0))
    label_of = {0: 1, 6: 255, 12: 0, 255: 255}
    for labels_HW, classes_HW in zip(source.labels, scenes.classes_NHW, strict=True):
        assert [label_of[value] for value in classes_HW.ravel().tolist()] == labels_HW.ravel().tolist()
    assert [each.values for each in source.sets.sets] == [{12}, {0}]


def test_a_budget_that_ends_keeps_what_is_done(tmp_path, caplog):
    load_scenes(small_set(), bands=BANDS, folder=tmp_path, num_processes=1)
    done = next(tmp_path.glob("*/done.npy"))
    np.save(done, np.array([False, True]))
    kept = load_scenes(small_set(), bands=BANDS, folder=tmp_path, num_processes=1, budget_s=-1.0)
    assert len(kept) == 1
    assert kept.gsd_m == (small_set().gsd_m_of(1),)
    assert "1 of 2 scenes" in caplog.text


def test_reference_statistics_are_over_labelled_pixels(tmp_path):
    scenes = load_scenes(small_set(), bands=BANDS, folder=tmp_path, num_processes=1)
    write_reference(scenes, BANDS, out=tmp_path / "run")
    reference = read_reference(tmp_path / "run")
    is_labelled = scenes.classes_NHW != 255
    for row, band in enumerate(reference.bands):
        pixels = scenes.image_NCHW[:, row][is_labelled]
        assert band.band == BANDS[row]
        assert sum(band.histogram) == is_labelled.sum()
        assert abs(band.mean - pixels.mean()) < 1e-3
        assert abs(band.std - pixels.std()) < 1e-3


def test_a_run_that_goes_on_with_other_scenes_says_so(tmp_path, monkeypatch, caplog):
    scenes = load_scenes(small_set(), bands=BANDS, folder=tmp_path, num_processes=1)
    write_reference(scenes, BANDS, out=tmp_path / "run")
    write_reference(scenes, BANDS, out=tmp_path / "run")
    assert "generator has changed" not in caplog.text
    monkeypatch.setattr("training.reference.generator_digest", lambda: "another")
    write_reference(scenes, BANDS, out=tmp_path / "run")
    assert "generator has changed" in caplog.text
