"""How unlike the images that a model was trained on the imagery of a plan is; see ``models.drift``."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from models.drift import NUM_WINDOWS, WINDOW_PX, Look, window_origins
from service.errors import RasterError
from service.planning.lattice import bounding_window
from service.rasters.reader import SceneReader
from service.rasters.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.artefact import Artefact
    from models.drift import Drift, DriftReference
    from service.planning.jobs import JobPlan
    from service.rasters.limits import Limits

_REMEMBERED = 64
"""Plans whose drift is not measured again: a dry run is often followed by the job itself."""

log = logging.getLogger(__name__)


def measure_drift(plan: JobPlan, artefact: Artefact, *, limits: Limits) -> Drift | None:
    """Measure the drift of a plan's imagery, on its inference grid.

    Args:
        plan: What would be mapped.
        artefact: With what.
        limits: Of the child process that reads.

    Returns:
        None, for "not known": the model carries no reference, or the windows hold no data, or cannot be read.
        The run itself will say what is wrong with them.
    """
    reference = artefact.drift_reference()
    if reference is None:
        return None
    return _measured(_Asked(key=plan.key, plan=plan, reference=reference, limits=limits))


def drift_words(drift: Drift | None) -> str:
    """Drift and its threshold as a terminal shows them."""
    if drift is None:
        return "not known"
    side = "above" if drift.is_far else "at most"
    return f"{drift.value:.2f}, {side} {drift.threshold:.2f}; nearest to {drift.nearest}"


def drift_warning(drift: Drift, *, model: str) -> str:
    """What a user should know of imagery that is far from that of training; the page knows its form."""
    return (
        f"drift {drift.value:.2f} is above {drift.threshold:.2f}: this imagery is unlike all that {model} was"
        f" trained on, even {drift.nearest}; look at the map before you trust it"
    )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    key: str
    plan: JobPlan = field(compare=False)
    reference: DriftReference = field(compare=False)
    limits: Limits = field(compare=False)


@lru_cache(maxsize=_REMEMBERED)
def _measured(asked: _Asked) -> Drift | None:
    plan = asked.plan
    try:
        with SceneReader(plan.sources, roles=plan.bands, limits=asked.limits) as reader:
            look = Look.at([reader.read(window) for window in windows_of(plan)])
    except RasterError as error:
        log.warning("drift is not known: %s", error)
        return None
    return None if look is None else asked.reference.measure(look)


def windows_of(plan: JobPlan) -> Iterator[Window]:
    """Windows of a plan's maps that lie over data, in the order of rows, which is cheap to read."""
    whole = bounding_window(sheet.window for sheet in plan.sheets)
    side = min(WINDOW_PX, whole.height), min(WINDOW_PX, whole.width)
    candidates = (
        Window(whole.col_off + col, whole.row_off + row, side[1], side[0])
        for row, col in window_origins(whole.height, whole.width, num_windows=4 * NUM_WINDOWS)
    )
    with_data = [
        window
        for window in candidates
        if any(not source.extent.intersection(window).is_empty for source in plan.sources)
    ]
    yield from sorted(with_data[:NUM_WINDOWS], key=lambda window: (window.row_off, window.col_off))
