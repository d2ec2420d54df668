"""A run folder tells how the run went: lines of each look, a picture, a bar while it goes on."""

import importlib.util
import io
import json
import logging
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from toys import toy_coarse, toy_recipe, toy_scenes

from tests.needs import lacking
from training import runfolder
from training.batches import Mixture
from training.cli import main
from training.curves import draw_curves
from training.looks import read_lines
from training.loop import STEPS_LOG
from training.progress import shown_steps
from training.recipes import RECIPES, finding
from training.recipes.recipe import LANDSCAPES, Share
from training.recipes.saved import parse_recipe
from training.scoring import DOMAIN


def fitted(recipe, run, monkeypatch, *, words=()):
    """What the command says that trains a recipe in a run folder, for two steps unless told otherwise."""
    monkeypatch.setattr(finding, "RECIPES", {recipe.name: lambda: recipe})
    monkeypatch.setattr(runfolder, "CACHE_FOLDER", run.parent / "scenes")
    told = ["fit", recipe.name, "--out", str(run), "--processes", "1", *(words or ("--steps", "2"))]
    return CliRunner().invoke(main, told)


def test_a_run_ends_with_a_look_and_its_curves(tmp_path, monkeypatch, caplog):
    run = tmp_path / "run"
    result = fitted(toy_recipe(), run, monkeypatch)
    assert result.exit_code == 0, result.output
    (look,) = read_lines(run / "metrics.jsonl")
    assert (look["step"], look["domain"]) == (2, DOMAIN)
    assert 0 <= look["miou"] <= 1
    assert look["iou"]
    assert [line["step"] for line in read_lines(run / "history.jsonl")] == [2]
    assert f"orthoscape-train evaluate {run}" in result.output
    is_drawn = importlib.util.find_spec("matplotlib") is not None
    assert (run / "curves.png").exists() == is_drawn
    assert ("no curves are drawn" in caplog.text) != is_drawn


def test_a_folder_goes_on_with_its_own_recipe_alone(tmp_path, monkeypatch):
    run, recipe = tmp_path / "run", toy_recipe()
    assert fitted(recipe, run, monkeypatch).exit_code == 0
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    other = replace(recipe, seed=7, peak_learning_rate=1e-9)
    refused = fitted(other, run, monkeypatch, words=("--steps", "4"))
    assert refused.exit_code == 1
    assert "the seed, peak_learning_rate of its recipe differ(s)\n  Name another folder" in refused.output
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    longer = replace(recipe, title="Longer", num_steps=4)
    assert fitted(longer, run, monkeypatch, words=("--steps", "4")).exit_code == 0
    assert json.loads((run / "recipe.json").read_text())["num_steps"] == 4


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_read_back_from_its_file_as_it_was(name):
    recipe = RECIPES[name]()
    assert parse_recipe(json.loads(json.dumps(asdict(recipe)))) == recipe


def test_a_run_that_goes_on_with_other_images_says_so(tmp_path, caplog):
    shares = (Share(source=LANDSCAPES, num_samples=1), Share(source="coarse", num_samples=1))
    recipe, coarse = toy_recipe(shares=shares), toy_coarse()
    scenes = toy_scenes().as_source(recipe.channels)
    (tmp_path / "checkpoint.pt").touch()
    for source, is_told in (
        (coarse, False),
        (coarse, False),
        (replace(coarse, images=[np.flipud(image) for image in coarse.images]), True),
    ):
        caplog.clear()
        runfolder.write_fingerprints(Mixture.of([scenes, source], recipe), out=tmp_path)
        assert ("coarse has changed since" in caplog.text) == is_told


@pytest.mark.parametrize(
    ("changes", "words", "said"),
    [
        ({"begin_with": "nothing"}, ("--steps", "1"), "no model 'nothing'"),
        ({}, ("--draw-minutes", "0"), "--draw-minutes"),
    ],
)
def test_what_a_run_lacks_is_said_with_its_remedy(changes, words, said, tmp_path, monkeypatch):
    if "--draw-minutes" in words:
        monkeypatch.setattr("training.scenes._run", lambda *_, **__: iter(()))
    refused = fitted(toy_recipe(**changes), tmp_path / "run", monkeypatch, words=words)
    assert (refused.exit_code, said in refused.output) == (1, True), refused.output


def test_a_run_folder_without_weights_is_not_judged(tmp_path, monkeypatch):
    recipe = toy_recipe()
    monkeypatch.setattr(finding, "RECIPES", {recipe.name: lambda: recipe})
    (tmp_path / "recipe.json").write_text(json.dumps(asdict(recipe)))
    refused = CliRunner().invoke(main, ["evaluate", str(tmp_path)])
    assert (refused.exit_code, "Run `orthoscape-train fit` first" in refused.output) == (1, True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_curves_are_drawn_of_what_is_told_so_far(tmp_path):
    if importlib.util.find_spec("matplotlib") is None:
        lacking("matplotlib", "pip install -e '.[cpu,train]' -c constraints.txt")
    draw_curves(toy_recipe(), tmp_path)
    empty = (tmp_path / "curves.png").read_bytes()
    history = [{"step": step, "loss": 1 / step, "learning_rate_share": 0.5} for step in (1, 2, 3)]
    looks = [
        {"step": step, "domain": domain, figure: step / 4}
        for step in (2, 3)
        for domain, figure in (("landscapes", "miou"), ("Dubai_tile-5", "balanced_accuracy"))
    ]
    for name, lines in (("history", history), ("metrics", looks)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    draw_curves(toy_recipe(), tmp_path)
    assert (tmp_path / "curves.png").read_bytes() != empty
    with Image.open(tmp_path / "curves.png") as picture:
        assert min(picture.size) > 400


def test_of_a_step_told_twice_the_later_line_stands(tmp_path):
    lines = [(50, 1.0), (100, 2.0), (50, 3.0)]
    text = "".join(json.dumps({"step": step, "loss": loss}) + "\n" for step, loss in lines)
    (tmp_path / "history.jsonl").write_text(text)
    assert [line["loss"] for line in read_lines(tmp_path / "history.jsonl")] == [3.0, 2.0]
    assert read_lines(tmp_path / "nothing.jsonl") == []


def test_a_line_that_a_killed_process_left_half_written_stops_nothing(tmp_path, caplog):
    path = tmp_path / "history.jsonl"
    path.write_text('{"step": 50, "loss": 1.0}\n{"step": 100, "lo{"step": 150, "loss": 0.5}\n')
    assert [line["step"] for line in read_lines(path)] == [50]
    assert "line 2 of" in caplog.text


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_damaged_checkpoint_is_refused_with_a_remedy(damage, tmp_path, monkeypatch):
    run, recipe = tmp_path / "run", toy_recipe()
    assert fitted(recipe, run, monkeypatch).exit_code == 0
    path = run / "checkpoint.pt"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    else:
        torch.save({"network": {}, "mean": [0.0] * 4, "std": [1.0] * 4}, path)
    for words in (["evaluate", str(run)], ["fit", recipe.name, "--out", str(run), "--processes", "1"]):
        refused = CliRunner().invoke(main, words)
        assert refused.exit_code == 1
        assert f"{path} cannot be read" in refused.output
        assert "delete that file to begin anew" in refused.output


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_a_bar_shows_steps_loss_and_time_left_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with shown_steps() as tell:
        assert logging.getLogger(STEPS_LOG).disabled
        for step in range(1, 5):
            tell(step=step, loss=1 / step, progress=step / 4)
    assert not logging.getLogger(STEPS_LOG).disabled
    assert "step 4, loss 0.250" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_elsewhere_the_log_tells_of_steps(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with shown_steps() as tell:
        assert tell is None
        assert not logging.getLogger(STEPS_LOG).disabled
