"""``orthoscape info``: what an orthophoto is, which models fit it, how to mend what does not."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import click
import numpy as np

from models.errors import RemediedError
from service.cli.options import PATH, engine_options, reading_options, said
from service.errors import ServiceError
from service.inference.loading import load_engine
from service.intake.choosing import registry_of
from service.intake.drifting import drift_words
from service.intake.planned import plan_maps
from service.intake.scenes import read_scenes
from service.rasters.bands import known_roles
from service.rasters.refusals import require_usable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from models.artefact import Artefact
    from models.manifest import Precision
    from service.inference.engine import Engine
    from service.intake.planned import PlannedMap
    from service.planning.preflight import ReadingOptions, SceneFacts
    from service.rasters.facts import RasterFacts
    from service.rasters.placing import NodataOption
    from service.settings import EngineName, Settings

_MPX = 1e6


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=PATH)
@click.option("--aoi", help="Polygon file, GeoJSON, or left,bottom,right,top[,EPSG:code].")
@click.option("--json", "as_json", is_flag=True, help="The facts as JSON, one scene a line; nothing else.")
@reading_options
@engine_options
@click.pass_obj
def info(  # noqa: PLR0913  one parameter an option
    settings: Settings,
    *,
    scenes: tuple[Path, ...],
    aoi: str | None,
    as_json: bool,
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
    """Say what orthophotos are, what fits them and how long a map would take.

    Exits 1 when no model fits.
    """
    if threads is not None:
        settings = settings.model_copy(update={"threads": threads})
    options = said(bands, nodata, source_crs)
    read = read_scenes(scenes, irc=irc, heights=heights, options=options, settings=settings, refuses=False)
    if as_json:
        for scene in read:
            click.echo(scene.main.model_dump_json())
        return
    for scene in read:
        _show_scene(scene, options)
    for scene in read:
        require_usable(scene.main, nodata=options.nodata, bands_option=options.bands)
    registry = registry_of(settings)
    asked = registry.ids() if model == "default" else (model,)
    load = partial(load_engine, name=engine, num_threads=settings.num_threads, precision=precision)
    fits = [
        _show_fit(registry.get(model_id), read, options, aoi=aoi, settings=settings, load=load)
        for model_id in asked
    ]
    if not any(fits):
        sys.exit(1)


def _show_fit(
    artefact: Artefact,
    scenes: Sequence[SceneFacts],
    options: ReadingOptions,
    *,
    aoi: str | None,
    settings: Settings,
    load: Callable[[Artefact], Engine],
) -> bool:
    """Say whether a model fits the scenes, and what it would do or why it does not."""
    try:
        planned = plan_maps(scenes, artefact, options=options, aoi=aoi, name="landcover", settings=settings)
        engine = load(artefact)
    except RemediedError as error:
        click.secho(f"no   {artefact.manifest.key}: {error.message}", fg="yellow")
        if error.remedy:
            click.echo(f"     what to do: {error.remedy}")
        return False
    click.secho(f"yes  {artefact.manifest.key}", fg="green")
    _show_plans(artefact, planned, settings, engine)
    return True


def _show_scene(scene: SceneFacts, options: ReadingOptions) -> None:
    facts = scene.main
    click.secho(facts.path, bold=True)
    click.echo(f"  size       {facts.width} x {facts.height} px, {facts.width * facts.height / _MPX:.1f} Mpx")
    click.echo(f"  file       {_file_words(facts)}")
    code = f"EPSG:{facts.epsg}" if facts.epsg else "without code: if you know it, --source-crs EPSG:..."
    click.echo(f"  CRS        {code if facts.crs_wkt else 'none'}")
    if facts.gsd_m is not None:
        click.echo(f"  ground     {facts.gsd_m[0]:.3f} x {facts.gsd_m[1]:.3f} m a pixel")
    if facts.bounds_wgs84 is not None:
        click.echo("  place      " + ", ".join(f"{value:.5f}" for value in facts.bounds_wgs84) + " (degrees)")
    try:
        roles = {index: role for role, index in known_roles(facts, options.bands).items()}
    except ServiceError as error:
        click.echo(f"  bands      {len(facts.bands)}: {error.message}")
    else:
        words = [f"{band.index} {roles.get(band.index, band.colour)}" for band in facts.bands]
        click.echo(f"  bands      {', '.join(words)}; {facts.bands[0].dtype}")
    click.echo(f"  validity   {_validity_words(facts, options)}")
    if facts.acquisition_date:
        click.echo(f"  acquired   {facts.acquisition_date}")
    for name, companion in (("IRC", scene.irc), ("height", scene.height)):
        if companion is not None:
            click.echo(f"  companion  {name}: {companion.path}")


def _file_words(facts: RasterFacts) -> str:
    kind = {"GTiff": "GeoTIFF", "JP2OpenJPEG": "JPEG 2000"}[facts.driver]
    layout = "tiles" if facts.is_tiled else "strips"
    height, width = facts.internal_tile
    turned = ", rotated" if facts.is_rotated else ", south-up" if facts.is_south_up else ""
    size_mib = facts.size_bytes / 2**20
    return f"{kind}, {facts.compression}, {layout} of {width} x {height} px, {size_mib:.1f} MiB{turned}"


def _validity_words(facts: RasterFacts, options: ReadingOptions) -> str:
    if options.nodata is None:
        return "every pixel is data (--nodata none)"
    if options.nodata != "file":
        return f"no data where all bands are {options.nodata:g} (--nodata)"
    if facts.collar_value is not None:
        return f"not said, and {facts.collar}"
    if facts.mask_kind == "nodata":
        return f"no data where all bands are {facts.usable_nodata:g}"
    return {"none": "every pixel is data", "alpha": "alpha band", "internal": "internal mask"}[
        facts.mask_kind
    ]


def _show_plans(
    artefact: Artefact, planned: Sequence[PlannedMap], settings: Settings, engine: Engine
) -> None:
    """Say what would be done and, from one patch measured now, how long it would take."""
    side = artefact.manifest.inputs[0].patch_px
    patch_NCHW = np.zeros((1, len(artefact.manifest.inputs[0].bands), side, side), dtype=np.uint8)
    engine.segment(patch_NCHW)
    started = time.perf_counter()
    engine.segment(patch_NCHW)
    px_per_s = side * side / (time.perf_counter() - started)
    for entry in planned:
        blocks = [block for sheet in entry.plan.sheets for block in entry.plan.blocks_of(sheet)]
        kept_px = sum(block.window.num_px for block in blocks)
        seconds = entry.plan.forward_px(blocks) / px_per_s
        click.echo(
            f"     {len(entry.plan.sheets)} file(s), {len(blocks)} blocks, {kept_px / _MPX:.1f} Mpx, "
            f"about {_duration(seconds)} on {engine.profile}, {settings.num_threads} threads"
        )
        click.echo(f"     drift: {drift_words(entry.drift)}")
        for note in entry.notes:
            click.echo(f"     note: {note}")


def _duration(seconds: float) -> str:
    for unit, length_s in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.1f} {unit}"
    return f"{max(seconds, 1):.0f} s"
