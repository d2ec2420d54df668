"""The territory that tests of curation cut, three overlapping sheets of two dates, and its patches."""

import csv
from itertools import combinations

import shapely
from tiny_orthos import GSD_M, truth

PATCH_PX = 64
GUARD_M = 5.0
TRUTH_HW = truth(shape=(384, 700))
SHEETS = {
    "33-2024-0410-6425-LA93-0M20.tif": 0.0,
    "33-2024-0411-6425-LA93-0M20.tif": 300 * GSD_M,  # overlaps its neighbour
    "33-2021-0410-6425-LA93-0M20.tif": 77.4 * GSD_M,  # the same ground at another date, off the grid
}


def rows_of(out):
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ground_of(row):
    return shapely.box(*(float(row[side]) for side in ("left", "bottom", "right", "top")))


def bytes_of(out):
    return {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def least_distance(rows):
    """Between patches of two splits, in metres of Lambert-93."""
    by_split = {
        split: shapely.union_all([ground_of(row) for row in rows if row["split"] == split])
        for split in ("train", "validation", "test")
    }
    assert not any(ground.is_empty for ground in by_split.values())
    return min(one.distance(other) for one, other in combinations(by_split.values(), 2))
