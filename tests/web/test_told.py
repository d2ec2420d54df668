"""What the service says, on the page: its problems by their kind, its notes by their form."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import service
import service.web
from models.drift import Drift
from models.map_drift import MapDrift
from service.api.crew import NOBODY, Crew
from service.api.problems import TYPE_PREFIX, problem_of
from service.intake.drifting import drift_warning
from service.intake.map_drifting import map_drift_warnings
from service.planning.placing import choose_grid
from service.rasters.bands import _remedy
from service.rasters.errors import MissingCrs
from service.tiles.palette import _RAMP

JS = Path(service.web.__file__).parent / "js"
WORDS = (JS / "problemwords.js").read_text(encoding="utf-8")
TOLD = (JS / "told.js").read_text(encoding="utf-8")

_PAIR = re.compile(r'\[\s*"((?:[^"\\]|\\.)+)",\s*"((?:[^"\\]|\\.)+)",?\s*\]')


def kinds_told() -> set[str]:
    """The kinds of problems that the page has words for."""
    return set(re.findall(r'^  "?([\w-]+)"?: \{', WORDS, re.MULTILINE))


def kinds_there_are() -> set[str]:
    """The kinds of problems that the service can answer with: names of its errors, in kebab case."""
    names = {
        name
        for path in Path(service.__file__).parent.rglob("*.py")
        for name in re.findall(r"^class (\w+)\(\w+\):", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    return {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower() for name in names}


def test_every_kind_with_words_is_one_that_the_service_knows() -> None:
    assert len(kinds_told()) > 30
    assert kinds_told() - kinds_there_are() == set()


def test_words_of_problems_are_in_both_languages_and_name_no_field_of_the_api() -> None:
    pairs = _PAIR.findall(WORDS)
    assert len(pairs) > 60
    for english, french in pairs:
        assert english != french
        for text in (english, french):
            assert not re.search(r"source_crs|--\w|\bcurl\b|POST|GET|ORTHOSCAPE", text), text


def test_a_problem_s_kind_is_the_end_of_its_type() -> None:
    answer = problem_of(MissingCrs("a.tif has no CRS"))
    assert f"{TYPE_PREFIX}missing-crs".encode() in answer.body
    assert "missing-crs" in kinds_told()
    assert '.split(":").at(-1)' in (JS / "http.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("bands", "wanted", "found", "case"),
    [
        (1, ("red", "green", "blue"), {}, "one band holds no colours"),
        (3, ("red", "green", "blue"), {"nir": 1, "red": 2, "green": 3}, "this is an infrared twin"),
        (3, ("red", "green", "blue", "nir"), {"red": 1, "green": 2, "blue": 3}, "give the near infrared"),
        (3, ("red", "height"), {"red": 1}, "height above ground"),
    ],
)
def test_cases_of_missing_bands_are_told_by_the_service_s_remedy(bands, wanted, found, case) -> None:
    band = SimpleNamespace(colour="undefined", alpha_is_binary=None)
    remedy = _remedy(SimpleNamespace(bands=[band] * bands), wanted, found)
    assert case in remedy
    assert f"/{case}/" in WORDS


def _forms() -> list[re.Pattern[str]]:
    found = re.findall(r"^  \[/(.+?)/, \"", TOLD, re.MULTILINE)
    return [re.compile(pattern) for pattern in found]


def _reasons() -> list[str]:
    """Why scenes are resampled, as the planning says it."""
    usual = {
        "path": "ortho.tif",
        "crs_is_geographic": False,
        "is_rotated": False,
        "epsg": 2154,
        "crs_wkt": 'LOCAL_CS["x"]',
        "transform": (0.2, 0.0, 700_000.0, 0.0, -0.2, 6_600_000.0),
        "gsd_m": (0.2, 0.2),
        "bounds_degrees": (3.0, 46.0, 3.1, 46.1),
    }
    model = SimpleNamespace(min=0.15, max=0.5, nominal=0.2)
    others = [
        {"gsd_m": (0.05, 0.05)},
        {"gsd_m": (0.8, 0.8)},
        {"is_rotated": True},
        {"gsd_m": (0.2, 0.3)},
    ]
    return [
        f"ortho.tif: {choose_grid(SimpleNamespace(**(usual | change)), model).reason}" for change in others
    ]


def test_notes_and_messages_of_the_service_are_known_to_the_page() -> None:
    crew = Crew(
        SimpleNamespace(fleet=SimpleNamespace(workers=lambda: [SimpleNamespace(profile_class="cpu")]))
    )
    said = [
        *_reasons(),
        "ortho.tif: its pixels are degrees: resampled to 0.2 m in EPSG:32631",
        "irc.tif is not used: compact-rgb reads red, green, blue",
        "ortho.tif: band 4 is not read, since nothing says what it is; name the bands to have it read",
        drift_warning(Drift(value=3.1, threshold=2.0, nearest="dubai: Dubai_tile-2"), model="compact-rgb"),
        *map_drift_warnings(
            MapDrift(
                value=0.71,
                threshold=0.5,
                nearest="dubai: Dubai_tile-2",
                confidence=41.2,
                least_confidence=60.0,
            ),
            model="compact-rgb",
        ),
        NOBODY,
        crew.word_on("gpu"),
        "waits for its turn",
        "waits for a worker: none is alive",
        "0 of 2 sheets are finished",
    ]
    for text in said:
        assert any(form.search(text) for form in _forms()), text


def test_the_ramp_of_the_legend_is_that_of_the_tiles() -> None:
    stops = re.findall(r'\[(\d+), "(#[0-9a-f]{6})"\]', (JS / "ramp.js").read_text(encoding="utf-8"))
    assert tuple((int(percent), colour) for percent, colour in stops) == _RAMP
