"""Scenes made into plans: one map for those that share a grid and lie side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.intake.areas import read_area
from service.intake.choosing import require_runnable
from service.intake.drifting import drift_warning, measure_drift
from service.intake.scenes import digest_files, reader_limits
from service.planning.areas import Area, AreaOutsideData
from service.planning.cores import PatchGeometry
from service.planning.jobs import JobPlan, plan_sheets, precedence
from service.planning.lattice import bounding_window
from service.planning.placing import choose_grid, connected_groups, place_scene
from service.planning.preflight import check_fits, check_size
from service.rasters.placing import fits_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    import shapely

    from models.artefact import Artefact
    from models.drift import Drift
    from service.planning.grid import Grid
    from service.planning.jobs import SheetPlan
    from service.planning.placing import GridChoice
    from service.planning.preflight import ReadingOptions, SceneFacts
    from service.rasters.facts import RasterFacts
    from service.rasters.limits import Limits
    from service.rasters.sources import SourceSpec
    from service.settings import Settings


_USUAL_BLOCK_CORES = 2
_FEW_BLOCKS = 64


@dataclass(frozen=True, kw_only=True)
class _Placed:
    scene: SceneFacts
    has_named_bands: bool
    """Whether the caller said which band is which."""
    source: SourceSpec
    choice: GridChoice


@dataclass(frozen=True, kw_only=True)
class PlannedMap:
    """A plan, and what its user should know before it runs."""

    plan: JobPlan
    facts: dict[str, RasterFacts]
    """Of each file that the plan reads, by path."""
    notes: tuple[str, ...]
    """What will be done that the user may not expect, such as resampling, and what makes the map doubtful."""
    drift: Drift | None = None
    """How unlike the model's training the imagery is; None where that is not known. Not kept with a job."""

    def part_of(self, sheet: SheetPlan) -> PlannedMap:
        """What is needed to make one sheet."""
        part = self.plan.part_of(sheet)
        return PlannedMap(
            plan=part, facts={path: self.facts[path] for path in part.digests}, notes=self.notes
        )


def plan_maps(
    scenes: Sequence[SceneFacts],
    artefact: Artefact,
    *,
    options: ReadingOptions,
    aoi: str | None,
    name: str,
    settings: Settings,
) -> list[PlannedMap]:
    """Plan one map for the scenes that share a grid and lie side by side; others get maps of their own.

    So the map of a scene does not depend on what else, far away, lies in its folder.

    Args:
        scenes: Read and readable.
        artefact: The model.
        options: What the caller said.
        aoi: Area of interest, as typed.
        name: Of the map; numbered when there are several.
        settings: Limits.

    Raises:
        ModelNotRunnable: The model needs what the service does not do yet.
        AreaOutsideData: The area meets no scene; those that it does not meet get no map.
        ServiceError: A scene does not fit the model; nothing has been done yet.
    """
    require_runnable(artefact)
    groups = _group_by_grid(scenes, artefact, options)
    wanted = (
        _wanted(groups, aoi, reader_limits(settings))
        if aoi is not None
        else [(placed, None) for placed in groups]
    )
    names = _unique_names([placed for placed, _ in wanted], name)
    return [
        _plan_map(placed, artefact, area=area, name=map_name, settings=settings)
        for (placed, area), map_name in zip(wanted, names, strict=True)
    ]


def _wanted(
    groups: Sequence[Sequence[_Placed]], aoi: str, limits: Limits
) -> list[tuple[Sequence[_Placed], Area | None]]:
    """The groups that an area of interest meets, each with the area on its grid.

    Raises:
        AreaOutsideData: It meets none; the message is that of the first.
    """
    wanted: list[tuple[Sequence[_Placed], Area | None]] = []
    refusals = []
    shapes: dict[tuple[str, float], shapely.Geometry] = {}
    for placed in groups:
        grid = placed[0].choice.grid
        key = (grid.crs_wkt, grid.x_res)
        if key not in shapes:
            shapes[key] = read_area(aoi, crs_wkt=grid.crs_wkt, pixel_size=grid.x_res, limits=limits)
        area = Area(shapes[key], grid)
        try:
            area.window([item.source.extent for item in placed])
        except AreaOutsideData as refusal:
            refusals.append(refusal)
        else:
            wanted.append((placed, area))
    if not wanted:
        raise refusals[0]
    return wanted


def _unique_names(groups: Sequence[Sequence[_Placed]], name: str) -> list[str]:
    """Name the maps: as asked when there is one, after their scene or by number when there are several."""
    if len(groups) == 1:
        return [name]
    names: dict[str, None] = {}
    for number, placed in enumerate(groups, start=1):
        stem = f"{name}_{Path(placed[0].scene.main.path).stem}" if len(placed) == 1 else f"{name}_{number}"
        while stem in names:  # two folders may hold files of one name, and a name may end in a number
            stem = f"{stem}_{number}"
        names[stem] = None
    return list(names)


def _group_by_grid(
    scenes: Sequence[SceneFacts], artefact: Artefact, options: ReadingOptions
) -> list[list[_Placed]]:
    spec = artefact.manifest.inputs[0]
    groups: list[list[_Placed]] = []
    for scene in scenes:
        bands = check_fits(scene, spec, options)
        choice = choose_grid(scene.main, spec.gsd_m)
        group = next((g for g in groups if _shares_grid(scene, choice, g[0])), None)
        grid = group[0].choice.grid if group else choice.grid
        source = place_scene(scene, bands, grid=grid, options=options)
        entry = _Placed(
            scene=scene,
            has_named_bands=options.bands.strip().lower() != "auto",
            source=source,
            choice=choice,
        )
        if group is None:
            groups.append([entry])
        else:
            group.append(entry)
    reach_px = artefact.manifest.inputs[0].halo_px
    return [
        _by_precedence([group[position] for position in positions])
        for group in groups
        for positions in connected_groups([entry.source.extent for entry in group], reach_px=reach_px)
    ]


def _by_precedence(placed: Sequence[_Placed]) -> list[_Placed]:
    return sorted(placed, key=lambda item: precedence(item.scene.main.path, item.scene.main.acquisition_date))


def _shares_grid(scene: SceneFacts, choice: GridChoice, other: _Placed) -> bool:
    """Whether scenes go onto one grid, on which those that keep their own pixels keep them."""
    if choice.is_native and other.choice.is_native:
        return fits_grid(scene.main, other.choice.grid.spec)
    return choice.is_native == other.choice.is_native and choice.grid == other.choice.grid


def _plan_map(
    placed: Sequence[_Placed], artefact: Artefact, *, area: Area | None, name: str, settings: Settings
) -> PlannedMap:
    grid: Grid = placed[0].choice.grid
    sources = tuple(item.source for item in placed)
    spec = artefact.manifest.inputs[0]
    alone = placed[0] if len(placed) == 1 and placed[0].choice.is_native else None
    sheets = plan_sheets(
        sources, grid=grid, name=name, area=area, transform=alone.scene.main.transform if alone else None
    )
    plan = JobPlan(
        name=name,
        model=artefact.manifest.key,
        model_digest=artefact.digest,
        bands=spec.bands,
        grid=grid,
        epsg=placed[0].choice.epsg,
        data=bounding_window(source.extent for source in sources),
        geometry=PatchGeometry(core_px=spec.core_px, halo_px=spec.halo_px, stride_px=spec.stride_px),
        block_cores=settings.block_cores or _block_cores(sheets, core_px=spec.core_px),
        sources=sources,
        digests=digest_files([layer.path for source in sources for layer in (source, *source.companions)]),
        aoi_wkb_hex=area.geometry.wkb_hex if area else None,
        sheets=sheets,
    )
    check_size(sum(sheet.window.num_px for sheet in plan.sheets), max_px=settings.max_scene_px)
    notes = [
        f"{Path(item.scene.main.path).name}: {item.choice.reason}" for item in placed if item.choice.reason
    ]
    notes += _unread(placed, artefact)
    drift = measure_drift(plan, artefact, limits=reader_limits(settings))
    if drift is not None and drift.is_far:
        notes.append(drift_warning(drift, model=artefact.manifest.id))
    facts = {facts.path: facts for item in placed for facts in item.scene.all if facts.path in plan.digests}
    return PlannedMap(plan=plan, facts=facts, notes=tuple(notes), drift=drift)


def _block_cores(sheets: Sequence[SheetPlan], *, core_px: int) -> int:
    """Side of a block, in cores: a small map is to show progress, and to lose little to a kill."""
    num_blocks = sum(sheet.window.num_px for sheet in sheets) / (core_px * _USUAL_BLOCK_CORES) ** 2
    return 1 if num_blocks < _FEW_BLOCKS else _USUAL_BLOCK_CORES


def _unread(placed: Sequence[_Placed], artefact: Artefact) -> list[str]:
    """Companions that the model does not read, and bands of which nothing says what they are."""
    read = {layer.path for item in placed for layer in (item.source, *item.source.companions) if layer.bands}
    given = {facts.path for item in placed for facts in item.scene.all}
    bands = ", ".join(artefact.manifest.inputs[0].bands)
    notes = [
        f"{Path(path).name} is not used: {artefact.manifest.id} reads {bands}"
        for path in sorted(given - read)
    ]
    for item in placed:
        unknown = _nameless_bands(item)
        if unknown:
            notes.append(
                f"{Path(item.scene.main.path).name}: band {', '.join(map(str, unknown))} is not read, since"
                " nothing says what it is; name the bands to have it read, such as RGBI"
            )
    return notes


def _nameless_bands(placed: _Placed) -> list[int]:
    """Bands of a scene that are not read, and have neither a colour nor a description, nor a name given."""
    if placed.has_named_bands:
        return []
    read = {*placed.source.bands.values(), placed.source.alpha_band}
    return [
        band.index
        for band in placed.scene.main.bands
        if band.index not in read and band.colour == "undefined" and not band.description
    ]
