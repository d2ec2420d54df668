"""``orthoscape predict``: orthophotos in, land-cover maps out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from service.cli.existing import is_made, spare_sources
from service.cli.locking import locked_output
from service.cli.options import PATH, engine_options, reading_options, said
from service.cli.previewing import write_preview
from service.cli.reporting import ProgressBar, report_map
from service.cli.running import MapMaker
from service.errors import JobError
from service.inference.loading import load_engine
from service.intake.choosing import choose_model, registry_of
from service.intake.drifting import drift_words
from service.intake.planned import plan_maps
from service.intake.scenes import read_scenes
from service.maps.products import Products

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.manifest import Precision
    from service.intake.planned import PlannedMap
    from service.planning.profile import ExecutionProfile
    from service.rasters.placing import NodataOption
    from service.settings import EngineName, Settings

RASTER_SUFFIXES = (".tif", ".tiff")


class OutputMisnamed(JobError):
    """The output is no name that a map can be written under."""


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=PATH)
@click.option(
    "-o", "--output", required=True, type=PATH, help="landcover.tif, or a folder when there are several maps."
)
@click.option("--aoi", help="Polygon file, GeoJSON, or left,bottom,right,top[,EPSG:code].")
@click.option("--confidence", is_flag=True, help="Write the confidence beside the classes, in percent.")
@click.option("--preview", type=PATH, help="Draw a picture of the map beside its image into this PNG.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@reading_options
@engine_options
@click.pass_obj
def predict(  # noqa: PLR0913  one parameter an option
    settings: Settings,
    *,
    scenes: tuple[Path, ...],
    output: Path,
    aoi: str | None,
    confidence: bool,
    preview: Path | None,
    force: bool,
    quiet: bool,
    irc: tuple[Path, ...],
    heights: tuple[Path, ...],
    bands: str,
    nodata: NodataOption,
    source_crs: str | None,
    model: str,
    engine: EngineName,
    precision: Precision,
    threads: int | None,
) -> None:
    """Make the land-cover map of orthophotos.

    SCENES are GeoTIFF or JPEG 2000 files, or folders of them. Sheets that share a pixel grid become one
    map: they see each other across their borders. A run that was stopped goes on when repeated.
    """
    if threads is not None:
        settings = settings.model_copy(update={"threads": threads})
    options = said(bands, nodata, source_crs)
    read = read_scenes(scenes, irc=irc, heights=heights, options=options, settings=settings)
    artefact = choose_model(registry_of(settings), model, read, options)
    planned = plan_maps(read, artefact, options=options, aoi=aoi, name=_name_of(output), settings=settings)
    products = _name_products(planned, output, confidence=confidence)
    spare_sources(products, read)
    loaded = load_engine(artefact, name=engine, num_threads=settings.num_threads, precision=precision)
    maker = MapMaker(artefact, loaded, settings)
    click.echo(f"model    {artefact.manifest.key} ({', '.join(artefact.manifest.inputs[0].bands)})")
    click.echo(f"runs on  {loaded.profile}, {settings.num_threads} threads")
    for entry in planned:
        targets = {sheet.name: products[sheet.name] for sheet in entry.plan.sheets}
        click.echo(f"drift    {drift_words(entry.drift)}")
        for note in entry.notes:
            click.echo(f"note     {note}")
        _make(maker, entry, targets, profile=loaded.profile, force=force, quiet=quiet)
    if preview is not None:
        landcover = products[planned[0].plan.sheets[0].name].classes
        write_preview(preview, planned[0], landcover, artefact=artefact, settings=settings)
        click.echo(f"picture  {preview}")


def _make(
    maker: MapMaker,
    planned: PlannedMap,
    products: dict[str, Products],
    *,
    profile: ExecutionProfile,
    force: bool,
    quiet: bool,
) -> None:
    """Make one map, unless it is there already.

    Raises:
        OutputExists: Something else is there.
        JobLocked: Another process is writing to it.
    """
    folder = next(iter(products.values())).classes.parent
    with locked_output(folder, planned.plan.name):
        is_under_way = maker.job_folder(planned, folder).exists()
        if not force and is_made(products, planned.plan, profile) and not is_under_way:
            there = ", ".join(str(target.classes) for target in products.values())
            click.echo(f"there    {there}: nothing to do")
            return
        started = time.perf_counter()
        with ProgressBar(planned.plan, is_quiet=quiet) as bar:
            made = maker.make(planned, products, bar.progress)
    seconds = time.perf_counter() - started
    report_map(products, made, maker.nomenclature, artefact=maker.artefact, seconds=seconds)


def _name_of(output: Path) -> str:
    return output.stem if output.suffix.lower() in RASTER_SUFFIXES else "landcover"


def _name_products(planned: Sequence[PlannedMap], output: Path, *, confidence: bool) -> dict[str, Products]:
    """Choose the files of every sheet, before any work.

    Raises:
        OutputMisnamed: Several files are to go into one.
    """
    sheets = [sheet for entry in planned for sheet in entry.plan.sheets]
    is_file = output.suffix.lower() in RASTER_SUFFIXES
    if is_file and len(sheets) > 1:
        raise OutputMisnamed(
            f"{len(sheets)} maps would go into the one file {output}: "
            f"{', '.join(sheet.name for sheet in sheets[:5])}...",
            remedy="name a folder: -o maps/",
        )
    if not is_file and output.suffix and not output.is_dir():
        raise OutputMisnamed(
            f"{output} is neither a .tif nor a folder", remedy="maps are written as GeoTIFF: -o landcover.tif"
        )
    folder = output.parent if is_file else output
    folder.mkdir(parents=True, exist_ok=True)
    return {
        sheet.name: Products(
            classes=output if is_file else folder / f"{sheet.name}.tif",
            confidence=folder / f"{sheet.name}_confidence.tif" if confidence else None,
        )
        for sheet in sheets
    }
