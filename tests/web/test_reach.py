"""The page for those who do not use a mouse, do not see, use a phone, or need a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.web.looking import Visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, FileChooser

    from tests.web.conftest import House

pytestmark = pytest.mark.slow

_NAMELESS = """() => [...document.querySelectorAll("a[href], button, input, select, summary")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .filter((one) => !(one.getAttribute("aria-label") || one.labels?.length || one.textContent.trim()))
  .map((one) => one.outerHTML.slice(0, 120))"""

_FAINT = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return parse(getComputedStyle(document.documentElement).backgroundColor);
  };
  const found = [];
  for (const one of document.querySelectorAll("#panel *, .masthead *")) {
    const says = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const isSeen = one.checkVisibility({ opacityProperty: true }) && !one.closest(":disabled, .is-pending");
    if (!says || !isSeen) continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${one.className} ${one.textContent.trim()}`);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_has_a_name_and_can_be_read(
    browser: Browser, house: House, finished: dict[str, Any], scheme: str
) -> None:
    with Visit.begin(browser, house.url, color_scheme=scheme) as visit:
        visit.page.wait_for_selector(".recent-row")
        for part in ("", f"map={finished['map']['id']}"):
            visit.open(part)
            if part:
                visit.page.wait_for_selector("#classes .share")
                visit.page.click("#about summary")
            assert visit.page.evaluate(_NAMELESS) == []
            assert visit.page.evaluate(_FAINT) == []
        assert visit.complaints == []


def test_a_map_is_ordered_by_keys_alone(visit: Visit, image: Path) -> None:
    page = visit.page
    choosers: list[FileChooser] = []
    # Heard of from the start: asked for as the key is pressed, the browser may open its own dialog first.
    page.on("filechooser", lambda chooser: choosers.append(chooser))  # noqa: PLW0108 - it wants a function
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "choose"
    page.keyboard.press("Enter")
    if not choosers:
        page.wait_for_event("filechooser")
    choosers[0].set_files(str(image))
    page.wait_for_selector("#start:enabled")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "start":
            break
    assert page.evaluate("document.activeElement.id") == "start"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_policy_of_the_page_is_strict(visit: Visit) -> None:
    answer = visit.page.goto(visit.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_cut_off(browser: Browser, house: House, finished: dict[str, Any], width: int) -> None:
    with Visit.begin(browser, house.url, viewport={"width": width, "height": 760}, locale="fr") as visit:
        visit.open(f"map={finished['map']['id']}")
        visit.page.wait_for_selector("#classes .share")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        assert visit.page.evaluate("document.getElementById('panel').scrollWidth") <= width
        assert visit.page.evaluate("document.getElementById('chart').getBoundingClientRect().height") > 250
        assert visit.text("#map-status") == "terminée", "the browser's language is taken"


def test_a_phone_is_invited_once_and_not_to_drop(browser: Browser, house: House) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with Visit.begin(browser, house.url, **phone) as visit:
        visit.page.wait_for_selector("#choose")
        seen = visit.page.evaluate("document.body.innerText")
        assert "Drop" not in seen
        invitation = visit.page.locator("#invite").bounding_box()
        stage = visit.page.locator("#stage").bounding_box()
        assert stage is not None
        assert invitation is None or stage["height"] == 0
        assert visit.text("#choose") == "Choose an orthophoto"


def test_the_page_is_as_tall_as_its_window(visit: Visit, finished: dict[str, Any]) -> None:
    for part in ("", f"map={finished['map']['id']}"):
        visit.open(part)
        visit.page.wait_for_timeout(500)
        assert visit.page.evaluate("document.documentElement.scrollHeight === window.innerHeight")


def test_those_who_ask_for_stillness_get_it(browser: Browser, house: House, finished: dict[str, Any]) -> None:
    with Visit.begin(browser, house.url, reduced_motion="reduce") as visit:
        visit.open(f"map={finished['map']['id']}")
        visit.page.wait_for_selector("#classes .share")
        assert visit.page.evaluate("document.querySelector('.leaflet-zoom-anim')") is None


def test_a_house_with_keys_asks_for_one(
    browser: Browser, open_house: Callable[..., House], image: Path
) -> None:
    house = open_house()
    key = house.command("keys", "create", "reader")
    with Visit.begin(browser, house.url) as visit:
        visit.expected |= {401, 403}
        visit.page.reload()
        visit.page.wait_for_selector("#key-dialog[open]")
        visit.page.fill("#key", "osk_wrong")
        visit.page.click("#key-dialog button")
        visit.page.wait_for_selector("#key-trouble:not([hidden])")
        visit.page.fill("#key", key)
        visit.page.click("#key-dialog button")
        visit.page.wait_for_selector("#recent-none:not([hidden])")
        visit.choose(image)
        visit.take_model()
        visit.start()
        visit.page.wait_for_selector("#map-status.is-successful", timeout=240_000)
        visit.page.wait_for_timeout(1500)
        assert visit.colours(), "tiles carry the key"
        assert f"key={key}" in visit.text("#addresses")
        assert key not in visit.page.url
        assert visit.complaints == []
