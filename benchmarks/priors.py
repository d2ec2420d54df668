"""What the correction of class priors does where priors alone differ, and what even true ones would do.

``python -m benchmarks.priors RUNS SCENES`` takes S1 of the generated shift ``label_prior`` from a folder of
``orthoscape-train benchmark run``, fits a temperature on source ground that S1 never saw, and corrects S1 by
EM, by BBSE and by the shares of classes of the pool and of the test parts themselves, which no user has.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.markdown import table
from training.adaptation.adabn import draw_batches
from training.adaptation.pools import Pool
from training.adaptation.priors import bbse_priors, em_priors, posteriors, prior_offsets, with_offsets
from training.benchmark.corrections import NUM_SAMPLES
from training.benchmark.landscape_cases import shifts
from training.benchmark.runs import STRENGTHENED, Outcome, Run, judge, new_network
from training.benchmark.shares import shares_of
from training.benchmark.summary import score
from training.calibration import LabelledLogits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from training.adaptation.method import Samples
    from training.benchmark.case import Case
    from training.data.sources import Source
    from training.networks.compact import CompactUNet

_TOLD = 0.01
"""Share of a class, in any of the mixes, from which it has a row."""


def main() -> None:
    """Print scores, then shares of classes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, help="folder of `orthoscape-train benchmark run`")
    parser.add_argument("scenes", type=Path, help="its --data landscapes=FOLDER")
    options = parser.parse_args()
    (case,) = (case for case in shifts(options.scenes) if case.target == "label_prior")
    network, crop_px = _strengthened(case, options.runs)
    assert case.in_domain is not None, "generated shifts have one"
    held_out = LabelledLogits.of(network, case.in_domain, channels=range(len(case.labels)))
    temperature = held_out.temperature()
    batches = draw_batches(Pool.unlabelled(case.pool), num_samples=NUM_SAMPLES, crop_px=crop_px)
    mixes = {"source": shares_of(case.source)}
    for name, value in (("EM", 1.0), (f"EM, temperature {temperature:.2f}", temperature)):
        mixes[name] = em_priors(posteriors(network, batches, temperature=value), mixes["source"])
    mixes["BBSE"] = bbse_priors(_counts(network, case.in_domain), _predicted_shares(network, batches))
    mixes["the pool's own"] = shares_of(case.pool)
    mixes["the test parts' own"] = shares_of(case.test)
    rows = []
    for name, mix_K in mixes.items():
        is_raw = name in ("source", "EM")  # neither knows of a temperature
        offsets_K = prior_offsets(mixes["source"], mix_K)
        corrected = with_offsets(network, offsets_K, temperature=1.0 if is_raw else temperature).eval()
        counts_TP = _counts(corrected, case.test)
        accuracy = float(counts_TP.trace() / counts_TP.sum())
        rows.append((name, f"{score(counts_TP.numpy(), case.labels).miou:.3f}", f"{accuracy:.3f}"))
    print(table(("Priors told", "mIoU", "Accuracy"), rows))
    told = [
        (label, *(f"{float(mix_K[channel]):.1%}" for mix_K in mixes.values()))
        for channel, label in enumerate(case.labels)
        if max(float(mix_K[channel]) for mix_K in mixes.values()) >= _TOLD
    ]
    print()
    print(table(("Class", *mixes), told))


def _counts(network: CompactUNet, source: Source) -> Tensor:
    """Pixels by true and predicted label, int64 [K, K]."""
    return torch.from_numpy(
        np.sum([judge(network, source, number).counts_TP for number in range(len(source))], axis=0)
    )


def _predicted_shares(network: CompactUNet, batches: Sequence[Samples]) -> Tensor:
    """Of each label among a network's answers, float64 [K]."""
    posteriors_PK = posteriors(network, batches)
    return posteriors_PK.argmax(dim=1).bincount(minlength=posteriors_PK.shape[1]).double() / len(
        posteriors_PK
    )


def _strengthened(case: Case, folder: Path) -> tuple[CompactUNet, int]:
    """S1 of a case, and the side of the crops that it was taught with."""
    run = Run(experiment=case.experiment, target=case.target, role=STRENGTHENED, seed=0)
    outcome = Outcome.read(folder, run)
    if outcome is None:
        raise SystemExit(f"{folder} has no {run.name}: run `orthoscape-train benchmark run` first")
    network = new_network(case, outcome.budget)
    network.load_state_dict(torch.load(folder / f"{run.name}.pt", weights_only=True))
    return network.eval(), outcome.budget.crop_px


if __name__ == "__main__":
    main()
