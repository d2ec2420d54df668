"""The seam rate is 1 for a landscape that knows no cores, and high for one cut at their borders."""

import numpy as np
import pytest

from service.maps.seams import SeamCount

CORE_PX = 16


def count(classes_HW, *, row_off=0, col_off=0, band_rows=1000):
    seams = SeamCount(core_px=CORE_PX)
    for row in range(0, len(classes_HW), band_rows):
        band_HW = classes_HW[row : row + band_rows + 1]
        seams.add(
            band_HW, row_off=row_off + row, col_off=col_off, has_next_row=row + band_rows < len(classes_HW)
        )
    return seams


def noise(seed=0, side=320):
    return np.random.default_rng(seed).integers(0, 3, (side, side), dtype=np.uint8)


def test_noise_is_seamless():
    assert count(noise()).rate == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("offset", [0, -5, 7])
def test_classes_that_change_at_the_borders_of_cores_show(offset):
    classes_HW = noise()
    rows_H = np.arange(offset, offset + len(classes_HW)) // CORE_PX
    cut_HW = np.where((rows_H % 2 == 0)[:, None], classes_HW, classes_HW + 3).astype(np.uint8)
    assert count(cut_HW, row_off=offset).rate > 1.2


def test_pairs_at_borders_and_halfway_are_counted_once_each():
    seams = count(noise(side=64))
    assert seams.num_border == 2 * 3 * 64  # 3 borders in rows and 3 in columns
    assert seams.num_inside == 2 * 4 * 64


@pytest.mark.parametrize("band_rows", [1, 7, 16, 63, 64])
def test_counting_in_bands_changes_nothing(band_rows):
    classes_HW = noise(side=64)
    assert count(classes_HW, row_off=-9, band_rows=band_rows) == count(classes_HW, row_off=-9)


def test_pixels_without_class_take_no_part():
    classes_HW = noise(side=64)
    classes_HW[:32] = 255
    assert count(classes_HW).num_border == 64 + 3 * 32


def test_a_map_without_borders_or_without_changes_has_no_rate():
    assert count(noise(side=10)).rate is None
    assert count(np.zeros((64, 64), dtype=np.uint8)).rate is None
