"""``orthoscape verify``: re-run a random part of a map and compare."""

from __future__ import annotations

import json
import math
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import numpy as np
import rasterio
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from service.cli.options import PATH
from service.errors import MapError
from service.inference.keeping import AreaMask
from service.inference.loading import ENGINE_NAMES, PRECISIONS, load_engine
from service.inference.pipeline import RunRequest, process_run
from service.inference.runs import opened, staged_sources
from service.intake.choosing import registry_of
from service.intake.planned import PlannedMap
from service.intake.scenes import digest_files, find_rasters, reader_limits
from service.maps.finishing import CONFIDENCE, PRODUCT_TAG
from service.planning.blocks import Block
from service.planning.cores import plan_cores
from service.planning.jobs import JobPlan
from service.planning.profile import ExecutionProfile
from service.rasters.inspect import read_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.manifest import Precision
    from service.inference.pipeline import BlockResult
    from service.planning.grid import GeoTransform
    from service.planning.jobs import SheetPlan
    from service.settings import EngineName, Settings

MIN_AGREEMENT = 0.999
"""Share of pixels that must agree where the map was made with another execution profile."""

MIN_LOWERED_AGREEMENT = 0.99
"""The same where one of the two computes in less than fp32: what such a graph is kept for at export."""

MIN_CORES = 3
"""Fewest cores that are run again, however small the share."""


_REMEDY = "give a map made by orthoscape predict"


class NoProvenance(MapError):
    """The file does not tell how it was made."""


class SourceChanged(MapError):
    """A source is gone, or is not what the map was made from."""


class NotReproduced(MapError):
    """Running it again gives another map."""


@click.command()
@click.argument("landcover", type=PATH)
@click.option("--source", "sources", multiple=True, type=PATH, help="Where the sources are now, if moved.")
@click.option("--share", default=0.001, show_default=True, help="Share of the cores to run again.")
@click.option("--seed", type=int, help="Of the choice of cores; random when not given.")
@click.option("--engine", type=click.Choice(ENGINE_NAMES), default=ENGINE_NAMES[0], show_default=True)
@click.option(
    "--precision", type=click.Choice(PRECISIONS), help="Of the model's graphs.  [default: the map's own]"
)
@click.pass_obj
def verify(  # noqa: PLR0913  one parameter an option
    settings: Settings,
    *,
    landcover: Path,
    sources: tuple[Path, ...],
    share: float,
    seed: int | None,
    engine: EngineName,
    precision: Precision | None,
) -> None:
    """Run a random part of LANDCOVER again and compare it pixel by pixel.

    The map carries its plan: sources are checked by content and the model by digest. With the execution
    profile of the map every byte must be the same; with another at least 99.9 % of pixels, or 99 % where
    one of the two computes in less than fp32.
    """
    provenance = _read_provenance(landcover)
    plan, made_with = provenance.plan, provenance.profile
    planned = _with_sources(plan, landcover, sources, settings)
    plan = planned.plan
    artefact = registry_of(settings).get(plan.model)
    if artefact.digest != plan.model_digest:
        raise SourceChanged(
            f"{plan.model} here is {artefact.digest[:12]}, the map was made with {plan.model_digest[:12]}",
            remedy="install the artefact of that digest",
        )
    loaded = load_engine(
        artefact, name=engine, num_threads=settings.num_threads, precision=precision or provenance.precision
    )
    sheet = provenance.sheet_of(plan)
    cores = _choose_cores(plan, sheet, share=share, seed=seed)
    keep = AreaMask(plan.area, plan.grid, core_px=plan.geometry.core_px) if plan.area is not None else None
    num_px = num_equal = 0
    ready = staged_sources(planned, settings, lambda _path, _share: None)
    with (
        rasterio.open(landcover, driver="GTiff") as file,
        opened(planned, ready, limits=reader_limits(settings)) as source,
    ):

        def compare(result: BlockResult) -> None:
            nonlocal num_px, num_equal
            rows, cols = result.block.window.slices_in(sheet.window)
            there_HW = file.read(1, window=Window.from_slices(rows, cols))
            num_px += there_HW.size
            again_HW = result.confidence_HW if provenance.is_confidence else result.classes_HW
            num_equal += int(np.count_nonzero(there_HW == again_HW))

        for core in cores:
            request = RunRequest(blocks=[core], data=plan.data, geometry=plan.geometry)
            process_run(request, source=source, engine=loaded, commit=compare, keep=keep)
    is_same_profile = made_with == asdict(loaded.profile)
    is_fp32 = provenance.precision == loaded.profile.precision == "fp32"
    wanted = 1.0 if is_same_profile else MIN_AGREEMENT if is_fp32 else MIN_LOWERED_AGREEMENT
    click.echo(
        f"{len(cores)} core{'s' if len(cores) > 1 else ''}, {num_px / 1e6:.2f} Mpx, run again with "
        f"{'the same' if is_same_profile else 'another'} execution profile: "
        f"{num_equal / num_px:.4%} of pixels equal"
    )
    if num_equal < wanted * num_px:
        raise NotReproduced(
            f"{num_px - num_equal} of {num_px} pixels differ",
            remedy="the map was edited, or made by something else than it says",
        )
    click.secho("verified", fg="green")


@dataclass(frozen=True, kw_only=True)
class _Provenance:
    """What a map says of itself."""

    path: Path
    plan: JobPlan
    profile: dict[str, object]
    transform: GeoTransform
    shape: tuple[int, int]
    is_confidence: bool

    @property
    def precision(self) -> Precision:
        """What the model computed in."""
        return cast("Precision", self.profile["precision"])

    def sheet_of(self, plan: JobPlan) -> SheetPlan:
        """The sheet of a plan that this map is.

        Raises:
            NoProvenance: None of them has its extent.
        """
        for sheet in plan.sheets:
            if (sheet.transform, (sheet.window.height, sheet.window.width)) == (self.transform, self.shape):
                return sheet
        raise NoProvenance(
            f"{self.path} has another extent than any sheet of its plan: it was cut or resampled",
            remedy="verify the map as orthoscape predict wrote it",
        )


def _read_provenance(path: Path) -> _Provenance:
    """Read the plan and the execution profile that a map was made with."""
    try:
        with rasterio.open(path, driver="GTiff") as file:
            tags, transform, shape = file.tags(), file.transform, file.shape
    except RasterioIOError as error:
        raise NoProvenance(f"{path} cannot be read: {error}", remedy=_REMEDY) from error
    if "ORTHOSCAPE_PLAN" not in tags:
        raise NoProvenance(f"{path} carries no plan", remedy=_REMEDY)
    try:
        plan = JobPlan.model_validate_json(tags["ORTHOSCAPE_PLAN"])
        profile = asdict(ExecutionProfile(**json.loads(tags["ORTHOSCAPE_PROFILE"])))
    except (ValueError, KeyError, TypeError) as error:
        raise NoProvenance(
            f"{path} carries a plan that this version does not read: {error}",
            remedy="verify it with the version that its tags name (gdalinfo)",
        ) from error
    return _Provenance(
        path=path,
        plan=plan,
        profile=profile,
        transform=transform[:6],
        shape=shape,
        is_confidence=tags.get(PRODUCT_TAG) == CONFIDENCE,
    )


def _with_sources(plan: JobPlan, landcover: Path, moved: Sequence[Path], settings: Settings) -> PlannedMap:
    """The plan of a map with its sources where they are now, checked by content.

    Raises:
        SourceChanged: One is gone or changed.
    """
    now = {digest: path for path, digest in digest_files([str(path) for path in find_rasters(moved)]).items()}
    paths: dict[str, str] = {}
    for path, digest in plan.digests.items():
        beside = str(landcover.parent / path)  # an absolute path, of earlier versions, stays itself
        here = now.get(digest, beside)
        if not Path(here).exists() or (here == beside and digest_files([here])[here] != digest):
            raise SourceChanged(
                f"{path} is gone or is not what the map was made from",
                remedy="say where the original is now: --source FOLDER",
            )
        paths[path] = str(Path(here).resolve())
    limits = reader_limits(settings)
    return PlannedMap(
        plan=plan.with_paths(paths),
        facts={path: read_facts(path, limits=limits) for path in paths.values()},
        notes=(),
    )


def _choose_cores(plan: JobPlan, sheet: SheetPlan, *, share: float, seed: int | None) -> list[Block]:
    """Cores of a sheet drawn at random, as blocks of one core."""
    cores = [
        Block(row=core.row, col=core.col, window=core.window)
        for block in plan.blocks_of(sheet)
        for core in plan_cores(block.window, core_px=plan.geometry.core_px)
    ]
    num_drawn = min(len(cores), max(MIN_CORES, math.ceil(share * len(cores))))
    return random.Random(seed).sample(cores, num_drawn)  # noqa: S311  a sample, no secret
