"""Drift: how unlike the images that a model was trained on an image is, as a number with its threshold.

The distance of an image to a domain is the mean over bands of two terms: the 1-Wasserstein distance of
their histograms, and the difference of the logarithms of their gradient energies, each over its mean between
two training domains. Drift is the distance to the nearest domain: 2 is about as far as one training domain
is from another, and the threshold is the farthest that any of them lies from its own nearest.

Axes: D domains, C bands, V values 0-255, H and W pixels.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.map_drift import MapReference

NUM_WINDOWS = 48
WINDOW_PX = 256

_LEAST_SPREAD = (1.0, 0.05)
"""Grey levels, and of the logarithm: domains that are all alike do not make every other image strange."""
_PLASTIC = 1.32471795724474602596
"""The generalised golden ratio of two dimensions; see `window_origins`."""


def window_origins(
    height: int, width: int, *, num_windows: int = NUM_WINDOWS, side_px: int = WINDOW_PX
) -> Iterator[tuple[int, int]]:
    """Rows and columns where windows of an image begin: spread evenly, the same for every image of its size.

    Windows of an image that is smaller than they are begin at its edge.

    Source:
        The additive recurrence R2 of M. Roberts, The unreasonable effectiveness of quasirandom sequences.
    """
    for number in range(1, num_windows + 1):
        down, right = (0.5 + number / _PLASTIC) % 1, (0.5 + number / _PLASTIC**2) % 1
        yield int(down * (max(0, height - side_px) + 1)), int(right * (max(0, width - side_px) + 1))


@dataclass(frozen=True, kw_only=True)
class Look:
    """What windows of one image or domain look like, band by band."""

    shares_CV: NDArray[np.float64]
    """Of pixels, by value."""
    log_gradient_C: NDArray[np.float64]
    """log(1 + mean squared difference of neighbouring pixels)."""

    @classmethod
    def at(cls, windows: Iterable[tuple[NDArray[np.uint8], NDArray[np.bool_]]]) -> Self | None:
        """Look at windows.

        Args:
            windows: Raw pixels CHW, and which of them are data HW; none is kept.

        Returns:
            The look; None where no two neighbouring pixels are data.
        """
        coming = iter(windows)
        first = next(coming, None)
        if first is None:
            return None
        num_bands = len(first[0])
        counts_CV = np.zeros((num_bands, 256), dtype=np.int64)
        squares_C, num_pairs = np.zeros(num_bands), 0
        for image_CHW, is_data_HW in chain([first], coming):
            for row, band_HW in enumerate(image_CHW):
                counts_CV[row] += np.bincount(band_HW[is_data_HW], minlength=256)
            levels_CHW = image_CHW.astype(np.int32)
            for axis in (0, 1):
                both = np.minimum(*_neighbours(is_data_HW, axis))
                first_CHW, second_CHW = _neighbours(levels_CHW, axis + 1)
                squares_C += (((second_CHW - first_CHW) ** 2) * both).sum(axis=(1, 2))
                num_pairs += int(both.sum())
        if not num_pairs:
            return None
        return cls(
            shares_CV=counts_CV / counts_CV.sum(axis=1, keepdims=True),
            log_gradient_C=np.log1p(squares_C / num_pairs),
        )

    def of_bands(self, rows: Sequence[int]) -> Self:
        """The look in some of its bands."""
        return type(self)(
            shares_CV=self.shares_CV[list(rows)], log_gradient_C=self.log_gradient_C[list(rows)]
        )


def _neighbours(pixels: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    last = pixels.shape[axis]
    return np.take(pixels, range(last - 1), axis), np.take(pixels, range(1, last), axis)


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What was measured of one image."""

    value: float
    """Distance to the nearest domain."""
    threshold: float
    nearest: str
    """That domain."""

    @property
    def is_far(self) -> bool:
        """Whether the image is less like every training domain than any of them is like the others."""
        return self.value > self.threshold


@dataclass(frozen=True, kw_only=True)
class DriftReference:
    """The looks of training domains, in the bands of one model."""

    domains: tuple[str, ...]
    cumulated_DCV: NDArray[np.uint16]
    """Share of pixels up to each value, in parts of 65 535."""
    log_gradient_DC: NDArray[np.float32]
    spread_C2: NDArray[np.float32]
    """Mean of both terms of the distance between two domains, in grey levels and without a unit."""
    threshold: float
    of_maps: MapReference | None = None
    """What the model made of these domains; None in artefacts that were written before it was kept."""

    @classmethod
    def of(cls, looks: Mapping[str, Look]) -> Self:
        """Describe domains; the threshold is the largest distance of one to the nearest of the others.

        Raises:
            ValueError: There are fewer than two.
        """
        if len(looks) < 2:
            raise ValueError(f"{len(looks)} domain(s): one cannot be compared with itself")
        return cls._described(
            tuple(looks),
            np.stack([np.cumsum(look.shares_CV, axis=1) for look in looks.values()]),
            np.stack([look.log_gradient_C for look in looks.values()]),
        )

    @classmethod
    def _described(
        cls,
        domains: tuple[str, ...],
        cumulated_DCV: NDArray[np.float64],
        gradient_DC: NDArray[np.float64],
    ) -> Self:
        distances_DDC2 = np.stack(
            [
                _terms(each_CV, each_C, cumulated_DCV, gradient_DC)
                for each_CV, each_C in zip(cumulated_DCV, gradient_DC, strict=True)
            ]
        )
        others = ~np.eye(len(domains), dtype=bool)
        spread_C2 = np.maximum(distances_DDC2[others].mean(axis=0), _LEAST_SPREAD)
        apart_DD = (distances_DDC2 / spread_C2).sum(axis=-1).mean(axis=-1)
        nearest_D = np.where(others, apart_DD, np.inf).min(axis=1)
        return cls(
            domains=domains,
            cumulated_DCV=np.round(65535 * cumulated_DCV).astype(np.uint16),
            log_gradient_DC=gradient_DC.astype(np.float32),
            spread_C2=spread_C2.astype(np.float32),
            threshold=round(float(nearest_D.max()), 4),
        )

    def of_bands(self, rows: Sequence[int]) -> Self:
        """The same domains in some of their bands, in another order perhaps; the threshold is theirs."""
        if list(rows) == list(range(self.log_gradient_DC.shape[1])):
            return self
        described = self._described(
            self.domains,
            self.cumulated_DCV[:, list(rows)] / 65535,
            self.log_gradient_DC[:, list(rows)].astype(np.float64),
        )
        return replace(described, of_maps=self.of_maps)

    def including(self, name: str, look: Look) -> Self:
        """With one more domain, or another look at one; scale and threshold stay.

        One more domain, far from all others, must not let pass whatever is as far from them.
        """
        kept = [row for row, domain in enumerate(self.domains) if domain != name]
        cumulated_CV = np.round(65535 * np.cumsum(look.shares_CV, axis=1)).astype(np.uint16)
        gradient_C = look.log_gradient_C.astype(np.float32)
        return replace(
            self,
            domains=(*(self.domains[row] for row in kept), name),
            cumulated_DCV=np.concatenate([self.cumulated_DCV[kept], cumulated_CV[None]]),
            log_gradient_DC=np.concatenate([self.log_gradient_DC[kept], gradient_C[None]]),
        )

    def measure(self, look: Look) -> Drift:
        """The drift of an image.

        Raises:
            ValueError: It was looked at in another number of bands.
        """
        if look.shares_CV.shape != self.cumulated_DCV.shape[1:]:
            raise ValueError(f"{len(look.shares_CV)} bands were looked at, not {self.cumulated_DCV.shape[1]}")
        terms_DC2 = _terms(
            np.cumsum(look.shares_CV, axis=1),
            look.log_gradient_C,
            self.cumulated_DCV / 65535,
            self.log_gradient_DC,
        )
        distances_D = (terms_DC2 / self.spread_C2).sum(axis=-1).mean(axis=-1)
        nearest = int(distances_D.argmin())
        return Drift(
            # As the threshold: rounded otherwise, what is just below it could be told to be above.
            value=round(float(distances_D[nearest]), 4),
            threshold=self.threshold,
            nearest=self.domains[nearest],
        )

    def write(self, path: Path) -> None:
        """Write the file of an artefact."""
        np.savez_compressed(
            path,
            domains=np.array(self.domains),
            cumulated_DCV=self.cumulated_DCV,
            log_gradient_DC=self.log_gradient_DC,
            spread_C2=self.spread_C2,
            threshold=np.float64(self.threshold),
            **({} if self.of_maps is None else self.of_maps.arrays()),
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file of an artefact.

        Raises:
            KeyError: It lacks an array.
        """
        with np.load(path, allow_pickle=False) as arrays:
            return cls(
                domains=tuple(str(domain) for domain in arrays["domains"]),
                cumulated_DCV=arrays["cumulated_DCV"],
                log_gradient_DC=arrays["log_gradient_DC"],
                spread_C2=arrays["spread_C2"],
                threshold=float(arrays["threshold"]),
                of_maps=MapReference.from_arrays(arrays),
            )


def _terms(
    cumulated_CV: NDArray[np.float64],
    log_gradient_C: NDArray[np.float64],
    cumulated_DCV: NDArray[np.float64],
    log_gradient_DC: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Both terms of the distance of one look to each domain, float64 [D, C, 2]."""
    # On one line of values, 1-Wasserstein is the area between the cumulated histograms.
    wasserstein_DC = np.abs(cumulated_CV - cumulated_DCV).sum(axis=-1)
    return np.stack([wasserstein_DC, np.abs(log_gradient_C - log_gradient_DC)], axis=-1)
