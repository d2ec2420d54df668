"""The benchmark: no label of a target reaches its row, nothing is done twice, nothing is filled in."""

import dataclasses
import json
import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from tiny_dubai import write_dubai

from training.benchmark import dubai_cases, landscape_cases, shift
from training.benchmark.case import Case
from training.benchmark.commands import Plan, predict_target, write_report
from training.benchmark.corrections import CORRECTIONS
from training.benchmark.experiments import EXPERIMENTS, lay_out
from training.benchmark.report import write_tables
from training.benchmark.runs import BASES, Budget, Outcome, Run, do_run
from training.benchmark.summary import Results, choose, gap_closed, score, summarise
from training.benchmark.work import work_off
from training.cli import main
from training.data.dubai import load_dubai
from training.data.label_sets import label_sets
from training.data.sources import Source

TINY = Budget(base_steps=3, adapt_steps=2, batch_size=2, crop_px=32, widths=(8, 8, 8, 8, 8))
SETS = label_sets(low=(3,), high=(12,))


def source(*, seed, num_images=2, side_px=64):
    """Two labels, told by brightness."""
    rng = np.random.default_rng(seed)
    labels = [(rng.random((side_px, side_px)) < 0.5).astype(np.uint8) for _ in range(num_images)]
    images = [
        np.stack([60 + 90 * labels_HW + rng.integers(20, size=labels_HW.shape) for _ in range(3)]).astype(
            np.uint8
        )
        for labels_HW in labels
    ]
    return Source(name="toy", images=images, labels=labels, domains=("toy",) * num_images, sets=SETS)


def case(*, experiment="naip_seasons", target="one", seed=0):
    return Case(
        experiment=experiment,
        target=target,
        source=source(seed=seed),
        pool=source(seed=seed + 1),
        test=source(seed=seed + 2),
        in_domain=source(seed=seed + 3),
    )


def permuted(source_):
    return dataclasses.replace(source_, labels=[1 - labels_HW for labels_HW in source_.labels])


def run_of(case_, role, seed=0):
    return Run(experiment=case_.experiment, target=case_.target, role=role, seed=seed)


def weights(folder, run):
    return torch.load(folder / f"{run.name}.pt", weights_only=True)


@pytest.mark.parametrize("method", ["fda", "self_training", "coral"])
def test_other_labels_of_the_target_leave_its_weights_byte_for_byte(tmp_path, method):
    true = case()
    other = dataclasses.replace(true, pool=permuted(true.pool), test=permuted(true.test))
    for folder, each in (("true", true), ("other", other)):
        for role in ("S1", method):
            do_run(run_of(each, role), each, TINY, folder=tmp_path / folder)
    run = run_of(true, method)
    first, second = weights(tmp_path / "true", run), weights(tmp_path / "other", run)
    assert all(torch.equal(first[name], second[name]) for name in first)
    begun = weights(tmp_path / "true", run_of(true, "S1"))
    assert not all(torch.equal(first[name], begun[name]) for name in first), "something was learned"


def test_a_queue_that_is_cut_goes_on_and_does_nothing_twice(tmp_path):
    cases = {("naip_seasons", "one"): case()}
    queue = [run_of(case(), role) for role in ("S1", "S0", "O", "erm", "fda", "few_shot_1")]
    assert work_off(queue[:2], cases, TINY, folder=tmp_path) == 2
    before = (tmp_path / f"{queue[0].name}.json").stat().st_mtime_ns
    assert work_off(queue, cases, TINY, folder=tmp_path) == 4
    assert work_off(queue, cases, TINY, folder=tmp_path) == 0
    assert (tmp_path / f"{queue[0].name}.json").stat().st_mtime_ns == before
    assert work_off(queue, cases, TINY, folder=tmp_path / "late", is_time_up=lambda: True) == 0


def test_processes_share_a_folder_and_each_run_is_done_once(tmp_path):
    """What another process holds is waited for; what it leaves undone is done here."""
    cases = {("naip_seasons", "one"): case()}
    queue = [run_of(case(), role) for role in ("S1", "S0", "O", "erm", "fda", "style")]
    shared = tmp_path / "shared"
    code = (
        "import sys, pickle; queue, cases, budget, folder = pickle.load(sys.stdin.buffer);"
        "from training.benchmark.work import work_off;"
        "print(work_off(queue, cases, budget, folder=folder, wait_s=0.05))"
    )
    asked = pickle.dumps((queue, cases, TINY, shared))
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    for each in started:
        each.stdin.write(asked)
        each.stdin.close()
    done = [int(each.stdout.read()) for each in started]
    for each in started:
        each.stdout.close()
        assert each.wait() == 0
    assert sum(done) == len(queue)
    assert work_off(queue, cases, TINY, folder=tmp_path / "alone") == len(queue)
    for run in queue:
        first, second = weights(shared, run), weights(tmp_path / "alone", run)
        assert all(torch.equal(first[name], second[name]) for name in first), run.role
    assert not list(shared.rglob("*.lock"))


def test_an_outcome_is_read_as_it_was_written(tmp_path):
    each = case()
    outcome = do_run(run_of(each, "S0"), each, TINY, folder=tmp_path)
    assert Outcome.read(tmp_path, outcome.run) == outcome
    assert np.sum(outcome.counts_TP) == 2 * 64 * 64
    assert sum(num_px for num_px, _, _ in outcome.reliability) == 2 * 64 * 64
    assert Outcome.read(tmp_path, run_of(each, "S1")) is None


def test_outcomes_of_another_budget_are_not_taken_for_this_one_s(tmp_path):
    cases = {("naip_seasons", "one"): case()}
    queue = [run_of(case(), "S1")]
    work_off(queue, cases, TINY, folder=tmp_path)
    with pytest.raises(ValueError, match="another budget"):
        work_off(queue, cases, dataclasses.replace(TINY, base_steps=4), folder=tmp_path)
    with pytest.raises(ValueError, match="other data"):
        work_off(queue, {("naip_seasons", "one"): case(seed=9)}, TINY, folder=tmp_path)


def outcome(row, role, miou, *, seed=0):
    """Two labels of 1 000 px each, both with that IoU."""
    hits = round(1000 * 2 * miou / (1 + miou))
    counts = [[hits, 1000 - hits], [1000 - hits, hits]]
    run = Run(experiment=row[0], target=row[1], role=role, seed=seed)
    return Outcome(
        run=run,
        budget=TINY,
        fingerprint="",
        counts_TP=counts,
        by_image_TP=[counts, counts],
        in_domain_TP=None,
        reliability=[(10, 0.9, 0.8)],
        labels=["low", "high"],
        seconds=1.0,
    )


def three_targets(own=0.9):
    """On ``a`` FDA is best; the two others prefer style."""
    rows = [("dubai_leave_one_out", name) for name in "abc"]
    gains = {
        "a": {"fda": own, "style": 0.3},
        "b": {"fda": 0.5, "style": 0.6},
        "c": {"fda": 0.5, "style": 0.55},
    }
    outcomes = [outcome(row, role, 0.4) for row in rows for role in BASES]
    outcomes += [outcome(row, method, value) for row in rows for method, value in gains[row[1]].items()]
    return rows, outcomes + [outcome(row, "O", 0.7) for row in rows]


def test_the_method_of_a_target_is_chosen_by_the_others():
    rows, outcomes = three_targets()
    choice = choose(Results.of(outcomes), rows[0], candidates=("fda", "style"))
    assert (choice.method, set(choice.advisers)) == ("style", set(rows[1:]))
    for own in (0.0, 0.5, 0.99):
        again = choose(Results.of(three_targets(own)[1]), rows[0], candidates=("fda", "style"))
        assert again == choice, "its own row is never read"


def test_a_candidate_that_an_adviser_does_not_know_is_not_chosen():
    rows, outcomes = three_targets()
    outcomes = [each for each in outcomes if (each.run.target, each.run.role) != ("b", "style")]
    assert choose(Results.of(outcomes), rows[0], candidates=("fda", "style")).method == "fda"
    alone = [each for each in outcomes if each.run.target == "a"]
    assert choose(Results.of(alone), rows[0], candidates=("fda", "style")).method is None


def test_the_share_of_the_gap_is_told_where_there_is_one_and_never_clipped():
    assert gap_closed(0.3, 0.4, 0.5) == pytest.approx(0.5)
    assert gap_closed(0.3, 0.2, 0.5) == pytest.approx(-0.5)
    assert gap_closed(0.3, 0.6, 0.5) == pytest.approx(1.5)
    assert gap_closed(0.3, 0.4, 0.349) is None
    assert gap_closed(0.3, None, 0.5) is None


def test_rare_labels_are_named_and_enter_no_mean():
    counts_TP = np.array([[90, 10, 0], [0, 100, 0], [0, 0, 1]])
    found = score(counts_TP, ["a", "b", "c"])
    assert found.absent == ("c",) if 0.005 * counts_TP.sum() > 1 else found.absent == ()
    found = score(counts_TP * np.array([[100], [100], [1]]), ["a", "b", "c"])
    assert found.absent == ("c",)
    assert found.miou == pytest.approx((0.9 + 100 / 110) / 2, rel=1e-3)


def test_missing_runs_are_missing():
    rows, outcomes = three_targets()
    kept = [each for each in outcomes if (each.run.target, each.run.role) != ("c", "O")]
    entry = summarise(Results.of(kept), candidates=("fda", "style"), ceilings={rows[0]: 0.5})[
        "dubai_leave_one_out"
    ]
    assert entry["targets"]["c"]["O"] is None
    assert entry["targets"]["c"]["G"] is None
    assert (entry["O"], entry["G"]) == (None, None)
    assert entry["targets"]["a"]["ceiling"] == 0.5
    assert "O" in entry["targets"]["c"]["missing"]
    assert entry["targets"]["a"]["iou"]["A"] is not None
    assert "c: O" in write_tables({"x": entry})
    json.dumps(entry)


def test_s1_comes_first_and_every_seed_has_all_roles():
    queue = lay_out(
        ["dubai_induced_shift", "tile_7"], {"dubai_induced_shift": ["x"], "tile_7": ["y"]}, seeds=(0, 1)
    )
    assert [run.role for run in queue[:4]] == ["S1", "S0", "O", "S1"]
    assert len(queue) == len(set(queue))
    assert not any(run.role == "O" for run in queue if run.experiment == "tile_7"), "nobody has its labels"
    first = {run.name: number for number, run in enumerate(queue)}
    assert all(first[run.begins_with.name] < first[run.name] for run in queue if run.begins_with)


def test_the_induced_shift_is_the_same_every_time():
    image_CHW = np.random.default_rng(0).integers(256, size=(3, 40, 50), dtype=np.uint8)
    first = shift.shift_image(image_CHW, name="tile/1")
    assert first.shape == image_CHW.shape
    assert (first == shift.shift_image(image_CHW, name="tile/1")).all()
    assert (first != shift.shift_image(image_CHW, name="tile/2")).any()
    haze_HW = shift.haze_field((40, 50), seed=1)
    assert shift.HAZE_SHARES[0] <= haze_HW.min() < haze_HW.max() <= shift.HAZE_SHARES[1]


def test_test_parts_are_apart_from_pool_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(dubai_cases, "TEST_GUARD_PX", 2)
    monkeypatch.setattr(dubai_cases, "APART", (1, 2))
    write_dubai(tmp_path)
    (only,) = dubai_cases.induced_shift(tmp_path)
    pool = {image_CHW.tobytes() for image_CHW in only.source.images}
    assert not pool & {image_CHW.tobytes() for image_CHW in only.in_domain.images}
    for labels_HW in only.test.labels:
        assert (labels_HW[:2] == 255).all()
        assert (labels_HW[:, -2:] == 255).all()
    assert [(a != b).any() for a, b in zip(only.pool.images, only.source.images, strict=True)]


def test_leaving_a_domain_out_leaves_all_of_it_out(tmp_path, monkeypatch):
    monkeypatch.setattr(dubai_cases, "TEST_GUARD_PX", 2)
    write_dubai(tmp_path)
    for each in dubai_cases.leave_one_out(tmp_path):
        assert each.target not in each.source.domains
        assert set(each.pool.domains) == set(each.test.domains) == {each.target}


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


ROWS = [
    ("dubai_induced_shift", "shifted"),
    *(("dubai_leave_one_out", f"Dubai_{name}") for name in ("tile-2", "tile-4", "tiles-7-8")),
    *(("naip_seasons", f"{tile}_{date}") for tile in ("m_1_sw", "m_2_ne") for date in ("new", "old")),
]


@pytest.mark.parametrize(
    ("row", "advisers"),
    [
        (("dubai_induced_shift", "shifted"), ROWS[4:]),
        (("dubai_leave_one_out", "Dubai_tile-4"), [ROWS[1], ROWS[3]]),
        (("naip_seasons", "m_1_sw_new"), [ROWS[0], *ROWS[6:]]),
        (("tile_7", "Dubai_tile-7"), ROWS[:3]),
    ],
)
def test_no_adviser_is_judged_on_the_truth_of_the_advised(row, advisers):
    outcomes = [outcome(each, role, 0.5) for each in ROWS for role in ("S1", "fda", "style")]
    choice = choose(Results.of(outcomes), row, candidates=("fda", "style"))
    assert sorted(choice.advisers) == sorted(advisers)


def test_more_seeds_of_one_candidate_change_no_choice():
    rows, outcomes = three_targets()
    more = [outcome(row, role, 0.1, seed=1) for row in rows for role in ("style",)]
    more += [outcome(row, "S1", 0.4, seed=1) for row in rows]
    assert choose(Results.of(outcomes + more), rows[0], candidates=("fda", "style")).method == "style"


def test_few_shot_figures_are_means_over_draws():
    row = ("dubai_leave_one_out", "a")
    outcomes = [outcome(row, role, 0.4) for role in ("S1", "S0", "O", "fda")]
    outcomes += [
        outcome(row, role, value) for role, value in (("few_shot_1", 0.5), ("few_shot_1_draw_1", 0.6))
    ]
    outcomes.append(outcome(row, "few_shot_20", 0.7))
    summary = summarise(Results.of(outcomes), candidates=("fda",), ceilings={})
    (row,) = [line for line in write_tables(summary).splitlines() if "draws" in line]
    assert [cell.strip()[:4] for cell in row.split("|")[1:-1]] == ["a", "0.40", "0.55", "0.70", "0.40"]
    assert row.count("2 draws") == 1


def test_rows_with_one_source_share_their_bases(tmp_path):
    first, second = (
        case(),
        dataclasses.replace(case(target="two"), pool=source(seed=50), test=source(seed=51)),
    )
    for each in (first, second):
        do_run(run_of(each, "S1"), each, TINY, folder=tmp_path)
    assert len(list((tmp_path / "bases").iterdir())) == 1
    do_run(run_of(first, "S0"), first, TINY, folder=tmp_path)
    do_run(run_of(first, "S1", seed=1), first, TINY, folder=tmp_path)
    assert len(list((tmp_path / "bases").iterdir())) == 3
    weights_of = [weights(tmp_path, run_of(each, "S1")) for each in (first, second)]
    assert all(torch.equal(weights_of[0][name], weights_of[1][name]) for name in weights_of[0])


def test_corrections_teach_nothing_and_windows_are_drawn_anew(tmp_path):
    each = case()
    for role in ("S1", *CORRECTIONS, "few_shot_1", "few_shot_1_draw_1"):
        do_run(run_of(each, role), each, TINY, folder=tmp_path)
    base = weights(tmp_path, run_of(each, "S1"))
    convolutions = [name for name, value in base.items() if value.ndim == 4 and "mean" not in name]
    for role in CORRECTIONS:
        corrected = weights(tmp_path, run_of(each, role))
        assert all(torch.equal(corrected[name], base[name]) for name in convolutions if "head" not in name)
        assert not all(torch.equal(corrected[name], base[name]) for name in base), role
    drawn = [weights(tmp_path, run_of(each, role)) for role in ("few_shot_1", "few_shot_1_draw_1")]
    assert not all(torch.equal(drawn[0][name], drawn[1][name]) for name in base)


def test_generated_shifts_share_a_source_and_no_truth(tmp_path, monkeypatch):
    """With a generator that answers by the spec alone."""
    asked = []

    def generate(spec):
        asked.append(spec)
        rng = np.random.default_rng(spec.seed)
        shape = (spec.side_px, spec.side_px)
        return SimpleNamespace(
            image_CHW=rng.integers(1, 255, (5, *shape), dtype=np.uint8),
            classes_HW=rng.integers(16, size=shape, dtype=np.uint8),
        )

    monkeypatch.setattr(landscape_cases, "generate_landscape", generate)
    scenes = landscape_cases.Scenes(num_train=2, num_pool=1, num_test=1, side_px=32)
    cases = landscape_cases.shifts(tmp_path, scenes=scenes)
    assert [each.target for each in cases] == [*landscape_cases.SHIFTS, "together"]
    assert len(asked) == 3 + 2 * len(cases)
    assert len({each.source.fingerprint() for each in cases}) == 1
    assert len({each.test.labels[0].tobytes() for each in cases}) == len(cases)
    assert {spec.haze for spec in asked} == {None, 0.4}
    again = landscape_cases.shifts(tmp_path, scenes=scenes)
    assert len(asked) == 3 + 2 * len(cases), "scenes are kept"
    assert [each.fingerprint() for each in again] == [each.fingerprint() for each in cases]


@pytest.mark.parametrize("scenes", [dubai_cases.APART, *((scene,) for scene in (2, 4, 5, 6, 8)), (1, 3)])
def test_no_judged_pixel_lies_near_a_pool_s_ground(scenes, real_data):
    """On the real scenes, in the frames that overlapping ones share; no pixel is read."""
    data = load_dubai(real_data("dubai_mbrsc"))
    parts = [part for part in data.parts if part.scene in scenes]
    guard_px = dubai_cases.TEST_GUARD_PX
    for part in (part for part in parts if not dubai_cases.is_odd(part)):
        frame, left, top, right, bottom = ground(data, part)
        for other in (other for other in parts if dubai_cases.is_odd(other)):
            other_frame, *bounds = ground(data, other)
            is_apart = (
                other_frame != frame
                or bounds[0] >= right
                or bounds[2] <= left
                or bounds[1] >= bottom
                or bounds[3] <= top
            )
            assert is_apart, f"judged pixels, {guard_px} px inside {part.name}, may lie on {other.name}"


def ground(data, part):
    frame, left, top, _, _ = data.ground_of(part.scene)
    left, top = left + part.left_px, top + part.top_px
    return frame, left, top, left + part.width, top + part.height_px
