"""Pictures of one kind and looks at them, for tests of drift: smooth ground in a colour of its own."""

import numpy as np
from numpy.typing import NDArray

from models.drift import DriftReference, Look, window_origins
from models.map_drift import MapReference, Outcome

NUM_DOMAINS, NUM_WINDOWS = 16, 6


def picture(seed: int, *, side_px: int = 320, num_bands: int = 3) -> NDArray[np.uint8]:
    """Patches of brown and green, with a fine grain; seeds differ in light a little."""
    rng = np.random.default_rng(seed)
    patches = np.kron(rng.normal(0, 1, (side_px // 20, side_px // 20)), np.ones((20, 20)))
    colour = np.array([110, 95, 60, 140])[:num_bands, None, None]
    swing = np.array([25, 15, 10, 30])[:num_bands, None, None]
    grain = rng.normal(0, 6, (num_bands, side_px, side_px))
    light = rng.normal(0, 4)
    return np.clip(colour + light + swing * patches + grain, 1, 254).astype(np.uint8)


def look_at(image_CHW: NDArray[np.uint8]) -> Look:
    """As the service and training look at a whole image, in fewer windows."""
    windows = [
        (image_CHW[:, row : row + 256, col : col + 256], np.ones((256, 256), dtype=bool))
        for row, col in window_origins(*image_CHW.shape[1:], num_windows=NUM_WINDOWS)
    ]
    look = Look.at(windows)
    assert look is not None
    return look


def reference(*, num_bands: int = 3) -> DriftReference:
    """Of many pictures of this kind, each a domain."""
    return DriftReference.of(
        {f"ground {seed}": look_at(picture(seed, num_bands=num_bands)) for seed in range(NUM_DOMAINS)}
    )


def mapped(*counts: dict[int, int], confidence: int = 80) -> MapReference:
    """What a model made of domains, each of these pixels by class, with this confidence in each of them."""
    told = {
        f"mapped {number}": Outcome.of(each, confidence_total=confidence * sum(each.values()))
        for number, each in enumerate(counts)
    }
    return MapReference.of({name: outcome for name, outcome in told.items() if outcome is not None})
