"""The service: tiles, bookkeeping, what serving costs, takeovers, the first tile of the demo."""

from __future__ import annotations

import importlib.util
from typing import Any

from benchmarks import crash, first_tile, store, tiles

Json = dict[str, Any]


def measure(*, num_blocks: int, side_px: int, machine: Json) -> Json:
    """Measure all of it.

    Args:
        num_blocks: Of the large job of the store.
        side_px: Of the scene that is served.
        machine: Kept beside the figures.
    """
    backends = ["sqlite"] + (["postgresql"] if importlib.util.find_spec("pgserver") else [])
    return {
        "machine": machine,
        "first_tile": first_tile.measure(),
        "tiles": tiles.measure(),
        "store": {backend: store.compare(backend, num_blocks) for backend in backends},
        "serving": crash.measure(side_px),
    }
