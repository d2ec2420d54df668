"""What the documents name exists, and the commands they show can be called."""

import re
import shlex
from pathlib import Path

import click
import pytest

from service.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_backticks_exist(page):
    rooms = "service|models|training|tests|benchmarks|docs"
    for path in re.findall(rf"`((?:{rooms})/[\w./-]*)`", page.read_text(encoding="utf-8")):
        assert (ROOT / path).exists(), path


def test_commands_of_the_readme_are_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^orthoscape .*$", text, flags=re.MULTILINE)
    assert lines
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        command = main.get_command(click.Context(main), words[0])
        context = command.make_context(words[0], words[1:], resilient_parsing=False)
        assert context.params


def commands(group):
    """All commands of a group, those of its groups included."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


def test_targets_of_the_readme_are_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_options_named_in_the_readme_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    known = {name for command in commands(main) for param in command.params for name in param.opts}
    for option in set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)):
        assert option in known, option
