"""Houses, halls, greenhouses, pools, cars: things with straight edges that the warp does not bend."""

import numpy as np

from training.data.landscapes.canvas import Canvas, Points, Surface, rectangle
from training.data.landscapes.cover import Cover
from training.data.landscapes.palette import Floats, Rng, draw_colour

ROOFS = ("tile", "tile", "tile", "old_tile", "slate", "grey")
FLAT_ROOFS = ("white", "white", "green_metal", "blue_metal", "beige", "grey")
HALL_ROOFS = ("white", "blue_metal", "green_metal", "white", "slate", "tile", "grey")
Place = tuple[float, float]


def block(
    canvas: Canvas, rng: Rng, centre: Place, angle: float, base: Points, roofs: list[tuple[Points, Surface]]
) -> None:
    """Raise walls over a footprint and lay roof pieces on top.

    With relief lean the walls that face away from the nadir become visible; they are building too.
    """
    height = roofs[0][1].height
    foot = canvas.place(centre, base, angle)
    top = canvas.lean(foot, height)
    tone = draw_colour(rng, "beige", "grey", "white") * 0.8
    wall = Surface(cover=Cover.BUILDING, colour=tone, fine=0.1, height=height * 0.6)
    if float(np.abs(top - foot).max()) > 0.15:
        for i in range(len(foot)):
            j = (i + 1) % len(foot)
            canvas.add_world(np.array([foot[i], foot[j], top[j], top[i]]), wall, rng, leaned=True)
    for points, surface in roofs:
        canvas.add_rigid(centre, points, angle, surface, rng)


def pitched(  # noqa: PLR0913 - the measures of one thing
    canvas: Canvas,
    rng: Rng,
    centre: Place,
    angle: float,
    *,
    length: float,
    width: float,
    height: float,
    colour: Floats,
    steepness: float = 1.0,
    ribs: float = 0.6,
) -> None:
    """A house with two slopes (or four), one sunlit and one darker, a chimney, perhaps a skylight.

    ``steepness`` is of the usual pitch; ``ribs`` is how plain rows of tiles are.
    """
    a, b = length / 2, width / 2
    hip = rng.choice([0.0, 0.0, min(b, a * 0.6)])
    ridge_a, ridge_b = [-a + hip, 0.0], [a - hip, 0.0]
    world = canvas.rotation + angle
    pitch = rng.uniform(0.35, 0.75) * steepness
    parts = [
        (np.array([[-a, -b], [a, -b], ridge_b, ridge_a]), (0.0, -1.0)),
        (np.array([[-a, b], ridge_a, ridge_b, [a, b]]), (0.0, 1.0)),
    ]
    if hip:
        parts += [
            (np.array([[a, -b], [a, b], ridge_b]), (1.0, 0.0)),
            (np.array([[-a, -b], ridge_a, [-a, b]]), (-1.0, 0.0)),
        ]
    roofs = []
    for points, (nx, ny) in parts:
        normal = (np.cos(world) * nx - np.sin(world) * ny, np.sin(world) * nx + np.cos(world) * ny)
        roofs.append(
            (
                points,
                Surface(
                    cover=Cover.BUILDING,
                    colour=colour,
                    second=colour * 0.86,
                    fine=0.07,
                    medium=0.05,
                    coarse=0.05,
                    hue=0.06,
                    stripe=ribs,
                    period=0.9,
                    angle=angle + np.pi / 2,
                    height=height,
                    slope=(-normal[0] * pitch, -normal[1] * pitch),
                    facet=(normal[0] * pitch * 0.75, normal[1] * pitch * 0.75),
                ),
            )
        )
    block(canvas, rng, centre, angle, rectangle(-a, -b, a, b), roofs)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(-a * 0.7, a * 0.7), rng.uniform(-b * 0.6, b * 0.6)
        tone = draw_colour(rng, "white", "slate", "beige", "deep_pool")
        size = rng.uniform(0.3, 0.6)
        detail = rectangle(x - size, y - size * 0.7, x + size, y + size * 0.7)
        canvas.add_rigid(
            centre, detail, angle, Surface(cover=Cover.BUILDING, colour=tone, height=height + 1), rng
        )


def flat(  # noqa: PLR0913 - the measures of one thing
    canvas: Canvas,
    rng: Rng,
    centre: Place,
    angle: float,
    *,
    length: float,
    width: float,
    height: float,
    colour: Floats,
    is_metal: bool = False,
) -> None:
    """A flat roof with a parapet and machines, or a ribbed metal hall with rows of skylights."""
    a, b = length / 2, width / 2
    base = rectangle(-a, -b, a, b)
    rim = Surface(
        cover=Cover.BUILDING, colour=np.clip(colour * rng.uniform(0.75, 1.35), 0, 1), fine=0.03, height=height
    )
    roof = Surface(
        cover=Cover.BUILDING,
        colour=colour,
        second=np.clip(colour * rng.choice([0.84, 1.15]), 0, 1),
        fine=0.02 if is_metal else 0.05,
        medium=0.02 if is_metal else 0.06,
        coarse=0.05,
        stripe=0.8 if is_metal else 0.0,
        period=rng.uniform(1.0, 2.4),
        angle=angle,
        height=height,
    )
    edge = 0.45
    block(
        canvas,
        rng,
        centre,
        angle,
        base,
        [(base, rim), (rectangle(-a + edge, -b + edge, a - edge, b - edge), roof)],
    )
    if is_metal and rng.random() < 0.7:
        bright = Surface(cover=Cover.BUILDING, colour=draw_colour(rng, "white", "glass"), height=height + 0.1)
        for x in np.arange(-a + 4, a - 4, rng.uniform(5, 9)):
            for y in np.arange(-b + 4, b - 3, rng.uniform(7, 14)):
                canvas.add_rigid(centre, rectangle(x, y, x + 1.1, y + 3.2), angle, bright, rng)
    for _ in range(int(length * width / 70 * rng.uniform(0.3, 1.5))):
        x, y = rng.uniform(-a + 1, a - 1), rng.uniform(-b + 1, b - 1)
        size = rng.uniform(0.4, 1.4)
        tone = draw_colour(rng, "grey", "white", "slate")
        machine = Surface(cover=Cover.BUILDING, colour=tone, height=height + rng.uniform(0.5, 2))
        canvas.add_rigid(
            centre, rectangle(x - size, y - size * 0.8, x + size, y + size * 0.8), angle, machine, rng
        )


def solar_panels(
    canvas: Canvas, rng: Rng, centre: Place, angle: float, *, length: float, height: float
) -> None:
    """Dark panels on a roof, in one rectangle."""
    panel = Surface(
        cover=Cover.BUILDING,
        colour=draw_colour(rng, "slate") * 0.6,
        second=draw_colour(rng, "grey"),
        stripe=0.5,
        period=1.05,
        duty=0.12,
        angle=angle,
        height=height,
        fine=0.02,
    )
    canvas.add_rigid(centre, rectangle(-length / 4, 0.6, length / 4, 3.0), angle, panel, rng)


def greenhouse(canvas: Canvas, rng: Rng, centre: Place, angle: float, *, length: float, width: float) -> None:
    """Parallel translucent spans with dark gutters, glass or film, some whitewashed, some green within."""
    colour = draw_colour(rng, "glass", "white", "green_glass", "glass", "grey")
    span = rng.uniform(3.2, 8.0)
    world = canvas.rotation + angle
    height = rng.uniform(3, 5.5)
    num = max(1, round(width / span))
    for i in range(num):
        y = (i - num / 2) * span
        for side, half in (
            (-1.0, rectangle(-length / 2, y, length / 2, y + span / 2)),
            (1.0, rectangle(-length / 2, y + span / 2, length / 2, y + span - 0.25)),
        ):
            normal = (-np.sin(world) * side * 0.22, np.cos(world) * side * 0.22)
            tone = np.clip(colour * rng.uniform(0.94, 1.06), 0, 1)
            surface = Surface(
                cover=Cover.GREENHOUSE,
                colour=tone,
                second=np.clip(tone * 0.62, 0, 1),
                fine=0.05,
                medium=0.07,
                coarse=0.06,
                hue=0.12,
                stripe=0.8,
                period=2.6,
                duty=0.16,
                angle=angle,
                height=height,
                facet=normal,
            )
            canvas.add_rigid(centre, half, angle, surface, rng)
        gutter = Surface(cover=Cover.GREENHOUSE, colour=colour * 0.45, height=height)
        strip = rectangle(-length / 2, y + span - 0.25, length / 2, y + span)
        canvas.add_rigid(centre, strip, angle, gutter, rng)


def pool(canvas: Canvas, rng: Rng, centre: Place, angle: float) -> None:
    """A swimming pool with its paved rim: rectangle, round or bean; clear, deep or green."""
    length, width = rng.uniform(6, 12.5), rng.uniform(3.2, 5.5)
    shape = str(rng.choice(["rectangle", "rectangle", "rectangle", "bean", "round"]))
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    if shape == "rectangle":
        water = rectangle(-length / 2, -width / 2, length / 2, width / 2)
    else:
        waist = 1 - 0.28 * np.cos(2 * turns) * (shape == "bean") + 0.12 * np.sin(turns)
        across = width if shape == "round" else length
        water = np.stack([across / 2 * np.cos(turns), width / 2 * waist * np.sin(turns)], 1)
    rim = water + np.sign(water) * rng.uniform(0.8, 2.2)
    deck_cover = Cover.IMPERVIOUS
    deck = Surface(cover=deck_cover, colour=draw_colour(rng, "beige", "white", "grey", "tile"), fine=0.06)
    canvas.add_rigid(centre, rim, angle, deck, rng)
    tone = draw_colour(rng, "turquoise", "turquoise", "turquoise", "deep_pool", "green_pool", "blue_water")
    surface = Surface(cover=Cover.SWIMMING_POOL, colour=tone, fine=0.05, medium=0.09, coarse=0.02)
    canvas.add_rigid(centre, water, angle, surface, rng)
    if shape == "rectangle":
        step = rectangle(-length / 2, -width / 2, -length / 2 + 1.0, width / 2)
        shallow = Surface(cover=Cover.SWIMMING_POOL, colour=np.clip(tone * 1.25, 0, 1), fine=0.04)
        canvas.add_rigid(centre, step, angle, shallow, rng)


def car(canvas: Canvas, rng: Rng, centre: Place, angle: float, *, ground: Cover) -> None:
    """A parked car; its class is that of the ground it stands on."""
    tone = draw_colour(rng, "white", "slate", "grey", "blue_metal", "red_paint", "white", "slate")
    body = Surface(cover=ground, colour=tone, fine=0.02, height=1.4 if ground is Cover.IMPERVIOUS else 1.3)
    canvas.add_rigid(centre, rectangle(-2.15, -0.88, 2.15, 0.88), angle, body, rng)
    glass = Surface(cover=ground, colour=tone * 0.35, height=1.5)
    canvas.add_rigid(centre, rectangle(-1.5, -0.75, -0.9, 0.75), angle, glass, rng)
    canvas.add_rigid(centre, rectangle(0.55, -0.75, 1.15, 0.75), angle, glass, rng)
