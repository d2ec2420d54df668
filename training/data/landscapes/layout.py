"""The country: blocks between roads, parcels within blocks, each filled as its landscape type asks."""

from collections.abc import Callable

import numpy as np

from training.data.landscapes import rural, town, urban, wild
from training.data.landscapes.canvas import Canvas, Surface, rectangle
from training.data.landscapes.cover import Cover
from training.data.landscapes.fields import water_world
from training.data.landscapes.palette import Rng, draw_colour
from training.data.landscapes.plants import Rect, Season, copse
from training.data.landscapes.urban import road

Filler = Callable[[Canvas, Rng, Rect, Season], None]

KINDS: dict[str, tuple[float, float, float, Filler]] = {
    # name: weight, usual side of a block (m), width of the roads between (m), filler
    "urban": (1.1, 75, 10, urban.fill_city),
    "suburban": (1.6, 80, 8, urban.fill_suburb),
    "village": (1.0, 70, 6, urban.fill_village),
    "industrial": (1.1, 110, 9, urban.fill_industry),
    "agricultural": (2.0, 130, 4, rural.fill_farmland),
    "market_garden": (1.2, 90, 4, rural.fill_market_garden),
    "vineyard": (1.2, 100, 4, rural.fill_vineyard),
    "forest": (1.2, 110, 4, rural.fill_forest),
    "logging": (1.2, 100, 4, rural.fill_logging),
    "heath": (0.8, 110, 3, rural.fill_heath),
    "mountain": (1.2, 130, 0, rural.fill_mountain),
    "quarry": (0.6, 120, 6, rural.fill_quarry),
    "lake": (0.7, 130, 4, rural.fill_lakeside),
    # Drawn where their weights are said: scenes of recipes that do not stay what they were.
    "woods": (0.0, 110, 4, wild.fill_woods),
    "open_woodland": (0.0, 110, 3, wild.fill_open_woodland),
    "riverside": (0.0, 110, 4, wild.fill_riverside),
    "dry_land": (0.0, 110, 3, wild.fill_dry_land),
    "town": (0.0, 75, 6, town.fill_town),
}
"""Landscape types; weights favour rare covers over their share of the country."""

NEIGHBOUR_M = 380.0
"""Usual distance between the centres of two landscape types in a large scene."""


def lay_out(
    canvas: Canvas,
    rng: Rng,
    *,
    season: Season,
    kind: str | None,
    weights: tuple[tuple[str, float], ...] | None,
) -> None:
    """Fill a canvas with country.

    A scene of 100 m shows one or two landscape types; larger ones a town, its suburbs and the country around.

    Args:
        canvas: Empty canvas.
        rng: Source of the plan.
        season: Decides leaves, crops and lawns.
        kind: One type for the whole scene, or None.
        weights: Weights of the types; those of ``KINDS`` when None.
    """
    reach = canvas.reach_m * 1.45 + 12
    centres, kinds = draw_regions(rng, reach, kind=kind, weights=weights)

    def kind_at(x: float, y: float) -> str:
        return kinds[int(np.hypot(centres[:, 0] - x, centres[:, 1] - y).argmin())]

    base = Surface(
        cover=Cover.HERBACEOUS, colour=draw_colour(rng, "grass", "dry_grass"), fine=0.09, medium=0.12, hue=0.5
    )
    canvas.add_world(rectangle(-reach, -reach, reach, reach) * 2, base, rng)
    offset_x, offset_y = rng.uniform(-60, 60, 2)
    whole = (-reach - 60 + offset_x, -reach - 60 + offset_y, reach + 60 + offset_x, reach + 60 + offset_y)
    blocks: list[tuple[Rect, str]] = []
    split(canvas, rng, whole, kind_at=kind_at, blocks=blocks)
    for rect, name in blocks:
        x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
        if canvas.is_seen(x, y, float(np.hypot(rect[2] - rect[0], rect[3] - rect[1])) / 2 + 4):
            KINDS[name][3](canvas, rng, rect, season)
    for rect, name in blocks:
        if name == "lake":  # after all blocks: a shore runs over its neighbours' fields
            rural.flood(canvas, rng, rect, season)
    if any(name == "riverside" for _, name in blocks):
        wild.broad_river(canvas, rng, season)
    is_large = canvas.reach_m > 250
    if is_large or rng.random() < 0.06:
        river(canvas, rng, season)


def draw_regions(
    rng: Rng, reach: float, *, kind: str | None, weights: tuple[tuple[str, float], ...] | None
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], list[str]]:
    """Centres of landscape types; in large scenes a town sits in its suburbs and villages in fields."""
    table = dict(weights) if weights else {name: entry[0] for name, entry in KINDS.items()}
    num_side = max(1, round(2 * reach / NEIGHBOUR_M))
    axis = (np.arange(num_side) + 0.5) / num_side * 2 * reach - reach
    x, y = np.meshgrid(axis, axis)
    centres = np.stack([x.ravel(), y.ravel()], 1) + rng.uniform(-0.4, 0.4, (x.size, 2)) * NEIGHBOUR_M
    if kind is not None:
        return centres, [kind] * len(centres)
    names, shares = list(table), np.array(list(table.values()), float)
    shares /= shares.sum()
    kinds = [names[int(i)] for i in rng.choice(len(names), len(centres), p=shares)]
    if num_side >= 2 and not weights:
        town = rng.uniform(-0.4, 0.4, 2) * reach
        distance = np.hypot(*(centres - town).T)
        for rank, index in enumerate(distance.argsort()):
            if rank < max(1, len(centres) // 8):
                kinds[index] = "urban"
            elif rank < max(2, len(centres) // 3):
                kinds[index] = str(
                    rng.choice(
                        ["suburban", "suburban", "suburban", "industrial", "industrial", "market_garden"]
                    )
                )
            elif kinds[index] in ("urban", "suburban") or (
                kinds[index] == "mountain" and rank < 0.85 * len(centres)
            ):
                kinds[index] = str(rng.choice(["agricultural", "village", "forest", "vineyard"]))
    return centres, kinds


def split(
    canvas: Canvas,
    rng: Rng,
    rect: Rect,
    *,
    kind_at: Callable[[float, float], str],
    blocks: list[tuple[Rect, str]],
) -> None:
    """Cut a rectangle in two along a road until the pieces have the size of blocks."""
    left, top, right, bottom = rect
    width, height = right - left, bottom - top
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    if not canvas.is_seen(middle_x, middle_y, float(np.hypot(width, height)) / 2 + 5):
        return
    name = kind_at(middle_x, middle_y)
    _, target, road_m, _ = KINDS[name]
    longest = max(width, height)
    if longest < target * rng.uniform(0.9, 1.5):
        blocks.append((rect, name))
        return
    share = rng.uniform(0.38, 0.62)
    gap = road_m * (1.0 if longest < 3 * target else 1.5) * rng.uniform(0.8, 1.2)
    if width >= height:
        cut = left + width * share
        halves = [(left, top, cut - gap / 2, bottom), (cut + gap / 2, top, right, bottom)]
        start, end = (cut, top), (cut, bottom)
    else:
        cut = top + height * share
        halves = [(left, top, right, cut - gap / 2), (left, cut + gap / 2, right, bottom)]
        start, end = (left, cut), (right, cut)
    if gap > 1:
        road(canvas, rng, start, end, width=gap, is_paved=road_m > 5 or rng.random() < 0.3)
    for half in halves:
        split(canvas, rng, half, kind_at=kind_at, blocks=blocks)


def river(canvas: Canvas, rng: Rng, season: Season) -> None:
    """A winding river across the scene, with copses on its banks; roads stop at it."""
    reach = canvas.reach_m * 1.6
    along = np.arange(-reach, reach, 8.0)
    width = rng.uniform(6, 18) if canvas.reach_m < 250 else rng.uniform(16, 34)
    offset = rng.uniform(-0.5, 0.5) * canvas.reach_m
    centre = np.full_like(along, offset)
    for size, length in ((30, 95), (9, 31)):
        centre += rng.uniform(0.2, 1) * size * np.sin(along / length + rng.uniform(0, 6.3))
    half = width / 2 * (1 + 0.2 * np.sin(along / 40 + 1))
    bank = np.concatenate(
        [
            np.stack([along, centre - half - 3], 1),
            np.stack([along, centre + half + 3], 1)[::-1],
        ]
    )
    bed = np.concatenate([np.stack([along, centre - half], 1), np.stack([along, centre + half], 1)[::-1]])
    tone = draw_colour(rng, "grass", "lush", "dry_grass")
    canvas.add_world(bank, Surface(cover=Cover.HERBACEOUS, colour=tone, fine=0.1, medium=0.15, hue=0.4), rng)
    water_world(canvas, rng, bed)
    turned = canvas.rotation
    for index in range(0, len(along), 2):
        if rng.random() < 0.45:
            side = rng.choice([-1, 1])
            spot = np.array([along[index], centre[index] + side * (half[index] + rng.uniform(4, 7))])
            cos, sin = np.cos(-turned), np.sin(-turned)
            x, y = cos * spot[0] - sin * spot[1], sin * spot[0] + cos * spot[1]
            if canvas.is_seen(x, y, 10):
                copse(canvas, rng, x, y, rng.uniform(3, 6), cover=Cover.DECIDUOUS, season=season)
