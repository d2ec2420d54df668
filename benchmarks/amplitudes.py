"""What Fourier adaptation changes in crops where target and source do not differ at all, and where they do.

``python -m benchmarks.amplitudes FOLDER`` draws crops of Dubai's odd parts, swaps their slow amplitudes with
those of other crops of the same parts, then of the parts of the induced shift, and prints how far the mean of
a crop moves. With nothing to adapt to, all that moves is content: the brightness of another place.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from benchmarks.markdown import table
from training.adaptation.augmentation import FLIPS
from training.adaptation.fda import FourierAdaptation
from training.adaptation.pools import Pool
from training.benchmark.dubai_cases import induced_shift

if TYPE_CHECKING:
    from training.adaptation.method import Samples

NUM_BATCHES, BATCH_SIZE = 10, 8


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="dubai_mbrsc")
    (case,) = induced_shift(parser.parse_args().folder)
    source = Pool.labelled(case.source)
    targets = {
        "the source's own parts": Pool.unlabelled(case.source),
        "shifted parts": Pool.unlabelled(case.pool),
    }
    rows = []
    for crop_px in (160, 480):
        for name, target in targets.items():
            moved, spread, changed = _changes(source, target, crop_px=crop_px)
            rows.append((f"{crop_px}", name, f"{spread:.0f}", f"{moved:.0f}", f"{changed:.0f}"))
    head = (
        "Crop, px",
        "Amplitudes of",
        "Spread of crops' means",
        "Spread of what the swap adds to them",
        "Mean change of a pixel",
    )
    print(table(head, rows))


def _changes(source: Pool, target: Pool, *, crop_px: int) -> tuple[float, float, float]:
    """Spread of what is added to the means of crops, of the means themselves, and a pixel's mean change."""
    generator = torch.Generator().manual_seed(0)
    method, added, means, changes = FourierAdaptation(), [], [], []

    def draw(pool: Pool) -> Samples:
        return pool.draw(BATCH_SIZE, crop_px=crop_px, augmentation=FLIPS, generator=generator)

    for _ in range(NUM_BATCHES):
        before = draw(source)
        after = method.altered(before, draw(target), generator=generator)
        change_NCHW = after.image_NCHW - before.image_NCHW
        added.append(change_NCHW.mean(dim=(2, 3)))
        means.append(before.image_NCHW.mean(dim=(2, 3)))
        changes.append(change_NCHW.abs().mean())
    return float(torch.cat(added).std()), float(torch.cat(means).std()), float(torch.stack(changes).mean())


if __name__ == "__main__":
    main()
