"""TileJSON 3.0: what web maps read to show a layer."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from service.catalogue.addresses import DEFAULT_TMS
from service.catalogue.facts import ATTRIBUTION
from service.catalogue.legends import legend_json
from service.catalogue.words import word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.catalogue.addresses import MapAddresses
    from service.catalogue.facts import MapFacts
    from service.catalogue.legends import Legend
    from service.catalogue.words import Language


def map_tilejson(
    facts: MapFacts,
    addresses: MapAddresses,
    *,
    legend: Legend,
    query: Mapping[str, str | None],
    tms: str = DEFAULT_TMS,
    outline: Sequence[Sequence[float]] | None = None,
) -> dict[str, Any]:
    """Describe the class tiles of a map.

    Args:
        facts: Of the map.
        addresses: Of the map.
        legend: In the style and language asked for.
        query: What was asked for: style, grouping, filter; it goes into the tiles' address, beside the
            version, so that a tile kept by a client is never one of before.
        tms: The tile matrix set; its id is told where it is not the usual one.
        outline: What the map covers, as a ring of longitudes and latitudes.
    """
    tiles = addresses.tiles({**query, "v": facts.version}, tms=tms)
    title = word("land cover", legend.language)
    layer = _layer(facts, tiles, name=f"{facts.title}: {title}", tms=tms)
    layer["legend"] = _legend_html(legend)
    layer["legend_json"] = legend_json(legend)
    if outline is not None:
        layer["outline"] = outline
    if tms != DEFAULT_TMS:
        layer["tile_matrix_set"] = addresses.server.of(f"/tileMatrixSets/{tms}")
    return layer


def image_tilejson(facts: MapFacts, addresses: MapAddresses, *, language: Language) -> dict[str, Any]:
    """Describe the tiles of a map's image."""
    name = f"{facts.title}: {word('image', language)}"
    return _layer(facts, addresses.image_tiles({"v": facts.version}), name=name, tms=DEFAULT_TMS)


def _layer(facts: MapFacts, tiles: str, *, name: str, tms: str) -> dict[str, Any]:
    min_zoom, max_zoom = facts.zooms[tms]
    left, bottom, right, top = facts.bounds_wgs84
    return {
        "tilejson": "3.0.0",
        "name": name,
        "description": f"{facts.model}, {facts.nomenclature.id}",
        "version": "1.0.0",
        "attribution": ATTRIBUTION,
        "scheme": "xyz",
        "tiles": [tiles],
        "minzoom": min_zoom,
        "maxzoom": max_zoom,
        "bounds": [left, bottom, right, top],
        "center": [(left + right) / 2, (bottom + top) / 2, min_zoom],
    }


def _legend_html(legend: Legend) -> str:
    """TileJSON's own legend is a text that clients may treat as HTML."""
    rows = "".join(
        f'<li><span style="display:inline-block;width:1.2em;height:.8em;margin-right:.5em;'
        f'background:{entry.colour}"></span>{escape(entry.label)}</li>'
        for entry in legend.entries
    )
    return f'<b>{escape(legend.title)}</b><ul style="list-style:none;margin:0;padding:0">{rows}</ul>'
