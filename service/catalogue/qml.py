"""QGIS layer styles: ``landcover.qml`` beside ``landcover.tif`` gives names and colours on drag and drop."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from service.catalogue.words import class_name, group_name

if TYPE_CHECKING:
    from models.nomenclature import Nomenclature, PaletteStyle
    from service.catalogue.words import Language


def qgis_style(
    nomenclature: Nomenclature,
    *,
    style: PaletteStyle = "cosia",
    grouping: str | None = None,
    language: Language = "en",
) -> str:
    """A paletted-raster style for QGIS 3.

    Args:
        nomenclature: The class scheme of the raster.
        style: Palette to use.
        grouping: Key of a grouping: classes keep their values and take their group's name and colour.
        language: Of the class names.

    Raises:
        NomenclatureUnknown: There is no such grouping.
    """
    groups = None if grouping is None else nomenclature.grouping(grouping)
    root = ET.Element("qgis", version="3.0", styleCategories="Symbology")
    pipe = ET.SubElement(root, "pipe")
    renderer = ET.SubElement(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1", nodataColor=""
    )
    ET.SubElement(renderer, "rasterTransparency")
    entries = ET.SubElement(renderer, "colorPalette")
    palette = nomenclature.palette(style)
    for land_cover in nomenclature.classes:
        red, green, blue, alpha = palette[land_cover.value]
        colour, label = f"#{red:02x}{green:02x}{blue:02x}", class_name(land_cover, language)
        if groups is not None:
            group = groups.group_of(land_cover.value)
            colour, label = group.colour, group_name(group, language)
        ET.SubElement(
            entries,
            "paletteEntry",
            value=str(land_cover.value),
            color=colour,
            alpha=str(alpha),
            label=label,
        )
    ET.SubElement(pipe, "rasterresampler", maxOversampling="1")
    ET.SubElement(root, "blendMode").text = "0"
    ET.indent(root)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(
        root, encoding="unicode"
    )
