"""FLAIR #1 and #2 are read as they are published: pairs, parts, labels, and the traps in them."""

import datetime as dt

import numpy as np
import pytest
from tiny_flair import TRAIN_PLACES, write_flair, write_raster

from models.nomenclature import COSIA
from training.data import flair1, flair2
from training.data.errors import FileMissing, FileUnexpected, LabelUnknown, LayoutUnknown, SplitsOverlap
from training.data.flair_labels import flair_table, taught_values
from training.data.samples import domains_of, hold_out, of_split

TEST_1 = {"images": "flair_1_aerial_test", "labels": "flair_1_labels_test"}
TEST_2 = {"images": "flair_2_aerial_test", "labels": "flair_2_labels_test"}


@pytest.fixture
def root(tmp_path):
    return write_flair(tmp_path, test=TEST_1, test_domain="D012_2019")


def test_parts_are_whole_domains_as_published(root):
    samples = flair1.load_flair1(root)
    parts = {
        split: {domain.key for domain in domains_of(of_split(samples, split))}
        for split in ("train", "validation", "test")
    }
    assert parts == {
        "train": {"D006_2020", "D02A_2019"},
        "validation": {"D004_2021"},
        "test": {"D012_2019"},
    }
    assert len(samples) == len(TRAIN_PLACES) + 1
    assert len({sample.name for sample in samples}) == len(samples)


@pytest.mark.parametrize("merge", ["16 classes", "15 classes", "12 classes"])
def test_labels_are_cosia_values_under_their_own_image(root, merge):
    table = flair_table(merge)
    for sample in flair1.load_flair1(root):
        pixels = flair1.read_sample(sample, merge=merge)
        codes_HW = pixels.image_CHW[0] // 10
        assert (pixels.labels_HW == np.vectorize(table.get)(codes_HW)).all()
        assert set(np.unique(pixels.labels_HW)) == taught_values(merge) | {255}
        assert len(pixels.image_CHW) == len(flair1.BANDS)


def test_no_label_is_never_building():
    assert flair_table("16 classes")[0] == 255
    assert flair_table("16 classes")[1] == COSIA.by_slug("building").value
    assert {code for code, value in flair_table("16 classes").items() if value == 255} == {0, 16, 17, 19}
    assert {code for code, value in flair_table("15 classes").items() if value == 255} == {0, 15, 16, 17, 19}
    assert {code for code, value in flair_table("12 classes").items() if value == 255} == {0, *range(13, 20)}


def test_acquisitions_are_told(root):
    by_name = {sample.image.stem: sample.acquisition for sample in flair1.load_flair1(root)}
    first = by_name["IMG_000002"]
    assert (first.date, first.time) == (dt.date(2021, 7, 1), dt.time(9, 30))
    assert first.centre_m == (700_000, 6_600_000, 120.5)
    assert by_name["IMG_061713"].date.year == 2019


def test_without_metadata_samples_are_the_same(root):
    named = {sample.name for sample in flair1.load_flair1(root)}
    (root / "flair_aerial_metadata.json").unlink()
    samples = flair1.load_flair1(root)
    assert {sample.name for sample in samples} == named
    assert all(sample.acquisition is None for sample in samples)


def test_lists_without_header_decide_the_parts(root, tmp_path):
    lists = {}
    for split, number in (
        ("train", "D004_2021/Z1_NN/img/IMG_000002"),
        ("test", "D006_2020/Z3_UA/img/IMG_000011"),
    ):
        lists[split] = tmp_path / f"{split}.csv"
        image = f"../data/flair_aerial_train/{number}.tif"
        lists[split].write_text(f"{image},{image.replace('img', 'msk').replace('IMG', 'MSK')}\n")
    parts = {sample.image.stem: sample.split for sample in flair1.load_flair1(root, lists=lists)}
    assert parts == {"IMG_000002": "train", "IMG_000011": "test"}


def test_lists_that_part_neighbours_are_refused(root, tmp_path):
    lists = {}
    for split, number in (("train", 2), ("test", 10)):
        lists[split] = tmp_path / f"{split}.csv"
        lists[split].write_text(f"x/D004_2021/Z1_NN/img/IMG_{number:06d}.tif,\n")
    with pytest.raises(SplitsOverlap, match="zone Z1_NN of D004_2021"):
        flair1.load_flair1(root, lists=lists)
    lists["test"].write_text("x/D004_2021/Z1_NN/img/IMG_999999.tif,\n")
    with pytest.raises(FileMissing, match="IMG_999999"):
        flair1.load_flair1(root, lists=lists)


def test_flair_2_has_the_same_training_and_another_test(tmp_path):
    write_flair(tmp_path, test=TEST_2, test_domain="D015_2020")
    samples = flair2.load_flair2(tmp_path)
    assert [domain.key for domain in domains_of(of_split(samples, "test"))] == ["D015_2020"]
    assert len(of_split(samples, "train")) == 2
    assert not of_split(flair1.load_flair1(tmp_path), "test")


def test_masks_of_a_test_may_be_withheld_but_not_of_training(root):
    for path in sorted((root / "flair_1_labels_test").rglob("*.tif")):
        path.unlink()
    withheld = of_split(flair1.load_flair1(root), "test")
    assert [sample.labels for sample in withheld] == [None]
    assert flair1.read_sample(withheld[0]).labels_HW is None
    for path in sorted((root / "flair_labels_train").rglob("*.tif")):
        path.unlink()
    with pytest.raises(FileMissing, match="flair_labels_train"):
        flair1.load_flair1(root)


def test_half_a_pair_is_refused_by_name(root):
    next((root / "flair_labels_train" / "D006_2020").rglob("*.tif")).unlink()
    with pytest.raises(FileMissing, match="D006_2020/Z3_UA/000011"):
        flair1.load_flair1(root)


def test_a_domain_is_held_out_whole(root):
    samples = flair1.load_flair1(root)
    target = [domain for domain in domains_of(samples) if domain.key == "D006_2020"]
    kept, held = hold_out(samples, target)
    assert {sample.domain for sample in held} == set(target)
    assert len(kept) + len(held) == len(samples)
    assert not set(domains_of(kept)) & set(target)


def test_wrong_files_are_refused_with_what_they_are(root, tmp_path):
    sample = next(sample for sample in flair1.load_flair1(root) if sample.image.stem == "IMG_000002")
    left_m = 702_000.0
    write_raster(sample.labels, np.full((1, 32, 32), 20, dtype=np.uint8), left_m=left_m)
    with pytest.raises(LabelUnknown, match=r"20 \(1024 px\)"):
        flair1.read_sample(sample)
    write_raster(sample.labels, np.ones((1, 32, 32), dtype=np.uint8), left_m=left_m + 0.2)
    with pytest.raises(FileUnexpected, match="does not lie on"):
        flair1.read_sample(sample)
    write_raster(sample.labels, np.ones((1, 16, 32), dtype=np.uint8), left_m=left_m)
    with pytest.raises(FileUnexpected, match="16 x 32"):
        flair1.read_sample(sample)
    write_raster(sample.image, np.ones((4, 32, 32), dtype=np.uint8), left_m=left_m)
    with pytest.raises(FileUnexpected, match="4 bands of uint8; expected 5"):
        flair1.read_sample(sample)
    sample.image.write_bytes(b"II*\0")
    with pytest.raises(FileUnexpected, match="cannot be read"):
        flair1.read_sample(sample)
    for broken, said in (("{broken", "is no JSON"), ("[1, 2]", "holds list")):
        (root / "flair_aerial_metadata.json").write_text(broken)
        with pytest.raises(FileUnexpected, match=said):
            flair1.load_flair1(root)
    with pytest.raises(LayoutUnknown, match="FLAIR #1"):
        flair1.load_flair1(tmp_path / "elsewhere")
