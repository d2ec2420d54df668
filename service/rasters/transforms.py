"""Affine transforms as six numbers; pure."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from service.rasters.facts import Transform

Coordinate = TypeVar("Coordinate", float, NDArray[np.float64])


def apply(transform: Transform, col: Coordinate, row: Coordinate) -> tuple[Coordinate, Coordinate]:
    """Coordinates of a place in pixels."""
    a, b, c, d, e, f = transform
    return a * col + b * row + c, d * col + e * row + f


def invert(transform: Transform) -> Transform:
    """The transform from coordinates to pixels."""
    a, b, c, d, e, f = transform
    determinant = a * e - b * d
    ia, ib, id_, ie = e / determinant, -b / determinant, -d / determinant, a / determinant
    return ia, ib, -c * ia - f * ib, id_, ie, -c * id_ - f * ie


def shifted(transform: Transform, *, cols: int, rows: int) -> Transform:
    """The transform of a raster that begins ``cols`` and ``rows`` further."""
    a, b, _, d, e, _ = transform
    x, y = apply(transform, float(cols), float(rows))
    return a, b, x, d, e, y
