"""A legend names every colour of a map, in both languages, alike in JSON, SVG and PNG."""

import io
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from models.errors import NomenclatureUnknown
from models.nomenclature import COSIA, parse_colour
from service.catalogue.drawing import legend_png
from service.catalogue.legends import LegendOptions, legend_json, legend_size, legend_svg, make_legend
from service.catalogue.styles import PALETTES
from service.lettering import font_of

GROUPINGS = [None, *(grouping.key for grouping in COSIA.groupings)]


def pixels_of(png: bytes):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize("style", PALETTES)
@pytest.mark.parametrize("grouping", GROUPINGS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_form_of_a_legend_shows_every_colour(style, grouping, language):
    legend = make_legend(COSIA, LegendOptions(style=style, grouping=grouping, language=language))
    values = [value for entry in legend.entries for value in entry.values]
    assert sorted(values) == list(range(16))
    drawn = {tuple(colour) for colour in pixels_of(legend_png(legend)).reshape(-1, 3).tolist()}
    root = ET.fromstring(legend_svg(legend))  # noqa: S314  our own bytes
    filled = {element.get("fill") for element in root.iter("{http://www.w3.org/2000/svg}rect")}
    for entry in legend.entries:
        assert parse_colour(entry.colour)[:3] in drawn
        assert entry.colour in filled
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [legend.title, *(entry.label for entry in legend.entries)]
    assert [entry["label"] for entry in legend_json(legend)["entries"]] == texts[1:]


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_picture_has_the_size_that_capabilities_tell(scale):
    legend = make_legend(COSIA, LegendOptions(language="fr"))
    width, height = legend_size(legend)
    assert pixels_of(legend_png(legend, scale=scale)).shape == (height * scale, width * scale, 3)


def test_nothing_is_written_beyond_the_page():
    legend = make_legend(COSIA, LegendOptions(language="fr", grouping="ocsge"), pixel_counts={0: 1, 11: 2})
    pixels_HW3 = pixels_of(legend_png(legend, scale=2))
    for rim in (pixels_HW3[:4], pixels_HW3[-4:], pixels_HW3[:, :4], pixels_HW3[:, -4:]):
        assert (rim == 255).all()


def test_what_occurs_comes_largest_first_and_shares_add_up():
    counts = {8: 10, 0: 30, 6: 60}
    legend = make_legend(COSIA, LegendOptions(is_occurring_only=True), pixel_counts=counts)
    assert [entry.values for entry in legend.entries] == [(6,), (0,), (8,)]
    assert sum(entry.share for entry in legend.entries) == pytest.approx(1)
    grouped = make_legend(
        COSIA, LegendOptions(grouping="sealed", is_occurring_only=True), pixel_counts=counts
    )
    assert {entry.key: entry.num_px for entry in grouped.entries} == {"sealed": 30, "unsealed": 70}


def test_a_filter_leaves_what_it_shows():
    legend = make_legend(COSIA, LegendOptions(classes=frozenset({0, 6})))
    assert [entry.key for entry in legend.entries] == ["building", "water"]


def test_the_typeface_has_the_accents_of_every_name():
    missing = font_of(20).getmask("\u0378").getbbox()  # an unassigned character: the box of missing ones
    for grouping in GROUPINGS:
        legend = make_legend(COSIA, LegendOptions(language="fr", grouping=grouping))
        for letter in set("".join(entry.label for entry in legend.entries)) - {" "}:
            mask = font_of(20).getmask(letter)
            assert mask.getbbox() != missing or bytes(mask) != bytes(font_of(20).getmask("\u0378")), letter


def test_an_unknown_grouping_is_named_with_those_there_are():
    with pytest.raises(NomenclatureUnknown, match="sealed, cover, ocsge"):
        make_legend(COSIA, LegendOptions(grouping="nope"))
