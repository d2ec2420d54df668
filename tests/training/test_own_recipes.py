"""A recipe of one's own is a function of a file; a run remembers where its recipe is from."""

import pytest

from training import runfolder
from training.recipes import RECIPES
from training.recipes.finding import RecipeMissing, find_recipe, read_origin, write_origin

MINE = """
from dataclasses import dataclass, replace
from training.recipes.landscapes_compact import landscapes_compact

@dataclass(frozen=True)
class Wishes:
    seed: int = 7

def mine():
    return replace(landscapes_compact(), name="mine", seed=Wishes().seed)

def nothing():
    return 3

def broken():
    raise ValueError("no, thank you")
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my-recipes.py"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_a_function_of_a_file_gives_a_recipe(file):
    assert find_recipe(f"{file}:mine").seed == 7
    assert find_recipe("landscapes_compact") == RECIPES["landscapes_compact"]()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "no recipe 'nothing'"),
        ("{folder}/away.py:mine", "does not exist"),
        ("{folder}/my-recipes.py:theirs", "has no function 'theirs'"),
        ("{folder}/my-recipes.py:nothing", "returns int, not a Recipe"),
        ("{folder}/my-recipes.py:broken", "ValueError: no, thank you"),
        ("{folder}/bad.py:mine", "cannot be run: SyntaxError"),
    ],
)
def test_what_gives_no_recipe_says_why(name, said, file):
    (file.parent / "bad.py").write_text("def mine(:", encoding="utf-8")
    with pytest.raises(RecipeMissing, match=said) as refused:
        find_recipe(name.format(folder=file.parent))
    assert refused.value.remedy


def test_a_run_folder_remembers_where_its_recipe_is_from(file, tmp_path, monkeypatch):
    monkeypatch.chdir(file.parent)
    write_origin("my-recipes.py:mine", out=tmp_path / "run")
    monkeypatch.chdir("/")
    assert find_recipe(read_origin(tmp_path / "run", default="away")).name == "mine"
    write_origin("landscapes_compact", out=tmp_path / "other")
    assert read_origin(tmp_path / "other", default="away") == "landscapes_compact"
    assert read_origin(tmp_path, default="mixed_compact") == "mixed_compact"


def test_evaluate_and_export_find_the_recipe_of_a_run_again(file, tmp_path):
    import json  # noqa: PLC0415
    from dataclasses import asdict, replace  # noqa: PLC0415

    import click  # noqa: PLC0415

    run = tmp_path / "run"
    write_origin(f"{file}:mine", out=run)
    recipe = find_recipe(f"{file}:mine")
    (run / "recipe.json").write_text(json.dumps(asdict(recipe)), encoding="utf-8")
    assert runfolder.recipe_of(run) == recipe
    (run / "recipe.json").write_text(json.dumps(asdict(replace(recipe, seed=8))), encoding="utf-8")
    with pytest.raises(click.ClickException, match="is not the one"):
        runfolder.recipe_of(run)
