"""The preview shows the classes in their colours and names those that occur."""

import numpy as np

from models.nomenclature import COSIA
from service.catalogue.preview import Caption, draw_preview, draw_thumbnail, round_length


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


def test_a_thumbnail_is_the_middle_of_the_map_and_nothing_else():
    classes_HW = np.full((40, 120), 6, dtype=np.uint8)
    classes_HW[:, 40:80] = 0
    classes_HW[:20, 60:] = 255
    thumbnail = draw_thumbnail(classes_HW, COSIA, side_px=40)
    assert thumbnail.size == (40, 40)
    colours = {colour for _, colour in thumbnail.getcolors()}
    assert {colour[:3] for colour in colours if colour[3]} == {COSIA.palette()[0][:3]}
    alphas_HW = np.asarray(thumbnail)[..., 3]
    assert (alphas_HW[:20, 20:] == 0).all()
    assert (alphas_HW == 0).sum() == 20 * 20


def test_a_thumbnail_has_one_size_however_large_the_map():
    for shape in ((3, 5), (500, 701), (1, 400)):
        assert draw_thumbnail(np.zeros(shape, dtype=np.uint8), COSIA, side_px=64).size == (64, 64)
