"""Open land: crops, ploughing, meadows, vines, bare soil, gravel, water, snow."""

import numpy as np

from training.data.landscapes.canvas import Canvas, Points, Surface, blob
from training.data.landscapes.cover import Cover
from training.data.landscapes.palette import Floats, Rng, draw_colour, vary
from training.data.landscapes.plants import Rect, Season, contains

CROPS: dict[Season, tuple[str, ...]] = {
    "spring": ("sprout", "sprout", "sprout", "lush", "grass"),
    "summer": ("ripe", "ripe", "sprout", "sprout", "straw", "lush"),
    "autumn": ("ripe", "sprout", "straw", "sprout"),
    "winter": ("sprout", "sprout", "lush", "grass"),
}
LAWNS: dict[Season, tuple[str, ...]] = {
    "spring": ("grass", "lush", "grass"),
    "summer": ("grass", "dry_grass", "straw", "lush"),
    "autumn": ("grass", "dry_grass", "grass"),
    "winter": ("grass", "dry_grass"),
}
SOILS = ("furrow", "furrow", "dark_brown", "brown")


def crop(canvas: Canvas, rng: Rng, outline: Points, *, season: Season, angle: float) -> None:
    """A sown field: even, ruled by wheel lines and drilled rows."""
    colour = draw_colour(rng, *CROPS[season])
    soil = draw_colour(rng, "brown", "beige", "straw", "dry_grass")
    is_row_crop = rng.random() < 0.4
    surface = Surface(
        cover=Cover.AGRICULTURAL,
        colour=colour,
        second=0.55 * colour + 0.45 * soil,
        fine=rng.uniform(0.04, 0.09),
        medium=rng.uniform(0.015, 0.04),
        coarse=rng.uniform(0.03, 0.08),
        hue=rng.uniform(0.0, 0.12),
        stripe=rng.uniform(0.5, 0.9) if is_row_crop else rng.uniform(0.1, 0.35),
        period=rng.uniform(0.75, 0.95) if is_row_crop else rng.uniform(2.6, 4.2),
        duty=rng.uniform(0.3, 0.5),
        angle=angle,
        tram=rng.uniform(0.7, 1.0),
        tram_period=rng.uniform(9, 20),
        height=rng.choice([0.25, 0.6, 1.0, 2.2]),
    )
    canvas.add(outline, surface, rng)


def plowed(canvas: Canvas, rng: Rng, outline: Points, *, angle: float) -> None:
    """Turned earth: coarse furrows throughout, clods, damp and dry patches."""
    colour = draw_colour(rng, *SOILS)
    surface = Surface(
        cover=Cover.PLOWED,
        colour=colour,
        second=colour * rng.uniform(0.62, 0.78),
        fine=rng.uniform(0.08, 0.15),
        medium=rng.uniform(0.03, 0.07),
        coarse=rng.uniform(0.04, 0.10),
        hue=0.05,
        stripe=rng.uniform(0.75, 1.0),
        period=rng.uniform(1.2, 2.0),
        duty=rng.uniform(0.4, 0.55),
        angle=angle,
    )
    canvas.add(outline, surface, rng)


def meadow(
    canvas: Canvas, rng: Rng, outline: Points, *, season: Season, is_rough: bool = True, gain: float = 1.0
) -> None:
    """Grass: mottled without any direction; lawns are smoother. ``gain`` is its brightness over the usual."""
    surface = Surface(
        cover=Cover.HERBACEOUS,
        colour=draw_colour(rng, *LAWNS[season]) * np.float32(gain),
        fine=rng.uniform(0.07, 0.12) if is_rough else 0.06,
        medium=rng.uniform(0.09, 0.16) if is_rough else 0.05,
        coarse=rng.uniform(0.06, 0.12),
        hue=rng.uniform(0.35, 0.7) if is_rough else rng.uniform(0.2, 0.4),
    )
    canvas.add(outline, surface, rng)


def vines(canvas: Canvas, rng: Rng, outline: Points, *, season: Season, angle: float) -> None:
    """Trained vines: narrow rows a few feet apart over soil, stubble or grass."""
    greens: dict[Season, tuple[str, ...]] = {
        "spring": ("lush", "grass", "leaf"),
        "summer": ("leaf", "lush", "dark_leaf"),
        "autumn": ("autumn_leaf", "leaf", "dry_grass"),
        "winter": ("bare_twig", "dark_brown"),
    }
    floor = draw_colour(rng, "brown", "beige", "dry_grass", "grass", "straw", "dark_brown")
    row = draw_colour(rng, *greens[season])
    if abs(float(row.mean() - floor.mean())) < 0.07:
        row = row * 0.7
    surface = Surface(
        cover=Cover.VINEYARD,
        colour=floor,
        second=row,
        fine=rng.uniform(0.08, 0.16),
        medium=rng.uniform(0.04, 0.08),
        coarse=rng.uniform(0.04, 0.10),
        hue=0.12,
        stripe=rng.uniform(0.85, 1.0),
        period=rng.uniform(1.8, 3.0),
        duty=rng.uniform(0.28, 0.45),
        angle=angle,
        height=0.2,
        stripe_height=rng.uniform(1.1, 1.7),
    )
    canvas.add(outline, surface, rng)


def bare(canvas: Canvas, rng: Rng, outline: Points, *, is_rock: bool = False, gain: float = 1.0) -> None:
    """Soil laid open or rock: strong irregular patches, no direction, a few wheel ruts on soil.

    ``gain`` is its brightness over the usual, as it is in the other surfaces.
    """
    colour = (
        draw_colour(rng, "rock", "rock", "rock", "grey", "beige")
        if is_rock
        else draw_colour(rng, "ochre", "ochre", "ochre", "tile", "brown")
    ) * np.float32(gain)
    surface = Surface(
        cover=Cover.BARE_SOIL,
        colour=colour,
        second=colour * 0.75,
        fine=rng.uniform(0.08, 0.16),
        medium=rng.uniform(0.13, 0.22),
        coarse=rng.uniform(0.08, 0.16),
        hue=rng.uniform(0.05, 0.2),
        tram=0.0 if is_rock else 0.6,
        tram_period=rng.uniform(16, 40),
        angle=rng.uniform(0, 3.1),
    )
    canvas.add(outline, surface, rng)
    if is_rock:
        boulders(canvas, rng, outline, colour)


def boulders(canvas: Canvas, rng: Rng, outline: Points, colour: Floats) -> None:
    """Strew stones of half a metre to two metres over rock; they are bare soil too."""
    low, high = outline.min(0), outline.max(0)
    spots = rng.uniform(low, high, (int(np.prod(high - low) * rng.uniform(0.02, 0.09)), 2))
    spots = spots[contains(outline, spots)]
    radii = rng.uniform(0.3, 0.6, len(spots)) * np.exp(rng.normal(0, 0.35, len(spots)))
    colours = vary(rng, colour, len(spots), brightness=0.15, chroma=0.015)
    surface = Surface(cover=Cover.BARE_SOIL, colour=colour, fine=0.08)
    canvas.add_crowns(
        spots, radii=radii, heights=radii * 1.2, colours=colours, surface=surface, dome=0.9, rng=rng
    )


def gravel(canvas: Canvas, rng: Rng, outline: Points, *, gain: float = 1.0) -> None:
    """A pervious mineral yard or path: even and finely speckled."""
    surface = Surface(
        cover=Cover.PERVIOUS,
        colour=draw_colour(rng, "gravel", "gravel", "gravel", "beige", "grey") * np.float32(gain),
        fine=rng.uniform(0.14, 0.22),
        medium=0.04,
        coarse=0.05,
        hue=0.08,
    )
    canvas.add(outline, surface, rng)


def pavement(canvas: Canvas, rng: Rng, outline: Points, *materials: str, gain: float = 1.0) -> None:
    """Asphalt, concrete, slabs: the smoothest of the mineral surfaces, with stains."""
    surface = Surface(
        cover=Cover.IMPERVIOUS,
        colour=draw_colour(rng, *(materials or ("grey", "grey", "grey", "slate", "beige")))
        * np.float32(gain),
        fine=rng.uniform(0.02, 0.05),
        medium=rng.uniform(0.02, 0.05),
        coarse=rng.uniform(0.02, 0.06),
    )
    canvas.add(outline, surface, rng)


def water(canvas: Canvas, rng: Rng, outline: Points, *, shore: Cover | None = None) -> None:
    """Open water: smooth, slowly varying, sometimes rippled; a margin of sand, gravel or grass around it."""
    if shore is not None:
        margin = outline + (outline - outline.mean(0)) / np.maximum(
            np.hypot(*(outline - outline.mean(0)).T)[:, None], 1
        ) * rng.uniform(1.5, 7)
        names = ("grass", "dry_grass") if shore is Cover.HERBACEOUS else ("beige", "brown", "grey")
        tone = draw_colour(rng, *names)
        canvas.add(
            margin, Surface(cover=shore, colour=tone, fine=0.1, medium=0.16, coarse=0.1, hue=0.15), rng
        )
    water_world(canvas, rng, canvas.to_world(outline))


def water_world(canvas: Canvas, rng: Rng, outline: Points) -> None:
    """Open water with an outline in the world frame."""
    colour = draw_colour(
        rng, "dark_water", "dark_water", "green_water", "blue_water", "brown_water", "bright_water"
    )
    surface = Surface(
        cover=Cover.WATER,
        colour=colour,
        second=colour * 1.18,
        fine=rng.uniform(0.01, 0.05),
        medium=rng.uniform(0.01, 0.07),
        coarse=rng.uniform(0.06, 0.16),
        hue=0.06,
        stripe=rng.choice([0.0, 0.7]),
        period=rng.uniform(1.6, 5.0),
        angle=rng.uniform(0, 3.1),
    )
    canvas.add_world(outline, surface, rng)


def snow(canvas: Canvas, rng: Rng, outline: Points) -> None:
    """Snow: bright, blown into long soft waves."""
    colour = draw_colour(rng, "snow", "snow", "old_snow")
    surface = Surface(
        cover=Cover.SNOW,
        colour=colour,
        second=colour * 0.94,
        fine=0.02,
        medium=0.035,
        coarse=rng.uniform(0.04, 0.1),
        stripe=rng.uniform(0.0, 0.8),
        period=rng.uniform(3, 8),
        angle=rng.uniform(0, 3.1),
    )
    canvas.add(outline, surface, rng)


def weeds(canvas: Canvas, rng: Rng, rect: Rect, *, num: int, season: Season, largest_m: float = 4.0) -> None:
    """Scatter small tufts of grass over open ground; they are herbaceous in the truth as well."""
    left, top, right, bottom = rect
    for _ in range(num):
        spot = blob(rng, rng.uniform(left, right), rng.uniform(top, bottom), rng.uniform(0.8, largest_m))
        meadow(canvas, rng, spot, season=season)


def ruled(rng: Rng, rect: Rect) -> float:
    """Direction of rows: across the shorter side as a rule, so that rows run along the field."""
    left, top, right, bottom = rect
    along_x = (right - left) > (bottom - top)
    angle = np.pi / 2 if along_x else 0.0
    if rng.random() < 0.25:
        angle += np.pi / 2
    return float(angle + rng.normal(0, 0.06))


def inset(rect: Rect, margin: float) -> Rect:
    """Shrink a rectangle on all sides, down to nothing at most."""
    left, top, right, bottom = rect
    margin_x, margin_y = min(margin, (right - left) / 2.1), min(margin, (bottom - top) / 2.1)
    return left + margin_x, top + margin_y, right - margin_x, bottom - margin_y
