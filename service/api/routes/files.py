"""Files of maps: rasters by range, for QGIS and GDAL over HTTP; styles, legends, pictures, items."""

import io
import json
from dataclasses import replace
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from service.api.caching import ASK_FIRST, answer, content_tag, is_known, not_modified, version_tag
from service.api.deps import ServicesDep
from service.api.mapfiles import (
    MAX_HASHED_SHEETS,
    RASTERS,
    STYLE,
    download_name,
    files_of,
    path_of,
    send_raster,
    sheet_named,
    the_sheet,
)
from service.api.mapping import OpenMap
from service.api.overlook import Overlook
from service.api.problems import described
from service.api.provenance import provenance_of
from service.api.showing import (
    Json,
    LanguageDep,
    LookDep,
    MapAddressesDep,
    MapDep,
    facts_of,
    nomenclature_of,
    place_of,
)
from service.catalogue.addresses import MapAddresses
from service.catalogue.drawing import legend_png
from service.catalogue.items import COG_TYPE, MAX_SHEET_ASSETS, map_item
from service.catalogue.legends import Legend, LegendOptions, legend_json, legend_svg, make_legend
from service.catalogue.preview import Caption, draw_preview, draw_thumbnail
from service.catalogue.qml import qgis_style
from service.catalogue.words import word

router = APIRouter(tags=["Maps"])

PREVIEW_PX = 900
"""Longer side of a map in its preview, where the map has that many pixels."""
THUMBNAIL_PX = 176
"""Side of a thumbnail: four times that of its place in a list, for dense screens."""
MAX_OBLONG = 8
"""How much longer than wide a map may be before its thumbnail is drawn from fewer pixels."""
SVG, PNG, XML = "image/svg+xml", "image/png", "application/xml"
"""Media types."""
_READ = ["GET", "HEAD"]
Scale = Annotated[int, Query(ge=1, le=4, description="2 for dense screens and print.")]
Occurring = Annotated[bool, Query(description="Only what the map holds, largest first.")]
Counts = Annotated[bool, Query(description="Whether shares are told, where they are known.")]
SheetName = Annotated[str, Path(description="Of the map; see …/sheets.")]


def _add_raster(name: str) -> None:
    """The routes of a raster: of a map of one sheet, and of a sheet."""

    def read_raster(request: Request, opened: MapDep, addresses: MapAddressesDep) -> Response:
        """A Cloud-Optimized GeoTIFF; answers ranges, so that it can be opened where it lies."""
        return _raster(request, opened, sheet=None, addresses=addresses, name=name)

    def read_raster_of_sheet(
        request: Request, opened: MapDep, addresses: MapAddressesDep, sheet: SheetName
    ) -> Response:
        """The same of one sheet of a map."""
        return _raster(request, opened, sheet=sheet, addresses=addresses, name=name)

    places = (
        (f"/maps/{{map_id}}/{name}", read_raster),
        (f"/maps/{{map_id}}/sheets/{{sheet}}/{name}", read_raster_of_sheet),
    )
    for path, endpoint in places:
        router.add_api_route(
            path,
            endpoint,
            methods=_READ,
            response_class=Response,
            summary=f"{name} of a {'map' if endpoint is read_raster else 'sheet'}",
            responses={
                200: {"content": {COG_TYPE: {}}},
                206: {"description": "The ranges asked for."},
                304: {"description": "Your copy is good."},
                **described(401, 404, 409, 416),
            },
        )


def _raster(
    request: Request, opened: OpenMap, *, sheet: str | None, addresses: MapAddresses, name: str
) -> Response:
    chosen = the_sheet(opened, addresses) if sheet is None else sheet_named(opened, sheet)
    path = path_of(opened, chosen, name)
    return send_raster(request, path, filename=download_name(opened, chosen, name))


for _name in RASTERS:
    _add_raster(_name)


@router.api_route(
    "/maps/{map_id}/landcover.qml",
    methods=_READ,
    response_class=Response,
    responses={200: {"content": {XML: {}}}, **described(401, 404, 409, 422)},
)
def read_style(request: Request, opened: MapDep, addresses: MapAddressesDep, look: LookDep) -> Response:
    """The style of `landcover.tif` for QGIS, in any palette, grouping and language.

    Beside the raster under its name, it gives classes their names and colours.
    """
    return _style(request, opened, look, download_name(opened, the_sheet(opened, addresses), STYLE))


@router.api_route(
    "/maps/{map_id}/sheets/{sheet}/landcover.qml",
    methods=_READ,
    response_class=Response,
    responses={200: {"content": {XML: {}}}, **described(401, 404, 422)},
)
def read_style_of_sheet(request: Request, opened: MapDep, sheet: SheetName, look: LookDep) -> Response:
    """The style of a sheet's `landcover.tif` for QGIS."""
    return _style(request, opened, look, download_name(opened, sheet_named(opened, sheet), STYLE))


def _style(request: Request, opened: OpenMap, look: LegendOptions, filename: str) -> Response:
    text = qgis_style(
        nomenclature_of(opened), style=look.style, grouping=look.grouping, language=look.language
    )
    response = answer(text, media_type=XML, headers=request.headers)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _legend(opened: OpenMap, look: LegendOptions, *, occurring: bool, counts: bool) -> Legend:
    options = LegendOptions(
        style=look.style,
        grouping=look.grouping,
        classes=look.classes,
        language=look.language,
        is_occurring_only=occurring,
    )
    known = opened.record.pixel_counts
    if occurring and not counts and known is not None:
        present = frozenset(value for value, count in known.items() if count)
        shown = present if look.classes is None else present & look.classes
        return make_legend(
            nomenclature_of(opened),
            LegendOptions(style=look.style, grouping=look.grouping, classes=shown, language=look.language),
        )
    return make_legend(nomenclature_of(opened), options, pixel_counts=known if counts else None)


@router.get("/maps/{map_id}/legend.json", responses=described(401, 404, 422))
def read_legend(
    opened: MapDep, look: LookDep, *, occurring: Occurring = False, counts: Counts = True
) -> Json:
    """What each colour means."""
    return legend_json(_legend(opened, look, occurring=occurring, counts=counts))


@router.api_route(
    "/maps/{map_id}/legend.svg",
    methods=_READ,
    response_class=Response,
    responses={200: {"content": {SVG: {}}}, **described(401, 404, 422)},
)
def read_legend_svg(
    request: Request, opened: MapDep, look: LookDep, *, occurring: Occurring = False, counts: Counts = True
) -> Response:
    """The legend as a drawing with real text."""
    legend = _legend(opened, look, occurring=occurring, counts=counts)
    return answer(legend_svg(legend), media_type=SVG, headers=request.headers)


@router.api_route(
    "/maps/{map_id}/legend.png",
    methods=_READ,
    response_class=Response,
    responses={200: {"content": {PNG: {}}}, **described(401, 404, 422)},
)
def read_legend_png(
    request: Request,
    opened: MapDep,
    look: LookDep,
    scale: Scale = 1,
    *,
    occurring: Occurring = False,
    counts: Counts = True,
) -> Response:
    """The legend as a picture."""
    legend = _legend(opened, look, occurring=occurring, counts=counts)
    return answer(legend_png(legend, scale=scale), media_type=PNG, headers=request.headers)


@router.api_route(
    "/maps/{map_id}/preview.png",
    methods=_READ,
    response_class=Response,
    responses={200: {"content": {PNG: {}}}, **described(401, 404, 422)},
)
def read_preview(request: Request, opened: MapDep, look: LookDep, language: LanguageDep) -> Response:
    """A picture of the whole map as it stands, beside its image where there is one, with legend and scale."""
    overlook = Overlook(opened.index, side_px=PREVIEW_PX)
    classes_HW, image_HW3 = overlook.classes(), overlook.image()
    enlarged = max(1, PREVIEW_PX // 2 // max(classes_HW.shape))
    if enlarged > 1:
        classes_HW = classes_HW.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
        image_HW3 = None if image_HW3 is None else image_HW3.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    facts = facts_of(opened)
    made_by = f"{word('land cover', language)} {word('by', language)} {facts.model}"
    page = draw_preview(
        image_HW3,
        np.ascontiguousarray(classes_HW),
        nomenclature_of(opened),
        caption=Caption(
            title=facts.title,
            subtitle=made_by if facts.label == facts.name else f"{facts.name} · {made_by}",
            metres_per_px=opened.frame.gsd_m * 2**overlook.level / enlarged,
        ),
        pixel_counts=facts.pixel_counts if opened.index.is_final else None,
        options=look,
    )
    file = io.BytesIO()
    page.save(file, "PNG", compress_level=4)
    return answer(file.getvalue(), media_type=PNG, headers=request.headers)


@router.api_route(
    "/maps/{map_id}/thumbnail.png",
    methods=_READ,
    response_class=Response,
    responses={200: {"content": {PNG: {}}}, **described(401, 404, 422)},
)
def read_thumbnail(request: Request, opened: MapDep, look: LookDep) -> Response:
    """The middle of the map as it stands, in a small square: its colours alone, for lists."""
    etag = version_tag(opened.record.id, opened.index.version, content_tag(repr(look).encode()).strip('"'))
    if is_known(request.headers, etag):
        return not_modified(etag, cache_control=ASK_FIRST)
    window = opened.index.window
    longer, shorter = max(window.width, window.height), min(window.width, window.height)
    overlook = Overlook(opened.index, side_px=THUMBNAIL_PX * min(MAX_OBLONG, -(-longer // shorter)))
    picture = draw_thumbnail(overlook.classes(), nomenclature_of(opened), side_px=THUMBNAIL_PX, options=look)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=4)
    return Response(file.getvalue(), media_type=PNG, headers={"ETag": etag, "Cache-Control": ASK_FIRST})


@router.get("/maps/{map_id}/item.json", responses=described(401, 404), response_class=Response)
def read_item(
    request: Request,
    opened: MapDep,
    addresses: MapAddressesDep,
    services: ServicesDep,
    language: LanguageDep,
) -> Response:
    """The map as a STAC item."""
    sheets = opened.frame.plan.sheets[:MAX_SHEET_ASSETS]
    has_checksums = len(sheets) <= MAX_HASHED_SHEETS
    drift = services.map_drifts.of_map(opened.record, model_digest=opened.frame.plan.model_digest)
    item = map_item(
        replace(facts_of(opened), drift=drift),
        place_of(opened),
        addresses,
        files=[file for sheet in sheets for file in files_of(opened, sheet, has_checksums=has_checksums)],
        provenance=provenance_of(opened, services.registry),
        language=language,
    )
    return answer(
        json.dumps(item, ensure_ascii=False), media_type="application/geo+json", headers=request.headers
    )
