"""How much of each class a map holds: pixels, shares, areas; as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.catalogue.areas import Areas
    from service.catalogue.facts import MapFacts
    from service.catalogue.legends import Legend, LegendEntry

METHOD = (
    "pixels of a class times the mean area of a pixel of their sheet, whose rim is laid out on the WGS84 "
    "ellipsoid"
)
COLUMNS = ("key", "label", "values", "count", "share", "area_m2", "area_ha")


def stats_json(facts: MapFacts, legend: Legend, areas: Areas) -> dict[str, Any]:
    """Figures of a map.

    Args:
        facts: Of the map.
        legend: The classes or groups to tell of, with their counts.
        areas: Of the classes.
    """
    counted = sum((facts.pixel_counts or {}).values())
    return {
        "map": facts.id,
        "name": facts.name,
        "nomenclature": legend.nomenclature,
        "group": legend.grouping,
        "is_final": facts.is_finished,
        "num_px": counted,
        "area_m2": round(sum(areas.m2_by_value.values()), 2),
        "area_method": METHOD,
        "area_spread": float(f"{areas.spread:.3g}"),
        "classes": [
            _row(entry, areas) | {"values": list(entry.values), "color": entry.colour}
            for entry in legend.entries
        ],
    }


def stats_csv(legend: Legend, areas: Areas) -> str:
    """The same rows as comma-separated values, in UTF-8 with a byte order mark, as spreadsheets need it."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for entry in legend.entries:
        writer.writerow(_row(entry, areas).values())
    return "\ufeff" + file.getvalue()


def _row(entry: LegendEntry, areas: Areas) -> dict[str, Any]:
    """The figures of one class or group, by column."""
    area_m2 = sum(areas.m2_by_value.get(value, 0.0) for value in entry.values)
    cells = (
        entry.key,
        entry.label,
        " ".join(str(value) for value in entry.values),
        entry.num_px or 0,
        round(entry.share or 0.0, 9),
        round(area_m2, 2),
        round(area_m2 / 10_000, 6),
    )
    return dict(zip(COLUMNS, cells, strict=True))
