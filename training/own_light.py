"""Labels of a crop in another light and another state: each of them by itself.

In the imagery of few flights, and in generated landscapes, woods are dark and green and meadows are light; a
network that learns from them takes brightness for what tells them apart. On other flights woods are light, in
other seasons brown. With a gain of its own for each label, its texture and shape are what is left to learn
by. All labels have one: what varies less than others would be told by that.

Axes: C bands, H and W pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.data.samples import IGNORED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from models.manifest import Role
    from training.recipes.recipe import Looks

    U8 = NDArray[np.uint8]
    F32 = NDArray[np.float32]

_VISIBLE: tuple[Role, ...] = ("red", "green", "blue")
_DRY: Mapping[Role, float] = {"red": 1.22, "green": 1.0, "blue": 0.78}
"""Dry leaves and straw over their own mean of red, green and blue."""
_TINT = 0.08
"""Standard deviation of the log of each, from crop to crop: between grey twigs and red leaves."""
_NIR_LOST = 0.4
"""Share of near infrared that is lost where all leaves are dry."""


def in_own_light(  # noqa: PLR0913  what is known of a crop
    image_CHW: F32,
    labels_HW: U8,
    *,
    labels: Collection[int],
    plants: Collection[int],
    bands: Sequence[Role],
    looks: Looks,
    rng: np.random.Generator,
) -> F32:
    """An image whose labels have each been lit, and those of plants dried, by themselves.

    Args:
        image_CHW: Pixels 0-255.
        labels_HW: Positions of labels; 255 is none.
        labels: Positions of all.
        plants: Of those that are vegetation alone.
        bands: Of the image; drying needs red, green and blue.
        looks: ``label_gain`` and ``plant_drought``; both 0 give the image as it is.
        rng: Draws a gain for each label, in the crop or not, and whether and how far it is dry.
    """
    table_CL = np.ones((len(bands), IGNORED + 1), dtype=np.float32)
    dry_CL = np.zeros_like(table_CL)
    for label in sorted(labels):
        gain = np.exp(rng.normal(0, looks.label_gain))
        is_dry = label in plants and rng.random() < looks.plant_drought
        dryness = rng.random() if is_dry else 0.0
        tints = np.exp(rng.normal(0, _TINT, len(_VISIBLE)))
        table_CL[:, label] = gain * (1 - dryness)
        for band, tint in zip(_VISIBLE, tints, strict=True):
            dry_CL[bands.index(band), label] = gain * dryness * _DRY[band] * tint
        if "nir" in bands:
            table_CL[bands.index("nir"), label] = gain * (1 - _NIR_LOST * dryness)
    visible_CHW = image_CHW[[bands.index(band) for band in _VISIBLE]]
    lit_CHW = table_CL[:, labels_HW] * image_CHW + dry_CL[:, labels_HW] * visible_CHW.mean(axis=0)
    clipped_CHW: F32 = np.clip(lit_CHW, 0, 255).astype(np.float32, copy=False)
    return clipped_CHW
