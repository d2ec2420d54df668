"""A job as it goes: coloured while it runs, stopped and taken up again, told to those who do not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.web.looking import Visit

pytestmark = pytest.mark.slow

END_MS = 240_000
"""Longest that a job is waited for; some seconds where nothing else runs."""

_NOTE_EMPTY_FRAMES = """() => {
  window.emptied = 0;
  const seen = new WeakSet();
  const look = () => {
    for (const frame of document.querySelectorAll(".tile-frame")) {
      if (frame.childElementCount > 0) seen.add(frame);
      else if (seen.has(frame)) window.emptied += 1;
    }
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture
def running(visit: Visit, image: Path) -> Visit:
    """A job of many small blocks that has just begun."""
    _order_anew(visit, image)
    return visit


def _order_anew(visit: Visit, image: Path) -> None:
    visit.choose(image)
    visit.take_model()
    visit.page.click("#view-compose summary")
    with visit.page.expect_response("**/predict"):
        visit.page.check("#force")
    visit.start()


_PART = "+document.querySelector('.progress-bar')?.getAttribute('aria-valuenow')"


def _percent(page: Page) -> float:
    return float(page.get_attribute(".progress-bar", "aria-valuenow") or 0)


def test_a_map_fills_in_while_it_is_made(running: Visit) -> None:
    page = running.page
    page.wait_for_function(f"() => {_PART} >= 5")
    page.evaluate(_NOTE_EMPTY_FRAMES)
    page.wait_for_function("() => document.querySelector('.tile-classes img')")
    early = running.colours_once(bool)
    assert _percent(page) < 100
    assert early, "blocks are seen while others wait"
    assert page.locator(".lattice").count() > 0
    page.wait_for_function(f"() => {_PART} >= {_percent(page) + 10}")
    page.wait_for_timeout(1200)
    later = running.colours()
    assert sum(later.values()) > sum(early.values())
    page.wait_for_selector("#map-status.is-successful", timeout=END_MS)
    page.wait_for_timeout(1200)
    assert sum(running.colours().values()) >= sum(later.values())
    assert page.evaluate("window.emptied") == 0, "no tile that was there has vanished"
    assert page.is_hidden("#progress")
    assert page.locator(".lattice:not(.is-settled)").count() == 0
    assert "%" in running.text("#classes .share >> nth=0")
    assert "finished" in page.text_content("#announce")  # said to screen readers


def test_a_job_is_cancelled_on_second_thoughts_and_resumed(running: Visit) -> None:
    page = running.page
    page.wait_for_function(f"() => {_PART} >= 2")
    page.click("#cancel")
    page.click("#ask-no")
    assert page.locator("#map-status.is-running").count() == 1
    page.click("#cancel")
    assert "can be resumed" in running.text("#ask-text")
    page.click("#ask-yes")
    page.wait_for_selector("#map-status.is-dismissed")
    kept = running.text("#progress")
    assert "blocks are done and kept" in kept
    page.click("#resume")
    page.wait_for_selector("#map-status.is-running, #map-status.is-successful")
    page.wait_for_selector("#map-status.is-successful", timeout=END_MS)


def test_where_no_stream_comes_through_the_page_looks_by_itself(visit: Visit, image: Path) -> None:
    visit.page.route("**/events", lambda route: route.abort("connectionreset"))
    _order_anew(visit, image)
    visit.page.wait_for_selector("#map-status.is-successful", timeout=END_MS)
    visit.page.wait_for_timeout(800)
    assert visit.colours()
