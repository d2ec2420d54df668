"""What an engine is: raw pixels in, class and confidence out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from service.planning.profile import ExecutionProfile

U8 = np.typing.NDArray[np.uint8]


class Engine(Protocol):
    """A loaded model, ready to segment patches; one thread at a time."""

    @property
    def profile(self) -> ExecutionProfile:
        """How this engine executes the model, exactly."""
        ...

    def segment(self, image_NCHW: U8) -> tuple[U8, U8]:
        """Segment a batch of patches.

        Args:
            image_NCHW: Raw pixels, bands in the manifest's order; height and width are multiples of the
                model's stride.

        Returns:
            Class values (N, H, W) of the nomenclature and confidence (N, H, W) in percent, 0-100.
        """
        ...


class StubEngine:
    """An engine without a network, for tests: the class of a pixel is its first band modulo the classes.

    It sees nothing around a pixel, so a scene predicted in patches must equal the scene predicted whole.
    """

    def __init__(self, profile: ExecutionProfile, *, num_classes: int = 16) -> None:
        self.profile = profile
        self._num_classes = num_classes
        self.num_px = 0
        """Pixels segmented so far; what a core without data must not add to."""

    def segment(self, image_NCHW: U8) -> tuple[U8, U8]:
        """See `Engine.segment`; confidence is the second band, at most 100."""
        self.num_px += image_NCHW[:, 0].size
        return image_NCHW[:, 0] % self._num_classes, np.minimum(image_NCHW[:, 1], 100)
