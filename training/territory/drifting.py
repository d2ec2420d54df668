"""What imagery and maps are compared with once a model was adapted: what its base knew, and the territory."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.drift import Look
from models.map_drift import MapReference, Outcome
from training.drift import drift_reference
from training.scenes import load_scenes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.drift import DriftReference
    from models.manifest import Role
    from training.data.sources import Source
    from training.drift import Window
    from training.outcomes import Outcomes
    from training.scenes import SceneSet
    from training.territory.pieces import Piece
    from training.territory.start import Start

_NUM_SCENES = 32
"""Generated landscapes that stand for what the base knew, where it carries no reference: thirty at least."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class KnownDrift:
    """A reference, and what the card says of it."""

    reference: DriftReference
    told: str


def drift_of_territory(  # noqa: PLR0913  what is known of a territory
    start: Start,
    pieces: Sequence[Piece],
    *,
    name: str,
    bands: tuple[Role, ...],
    adapted: Outcomes,
    scenes: SceneSet | None,
    cache: Path,
) -> KnownDrift:
    """What an adapted artefact is to carry.

    The scale and the threshold are those of what the base was taught with labels: the territory is one more
    domain to be near to, and does not raise them.

    Args:
        start: The base.
        pieces: That were adapted on.
        name: Of the territory.
        bands: Of the new artefact; the base reads them.
        adapted: The new network as it is served: what it makes of domains is not what the base made.
        scenes: Validation landscapes that are drawn already; None where there are none.
        cache: Of generated scenes.
    """
    base, key, recipe = start.artefact.drift_reference(), start.artefact.manifest.key, start.recipe
    told = f"compared with what `{key}` knew, and with this territory"
    rows = [recipe.bands.index(band) for band in bands]
    if base is not None:
        reference = base.of_bands([start.reads.bands.index(band) for band in bands])
    else:  # every recipe has a share of generated landscapes
        scenes = load_scenes(
            replace(recipe.validation, num_scenes=min(_NUM_SCENES, recipe.validation.num_scenes)),
            bands=recipe.bands,
            folder=cache,
        )
        reference = drift_reference(scenes, {}, rows=rows)
        told = (
            f"`{key}` carries no reference: compared with {len(scenes)} generated landscapes and with this"
            f" territory, not with real images that `{key}` was trained on"
        )
        log.warning("%s", told.replace("`", ""))
    seen = [(piece.image_CHW, np.asarray(piece.image_CHW.any(axis=0), dtype=np.bool_)) for piece in pieces]
    look = Look.at([(image_CHW[rows], is_data_HW) for image_CHW, is_data_HW in seen])
    assert look is not None, "pieces have data"
    outcomes = {} if scenes is None else adapted.of_scenes(scenes)
    of_maps = reference.of_maps
    if of_maps is not None:
        of_maps = of_maps.without_confidence()
    elif len(outcomes) > 1:
        of_maps = MapReference.of(outcomes)
    territory = _of_blocks(adapted, seen)
    if of_maps is not None:
        of_maps = of_maps.updated({**outcomes, name: territory})
    return KnownDrift(reference=replace(reference.including(name, look), of_maps=of_maps), told=told)


def _of_blocks(adapted: Outcomes, blocks: Sequence[Window]) -> Outcome:
    """Shares of all blocks together, and the confidence of the least sure one.

    A map of a part of the territory is no surprise, however sure the network is of the rest.
    """
    told = [(adapted.of_images([block]), int(block[1].sum())) for block in blocks]
    known = [(outcome, num_px) for outcome, num_px in told if outcome is not None]
    num_px = sum(num_px for _, num_px in known)
    shares_V = np.sum([outcome.shares_V * num_px for outcome, num_px in known], axis=0) / num_px
    sure = [outcome.confidence for outcome, _ in known if outcome.confidence is not None]
    return Outcome(shares_V=shares_V, confidence=min(sure))


def drift_recalibrated(start: Start, source: Source, calibrated: Outcomes) -> DriftReference | None:
    """What a calibrated artefact is to carry: confidences of before are no longer true.

    Args:
        start: Before.
        source: Images calibrated on.
        calibrated: The network at its new temperature.
    """
    base = start.artefact.drift_reference()
    if base is None:
        log.warning("drift: %s", drift_told(start).replace("`", ""))
        return None
    if base.of_maps is None:
        return base
    of_maps = base.of_maps.without_confidence().updated(calibrated.of_source(source))
    return replace(base, of_maps=of_maps)


def drift_told(start: Start) -> str:
    """What the card of a calibrated artefact says of it."""
    base, key = start.artefact.drift_reference(), start.artefact.manifest.key
    if base is None:
        return f"not known, since `{key}` carries no reference"
    confidence = (
        "" if base.of_maps is None else "; confidences of maps with those of the images calibrated on"
    )
    return f"compared with what `{key}` knew{confidence}"
