"""What a network makes of domains: what maps are compared with once they are made; see `models.map_drift`.

Axes: C bands, H and W pixels, K channels, V class values.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from models.drift import NUM_WINDOWS
from models.map_drift import MapReference, Outcome
from training.data.samples import IGNORED
from training.drift import chosen_landscapes, landscape_name, windows_of_domain
from training.evaluate import raw_logits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from training.data.sources import Source
    from training.drift import Window
    from training.networks.compact import CompactUNet
    from training.real import Real
    from training.scenes import SceneSet


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """A network as it is served, asked what it makes of domains."""

    network: CompactUNet
    channels: tuple[int, ...]
    """Live channel to class value."""
    missing: tuple[int, ...]
    """Positions of bands that it is served without."""
    temperature: float

    def reference(self, scenes: SceneSet, real: Real) -> MapReference:
        """Of generated landscapes, each a domain, and of the real domains trained on."""
        told = self.of_scenes(scenes)
        for train, _ in real.values():
            told |= self.of_source(train)
        return MapReference.of(told)

    def of_scenes(self, scenes: SceneSet) -> dict[str, Outcome]:
        """Of generated landscapes, by the names that drift has for them."""
        return _known(
            (
                landscape_name(index),
                self.of_images(
                    [(np.asarray(scenes.image_NCHW[index]), scenes.classes_NHW[index] != IGNORED)]
                ),
            )
            for index in chosen_landscapes(scenes)
        )

    def of_source(self, source: Source) -> dict[str, Outcome]:
        """Of the domains of a real source, in as many windows as drift looks at; labels play no part."""
        told = []
        for domain in sorted(set(source.domains)):
            spread = _spread(source.of_domains({domain}))
            told.append((f"{source.name}: {domain}", self.of_images(spread, absent=source.absent)))
        return _known(told)

    def of_images(self, images: Iterable[Window], *, absent: Sequence[int] = ()) -> Outcome | None:
        """Of images pooled; None where none has data.

        Args:
            images: Raw pixels CHW, and which of them are data HW.
            absent: Positions of bands that these images do not have.
        """
        missing = sorted({*self.missing, *absent})
        counts, confidence_total = np.zeros(256, dtype=np.int64), 0
        for image_CHW, is_data_HW in images:
            logits_KHW = raw_logits(self.network, image_CHW, missing=missing)
            top_HW, channel_HW = (logits_KHW / self.temperature).softmax(dim=0).max(dim=0)
            channels_P = channel_HW.numpy()[is_data_HW]
            counts += np.bincount(np.asarray(self.channels)[channels_P], minlength=256)
            # Rounded as graphs round, so that means are those of the bytes of a map.
            confidence_total += int(np.round(100 * top_HW.numpy()[is_data_HW]).sum())
        return Outcome.of(
            {value: int(counts[value]) for value in self.channels}, confidence_total=confidence_total
        )


def _spread(source: Source) -> Iterable[Window]:
    """Windows of a domain, `NUM_WINDOWS` at most; of thousands of images one each, none of them kept."""
    windows = windows_of_domain(source, is_each_once=True)
    if len(source) >= NUM_WINDOWS:
        return islice(windows, 0, None, -(-len(source) // NUM_WINDOWS))
    whole = list(windows)
    return whole[:: -(-len(whole) // NUM_WINDOWS)]


def _known(outcomes: Iterable[tuple[str, Outcome | None]]) -> dict[str, Outcome]:
    return {name: outcome for name, outcome in outcomes if outcome is not None}
