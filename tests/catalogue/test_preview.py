"""The preview shows the classes in their colours and names those that occur."""

import numpy as np

from models.nomenclature import COSIA
from service.catalogue.preview import Caption, draw_preview, round_length


def test_the_map_is_drawn_in_the_colours_of_the_palette():
    classes_HW = np.repeat(np.array([[0, 6, 255]], dtype=np.uint8), 40, axis=0).repeat(20, axis=1)
    image_HW3 = np.full((40, 60, 3), 128, dtype=np.uint8)
    page = np.asarray(draw_preview(image_HW3, classes_HW, COSIA, caption=Caption(title="a map")))
    colours = {tuple(colour) for colour in page.reshape(-1, 3).tolist()}
    palette = COSIA.palette()
    assert palette[0][:3] in colours
    assert palette[6][:3] in colours
    assert palette[11][:3] not in colours


def test_the_scale_bar_has_a_round_length():
    assert [round_length(most) for most in (0.7, 1, 19, 20, 49.9, 5200)] == [0.5, 1, 10, 20, 20, 5000]


def test_a_map_without_an_image_stands_alone():
    classes_HW = np.zeros((50, 80), dtype=np.uint8)
    alone = draw_preview(None, classes_HW, COSIA, caption=Caption(title="t", metres_per_px=0.2))
    beside = draw_preview(
        np.zeros((50, 80, 3), dtype=np.uint8),
        classes_HW,
        COSIA,
        caption=Caption(title="t", metres_per_px=0.2),
    )
    assert beside.width > alone.width


def test_shares_are_those_of_the_map_not_of_its_overview():
    classes_HW = np.zeros((50, 80), dtype=np.uint8)
    pages = [
        np.asarray(draw_preview(None, classes_HW, COSIA, caption=Caption(title="t"), pixel_counts=counts))
        for counts in (None, {0: 4000}, {0: 3000, 6: 1000})
    ]
    assert np.array_equal(pages[0], pages[1])
    assert COSIA.palette()[6][:3] in {tuple(colour) for colour in pages[2].reshape(-1, 3).tolist()}
