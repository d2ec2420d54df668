"""Built land: streets, city blocks, suburbs, villages, works."""

import numpy as np

from training.data.landscapes import buildings
from training.data.landscapes.canvas import Canvas, Surface, blob, rectangle
from training.data.landscapes.cover import Cover
from training.data.landscapes.fields import bare, gravel, inset, meadow, pavement
from training.data.landscapes.gardens import garden
from training.data.landscapes.palette import Rng, draw_colour
from training.data.landscapes.plants import Rect, Season, box, single_trees

Place = tuple[float, float]


def road(canvas: Canvas, rng: Rng, start: Place, end: Place, *, width: float, is_paved: bool) -> None:
    """A road along a line of the local frame: pavements and marks in town, wheel tracks on a path."""
    begin, finish = np.asarray(start, float), np.asarray(end, float)
    along = (finish - begin) / max(float(np.hypot(*(finish - begin))), 1e-6)
    across = np.array([-along[1], along[0]])

    def band(low: float, high: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
        return np.array(
            [begin + across * low, finish + across * low, finish + across * high, begin + across * high]
        )

    if not is_paved:
        gravel(canvas, rng, band(-width / 2, width / 2))
        if rng.random() < 0.3:
            meadow(canvas, rng, band(-0.45, 0.45), season="summer")
        return
    if width > 6.5:
        pavement(canvas, rng, band(-width / 2, width / 2), "grey", "beige", "tile")
        lane = width / 2 - 1.6
    else:
        lane = width / 2
    pavement(canvas, rng, band(-lane, lane), "grey", "slate", "grey")
    if width > 6.5:
        white = Surface(cover=Cover.IMPERVIOUS, colour=draw_colour(rng, "white"), fine=0.08)
        length = float(np.hypot(*(finish - begin)))
        for at in np.arange(0, length, 9.0):
            dash = begin + along * at
            ends = [dash - across * 0.08, dash + along * 3 - across * 0.08, dash + along * 3 + across * 0.08]
            canvas.add(np.array([*ends, dash + across * 0.08]), white, rng)
        angle = float(np.arctan2(along[1], along[0]))
        for at in np.arange(6, length, 7.0):
            if rng.random() < 0.28:
                spot = begin + along * at + across * (lane - 1.1) * rng.choice([-1, 1])
                if canvas.is_seen(spot[0], spot[1], 4):
                    buildings.car(canvas, rng, (spot[0], spot[1]), angle, ground=Cover.IMPERVIOUS)


def fill_city(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """A closed block: joined houses around a courtyard, or towers on lawns, or a small park."""
    left, top, right, bottom = rect
    choice = rng.random()
    if choice < 0.12:
        park(canvas, rng, rect, season)
        return
    pavement(canvas, rng, box(rect), "grey", "beige")
    depth = rng.uniform(9, 14)
    yard = inset(rect, depth + 1)
    if choice < 0.3:
        meadow(canvas, rng, box(inset(rect, 3)), season=season, is_rough=False)
        towers(canvas, rng, inset(rect, 6), season)
        return
    ground = rng.random()
    if ground < 0.4:
        meadow(canvas, rng, box(yard), season=season, is_rough=False)
    elif ground < 0.75:
        gravel(canvas, rng, box(yard))
    houses = rng.uniform(8, 16)
    common = draw_colour(rng, *buildings.ROOFS)
    for side in range(4):
        length = (right - left) if side % 2 == 0 else (bottom - top)
        cursor = 2.0
        while cursor < length - 6:
            front = min(rng.uniform(7, 18), length - 2 - cursor)
            middle = cursor + front / 2
            centre = {
                0: (left + middle, top + 1.5 + depth / 2),
                1: (right - 1.5 - depth / 2, top + middle),
                2: (left + middle, bottom - 1.5 - depth / 2),
                3: (left + 1.5 + depth / 2, top + middle),
            }[side]
            cursor += front
            if rng.random() < 0.07:
                continue
            colour = (
                common * rng.uniform(0.85, 1.15) if rng.random() < 0.5 else draw_colour(rng, *buildings.ROOFS)
            )
            angle = 0.0 if side % 2 == 0 else np.pi / 2
            tall = houses * rng.uniform(0.8, 1.15)
            if rng.random() < 0.3:
                flat_tone = draw_colour(rng, *buildings.FLAT_ROOFS)
                buildings.flat(
                    canvas, rng, centre, angle, length=front, width=depth, height=tall, colour=flat_tone
                )
            else:
                buildings.pitched(
                    canvas,
                    rng,
                    centre,
                    angle,
                    length=front,
                    width=depth,
                    height=tall,
                    colour=np.clip(colour, 0, 1),
                )
    if min(yard[2] - yard[0], yard[3] - yard[1]) > 6:
        num = int(rng.integers(1, 7))
        spots = np.stack(
            [rng.uniform(yard[0] + 2, yard[2] - 2, num), rng.uniform(yard[1] + 2, yard[3] - 2, num)], 1
        )
        single_trees(canvas, rng, spots, season=season)


def towers(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Slabs of flats on a lawn with a car park."""
    left, top, right, bottom = rect
    lot = (left, bottom - (bottom - top) * 0.3, right, bottom)
    car_park(canvas, rng, lot, season)
    for y in np.arange(top + 10, lot[1] - 6, rng.uniform(24, 34)):
        length = min(rng.uniform(24, 50), right - left - 2)
        middle = rng.uniform(left + length / 2, right - length / 2)
        tone = draw_colour(rng, *buildings.FLAT_ROOFS)
        buildings.flat(
            canvas, rng, (middle, y), 0.0, length=length, width=13, height=rng.uniform(12, 30), colour=tone
        )
    num = int(rng.integers(4, 12))
    spots = np.stack([rng.uniform(left, right, num), rng.uniform(top, lot[1], num)], 1)
    single_trees(canvas, rng, spots, season=season)


def park(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Lawn, gravel paths, trees, sometimes a pond."""
    left, top, right, bottom = rect
    meadow(canvas, rng, box(rect), season=season, is_rough=False)
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    gravel(canvas, rng, rectangle(left, middle_y - 1.5, right, middle_y + 1.5))
    gravel(canvas, rng, rectangle(middle_x - 1.5, top, middle_x + 1.5, bottom))
    gravel(canvas, rng, blob(rng, middle_x, middle_y, 7, rough=0.05))
    num = int((right - left) * (bottom - top) / 90)
    spots = np.stack([rng.uniform(left, right, num), rng.uniform(top, bottom, num)], 1)
    away = np.hypot(spots[:, 0] - middle_x, spots[:, 1] - middle_y) > 9
    single_trees(canvas, rng, spots[away], season=season)


def car_park(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Asphalt with marked bays and cars in rows."""
    left, top, right, bottom = rect
    pavement(canvas, rng, box(rect))
    white = Surface(cover=Cover.IMPERVIOUS, colour=draw_colour(rng, "white"), fine=0.05)
    busy = rng.uniform(0.1, 0.85)
    for y in np.arange(top + 3, bottom - 2.5, 16.0):
        for row in (y, y + 5.2):
            if row > bottom - 2.5:
                continue
            for x in np.arange(left + 1.5, right - 1.5, 2.6):
                if not canvas.is_seen(x, row, 4):
                    continue
                canvas.add(rectangle(x - 1.35, row - 2.4, x - 1.25, row + 2.4), white, rng)
                if rng.random() < busy:
                    buildings.car(
                        canvas, rng, (x, row), np.pi / 2 + rng.normal(0, 0.03), ground=Cover.IMPERVIOUS
                    )
    if rng.random() < 0.5:
        along = np.arange(left + 4, right - 2, 11)
        spots = np.stack([along, np.full(len(along), top + 1)], 1)
        single_trees(canvas, rng, spots, season=season, conifers=0)


def fill_suburb(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Two rows of detached houses back to back."""
    _lots(canvas, rng, rect, season, front_m=rng.uniform(17, 26), is_old=False)


def fill_village(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Old houses near the street, yards of gravel, gardens behind."""
    _lots(canvas, rng, rect, season, front_m=rng.uniform(12, 20), is_old=True)


def _lots(canvas: Canvas, rng: Rng, rect: Rect, season: Season, *, front_m: float, is_old: bool) -> None:
    left, top, right, bottom = rect
    middle = (top + bottom) / 2
    num = max(1, round((right - left) / front_m))
    step = (right - left) / num
    for i in range(num):
        for upper, (high, low) in ((True, (top, middle)), (False, (middle, bottom))):
            lot = (left + i * step, high, left + (i + 1) * step, low)
            if canvas.is_seen((lot[0] + lot[2]) / 2, (high + low) / 2, 35):
                garden(canvas, rng, lot, season, street_above=upper, is_old=is_old)


def fill_industry(canvas: Canvas, rng: Rng, rect: Rect, season: Season) -> None:
    """Halls, car parks, yards, verges."""
    left, top, right, bottom = rect
    wide, deep = right - left, bottom - top
    ground = rng.random()
    if ground < 0.65:
        pavement(canvas, rng, box(rect))
    elif ground < 0.85:
        gravel(canvas, rng, box(rect))
    else:
        bare(canvas, rng, box(rect))
    verge = rng.uniform(2, 7)
    meadow(canvas, rng, rectangle(left, top, right, top + verge), season=season)
    length, width = wide * rng.uniform(0.45, 0.8), deep * rng.uniform(0.3, 0.5)
    centre = (left + wide * rng.uniform(0.42, 0.58), top + verge + 4 + width / 2)
    tone = draw_colour(rng, *buildings.HALL_ROOFS)
    is_metal = rng.random() < 0.75
    height = rng.uniform(5, 13)
    buildings.flat(
        canvas, rng, centre, 0.0, length=length, width=width, height=height, colour=tone, is_metal=is_metal
    )
    lot = (left + 4, centre[1] + width / 2 + 7, left + wide * rng.uniform(0.45, 0.9), bottom - 3)
    if lot[3] - lot[1] > 8:
        car_park(canvas, rng, lot, season)
    if rng.random() < 0.7 and right - lot[2] > 14 and lot[3] - lot[1] > 10:
        shed = ((lot[2] + right) / 2 + 1, (lot[1] + lot[3]) / 2)
        size = min(right - lot[2] - 4, 22)
        roof = draw_colour(rng, *buildings.HALL_ROOFS)
        buildings.flat(
            canvas, rng, shed, 0.0, length=size, width=min(lot[3] - lot[1] - 2, 14), height=5, colour=roof
        )
    for _ in range(int(rng.integers(0, 14))):
        spot = (rng.uniform(left + 3, right - 3), centre[1] + width / 2 + rng.uniform(1.5, 5.5))
        tone = draw_colour(rng, "red_paint", "blue_metal", "white", "slate", "green_metal")
        box_surface = Surface(cover=Cover.IMPERVIOUS, colour=tone, fine=0.03, height=2.6)
        if ground < 0.65:
            canvas.add_rigid(
                spot, rectangle(-3.0, -1.2, 3.0, 1.2), rng.choice([0.0, np.pi / 2]), box_surface, rng
            )
    spots = np.stack(
        [np.arange(left + 5, right, 9.0), np.full(len(np.arange(left + 5, right, 9.0)), top + verge / 2)], 1
    )
    if rng.random() < 0.6:
        single_trees(canvas, rng, spots, season=season, conifers=0.1)
