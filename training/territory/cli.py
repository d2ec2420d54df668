"""`orthoscape-train adapt`."""

from pathlib import Path

import click

from training.bars import shown_parts
from training.options import nodata_of, reading_options


@click.command()
@click.option(
    "--artefact", required=True, help="Artefact to begin with: id, id@version, default or a folder."
)
@click.option(
    "--target",
    required=True,
    type=click.Path(path_type=Path),
    help="Orthophotos of the territory: a folder, or one file.",
)
@click.option(
    "--source",
    default="landscapes",
    show_default=True,
    help="Where labels come from: landscapes (generated), a folder with images and labels, NAME=FOLDER of a"
    " data set, or none.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="CoSIA GeoPackage(s) or class raster of the territory: to be judged by, never to learn from.",
)
@reading_options
@click.option(
    "--method",
    help="How: adabn by default; style, moments, fda, coral, advent, self_training, em_priors and more, each"
    " told of in docs/methods.md.",
)
@click.option("--steps", type=click.IntRange(1), help="Steps of training; 400 by default.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Minutes of training instead.")
@click.option(
    "--scenes",
    type=click.IntRange(1),
    default=96,
    show_default=True,
    help="Generated landscapes to learn from, where they are the source.",
)
@click.option("--id", "model_id", help="Id of the new artefact; artefact and territory by default.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of artefacts; $ORTHOSCAPE_HOME/models by default.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Run folder; runs/adapt-ID by default."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of every draw.")
def adapt(  # noqa: PLR0913  click passes options by name
    *,
    artefact: str,
    target: Path,
    source: str,
    labels: Path | None,
    irc: Path | None,
    bands: str,
    nodata: str | None,
    method: str | None,
    steps: int | None,
    minutes: float | None,
    scenes: int,
    model_id: str | None,
    into: Path | None,
    out: Path | None,
    seed: int,
) -> None:
    """Make a new artefact for a territory, from its unlabelled orthophotos; resumes where it was stopped."""
    from training.territory.commands import adapt_artefact  # noqa: PLC0415 - it must start without torch
    from training.territory.request import Request  # noqa: PLC0415 - as above

    if steps is not None and minutes is not None:
        raise click.UsageError("--steps or --minutes, not both")
    with shown_parts() as show:
        adapted = adapt_artefact(
            Request(
                artefact=artefact,
                target=target,
                source=source,
                labels=labels,
                irc=irc,
                bands_option=bands,
                nodata=nodata_of(nodata),
                method=method,
                num_steps=steps,
                seconds=None if minutes is None else 60 * minutes,
                num_scenes=scenes,
                model_id=model_id,
                into=into,
                out=out,
                seed=seed,
            ),
            each_part=show,
        )
    evidence, made = adapted.evidence, adapted.artefact
    click.echo(f"{evidence.agreement:.1%} of pixels keep their class")
    if evidence.before is not None and evidence.after is not None:
        click.echo(
            f"held out: mIoU {evidence.before.miou:.4f} -> {evidence.after.miou:.4f}, "
            f"accuracy {evidence.before.overall_accuracy:.4f} -> {evidence.after.overall_accuracy:.4f}"
        )
    click.echo(f"{made.manifest.key} {made.digest[:12]} {made.folder}")
    click.echo(f"what changed: {made.folder / 'CARD.md'}")
    if into is None:
        click.echo(f"maps with it: orthoscape predict {target} --model {made.manifest.id} -o maps/")


@click.command()
@click.option("--artefact", required=True, help="Artefact to calibrate: id, id@version, default or a folder.")
@click.option("--data", metavar="NAME=FOLDER", help="A labelled data set to calibrate on.")
@click.option("--target", type=click.Path(path_type=Path), help="Orthophotos to calibrate on, with --labels.")
@click.option(
    "--labels", type=click.Path(path_type=Path), help="CoSIA GeoPackage(s) or class raster of them."
)
@reading_options
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of artefacts; $ORTHOSCAPE_HOME/models by default.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of every draw.")
def calibrate(  # noqa: PLR0913  click passes options by name
    *,
    artefact: str,
    data: str | None,
    target: Path | None,
    labels: Path | None,
    irc: Path | None,
    bands: str,
    nodata: str | None,
    into: Path | None,
    seed: int,
) -> None:
    """Refit an artefact's confidence on labelled images, as a new version of it."""
    from training.data.orthos import Reading  # noqa: PLC0415 - the command must start without torch
    from training.territory.calibrating import (  # noqa: PLC0415 - as above
        CalibrationRequest,
        calibrate_artefact,
    )

    if data is not None and (target is not None or labels is not None):
        raise click.UsageError("--data, or --target and --labels, not both")
    name, _, folder = (data or "").partition("=")
    if data is not None and not folder:
        raise click.BadParameter(f"{data!r} is not NAME=FOLDER", param_hint="--data")
    made = calibrate_artefact(
        CalibrationRequest(
            artefact=artefact,
            data=None if data is None else (name, Path(folder)),
            target=target,
            labels=labels,
            reading=Reading(irc=irc, bands_option=bands, nodata=nodata_of(nodata)),
            into=into,
            seed=seed,
        )
    )
    click.echo(
        f"temperature {made.temperature_before:g} -> {made.temperature:g}, expected calibration error"
        f" {made.ece_before:.4f} -> {made.ece:.4f} on images that it was not fitted on"
    )
    click.echo(f"{made.artefact.manifest.key} {made.artefact.digest[:12]} {made.artefact.folder}")
