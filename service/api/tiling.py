"""Answers with tiles: which look an address asks for, what its client may keep.

A finished map's tiles are kept for good and tagged by its version: a client's copy is confirmed without
drawing. A tile of a map under way is drawn to be compared: its tag is that of its bytes, so a block elsewhere
on the map changes nothing. Inside a map an empty tile is a transparent one; outside the tile matrix set, and
of an unknown map, there is none (404).
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import get_args
from urllib.parse import parse_qs

import anyio
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from models.nomenclature import NOMENCLATURES
from service.access.principals import Principal
from service.api.caching import FOR_A_MOMENT, FOR_GOOD, content_tag, is_known, not_modified, version_tag
from service.api.deps import services_of
from service.api.mapping import OpenMap
from service.api.showing import ParameterError, open_maps, read_look
from service.tiles.drawing import draw_tile
from service.tiles.matrices import WEB_MERCATOR, check_tile, find_tile_matrix_set
from service.tiles.palette import Product, TileStyle
from service.tiles.pictures import ImageFormat, draw_picture_tile


@dataclass(frozen=True, slots=True, kw_only=True)
class TileAddress:
    """Which tile."""

    z: int
    x: int
    y: int
    tms: str = WEB_MERCATOR
    size_px: int = 256


async def opened_map(request: Request, map_id: str, *, principal: Principal | None = None) -> OpenMap:
    """A map, for whoever may see it; from memory where it was read a moment ago.

    Args:
        request: For a tile.
        map_id: Of the map.
        principal: Who asks; the door is asked when None.

    Raises:
        AccessError: The request shows no key that is good for it.
        MapUnknown: There is none, or it is another owner's.
    """
    if principal is None:
        principal = await request.app.state.door.admit(request)
    maps = open_maps(request)
    found = maps.peek(map_id, owner=principal.sees)
    if found is not None:
        return found
    return await run_in_threadpool(maps.open, map_id, owner=principal.sees)


async def class_tile(request: Request, opened: OpenMap, place: TileAddress, *, style: TileStyle) -> Response:
    """Answer with a tile of classes, or of how sure they are.

    Raises:
        TileUnknown: There is no such tile.
    """
    # A tile that does not exist is refused even to those who say that they have it.
    check_tile(find_tile_matrix_set(place.tms), place.z, place.x, place.y)
    is_final = opened.index.is_final
    etag = version_tag(opened.index.version)
    if is_final and is_known(request.headers, etag):
        return not_modified(etag, cache_control=FOR_GOOD)
    nomenclature = NOMENCLATURES[opened.record.nomenclature]
    draw = partial(
        draw_tile,
        *(opened.index, place.z, place.x, place.y),
        nomenclature=nomenclature,
        style=style,
        tms=place.tms,
        size_px=place.size_px,
    )
    tile = await anyio.to_thread.run_sync(draw, limiter=services_of(request).drawing)
    return _sent(request, tile.png, "image/png", etag=etag if is_final else None, is_final=is_final)


async def image_tile(
    request: Request, opened: OpenMap, place: TileAddress, *, image_format: ImageFormat
) -> Response:
    """Answer with a tile of the image that a map was made from.

    Raises:
        TileUnknown: There is no such tile.
    """
    draw = partial(
        draw_picture_tile,
        *(opened.index, place.z, place.x, place.y),
        tms=place.tms,
        size_px=place.size_px,
        image_format=image_format,
    )
    tile = await anyio.to_thread.run_sync(draw, limiter=services_of(request).drawing)
    # A picture is made beside the map, sometimes after it: what is empty now may not stay so.
    is_final = opened.index.is_final and not tile.is_empty
    return _sent(request, tile.data, tile.media_type, etag=None, is_final=is_final)


def _sent(request: Request, content: bytes, media_type: str, *, etag: str | None, is_final: bool) -> Response:
    tag, kept = etag or content_tag(content), FOR_GOOD if is_final else FOR_A_MOMENT
    if is_known(request.headers, tag):
        return not_modified(tag, cache_control=kept)
    return Response(content, media_type=media_type, headers={"ETag": tag, "Cache-Control": kept})


@lru_cache(maxsize=1024)
def read_tile_style(nomenclature: str, query: str) -> TileStyle:
    """How a tile is to look, from the query of its address; words that mean nothing here are left out.

    Raises:
        ServiceError: One of them does not hold what it should.
    """
    words = {name: values[-1] for name, values in parse_qs(query).items()}
    product = words.get("product", "classes")
    if product not in get_args(Product):
        raise ParameterError("product", f"there is no product {product!r}", remedy="classes or confidence")
    look = read_look(
        NOMENCLATURES[nomenclature],
        style=words.get("style"),
        group=words.get("group"),
        classes=words.get("classes"),
    )
    return TileStyle(
        palette_style=look.style,
        grouping=look.grouping,
        classes=look.classes,
        min_confidence=_percentage(words.get("min_confidence")),
        product="confidence" if product == "confidence" else "classes",
    )


def _percentage(word: str | None) -> int | None:
    if word is None:
        return None
    if not (word.isascii() and word.isdecimal() and len(word) <= 3 and int(word) <= 100):
        raise ParameterError(
            "min_confidence", f"{word!r} is no percentage", remedy="a whole number, 0 to 100"
        )
    return int(word)


def read_image_format(word: str) -> ImageFormat:
    """The format of an image tile.

    Raises:
        ParameterError: There is no such format.
    """
    known: tuple[ImageFormat, ...] = get_args(ImageFormat)
    for image_format in known:
        if word == image_format:
            return image_format
    raise ParameterError("format", f"image tiles are no {word!r}", remedy=f"one of {', '.join(known)}")
