"""Real data sets as sources: held-out ground is never trained on, bands are in the network's order."""

from types import SimpleNamespace

import click
import numpy as np
import pytest
import rasterio
from tiny_dubai import write_dubai
from tiny_flair import HUB_ROWS, TRAIN_PLACES, write_flair, write_hub
from toys import toy_recipe

from models.nomenclature import COSIA
from training import runfolder
from training.data.errors import DataError, LayoutUnknown, SourceUnknown
from training.data.label_sets import exact_sets
from training.data.sources import Source, load_source
from training.recipes.recipe import LANDSCAPES, Share
from training.territory import sources as territory_sources

RGBI = ("red", "green", "blue", "nir")


def test_dubai_without_a_domain(tmp_path):
    write_dubai(tmp_path)
    train, judged = load_source("dubai", tmp_path, bands=RGBI, held_out=("Dubai_tile-2",))
    assert set(judged.domains) == {"Dubai_tile-2"}
    assert "Dubai_tile-2" not in train.domains
    assert train.absent == (3,)
    assert all(image_CHW.shape[0] == 4 and not image_CHW[3].any() for image_CHW in train.images)
    assert all(
        image_CHW.shape[1:] == labels_HW.shape
        for image_CHW, labels_HW in zip(train.images, train.labels, strict=True)
    )


def test_the_fingerprint_tells_data_apart(tmp_path):
    write_dubai(tmp_path)
    first, _ = load_source("dubai", tmp_path, bands=RGBI, held_out=())
    again, _ = load_source("dubai", tmp_path, bands=RGBI, held_out=())
    assert first.fingerprint() == again.fingerprint()
    again.labels[0][0, 0] ^= 1
    assert first.fingerprint() != again.fingerprint()


def test_a_source_is_spread_over_its_domains():
    sizes = {"a": 5, "b": 100, "c": 1}
    domains = [domain for domain, size in sizes.items() for _ in range(size)]
    images = [np.full((1, 1, 1), number, np.uint8) for number in range(len(domains))]
    source = Source(
        name="any",
        images=images,
        labels=[each[0] for each in images],
        domains=tuple(domains),
        sets=exact_sets(),
    )
    few = source.spread(7)
    assert [few.domains.count(domain) for domain in sizes] == [5, 7, 1]
    numbers = [int(image_CHW[0, 0, 0]) for image_CHW in few.images]
    assert numbers == sorted(set(numbers))
    assert all(domains[number] == domain for number, domain in zip(numbers, few.domains, strict=True))
    assert {5, 104} <= set(numbers)
    assert source.spread(100).fingerprint() == source.fingerprint()


def test_of_a_large_set_an_adaptation_holds_some_images_of_each_domain(tmp_path, monkeypatch):
    monkeypatch.setattr(territory_sources, "_MOST_IMAGES", 1)
    write_hub(tmp_path)
    start = SimpleNamespace(recipe=toy_recipe())
    drawing = territory_sources.Drawing(num_scenes=1, cache=tmp_path, seed=0)
    whole, _ = load_source("flair_hub", tmp_path, bands=start.recipe.bands, held_out=())
    few = territory_sources.read_source(f"flair_hub={tmp_path}", start, drawing=drawing)
    assert len(whole) > 1 == len(few)
    assert set(few.domains) == set(whole.domains)


@pytest.mark.parametrize(
    ("name", "held_out", "error", "told"),
    [
        ("nowhere", (), SourceUnknown, "dubai, flair1, flair2, flair_hub, naip"),
        ("naip", (), LayoutUnknown, "holds no patches"),
        ("dubai", ("Dubai_tile-99",), DataError, "no domain Dubai_tile-99"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, name, held_out, error, told):
    write_dubai(tmp_path)
    with pytest.raises(error) as caught:
        load_source(name, tmp_path, bands=RGBI, held_out=held_out)
    assert told in str(caught.value)


def test_the_other_date_of_a_held_out_tile_is_not_trained_on(tmp_path):
    for tile in ("m_1_ne", "m_2_sw"):
        stack = np.zeros((1, 29, 8, 8), dtype=np.float32)
        stack[0, 8] = 2
        np.savez(tmp_path / f"wv_1m_2014-{tile}_17_1-0.npz", stack)
    train, judged = load_source("naip", tmp_path, bands=RGBI, held_out=("m_1_ne_new",))
    assert set(judged.domains) == {"m_1_ne_new"}
    assert set(train.domains) == {"m_2_sw_old"}


def red_of(name, value):
    """Tiny FLAIR tells its truth in red: ten times the mask's value."""
    return 10 * (value if name == "flair_hub" else COSIA.classes[value].flair_code)


@pytest.mark.parametrize("name", ["flair1", "flair2", "flair_hub"])
@pytest.mark.parametrize("bands", [RGBI, ("nir", "red", "height"), ("green",)])
def test_flair_is_trained_on_in_its_published_split(tmp_path, name, bands):
    if name == "flair_hub":
        write_hub(tmp_path)
        domains = ["D012_2019"] * len(HUB_ROWS["TRAIN"])
        judged_domains = {"D012_2019, validation", "D064_2021, test"}
    else:
        number = name[-1]
        folders = {"images": f"flair_{number}_aerial_test", "labels": f"flair_{number}_labels_test"}
        write_flair(tmp_path, test=folders, test_domain="D012_2019")
        domains = [domain for domain, *_ in TRAIN_PLACES if domain != "D004_2021"]
        judged_domains = {"D004_2021, validation", "D012_2019, test"}
    train, judged = load_source(name, tmp_path, bands=bands, held_out=())
    assert sorted(train.domains) == domains
    assert set(judged.domains) == judged_domains
    assert train.absent == ()
    assert train.is_labelled
    for source in (train, judged):
        for image_CHW, labels_HW in zip(source.images, source.labels, strict=True):
            assert image_CHW.shape == (len(bands), *labels_HW.shape)
            assert set(np.unique(labels_HW)) <= {*range(16), 255}
            if "red" in bands:
                for value in range(16):
                    red_P = image_CHW[bands.index("red")][labels_HW == value]
                    assert (red_P == red_of(name, value)).all()
    held_out, away = domains[0], load_source(name, tmp_path, bands=bands, held_out=domains[:1])
    assert held_out not in away[0].domains
    assert held_out in away[1].domains


def test_of_a_departement_held_out_no_year_is_trained_on(tmp_path):
    folders = {"images": "flair_1_aerial_test", "labels": "flair_1_labels_test"}
    other_year = ("D006_2016", "Z9_AA", 90)
    write_flair(tmp_path, test=folders, test_domain="D012_2019", train=(*TRAIN_PLACES, other_year))
    assert "D006_2016" in load_source("flair1", tmp_path, bands=RGBI, held_out=())[0].domains
    train, judged = load_source("flair1", tmp_path, bands=RGBI, held_out=("D006_2020",))
    assert set(train.domains) == {"D02A_2019"}
    assert "D006_2020" in judged.domains


def test_a_head_of_fewer_classes_is_taught_by_the_labels_that_it_has(tmp_path):
    write_hub(tmp_path)
    train, judged = load_source("flair_hub", tmp_path, bands=RGBI, held_out=())
    channels = (12, 0, 6)
    for whole in (train, judged):
        few = whole.taught(channels)
        assert [set(each.values) for each in few.sets.sets] == [{0}, {6}, {12}]
        assert few.sets.members(channels).sum(axis=1).tolist() == [1, 1, 1]
        for before_HW, after_HW in zip(whole.labels, few.labels, strict=True):
            for label, value in enumerate((0, 6, 12)):
                assert ((after_HW == label) == (before_HW == value)).all()
            assert set(np.unique(after_HW)) == {0, 1, 2, 255}
    assert train.taught(range(16)) is train


def test_a_set_that_teaches_nothing_is_refused(tmp_path):
    write_hub(tmp_path)
    shares = (Share(source=LANDSCAPES, num_samples=1), Share(source="flair_hub", num_samples=1))
    recipe = toy_recipe(shares=shares)
    assert runfolder.read_real(recipe, {"flair_hub": tmp_path})
    for path in tmp_path.glob("*_AERIAL_LABEL-COSIA/*/*.tif"):
        with rasterio.open(path, "r+") as file:
            file.write(np.full(file.shape, 18, np.uint8), 1)
    with pytest.raises(click.ClickException, match="has no labelled pixel"):
        runfolder.read_real(recipe, {"flair_hub": tmp_path})
