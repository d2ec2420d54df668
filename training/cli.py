"""`orthoscape-train`: fit, evaluate, export, import, and more. It needs the `train` extra and says so."""

import importlib.util
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from models.errors import RemediedError
from training.benchmark.cli import benchmark
from training.curation.cli import curate
from training.options import folders_of
from training.territory.cli import adapt, calibrate

if TYPE_CHECKING:
    from models.manifest import Precision

_NEEDED = ("torch", "onnx", "onnxscript", "safetensors", "scipy", "onnxruntime", "huggingface_hub")
_WORDY = {
    # They tell of each node that they took out of a graph.
    "onnx_ir": logging.WARNING,
    "onnxscript": logging.WARNING,
    # It warns that torchvision's operators are not there, which no network here has.
    "torch.onnx._internal.exporter._registration": logging.ERROR,
}


def _check_extra() -> None:
    """Stop with one line where the training extra is not installed.

    Raises:
        ClickException: A package is missing.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise click.ClickException(
            f"training needs {', '.join(missing)}: pip install -e '.[cpu,train]' -c constraints.txt"
        )


class _Group(click.Group):
    """Shows what a user can mend as one message with its remedy, whichever command it came from."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """Run the command.

        Raises:
            ClickException: What went wrong is a user's to mend.
        """
        try:
            return super().invoke(ctx)
        except RemediedError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="orthoscape")
@click.option(
    "--threads", type=click.IntRange(1), default=None, help="Threads of torch; all cores by default."
)
def main(threads: int | None) -> None:
    """Train Orthoscape's models, measure them, and export them for the service."""
    _check_extra()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    for name, level in _WORDY.items():
        logging.getLogger(name).setLevel(level)
    # Of torch to itself, at each export.
    warnings.filterwarnings("ignore", message=r".*LeafSpec.* is deprecated", category=FutureWarning)
    if threads is not None:
        import torch  # noqa: PLC0415 - the command must start without torch to say that it lacks it

        torch.set_num_threads(threads)


@main.command()
@click.argument("recipe_name", metavar="RECIPE")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Run folder; runs/RECIPE by default."
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Train by the clock.")
@click.option("--steps", type=click.IntRange(1), help="Train that many steps; the recipe's own by default.")
@click.option(
    "--draw-minutes", type=click.FloatRange(0), default=None, help="Most minutes spent on drawing scenes."
)
@click.option(
    "--processes", type=click.IntRange(1), default=2, show_default=True, help="Scenes drawn at a time."
)
@click.option(
    "--data",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Where a real data set of the recipe lies; once for each.",
)
def fit(  # noqa: PLR0913, PLR0917  click passes options by name
    recipe_name: str,
    out: Path | None,
    minutes: float | None,
    steps: int | None,
    draw_minutes: float | None,
    processes: int,
    data: tuple[str, ...],
) -> None:
    """Train RECIPE, or go on where its run folder stopped."""
    from training import commands  # noqa: PLC0415 - as above
    from training.importing.commands import models_folder  # noqa: PLC0415 - as above

    if minutes is not None and steps is not None:
        raise click.UsageError("--minutes or --steps, not both")
    out = out or commands.default_run(recipe_name)
    state = commands.fit_recipe(
        recipe_name,
        out=out,
        seconds=None if minutes is None else 60 * minutes,
        num_steps=steps,
        drawing=commands.Drawing(
            budget_s=float("inf") if draw_minutes is None else 60 * draw_minutes, num_processes=processes
        ),
        data=folders_of(data),
    )
    again = "".join(f" --data {word}" for word in data)
    click.echo(f"{state.step} steps in {out}: curves.png, metrics.jsonl")
    click.echo(f"how good it is: orthoscape-train evaluate {out}{again}")
    click.echo(f"an artefact of it: orthoscape-train export {out}{again} --into {models_folder()}")


@main.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--data",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Where a real data set of the recipe lies, to be judged on where its labels are classes.",
)
def evaluate(run: Path, data: tuple[str, ...]) -> None:
    """Score RUN's averaged weights on the validation scenes of its recipe, and on held-out real ground."""
    from training import commands  # noqa: PLC0415 - as above

    real = commands.evaluate_real(run, folders_of(data)) if data else {}
    for domain, score in real.items():
        click.echo(
            f"{domain}: mIoU {score.miou:.4f} over {len(score.iou)} classes, accuracy {score.accuracy:.4f}, "
            f"{score.num_images} images"
        )
        for slug, iou in score.iou.items():
            click.echo(f"    {iou:.4f} {slug}")
    for domain, metrics in commands.evaluate_run(run).items():
        absent = f"; absent: {', '.join(metrics.absent)}" if metrics.absent else ""
        click.echo(
            f"{domain}: mIoU {metrics.miou:.4f} over {len(metrics.iou)} classes, "
            f"accuracy {metrics.overall_accuracy:.4f}, {metrics.num_scenes} scenes{absent}"
        )
        for slug, iou in metrics.iou.items():
            click.echo(f"    {iou:.4f} {slug}")


@main.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of artefacts; that of Orthoscape's own models, in the clone, by default.",
)
@click.option(
    "--note", default="", help="For the card: what happened to the run that its commands do not show."
)
@click.option(
    "--int8", is_flag=True, help="Try a graph in 8 bits, for CPUs; kept if it loses next to nothing."
)
@click.option("--fp16", is_flag=True, help="Try a graph in half precision, for GPUs; kept as the other.")
@click.option(
    "--data",
    multiple=True,
    metavar="NAME=FOLDER",
    help="Where a real data set of the recipe lies, to be judged on; once for each.",
)
@click.option(
    "--replace", is_flag=True, help="Put it in the place of an artefact of the same id and version."
)
def export(  # noqa: PLR0913  click passes options by name
    *,
    run: Path,
    into: Path | None,
    note: str,
    int8: bool,
    fp16: bool,
    data: tuple[str, ...],
    replace: bool,
) -> None:
    """Export RUN as artefacts: measured, calibrated, proved equal to the network."""
    from training.exporting import export_run  # noqa: PLC0415 - as above

    tried: dict[Precision, bool] = {"int8": int8, "fp16": fp16}
    artefacts = export_run(
        run,
        into=into,
        note=note,
        precisions=[precision for precision, is_tried in tried.items() if is_tried],
        data=folders_of(data),
        may_replace=replace,
    )
    for artefact in artefacts:
        manifest = artefact.manifest
        told = ", ".join(manifest.precisions)
        click.echo(f"{manifest.key} {artefact.digest[:12]} {artefact.folder} ({told})")


@main.command("import")
@click.argument("name_or_path")
@click.option("--like", metavar="NAME", help="Published model whose layout a file has, if its name hides it.")
@click.option("--revision", help="Branch, tag or commit on the hub; the newest by default.")
@click.option("--id", "model_id", help="Id of the artefact; the published name by default.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of artefacts; $ORTHOSCAPE_HOME/models by default.",
)
@click.option(
    "--without-metadata", is_flag=True, help="Run a network that was trained with metadata as if it had none."
)
def import_(
    name_or_path: str,
    like: str | None,
    revision: str | None,
    model_id: str | None,
    into: Path | None,
    without_metadata: bool,  # noqa: FBT001 - click passes options by name
) -> None:
    """Install IGN's published weights, such as ign-flair-inc-rgbie-15cl, or a file of their layout."""
    from training.importing.commands import ImportOptions, import_weights  # noqa: PLC0415 - as above

    options = ImportOptions(
        like=like, revision=revision, model_id=model_id, without_metadata=without_metadata
    )
    artefact = import_weights(name_or_path, options, into=into)
    click.echo(f"{artefact.manifest.key} {artefact.digest[:12]} {artefact.folder}")


main.add_command(adapt)
main.add_command(benchmark)
main.add_command(calibrate)
main.add_command(curate)
