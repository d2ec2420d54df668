"""NAIP-Chesapeake is read with both dates of a patch, which share one truth."""

import numpy as np
import pytest

from training.data.errors import FileUnexpected, LabelUnknown, LayoutUnknown
from training.data.naip_chesapeake import SETS, load_naip_chesapeake, read_sample, sources_for
from training.data.samples import domains_of


def write_naip(root, *, tiles=("m_3708020_sw", "m_3708035_ne"), seed=0):
    """Patches of 16 px: band b holds b in all pixels but for the labels."""
    rng = np.random.default_rng(seed)
    for tile in tiles:
        for number in range(2):
            stack_NCHW = np.broadcast_to(
                np.arange(29, dtype=np.float32)[None, :, None, None], (1, 29, 16, 16)
            ).copy()
            stack_NCHW[0, 8] = rng.choice([1, 2, 3, 4, 5, 6, 15], (16, 16))
            np.savez(root / f"wv_1m_2014-{tile}_17_1-{number}.npz", stack_NCHW)
    return root


def test_each_patch_is_there_at_both_dates_over_one_truth(tmp_path):
    samples = load_naip_chesapeake(write_naip(tmp_path))
    assert len(samples) == 8
    assert len(domains_of(samples)) == 4
    for sample in samples:
        pixels = read_sample(sample)
        assert pixels.image_CHW[:, 0, 0].tolist() == ([0, 1, 2, 3] if sample.date == "new" else [4, 5, 6, 7])
        with np.load(sample.image) as arrays:
            codes_HW = arrays["arr_0"][0, 8]
        assert (pixels.labels_HW == np.where(codes_HW == 15, 255, codes_HW - 1)).all()
    assert [each.name for each in SETS.sets] == ["water", "tree", "low_vegetation", "barren", "built", "road"]


def test_sources_share_neither_ground_nor_date_with_their_target(tmp_path):
    samples = load_naip_chesapeake(write_naip(tmp_path))
    for target in domains_of(samples):
        sources = domains_of(sources_for(samples, target))
        assert len(sources) == 1
        assert sources[0].territory != target.territory
        assert sources[0].campaign != target.campaign


def test_other_contents_are_refused(tmp_path):
    sample = load_naip_chesapeake(write_naip(tmp_path))[0]
    with np.load(sample.image) as arrays:
        stack_NCHW = arrays["arr_0"]
    for change, error, told in (
        ((0, 8, 7.0), LabelUnknown, "7"),
        ((0, 1, 0.5), FileUnexpected, "whole numbers"),
        ((0, 1, 300.0), FileUnexpected, "whole numbers"),
    ):
        changed = stack_NCHW.copy()
        changed[change[0], change[1], 0, 0] = change[2]
        np.savez(sample.image, changed)
        with pytest.raises(error, match=told):
            read_sample(sample)
    np.savez(sample.image, stack_NCHW[:, :9])
    with pytest.raises(FileUnexpected, match="29"):
        read_sample(sample)
    sample.image.write_bytes(b"no archive")
    with pytest.raises(FileUnexpected, match="cannot be read"):
        read_sample(sample)
    with pytest.raises(LayoutUnknown):
        load_naip_chesapeake(tmp_path / "elsewhere")


def test_the_real_patches_are_read(real_data):
    samples = load_naip_chesapeake(real_data("naip_chesapeake_wv"))
    assert len(samples) == 28
    assert len(domains_of(samples)) == 4
    pixels = read_sample(samples[0])
    assert pixels.image_CHW.shape == (4, 256, 256)
    assert set(np.unique(pixels.labels_HW)) <= set(range(6)) | {255}
