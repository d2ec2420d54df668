"""Woods, waters and dry land in every light: what the types of ``rural`` show dark, small or seldom.

Elsewhere woods are darker than the grass beside them and shrubs have the only crowns that stand apart, so
that brightness and gaps tell trees from low plants. In imagery of other flights and countries they do not:
here crowns, grass, soil, the shade between crowns and water are each drawn from dark to bright, apart from
each other.
"""

import numpy as np

from training.data.landscapes import buildings
from training.data.landscapes.canvas import Canvas, Points, Surface, blob, rectangle
from training.data.landscapes.cover import Cover
from training.data.landscapes.fields import bare, gravel, meadow, pavement
from training.data.landscapes.palette import Floats, Rng, draw_colour, draw_light, vary
from training.data.landscapes.plants import (
    LEAVES,
    NEEDLES,
    Rect,
    Season,
    box,
    contains,
    scatter,
    scrub,
    single_trees,
    trees,
)
from training.data.landscapes.rural import fill_farmland, strips

_SHADE = (0.55, 0.95)
"""Darkest and brightest ground under crowns, over their own colour."""
_LIGHT = (0.6, 1.7)
"""Darkest and brightest crowns, shrubs and grass, over the usual ones."""
_TREES = (Cover.DECIDUOUS, Cover.CONIFEROUS)
_BARE = ("autumn_leaf", "bare_twig", "bare_twig")


def fill_woods(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Closed stands and glades; either may be the brighter one, the shade between crowns deep or faint."""
    for parcel in strips(rng, rect, smallest_m=30, gap_m=rng.choice([0.0, 3.0])):
        choice = rng.random()
        if choice < 0.75:
            is_conifer = rng.random() < 0.45
            canopy(canvas, rng, box(parcel), cover=_TREES[is_conifer], season=season)
            for _ in range(int(rng.integers(0, 3))):
                spot = (rng.uniform(parcel[0], parcel[2]), rng.uniform(parcel[1], parcel[3]))
                outline = blob(rng, *spot, rng.uniform(4, 14))
                if rng.random() < 0.4:
                    meadow(canvas, rng, outline, season=season, gain=_light(rng))
                else:
                    canopy(canvas, rng, outline, cover=_TREES[rng.random() < 0.5], season=season)
        elif choice < 0.92:
            meadow(canvas, rng, box(parcel), season=season, gain=_light(rng))
            for _ in range(int(rng.integers(0, 5))):
                spot = (rng.uniform(parcel[0], parcel[2]), rng.uniform(parcel[1], parcel[3]))
                canopy(
                    canvas, rng, blob(rng, *spot, rng.uniform(3, 12)), cover=Cover.DECIDUOUS, season=season
                )
        else:
            scrub(canvas, rng, parcel, season=season)


def canopy(canvas: Canvas, rng: Rng, outline: Points, *, cover: Cover, season: Season) -> None:
    """A closed stand within an outline, of any brightness, with shade of any depth between its crowns."""
    is_conifer = cover is Cover.CONIFEROUS
    colour = _leaves(rng, season, is_conifer=is_conifer)
    radius = rng.uniform(1.2, 2.6) if is_conifer else rng.uniform(1.6, 5.0)
    # Of low relief little shade falls into the gaps, as under a high sun or through haze.
    height = float(np.exp(rng.uniform(*np.log((0.8, 14)))))
    shade = rng.uniform(*_SHADE)
    floor = Surface(
        cover=cover, colour=colour * np.float32(shade), fine=0.15, medium=0.15, height=height * 0.35
    )
    canvas.add(outline, floor, rng)
    low, high = outline.min(0), outline.max(0)
    is_planted = rng.random() < (0.5 if is_conifer else 0.1)
    centres = scatter(
        rng,
        (low[0], low[1], high[0], high[1]),
        radius * rng.uniform(1.15, 1.6),
        jitter=0.12 if is_planted else 0.42,
    )
    centres = centres[contains(outline, centres)]
    trees(canvas, rng, centres, cover=cover, colour=colour, radius=radius, height=height, shade=shade)


def fill_open_woodland(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Trees that stand apart over dry grass, litter or sand: oak pasture, pine sandhills, parkland."""
    ground = rng.random()
    if ground < 0.75:
        meadow(canvas, rng, box(rect), season=season, gain=_light(rng))
    elif ground < 0.9:
        bare(canvas, rng, box(rect))
    else:
        scrub(canvas, rng, rect, season=season)
    left, top, right, bottom = rect
    for _ in range(int(rng.integers(0, 9))):
        spot = blob(rng, rng.uniform(left, right), rng.uniform(top, bottom), rng.uniform(1.5, 9), rough=0.4)
        if rng.random() < 0.5:
            meadow(canvas, rng, spot, season=season, gain=_light(rng))
        else:
            _sand(canvas, rng, spot)
    radius = rng.uniform(1.5, 5.5)
    spacing = radius * rng.uniform(2.0, 5.0)
    centres = scatter(rng, rect, spacing)
    is_conifer = rng.random() < 0.35
    kinds = rng.integers(1, 4)
    for part in np.array_split(centres, kinds):
        if len(part):
            trees(
                canvas,
                rng,
                part,
                cover=_TREES[is_conifer],
                colour=_leaves(rng, season, is_conifer=is_conifer),
                radius=radius,
                height=radius * rng.uniform(1.5, 4.0),
                spread=0.35,
                shade=rng.uniform(*_SHADE),
            )
    if rng.random() < 0.6:
        _shrubs(canvas, rng, rect, season)
    if rng.random() < 0.3:
        single_trees(canvas, rng, scatter(rng, rect, 25), season=season, conifers=0.5)


def fill_dry_land(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Dry grass beside soil, either the brighter one: grass is mottled, soil even and worn into tracks."""
    for parcel in strips(rng, rect, smallest_m=35, gap_m=rng.choice([0.0, 1.5])):
        is_grass = rng.random() < 0.75
        (_dry_grass if is_grass else _soil)(canvas, rng, box(parcel))
        wide, deep = parcel[2] - parcel[0], parcel[3] - parcel[1]
        for _ in range(int(rng.integers(0, 8))):
            spot = (rng.uniform(parcel[0], parcel[2]), rng.uniform(parcel[1], parcel[3]))
            outline = blob(rng, *spot, rng.uniform(1.5, 0.2 * min(wide, deep) + 2), rough=0.4)
            (_soil if is_grass else _dry_grass)(canvas, rng, outline)
        if rng.random() < 0.5:
            _track(canvas, rng, parcel)
        if rng.random() < 0.5:
            _shrubs(canvas, rng, parcel, season)
        centres = scatter(rng, parcel, rng.uniform(10, 30))
        single_trees(canvas, rng, centres[rng.random(len(centres)) < 0.5], season=season, conifers=0.2)


def _dry_grass(canvas: Canvas, rng: Rng, outline: Points) -> None:
    tone = draw_colour(rng, "dry_grass", "dry_grass", "straw", "straw", "grass", "beige")
    surface = Surface(
        cover=Cover.HERBACEOUS,
        colour=tone * np.float32(_light(rng)),
        fine=rng.uniform(0.03, 0.16),
        medium=rng.uniform(0.03, 0.18),
        coarse=rng.uniform(0.03, 0.14),
        hue=rng.uniform(0.15, 0.8),
    )
    canvas.add(outline, surface, rng)


def _soil(canvas: Canvas, rng: Rng, outline: Points) -> None:
    tone = draw_colour(rng, "ochre", "ochre", "brown", "gravel", "rock", "furrow")
    surface = Surface(
        cover=Cover.BARE_SOIL,
        colour=tone * np.float32(_light(rng)),
        second=tone * np.float32(rng.uniform(0.7, 1.2)),
        fine=rng.uniform(0.03, 0.1),
        medium=rng.uniform(0.02, 0.08),
        coarse=rng.uniform(0.04, 0.12),
        hue=rng.uniform(0, 0.1),
        tram=rng.choice([0.0, 0.6]),
        tram_period=rng.uniform(10, 40),
        angle=rng.uniform(0, 3.1),
    )
    canvas.add(outline, surface, rng)


def _track(canvas: Canvas, rng: Rng, rect: Rect) -> None:
    """A path worn into the ground, from one edge to the other."""
    along = np.arange(rect[0], rect[2] + 3, 3.0)
    middle = rng.uniform(rect[1], rect[3]) + np.zeros_like(along)
    for size, length in ((5, 40), (1.5, 13)):
        middle += rng.uniform(0.3, 1) * size * np.sin(along / length + rng.uniform(0, 6.3))
    half = rng.uniform(0.5, 2.5)
    edges = [np.stack([along, middle + side * half], 1) for side in (-1, 1)]
    _soil(canvas, rng, np.concatenate([edges[0], edges[1][::-1]]))


def _shrubs(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Low shrubs here and there, smaller than any tree beside them."""
    centres = scatter(rng, rect, rng.uniform(4, 12))
    centres = centres[rng.random(len(centres)) < rng.uniform(0.2, 0.9)]
    radii = rng.uniform(0.4, 0.9) * np.exp(rng.normal(0, 0.3, len(centres)))
    colour = draw_colour(rng, "heath", *LEAVES[season]) * np.float32(_light(rng))
    surface = Surface(cover=Cover.BRUSHWOOD, colour=colour, fine=0.18, medium=0.1, hue=0.2)
    colours = vary(rng, colour, len(centres), brightness=0.17, chroma=0.03)
    canvas.add_crowns(
        centres, radii=radii, heights=radii * 1.3, colours=colours, surface=surface, dome=0.8, rng=rng
    )


def _sand(canvas: Canvas, rng: Rng, outline: Points) -> None:
    tone = draw_colour(rng, "gravel", "beige", "white", "brown")
    canvas.add(outline, Surface(cover=Cover.BARE_SOIL, colour=tone, fine=0.12, medium=0.15, hue=0.2), rng)


def fill_riverside(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """The land along a broad river; ``broad_river`` adds the water."""
    fill = (fill_woods, fill_open_woodland, fill_farmland, None)[int(rng.integers(4))]
    if fill is None:
        _yard(canvas, rng, rect)
    else:
        fill(canvas, rng, rect, season)


def broad_river(canvas: Canvas, rng: Rng, season: Season) -> None:
    """One water over all blocks, often wider than the scene: clear, silty or glittering, with two banks."""
    reach = canvas.reach_m * 1.6
    along = np.arange(-reach, reach + 4, 4.0)
    half = rng.uniform(8, 60)
    middle = rng.uniform(-0.8, 0.8) * (canvas.reach_m + half * 0.6) + np.zeros_like(along)
    for size, length in ((12, 70), (3, 23), (0.8, 7)):
        middle += rng.uniform(0, 1) * size * np.sin(along / length + rng.uniform(0, 6.3))
    banks = []
    for side in (-1, 1):
        edge = middle + side * half
        for size, length in ((3, 31), (1, 9), (0.5, 4)):
            edge += rng.uniform(0, 1) * size * np.sin(along / length + rng.uniform(0, 6.3))
        banks.append(np.stack([along, edge], 1))
    _shore(canvas, rng, banks, season)
    _open_water(canvas, rng, np.concatenate([banks[0], banks[1][::-1]]))
    if rng.random() < 0.2:
        at = rng.uniform(-0.7, 0.7) * canvas.reach_m
        pavement(canvas, rng, rectangle(at, -reach, at + rng.uniform(3, 12), reach))
    share = rng.choice([0.0, rng.uniform(0, 0.3)])
    for bank in banks:
        for x, y in bank[rng.random(len(bank)) < share]:
            if canvas.is_seen(x, y, 10):
                outline = blob(rng, x, y, rng.uniform(2.5, 7))
                canopy(canvas, rng, outline, cover=Cover.DECIDUOUS, season=season)


def _shore(canvas: Canvas, rng: Rng, banks: list[Points], season: Season) -> None:
    """A margin of stone, sand or grass along both banks, or none."""
    beyond = np.array([0.0, rng.uniform(0.5, 7)])
    outline = np.concatenate([banks[0] - beyond, (banks[1] + beyond)[::-1]])
    choice = rng.random()
    if choice < 0.25:
        pavement(canvas, rng, outline)
    elif choice < 0.45:
        _sand(canvas, rng, outline)
    elif choice < 0.7:
        meadow(canvas, rng, outline, season=season, gain=_light(rng))


def _open_water(canvas: Canvas, rng: Rng, outline: Points) -> None:
    colour = np.clip(draw_colour(rng, *_WATERS) * np.float32(rng.uniform(0.6, 1.4)), 0.02, 0.98)
    is_glittering = rng.random() < 0.25
    surface = Surface(
        cover=Cover.WATER,
        colour=colour,
        second=colour * np.float32(1.12),
        fine=rng.uniform(0.05, 0.18) if is_glittering else rng.uniform(0.005, 0.03),
        medium=rng.uniform(0.0, 0.06),
        coarse=rng.uniform(0.02, 0.12),
        hue=0.05,
        stripe=float(rng.choice([0.0, 0.0, 0.5])),
        period=rng.uniform(0.8, 2.5),
        angle=rng.uniform(0, 3.1),
    )
    canvas.add(outline, surface, rng)


_WATERS = (
    "dark_water",
    "green_water",
    "green_water",
    "blue_water",
    "brown_water",
    "brown_water",
    "silty_water",
    "silty_water",
    "bright_water",
)


def _yard(canvas: Canvas, rng: Rng, rect: Rect) -> None:
    """A yard or a quay with a hall or two."""
    (gravel if rng.random() < 0.5 else pavement)(canvas, rng, box(rect))
    for _ in range(int(rng.integers(1, 5))):
        spot = (rng.uniform(rect[0], rect[2]), rng.uniform(rect[1], rect[3]))
        tone = draw_colour(rng, *buildings.HALL_ROOFS, "tile", "white")
        buildings.flat(
            canvas,
            rng,
            spot,
            float(rng.uniform(0, 0.5)),
            length=rng.uniform(10, 40),
            width=rng.uniform(8, 20),
            height=rng.uniform(4, 12),
            colour=tone,
            is_metal=bool(rng.random() < 0.5),
        )


def _leaves(rng: Rng, season: Season, *, is_conifer: bool) -> Floats:
    # Before and after most flights of a country some of its woods are bare or brown.
    names = _BARE if rng.random() < 0.25 else (*LEAVES[season], "sunlit_leaf")
    names = NEEDLES if is_conifer else names
    bright: Floats = np.clip(draw_colour(rng, *names) * np.float32(_light(rng)), 0.02, 0.98)
    return bright


def _light(rng: Rng) -> float:
    return draw_light(rng, *_LIGHT)
