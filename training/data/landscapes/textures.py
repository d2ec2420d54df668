"""Texture, rows and relief of each instance, in metres on the ground, at the final resolution."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from training.data.landscapes.palette import Floats, Rng

DRYING = np.array([0.10, 0.05, 0.04, -0.09], np.float32)
"""What drying adds to red, green, blue, near infrared."""
WHEEL_TRACK_M = 1.9
"""Between the two wheel lines of a passage."""


@dataclass(frozen=True, kw_only=True)
class NoiseBank:
    """Periodic fields indexed by pixel of the scene, so that they run on across drawing squares."""

    fine: Floats
    medium: Floats
    coarse: Floats
    hue: Floats
    leaf: Floats

    def crop(self, name: str, *, corner: tuple[int, int], shape: tuple[int, int]) -> Floats:
        """Cut a window of a field, wrapping around."""
        tile: Floats = getattr(self, name)
        rows = (np.arange(shape[0]) + corner[1]) % tile.shape[0]
        cols = (np.arange(shape[1]) + corner[0]) % tile.shape[1]
        return tile[np.ix_(rows, cols)]


def make_bank(rng: Rng, *, side_px: int, gsd_m: float, gain: float) -> NoiseBank:
    """Draw the noise fields of a scene, each 1/f in its band of wavelengths, of deviation ``gain``."""
    size = int(min(1024, 2 ** np.ceil(np.log2(max(side_px, 64)))))
    return NoiseBank(
        fine=gain * band_noise(rng, size, gsd_m, shortest_m=0.1, longest_m=1.2, slope=0.3),
        medium=gain * band_noise(rng, size, gsd_m, shortest_m=1.0, longest_m=9.0, slope=1.0),
        coarse=gain * band_noise(rng, size, gsd_m, shortest_m=6.0, longest_m=90.0, slope=1.6),
        hue=gain * band_noise(rng, size, gsd_m, shortest_m=1.5, longest_m=60.0, slope=1.3),
        leaf=gain * band_noise(rng, size, gsd_m, shortest_m=0.5, longest_m=2.2, slope=0.5),
    )


def band_noise(
    rng: Rng, size: int, gsd_m: float, *, shortest_m: float, longest_m: float, slope: float
) -> Floats:
    """Periodic 1/f**slope noise between two wavelengths, zero mean, unit deviation, shape (size, size)."""
    spectrum = fft.rfft2(rng.standard_normal((size, size), np.float32))
    frequency = np.hypot(fft.fftfreq(size, gsd_m)[:, None], fft.rfftfreq(size, gsd_m)[None, :]).astype(
        np.float32
    )
    low, high = 1 / longest_m, 1 / shortest_m
    gain = np.where(frequency > 0, np.maximum(frequency, low) ** -slope, 0)
    gain *= 1 / (1 + (frequency / high) ** 6)
    field_HW = fft.irfft2((spectrum * gain).astype(np.complex64), s=(size, size))
    field_HW = (field_HW - field_HW.mean()) / max(float(field_HW.std()), 1e-6)
    return np.asarray(field_HW, np.float32)


def shade(  # noqa: PLR0913 - one call, in render
    colour_CHW: Floats,
    instance_HW: npt.NDArray[np.int32],
    table: dict[str, Floats],
    *,
    corner: tuple[int, int],
    half_m: float,
    gsd_m: float,
    bank: NoiseBank,
    to_sun: tuple[float, float],
) -> tuple[Floats, Floats]:
    """Lay texture, rows and shading over mean colours.

    Args:
        colour_CHW: Mean albedo (red, green, blue, nir).
        instance_HW: Instance of each pixel.
        table: Columns of the instances.
        corner: Column and row of the first pixel in the scene.
        half_m: Half side of the scene, in metres.
        gsd_m: Ground resolution, in metres.
        bank: Noise of the scene.
        to_sun: Unit vector towards the sun, world frame.

    Returns:
        Albedo (4, H, W), not below 0.01, and height (H, W) in metres.
    """
    shape = instance_HW.shape
    noise = {
        name: bank.crop(name, corner=corner, shape=(shape[0], shape[1]))
        for name in ("fine", "medium", "coarse", "hue", "leaf")
    }
    x_W = ((np.arange(shape[1]) + corner[0] + 0.5) * gsd_m - half_m).astype(np.float32)[None, :]
    y_H = ((np.arange(shape[0]) + corner[1] + 0.5) * gsd_m - half_m).astype(np.float32)[:, None]

    def look(name: str) -> Floats:
        return table[name][instance_HW]

    gain = (
        1 + look("fine") * noise["fine"] + look("medium") * noise["medium"] + look("coarse") * noise["coarse"]
    )
    x_in, y_in = x_W - look("x"), y_H - look("y")
    gain *= 1 + look("facet_x") * to_sun[0] + look("facet_y") * to_sun[1]
    height = look("height") + look("slope_x") * x_in + look("slope_y") * y_in

    radius = look("radius")
    is_crown = radius > 0
    crowned = np.maximum(radius, 0.1)
    x_in, y_in = x_in / crowned, y_in / crowned
    hump = np.clip(1 - x_in**2 - y_in**2, 0, 1)
    dome = look("dome") * is_crown
    gain *= 1 + dome * (
        0.42 * (x_in * to_sun[0] + y_in * to_sun[1]) + 0.40 * hump - 0.22 + 0.13 * noise["leaf"]
    )
    height = np.where(is_crown, height * (0.6 + 0.4 * hump + 0.02 * noise["leaf"]), height)

    mix, on_row = rows_of(look, x_W, y_H, noise["medium"], gsd_m)
    height = height + on_row * look("stripe_height")
    albedo_CHW = np.empty_like(colour_CHW)
    drying = look("hue") * noise["hue"]
    for band, name in enumerate(("red", "green", "blue", "nir")):
        step = (table[f"{name}2"] - table[name])[instance_HW]
        albedo_CHW[band] = np.maximum((colour_CHW[band] + mix * step + drying * DRYING[band]) * gain, 0.01)
    return albedo_CHW, np.maximum(height, 0)


def rows_of(
    look: Callable[[str], Floats], x_W: Floats, y_H: Floats, wander_HW: Floats, gsd_m: float
) -> tuple[Floats, Floats]:
    """Share of the second colour at each pixel, and presence on a row (0 to 1).

    Rows finer than the pixel grid fade to their mean instead of aliasing.
    """
    across = x_W * look("cos") + y_H * look("sin") + look("phase")
    period, duty = look("period"), look("duty")
    position = across / period + 0.02 * wander_HW
    distance = np.abs(position - np.round(position)) * period
    softness = 0.12 + 0.5 * gsd_m
    row = np.clip((duty * period / 2 - distance) / softness + 0.5, 0, 1)
    sharp = np.clip((period / gsd_m - 2) / 1.5, 0, 1)
    row = sharp * row + (1 - sharp) * duty
    gaps = np.clip(2.2 + wander_HW, 0, 1)
    tram_period = look("tram_period")
    passage = across - np.round(across / tram_period) * tram_period
    wheel = np.clip(0.9 - np.abs(np.abs(passage) - WHEEL_TRACK_M / 2) / (0.22 + 0.5 * gsd_m), 0, 1)
    mix = np.maximum(look("stripe") * row * gaps, look("tram") * wheel)
    return mix, row * gaps
