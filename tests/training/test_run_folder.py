"""A run folder tells how the run went: lines of each look, a picture, a bar while it goes on."""

import importlib.util
import io
import json
import logging
import sys

import pytest
from click.testing import CliRunner
from PIL import Image
from toys import toy_recipe

from tests.needs import lacking
from training import runfolder
from training.cli import main
from training.curves import draw_curves
from training.looks import read_lines
from training.loop import STEPS_LOG
from training.progress import shown_steps
from training.recipes import finding
from training.scoring import DOMAIN


def test_a_run_ends_with_a_look_and_its_curves(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(finding, "RECIPES", {"landscapes_compact": toy_recipe})
    monkeypatch.setattr(runfolder, "CACHE_FOLDER", tmp_path / "scenes")
    run = tmp_path / "run"
    words = ["fit", "landscapes_compact", "--out", str(run), "--steps", "2", "--processes", "1"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    (look,) = read_lines(run / "metrics.jsonl")
    assert (look["step"], look["domain"]) == (2, DOMAIN)
    assert 0 <= look["miou"] <= 1
    assert look["iou"]
    is_drawn = importlib.util.find_spec("matplotlib") is not None
    assert (run / "curves.png").exists() == is_drawn
    assert ("no curves are drawn" in caplog.text) != is_drawn


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
