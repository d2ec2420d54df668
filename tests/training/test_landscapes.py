"""The generator of landscapes: seeded, in metres, coherent with its truth, and no colour lookup."""

from dataclasses import replace

import numpy as np
import pytest

from models.nomenclature import COSIA
from training.data.landscapes import KINDS, NODATA, Cover, LandscapeSpec, generate_landscape, render
from training.data.landscapes.cover import GROUND_COVERS
from training.data.landscapes.layout import draw_regions

RAISED_COVERS = (Cover.BUILDING, Cover.GREENHOUSE, Cover.DECIDUOUS, Cover.CONIFEROUS, Cover.BRUSHWOOD)
SMALL = LandscapeSpec(seed=7, side_px=160, gsd_m=0.2)


@pytest.fixture(scope="module")
def sampled_scenes():
    """Pixels (red, green, blue, nir) and classes of 90 small scenes, 300 pixels each, in order of seed."""
    pixels, classes = [], []
    for seed in range(90):
        scene = generate_landscape(LandscapeSpec(seed=seed, side_px=160, gsd_m=0.4))
        chosen = np.random.default_rng(seed).choice(np.flatnonzero(scene.classes_HW != NODATA), 300)
        pixels.append(scene.image_CHW[:4].reshape(4, -1)[:, chosen].T.astype(float))
        classes.append(scene.classes_HW.ravel()[chosen])
    return np.stack(pixels), np.stack(classes)


def test_covers_are_those_of_the_nomenclature():
    assert [cover.value for cover in Cover] == [land_cover.value for land_cover in COSIA.classes]
    assert COSIA.nodata == NODATA


def test_equal_specs_give_equal_bytes_and_other_seeds_do_not():
    first, again = generate_landscape(SMALL), generate_landscape(SMALL)
    other = generate_landscape(replace(SMALL, seed=8))
    assert first.image_CHW.tobytes() == again.image_CHW.tobytes()
    assert first.classes_HW.tobytes() == again.classes_HW.tobytes()
    assert first.image_CHW.tobytes() != other.image_CHW.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_every_landscape_type_is_drawn_whole(kind):
    scene = generate_landscape(LandscapeSpec(seed=3, side_px=128, gsd_m=0.5, kind=kind, defects="none"))
    assert scene.image_CHW.shape == (5, 128, 128)
    assert scene.classes_HW.shape == (128, 128)
    assert scene.image_CHW.dtype == scene.classes_HW.dtype == np.uint8
    assert set(np.unique(scene.classes_HW)) <= set(Cover)
    assert scene.image_CHW[:4].min() >= 1


@pytest.mark.slow
def test_all_sixteen_classes_appear(sampled_scenes):
    _, classes = sampled_scenes
    assert set(np.unique(classes)) == set(Cover)


def test_nodata_is_the_same_in_image_and_truth():
    scenes = [generate_landscape(LandscapeSpec(seed=seed, side_px=48, gsd_m=1.0)) for seed in range(40)]
    missing = [scene.classes_HW == NODATA for scene in scenes]
    assert any(mask.any() for mask in missing)
    for scene, mask in zip(scenes, missing, strict=True):
        assert ((scene.image_CHW == 0)[:4].all(0) == mask).all()
        assert (scene.image_CHW[4][mask] == 0).all()


def test_light_changes_neither_classes_nor_height():
    spec = LandscapeSpec(seed=11, side_px=200, gsd_m=0.3, kind="suburban", defects="none")
    lit = generate_landscape(replace(spec, shadows=False))
    low = generate_landscape(replace(spec, sun_elevation_deg=30.0, sun_azimuth_deg=110.0))
    assert (lit.classes_HW == low.classes_HW).all()
    assert (lit.image_CHW[4] == low.image_CHW[4]).all()
    assert low.image_CHW[:3].mean() < lit.image_CHW[:3].mean() - 5


@pytest.mark.parametrize("kind", ["suburban", "industrial", "vineyard", "forest", "open_woodland"])
def test_objects_have_the_same_size_in_metres_at_two_resolutions(kind):
    fine = generate_landscape(LandscapeSpec(seed=5, side_px=360, gsd_m=0.2, kind=kind, defects="none"))
    rough = generate_landscape(LandscapeSpec(seed=5, side_px=120, gsd_m=0.6, kind=kind, defects="none"))
    middles_HW = fine.classes_HW[1::3, 1::3]
    assert (middles_HW == rough.classes_HW).mean() > 0.96
    for cover in Cover:
        share = (fine.classes_HW == cover).mean()
        assert (rough.classes_HW == cover).mean() == pytest.approx(share, rel=0.1, abs=0.004)


@pytest.mark.parametrize(
    "kind", ["urban", "market_garden", "forest", "heath", "lake", "mountain", "open_woodland"]
)
def test_height_is_zero_on_the_ground_and_positive_on_what_stands(kind):
    scene = generate_landscape(LandscapeSpec(seed=4, side_px=256, gsd_m=0.25, kind=kind, defects="none"))
    height_HW = scene.image_CHW[4]
    assert (height_HW[np.isin(scene.classes_HW, GROUND_COVERS)] == 0).all()
    raised = height_HW[np.isin(scene.classes_HW, RAISED_COVERS)]
    assert raised.size > 50, "something stands here"
    assert (raised > 0).mean() > 0.999


def test_squares_a_large_scene_is_drawn_in_leave_no_trace(monkeypatch):
    """But for rounding of polygon edges, a pixel in thousands."""
    spec = LandscapeSpec(seed=4, side_px=300, gsd_m=0.5, defects="none")
    whole = generate_landscape(spec)
    monkeypatch.setattr(render, "TILE_PX", 100)
    pieces = generate_landscape(spec)
    assert (whole.classes_HW == pieces.classes_HW).mean() > 0.999
    assert (whole.image_CHW == pieces.image_CHW).mean() > 0.99


def test_a_label_prior_is_obeyed():
    spec = LandscapeSpec(seed=1, side_px=96, gsd_m=0.5, kind_weights=(("forest", 1.0),), defects="none")
    assert np.isin(generate_landscape(spec).classes_HW, [Cover.DECIDUOUS, Cover.CONIFEROUS]).mean() > 0.3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"side_px": 5000}, "4096"),
        ({"gsd_m": 0.1}, "0.15"),
        ({"kind": "moon"}, "moon"),
        ({"haze": 2.0}, "haze"),
    ],
)
def test_a_spec_that_cannot_be_drawn_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        LandscapeSpec(seed=0, **wrong)


@pytest.mark.slow
def test_colour_alone_does_not_tell_the_class(sampled_scenes):
    """A Gaussian per class over four bands, trained on 60 scenes, stays at or below 0.45 on 30 others."""
    pixels, classes = sampled_scenes
    known, known_classes = pixels[:60].reshape(-1, 4), classes[:60].ravel()
    unseen, truth = pixels[60:].reshape(-1, 4), classes[60:].ravel()
    scores = np.full((16, len(unseen)), -np.inf)
    for cover in np.unique(known_classes):
        members = known[known_classes == cover]
        spread = np.cov(members.T) + 9 * np.eye(4)
        away = unseen - members.mean(0)
        distance = np.einsum("ij,jk,ik->i", away, np.linalg.inv(spread), away)
        scores[cover] = np.log(len(members)) - 0.5 * (distance + np.linalg.slogdet(spread)[1])
    predicted = scores.argmax(0)
    ious = []
    for cover in range(16):
        union = ((predicted == cover) | (truth == cover)).sum()
        if union:
            ious.append(((predicted == cover) & (truth == cover)).sum() / union)
    assert 0.05 < np.mean(ious) <= 0.45


def test_types_of_no_weight_are_drawn_only_where_they_are_asked_for():
    rng = np.random.default_rng(8)
    drawn = {kind for _ in range(300) for kind in draw_regions(rng, 60, kind=None, weights=None)[1]}
    assert drawn == {name for name, (weight, *_) in KINDS.items() if weight}
    asked = draw_regions(rng, 60, kind=None, weights=(("riverside", 1.0),))[1]
    assert set(asked) == {"riverside"}


_GROUND = (Cover.IMPERVIOUS, Cover.PERVIOUS, Cover.BARE_SOIL)


@pytest.mark.parametrize(
    ("kind", "these", "those"),
    [
        ("woods", (Cover.DECIDUOUS, Cover.CONIFEROUS), (Cover.HERBACEOUS,)),
        ("town", (Cover.BUILDING,), _GROUND),
        ("dry_land", (Cover.HERBACEOUS,), (Cover.BARE_SOIL,)),
    ],
)
def test_what_is_beside_it_is_darker_in_some_scenes_and_lighter_in_others(kind, these, those):
    lighter = []
    for seed in range(24):
        scene = generate_landscape(
            LandscapeSpec(seed=seed, side_px=128, gsd_m=0.5, kind=kind, season="summer")
        )
        is_this_HW, is_that_HW = (np.isin(scene.classes_HW, covers) for covers in (these, those))
        if min(is_this_HW.sum(), is_that_HW.sum()) > 100:
            green_HW = scene.image_CHW[1].astype(float)
            lighter.append(green_HW[is_this_HW].mean() > green_HW[is_that_HW].mean())
    assert len(lighter) > 8
    assert 0.05 < np.mean(lighter) < 0.95
