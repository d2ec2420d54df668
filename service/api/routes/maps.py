"""Maps: what there is, what is under a point, how much of what; their sheets; their end."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from service.api import deleting
from service.api.caching import answer
from service.api.deps import PrincipalDep, ServicesDep, StoreDep
from service.api.mapfiles import files_of
from service.api.mapping import OpenMap
from service.api.mapshapes import (
    MapOut,
    MapPage,
    PointClass,
    PointOut,
    SheetPage,
    link_to,
    map_out,
    sheet_out,
)
from service.api.problems import described
from service.api.showing import (
    AddressesDep,
    Json,
    LanguageDep,
    LookDep,
    MapAddressesDep,
    MapDep,
    MapId,
    facts_of,
    nomenclature_of,
)
from service.catalogue.addresses import Addresses
from service.catalogue.areas import Areas, SheetCounts, class_areas
from service.catalogue.legends import make_legend
from service.catalogue.statistics import stats_csv, stats_json
from service.catalogue.words import Language
from service.jobs.pages import MAX_CURSOR
from service.jobs.records import UnitKind, UnitStatus
from service.jobs.store import Store
from service.tiles.points import query_point

router = APIRouter(tags=["Maps"])
writing = APIRouter(tags=["Maps"])
"""What changes maps; not for processes that only read."""

MAX_PAGE = 200
MAX_SHEETS = 1000
_ALL_SHEETS = 1_000_000
Name = Annotated[str, Path(description="Of maps.", examples=["annecy-2024"])]
Longitude = Annotated[float, Path(ge=-180, le=180, description="Degrees east, WGS84.")]
Latitude = Annotated[float, Path(ge=-90, le=90, description="Degrees north, WGS84.")]


class Wanted(BaseModel):
    """Which maps to list."""

    name: str | None = Field(default=None, description="Of the maps to list.")
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(default=None, max_length=MAX_CURSOR, description="From a `next` link.")
    lang: Language | None = Field(default=None, description="Of titles; from Accept-Language where absent.")


@router.get("/maps", responses=described(401, 403, 422))
def list_maps(
    store: StoreDep,
    principal: PrincipalDep,
    addresses: AddressesDep,
    language: LanguageDep,
    wanted: Annotated[Wanted, Query()],
) -> MapPage:
    """The maps that you may see, newest first."""
    page = store.maps(owner=principal.sees, name=wanted.name, limit=wanted.limit, cursor=wanted.cursor)
    links = {}
    if page.next_cursor is not None:
        query = {"name": wanted.name, "limit": str(wanted.limit), "cursor": page.next_cursor}
        links["next"] = link_to("next", addresses.of("/maps", query), "application/json", language)
    return MapPage(maps=[map_out(record, addresses, language) for record in page.items], links=links)


@router.get("/maps/{map_id}", responses=described(401, 404))
def read_map(
    map_id: MapId, store: StoreDep, principal: PrincipalDep, addresses: AddressesDep, language: LanguageDep
) -> MapOut:
    """One map."""
    return map_out(store.map(map_id, owner=principal.sees), addresses, language)


@writing.delete("/maps/{map_id}", status_code=204, responses=described(401, 403, 404, 409))
def delete_map(map_id: MapId, services: ServicesDep, principal: PrincipalDep) -> None:
    """Delete a map and its files; its job stays, as history. A job under way is to be stopped first."""
    deleting.delete_map(map_id, services, owner=principal.sees)


@router.get(
    "/maps/{name}/latest",
    status_code=307,
    response_class=RedirectResponse,
    responses=described(401, 404),
    summary="The newest map of a name",
)
def find_latest(
    name: Name, request: Request, store: StoreDep, principal: PrincipalDep, addresses: AddressesDep
) -> Response:
    """Leads to the newest map of a name, a finished one if there is any."""
    return _to_latest(name, "", request, store=store, owner=principal.sees, addresses=addresses)


@router.get(
    "/maps/{name}/latest/{rest:path}",
    status_code=307,
    response_class=RedirectResponse,
    responses=described(401, 404),
    summary="What lies under the newest map of a name",
)
def find_under_latest(
    name: Name, rest: str, request: Request, store: StoreDep, principal: PrincipalDep, addresses: AddressesDep
) -> Response:
    """Leads to the same under the newest map of a name: an address of tiles or files that stays."""
    return _to_latest(name, rest, request, store=store, owner=principal.sees, addresses=addresses)


def _to_latest(
    name: str, rest: str, request: Request, *, store: Store, owner: str | None, addresses: Addresses
) -> Response:
    record = store.latest_map(name, owner=owner)
    query = {key: value for key, value in request.query_params.items() if key != "key"}
    target = addresses.map(record.id).of(rest, query)
    return RedirectResponse(target, status_code=307, headers={"Cache-Control": "no-cache"})


@router.get("/maps/{map_id}/point/{lon},{lat}", responses=described(401, 404, 422))
def read_point(opened: MapDep, lon: Longitude, lat: Latitude, look: LookDep) -> PointOut:
    """The class of the pixel under a point, and how sure it is; its group, where one is asked for."""
    found = query_point(opened.index, lon, lat)
    land_cover = None
    if found.class_value is not None:
        legend = make_legend(nomenclature_of(opened), look)
        land_cover = next(
            (
                PointClass(value=found.class_value, key=entry.key, label=entry.label, color=entry.colour)
                for entry in legend.entries
                if found.class_value in entry.values
            ),
            None,
        )
    values = {"lon": lon, "lat": lat, "class": land_cover, "confidence": found.confidence}
    return PointOut.model_validate(values | {"is_inside": found.is_inside, "is_final": found.is_final})


@router.get("/maps/{map_id}/stats.json", responses=described(401, 404, 422))
def read_stats(opened: MapDep, store: StoreDep, look: LookDep) -> Json:
    """Pixels, shares and areas of classes or groups, of the sheets finished so far.

    Areas are on the ellipsoid: `area_method` says how they are found, `area_spread` by how much the pixels of
    a sheet differ in size, at most.
    """
    legend = make_legend(nomenclature_of(opened), look, pixel_counts=opened.record.pixel_counts or {})
    return stats_json(facts_of(opened), legend, _areas(opened, store))


@router.get(
    "/maps/{map_id}/stats.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}, **described(401, 404, 422)},
)
def read_stats_table(request: Request, opened: MapDep, store: StoreDep, look: LookDep) -> Response:
    """The same figures as a table for spreadsheets."""
    legend = make_legend(nomenclature_of(opened), look, pixel_counts=opened.record.pixel_counts or {})
    response = answer(
        stats_csv(legend, _areas(opened, store)),
        media_type="text/csv; charset=utf-8",
        headers=request.headers,
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{opened.record.name}_stats.csv"'
    return response


def _areas(opened: OpenMap, store: Store) -> Areas:
    """Areas of what the finished sheets of a map hold."""
    units = store.units(opened.record.job_id, kind=UnitKind.SHEET, status=UnitStatus.DONE, limit=_ALL_SHEETS)
    return class_areas(
        opened.frame.grid,
        [
            SheetCounts(
                window=opened.frame.sheets_by_name[unit.sheet].window,
                pixel_counts={
                    int(value): int(count) for value, count in unit.figures["pixel_counts"].items()
                },
            )
            for unit in units
            if unit.figures
        ],
    )


@router.get("/maps/{map_id}/sheets", responses=described(401, 404, 422))
def list_sheets(
    opened: MapDep,
    addresses: MapAddressesDep,
    language: LanguageDep,
    limit: Annotated[int, Query(ge=1, le=MAX_SHEETS)] = 100,
    offset: Annotated[int, Query(ge=0, description="Sheets to leave out at the beginning.")] = 0,
) -> SheetPage:
    """The sheets of a map with the files that are there."""
    sheets = opened.frame.plan.sheets
    shown = sheets[offset : offset + limit]
    links = {}
    if offset + limit < len(sheets):
        href = addresses.of("sheets", {"limit": str(limit), "offset": str(offset + limit)})
        links["next"] = link_to("next", href, "application/json", language)
    return SheetPage(
        num_sheets=len(sheets),
        sheets=[sheet_out(opened, sheet, files_of(opened, sheet), addresses) for sheet in shown],
        links=links,
    )
