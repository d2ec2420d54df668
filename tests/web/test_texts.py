"""The page as it is written: what any browser would trip over, without one."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import service.web

WEB = Path(service.web.__file__).parent
PAGE = (WEB / "index.html").read_text(encoding="utf-8")
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in sorted((WEB / "js").glob("*.js"))}
STYLES = {path.name: path.read_text(encoding="utf-8") for path in sorted((WEB / "css").glob("*.css"))}

_ENTRY = re.compile(r'^  (\w+): \[\s*((?:"(?:[^"\\]|\\.)*",?\s*)+)\],', re.MULTILINE)
_PLACE = re.compile(r"\{(\w+)\}")


def texts() -> dict[str, list[str]]:
    """Every text of the page, by its key."""
    return {
        key: re.findall(r'"((?:[^"\\]|\\.)*)"', both) for key, both in _ENTRY.findall(SCRIPTS["strings.js"])
    }


class Elements(HTMLParser):
    """Every element of the page with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(PAGE)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_every_text_is_in_both_languages_with_the_same_blanks() -> None:
    assert len(texts()) > 100
    for key, both in texts().items():
        assert len(both) == 2, key
        english, french = both
        assert english.strip(), key
        assert french.strip(), key
        assert sorted(_PLACE.findall(english)) == sorted(_PLACE.findall(french)), key


def test_every_text_that_is_asked_for_exists() -> None:
    asked = set(re.findall(r'\bt\("(\w+)"', "".join(SCRIPTS.values())))
    asked |= set(re.findall(r'data-(?:text|label)="(\w+)"', PAGE))
    assert asked - set(texts()) == set()


def test_every_text_is_asked_for() -> None:
    code = PAGE + "".join(text for name, text in SCRIPTS.items() if name != "strings.js")
    kinds = ("role_", "band_", "status_", "layer_", "opacity_", "palette_")
    unused = [
        key
        for key in texts()
        if not key.startswith(kinds) and not re.search(rf"\b{key.removesuffix('_one')}\b", code)
    ]
    assert unused == []


def test_nothing_is_written_into_the_page_that_its_policy_forbids() -> None:
    for tag, attributes in Elements().found:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert tag != "style"
        assert tag != "script" or attributes.get("src"), tag


def test_nothing_is_fetched_from_elsewhere() -> None:
    for name, text in (("index.html", PAGE), *SCRIPTS.items(), *STYLES.items()):
        assert set(re.findall(r"https?://[^\s\"'`]+", text)) <= {"http://www.w3.org/2000/svg"}, name
    for _, attributes in Elements().found:
        for name in ("src", "href"):
            assert not (attributes.get(name) or "").startswith(("/", "http:", "https:")), attributes


@pytest.mark.parametrize("name", SCRIPTS)
def test_server_text_never_becomes_markup(name: str) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", SCRIPTS[name])


def test_every_module_is_there_and_is_used() -> None:
    imported = {target for text in SCRIPTS.values() for target in re.findall(r'from "\./([\w.]+)"', text)}
    begun = {name for page in WEB.glob("*.html") for name in re.findall(r"js/([\w.]+)\"", page.read_text())}
    assert imported | begun == set(SCRIPTS)


def test_ids_that_scripts_ask_for_are_in_the_page() -> None:
    ids = [attributes["id"] for _, attributes in Elements().found if "id" in attributes]
    assert len(ids) == len(set(ids))
    asked = set(re.findall(r'byId\("([\w-]+)"\)', "".join(SCRIPTS.values())))
    assert asked - set(ids) == set()
