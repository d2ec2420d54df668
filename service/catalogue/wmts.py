"""WMTS 1.0.0 capabilities: one document lists a map, or all of them, for QGIS, ArcGIS and GDAL.

OGC 07-057r7. Tiles are named RESTfully by templates; `GetTile` with keys and values names the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from service.catalogue.facts import ATTRIBUTION
from service.catalogue.legends import LegendOptions, legend_size, make_legend
from service.catalogue.styles import CONFIDENCE, IMAGE, styles_of
from service.catalogue.tilematrices import add_matrix_set, add_matrix_set_link
from service.catalogue.words import word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from morecantile import TileMatrixSet

    from service.catalogue.addresses import Addresses, MapAddresses
    from service.catalogue.facts import MapFacts
    from service.catalogue.styles import StyleFacts
    from service.catalogue.words import Language

_NAMESPACES = {
    "xmlns": "http://www.opengis.net/wmts/1.0",
    "xmlns:ows": "http://www.opengis.net/ows/1.1",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": (
        "http://www.opengis.net/wmts/1.0 http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd"
    ),
    "version": "1.0.0",
}
_VERSION = "1.0.0"


@dataclass(frozen=True, kw_only=True)
class WmtsOptions:
    """How capabilities are to be told."""

    language: Language = "en"
    uses_epsg: bool = False
    """Name a CRS ``EPSG:3857`` rather than by its URN, as some clients want it."""


def wmts_capabilities(
    maps: Sequence[MapFacts],
    addresses: Addresses,
    *,
    matrix_sets: Mapping[str, TileMatrixSet],
    capabilities_path: str,
    options: WmtsOptions | None = None,
) -> str:
    """The capabilities of a service of these maps.

    Args:
        maps: What is listed, in this order; each gives a layer of classes, one of confidence, and one of its
            image where there is one.
        addresses: Of the server.
        matrix_sets: Every one that the maps' zooms name, by id.
        capabilities_path: Where this document is.
        options: Language, names of CRS.
    """
    options = options or WmtsOptions()
    root = ET.Element("Capabilities", _NAMESPACES)
    _add_identification(root, maps, options.language)
    _add_operations(root, addresses, capabilities_path)
    contents = ET.SubElement(root, "Contents")
    for facts in maps:
        for layer in _layers_of(facts, addresses.map(facts.id), options.language):
            _add_layer(contents, facts, layer, matrix_sets=matrix_sets)
    for tms_id, tms in matrix_sets.items():
        finest = max((facts.zooms[tms_id][1] for facts in maps if tms_id in facts.zooms), default=None)
        if finest is not None:
            # Levels beyond the finest map would make clients ask for tiles that only repeat pixels.
            add_matrix_set(contents, tms, max_zoom=finest, uses_epsg=options.uses_epsg)
    ET.SubElement(root, "ServiceMetadataURL", {"xlink:href": addresses.of(capabilities_path)})
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """A layer of a map."""

    id: str
    title: str
    format: str
    template: str
    styles: tuple[StyleFacts, ...]
    legends: Mapping[str, tuple[str, int, int]]
    """By style: address, width, height."""
    matrix_sets: tuple[str, ...]


def _layers_of(facts: MapFacts, addresses: MapAddresses, language: Language) -> list[_Layer]:
    styles = styles_of(facts.nomenclature, language)
    version = {"v": facts.version}
    matrix_path = "tiles/{TileMatrixSet}/{TileMatrix}/{TileCol}/{TileRow}.png"
    layers = [
        _Layer(
            id=facts.id,
            title=f"{facts.title}: {word('land cover', language)}",
            format="image/png",
            template=addresses.of(matrix_path, {"style": "{Style}", **version}),
            styles=styles,
            legends={style.id: _legend_of(facts, addresses, style, language) for style in styles},
            matrix_sets=tuple(facts.zooms),
        ),
        _Layer(
            id=f"{facts.id}:{CONFIDENCE}",
            title=f"{facts.title}: {word(CONFIDENCE, language)}",
            format="image/png",
            template=addresses.of(matrix_path, {"product": CONFIDENCE, **version}),
            styles=(),
            legends={},
            matrix_sets=tuple(facts.zooms),
        ),
    ]
    if facts.has_picture:
        layers.append(
            _Layer(
                id=f"{facts.id}:{IMAGE}",
                title=f"{facts.title}: {word(IMAGE, language)}",
                format="image/jpeg",
                template=addresses.of("image/tiles/{TileMatrix}/{TileCol}/{TileRow}.jpg", version),
                styles=(),
                legends={},
                matrix_sets=("WebMercatorQuad",),
            )
        )
    return layers


def _legend_of(
    facts: MapFacts, addresses: MapAddresses, style: StyleFacts, language: Language
) -> tuple[str, int, int]:
    options = LegendOptions(style=style.palette, grouping=style.grouping, language=language)
    legend = make_legend(facts.nomenclature, options)
    query = {"style": style.id, "lang": language, "counts": "false"}
    return (addresses.of("legend.png", query), *legend_size(legend))


def _add_identification(root: ET.Element, maps: Sequence[MapFacts], language: Language) -> None:
    part = ET.SubElement(root, "ows:ServiceIdentification")
    title = maps[0].title if len(maps) == 1 else f"{ATTRIBUTION}: {word('land cover', language)}"
    ET.SubElement(part, "ows:Title").text = title
    ET.SubElement(part, "ows:ServiceType").text = "OGC WMTS"
    ET.SubElement(part, "ows:ServiceTypeVersion").text = _VERSION
    provider = ET.SubElement(root, "ows:ServiceProvider")
    ET.SubElement(provider, "ows:ProviderName").text = ATTRIBUTION
    ET.SubElement(provider, "ows:ServiceContact")


def _add_operations(root: ET.Element, addresses: Addresses, capabilities_path: str) -> None:
    part = ET.SubElement(root, "ows:OperationsMetadata")
    kvp = addresses.of("/wmts")
    # A client appends its keys: what is there must end in ? or &.
    ready = kvp + ("&" if "?" in kvp else "?")
    for name, rest in (("GetCapabilities", addresses.of(capabilities_path)), ("GetTile", None)):
        operation = ET.SubElement(part, "ows:Operation", name=name)
        http = ET.SubElement(ET.SubElement(operation, "ows:DCP"), "ows:HTTP")
        for href, encoding in ((rest, "RESTful"), (ready, "KVP")):
            if href is not None:
                get = ET.SubElement(http, "ows:Get", {"xlink:href": href})
                constraint = ET.SubElement(get, "ows:Constraint", name="GetEncoding")
                values = ET.SubElement(constraint, "ows:AllowedValues")
                ET.SubElement(values, "ows:Value").text = encoding


def _add_layer(
    contents: ET.Element, facts: MapFacts, layer: _Layer, *, matrix_sets: Mapping[str, TileMatrixSet]
) -> None:
    element = ET.SubElement(contents, "Layer")
    ET.SubElement(element, "ows:Title").text = layer.title
    ET.SubElement(element, "ows:Abstract").text = f"{facts.model}, {facts.nomenclature.id}"
    left, bottom, right, top = facts.bounds_wgs84
    box = ET.SubElement(element, "ows:WGS84BoundingBox")
    ET.SubElement(box, "ows:LowerCorner").text = f"{left:.9f} {bottom:.9f}"
    ET.SubElement(box, "ows:UpperCorner").text = f"{right:.9f} {top:.9f}"
    ET.SubElement(element, "ows:Identifier").text = layer.id
    for style in layer.styles:
        _add_style(
            element,
            style.id,
            style.title,
            is_default=style is layer.styles[0],
            legend=layer.legends[style.id],
        )
    if not layer.styles:
        _add_style(element, "default", layer.title, is_default=True, legend=None)
    ET.SubElement(element, "Format").text = layer.format
    for tms in layer.matrix_sets:
        add_matrix_set_link(
            element, matrix_sets[tms], bounds_wgs84=facts.bounds_wgs84, zooms=facts.zooms[tms]
        )
    ET.SubElement(element, "ResourceURL", format=layer.format, resourceType="tile", template=layer.template)


def _add_style(
    layer: ET.Element, style_id: str, title: str, *, is_default: bool, legend: tuple[str, int, int] | None
) -> None:
    style = ET.SubElement(layer, "Style", isDefault="true" if is_default else "false")
    ET.SubElement(style, "ows:Title").text = title
    ET.SubElement(style, "ows:Identifier").text = style_id
    if legend is not None:
        href, width, height = legend
        attributes = {"format": "image/png", "xlink:href": href, "width": str(width), "height": str(height)}
        ET.SubElement(style, "LegendURL", attributes)
