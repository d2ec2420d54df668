"""Detached houses on their lots: drive, terrace, pool, shed, hedges, trees."""

from dataclasses import dataclass

import numpy as np

from training.data.landscapes import buildings
from training.data.landscapes.canvas import Canvas, rectangle
from training.data.landscapes.cover import Cover
from training.data.landscapes.fields import bare, gravel, meadow, pavement
from training.data.landscapes.palette import Rng, draw_colour
from training.data.landscapes.plants import Rect, Season, box, hedge, single_trees


@dataclass(frozen=True, kw_only=True)
class Lot:
    """A piece of land along a street and the house planned on it; local frame, metres."""

    rect: Rect
    toward: float
    """Direction from the street into the lot along y: 1 or -1."""
    is_old: bool
    """Village house: near the street, tiled."""
    centre: tuple[float, float]
    length: float
    width: float
    """Depth of the house, away from the street."""
    setback: float
    """Between street and house."""

    @property
    def street(self) -> float:
        """Where the street is, along y."""
        return self.rect[1] if self.toward > 0 else self.rect[3]

    @property
    def back(self) -> float:
        """Rear wall of the house, along y."""
        return self.centre[1] + self.toward * (self.width / 2)


def garden(canvas: Canvas, rng: Rng, rect: Rect, season: Season, *, street_above: bool, is_old: bool) -> None:
    """Fill one lot."""
    meadow(canvas, rng, box(rect), season=season, is_rough=rng.random() < 0.35)
    lot = plan_lot(rng, rect, street_above=street_above, is_old=is_old)
    drive_x, ground = lay_drive(canvas, rng, lot)
    yard_low, yard_high = lay_yard(canvas, rng, lot)
    build_house(canvas, rng, lot)
    if rng.random() < 0.3:
        spot_y = lot.street + lot.toward * max(lot.setback * 0.5, 2.3)
        buildings.car(canvas, rng, (drive_x, spot_y), np.pi / 2, ground=ground)
    left, top, right, bottom = rect
    for start, end in (((left, top), (left, bottom)), ((left, yard_low), (right, yard_low))):
        if rng.random() < 0.45:
            hedge(canvas, rng, start, end, season=season)
    num = int(rng.integers(0, 5))
    if num and yard_high - yard_low > 4:
        x, y = rng.uniform(left + 1, right - 1, num), rng.uniform(yard_low + 1, yard_high - 1, num)
        single_trees(canvas, rng, np.stack([x, y], 1), season=season, conifers=0.25)


def plan_lot(rng: Rng, rect: Rect, *, street_above: bool, is_old: bool) -> Lot:
    """Draw the size and the place of the house."""
    left, top, right, bottom = rect
    toward, street = (1.0, top) if street_above else (-1.0, bottom)
    setback = rng.uniform(0.5, 3) if is_old else rng.uniform(4, 8)
    length = min(rng.uniform(9, 15), right - left - 2.5)
    width = min(rng.uniform(7.5, 10), (bottom - top) * 0.45)
    centre = ((left + right) / 2 + rng.uniform(-1, 1), street + toward * (setback + width / 2))
    return Lot(
        rect=rect, toward=toward, is_old=is_old, centre=centre, length=length, width=width, setback=setback
    )


def lay_drive(canvas: Canvas, rng: Rng, lot: Lot) -> tuple[float, Cover]:
    """Drive and terrace; returns where along x a car would stand, and on what."""
    left, _, right, _ = lot.rect
    near, far = sorted((lot.street, lot.centre[1]))
    drive = rng.uniform(2.6, 5)
    edge = left + rng.uniform(0.2, max(0.3, right - left - drive - 0.3))
    strip = rectangle(edge, near, edge + drive, far)
    is_paved = rng.random() < 0.5
    if is_paved:
        pavement(canvas, rng, strip)
    else:
        gravel(canvas, rng, strip)
    if lot.is_old and rng.random() < 0.5:
        gravel(canvas, rng, rectangle(left, near, right, far))
    near, far = sorted((lot.back, lot.back + lot.toward * 3.5))
    if rng.random() < 0.75:
        terrace = rectangle(lot.centre[0] - lot.length * 0.35, near, lot.centre[0] + lot.length * 0.3, far)
        pavement(canvas, rng, terrace, "beige", "grey", "tile", "white")
    return edge + drive / 2, Cover.IMPERVIOUS if is_paved else Cover.PERVIOUS


def lay_yard(canvas: Canvas, rng: Rng, lot: Lot) -> tuple[float, float]:
    """Pool, beds and shed behind the house; returns the span along y that is left for trees."""
    left, top, right, bottom = lot.rect
    wide, deep = right - left, bottom - top
    share = 0.14 if lot.is_old else 0.42
    far = 5.0
    if rng.random() < share and deep - lot.setback - lot.width > 14:
        far = 14.5
        spot = (
            (left + right) / 2 + rng.uniform(-0.12, 0.12) * wide,
            lot.back + lot.toward * rng.uniform(7, 9),
        )
        buildings.pool(canvas, rng, spot, rng.choice([0.0, np.pi / 2]) if wide > 18 else 0.0)
    low, high = sorted((lot.back + lot.toward * far, lot.street + lot.toward * deep))
    if rng.random() < 0.15 and high - low > 6:
        bare(canvas, rng, rectangle(left + 2, low + 1, left + wide * 0.5, high - 1))
    if rng.random() < 0.4 and high - low > 5:
        tone = draw_colour(rng, *buildings.ROOFS, "white")
        spot = (right - 3.5, high - 3 if lot.toward > 0 else low + 3)
        buildings.pitched(canvas, rng, spot, 0.0, length=4.5, width=3.2, height=2.2, colour=tone)
    return low, high


def build_house(canvas: Canvas, rng: Rng, lot: Lot) -> None:
    """A house with a pitched roof, often with a wing, or a modern flat one."""
    left, top, right, bottom = lot.rect
    wide, deep = right - left, bottom - top
    colour = draw_colour(rng, *(buildings.ROOFS[:3] if lot.is_old else buildings.ROOFS))
    height = rng.uniform(3.2, 7)
    turn = rng.choice([0.0, 0.0, np.pi / 2]) if abs(wide - deep) < 10 and lot.length < deep * 0.4 else 0.0
    size = {"length": lot.length, "width": lot.width, "height": height}
    if rng.random() < 0.16 and not lot.is_old:
        tone = draw_colour(rng, *buildings.FLAT_ROOFS)
        buildings.flat(
            canvas, rng, lot.centre, 0.0, length=lot.length, width=lot.width, height=height, colour=tone
        )
        return
    buildings.pitched(canvas, rng, lot.centre, turn, **size, colour=colour)
    if rng.random() < 0.4:
        x = lot.centre[0] + rng.choice([-1, 1]) * lot.length * 0.28
        y = lot.centre[1] + lot.toward * lot.width * 0.45
        wing = {"length": lot.width, "width": lot.length * 0.42, "height": height - 0.4}
        buildings.pitched(canvas, rng, (x, y), np.pi / 2, **wing, colour=colour)
    if rng.random() < 0.15:
        buildings.solar_panels(canvas, rng, lot.centre, 0.0, length=lot.length, height=height + 0.8)
