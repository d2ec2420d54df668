"""The QGIS style names every class of the palette in its colour."""

from xml.etree import ElementTree as ET

import pytest

from models.nomenclature import COSIA
from service.catalogue.qml import qgis_style


@pytest.mark.parametrize("style", ["cosia", "flair", "cvd"])
def test_every_class_has_its_value_colour_and_name(style):
    root = ET.fromstring(qgis_style(COSIA, style=style).split("\n", 1)[1])  # noqa: S314  our own bytes
    entries = root.findall("./pipe/rasterrenderer/colorPalette/paletteEntry")
    palette = COSIA.palette(style)
    assert [int(entry.get("value")) for entry in entries] == list(range(16))
    for entry, land_cover in zip(entries, COSIA.classes, strict=True):
        red, green, blue, _ = palette[land_cover.value]
        assert entry.get("color") == f"#{red:02x}{green:02x}{blue:02x}"
        assert entry.get("label") == land_cover.name_en.capitalize()


def test_french_names_are_those_of_cosia():
    assert 'label="Terre labourée"' in qgis_style(COSIA, language="fr")


def test_a_grouping_keeps_values_and_takes_the_names_and_colours_of_groups():
    root = ET.fromstring(qgis_style(COSIA, grouping="sealed").split("\n", 1)[1])  # noqa: S314  our own bytes
    entries = root.findall("./pipe/rasterrenderer/colorPalette/paletteEntry")
    assert [int(entry.get("value")) for entry in entries] == list(range(16))
    grouping = COSIA.grouping("sealed")
    for value, entry in enumerate(entries):
        group = grouping.group_of(value)
        assert (entry.get("color"), entry.get("label")) == (group.colour, group.name_en.capitalize())
