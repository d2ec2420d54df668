"""Towns in every light: roofs and the yards beside them, each of any brightness and of any material.

In the types of ``urban`` roofs are tiles, slate or metal and yards are grey, lawns green: colour tells most
of them apart. In towns of other countries roofs are of earth, felt or gravel beside yards that are paler or
darker than they are; here only edges, shade, size and order tell a house from its yard.
"""

from itertools import pairwise

import numpy as np

from training.data.landscapes import buildings
from training.data.landscapes.canvas import Canvas, Points, blob
from training.data.landscapes.cover import Cover
from training.data.landscapes.fields import bare, gravel, inset, meadow, pavement
from training.data.landscapes.palette import Floats, Rng, draw_colour, draw_light
from training.data.landscapes.plants import LEAVES, Rect, Season, box, scatter, trees

_ROOFS = (
    *("tile", "tile", "tile", "tile", "old_tile", "slate", "grey", "grey", "white", "white"),
    *("brown", "beige", "ochre", "gravel", "blue_metal", "green_metal", "red_paint", "dark_brown"),
)
_LIGHT = (0.55, 1.5)
"""Darkest and brightest roofs and yards, over the usual ones."""


def fill_town(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Houses in rows or strewn, close or apart, alike or all different, over one ground."""
    _ground(canvas, rng, box(rect), season)
    lot_m = float(np.exp(rng.uniform(*np.log((7, 28)))))
    alley_m = float(rng.choice([0.0, rng.uniform(0.3, 0.25 * lot_m)]))
    disorder = float(rng.choice([0.0, 0.02, 0.15]))
    is_alike = rng.random() < 0.4
    common = _roof(rng)
    flat_share = float(rng.choice([0.05, 0.4, 0.95]))
    yard_share, built_share = rng.uniform(0, 0.8), rng.uniform(0.6, 0.98)
    for lot in _lots(rng, rect, lot_m):
        own = inset(lot, alley_m / 2)
        if not canvas.is_seen((own[0] + own[2]) / 2, (own[1] + own[3]) / 2, lot_m):
            continue
        if rng.random() < yard_share:
            _ground(canvas, rng, box(own), season)
        if rng.random() > built_share:
            _yard_trees(canvas, rng, own, season)
            continue
        colour = common * np.float32(rng.uniform(0.85, 1.15)) if is_alike else _roof(rng)
        _house(canvas, rng, own, colour, disorder=disorder, is_flat=rng.random() < flat_share)
        if rng.random() < 0.3:
            _yard_trees(canvas, rng, own, season)


def _house(canvas: Canvas, rng: Rng, lot: Rect, colour: Floats, *, disorder: float, is_flat: bool) -> None:
    wide, deep = lot[2] - lot[0], lot[3] - lot[1]
    centre = (
        (lot[0] + lot[2]) / 2 + float(rng.normal(0, 0.06)) * wide,
        (lot[1] + lot[3]) / 2 + float(rng.normal(0, 0.06)) * deep,
    )
    angle = float(rng.normal(0, disorder)) if disorder else 0.0
    along_x = wide >= deep
    length, width = max(wide, deep) * rng.uniform(0.6, 1.0), min(wide, deep) * rng.uniform(0.55, 0.95)
    length = min(length, 2.5 * width + 6)
    size = {"length": length, "width": width}
    size["height"] = rng.uniform(2.4, 4.5) if width < 6 else rng.uniform(3, 12)
    angle += 0.0 if along_x else np.pi / 2
    if is_flat:
        is_metal = bool(rng.random() < 0.3)
        buildings.flat(canvas, rng, centre, angle, **size, colour=colour, is_metal=is_metal)
    else:
        slopes = {"steepness": rng.uniform(0.2, 1.0), "ribs": rng.choice([0.0, 0.3, 0.6])}
        buildings.pitched(canvas, rng, centre, angle, **size, colour=colour, **slopes)


def _lots(rng: Rng, rect: Rect, side_m: float) -> list[Rect]:
    """Cut a block into rows, and each row into lots of its own cuts."""
    left, top, right, bottom = rect
    rows = _cuts(rng, top, bottom, side_m)
    return [(start, low, end, high) for low, high in rows for start, end in _cuts(rng, left, right, side_m)]


def _cuts(rng: Rng, low: float, high: float, side_m: float) -> list[tuple[float, float]]:
    num = max(1, round((high - low) / side_m))
    inner = (np.arange(1, num) + rng.uniform(-0.25, 0.25, num - 1)) / num
    edges = low + (high - low) * np.concatenate([[0.0], inner, [1.0]])
    return [(float(start), float(end)) for start, end in pairwise(edges)]


def _ground(canvas: Canvas, rng: Rng, outline: Points, season: Season) -> None:
    choice, gain = rng.random(), draw_light(rng, *_LIGHT)
    if choice < 0.35:
        pavement(canvas, rng, outline, "grey", "slate", "beige", "tile", "white", "grey", gain=gain)
    elif choice < 0.55:
        gravel(canvas, rng, outline, gain=gain)
    elif choice < 0.75:
        bare(canvas, rng, outline, gain=gain)
    else:
        meadow(canvas, rng, outline, season=season, gain=gain, is_rough=rng.random() < 0.5)


def _yard_trees(canvas: Canvas, rng: Rng, lot: Rect, season: Season) -> None:
    if rng.random() < 0.3:
        middle = ((lot[0] + lot[2]) / 2, (lot[1] + lot[3]) / 2)
        radius = 0.3 * min(lot[2] - lot[0], lot[3] - lot[1])
        meadow(canvas, rng, blob(rng, *middle, radius), season=season, gain=draw_light(rng, *_LIGHT))
    centres = scatter(rng, lot, rng.uniform(4, 9))
    centres = centres[rng.random(len(centres)) < 0.5]
    if not len(centres):
        return
    colour = np.clip(draw_colour(rng, *LEAVES[season]) * np.float32(draw_light(rng, *_LIGHT)), 0.02, 0.98)
    radius = rng.uniform(1.2, 3.5)
    trees(
        canvas,
        rng,
        centres,
        cover=Cover.DECIDUOUS,
        colour=np.asarray(colour, np.float32),
        radius=radius,
        height=radius * rng.uniform(1.5, 3),
        spread=0.35,
        shade=rng.uniform(0.55, 0.95),
    )


def _roof(rng: Rng) -> Floats:
    lit: Floats = np.clip(draw_colour(rng, *_ROOFS) * np.float32(draw_light(rng, *_LIGHT)), 0.03, 0.98)
    return lit
