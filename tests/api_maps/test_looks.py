"""Style, grouping, filter and least confidence are in the address and change the picture as they say."""

import io
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from PIL import Image

from models.nomenclature import COSIA, parse_colour
from tests.api_maps.conftest import native_tiles, under


@pytest.fixture(scope="module")
def truth(house, finished):
    """Classes and confidence under a native tile."""
    tile = native_tiles()[0]
    (sheet,) = house.store.planned(finished.job_id).plan.sheets
    with rasterio.open(house.folder(finished).products(sheet).confidence) as file:
        confidence_HW = file.read(1)
    return tile, under(tile, house.classes(finished)), under(tile, confidence_HW)


def coloured(classes_HW, colour_of):
    rgb_HW3 = np.zeros((*classes_HW.shape, 3), dtype=np.uint8)
    for value, colour in colour_of.items():
        rgb_HW3[classes_HW == value] = colour[:3]
    return rgb_HW3, np.isin(classes_HW, list(colour_of))


def assert_drawn(drawn, expected_HW3, is_shown_HW):
    assert (drawn.shown_HW == is_shown_HW).all()
    assert (drawn.rgba_HW4[is_shown_HW][:, :3] == expected_HW3[is_shown_HW]).all()


@pytest.mark.parametrize("style", ["cosia", "flair", "cvd"])
def test_a_palette_colours_the_classes(draw, finished, truth, style):
    tile, classes_HW, _ = truth
    drawn = draw(finished, *tile, tms="2154_10cm/", style=style)
    assert_drawn(drawn, *coloured(classes_HW, COSIA.palette(style)))


@pytest.mark.parametrize(
    "query", [{"style": "ocsge"}, {"group": "ocsge"}, {"style": "cvd", "group": "ocsge"}]
)
def test_a_grouping_colours_its_groups(draw, finished, truth, query):
    tile, classes_HW, _ = truth
    groups = COSIA.grouping("ocsge").groups
    colour_of = {value: parse_colour(group.colour) for group in groups for value in group.values}
    assert_drawn(draw(finished, *tile, tms="2154_10cm/", **query), *coloured(classes_HW, colour_of))


@pytest.mark.parametrize("classes", ["6,13", "water,coniferous", "water, 13"])
def test_a_filter_shows_its_classes_alone(draw, finished, truth, classes):
    tile, classes_HW, _ = truth
    colour_of = {value: colour for value, colour in COSIA.palette().items() if value in (6, 13)}
    assert_drawn(draw(finished, *tile, tms="2154_10cm/", classes=classes), *coloured(classes_HW, colour_of))


def test_least_confidence_leaves_out_what_is_less_sure(draw, finished, truth):
    tile, classes_HW, confidence_HW = truth
    least = int(np.median(confidence_HW[confidence_HW < 255]))
    drawn = draw(finished, *tile, tms="2154_10cm/", min_confidence=least)
    sure_HW = np.where(confidence_HW >= least, classes_HW, 255)
    assert 0 < (sure_HW < 255).sum() < (classes_HW < 255).sum()
    assert_drawn(drawn, *coloured(sure_HW, COSIA.palette()))


def test_confidence_is_a_product_of_its_own(draw, finished, truth):
    tile, classes_HW, confidence_HW = truth
    drawn = draw(finished, *tile, tms="2154_10cm/", product="confidence")
    assert (drawn.shown_HW == (classes_HW < 255)).all()
    for percent in np.unique(confidence_HW[confidence_HW < 255]):
        assert len({tuple(colour) for colour in drawn.rgba_HW4[confidence_HW == percent].tolist()}) == 1


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ({"style": "nope"}, 422, "cosia"),
        ({"group": "nope"}, 404, "sealed"),
        ({"classes": "nope"}, 422, "/classes"),
        ({"classes": "16"}, 422, "/classes"),
        ({"min_confidence": "-1"}, 422, "100"),
        ({"min_confidence": "101"}, 422, "100"),
        ({"product": "nope"}, 422, "confidence"),
    ],
)
def test_what_is_no_look_is_refused_with_those_there_are(client, finished, query, status, word):
    response = client.get(f"/maps/{finished.id}/tiles/3/0/0.png", params=query)
    assert response.status_code == status
    assert word in response.json()["remedy"]


def test_tilejson_carries_the_look_on(client, finished):
    layer = client.get(
        f"/maps/{finished.id}/tilejson.json", params={"style": "cvd", "classes": "6", "lang": "fr"}
    ).json()
    assert "style=cvd" in layer["tiles"][0]
    assert "classes=6" in layer["tiles"][0]
    assert [entry["label"] for entry in layer["legend_json"]["entries"]] == ["Surface eau"]


@pytest.mark.parametrize(
    ("headers", "query", "label"),
    [
        ({}, {}, "Building"),
        ({"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.8"}, {}, "Bâtiment"),
        ({"Accept-Language": "de, en;q=0.5, fr;q=0.1"}, {}, "Building"),
        ({"Accept-Language": "fr"}, {"lang": "en"}, "Building"),
        ({}, {"lang": "fr"}, "Bâtiment"),
    ],
)
def test_the_address_names_the_language_then_the_browser(client, finished, headers, query, label):
    legend = client.get(f"/maps/{finished.id}/legend.json", params=query, headers=headers).json()
    assert legend["entries"][0]["label"] == label


def test_legends_come_in_three_forms_with_what_occurs(client, finished):
    counts = {
        entry["key"]: entry["count"]
        for entry in client.get(f"/maps/{finished.id}/legend.json").json()["entries"]
    }
    assert sum(counts.values()) == sum(finished.pixel_counts.values())
    query = {"occurring": "true", "lang": "fr", "counts": "false"}
    shown = client.get(f"/maps/{finished.id}/legend.json", params=query).json()["entries"]
    assert {entry["key"] for entry in shown} == {key for key, count in counts.items() if count}
    assert all("count" not in entry for entry in shown)
    picture = client.get(f"/maps/{finished.id}/legend.png", params={"scale": 2})
    assert picture.content.startswith(b"\x89PNG")
    drawing = client.get(f"/maps/{finished.id}/legend.svg")
    assert drawing.headers["content-type"].startswith("image/svg+xml")
    assert client.get(f"/maps/{finished.id}/legend.png", params={"scale": 9}).status_code == 422


def test_the_legend_has_the_size_that_capabilities_tell(client, finished):
    text = client.get(f"/maps/{finished.id}/WMTSCapabilities.xml", params={"lang": "fr"}).content
    for legend in ET.fromstring(text).iter("{http://www.opengis.net/wmts/1.0}LegendURL"):  # noqa: S314  our own
        href = legend.get("{http://www.w3.org/1999/xlink}href")
        picture = client.get(href)
        with Image.open(io.BytesIO(picture.content)) as image:
            assert image.size == (int(legend.get("width")), int(legend.get("height")))
