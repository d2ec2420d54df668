"""Open and wooded land: farmland, gardens under glass, vines, woods, heath, mountain, quarry, lakeside."""

from itertools import pairwise

import numpy as np

from training.data.landscapes import buildings
from training.data.landscapes.canvas import Canvas, Surface, blob, rectangle
from training.data.landscapes.cover import Cover
from training.data.landscapes.fields import (
    bare,
    crop,
    gravel,
    inset,
    meadow,
    pavement,
    plowed,
    ruled,
    snow,
    vines,
    water,
    weeds,
)
from training.data.landscapes.palette import Rng, draw_colour
from training.data.landscapes.plants import (
    LEAVES,
    Rect,
    Season,
    box,
    clear_cut,
    copse,
    hedge,
    scatter,
    scrub,
    single_trees,
    stand,
    trees,
)


def strips(rng: Rng, rect: Rect, *, smallest_m: float, gap_m: float = 0.8) -> list[Rect]:
    """Cut a block into parcels side by side along its longer side."""
    left, top, right, bottom = rect
    is_wide = right - left >= bottom - top
    length = right - left if is_wide else bottom - top
    num = int(rng.integers(1, max(1, int(length / smallest_m)) + 1))
    cuts = np.sort(
        np.concatenate([[0, 1], np.clip((np.arange(1, num) + rng.uniform(-0.3, 0.3, num - 1)) / num, 0, 1)])
    )
    parcels = []
    for low, high in pairwise(cuts):
        start, end = low * length + gap_m / 2, high * length - gap_m / 2
        parcels.append(
            (left + start, top, left + end, bottom) if is_wide else (left, top + start, right, top + end)
        )
    return parcels


def fill_farmland(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Fields, meadows, ploughing, hedges, a farm now and then."""
    for parcel in strips(rng, rect, smallest_m=38):
        field = inset(parcel, rng.uniform(0, 1.5))
        choice = rng.random()
        angle = ruled(rng, field)
        if choice < 0.40:
            crop(canvas, rng, box(field), season=season, angle=angle)
        elif choice < 0.66:
            plowed(canvas, rng, box(field), angle=angle)
        elif choice < 0.86:
            meadow(canvas, rng, box(field), season=season)
            _specks(canvas, rng, field, season)
        elif choice < 0.91:
            bare(canvas, rng, box(field))
            weeds(canvas, rng, field, num=12, season=season)
        elif choice < 0.96:
            orchard(canvas, rng, field, season)
        else:
            farm(canvas, rng, field, season)
        if rng.random() < 0.35:
            hedge(canvas, rng, (parcel[0], parcel[1]), (parcel[2], parcel[1]), season=season)
        if rng.random() < 0.25:
            hedge(canvas, rng, (parcel[0], parcel[1]), (parcel[0], parcel[3]), season=season)


def _specks(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    num = int(rng.integers(0, 4))
    for _ in range(num):
        x, y = rng.uniform(rect[0], rect[2]), rng.uniform(rect[1], rect[3])
        cover = Cover.BRUSHWOOD if rng.random() < 0.4 else Cover.DECIDUOUS
        copse(canvas, rng, x, y, rng.uniform(3, 11), cover=cover, season=season)


def orchard(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Fruit trees on a regular grid over grass."""
    meadow(canvas, rng, box(rect), season=season, is_rough=False)
    spacing = rng.uniform(4.5, 7)
    centres = scatter(rng, inset(rect, 3), spacing, jitter=0.04)
    colour = draw_colour(rng, *LEAVES[season])
    trees(
        canvas,
        rng,
        centres,
        cover=Cover.DECIDUOUS,
        colour=colour,
        radius=spacing * 0.3,
        height=4,
        spread=0.12,
    )


def farm(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """A yard with barns."""
    gravel(canvas, rng, box(rect))
    x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
    for dx, dy, turn in ((-12, 0, np.pi / 2), (12, 4, np.pi / 2), (0, -16, 0.0)):
        tone = draw_colour(rng, *buildings.HALL_ROOFS, "old_tile")
        length, width = rng.uniform(14, 26), rng.uniform(8, 13)
        buildings.pitched(
            canvas, rng, (x + dx, y + dy), turn, length=length, width=width, height=6, colour=tone
        )
    spots = np.stack([rng.uniform(rect[0], rect[2], 5), rng.uniform(rect[1], rect[3], 5)], 1)
    single_trees(canvas, rng, spots[np.hypot(spots[:, 0] - x, spots[:, 1] - y) > 26], season=season)


def fill_market_garden(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Greenhouses and tunnels among plots of vegetables and bare beds."""
    left, top, right, bottom = rect
    if rng.random() < 0.35:
        crop(canvas, rng, box(rect), season=season, angle=ruled(rng, rect))
    else:
        meadow(canvas, rng, box(rect), season=season)
    y = top + 2
    while y < bottom - 10:
        depth = min(rng.uniform(12, 36), bottom - 2 - y)
        x = left + 2
        while x < right - 12:
            width = min(rng.uniform(16, 55), right - 2 - x)
            plot = (x, y, x + width, y + depth)
            choice = rng.random()
            if choice < 0.5:
                (gravel if rng.random() < 0.4 else bare)(canvas, rng, box(inset(plot, -0.8)))
                centre = (x + width / 2, y + depth / 2)
                buildings.greenhouse(canvas, rng, centre, 0.0, length=width - 3, width=depth - 3)
            elif choice < 0.75:
                crop(canvas, rng, box(plot), season=season, angle=np.pi / 2)
            elif choice < 0.9:
                plowed(canvas, rng, box(plot), angle=np.pi / 2)
            else:
                meadow(canvas, rng, box(plot), season=season)
            x += width + rng.uniform(1.5, 5)
        y += depth + rng.uniform(2, 5)
    if rng.random() < 0.5:
        hedge(canvas, rng, (left, top), (right, top), season=season)


def fill_vineyard(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Parcels of vines, each with its own direction, with fallow, scrub or a cellar between."""
    for parcel in strips(rng, rect, smallest_m=26, gap_m=3.0):
        choice = rng.random()
        field = inset(parcel, 0.5)
        if choice < 0.72:
            vines(canvas, rng, box(field), season=season, angle=ruled(rng, field))
        elif choice < 0.80:
            plowed(canvas, rng, box(field), angle=ruled(rng, field))
        elif choice < 0.86:
            bare(canvas, rng, box(field))
            weeds(canvas, rng, field, num=10, season=season)
        elif choice < 0.93:
            scrub(canvas, rng, field, season=season)
        else:
            meadow(canvas, rng, box(field), season=season)
        if rng.random() < 0.1:
            farm_x, farm_y = (parcel[0] + parcel[2]) / 2, (parcel[1] + parcel[3]) / 2
            gravel(canvas, rng, blob(rng, farm_x, farm_y, 14, rough=0.1))
            tone = draw_colour(rng, "tile", "old_tile")
            buildings.pitched(canvas, rng, (farm_x, farm_y), 0.3, length=16, width=9, height=6, colour=tone)


def fill_forest(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Stands of broadleaf and conifer with clearings and young growth."""
    for parcel in strips(rng, rect, smallest_m=34, gap_m=rng.choice([0.0, 3.0])):
        choice = rng.random()
        if choice < 0.45:
            stand(canvas, rng, parcel, cover=Cover.DECIDUOUS, season=season)
            _mixed(canvas, rng, parcel, cover=Cover.CONIFEROUS, season=season)
        elif choice < 0.82:
            stand(canvas, rng, parcel, cover=Cover.CONIFEROUS, season=season)
            _mixed(canvas, rng, parcel, cover=Cover.DECIDUOUS, season=season)
        elif choice < 0.92:
            scrub(canvas, rng, parcel, season=season)
        else:
            meadow(canvas, rng, box(parcel), season=season)
            _specks(canvas, rng, parcel, season)


def _mixed(canvas: Canvas, rng: Rng, rect: Rect, *, cover: Cover, season: Season) -> None:
    for _ in range(int(rng.integers(0, 3))):
        x, y = rng.uniform(rect[0], rect[2]), rng.uniform(rect[1], rect[3])
        copse(canvas, rng, x, y, rng.uniform(5, 14), cover=cover, season=season)


def fill_logging(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Woods of which a good part has just been felled."""
    for parcel in strips(rng, rect, smallest_m=36, gap_m=0.0):
        choice = rng.random()
        if choice < 0.5:
            clear_cut(canvas, rng, parcel, season=season)
        elif choice < 0.8:
            stand(canvas, rng, parcel, cover=Cover.CONIFEROUS, season=season)
        elif choice < 0.9:
            stand(canvas, rng, parcel, cover=Cover.DECIDUOUS, season=season)
        else:
            scrub(canvas, rng, parcel, season=season)


def fill_heath(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Scrub, rough grass, bare patches, scattered trees."""
    left, top, right, bottom = rect
    if rng.random() < 0.6:
        scrub(canvas, rng, rect, season=season)
        for _ in range(int(rng.integers(1, 6))):
            spot = blob(rng, rng.uniform(left, right), rng.uniform(top, bottom), rng.uniform(4, 15))
            if rng.random() < 0.7:
                meadow(canvas, rng, spot, season=season)
            else:
                bare(canvas, rng, spot)
    else:
        meadow(canvas, rng, box(rect), season=season)
        for _ in range(int(rng.integers(2, 8))):
            x, y = rng.uniform(left, right), rng.uniform(top, bottom)
            copse(canvas, rng, x, y, rng.uniform(5, 20), cover=Cover.BRUSHWOOD, season=season)
    num = int(rng.integers(0, 9))
    spots = np.stack([rng.uniform(left, right, num), rng.uniform(top, bottom, num)], 1)
    single_trees(canvas, rng, spots, season=season, conifers=0.5)


def fill_mountain(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Rock, scree, alpine grass, dwarf pines, snow in the hollows or over all."""
    left, top, right, bottom = rect
    size = min(right - left, bottom - top)

    def spot(low: float, high: float) -> tuple[float, float, float]:
        return rng.uniform(left, right), rng.uniform(top, bottom), size * rng.uniform(low, high)

    if rng.random() < 0.3:
        middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
        bare(canvas, rng, blob(rng, middle_x, middle_y, size * 0.85), is_rock=True)
        snow(canvas, rng, blob(rng, middle_x, middle_y, size * 0.75, rough=0.35))
        for _ in range(int(rng.integers(3, 9))):
            bare(canvas, rng, blob(rng, *spot(0.04, 0.2), rough=0.4), is_rock=True)
    else:
        if rng.random() < 0.6:
            bare(canvas, rng, blob(rng, (left + right) / 2, (top + bottom) / 2, size * 0.8), is_rock=True)
        else:
            meadow(canvas, rng, blob(rng, (left + right) / 2, (top + bottom) / 2, size * 0.8), season=season)
        for _ in range(int(rng.integers(2, 7))):
            meadow(canvas, rng, blob(rng, *spot(0.06, 0.25), rough=0.4), season=season)
            bare(canvas, rng, blob(rng, *spot(0.05, 0.18), rough=0.4), is_rock=True)
        for _ in range(int(rng.integers(1, 6))):
            snow(canvas, rng, blob(rng, *spot(0.05, 0.3), rough=0.4))
    for _ in range(int(rng.integers(0, 4))):
        cover = Cover.CONIFEROUS if rng.random() < 0.6 else Cover.BRUSHWOOD
        copse(canvas, rng, *spot(0.05, 0.16), cover=cover, season=season)
    num = int(rng.integers(0, 25))
    spots = np.stack([rng.uniform(left, right, num), rng.uniform(top, bottom, num)], 1)
    single_trees(canvas, rng, spots, season=season, conifers=1.0)


def fill_quarry(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Open ground being worked: soil, gravel platforms, heaps, a pool of rain, sheds, scrub at the edge."""
    left, top, right, bottom = rect
    bare(canvas, rng, box(rect))
    weeds(canvas, rng, rect, num=10, season=season)
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.uniform(left, right), rng.uniform(top, bottom)
        gravel(canvas, rng, rectangle(x, y, x + rng.uniform(12, 40), y + rng.uniform(10, 30)))
    for _ in range(int(rng.integers(2, 9))):
        heap(canvas, rng, rng.uniform(left, right), rng.uniform(top, bottom))
    if rng.random() < 0.4:
        water(canvas, rng, blob(rng, rng.uniform(left, right), rng.uniform(top, bottom), rng.uniform(5, 16)))
    if rng.random() < 0.5:
        scrub(canvas, rng, (left, top, right, top + rng.uniform(6, 16)), season=season)
    if rng.random() < 0.5:
        tone = draw_colour(rng, *buildings.HALL_ROOFS)
        spot = (rng.uniform(left + 10, right - 10), rng.uniform(top + 10, bottom - 10))
        buildings.flat(canvas, rng, spot, 0.2, length=18, width=10, height=6, colour=tone, is_metal=True)


def heap(canvas: Canvas, rng: Rng, x: float, y: float) -> None:
    """A heap of earth: bare soil with a lit and a dark side; its own height is not in the height band."""
    colour = draw_colour(rng, "brown", "beige", "grey")
    surface = Surface(cover=Cover.BARE_SOIL, colour=colour, fine=0.14, medium=0.18)
    radius = np.array([rng.uniform(2, 6)])
    canvas.add_crowns(
        np.array([[x, y]]),
        radii=radius,
        heights=radius * 0.5,
        colours=colour[None],
        surface=surface,
        dome=0.8,
        rng=rng,
    )


def fill_lakeside(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """The land around a lake; ``flood`` adds the water."""
    (fill_heath if rng.random() < 0.4 else fill_forest if rng.random() < 0.4 else fill_farmland)(
        canvas, rng, rect, season
    )


def flood(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Lay the water over the land of a lakeside block, then a pier and the trees of the bank."""
    left, top, right, bottom = rect
    size = min(right - left, bottom - top)
    x, y = rng.uniform(left, right), rng.uniform(top, bottom)
    shore = [Cover.BARE_SOIL, Cover.BARE_SOIL, Cover.HERBACEOUS, None][int(rng.integers(4))]
    water(canvas, rng, blob(rng, x, y, size * rng.uniform(0.25, 0.7), rough=0.3), shore=shore)
    if rng.random() < 0.3:
        pier = rectangle(-size * 0.25, -1.2, size * 0.25, 1.2)
        points = pier + np.array([[x + size * 0.3, y]])
        pavement(canvas, rng, points, "beige", "grey")
    for _ in range(int(rng.integers(0, 5))):
        spot = (rng.uniform(left, right), rng.uniform(top, bottom))
        copse(canvas, rng, *spot, rng.uniform(3, 9), cover=Cover.DECIDUOUS, season=season)
