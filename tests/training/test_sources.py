"""Real data sets as sources: held-out ground is never trained on, bands are in the network's order."""

import numpy as np
import pytest
from tiny_dubai import write_dubai

from training.data.errors import DataError, LayoutUnknown, SourceUnknown
from training.data.sources import load_source

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


@pytest.mark.parametrize(
    ("name", "held_out", "error", "told"),
    [
        ("nowhere", (), SourceUnknown, "dubai, naip"),
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
