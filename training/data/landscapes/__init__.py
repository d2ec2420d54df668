"""Seeded landscapes with known truth: numpy and scipy, no torch."""

from training.data.landscapes.cover import NODATA, Cover
from training.data.landscapes.layout import KINDS
from training.data.landscapes.scene import Landscape, LandscapeSpec, generate_landscape

__all__ = ["KINDS", "NODATA", "Cover", "Landscape", "LandscapeSpec", "generate_landscape"]
