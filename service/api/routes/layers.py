"""What describes tiles to maps and GIS: TileJSON and WMTS."""

import contextlib
import re
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.access.principals import Principal
from service.api.access import words_of
from service.api.caching import answer
from service.api.deps import PrincipalDep, StoreDep
from service.api.problems import described
from service.api.showing import (
    AddressesDep,
    Json,
    LanguageDep,
    LookDep,
    MapAddressesDep,
    MapDep,
    OpenMapsDep,
    ParameterError,
    facts_of,
    look_query,
    nomenclature_of,
    place_of,
)
from service.api.tiling import TileAddress, class_tile, image_tile, opened_map, read_tile_style
from service.api.words import preferred_language
from service.catalogue.items import rim_of
from service.catalogue.legends import make_legend
from service.catalogue.styles import CONFIDENCE, IMAGE, PALETTES
from service.catalogue.tilejson import image_tilejson, map_tilejson
from service.catalogue.wmts import WmtsOptions, wmts_capabilities
from service.errors import NotFound, RequestError
from service.tiles.matrices import WEB_MERCATOR, find_tile_matrix_set, tile_matrix_sets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from service.api.mapping import OpenMaps
    from service.catalogue.addresses import Addresses
    from service.catalogue.facts import MapFacts
    from service.jobs.records import MapRecord
    from service.jobs.store import Store

router = APIRouter()

XML = "application/xml"
MAX_LISTED = 200
"""Maps of one document of capabilities, the newest; clients read all of it before they show anything.

Fewer than the maps that are kept open: a document pushes none out of which tiles are asked for.
"""
_WHOLE = re.compile(r"\d{1,12}")


class WmtsRequestInvalid(RequestError):
    """The request is none that this WMTS answers."""


@router.get("/maps/{map_id}/tilejson.json", responses=described(401, 404, 422), summary="TileJSON of a map")
def read_tilejson(
    request: Request,
    opened: MapDep,
    addresses: MapAddressesDep,
    look: LookDep,
    tms: Annotated[str, Query(description="Tile matrix set; see /tileMatrixSets.")] = WEB_MERCATOR,
) -> Json:
    """Describe the class tiles of a map in the look that is asked for."""
    facts = facts_of(opened)
    if tms not in facts.zooms:
        find_tile_matrix_set(tms)
        raise ParameterError(
            "tms", f"this map is not told of in {tms}", remedy=f"one of {', '.join(facts.zooms)}"
        )
    legend = make_legend(nomenclature_of(opened), look)
    outline = rim_of(place_of(opened))
    return map_tilejson(facts, addresses, legend=legend, query=look_query(request), tms=tms, outline=outline)


@router.get(
    "/maps/{map_id}/image/tilejson.json", responses=described(401, 404), summary="TileJSON of a map's image"
)
def read_image_tilejson(opened: MapDep, addresses: MapAddressesDep, language: LanguageDep) -> Json:
    """Describe the tiles of the image that a map was made from."""
    return image_tilejson(facts_of(opened), addresses, language=language)


@router.get(
    "/maps/{map_id}/WMTSCapabilities.xml",
    response_class=Response,
    responses={200: {"content": {XML: {}}}, **described(401, 404)},
    summary="WMTS of a map",
)
def read_map_capabilities(
    request: Request,
    opened: MapDep,
    addresses: AddressesDep,
    language: LanguageDep,
    *,
    use_epsg: Annotated[bool, Query(description="Name a CRS EPSG:3857, not by its URN (ArcGIS).")] = False,
) -> Response:
    """Capabilities of a service of this map alone, for QGIS, ArcGIS and GDAL."""
    text = wmts_capabilities(
        [facts_of(opened)],
        addresses,
        matrix_sets=tile_matrix_sets(),
        capabilities_path=f"/maps/{opened.record.id}/WMTSCapabilities.xml",
        options=WmtsOptions(language=language, uses_epsg=use_epsg),
    )
    return answer(text, media_type=XML, headers=request.headers)


@router.get(
    "/wmts",
    response_class=Response,
    responses={200: {"content": {XML: {}, "image/png": {}}}, **described(401, 404, 422)},
    summary="WMTS of all maps",
)
async def answer_wmts(
    request: Request,
    maps: OpenMapsDep,
    store: StoreDep,
    addresses: AddressesDep,
    principal: PrincipalDep,
) -> Response:
    """One connection for all maps: their capabilities, newest first; and tiles by keys and values.

    `?service=WMTS&request=GetTile&layer=…&style=…&tilematrixset=…&tilematrix=…&tilecol=…&tilerow=…`; names of
    keys are read in any case. Without a `request` it answers with the capabilities.
    """
    words = words_of(request)
    asked = words.get("request", "GetCapabilities").lower()
    if asked == "gettile":
        return await _tile_by_keys(request, words, principal)
    if asked != "getcapabilities":
        raise WmtsRequestInvalid(
            f"request={words['request']} is not answered", remedy="GetCapabilities or GetTile"
        )
    return await run_in_threadpool(_all_capabilities, request, words, maps, store, addresses, principal.sees)


def _all_capabilities(
    request: Request,
    words: dict[str, str],
    maps: "OpenMaps",
    store: "Store",
    addresses: "Addresses",
    owner: str | None,
) -> Response:
    options = WmtsOptions(
        language=preferred_language(words.get("lang") or request.headers.get("accept-language")),
        uses_epsg=words.get("use_epsg", "").lower() in ("1", "true"),
    )
    text = wmts_capabilities(
        list(_facts(maps, _newest(store, owner))),
        addresses,
        matrix_sets=tile_matrix_sets(),
        capabilities_path="/wmts",
        options=options,
    )
    return answer(text, media_type=XML, headers=request.headers)


def _facts(maps: "OpenMaps", records: "Iterable[MapRecord]") -> "Iterator[MapFacts]":
    """What is told of maps; nothing of those that were deleted since they were listed."""
    for record in records:
        with contextlib.suppress(NotFound):
            yield facts_of(maps.of(record))


def _newest(store: "Store", owner: str | None) -> "list[MapRecord]":
    """The newest maps of an owner, as many as one document lists."""
    found: list[MapRecord] = []
    cursor = None
    while len(found) < MAX_LISTED:
        page = store.maps(owner=owner, limit=min(100, MAX_LISTED - len(found)), cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


async def _tile_by_keys(request: Request, words: dict[str, str], principal: Principal) -> Response:
    """The tile that a `GetTile` of keys and values names.

    Raises:
        WmtsRequestInvalid: A key is missing, or does not hold what it should.
    """
    map_id, _, kind = _word(words, "layer").partition(":")
    opened = await opened_map(request, map_id, principal=principal)
    place = TileAddress(
        z=_number(words, "tilematrix"),
        x=_number(words, "tilecol"),
        y=_number(words, "tilerow"),
        tms=_word(words, "tilematrixset"),
    )
    if kind == IMAGE:
        return await image_tile(request, opened, place, image_format="jpg")
    if kind not in ("", CONFIDENCE):
        raise WmtsRequestInvalid(f"there is no layer {words['layer']!r}", remedy="see GetCapabilities")
    query = {"product": CONFIDENCE} if kind else {"style": words.get("style") or PALETTES[0]}
    style = read_tile_style(opened.record.nomenclature, urlencode(query))
    return await class_tile(request, opened, place, style=style)


def _word(words: dict[str, str], key: str) -> str:
    if not words.get(key):
        raise WmtsRequestInvalid(f"GetTile without {key}", remedy="see GetCapabilities for what it takes")
    return words[key]


def _number(words: dict[str, str], key: str) -> int:
    word = _word(words, key)
    if not _WHOLE.fullmatch(word):
        raise WmtsRequestInvalid(f"{key}={word} is no whole number", remedy="see GetCapabilities")
    return int(word)
