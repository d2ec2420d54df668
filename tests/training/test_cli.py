"""The command says what it lacks and what it does not know."""

import importlib.util

import pytest
from click.testing import CliRunner

from training.cli import main


def test_without_torch_it_names_the_extra_in_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else object())
    result = CliRunner().invoke(main, ["fit", "landscapes_compact"])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "Error: training needs torch: pip install -e '.[cpu,train]' -c constraints.txt"
    ]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the train extra is not installed")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fit", "nothing"], "recipes: landscapes_compact, mixed_compact"),
        (["fit", "landscapes_compact", "--steps", "1", "--minutes", "1"], "not both"),
        (["fit", "mixed_compact"], "--data dubai=FOLDER --data naip=FOLDER"),
        (["fit", "mixed_compact", "--data", "dubai"], "not NAME=FOLDER"),
        (
            ["fit", "mixed_compact", "--data", "dubai=.", "--data", "naip=.", "--data", "treesatai=."],
            "holds no folders 'Tile 1'",
        ),
        (["fit", "landscapes_compact", "--data", "dubai=."], "does not train on dubai"),
        (["fit", "mixed_compact", "--data", "dubai=.", "--data", "dubai=.."], "dubai is there twice"),
        (
            ["benchmark", "run", "--only", "naip_seasons", "--data", "naip=."],
            "holds no patches such as",
        ),
        (["export", "."], "is it a run folder"),
        (["evaluate", "."], "is it a run folder"),
    ],
)
def test_it_says_what_it_does_not_know(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, words)
    assert result.exit_code != 0
    assert said in result.output


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the train extra is not installed")
def test_help_names_methods_that_are_there():
    from training.territory.methods import DEFAULT_METHOD, KNOWN  # noqa: PLC0415

    told = " ".join(CliRunner().invoke(main, ["adapt", "-h"]).output.split())
    said = told.partition("How: ")[2].partition(" and more")[0]
    default, _, others = said.partition(" by default; ")
    assert default == DEFAULT_METHOD
    assert set(others.split(", ")) <= set(KNOWN)
