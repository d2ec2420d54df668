"""The server's own example: a map for those who have no orthophoto at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.looking import Visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.web.conftest import House

pytestmark = pytest.mark.slow

END_MS = 240_000


def test_an_empty_page_maps_the_example_by_keys_alone_and_steps_back_afterwards(
    browser: Browser, open_house: Callable[..., House], image: Path
) -> None:
    house = open_house(ORTHOSCAPE_EXAMPLE=str(image))
    with Visit.begin(browser, house.url, locale="fr") as visit:
        page = visit.page
        page.wait_for_selector("#example.is-wide:not([hidden])")
        assert visit.text("#example") == "Essayer un exemple"
        page.focus("#choose")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "example"
        page.keyboard.press("Enter")
        page.wait_for_selector("#map-status.is-successful", timeout=END_MS)
        assert visit.text("#map-title") == image.stem.replace("_", "-")
        assert "source=example" in visit.text("#addresses")
        visit.open("")
        page.wait_for_selector(".recent-row")
        page.click("#example.is-link")
        page.wait_for_selector("#map-status.is-successful")
        assert "identique" in visit.text("#toast"), "an equal map is given back"
        assert visit.complaints == []


def test_a_house_without_an_example_shows_no_button(visit: Visit) -> None:
    visit.page.wait_for_selector("#recent-none:not([hidden]), .recent-row")
    assert not visit.page.is_visible("#example")
