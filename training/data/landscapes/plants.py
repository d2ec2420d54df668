"""Everything with crowns: single trees, hedges, stands, scrub, clear cuts."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.data.landscapes.canvas import Canvas, Points, Surface, blob, rectangle
from training.data.landscapes.cover import Cover
from training.data.landscapes.palette import Floats, Rng, draw_colour, vary

Season = Literal["spring", "summer", "autumn", "winter"]
Rect = tuple[float, float, float, float]
"""Left, top, right, bottom in the local frame, in metres."""

LEAVES: dict[Season, tuple[str, ...]] = {
    "spring": ("leaf", "lush", "dark_leaf", "leaf"),
    "summer": ("leaf", "dark_leaf", "leaf"),
    "autumn": ("leaf", "autumn_leaf", "dark_leaf"),
    "winter": ("bare_twig", "bare_twig", "dark_leaf"),
}
NEEDLES = ("needle", "blue_needle", "dark_leaf", "needle")
CONES = 0.6
"""Share of stands and single trees with needles that are narrow cones; the others are broad, as pines are."""


def scatter(rng: Rng, rect: Rect, spacing: float, *, jitter: float = 0.45) -> Points:
    """Points of a jittered hexagonal grid over a rectangle, in random order."""
    left, top, right, bottom = rect
    step_y = spacing * 0.87
    x, y = np.meshgrid(np.arange(left, right, spacing), np.arange(top, bottom, step_y))
    x = x + (np.arange(x.shape[0]) % 2)[:, None] * spacing / 2
    points = np.stack([x.ravel(), y.ravel()], 1) + rng.uniform(-jitter, jitter, (x.size, 2)) * spacing
    return rng.permutation(points)


def trees(  # noqa: PLR0913 - the measures of one thing
    canvas: Canvas,
    rng: Rng,
    centres: Points,
    *,
    cover: Cover,
    colour: Floats,
    radius: float,
    height: float,
    spread: float = 0.22,
    shade: float = 0.6,
) -> None:
    """Plant crowns of one stand: boughs of broad-leaved trees and pines, or the narrow cones of firs.

    ``shade`` is how bright what is seen between boughs is, over the crown's own colour.
    """
    num = len(centres)
    radii = radius * np.exp(rng.normal(0, spread, num))
    heights = height * np.exp(rng.normal(0, 0.12, num)) * (radii / radius) ** 0.5
    is_needle = cover is Cover.CONIFEROUS
    is_cone = is_needle and rng.random() < CONES
    surface = Surface(
        cover=cover,
        colour=colour,
        fine=float(rng.uniform(0.08, 0.2)),
        medium=0.04 if is_needle else 0.10,
        coarse=0.04,
        hue=0.05 if is_needle else 0.12,
    )
    colours = vary(
        rng, colour, num, brightness=0.08 if is_needle else 0.13, chroma=0.012 if is_needle else 0.022
    )
    dome = 1.25 if is_cone else 0.75
    crowns = Crowns(centres=centres, radii=radii, heights=heights, colours=colours)
    if not is_cone:
        crowns, dome = boughs(rng, crowns, shade=shade), float(rng.uniform(0.4, 0.9))
    canvas.add_crowns(
        crowns.centres,
        radii=crowns.radii,
        heights=crowns.heights,
        colours=crowns.colours,
        surface=surface,
        dome=dome,
        rng=rng,
    )


@dataclass(frozen=True, kw_only=True)
class Crowns:
    """Round things of one stand, in painter's order; lengths in metres."""

    centres: Points
    radii: Points
    heights: Points
    colours: Floats


def boughs(rng: Rng, crowns: Crowns, *, shade: float) -> Crowns:
    """Break crowns up into boughs, as they look from above at 20 cm: no dome is smooth or round.

    Under its boughs a crown stays, smaller and darker, for what is seen between them. Boughs of neighbours
    reach into each other, higher ones over lower ones, so that crowns of a closed stand are hard to count.
    """
    num_boughs = np.clip(np.rint((crowns.radii / rng.uniform(0.55, 0.9)) ** 2), 3, 18).astype(int)
    tree = np.repeat(np.arange(len(crowns.radii)), num_boughs)
    away = np.sqrt(rng.random(len(tree)))
    turn = rng.uniform(0, 2 * np.pi, len(tree))
    offset = (0.95 * away * crowns.radii[tree])[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    radii = crowns.radii[tree] * rng.uniform(0.2, 0.45, len(tree))
    # The middle of a crown is its top: boughs at the rim hang lower.
    heights = crowns.heights[tree] * (1 - 0.35 * away**2) * rng.uniform(0.9, 1.08, len(tree))
    gain = np.exp(rng.normal(0.05, rng.uniform(0.08, 0.2), (len(tree), 1))) * (1 - 0.15 * away[:, None] ** 2)
    colours = np.asarray(np.clip(crowns.colours[tree] * gain, 0.02, 0.98), np.float32)
    order = np.argsort(heights + rng.normal(0, 1.0, len(tree)), kind="stable")
    return Crowns(
        centres=np.concatenate([crowns.centres, (crowns.centres[tree] + offset)[order]]),
        radii=np.concatenate([crowns.radii * 0.85, radii[order]]),
        heights=np.concatenate([crowns.heights * 0.7, heights[order]]),
        colours=np.concatenate([crowns.colours * np.float32(shade), colours[order]]),
    )


def single_trees(
    canvas: Canvas, rng: Rng, centres: Points, *, season: Season, conifers: float = 0.15
) -> None:
    """Plant garden and street trees, each of its own colour."""
    for centre in centres:
        is_conifer = rng.random() < conifers
        radius = rng.uniform(1.3, 2.4) if is_conifer else rng.uniform(1.6, 4.5)
        colour = draw_colour(rng, *(NEEDLES if is_conifer else LEAVES[season]))
        cover = Cover.CONIFEROUS if is_conifer else Cover.DECIDUOUS
        trees(
            canvas,
            rng,
            centre[None],
            cover=cover,
            colour=colour,
            radius=radius,
            height=radius * rng.uniform(2, 3.4),
        )


def hedge(
    canvas: Canvas, rng: Rng, start: tuple[float, float], end: tuple[float, float], *, season: Season
) -> None:
    """Plant a continuous line of small crowns, sometimes with trees in it."""
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    radius = float(rng.uniform(0.7, 2.2))
    num = max(2, int(length / (radius * 0.9)))
    share = np.linspace(0, 1, num)[:, None]
    centres = (
        np.asarray(start) * (1 - share) + np.asarray(end) * share + rng.normal(0, radius * 0.18, (num, 2))
    )
    colour = draw_colour(rng, *LEAVES[season])
    trees(canvas, rng, centres, cover=Cover.DECIDUOUS, colour=colour, radius=radius, height=radius * 2.2)


def stand(
    canvas: Canvas, rng: Rng, rect: Rect, *, cover: Cover, season: Season, outline: Points | None = None
) -> None:
    """Cover a rectangle (or the outline) with a closed stand: dark ground, then crowns over it."""
    is_conifer = cover is Cover.CONIFEROUS
    colour = draw_colour(rng, *(NEEDLES if is_conifer else LEAVES[season]))
    radius = rng.uniform(1.25, 2.1) if is_conifer else rng.uniform(2.3, 4.6)
    height = rng.uniform(9, 24) if is_conifer else rng.uniform(8, 20)
    floor = Surface(cover=cover, colour=colour * 0.6, fine=0.15, medium=0.15, height=height * 0.35)
    canvas.add(box(rect) if outline is None else outline, floor, rng)
    is_planted = is_conifer and rng.random() < 0.5
    centres = scatter(rng, rect, radius * 1.55, jitter=0.12 if is_planted else 0.42)
    if outline is not None:
        centres = centres[contains(outline, centres)]
    trees(canvas, rng, centres, cover=cover, colour=colour, radius=radius, height=height)


def scrub(
    canvas: Canvas,
    rng: Rng,
    rect: Rect,
    *,
    season: Season,
    outline: Points | None = None,
) -> None:
    """Cover with brushwood: shrubs of one to two metres, close together, over dry grass of the same class."""
    shape = box(rect) if outline is None else outline
    floor = draw_colour(rng, "heath", "heath", "dry_grass", "leaf")
    canvas.add(
        shape, Surface(cover=Cover.BRUSHWOOD, colour=floor, fine=0.15, medium=0.2, hue=0.4, height=0.5), rng
    )
    radius = rng.uniform(0.6, 1.05)
    centres = scatter(rng, rect, radius * rng.uniform(2.5, 3.4))
    centres = centres[contains(shape, centres)]
    colour = draw_colour(rng, "heath", "heath", "heath", "bare_twig", LEAVES[season][0])
    radii = radius * np.exp(rng.normal(0, 0.35, len(centres)))
    surface = Surface(cover=Cover.BRUSHWOOD, colour=colour, fine=0.18, medium=0.1, hue=0.2)
    colours = vary(rng, colour, len(centres), brightness=0.17, chroma=0.03)
    canvas.add_crowns(
        centres, radii=radii, heights=radii * 1.5, colours=colours, surface=surface, dome=0.9, rng=rng
    )


def clear_cut(canvas: Canvas, rng: Rng, rect: Rect, *, season: Season) -> None:
    """Fell a stand: torn ground, windrows of debris, wheel lines, stumps, a few trees left."""
    colour = draw_colour(rng, "brown", "bare_twig", "brown", "dry_grass")
    angle = rng.uniform(0, np.pi)
    ground = Surface(
        cover=Cover.CLEAR_CUT,
        colour=colour,
        second=draw_colour(rng, "bare_twig", "dark_brown", "beige"),
        fine=0.3,
        medium=0.22,
        coarse=0.1,
        hue=0.55,
        stripe=0.75,
        period=rng.uniform(7, 13),
        duty=0.28,
        angle=angle,
        tram=0.5,
        tram_period=rng.uniform(14, 22),
        height=0.3,
    )
    shape = box(rect)
    canvas.add(shape, ground, rng)
    left, top, right, bottom = rect
    num = int((right - left) * (bottom - top) / 22)
    stumps = np.stack([rng.uniform(left, right, num), rng.uniform(top, bottom, num)], 1)
    radii = rng.uniform(0.22, 0.5, num)
    bright = vary(rng, draw_colour(rng, "beige", "straw"), num, brightness=0.15, chroma=0.03)
    surface = Surface(cover=Cover.CLEAR_CUT, colour=colour, fine=0.1)
    canvas.add_crowns(
        stumps, radii=radii, heights=np.full(num, 0.5), colours=bright, surface=surface, dome=0.3, rng=rng
    )
    for _ in range(num // 3):
        x, y = rng.uniform(left, right), rng.uniform(top, bottom)
        log = rectangle(-rng.uniform(1, 4), -0.16, rng.uniform(1, 4), 0.16)
        tone = Surface(
            cover=Cover.CLEAR_CUT, colour=draw_colour(rng, "bare_twig", "straw", "dark_brown"), height=0.3
        )
        canvas.add_rigid((x, y), log, rng.uniform(0, 3.1), tone, rng)
    if rng.random() < 0.5:
        kept = np.stack([rng.uniform(left, right, 3), rng.uniform(top, bottom, 3)], 1)
        single_trees(canvas, rng, kept, season=season, conifers=0.4)


def copse(  # noqa: PLR0913 - the measures of one thing
    canvas: Canvas, rng: Rng, x: float, y: float, radius: float, *, cover: Cover, season: Season
) -> None:
    """A small wood with an irregular outline."""
    outline = blob(rng, x, y, radius)
    rect = (x - radius * 2, y - radius * 2, x + radius * 2, y + radius * 2)
    if cover is Cover.BRUSHWOOD:
        scrub(canvas, rng, rect, season=season, outline=outline)
    else:
        stand(canvas, rng, rect, cover=cover, season=season, outline=outline)


def box(rect: Rect) -> Points:
    """Outline of a rectangle."""
    return rectangle(*rect)


def contains(outline: Points, points: Points) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Tell which points lie inside a closed polygon (even-odd rule)."""
    inside = np.zeros(len(points), np.bool_)
    x, y = points[:, 0], points[:, 1]
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, 0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside
