"""The table of settings in the documents is the one in the code."""

from pydantic_core import PydanticUndefined

from service.settings import Settings
from tests.deploy.conftest import ROOT

HEAD = "| setting | default | what it is |\n|---|---|---|\n"


def _default(field):
    if field.default is PydanticUndefined:
        return "`~/.local/share/orthoscape`"
    if field.default in ("", None, ()):
        return ""
    if isinstance(field.default, int | float) and field.default >= 2**20:
        return f"{field.default:,.0f}".replace(",", " ")
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def settings_table():
    """Every setting as a line of Markdown."""
    return HEAD + "".join(
        f"| `ORTHOSCAPE_{name.upper()}` | {_default(field)} | {_said(field)} |\n"
        for name, field in Settings.model_fields.items()
    )


def _said(field):
    return " ".join(field.description.split()).rstrip(".").replace("``", "`")


def test_every_setting_is_in_the_table_as_the_code_has_it():
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    table = text[text.index(HEAD) :].split("\n\n")[0].rstrip() + "\n"
    assert table == settings_table(), f"paste this into docs/deployment.md:\n{settings_table()}"
