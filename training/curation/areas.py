"""Areas that say whose ground they are: polygons with a field `split`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyogrio
import pyproj
import shapely

from training.curation.errors import AreasUnfit
from training.curation.request import SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training.data.ground import Box
    from training.data.samples import Split

_FIELD = "split"
_WORDS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validate": "validation",
    "validation": "validation",
    "test": "test",
}
_STRAIGHT_M = 100.0
"""Sides are told by points so far apart before they are brought into another reference system."""
_SLACK_M = 0.01
"""What reprojection and its chords are off by is less: a patch on an area's edge lies in it all the same."""


@dataclass(frozen=True, kw_only=True)
class Areas:
    """Whose ground is whose."""

    polygons: tuple[shapely.Geometry, ...]
    splits: tuple[Split, ...]
    """Of each polygon."""
    crs: str

    @classmethod
    def of(cls, path: Path) -> Areas:
        """The areas of a vector file.

        Raises:
            AreasUnfit: It cannot be read, lacks the field, or has other words in it.
        """
        try:
            meta, _, geometries, columns = pyogrio.raw.read(path)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise AreasUnfit(f"{path} cannot be read: {error}", remedy="ogrinfo tells more.") from error
        fields = [str(field).lower() for field in meta["fields"]]
        if _FIELD not in fields:
            raise AreasUnfit(
                f"{path} has the fields {', '.join(fields) or 'none'}, not {_FIELD}",
                remedy=f"Give each area a text field {_FIELD} with {', '.join(SPLITS)} in it.",
            )
        if not meta["crs"]:
            raise AreasUnfit(f"{path} states no reference system", remedy="ogr2ogr -a_srs EPSG:2154.")
        words = [str(word).strip().lower() for word in columns[fields.index(_FIELD)]]
        unknown = sorted(set(words) - set(_WORDS))
        if unknown or not words:
            raise AreasUnfit(
                f"{path}: {_FIELD} is {', '.join(repr(word) for word in unknown) or 'nowhere told'}",
                remedy=f"It is one of {', '.join(_WORDS)}.",
            )
        polygons = shapely.make_valid(shapely.force_2d(shapely.from_wkb(geometries)))
        return cls(
            polygons=tuple(polygons), splits=tuple(_WORDS[word] for word in words), crs=str(meta["crs"])
        )

    def among(self, crs_wkt: str) -> PlacedAreas:
        """The areas in the reference system of an orthophoto, in metres."""
        to_image = pyproj.Transformer.from_crs(self.crs, crs_wkt, always_xy=True)
        is_metric = not pyproj.CRS(self.crs).is_geographic
        step = _STRAIGHT_M if is_metric else _STRAIGHT_M / 111_000
        told = shapely.segmentize(np.array(self.polygons, dtype=object), step)
        placed = shapely.transform(told, to_image.transform, interleaved=False)
        return PlacedAreas(
            whole={
                split: shapely.union_all(
                    [each for each, its in zip(placed, self.splits, strict=True) if its == split]
                )
                for split in SPLITS
            }
        )


@dataclass(frozen=True, kw_only=True)
class PlacedAreas:
    """Areas in one reference system."""

    whole: dict[Split, shapely.Geometry]
    """All ground of each split."""

    def splits_of(self, bounds: Sequence[Box], *, guard: float) -> list[Split | None]:
        """Whose each rectangle is: wholly inside one split's areas, and a guard away from all others.

        Inside is to a centimetre. Without a guard, areas may touch.

        Args:
            bounds: Of rectangles in the reference system.
            guard: In its units.

        Returns:
            None for those that are nobody's.
        """
        rectangles = shapely.box(*np.asarray(bounds, dtype=float).reshape(-1, 4).T)
        inside = {
            split: shapely.covers(_grown(ground, _SLACK_M), rectangles)
            for split, ground in self.whole.items()
        }
        near = {split: _is_near(ground, rectangles, guard=guard) for split, ground in self.whole.items()}
        told: list[Split | None] = []
        for index in range(len(rectangles)):
            whose = [
                split
                for split in SPLITS
                if inside[split][index] and not any(near[other][index] for other in SPLITS if other != split)
            ]
            told.append(whose[0] if whose else None)
        return told


def _is_near(ground: shapely.Geometry, rectangles: NDArray[np.object_], *, guard: float) -> NDArray[np.bool_]:
    """Which rectangles lie on some ground, or within the guard of it."""
    is_near: NDArray[np.bool_]
    if ground.is_empty:
        is_near = np.zeros(len(rectangles), dtype=bool)
    elif guard:
        # Those inside their own areas may stand out by as much.
        is_near = shapely.dwithin(ground, rectangles, guard + _SLACK_M)
    else:
        is_near = shapely.intersects(_grown(ground, -_SLACK_M), rectangles)
    return is_near


def _grown(ground: shapely.Geometry, by_m: float) -> shapely.Geometry:
    return shapely.buffer(ground, by_m, join_style="mitre")
