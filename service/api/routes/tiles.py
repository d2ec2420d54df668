"""Tiles of maps and of their images, from the first block on; and beside them what describes them.

The busiest routes of the house. They take the request as it is: who asks, which map and how it is to look
are found out by hand, from memory where a moment ago somebody asked the same, and drawing happens in a thread
(`service.api.tiling`). What they understand is told to OpenAPI beside them.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, get_args

from fastapi import APIRouter, Request
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.responses import Response

from service.api.problems import described
from service.api.routes import layers
from service.api.tiling import (
    TileAddress,
    class_tile,
    image_tile,
    opened_map,
    read_image_format,
    read_tile_style,
)
from service.tiles.matrices import WEB_MERCATOR
from service.tiles.palette import Product
from service.tiles.pictures import ImageFormat

router = APIRouter(tags=["Tiles"])
router.include_router(layers.router)

Endpoint = Callable[[Request], Awaitable[Response]]


def _class_tiles(size_px: int) -> Endpoint:
    """The route of class tiles of this size."""

    async def read_class_tile(request: Request) -> Response:
        """A tile of classes, or of how sure they are; transparent where nothing is done yet."""
        opened = await opened_map(request, request.path_params["map_id"])
        query = request.scope["query_string"].decode("latin-1")
        style = read_tile_style(opened.record.nomenclature, query)
        return await class_tile(request, opened, _place_of(request, size_px), style=style)

    return read_class_tile


def _image_tiles(size_px: int) -> Endpoint:
    """The route of image tiles of this size."""

    async def read_image_tile(request: Request) -> Response:
        """A tile of the image that a map was made from; empty where there is no picture of it yet."""
        image_format = read_image_format(request.path_params["format"])
        opened = await opened_map(request, request.path_params["map_id"])
        return await image_tile(request, opened, _place_of(request, size_px), image_format=image_format)

    return read_image_tile


def _place_of(request: Request, size_px: int) -> TileAddress:
    asked = request.path_params
    return TileAddress(
        z=asked["z"], x=asked["x"], y=asked["y"], tms=asked.get("tms", WEB_MERCATOR), size_px=size_px
    )


def _parameter(name: str, place: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "schema": schema,
        "description": description,
    }


_WHOLE = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
_PLACE = [
    _parameter("map_id", "path", _TEXT, "Of the map."),
    _parameter("z", "path", _WHOLE, "Zoom."),
    _parameter("x", "path", _WHOLE, "Column."),
    _parameter("y", "path", _WHOLE, "Row, counted from the top."),
]
_TMS = _parameter("tms", "path", _TEXT, "Tile matrix set; see /tileMatrixSets.")
_FORMAT = _parameter("format", "path", {"enum": list(get_args(ImageFormat))}, "Of the picture.")
_VERSION = _parameter("v", "query", _TEXT, "Anything: another one makes clients ask anew.")
_LOOK = [
    _parameter("style", "query", _TEXT, "A palette or a grouping; see /styles."),
    _parameter("group", "query", _TEXT, "A grouping, where `style` names a palette."),
    _parameter("classes", "query", _TEXT, "Classes to show, by value or name: `0,6` or `building,water`."),
    _parameter(
        "min_confidence",
        "query",
        _WHOLE | {"maximum": 100},
        "Leave out pixels less sure than this, in percent.",
    ),
    _parameter("product", "query", {"enum": list(get_args(Product))}, "What is shown; `classes` by default."),
    _VERSION,
]


def _add(
    path: str,
    endpoint: Endpoint,
    parameters: list[dict[str, Any]],
    *,
    media_types: Sequence[str],
    summary: str,
) -> None:
    router.add_api_route(
        path,
        endpoint,
        methods=["GET", "HEAD"],
        response_class=Response,
        summary=summary,
        responses={
            200: {"content": {media_type: {} for media_type in media_types}},
            304: {"description": "Your copy is good."},
            **described(401, 403, 404, 422),
        },
        openapi_extra={"parameters": parameters, "security": [{"key": []}]},
    )


class _PlaceConvertor(IntegerConvertor):
    """A number of a tile's address; longer ones belong to no tile, and Python refuses to read the longest."""

    regex = "[0-9]{1,12}"


register_url_convertor("place", _PlaceConvertor())

for _suffix, _size_px in (("", 256), ("@2x", 512)):
    _tile = f"{{z:place}}/{{x:place}}/{{y:place}}{_suffix}"
    _add(
        f"/maps/{{map_id}}/tiles/{_tile}.png",
        _class_tiles(_size_px),
        [*_PLACE, *_LOOK],
        media_types=["image/png"],
        summary=f"Class tile, {_size_px} px",
    )
    _add(
        f"/maps/{{map_id}}/tiles/{{tms}}/{_tile}.png",
        _class_tiles(_size_px),
        [*_PLACE, _TMS, *_LOOK],
        media_types=["image/png"],
        summary=f"Class tile of a tile matrix set, {_size_px} px",
    )
    _add(
        f"/maps/{{map_id}}/image/tiles/{_tile}.{{format}}",
        _image_tiles(_size_px),
        [*_PLACE, _FORMAT, _VERSION],
        media_types=[f"image/{kind}" for kind in ("png", "jpeg", "webp")],
        summary=f"Image tile, {_size_px} px",
    )
