"""From ground to image: sun and shadow, haze, lens, camera, mosaic and file."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from training.data.landscapes.palette import Floats, Rng

Bytes = npt.NDArray[np.uint8]
SKY = np.array([0.90, 1.0, 1.16, 0.82], np.float32)
"""Colour of the light that reaches shadows."""
HAZE = np.array([0.40, 0.46, 0.54, 0.30], np.float32)
"""Colour of the air between the ground and the camera."""


@dataclass(frozen=True, kw_only=True)
class Sky:
    """Light of one flight."""

    azimuth_deg: float
    """Of the sun, clockwise from north."""
    elevation_deg: float
    haze: float
    """Share of the image that is air, 0 to 0.5."""
    diffuse: float
    """Share of the light that shadows keep, 0 to 1."""

    @property
    def to_sun(self) -> tuple[float, float]:
        """Unit vector towards the sun: x to the east, y to the south."""
        azimuth = np.radians(self.azimuth_deg)
        return float(np.sin(azimuth)), float(-np.cos(azimuth))


def cast_shadows(height_HW: Floats, sky: Sky, *, gsd_m: float) -> Floats:
    """Share of the sun that is hidden from each pixel, 0 to 1.

    The shadow surface is the highest ray coming down from any point towards the sun; it is built by doubling
    the reach of the search, so that its cost grows with the logarithm of the longest shadow.
    """
    drop = np.tan(np.radians(sky.elevation_deg)) * gsd_m
    reach_px = min(float(height_HW.max()) / drop, max(height_HW.shape))
    surface = height_HW.copy()
    step = 1
    while step <= max(reach_px, 1):
        dx, dy = round(sky.to_sun[0] * step), round(sky.to_sun[1] * step)
        lowered = shift(surface, dx=dx, dy=dy) - drop * np.hypot(dx, dy)
        np.maximum(surface, lowered, out=surface)
        step *= 2
    return np.asarray(np.clip((surface - height_HW - 0.15) / 0.5, 0, 1), np.float32)


def shift(field_HW: Floats, *, dx: int, dy: int) -> Floats:
    """Value found ``dx`` columns and ``dy`` rows further; 0 beyond the edge."""
    moved = np.zeros_like(field_HW)
    height, width = field_HW.shape
    if abs(dx) < width and abs(dy) < height:
        rows, cols = height - abs(dy), width - abs(dx)
        moved[max(-dy, 0) :, max(-dx, 0) :][:rows, :cols] = field_HW[max(dy, 0) :, max(dx, 0) :][:rows, :cols]
    return moved


def expose(albedo_CHW: Floats, shadow_HW: Floats, sky: Sky, rng: Rng) -> Floats:
    """Light the ground and develop it: radiance to grey levels 0 to 255, not rounded.

    Gain, gamma and balance of the bands are drawn anew for every flight.
    """
    exposure = rng.uniform(0.93, 1.13)
    gamma = rng.uniform(0.86, 1.06)
    balance = np.exp(rng.normal(0, [0.025, 0.015, 0.03, 0.05])).astype(np.float32)
    image_CHW = np.empty_like(albedo_CHW)
    for band in range(4):
        light = (1 - sky.diffuse) * (1 - shadow_HW) + sky.diffuse * SKY[band]
        radiance = albedo_CHW[band] * light * (1 - sky.haze) + HAZE[band] * sky.haze
        image_CHW[band] = 255 * np.clip(radiance * exposure * balance[band], 0, 1) ** gamma
    return image_CHW


def photograph(image_CHW: Floats, rng: Rng, *, gsd_m: float) -> Floats:
    """Blur of lens and motion, noise of the sensor, sharpening of the laboratory."""
    blur = rng.uniform(0.25, 0.75) * float(np.clip(0.25 / gsd_m, 0.6, 1.2))
    sharpen = rng.choice([0.0, rng.uniform(0.2, 0.9)])
    noise = rng.uniform(0.8, 3.2)
    return np.stack([_develop(band, rng, blur=blur, noise=noise, sharpen=sharpen) for band in image_CHW])


def _develop(band_HW: Floats, rng: Rng, *, blur: float, noise: float, sharpen: float) -> Floats:
    seen_HW = ndimage.gaussian_filter(band_HW, blur, truncate=3) if blur > 0.2 else band_HW
    grain_HW = rng.standard_normal(band_HW.shape, np.float32)
    seen_HW = seen_HW + grain_HW * (noise * (0.5 + seen_HW / 255))
    if sharpen:
        seen_HW = seen_HW + sharpen * (seen_HW - ndimage.gaussian_filter(seen_HW, 1.1, truncate=2.5))
    return np.asarray(seen_HW, np.float32)


def join_strips(image_CHW: Floats, rng: Rng) -> Floats:
    """Change gain and offset across one wandering line, as where two flight strips meet."""
    side = image_CHW.shape[1]
    angle = rng.uniform(0, np.pi)
    along = np.arange(side, dtype=np.float32) - side * rng.uniform(0.25, 0.75)
    wave = rng.uniform(2, 10) * np.sin(np.arange(side) / rng.uniform(20, 60))
    beyond = (np.cos(angle) * along[None, :] + np.sin(angle) * along[:, None] + wave[None, :]) > 0
    for band in image_CHW:
        band[beyond] = band[beyond] * rng.uniform(0.86, 1.16) + rng.uniform(-6, 6)
    return image_CHW


def to_bytes(image_CHW: Floats) -> Bytes:
    """Round to 1..255; 0 is left to nodata."""
    return np.asarray(np.clip(np.rint(image_CHW), 1, 255), np.uint8)


def compress(image_CHW: Bytes, rng: Rng) -> Bytes:
    """Send four bands through JPEG and back (colours together, near infrared apart)."""
    quality = int(rng.integers(55, 93))
    visible = through_jpeg(Image.fromarray(np.ascontiguousarray(image_CHW[:3].transpose(1, 2, 0))), quality)
    infrared = through_jpeg(Image.fromarray(image_CHW[3]), quality)
    return np.asarray(np.maximum(np.concatenate([visible.transpose(2, 0, 1), infrared[None]]), 1), np.uint8)


def through_jpeg(image: Image.Image, quality: int) -> Bytes:
    """Encode and decode one picture."""
    with BytesIO() as buffer:
        image.save(buffer, "JPEG", quality=quality)
        return np.asarray(Image.open(buffer))


def draw_border(rng: Rng, side_px: int) -> npt.NDArray[np.bool_]:
    """Mask (True = no image) of the edge of a mission: beyond one slanted line."""
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.arange(side_px) - side_px / 2 + 0.5
    across = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    return np.asarray(across > side_px * rng.uniform(0.22, 0.48), np.bool_)
