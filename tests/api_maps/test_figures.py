"""Points, counts and areas are those of the pixels."""

import csv
import io

import numpy as np
import pytest
from pyproj import Geod, Transformer

from models.nomenclature import COSIA
from tests.api_maps.conftest import LEFT, TOP

TO_DEGREES = Transformer.from_crs(2154, 4326, always_xy=True)


def test_a_point_tells_the_class_of_its_pixel(client, house, finished):
    classes_HW = house.classes(finished)
    rng = np.random.default_rng(5)
    for row, col in rng.integers(0, classes_HW.shape, size=(20, 2)).tolist():
        lon, lat = TO_DEGREES.transform(LEFT + (col + 0.5) * 0.2, TOP - (row + 0.5) * 0.2)
        told = client.get(f"/maps/{finished.id}/point/{lon:.10f},{lat:.10f}").json()
        value = int(classes_HW[row, col])
        if value == 255:
            assert told["class"] is None
            assert told["confidence"] is None
        else:
            assert told["class"]["value"] == value
            assert told["class"]["key"] == COSIA.classes[value].slug
            assert 0 <= told["confidence"] <= 100
        assert told["is_final"] is True


def test_a_point_tells_its_group_in_the_language_asked_for(client, house, finished):
    row, col = (int(axis[0]) for axis in np.nonzero(house.classes(finished) == 6))
    lon, lat = TO_DEGREES.transform(LEFT + (col + 0.5) * 0.2, TOP - (row + 0.5) * 0.2)
    query = {"group": "sealed", "lang": "fr"}
    told = client.get(f"/maps/{finished.id}/point/{lon:.10f},{lat:.10f}", params=query).json()
    assert told["class"] == {"value": 6, "key": "unsealed", "label": "Non imperméable", "color": "#a6d96a"}


@pytest.mark.parametrize("place", ["0,0", "-179.9,-89.9", "180,90"])
def test_a_point_elsewhere_has_no_class(client, finished, place):
    told = client.get(f"/maps/{finished.id}/point/{place}").json()
    assert told["class"] is None


@pytest.mark.parametrize("place", ["181,0", "0,91", "nan,0", "inf,0", "a,b", "1"])
def test_what_is_no_point_is_refused(client, finished, place):
    assert client.get(f"/maps/{finished.id}/point/{place}").status_code in (404, 422)


def test_counts_are_those_of_the_pixels(client, house, finished):
    counts = np.bincount(house.classes(finished).reshape(-1), minlength=256)
    stats = client.get(f"/maps/{finished.id}/stats.json").json()
    assert {row["values"][0]: row["count"] for row in stats["classes"]} == {
        value: int(counts[value]) for value in range(16)
    }
    assert stats["num_px"] == int(counts[:255].sum())
    assert sum(row["share"] for row in stats["classes"]) == pytest.approx(1, abs=1e-6)


def test_areas_are_those_of_the_ellipsoid(client, house, finished):
    height, width = house.classes(finished).shape
    right, bottom = LEFT + width * 0.2, TOP - height * 0.2
    t = np.linspace(0, 1, 50)
    x = np.concatenate(
        [LEFT + (right - LEFT) * t, np.full(50, right), right - (right - LEFT) * t, np.full(50, LEFT)]
    )
    y = np.concatenate(
        [np.full(50, TOP), TOP - (TOP - bottom) * t, np.full(50, bottom), bottom + (TOP - bottom) * t]
    )
    whole_m2 = abs(Geod(ellps="WGS84").polygon_area_perimeter(*TO_DEGREES.transform(x, y))[0])
    stats = client.get(f"/maps/{finished.id}/stats.json").json()
    share = stats["num_px"] / (height * width)
    assert stats["area_m2"] == pytest.approx(whole_m2 * share, rel=1e-4)
    assert stats["area_m2"] == pytest.approx(
        stats["num_px"] * 0.04, rel=6e-3
    )  # Lambert-93's own error at most
    assert sum(row["area_m2"] for row in stats["classes"]) == pytest.approx(stats["area_m2"], abs=0.2)
    assert stats["area_spread"] < 1e-3


def test_the_table_holds_the_same_figures(client, finished):
    stats = client.get(f"/maps/{finished.id}/stats.json", params={"group": "cover"}).json()
    response = client.get(f"/maps/{finished.id}/stats.csv", params={"group": "cover"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [row["key"] for row in rows] == ["vegetation", "mineral", "water"]
    for row, told in zip(rows, stats["classes"], strict=True):
        assert int(row["count"]) == told["count"]
        assert float(row["area_m2"]) == told["area_m2"]
