"""Points labelled by eye on real rasters that are never trained on, and how a map does on them.

``python -m benchmarks.points sheets FOLDER OUT`` draws the contact sheets that the labels were read from,
``python -m benchmarks.points judge FOLDER`` maps the rasters and prints how often the maps are right; FOLDER
holds the real test data. How the points were drawn and labelled: ``benchmarks/points/README.md``.
"""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.markdown import table
from benchmarks.point_maps import Refused, make_map
from benchmarks.point_rasters import RASTERS, SEED
from benchmarks.point_shares import Share, sum_of
from benchmarks.point_sheets import draw_sheets
from models.nomenclature import COSIA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

POINTS_FOLDER = Path(__file__).with_suffix("")
"""Where the files of points lie, ``<reading>/<stem of the raster>.csv``."""

READINGS = ("first", "second")
"""In the order of the draw: the second begins after the first, and no model was chosen by it."""

NUM_POINTS = 50
"""Of every raster, in each reading."""

GROUPS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "building": (0, 1),
        "ground": (3, 4, 5),
        "water": (2, 6, 7),
        # Brushwood is here, not with the trees: it is what CoSIA keeps for woody plants that are none. A
        # crown whose height cannot be told carries both values, and so has no group.
        "low vegetation": (8, 9, 10, 11, 14, 15),
        "trees": (12, 13),
    }
)
"""Coarse groups that a map is judged by; each lies in one group of the nomenclature's ``cover``."""

NO_DATA = "no data"
"""Stands for a group where the map has no class; it is always wrong."""


class PointsInvalid(ValueError):
    """A file of points contradicts itself or the nomenclature."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A pixel and what it may be."""

    row: int
    col: int
    values: frozenset[int]
    """Class values that an interpreter cannot exclude; one where it is plain."""
    is_sure: bool
    """Whether the truth is among the values beyond doubt."""

    @property
    def group(self) -> str | None:
        """The group that all its values are in; None where they are in several."""
        groups = {group_of(value) for value in self.values}
        return groups.pop() if len(groups) == 1 else None

    @property
    def cover(self) -> str | None:
        """The same in the nomenclature's grouping ``cover``."""
        covers = {cover_of(value) for value in self.values}
        return covers.pop() if len(covers) == 1 else None


@dataclass(frozen=True, kw_only=True)
class PointSet:
    """The points of one raster."""

    stem: str
    num_drawn: int
    """Candidates of the draw that were looked at, those of earlier readings included."""
    redrawn: tuple[int, ...]
    """Numbers, from 1, of those left out: a boundary ran within a pixel of them."""
    points: tuple[Point, ...]
    num_before: int = 0
    """Candidates that earlier readings looked at."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How a map does on points. Those that are not sure are left out everywhere."""

    confusion: Counter[tuple[str, str]]
    """Points by their group and the map's; those whose values are in several groups are left out."""
    cover: Share
    """Of the points of one cover group, those where the map is of it."""
    values: Share
    """Of all, those where the map's class is one of the values."""

    def of_group(self, group: str) -> Share:
        """Share of a group's points that the map puts in it."""
        total = sum(count for (truth, _), count in self.confusion.items() if truth == group)
        return Share(hits=self.confusion[group, group], total=total)

    @property
    def groups(self) -> Share:
        """Of all points of one group, those that the map puts in it."""
        return sum_of(self.of_group(group) for group in GROUPS)

    @property
    def mean_of_groups(self) -> float:
        """Mean share of the groups that have points: each weighs the same, however many it has."""
        shares = [self.of_group(group) for group in GROUPS]
        return (
            float(np.mean([share.share for share in shares if share.total])) if self.confusion else math.nan
        )

    def __add__(self, other: Accuracy) -> Accuracy:
        return Accuracy(
            confusion=self.confusion + other.confusion,
            cover=self.cover + other.cover,
            values=self.values + other.values,
        )


def group_of(value: int) -> str:
    """The coarse group of a class value; nodata is a group of its own."""
    return next((group for group, values in GROUPS.items() if value in values), NO_DATA)


def cover_of(value: int) -> str:
    """The key of the group of ``cover`` that a class value is in; nodata is one of its own."""
    return NO_DATA if value == COSIA.nodata else COSIA.grouping("cover").group_of(value).key


def accuracy(points: Sequence[Point], classes_HW: NDArray[np.uint8]) -> Accuracy:
    """Compare a map of one raster with its points."""
    sure = [(point, int(classes_HW[point.row, point.col])) for point in points if point.is_sure]
    in_cover = [(point.cover, cover_of(value)) for point, value in sure if point.cover is not None]
    return Accuracy(
        confusion=Counter((point.group, group_of(value)) for point, value in sure if point.group is not None),
        cover=Share(hits=sum(truth == found for truth, found in in_cover), total=len(in_cover)),
        values=Share(hits=sum(value in point.values for point, value in sure), total=len(sure)),
    )


def read_points(path: Path) -> PointSet:
    """Read and check a file of points.

    Raises:
        PointsInvalid: It was drawn by another seed, counts do not fit, a class is unknown, a line is no
            point, or two are the same pixel.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    notes = dict(line.removeprefix("# ").split(":", 1) for line in lines if line.startswith("#"))
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    try:
        seed, num_drawn = int(notes["seed"]), int(notes["drawn"])
        num_before = int(notes.get("before", 0))
        redrawn = tuple(int(number) for number in notes["redrawn"].split())
        points = tuple(_point(row) for row in rows)
    except (KeyError, ValueError) as error:
        raise PointsInvalid(f"{path.name}: {error}") from error
    if seed != SEED:
        raise PointsInvalid(f"{path.name}: drawn by seed {seed}, not {SEED}")
    if len(points) != num_drawn - num_before - len(redrawn):
        raise PointsInvalid(
            f"{path.name}: {len(points)} points of {num_drawn - num_before} drawn and {len(redrawn)} redrawn"
        )
    if len({(point.row, point.col) for point in points}) != len(points):
        raise PointsInvalid(f"{path.name}: a pixel is there twice")
    return PointSet(
        stem=path.stem, num_drawn=num_drawn, redrawn=redrawn, points=points, num_before=num_before
    )


def _point(row: Mapping[str, str]) -> Point:
    values = [int(value) for value in row["values"].split(";")]
    known = range(len(COSIA.classes))
    if values != sorted(set(values)) or any(value not in known for value in values):
        raise ValueError(f"values {row['values']!r} are not rising classes of {COSIA.id}")
    if row["sure"] not in ("yes", "no"):
        raise ValueError(f"sure is {row['sure']!r}, neither yes nor no")
    place = int(row["row"]), int(row["col"])
    if min(place) < 0:
        raise ValueError(f"row and column {place} are outside every raster")
    return Point(row=place[0], col=place[1], values=frozenset(values), is_sure=row["sure"] == "yes")


def read_all(reading: str) -> dict[str, PointSet]:
    """The points of all rasters, by stem."""
    return {raster.stem: read_points(POINTS_FOLDER / reading / f"{raster.stem}.csv") for raster in RASTERS}


def _draw_all(folder: Path, out: Path, *, reading: str, num_candidates: int | None) -> None:
    """Sheets of the labelled points, or of the first candidates for who labels anew."""
    out.mkdir(parents=True, exist_ok=True)
    for raster in RASTERS:
        if num_candidates is None:
            labelled = read_points(POINTS_FOLDER / reading / f"{raster.stem}.csv").points
            places = [(point.row, point.col) for point in labelled]
        else:
            places = raster.draw(folder, num_candidates)
        print(f"{raster.stem}: {len(draw_sheets(raster, folder, places, out))} pictures")


def to_markdown(found: Accuracy) -> str:
    """How often a map is right by group, and what it says where it is not."""
    columns = (*GROUPS, NO_DATA)
    rows = [
        [truth, str(found.of_group(truth)), *(str(found.confusion[truth, column]) for column in columns)]
        for truth in GROUPS
    ]
    blank = [""] * len(columns)
    rows.append(["all groups", str(found.groups), *blank])
    rows.append(["mean of the groups", f"{found.mean_of_groups:.0%}", *blank])
    rows.append(["cover", str(found.cover), *blank])
    rows.append(["class among the values", str(found.values), *blank])
    return table(["by eye", "right", *(f"mapped {column}" for column in columns)], rows)


def _judge_all(folder: Path, *, readings: Sequence[str], model: str | None) -> None:
    """Map every raster, print a table of each reading of it, then one of all for each reading."""
    labelled = {reading: read_all(reading) for reading in readings}
    judged: dict[str, dict[str, Accuracy]] = {reading: {} for reading in readings}
    with tempfile.TemporaryDirectory() as scratch:
        for raster in RASTERS:
            print(f"\n## {raster.stem}\n")
            try:
                made = make_map(raster, folder, Path(scratch), model=model)
            except Refused as reason:
                print(reason)
                continue
            print("\n".join(made.notes))
            for reading in readings:
                found = accuracy(labelled[reading][raster.stem].points, made.classes_HW)
                judged[reading][raster.stem] = found
                print(f"\n{reading} reading\n\n{to_markdown(found)}")
    for reading, by_raster in judged.items():
        print(f"\n## {len(by_raster)} of {len(RASTERS)} rasters, {reading} reading\n")
        print(_table_of_rasters(by_raster))


def _table_of_rasters(by_raster: Mapping[str, Accuracy]) -> str:
    nothing = Accuracy(confusion=Counter(), cover=sum_of(()), values=sum_of(()))
    pooled = sum(by_raster.values(), nothing)
    rows = [
        [name, str(found.groups), str(found.cover), str(found.values)]
        for name, found in (*by_raster.items(), ("**all**", pooled))
    ]
    return f"{table(['raster', 'groups', 'cover', 'class among the values'], rows)}\n\n{to_markdown(pooled)}"


def main() -> None:
    """Draw the sheets, or judge a model."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sheets = commands.add_parser("sheets", help="draw the contact sheets of the points")
    sheets.add_argument("folder", type=Path, help="of the real test data")
    sheets.add_argument("out", type=Path, help="folder of the new pictures")
    sheets.add_argument("--reading", choices=READINGS, default=READINGS[0], help="whose points; the first")
    sheets.add_argument(
        "--candidates", type=int, help="so many first candidates of the draw, not the labelled points"
    )
    judge = commands.add_parser("judge", help="map the rasters and compare the maps with the points")
    judge.add_argument("folder", type=Path, help="of the real test data")
    judge.add_argument("--model", help="id of a model; the packaged one that fits each raster if not said")
    judge.add_argument(
        "--reading",
        choices=READINGS,
        action="append",
        help="points to judge by; may be repeated; both if not said",
    )
    arguments = parser.parse_args()
    if arguments.command == "sheets":
        _draw_all(
            arguments.folder, arguments.out, reading=arguments.reading, num_candidates=arguments.candidates
        )
    else:
        _judge_all(arguments.folder, readings=arguments.reading or READINGS, model=arguments.model)


if __name__ == "__main__":
    main()
