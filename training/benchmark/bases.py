"""Bases that rows share: what was taught by equal images, labels and steps is taught once.

    RUNS/bases/DIGEST.pt

Tile 7 begins with the very network that the fold without its domain has; all shifts of the generated
landscapes begin with one.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import torch

from training.claims import claimed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from training.adaptation.fitting import FitSpec
    from training.benchmark.case import Case
    from training.networks.compact import CompactUNet

WAIT_S = 5.0
"""Between looks at whether another process has taught a base."""


def taught_once(
    teach: Callable[[], CompactUNet],
    network: CompactUNet,
    case: Case,
    spec: FitSpec,
    *,
    folder: Path,
    waited: Callable[[float], None],
) -> CompactUNet:
    """The base of a case from its file, or taught now and kept.

    Args:
        teach: Teaches the network, and gives what is evaluated.
        network: Not taught yet; gets the weights of the file.
        case: Of which the source alone is looked at.
        spec: How the base is fitted.
        folder: Of runs.
        waited: Told the seconds of each wait for another process.
    """
    shape = {key: value for key, value in asdict(network.spec).items() if key not in ("mean", "std")}
    content = json.dumps([case.source.fingerprint(), asdict(spec), shape], sort_keys=True)
    path = folder / "bases" / f"{hashlib.sha256(content.encode()).hexdigest()[:24]}.pt"
    while not path.is_file():
        with claimed(path.with_suffix(".lock")) as is_mine:
            if is_mine and not path.is_file():
                taught = teach()
                partial = path.with_suffix(".part")
                torch.save(taught.state_dict(), partial)
                partial.replace(path)
                return taught
        if not path.is_file():
            time.sleep(WAIT_S)
            waited(WAIT_S)
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()
