"""QGIS layer styles: ``landcover.qml`` beside ``landcover.tif`` gives names and colours on drag and drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from models.nomenclature import Nomenclature, PaletteStyle


def qgis_style(
    nomenclature: Nomenclature, *, style: PaletteStyle = "cosia", language: Literal["en", "fr"] = "en"
) -> str:
    """A paletted-raster style for QGIS 3.

    Args:
        nomenclature: The class scheme of the raster.
        style: Palette to use.
        language: Of the class names.
    """
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
        ET.SubElement(
            entries,
            "paletteEntry",
            value=str(land_cover.value),
            color=f"#{red:02x}{green:02x}{blue:02x}",
            alpha=str(alpha),
            label=land_cover.name_en if language == "en" else land_cover.cosia_name_fr or land_cover.name_fr,
        )
    ET.SubElement(pipe, "rasterresampler", maxOversampling="1")
    ET.SubElement(root, "blendMode").text = "0"
    ET.indent(root)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(
        root, encoding="unicode"
    )
