"""`orthoscape-train benchmark` as its user has it, on toys."""

import dataclasses
import json

import numpy as np
import pytest
from benchmark_toys import TINY, case, outcome, source
from click.testing import CliRunner
from PIL import Image

from training.benchmark.case import Case
from training.benchmark.commands import Plan, predict_target, write_report
from training.benchmark.experiments import EXPERIMENTS
from training.benchmark.work import work_off
from training.cli import main

EXPERIMENTS_OF_TEST: dict[str, list[Case]] = {}


@pytest.fixture(autouse=True)
def replaced(monkeypatch):
    """Experiments whose cases a test names are built of them."""
    EXPERIMENTS_OF_TEST.clear()
    whole = dict(EXPERIMENTS)
    for name, experiment in whole.items():
        real = experiment.build

        def build(folder, *, name=name, real=real):
            return EXPERIMENTS_OF_TEST.get(name) or real(folder)

        whole[name] = dataclasses.replace(experiment, build=build)
    for module in ("commands", "experiments", "summary"):
        monkeypatch.setattr(f"training.benchmark.{module}.EXPERIMENTS", whole)


def test_the_command_runs_lists_and_reports(tmp_path, monkeypatch):
    """On toys: the cases of an experiment are replaced, all else is as a user has it."""
    toys = [case(target="east_old"), case(target="west_new", seed=20)]
    monkeypatch.setitem(EXPERIMENTS_OF_TEST, "naip_seasons", toys)
    options = ["--only", "naip_seasons", "--data", f"naip={tmp_path}", "--runs", str(tmp_path / "runs")]
    options += [
        "--steps",
        "2",
        "--adapt-steps",
        "2",
        "--batch",
        "2",
        "--crop",
        "32",
        "--methods",
        "adabn,fda",
    ]
    listed = CliRunner().invoke(main, ["benchmark", "run", *options, "--list"])
    assert listed.output.splitlines()[0].split()[0] == "naip_seasons/east_old/S1-0"
    assert listed.output.splitlines()[-1].endswith("h to come")
    done = CliRunner().invoke(main, ["benchmark", "run", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "18 runs done" in done.output
    told = CliRunner().invoke(main, ["benchmark", "report", *options, "--out", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    summary = json.loads((tmp_path / "out" / "adaptation.json").read_text())["summary"]["naip_seasons"]
    assert set(summary["targets"]) == {"east_old", "west_new"}
    assert summary["targets"]["east_old"]["chosen_by"] == ["naip_seasons/west_new"]
    tables = (tmp_path / "out" / "adaptation.md").read_text()
    assert "| east_old |" in tables
    assert "Not run" not in tables
    for kind in ("gains", "labels", "reliability"):
        drawn = (tmp_path / "out" / f"naip_seasons-{kind}.svg").read_text()
        assert drawn.startswith("<svg")
        assert "nan" not in drawn


def test_what_is_unknown_is_named(tmp_path):
    EXPERIMENTS_OF_TEST["naip_seasons"] = [case()]
    for options, told in (
        (["--only", "moon"], "dubai_induced_shift"),
        (["--methods", "magic", "--only", "naip_seasons"], "self_training"),
        (["--only", "naip_seasons"], "--data naip=FOLDER"),
        (["--only", "naip_seasons", "--data", "naip=.", "--targets", "moon"], "there are one"),
    ):
        result = CliRunner().invoke(main, ["benchmark", "run", *options, "--runs", str(tmp_path)])
        assert result.exit_code in (1, 2)
        assert told in result.output


def test_pictures_of_a_target_that_is_not_planned_are_refused_and_those_that_are_are_named(tmp_path):
    EXPERIMENTS_OF_TEST["naip_seasons"] = [case()]
    words = ["--only", "naip_seasons", "--data", "naip=.", "--runs", str(tmp_path), "--out", str(tmp_path)]
    for experiment in ("naip_seasons", "tile_7"):
        asked = ["benchmark", "predict", *words, "--experiment", experiment, "--target", "moon"]
        result = CliRunner().invoke(main, asked)
        assert result.exit_code == 1
        assert f"no target moon of {experiment} is planned; there are one of naip_seasons" in result.output


def test_pictures_hold_labels_at_the_size_of_the_images(tmp_path):
    seventh = dataclasses.replace(case(experiment="tile_7", target="t"), test=source(seed=5, side_px=50))
    EXPERIMENTS_OF_TEST["tile_7"] = [seventh]
    EXPERIMENTS_OF_TEST["dubai_leave_one_out"] = [case(experiment="dubai_leave_one_out", target="x")]
    plan = Plan(
        experiments=("tile_7", "dubai_leave_one_out"),
        data={"dubai": tmp_path},
        seeds=(0,),
        methods=("fda",),
        budget=TINY,
        folder=tmp_path / "runs",
    )
    cases = plan.cases()
    with pytest.raises(ValueError, match="nothing chooses"):
        predict_target(plan, ("tile_7", "t"), names=["a", "b"], out=tmp_path)
    work_off(plan.queue(cases), cases, TINY, folder=plan.folder)
    paths = predict_target(plan, ("tile_7", "t"), names=["a", "b"], out=tmp_path / "png")
    assert [path.relative_to(tmp_path / "png").as_posix() for path in paths] == [
        "S1/a.png",
        "S1/b.png",
        "adapted/a.png",
        "adapted/b.png",
    ]
    for path in paths:
        with Image.open(path) as picture:
            assert (picture.size, picture.mode) == ((50, 50), "L")
            assert set(np.unique(np.asarray(picture))) <= {0, 1}
    assert write_report(plan, out=tmp_path / "report")["tile_7"]["targets"]["t"]["A"] is None


def test_runs_of_several_budgets_are_not_told_as_one_comparison(tmp_path):
    rows = [("naip_seasons", name) for name in ("east_old", "west_new")]
    EXPERIMENTS_OF_TEST["naip_seasons"] = [case(target=name) for _, name in rows]
    plan = Plan(
        experiments=("naip_seasons",),
        data={"naip": tmp_path},
        seeds=(0,),
        methods=("fda",),
        budget=TINY,
        folder=tmp_path / "runs",
    )
    for row, budget in zip(rows, (TINY, dataclasses.replace(TINY, base_steps=4)), strict=True):
        dataclasses.replace(outcome(row, "S1", 0.4), budget=budget).write(plan.folder)
    with pytest.raises(ValueError, match="one budget, these have 2"):
        write_report(plan, out=tmp_path / "report")
    assert not (tmp_path / "report").exists()
