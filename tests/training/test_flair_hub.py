"""FLAIR-HUB's aerial part is read as it is published, whichever way its lists are written."""

import numpy as np
import pytest
import rasterio
from tiny_flair import HUB_ROWS, hub_path, write_hub, write_raster

from models.nomenclature import COSIA
from training.data import flair_hub
from training.data.errors import FileMissing, LabelUnknown, LayoutUnknown, SplitsOverlap
from training.data.samples import domains_of, of_split


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"separator": ";", "prefix": "/lustre/somebody/data/", "below": "data"},
        {"separator": ";", "prefix": ""},
    ],
    ids=["toy", "unpacked below data", "full"],
)
def test_lists_are_found_and_their_paths_resolved(tmp_path, written):
    samples = flair_hub.load_flair_hub(write_hub(tmp_path, **written), with_height=True)
    parts = {"train": "TRAIN", "validation": "VALID", "test": "TEST"}
    for split, word in parts.items():
        assert tuple(sample.name for sample in of_split(samples, split)) == HUB_ROWS[word]
    # One way of writing a domain, whatever the data set.
    assert [domain.key for domain in domains_of(samples)] == ["D012_2019", "D064_2021"]
    for sample in samples:
        assert flair_hub.read_sample(sample).image_CHW.shape == (5, 32, 32)


def test_labels_are_cosia_values_and_zero_is_building(tmp_path):
    for sample in flair_hub.load_flair_hub(write_hub(tmp_path)):
        pixels = flair_hub.read_sample(sample)
        drawn_HW = pixels.image_CHW[0] // 10
        assert (pixels.labels_HW == np.where(drawn_HW > 15, 255, drawn_HW)).all()
        assert COSIA.by_slug("building").value in pixels.labels_HW
        assert (
            COSIA.by_slug("clear_cut").value
            not in flair_hub.read_sample(sample, merge="15 classes").labels_HW
        )


def test_heights_are_levels_above_ground(tmp_path):
    sample = flair_hub.load_flair_hub(write_hub(tmp_path), with_height=True)[0]
    with rasterio.open(sample.height) as file:
        surface_HW, terrain_HW = file.read().astype(np.float64)
    pixels = flair_hub.read_sample(sample)
    levels_HW = pixels.image_CHW[4].astype(int)
    above_HW = surface_HW - terrain_HW
    inside = (above_HW > 0) & (above_HW < 51) & (terrain_HW > 0)
    assert np.abs(levels_HW * 0.2 - above_HW)[inside].max() <= 0.1 + 1e-3
    assert (levels_HW[above_HW > 51.2] == 255).all()
    assert (levels_HW[above_HW < 0] == 0).all()
    # Without elevation there is no sample of five bands.
    assert pixels.labels_HW[-1, -1] == 255
    assert levels_HW[-1, -1] == 0


def test_what_is_missing_or_unknown_is_named(tmp_path):
    write_hub(tmp_path)
    sample = flair_hub.load_flair_hub(tmp_path)[0]
    write_raster(sample.labels, np.full((1, 32, 32), 19, dtype=np.uint8))
    with pytest.raises(LabelUnknown, match=r"19 \(1024 px\)"):
        flair_hub.read_sample(sample)
    (tmp_path / hub_path(sample.name, "DEM_ELEV")).unlink()
    with pytest.raises(FileMissing, match=sample.name):
        flair_hub.load_flair_hub(tmp_path, with_height=True)
    assert len(flair_hub.load_flair_hub(tmp_path)) == 4
    (tmp_path / hub_path(sample.name, "AERIAL_RGBI")).unlink()
    with pytest.raises(FileMissing, match=sample.name):
        flair_hub.load_flair_hub(tmp_path)


def test_lists_that_are_none_are_refused(tmp_path):
    write_hub(tmp_path)
    train, test = tmp_path / "FLAIR-HUB_TRAIN.csv", tmp_path / "FLAIR-HUB_TEST.csv"
    with pytest.raises(SplitsOverlap, match="AF-S1-27"):
        flair_hub.load_flair_hub(tmp_path, lists={"train": train, "test": train})
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "TRAIN.csv").write_bytes(train.read_bytes())
    with pytest.raises(LayoutUnknown, match="2 lists could be train"):
        flair_hub.load_flair_hub(tmp_path)
    train.write_text("image,mask\n")
    with pytest.raises(LayoutUnknown, match="patch_id"):
        flair_hub.load_flair_hub(tmp_path, lists={"train": train, "test": test})
    train.write_text("patch_id,AERIAL_RGBI,AERIAL_LABEL-COSIA\nD012_2019,a,b\n")
    with pytest.raises(LayoutUnknown, match="D012_2019"):
        flair_hub.load_flair_hub(tmp_path, lists={"train": train})
    with pytest.raises(LayoutUnknown, match="no list"):
        flair_hub.load_flair_hub(tmp_path / "elsewhere")
