"""The drawing board: shapes in metres, in painter's order, each one instance with its surface.

World frame: metres, x to the east, y to the south, origin at the centre of the scene. The local frame in
which layouts are drawn is turned and gently bent into it, so that nothing lies along the pixel axes.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from training.data.landscapes.cover import Cover
from training.data.landscapes.palette import Floats, Rng

Points = npt.NDArray[np.float64]
"""Vertices, shape (num, 2), metres."""

FIELDS = (
    "cover", "red", "green", "blue", "nir", "red2", "green2", "blue2", "nir2",
    "fine", "medium", "coarse", "hue", "stripe", "period", "cos", "sin", "phase", "duty",
    "tram", "tram_period", "height", "stripe_height", "slope_x", "slope_y", "x", "y", "radius", "dome",
    "facet_x", "facet_y",
)  # fmt: skip
"""Columns of the table of instances; lengths in metres, colours and amplitudes as shares of one."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """What an instance is made of: cover, colour, texture, rows, height."""

    cover: Cover
    colour: Floats
    """Red, green, blue, near infrared, 0 to 1."""
    second: Floats | None = None
    """Colour of rows, furrows, wheel lines."""
    fine: float = 0.05
    """Amplitude of texture near 0.5 m, relative to the colour."""
    medium: float = 0.05
    """Amplitude near 3 m."""
    coarse: float = 0.05
    """Amplitude near 20 m."""
    hue: float = 0.0
    """Amplitude of drying and greening."""
    stripe: float = 0.0
    """Share of the second colour on a row."""
    period: float = 1.0
    """Distance between rows, in metres."""
    angle: float = 0.0
    """Direction across the rows, local frame, in radians."""
    duty: float = 0.5
    """Width of a row over the period."""
    tram: float = 0.0
    """Share of the second colour on a pair of wheel lines."""
    tram_period: float = 24.0
    """Distance between passages of wheels, in metres."""
    height: float = 0.0
    """Height above ground, in metres."""
    stripe_height: float = 0.0
    """Height of a row over the surface, in metres."""
    slope: tuple[float, float] = (0.0, 0.0)
    """Rise per metre along world x and y, from the middle of the shape."""
    facet: tuple[float, float] = (0.0, 0.0)
    """Horizontal part of the normal, world frame, for shading."""


@dataclass
class Canvas:
    """Shapes and instances of one scene; only the fillers of the layout write to it."""

    rotation: float
    bend_m: float
    bend_phase: tuple[float, float]
    nadir: tuple[float, float]
    """Where the aircraft stood, world frame, in metres."""
    flight_m: float
    reach_m: float
    """Half side of the world square that the image shows, margin included, in metres."""
    shapes: list[Points] = field(default_factory=list)
    instances: list[int] = field(default_factory=list)
    rows: list[npt.NDArray[np.float32]] = field(default_factory=list)
    num_instances: int = 0

    def to_world(self, points: Points) -> Points:
        """Bend and turn points of the local frame into the world frame."""
        x, y = points[:, 0], points[:, 1]
        a, b = self.bend_phase
        x_bent = x + self.bend_m * np.sin(y / 43 + a)
        y_bent = y + self.bend_m * np.sin(x / 51 + b)
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        return np.stack([cos * x_bent - sin * y_bent, sin * x_bent + cos * y_bent], 1)

    def is_seen(self, x: float, y: float, radius: float) -> bool:
        """Tell whether a disc of the local frame may touch the image."""
        centre = self.to_world(np.array([[x, y]]))[0]
        return bool(np.abs(centre).max() < self.reach_m + radius + 2 * abs(self.bend_m))

    def lean(self, points: Points, height: float | npt.NDArray[np.float64]) -> Points:
        """Displace world points away from the nadir, as tall things are in an orthophoto on the ground."""
        shift = (points - np.asarray(self.nadir)) / self.flight_m
        leaned: Points = points + shift * np.asarray(height).reshape(-1, 1)
        return leaned

    def add(self, points: Points, surface: Surface, rng: Rng) -> None:
        """Add a polygon of the local frame; its edges are bent with the country."""
        self.add_world(self.to_world(densify(points)), surface, rng)

    def add_rigid(
        self, centre: tuple[float, float], points: Points, angle: float, surface: Surface, rng: Rng
    ) -> None:
        """Add a polygon given around its own centre, which is turned but not bent."""
        self.add_world(self.place(centre, points, angle), surface, rng)

    def place(self, centre: tuple[float, float], points: Points, angle: float) -> Points:
        """World vertices of a polygon given around a centre of the local frame."""
        cos, sin = np.cos(self.rotation + angle), np.sin(self.rotation + angle)
        turned = np.stack(
            [cos * points[:, 0] - sin * points[:, 1], sin * points[:, 0] + cos * points[:, 1]], 1
        )
        placed: Points = self.to_world(np.array([centre]))[0] + turned
        return placed

    def add_world(self, points: Points, surface: Surface, rng: Rng, *, leaned: bool = False) -> None:
        """Add a polygon of the world frame as one instance; ``leaned`` says that it is already displaced."""
        if self._is_outside(points):
            return
        second = surface.colour * 0.8 if surface.second is None else surface.second
        angle = surface.angle + self.rotation
        middle = points.mean(0)
        row = (
            surface.cover,
            *surface.colour,
            *second,
            surface.fine,
            surface.medium,
            surface.coarse,
            surface.hue,
            surface.stripe,
            surface.period,
            np.cos(angle),
            np.sin(angle),
            rng.random() * 50,
            surface.duty,
            surface.tram,
            surface.tram_period,
            surface.height,
            surface.stripe_height,
            *surface.slope,
            *middle,
            0.0,
            0.0,
            *surface.facet,
        )
        self.rows.append(np.array([row], np.float32))
        self._push([points if leaned or not surface.height else self.lean(points, surface.height)])

    def add_crowns(  # noqa: PLR0913 - the columns of one batch
        self,
        centres: Points,
        *,
        radii: Points,
        heights: Points,
        colours: Floats,
        surface: Surface,
        dome: float,
        rng: Rng,
    ) -> None:
        """Add one ragged disc per centre of the local frame, each an instance with a dome.

        Args:
            centres: Local frame, shape (num, 2), in metres.
            radii: Shape (num,), in metres.
            heights: Height of the top, shape (num,), in metres.
            colours: Shape (num, 4).
            surface: Cover and texture; its colour and height are not used.
            dome: Strength of the shading of the dome, 0 to 1.
            rng: Source of the raggedness.
        """
        world = self.to_world(centres)
        keep = (np.abs(world) < self.reach_m + radii[:, None]).all(1)
        world, radii, heights, colours = world[keep], radii[keep], heights[keep], colours[keep]
        num = len(world)
        if not num:
            return
        world = self.lean(world, heights * 0.7)
        turns = np.linspace(0, 2 * np.pi, 12, endpoint=False) + rng.random((num, 1))
        rims = radii[:, None] * rng.uniform(0.78, 1.12, (num, 12))
        rings = world[:, None] + np.stack([rims * np.cos(turns), rims * np.sin(turns)], 2)
        table = np.zeros((num, len(FIELDS)), np.float32)
        column = FIELDS.index
        table[:, column("cover")] = surface.cover
        table[:, 1:5] = colours
        table[:, 5:9] = colours * 0.7
        for name in ("fine", "medium", "coarse", "hue"):
            table[:, column(name)] = getattr(surface, name)
        table[:, column("period")] = 1
        table[:, column("tram_period")] = 24
        table[:, column("height")] = heights
        table[:, column("x")] = world[:, 0]
        table[:, column("y")] = world[:, 1]
        table[:, column("radius")] = radii
        table[:, column("dome")] = dome
        self.rows.append(table)
        self._push(list(rings))

    def table(self) -> dict[str, Floats]:
        """Columns of all instances, by name."""
        whole = np.concatenate(self.rows).T
        return {name: np.ascontiguousarray(whole[i]) for i, name in enumerate(FIELDS)}

    def _is_outside(self, points: Points) -> bool:
        low, high = points.min(0), points.max(0)
        return bool((low > self.reach_m + 3).any() or (high < -self.reach_m - 3).any())

    def _push(self, rings: list[Points]) -> None:
        self.shapes.extend(rings)
        self.instances.extend(range(self.num_instances, self.num_instances + len(rings)))
        self.num_instances += len(rings)


def densify(points: Points, step_m: float = 12.0) -> Points:
    """Cut long edges of a closed polygon so that they can bend."""
    following = np.roll(points, -1, 0)
    pieces = []
    for start, end in zip(points, following, strict=True):
        num = max(1, int(np.hypot(*(end - start)) / step_m))
        pieces.append(start + (end - start) * (np.arange(num) / num)[:, None])
    return np.concatenate(pieces)


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    """Vertices of an upright rectangle."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


def blob(rng: Rng, x: float, y: float, radius: float, *, rough: float = 0.25) -> Points:
    """Vertices of an irregular outline around a point, rough down to about two metres."""
    num = int(np.clip(radius * 3, 20, 180))
    turns = np.linspace(0, 2 * np.pi, num, endpoint=False)
    rim = np.ones(num)
    for wave in range(2, num // 3):
        rim += rough / wave**1.4 * 1.6 * rng.normal() * np.cos(wave * turns + rng.random() * 6.3)
    rim = radius * np.clip(rim, 0.35, 1.8)
    return np.stack([x + rim * np.cos(turns) * rng.uniform(0.75, 1.25), y + rim * np.sin(turns)], 1)
