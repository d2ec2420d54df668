"""A finished map: its legend, layers, answers, files and addresses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from models.nomenclature import COSIA

if TYPE_CHECKING:
    from tests.web.looking import Visit

pytestmark = pytest.mark.slow

COLOURS = {land_cover.colour_cosia for land_cover in COSIA.classes}


@pytest.fixture
def opened(visit: Visit, finished: dict[str, Any]) -> Visit:
    """The page with the finished map."""
    visit.open(f"map={finished['map']['id']}")
    visit.page.wait_for_selector("#classes .share")
    _settle(visit)
    return visit


def _settle(visit: Visit) -> None:
    visit.page.wait_for_load_state("networkidle")
    visit.page.wait_for_function(
        "() => [...document.querySelectorAll('.tile-frame')].some((tile) => tile.children.length)"
    )
    visit.page.wait_for_timeout(500)  # the last picture is decoded and laid


def test_tiles_have_the_colours_of_the_legend(opened: Visit) -> None:
    shown = set(opened.colours())
    assert shown
    assert shown <= COLOURS


def test_every_class_is_named_in_both_languages(opened: Visit) -> None:
    names = opened.page.locator(".class-name")
    assert names.all_inner_texts() == [entry.name_en.capitalize() for entry in COSIA.classes]
    opened.page.click("#to-fr")
    opened.page.wait_for_function("() => document.querySelector('.class-name').textContent === 'Bâtiment'")
    assert names.all_inner_texts() == [entry.cosia_name_fr for entry in COSIA.classes]
    assert opened.text("#legend-title") == "Légende"
    assert opened.page.get_attribute("html", "lang") == "fr"
    opened.page.reload()
    opened.page.wait_for_selector("#classes .share")
    assert opened.text("#legend-title") == "Légende", "the choice is remembered"


def test_drift_is_told_as_two_numbers_each_with_its_threshold(visit: Visit, finished: dict[str, Any]) -> None:
    shares = {"value": 0.714, "threshold": 0.5, "nearest": "ground 3"}
    sure = {"confidence": 41.2, "least_confidence": 60.0}
    drift = {**shares, **sure, "warnings": ["look at the map"]}

    def answer(route: Any) -> None:
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | {"map_drift": drift})

    visit.page.route(re.compile(r"/jobs/[0-9a-z]+$"), answer)
    visit.open(f"map={finished['map']['id']}")
    visit.page.click("#about summary")
    visit.page.wait_for_function("() => document.querySelector('#about-pairs').textContent.includes('0.71')")
    told = visit.text("#about-pairs")
    assert "0.71 (warning above 0.5)" in told
    assert "41.2 % (warning below 60 %)" in told
    assert "look at the map" in told
    visit.page.click("#to-fr")
    visit.page.wait_for_function("() => document.querySelector('#about-pairs').textContent.includes('0,71')")
    assert "41,2 % (avertissement au-dessous de 60 %)" in visit.text("#about-pairs")


def test_maps_of_models_without_a_reference_say_that_drift_is_not_known(opened: Visit) -> None:
    opened.page.click("#about summary")
    assert "not known for this model" in opened.text("#about-pairs")


def test_a_switched_class_leaves_the_tiles(opened: Visit) -> None:
    most = max(opened.colours().items(), key=lambda entry: entry[1])[0]
    entry = next(entry for entry in COSIA.classes if entry.colour_cosia == most)
    box = opened.page.locator(f".class-box[data-key='{entry.slug}']")
    box.focus()
    opened.page.keyboard.press("Space")
    _settle(opened)
    assert most not in opened.colours()
    assert opened.colours()
    opened.page.locator("li.class", has=box).hover()
    opened.page.locator("li.class", has=box).locator(".class-only").click()
    _settle(opened)
    assert set(opened.colours()) == {most}
    opened.page.click("#legend-all")
    _settle(opened)
    assert len(opened.colours()) > 1


def test_palettes_and_groupings_change_colours(opened: Visit) -> None:
    opened.page.select_option("#palette", "cvd")
    _settle(opened)
    assert set(opened.colours()) <= {entry.colour_cvd for entry in COSIA.classes}
    opened.page.select_option("#grouping", "cover")
    opened.page.wait_for_function("() => document.querySelectorAll('li.class').length === 3")
    _settle(opened)
    assert set(opened.colours()) <= {group.colour for group in COSIA.grouping("cover").groups}
    assert "style=cvd" in opened.text("#addresses")
    assert "group=cover" in opened.text("#addresses")


def test_opacity_and_confidence(opened: Visit) -> None:
    before = sum(opened.colours().values())
    opened.page.fill("#opacity-classes", "40")
    assert (
        opened.page.evaluate(
            "getComputedStyle(document.querySelector('.leaflet-classes-pane > div')).opacity"
        )
        == "0.4"
    )
    opened.page.fill("#min-confidence", "101")  # the range stops at its end
    opened.page.fill("#min-confidence", "60")
    fewer = opened.colours_once(lambda colours: 0 < sum(colours.values()) < before)
    assert 0 < sum(fewer.values()) < before
    _settle(opened)
    opened.page.check("#layer-confidence")
    _settle(opened)
    assert opened.colours("confidence")


def test_classes_and_confidence_are_seen_one_at_a_time_each_with_its_legend(opened: Visit) -> None:
    page = opened.page
    assert page.is_hidden("#ramp")
    page.check("#layer-confidence")
    assert not page.is_checked("#layer-classes")
    assert page.is_hidden("#classes")
    assert "100%" in opened.text("#ramp")
    _settle(opened)
    assert opened.colours("classes") == {}
    page.check("#layer-classes")
    assert not page.is_checked("#layer-confidence")
    assert page.is_hidden("#ramp")
    _settle(opened)
    assert opened.colours("classes")


def test_the_outline_is_that_of_the_ground(opened: Visit) -> None:
    """The photograph is Dutch, in a grid that is turned against the meridians."""
    path = opened.page.get_attribute(".footprint", "d")
    corners = [tuple(map(float, pair.split())) for pair in path.strip("Mz ").split("L")]
    xs, ys = zip(*corners, strict=True)
    assert len(set(xs)) > 2, "a box would have two"
    assert len(set(ys)) > 2


def test_every_part_of_the_panel_is_a_click_away(opened: Visit) -> None:
    for part in ("downloads", "addresses", "legend", "layers"):
        opened.page.click(f".section-link[data-to='{part}-title']")
        opened.page.wait_for_timeout(900)  # it glides there
        heading = opened.page.locator(f"#{part}-title").bounding_box()
        assert heading is not None
        assert 0 <= heading["y"] <= 720, part
        assert opened.page.evaluate("document.activeElement.id") == f"{part}-title"


def test_a_click_tells_the_class(opened: Visit) -> None:
    opened.page.mouse.click(830, 330)
    opened.page.wait_for_selector(".point-class")
    said = opened.text(".point-class")
    assert said in {entry.name_en.capitalize() for entry in COSIA.classes}
    assert "confidence" in opened.text(".point-body")
    opened.page.focus("#chart")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_timeout(500)
    assert "confidence" in opened.page.text_content("#announce")


def test_files_are_what_they_are_called(opened: Visit) -> None:
    for name, magic in (
        ("landcover.tif", b"II*\0"),
        ("landcover.qml", b"<"),
        ("preview.png", b"\x89PNG"),
        ("image.tif", b"II"),
        ("legend.svg", b"<"),
        ("item.json", b"{"),
    ):
        with opened.page.expect_download() as waiting:
            opened.page.click(f".download:has-text('{name}')")
        content = Path(waiting.value.path()).read_bytes()
        assert content.lstrip()[: len(magic)] == magic, name
        assert waiting.value.suggested_filename.startswith("apeldoorn")


def test_addresses_are_this_map_s(opened: Visit, finished: dict[str, Any]) -> None:
    said = opened.text("#addresses")
    links = finished["links"]
    for name in ("xyz", "wmts", "tilejson"):
        assert links[name]["href"] in said
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.click("#addresses button >> nth=0")
    opened.page.wait_for_function("() => document.getElementById('announce').textContent.includes('copied')")
    assert opened.page.evaluate("navigator.clipboard.readText()") == links["xyz"]["href"]


def test_the_image_lies_below_and_can_be_swept(opened: Visit) -> None:
    opened.page.wait_for_selector("#layer-image:enabled")
    _settle(opened)
    assert opened.colours("image")
    opened.page.click("#swipe-on")
    opened.page.focus("#swipe-range")
    opened.page.keyboard.press("Home")
    clip = "getComputedStyle(document.querySelector('.leaflet-classes-pane')).clipPath"
    whole = opened.page.evaluate(clip)
    opened.page.keyboard.press("End")
    assert opened.page.evaluate(clip) != whole
    opened.page.click("#swipe-on")
    assert opened.page.evaluate(clip) == "none"


def test_maps_are_listed_and_opened_again(visit: Visit, finished: dict[str, Any]) -> None:
    row = visit.page.locator(".recent-row", has_text="apeldoorn").last
    row.click()
    visit.page.wait_for_selector("#classes .share")
    assert visit.page.url.endswith(f"#map={finished['map']['id']}")
    visit.page.click("#map-back")
    visit.page.wait_for_selector("#view-home:not([hidden])")
    visit.open(f"job={finished['id']}")
    visit.page.wait_for_selector("#classes .share")
    assert visit.text("#map-title") == "apeldoorn"


def test_what_is_not_there_is_said(visit: Visit) -> None:
    visit.expected |= {404}
    visit.open("map=nothing")
    visit.page.wait_for_selector("#toast:not([hidden])")
    assert "There is no such map, or no more. Choose" in visit.text("#toast")
    visit.page.wait_for_selector("#view-home:not([hidden])")
