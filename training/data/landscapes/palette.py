"""Reflectances of materials: wide, overlapping distributions shared between classes.

Each class has materials of its own and some of its neighbours': a grey roof, a road and a gravel yard may
draw from the same ``grey``. Colour alone therefore tells little; pattern, size and surroundings have to
tell the rest.
"""

import numpy as np
import numpy.typing as npt

Rng = np.random.Generator
Floats = npt.NDArray[np.float32]
Colour = tuple[float, float, float, float]
"""Red, green, blue, near infrared, 0 to 1."""

MATERIALS: dict[str, tuple[Colour, float, float]] = {
    # name: mean colour, spread of brightness (log), spread of each band
    "grey": ((0.42, 0.42, 0.42, 0.40), 0.24, 0.022),
    "rock": ((0.57, 0.54, 0.51, 0.52), 0.18, 0.022),
    "slate": ((0.28, 0.29, 0.32, 0.29), 0.20, 0.018),
    "tile": ((0.60, 0.39, 0.29, 0.50), 0.16, 0.03),
    "old_tile": ((0.52, 0.41, 0.34, 0.46), 0.16, 0.03),
    "white": ((0.83, 0.83, 0.82, 0.76), 0.09, 0.02),
    "gravel": ((0.72, 0.68, 0.60, 0.66), 0.12, 0.025),
    "beige": ((0.64, 0.58, 0.48, 0.58), 0.15, 0.03),
    "brown": ((0.47, 0.39, 0.30, 0.46), 0.20, 0.03),
    "ochre": ((0.64, 0.47, 0.31, 0.58), 0.15, 0.03),
    "furrow": ((0.42, 0.31, 0.22, 0.40), 0.16, 0.025),
    "dark_brown": ((0.34, 0.28, 0.22, 0.34), 0.18, 0.025),
    "straw": ((0.64, 0.57, 0.41, 0.60), 0.13, 0.03),
    "ripe": ((0.72, 0.62, 0.37, 0.67), 0.12, 0.03),
    "sprout": ((0.36, 0.51, 0.19, 0.82), 0.14, 0.03),
    "grass": ((0.37, 0.45, 0.28, 0.67), 0.18, 0.035),
    "dry_grass": ((0.52, 0.49, 0.35, 0.58), 0.15, 0.035),
    "lush": ((0.28, 0.42, 0.21, 0.74), 0.16, 0.03),
    "leaf": ((0.26, 0.36, 0.20, 0.68), 0.18, 0.03),
    "dark_leaf": ((0.20, 0.28, 0.17, 0.56), 0.18, 0.025),
    "autumn_leaf": ((0.47, 0.39, 0.22, 0.58), 0.18, 0.05),
    "sunlit_leaf": ((0.40, 0.48, 0.27, 0.76), 0.20, 0.04),
    "bare_twig": ((0.40, 0.36, 0.31, 0.43), 0.15, 0.025),
    "heath": ((0.37, 0.32, 0.20, 0.48), 0.16, 0.03),
    "needle": ((0.17, 0.26, 0.16, 0.50), 0.20, 0.022),
    "blue_needle": ((0.21, 0.29, 0.23, 0.52), 0.18, 0.022),
    "dark_water": ((0.14, 0.20, 0.21, 0.09), 0.25, 0.025),
    "green_water": ((0.22, 0.30, 0.21, 0.15), 0.20, 0.03),
    "blue_water": ((0.18, 0.30, 0.38, 0.10), 0.20, 0.03),
    "brown_water": ((0.38, 0.35, 0.26, 0.22), 0.16, 0.03),
    "silty_water": ((0.45, 0.40, 0.24, 0.26), 0.20, 0.035),
    "bright_water": ((0.46, 0.50, 0.53, 0.36), 0.14, 0.03),
    "turquoise": ((0.38, 0.68, 0.75, 0.25), 0.14, 0.05),
    "deep_pool": ((0.22, 0.46, 0.56, 0.15), 0.18, 0.04),
    "green_pool": ((0.24, 0.37, 0.27, 0.20), 0.16, 0.04),
    "snow": ((0.88, 0.90, 0.93, 0.83), 0.07, 0.015),
    "old_snow": ((0.73, 0.75, 0.78, 0.67), 0.08, 0.02),
    "glass": ((0.60, 0.66, 0.68, 0.55), 0.16, 0.04),
    "green_glass": ((0.44, 0.53, 0.45, 0.58), 0.14, 0.04),
    "blue_metal": ((0.38, 0.48, 0.60, 0.45), 0.18, 0.05),
    "green_metal": ((0.36, 0.46, 0.38, 0.40), 0.15, 0.04),
    "red_paint": ((0.55, 0.20, 0.18, 0.45), 0.20, 0.04),
}
"""Means after looking at 20 cm orthophotos; the spreads are wide on purpose."""

SPREAD = 0.5
"""Share of the spreads above that is drawn.

Set so that colour alone stays far from enough (see the test of it) and a compact network of a million weights
can still learn the sixteen classes in an hour on two cores.
"""


def draw_colour(rng: Rng, *names: str) -> Floats:
    """Draw one reflectance of one of the materials named (repeat a name to favour it).

    Returns:
        Red, green, blue, near infrared as float32, 0.02 to 0.98.
    """
    mean, brightness, chroma = MATERIALS[names[int(rng.integers(len(names)))]]
    colour = np.asarray(mean) * np.exp(rng.normal(0, SPREAD * brightness)) + rng.normal(0, SPREAD * chroma, 4)
    clipped: Floats = np.clip(colour, 0.02, 0.98).astype(np.float32)
    return clipped


def draw_light(rng: Rng, darkest: float, brightest: float) -> float:
    """Draw a gain of brightness, evenly in its logarithm."""
    return float(np.exp(rng.uniform(np.log(darkest), np.log(brightest))))


def vary(rng: Rng, colour: Floats, num: int, *, brightness: float, chroma: float) -> Floats:
    """Scatter ``num`` colours around one, as crowns of one stand do; shape (num, 4)."""
    gain = np.exp(rng.normal(0, brightness, (num, 1)))
    scattered = colour * gain + rng.normal(0, chroma, (num, 4))
    return np.asarray(np.clip(scattered, 0.02, 0.98), np.float32)
