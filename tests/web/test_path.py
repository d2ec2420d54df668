"""The whole way of a real orthophoto: dropped onto the page, watched, read, kept as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import rasterio

from models.nomenclature import COSIA

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import House
    from tests.web.looking import Visit

pytestmark = pytest.mark.slow

END_MS = 240_000
"""Longest that a job is waited for; some seconds where nothing else runs."""
COLOURS = {land_cover.colour_cosia for land_cover in COSIA.classes}


def order(visit: Visit, path: Path) -> str:
    """Drop a file and have it mapped anew; returns the id of the map."""
    visit.drop(path)
    visit.take_model()
    if not visit.page.is_visible("#force"):  # what was unfolded once stays so
        visit.page.click("#view-compose summary")
    with visit.page.expect_response("**/predict"):
        visit.page.check("#force")
    with visit.page.expect_response(lambda answer: answer.status == 201 and "/predict" in answer.url) as told:
        visit.start()
    map_id: str = told.value.json()["map"]["id"]
    return map_id


@pytest.mark.parametrize("name", ["test_tiled.tif", "m_3607717_sw_18_1_20160620_subset.tif"])
def test_from_the_drop_of_an_orthophoto_to_the_file_of_its_map(
    visit: Visit, house: House, real_data: Callable[[str], Path], name: str
) -> None:
    dropped, page = real_data(f"ortho_e2e/{name}"), visit.page
    made = order(visit, dropped)
    page.wait_for_selector("#map-status.is-running, #map-status.is-successful")
    page.wait_for_selector("#map-status.is-successful", timeout=END_MS)
    page.wait_for_selector("#classes .share")
    page.wait_for_function("() => document.querySelector('.tile-classes img')")
    page.wait_for_timeout(800)
    shown = set(visit.colours())
    assert shown
    assert shown <= COLOURS
    legend = page.locator(".class-name").all_inner_texts()
    assert legend == [entry.name_en.capitalize() for entry in COSIA.classes]

    page.click("#map-back")
    page.wait_for_selector("#view-home:not([hidden])")
    other = order(visit, real_data("ortho_e2e/test_tiled.tif"))
    page.click("#cancel")
    page.click("#ask-yes")
    page.wait_for_selector("#map-status.is-dismissed")

    visit.open(f"map={made}")
    page.wait_for_selector("#map-status.is-successful", state="attached")
    with page.expect_download() as waiting:
        page.click(".download:has-text('landcover.tif')")
    content = Path(waiting.value.path()).read_bytes()
    (kept,) = (house.home / "maps" / made / "sheets").glob("*/landcover.tif")
    assert content == kept.read_bytes() == httpx.get(f"{house.url}maps/{made}/landcover.tif").content
    assert not list((house.home / "maps" / other / "sheets").glob("*/landcover.tif"))
    with rasterio.open(kept) as there, rasterio.open(dropped) as source:
        assert there.crs == source.crs
        assert there.bounds == pytest.approx(source.bounds, abs=source.res[0])
        assert set(there.read(1).ravel()) <= {entry.value for entry in COSIA.classes}
