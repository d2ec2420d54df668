"""The class scheme against what IGN publishes."""

import itertools

import numpy as np
import pytest

from models.errors import NomenclatureUnknown
from models.nomenclature import COSIA, get_nomenclature


def test_values_follow_flair_hub():
    assert [c.value for c in COSIA.classes] == list(range(16))
    assert COSIA.by_slug("building").value == 0
    assert COSIA.by_slug("brushwood").value == 14
    assert COSIA.by_slug("clear_cut").value == 15
    assert COSIA.nodata == 255


@pytest.mark.parametrize(
    ("slug", "numero", "code", "colour"),
    [
        ("building", 1, 1, "#ce7079"),
        ("greenhouse", 15, 18, "#b9e2d4"),
        ("swimming_pool", 4, 13, "#62d0ff"),
        ("herbaceous_vegetation", 12, 10, "#8cd76a"),
        ("coniferous", 8, 6, "#126421"),
        ("clear_cut", None, 15, "#e48e4d"),
    ],
)
def test_codes_and_colours_elsewhere(slug, numero, code, colour):
    land_cover = COSIA.by_slug(slug)
    assert (land_cover.cosia_numero, land_cover.flair_code, land_cover.colour_cosia) == (numero, code, colour)


def test_codes_name_one_class_each():
    numeros = [c.cosia_numero for c in COSIA.classes if c.cosia_numero is not None]
    assert sorted(numeros) == list(range(1, 16))
    assert len({c.flair_code for c in COSIA.classes}) == 16
    assert len({c.slug for c in COSIA.classes}) == 16


def test_flair_codes_come_back_from_values():
    to_value = {c.flair_code: c.value for c in COSIA.classes}
    assert all(to_value[c.flair_code] == c.value for c in COSIA.classes)


@pytest.mark.parametrize("style", ["cosia", "flair", "cvd"])
def test_palettes_are_opaque_and_distinct(style):
    palette = COSIA.palette(style)
    assert list(palette) == list(range(16))
    assert len(set(palette.values())) == 16
    assert all(len(colour) == 4 and colour[3] == 255 for colour in palette.values())


def test_groupings_partition_the_classes():
    assert {grouping.key for grouping in COSIA.groupings} == {"sealed", "cover", "ocsge"}
    for grouping in COSIA.groupings:
        for land_cover in COSIA.classes:
            assert land_cover.value in grouping.group_of(land_cover.value).values


def test_unknown_names_say_what_is_known():
    with pytest.raises(NomenclatureUnknown, match="cosia-16"):
        get_nomenclature("corine")
    with pytest.raises(NomenclatureUnknown, match="ocsge"):
        COSIA.grouping("crops")


# Linear-RGB matrices of full dichromacy: Machado, Oliveira, Fernandes 2009, table 1, severity 1.0.
_DICHROMACY = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def _lab(rgb, matrix):
    srgb = np.asarray(rgb) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(matrix @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", _DICHROMACY)
def test_colour_blind_safe_palette_stays_apart(vision):
    labs = [_lab(colour[:3], _DICHROMACY[vision]) for colour in COSIA.palette("cvd").values()]
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(labs, 2))
    assert nearest >= 20, f"nearest pair of colours is {nearest:.1f} apart in CIELAB"
