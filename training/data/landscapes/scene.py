"""The scene: what can be asked for, and what comes back."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from training.data.landscapes import sensor
from training.data.landscapes.canvas import Canvas
from training.data.landscapes.cover import GROUND_COVERS, NODATA
from training.data.landscapes.layout import KINDS, lay_out
from training.data.landscapes.palette import Rng
from training.data.landscapes.plants import Season
from training.data.landscapes.render import render_ground
from training.data.landscapes.textures import make_bank

SEASONS: tuple[Season, ...] = ("spring", "summer", "autumn", "winter")
HEIGHT_STEP_M = 0.2
"""Metres per grey level of the height band."""
MARGIN_M = 8.0
"""Ground drawn around the scene, whose shadows fall into it."""


@dataclass(frozen=True, kw_only=True)
class LandscapeSpec:
    """A scene to generate; equal specs give equal bytes."""

    seed: int
    side_px: int = 512
    """Side of the square scene, in pixels, 16 to 4096."""
    gsd_m: float = 0.2
    """Ground resolution, in metres, 0.15 to 1."""
    kind: str | None = None
    """Landscape type, one of ``KINDS``; drawn when None, and then varied over scenes beyond some 300 m."""
    kind_weights: tuple[tuple[str, float], ...] | None = None
    """Label prior: weights of the types that may be drawn; those of ``KINDS`` when None."""
    season: Season | None = None
    """Drawn when None."""
    sun_azimuth_deg: float | None = None
    """Clockwise from north; drawn when None."""
    sun_elevation_deg: float | None = None
    """Above the horizon; drawn when None."""
    haze: float | None = None
    """Share of the image that is air, 0 to 0.5; drawn when None."""
    texture_gain: float = 1.0
    """Multiplies every texture; 1 is the usual."""
    shadows: bool = True
    """Whether shadows are cast; classes and height do not depend on it."""
    defects: Literal["drawn", "none"] = "drawn"
    """Whether a share of scenes gets JPEG marks, mosaic seams, borders without data."""

    def __post_init__(self) -> None:
        if not 16 <= self.side_px <= 4096:
            raise ValueError(f"side_px is {self.side_px}; scenes are 16 to 4096 px a side")
        if not 0.15 <= self.gsd_m <= 1.0:
            raise ValueError(f"gsd_m is {self.gsd_m}; the generator draws at 0.15 to 1 m")
        if self.haze is not None and not 0 <= self.haze <= 0.5:
            raise ValueError(f"haze is {self.haze}; it is a share from 0 to 0.5")
        if self.sun_elevation_deg is not None and not 5 <= self.sun_elevation_deg <= 90:
            raise ValueError(f"sun_elevation_deg is {self.sun_elevation_deg}; 5 to 90")
        for kind in [self.kind, *(name for name, _ in self.kind_weights or ())]:
            if kind is not None and kind not in KINDS:
                raise ValueError(f"unknown landscape type {kind!r}; one of {', '.join(KINDS)}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Landscape:
    """A generated scene with its truth."""

    image_CHW: npt.NDArray[np.uint8]
    """Red, green, blue, near infrared, height (0.2 m per grey level); all bands 0 where there is no data."""
    classes_HW: npt.NDArray[np.uint8]
    """CoSIA values 0 to 15, 255 where there is no data."""
    spec: LandscapeSpec


def generate_landscape(spec: LandscapeSpec) -> Landscape:
    """Generate one scene; the same spec gives the same bytes.

    Layout, light and sensor draw from separate streams of the seed, so that changing the sun or the season of
    a spec does not move its fields and houses.
    """
    plan, paint, light, camera, grain = (np.random.default_rng([spec.seed, stream]) for stream in range(5))
    margin_px = int(np.ceil(MARGIN_M / spec.gsd_m))
    side_px = spec.side_px + 2 * margin_px
    season = spec.season or SEASONS[int(light.choice(4, p=[0.25, 0.45, 0.2, 0.1]))]
    sky = draw_sky(light, spec)
    # In metres alone, so that a place is laid out alike at every ground resolution.
    canvas = make_canvas(plan, reach_m=spec.side_px * spec.gsd_m / 2 + MARGIN_M)
    lay_out(canvas, plan, season=season, kind=spec.kind, weights=spec.kind_weights)
    bank = make_bank(paint, side_px=side_px, gsd_m=spec.gsd_m, gain=spec.texture_gain)
    ground = render_ground(canvas, side_px=side_px, gsd_m=spec.gsd_m, bank=bank, to_sun=sky.to_sun)
    shadow_HW = sensor.cast_shadows(ground.height_HW, sky, gsd_m=spec.gsd_m)
    if not spec.shadows:
        shadow_HW = np.zeros_like(shadow_HW)
    image_CHW = sensor.expose(ground.albedo_CHW, shadow_HW, sky, camera)
    image_CHW = sensor.photograph(image_CHW, grain, gsd_m=spec.gsd_m)
    inner = slice(margin_px, margin_px + spec.side_px)
    image_CHW = image_CHW[:, inner, inner].copy()
    classes_HW = ground.classes_HW[inner, inner].copy()
    height_HW = height_band(ground.height_HW[inner, inner], classes_HW)
    return deliver(image_CHW, height_HW, classes_HW, spec=spec, rng=camera)


def height_band(
    height_HW: npt.NDArray[np.float32], classes_HW: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Height in steps of 0.2 m, zero on ground covers."""
    steps_HW = np.asarray(np.clip(np.rint(height_HW / HEIGHT_STEP_M), 0, 255), np.uint8)
    steps_HW[np.isin(classes_HW, GROUND_COVERS)] = 0
    return steps_HW


def make_canvas(rng: Rng, *, reach_m: float) -> Canvas:
    """Draw how the country lies under the pixel grid and where the aircraft stood."""
    return Canvas(
        rotation=float(rng.uniform(0, 2 * np.pi)),
        bend_m=float(rng.uniform(0.5, 4.0)),
        bend_phase=(float(rng.uniform(0, 6.3)), float(rng.uniform(0, 6.3))),
        nadir=(float(rng.uniform(-400, 400)), float(rng.uniform(-400, 400))),
        flight_m=float(rng.uniform(2500, 5000)),
        reach_m=reach_m,
    )


def draw_sky(rng: Rng, spec: LandscapeSpec) -> sensor.Sky:
    """Draw sun and air, then put what the spec asks for in their place."""
    azimuth, elevation = float(rng.uniform(105, 255)), float(rng.uniform(34, 64))
    haze, diffuse = float(rng.beta(1.3, 9)), float(rng.uniform(0.26, 0.45))
    return sensor.Sky(
        azimuth_deg=azimuth if spec.sun_azimuth_deg is None else spec.sun_azimuth_deg,
        elevation_deg=elevation if spec.sun_elevation_deg is None else spec.sun_elevation_deg,
        haze=haze if spec.haze is None else spec.haze,
        diffuse=diffuse,
    )


def deliver(
    image_CHW: npt.NDArray[np.float32],
    height_HW: npt.NDArray[np.uint8],
    classes_HW: npt.NDArray[np.uint8],
    *,
    spec: LandscapeSpec,
    rng: Rng,
) -> Landscape:
    """Add the marks of production to a share of scenes and put the bands together."""
    has_seam, has_jpeg, has_border = rng.random(3) < (0.2, 0.4, 0.06)
    is_marked = spec.defects == "drawn"
    if is_marked and has_seam:
        image_CHW = sensor.join_strips(image_CHW, rng)
    bytes_CHW = sensor.to_bytes(image_CHW)
    if is_marked and has_jpeg:
        bytes_CHW = sensor.compress(bytes_CHW, rng)
    bands_CHW = np.concatenate([bytes_CHW, height_HW[None]])
    if is_marked and has_border:
        missing_HW = sensor.draw_border(rng, spec.side_px)
        bands_CHW[:, missing_HW] = 0
        classes_HW[missing_HW] = NODATA
    return Landscape(image_CHW=bands_CHW, classes_HW=classes_HW, spec=spec)
