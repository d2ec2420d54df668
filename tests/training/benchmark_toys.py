"""A toy of two labels, told by brightness, that every part of the benchmark runs on; outcomes made up."""

import numpy as np
import torch

from training.benchmark.case import Case
from training.benchmark.runs import BASES, Budget, Outcome, Run
from training.data.label_sets import label_sets
from training.data.sources import Source

TINY = Budget(base_steps=3, adapt_steps=2, batch_size=2, crop_px=32, widths=(8, 8, 8, 8, 8))
SETS = label_sets(low=(3,), high=(12,))


def source(*, seed, num_images=2, side_px=64):
    """Two labels, told by brightness."""
    rng = np.random.default_rng(seed)
    labels = [(rng.random((side_px, side_px)) < 0.5).astype(np.uint8) for _ in range(num_images)]
    images = [
        np.stack([60 + 90 * labels_HW + rng.integers(20, size=labels_HW.shape) for _ in range(3)]).astype(
            np.uint8
        )
        for labels_HW in labels
    ]
    return Source(name="toy", images=images, labels=labels, domains=("toy",) * num_images, sets=SETS)


def case(*, experiment="naip_seasons", target="one", seed=0):
    return Case(
        experiment=experiment,
        target=target,
        source=source(seed=seed),
        pool=source(seed=seed + 1),
        test=source(seed=seed + 2),
        in_domain=source(seed=seed + 3),
    )


def run_of(case_, role, seed=0):
    return Run(experiment=case_.experiment, target=case_.target, role=role, seed=seed)


def weights(folder, run):
    return torch.load(folder / f"{run.name}.pt", weights_only=True)


def outcome(row, role, miou, *, seed=0):
    """Two labels of 1 000 px each, both with that IoU."""
    hits = round(1000 * 2 * miou / (1 + miou))
    counts = [[hits, 1000 - hits], [1000 - hits, hits]]
    run = Run(experiment=row[0], target=row[1], role=role, seed=seed)
    return Outcome(
        run=run,
        budget=TINY,
        fingerprint="",
        counts_TP=counts,
        by_image_TP=[counts, counts],
        in_domain_TP=None,
        reliability=[(10, 0.9, 0.8)],
        labels=["low", "high"],
        seconds=1.0,
    )


def three_targets(own=0.9):
    """On ``a`` FDA is best; the two others prefer style."""
    rows = [("dubai_leave_one_out", name) for name in "abc"]
    gains = {
        "a": {"fda": own, "style": 0.3},
        "b": {"fda": 0.5, "style": 0.6},
        "c": {"fda": 0.5, "style": 0.55},
    }
    outcomes = [outcome(row, role, 0.4) for row in rows for role in BASES]
    outcomes += [outcome(row, method, value) for row in rows for method, value in gains[row[1]].items()]
    return rows, outcomes + [outcome(row, "O", 0.7) for row in rows]
