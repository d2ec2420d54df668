"""`orthoscape-train benchmark run | report | predict`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack

import click

from training.options import folders_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from training.benchmark.commands import Plan

_FOLDER = click.Path(path_type=Path, file_okay=False)


_Command = TypeVar("_Command", bound="Callable[..., None]")


class _PlanOptions(TypedDict):
    """What all three commands take: the same plan has to be named."""

    only: tuple[str, ...]
    targets: str | None
    data: tuple[str, ...]
    seeds: int
    methods: str | None
    steps: int | None
    adapt_steps: int | None
    batch: int | None
    crop: int | None
    runs: Path


def _options(command: _Command) -> _Command:
    for option in reversed(
        (
            click.option("--only", multiple=True, metavar="EXPERIMENT", help="Experiments; all by default."),
            click.option("--targets", metavar="NAME,...", help="Of the experiments; all by default."),
            click.option("--data", multiple=True, metavar="NAME=FOLDER", help="Where a data set lies."),
            click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="How many."),
            click.option("--methods", metavar="NAME,...", help="To compare; the candidates by default."),
            click.option("--steps", type=click.IntRange(1), help="Steps of bases."),
            click.option("--adapt-steps", type=click.IntRange(1), help="Steps of adaptation."),
            click.option("--batch", type=click.IntRange(1), help="Samples of a step."),
            click.option("--crop", type=click.IntRange(32), help="Side of crops, in pixels."),
            click.option(
                "--runs", type=_FOLDER, default=Path("runs/benchmark"), show_default=True, help="Run folder."
            ),
        )
    ):
        command = option(command)
    return command


@click.group()
def benchmark() -> None:
    """Compare adaptation methods on targets that are left out: a queue that stops and goes on anywhere."""


@benchmark.command()
@_options
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Begin no run after that long.")
@click.option("--list", "is_listed", is_flag=True, help="Say what would be done, in order, and do nothing.")
def run(minutes: float | None, *, is_listed: bool, **options: Unpack[_PlanOptions]) -> None:
    """Do the runs that have not been done.

    Several processes may be started on one run folder: each run is done by one of them.
    """
    from training.benchmark.commands import list_queue, run_queue  # noqa: PLC0415 - torch takes seconds to load

    plan = _plan(**options)
    with _told():
        if is_listed:
            for line in list_queue(plan):
                click.echo(line)
            return
        num_done = run_queue(plan, minutes=minutes)
        click.echo(f"{num_done} runs done in {plan.folder}")


@benchmark.command()
@_options
@click.option("--out", type=_FOLDER, default=Path("docs/results"), show_default=True, help="For the report.")
def report(out: Path, **options: Unpack[_PlanOptions]) -> None:
    """Write adaptation.json, adaptation.md and pictures of the runs that have ended."""
    from training.benchmark.commands import write_report  # noqa: PLC0415 - as above

    with _told():
        summary = write_report(_plan(**options), out=out)
    for name, entry in summary.items():
        figures = ", ".join(
            f"{key} {entry[key]:.3f}" for key in ("S0", "S1", "O", "A", "G") if entry[key] is not None
        )
        click.echo(f"{name}: {figures or 'not judged'}; chosen {entry['chosen']}")


@benchmark.command()
@_options
@click.option("--experiment", default="tile_7", show_default=True)
@click.option("--target", default="Dubai_tile-7", show_default=True)
@click.option("--out", type=_FOLDER, required=True, help="For folders S1 and adapted.")
def predict(experiment: str, target: str, out: Path, **options: Unpack[_PlanOptions]) -> None:
    """Write a target's labels as PNG, by S1 and by the method that others chose."""
    from training.benchmark.commands import predict_target  # noqa: PLC0415 - as above

    names = [f"image_part_{number:03d}" for number in range(1, 10)] if experiment == "tile_7" else None
    plan = _plan(**options)
    with _told():
        paths = predict_target(plan, (experiment, target), names=names, out=out)
    click.echo(f"{len(paths)} pictures in {out}")


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with what was asked for, as a message."""
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error


def _plan(**options: Unpack[_PlanOptions]) -> Plan:
    from training.adaptation import CANDIDATES, METHODS  # noqa: PLC0415 - as above
    from training.benchmark.commands import Plan  # noqa: PLC0415 - as above
    from training.benchmark.experiments import EXPERIMENTS  # noqa: PLC0415 - as above
    from training.benchmark.runs import Budget  # noqa: PLC0415 - as above

    folders = folders_of(options["data"])
    # Scenes are drawn into a folder that is named; who names none wants none.
    usual = [
        name for name, each in EXPERIMENTS.items() if not each.has_generated_truth or each.data in folders
    ]
    experiments = options["only"] or tuple(usual)
    chosen = tuple(options["methods"].split(",")) if options["methods"] else CANDIDATES
    for given, known, option in ((experiments, EXPERIMENTS, "--only"), (chosen, METHODS, "--methods")):
        unknown = [name for name in given if name not in known]
        if unknown:
            raise click.BadParameter(f"{', '.join(unknown)}: known are {', '.join(known)}", param_hint=option)
    missing = sorted({EXPERIMENTS[name].data for name in experiments} - set(folders))
    if missing:
        raise click.UsageError(
            "say where the data lie: " + " ".join(f"--data {each}=FOLDER" for each in missing)
        )
    default = Budget()
    return Plan(
        experiments=experiments,
        targets=tuple(options["targets"].split(",")) if options["targets"] else (),
        data=folders,
        seeds=tuple(range(options["seeds"])),
        methods=chosen,
        budget=replace(
            default,
            base_steps=options["steps"] or default.base_steps,
            adapt_steps=options["adapt_steps"] or default.adapt_steps,
            batch_size=options["batch"] or default.batch_size,
            crop_px=options["crop"] or default.crop_px,
        ),
        folder=options["runs"],
    )
