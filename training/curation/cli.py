"""`orthoscape-train curate`."""

from pathlib import Path

import click

from training.bars import shown_parts
from training.options import nodata_of, reading_options


@click.command()
@click.argument("orthos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--labels",
    multiple=True,
    required=True,
    metavar="[DOMAIN=]PATH",
    help="CoSIA GeoPackage(s) or class raster(s), a file or a folder; of all domains, or of one.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the set."
)
@reading_options
@click.option("--without-nir", is_flag=True, help="Leave near infrared out.")
@click.option(
    "--domain",
    "domains",
    multiple=True,
    metavar="KEY[=PATH]",
    help="Domain of the orthophotos, or of those of a file or folder: TERRITORY_CAMPAIGN, such as D033_2024."
    " By default what names of files or folders say.",
)
@click.option(
    "--patch-px", type=click.IntRange(1), default=512, show_default=True, help="Side of a patch, in pixels."
)
@click.option("--stride-px", type=click.IntRange(1), help="From patch to patch; their side by default.")
@click.option(
    "--gsd", type=click.FloatRange(0, min_open=True), help="Resample to this ground resolution, in metres."
)
@click.option(
    "--min-labelled",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="Least share of a patch that has a label.",
)
@click.option(
    "--shares",
    default="70,15,15",
    show_default=True,
    metavar="TRAIN,VALIDATION,TEST",
    help="Of the patches, where blocks of ground are drawn.",
)
@click.option(
    "--areas",
    type=click.Path(path_type=Path, exists=True),
    help="Vector file of areas with a field `split`, in the place of drawn blocks.",
)
@click.option(
    "--block-m",
    type=click.FloatRange(0, min_open=True),
    default=1000.0,
    show_default=True,
    help="Side of the blocks of ground that are drawn, in metres.",
)
@click.option(
    "--guard-m",
    type=click.FloatRange(0),
    default=50.0,
    show_default=True,
    help="Least distance between patches of two splits, in metres.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draw of blocks.")
@click.option(
    "--licence",
    default="other",
    show_default=True,
    help="Of the set: an SPDX expression; etalab-2.0 is the Licence Ouverte 2.0.",
)
@click.option("--credit", default="", help="Whose imagery and labels are, for catalogue and cards.")
def curate(  # noqa: PLR0913  click passes options by name
    *,
    orthos: tuple[Path, ...],
    labels: tuple[str, ...],
    out: Path,
    irc: Path | None,
    bands: str,
    nodata: str | None,
    without_nir: bool,
    domains: tuple[str, ...],
    patch_px: int,
    stride_px: int | None,
    gsd: float | None,
    min_labelled: float,
    shares: str,
    areas: Path | None,
    block_m: float,
    guard_m: float,
    seed: int,
    licence: str,
    credit: str,
) -> None:
    """Make a training set of ORTHOS and their labels: patches, splits by area, metadata, a STAC catalogue.

    The same command goes on with a set that was stopped; `fit curated_compact --data curated=FOLDER` trains.
    """
    from training.curation.commands import curate as make  # noqa: PLC0415 - as elsewhere: help comes first
    from training.curation.request import Cut, Request, Splitting  # noqa: PLC0415 - as above
    from training.data.orthos import Reading  # noqa: PLC0415 - as above

    with shown_parts() as show:
        made = make(
            Request(
                orthos=orthos,
                labels=tuple(_with_key(word) for word in labels),
                out=out,
                domains=tuple(_key_with_place(word) for word in domains),
                reading=Reading(irc=irc, bands_option=bands, nodata=nodata_of(nodata), gsd_m=gsd),
                with_nir=not without_nir,
                cut=Cut(patch_px=patch_px, stride_px=stride_px or patch_px, min_labelled=min_labelled),
                splitting=Splitting(
                    shares=_shares(shares), block_m=block_m, guard_m=guard_m, seed=seed, areas=areas
                ),
                licence=licence,
                credit=credit,
            ),
            tell=show,
        )
    for line in made.summary.lines():
        click.echo(line)
    click.echo(f"{made.summary.num_patches} patches in {made.out}")


def _with_key(word: str) -> tuple[str | None, Path]:
    """A path, with the domain before it where there is one; paths may have a = too."""
    key, is_set, path = word.partition("=")
    return (key, Path(path)) if is_set and not Path(word).exists() else (None, Path(word))


def _key_with_place(word: str) -> tuple[str, Path | None]:
    key, is_set, path = word.partition("=")
    return key, Path(path) if is_set else None


def _shares(text: str) -> tuple[float, float, float]:
    try:
        train, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not three numbers, such as 70,15,15", param_hint="--shares"
        ) from None
    return train, validation, test
