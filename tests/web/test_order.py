"""Ordering a map: files come in, the service says what it would do, the job starts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Route

    from tests.web.looking import Visit

pytestmark = pytest.mark.slow


def test_a_dropped_file_is_answered_before_anything_starts(visit: Visit, image: Path) -> None:
    visit.drop(image)
    visit.take_model()
    assert visit.text("#preflight-title") == "Ready to start"
    figures = visit.text("#preflight .figures")
    assert "6.25 ha" in figures
    assert "1 Mpx" in figures
    assert "0.25 m" in figures
    assert "red, green, blue" in visit.text("#preflight")
    assert visit.page.is_enabled("#start")
    assert visit.page.locator(".footprint.is-planned").count() == 1


def test_names_tell_what_files_are_and_users_have_the_last_word(
    visit: Visit, image: Path, tmp_path: Path
) -> None:
    names = ("74-2023-0940-6540-LA93-0M20-E080.tif", "74-2023-0940-6540-LA93-0M20-IRC-E080.tif", "notes.txt")
    for name in names:
        shutil.copyfile(image, tmp_path / name)
    visit.expected |= {422}
    visit.choose(*(tmp_path / name for name in names))
    visit.page.wait_for_selector(".file-role")
    roles = visit.page.locator(".file-role")
    assert [roles.nth(row).input_value() for row in range(3)] == ["file", "irc", "none"]
    roles.nth(1).select_option("none")
    visit.take_model()
    assert visit.page.is_enabled("#start")
    visit.page.locator(".file .is-bare").nth(2).click()
    assert roles.count() == 2


def test_a_refusal_says_what_to_do_and_doing_it_helps(visit: Visit, make_raster: Callable[..., Path]) -> None:
    visit.expected |= {422}
    visit.choose(make_raster("nowhere.tif", crs=None, shape=(3, 300, 300)))
    visit.page.wait_for_selector(".preflight.is-refused")
    said = visit.text("#preflight")
    assert "nowhere.tif" in said
    assert "What to do" in said
    assert "source_crs" not in said, "the page's own words"
    assert visit.page.is_disabled("#start")
    assert visit.page.is_visible("#source-crs[aria-invalid]"), "where it can be mended is open"
    visit.page.fill("#source-crs", "EPSG:2154")
    visit.page.press("#source-crs", "Enter")
    visit.page.wait_for_selector(".preflight.is-ready, .preflight.is-warned")
    assert visit.page.is_enabled("#start")
    assert visit.page.locator("[aria-invalid], .is-faulty").count() == 0


def test_a_refusal_is_in_sight_below_many_files_and_marks_the_one_it_means(
    visit: Visit, image: Path, tmp_path: Path
) -> None:
    names = [f"74-2023-09{number}-6540-LA93-0M20-E080.tif" for number in range(40, 46)]
    for name in names:
        shutil.copyfile(image, tmp_path / name)
    (tmp_path / "torn.tif").write_bytes(b"no raster at all")
    visit.expected |= {415, 422}
    visit.choose(*(tmp_path / name for name in [*names[:3], "torn.tif", *names[3:]]))
    visit.page.wait_for_selector(".preflight.is-refused")
    faulty = visit.page.locator(".is-faulty")
    assert faulty.count() == 1
    assert "torn.tif" in faulty.inner_text().replace("\n", "")
    remedy, start = (visit.page.locator(place).bounding_box() for place in (".remedy", ".bottom-bar"))
    assert remedy is not None
    assert start is not None
    assert remedy["y"] + remedy["height"] <= start["y"] + 12, "its gradient may touch it"


def test_what_is_refused_is_said_in_the_language_of_the_page(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "torn.tif").write_bytes(b"no raster at all")
    visit.expected |= {415}
    visit.choose(tmp_path / "torn.tif")
    visit.page.wait_for_selector(".preflight.is-refused")
    visit.page.click("#to-fr")
    assert visit.text(".reason").startswith("Ce fichier est")
    assert "Donnez un GeoTIFF" in visit.text(".remedy")
    assert visit.page.get_attribute(".detail", "lang") == "en"


def test_a_map_is_shown_by_its_title_with_its_name_beneath(visit: Visit, image: Path) -> None:
    visit.choose(image)
    visit.take_model()
    visit.page.click("#view-compose summary")
    visit.page.fill("#map-name", "peace")
    visit.page.fill("#asked-title", "Paix & châteaux")
    with visit.page.expect_response("**/predict"):
        visit.page.check("#force")
    visit.start()
    expect(visit.page.locator("#map-title")).to_have_text("Paix & châteaux")
    expect(visit.page.locator("#map-facts")).not_to_be_empty()
    assert visit.text("#map-facts").startswith("peace · ")
    visit.page.wait_for_selector("#map-status.is-successful", timeout=240_000)
    visit.page.click("#map-back")
    row = visit.page.locator(".recent-row", has_text="Paix & châteaux").first
    assert "peace" in row.inner_text()
    row.locator(".thumb img").wait_for()
    picture = "(image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"
    assert row.locator(".thumb img").evaluate(picture) == [176, 176]


def test_a_file_that_is_no_raster_is_refused(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "page.tif").write_text("<html>not a raster at all, though it is called one</html>" * 20)
    visit.expected |= {415, 422}
    visit.choose(tmp_path / "page.tif")
    visit.page.wait_for_selector(".preflight.is-refused")
    assert "page.tif" in visit.text("#preflight")


def test_large_files_go_in_pieces_and_outlive_a_broken_network(visit: Visit, large_image: Path) -> None:
    offsets: list[int] = []
    breaks = iter([True])

    def carry(route: Route) -> None:
        offsets.append(int(route.request.headers.get("upload-offset", -1)))
        if route.request.method == "PATCH" and offsets[-1] > 0 and next(breaks, False):
            route.abort("internetdisconnected")
        else:
            route.continue_()

    visit.page.route("**/uploads/*", carry)
    visit.choose(large_image)
    visit.page.wait_for_selector(".preflight.is-ready, .preflight.is-warned")
    pieces = [offset for offset in offsets if offset >= 0]
    assert len(pieces) > len(set(pieces)), "the piece that was lost is sent again"
    assert sorted(set(pieces)) == [0, 16 * 2**20]
    assert "9 Mpx" in visit.text("#preflight")


def test_leaving_an_order_forgets_it(visit: Visit, image: Path) -> None:
    visit.choose(image)
    visit.page.wait_for_selector(".preflight.is-ready, .preflight.is-warned")
    visit.page.click("#compose-close")
    visit.page.wait_for_selector("#view-home:not([hidden])")
    assert visit.page.locator(".file").count() == 0
    assert visit.page.is_visible("#welcome")
