"""What is told of a map once it is made: its drift from what the model makes of training domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.map_drift import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.artefact import Artefact
    from models.map_drift import MapDrift


def measure_map_drift(
    artefact: Artefact, pixel_counts: Mapping[int, int], *, confidence_total: int | None
) -> MapDrift | None:
    """Measure the drift of a map from what was counted as it was written.

    Args:
        artefact: That made it.
        pixel_counts: Pixels by class value.
        confidence_total: Sum of their confidences, in percent; None where it was not counted.

    Returns:
        None, for "not known": the model carries no reference of maps, or no pixel has a class.
    """
    reference = artefact.drift_reference()
    outcome = Outcome.of(pixel_counts, confidence_total=confidence_total)
    if reference is None or reference.of_maps is None or outcome is None:
        return None
    return reference.of_maps.measure(outcome)


def map_drift_words(drift: MapDrift | None) -> tuple[str, str]:
    """Distance of class shares and mean confidence as a terminal shows them, each with its threshold."""
    if drift is None:
        return "not known", "not known"
    side = "above" if drift.is_far else "at most"
    shares = f"{drift.value:.2f}, {side} {drift.threshold:.2f}; nearest to {drift.nearest}"
    if drift.confidence is None:
        return shares, "not known"
    side = "below" if drift.is_unsure else "at least"
    return shares, f"{drift.confidence:.1f} %, {side} {drift.least_confidence:.1f} %"


def map_drift_warnings(drift: MapDrift, *, model: str) -> list[str]:
    """What a user should know of a map unlike any of training; the page knows their form."""
    warnings = []
    if drift.is_far:
        warnings.append(
            f"classes {drift.value:.2f} is above {drift.threshold:.2f}: {model} makes of no ground that it"
            f" was trained on shares of classes like those of this map, not even of {drift.nearest};"
            " look at the map before you trust it"
        )
    if drift.is_unsure:
        warnings.append(
            f"confidence {drift.confidence:.1f} % is below {drift.least_confidence:.1f} %: {model} is less"
            " sure of this map than of any ground that it was trained on; look at the map before you trust it"
        )
    return warnings
