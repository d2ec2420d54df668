"""One adaptation, everything read: by its method, from its source, to the network that is served."""

from __future__ import annotations

import copy
import json
import logging
import time
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from models.manifest import BandReference
from models.nomenclature import get_nomenclature
from training.adaptation.augmentation import STRONG
from training.adaptation.checkpoints import Checkpoint
from training.adaptation.fitting import FitSpec, Problem
from training.adaptation.pools import Pool
from training.calibration import LabelledLogits
from training.networks.compact import STRIDE_PX
from training.outcomes import Outcomes
from training.recipes.recipe import LANDSCAPES
from training.scenes import load_scenes
from training.territory import sources
from training.territory.drifting import drift_of_territory
from training.territory.evidence import Served
from training.territory.methods import EM_PRIORS, run_method, takes_steps, with_priors, with_statistics
from training.territory.notes import read_note, write_note
from training.territory.pieces import as_source

if TYPE_CHECKING:
    from pathlib import Path

    from models.manifest import Role
    from training.bars import EachPart
    from training.data.sources import Source
    from training.networks.compact import CompactUNet
    from training.scenes import SceneSet
    from training.territory.drifting import KnownDrift
    from training.territory.pieces import Piece, Pieces
    from training.territory.request import Request
    from training.territory.start import Start

DEFAULT_STEPS = 400
CHECKPOINT_NAME = "adaptation.pt"
_PEAK_LEARNING_RATE, _PEAK_MUON_LEARNING_RATE = 1e-3, 0.01
"""A third and a quarter of what networks begin with: this one has learned already."""
_PROBED_STEPS = 3
"""Steps taken on a copy to tell how many fit into the minutes asked for; the first warms up."""
_SURE_PERCENT = 90
"""From which confidence the artefact is believed where it teaches itself."""
_VALIDATION_SCENES = 16
"""Generated scenes, never trained on, that the temperature is refitted on."""
_EVERY_S = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One adaptation, everything read."""

    start: Start
    method: str
    request: Request
    pieces: Pieces
    bands: tuple[Role, ...]
    run: Path

    @property
    def missing(self) -> tuple[int, ...]:
        """Positions of bands that the new artefact is served without."""
        return self.start.absent(self.bands)

    @property
    def shown(self) -> tuple[Piece, ...]:
        """Pieces that are adapted on, as the network sees them: without a label, absent bands zero."""
        shown = []
        for piece in self.pieces.adapted_on:
            image_CHW = piece.image_CHW.copy()
            image_CHW[list(self.missing)] = 0
            shown.append(replace(piece, image_CHW=image_CHW, labels_HW=None))
        return tuple(shown)

    def served(self, network: CompactUNet, temperature: float) -> Served:
        """A network as it is served on this territory."""
        return Served(
            network=network,
            channels=self.start.recipe.channels,
            missing=self.missing,
            temperature=temperature,
        )

    def adapted(self, tell: EachPart) -> tuple[CompactUNet, int | None]:
        """The network adapted, and how many steps that took."""
        request, recipe, shown = self.request, self.start.recipe, self.shown
        has_source = request.source != sources.NONE
        target_source = replace(self._as_source(shown, "target"), absent=self.missing)
        target = Pool.unlabelled(target_source)
        crop_px = _crop_px(recipe.crop_px, shown)
        network = trainable(self.start.network)
        temperature = self.start.artefact.manifest.temperature
        source = self._source(shown)
        if not takes_steps(self.method, has_source=has_source):
            self._note(target_source, source, num_steps=None)
            if self.method != EM_PRIORS:
                return with_statistics(network, target, crop_px=crop_px, seed=request.seed), None
            priors = source or sources.read_source(LANDSCAPES, self.start, drawing=request.drawing)
            assert priors is not None, "landscapes are a source"
            shares_K = torch.from_numpy(sources.class_shares(priors, recipe))
            return with_priors(
                network, target, shares_K, temperature=temperature, crop_px=crop_px, seed=request.seed
            ), None
        assert source is not None, "a method that takes steps learns from labels"
        labelled = Pool.labelled(source).with_bands_of(target)
        problem = Problem(
            source=labelled, target=target, members_SK=torch.from_numpy(source.sets.members(recipe.channels))
        )
        spec = FitSpec(
            seed=request.seed,
            num_steps=request.num_steps or DEFAULT_STEPS,
            crop_px=crop_px,
            augmentation=STRONG,
            peak_learning_rate=_PEAK_LEARNING_RATE,
            peak_muon_learning_rate=_PEAK_MUON_LEARNING_RATE,
        )
        if request.seconds is not None:
            spec = replace(spec, num_steps=self._steps_in(request.seconds, problem, spec))
        self._note(target_source, source, num_steps=spec.num_steps)
        keeper = Checkpoint(self.run / CHECKPOINT_NAME, every_s=_EVERY_S, num_steps=spec.num_steps)

        def each_step(step: int, loss: float) -> None:
            log.debug("step %d, loss %.4f", step, loss)
            tell("adapting", step + 1, spec.num_steps)

        adapted = run_method(self.method, network, problem, spec, each_step=each_step, keeper=keeper)
        return adapted.requires_grad_(requires_grad=False), spec.num_steps

    @cached_property
    def unseen(self) -> SceneSet | None:
        """Generated scenes that nothing is trained on; None where landscapes are not the source."""
        if self.request.source != LANDSCAPES:
            return None
        spec = self.start.recipe.validation
        return load_scenes(
            replace(spec, num_scenes=min(_VALIDATION_SCENES, spec.num_scenes)),
            bands=self.start.recipe.bands,
            folder=self.request.cache,
        )

    def drift(self, network: CompactUNet, temperature: float) -> KnownDrift:
        """What imagery and maps are compared with from now on."""
        return drift_of_territory(
            self.start,
            self.pieces.adapted_on,
            name=self.request.territory,
            bands=self.bands,
            adapted=Outcomes(
                network=network,
                channels=self.start.recipe.channels,
                missing=self.missing,
                temperature=temperature,
            ),
            scenes=self.unseen,
            cache=self.request.cache,
        )

    def temperature(self, network: CompactUNet) -> tuple[float, str]:
        """Of the adapted network, and where it is from."""
        base, scenes = self.start.artefact.manifest, self.unseen
        if scenes is None:
            return base.temperature, "that of the artefact adapted from"
        logits = LabelledLogits.of(
            network,
            scenes.as_source(self.start.recipe.channels),
            channels=self.start.recipe.channels,
            missing=self.missing,
        )
        return logits.temperature(), "refitted on generated landscapes; `calibrate` does it on labels"

    def references(self) -> tuple[BandReference, ...]:
        """What each of the recipe's bands looks like in what was adapted on."""
        has_data = [piece.image_CHW.any(axis=0) for piece in self.pieces.adapted_on]
        described = []
        for row, band in enumerate(self.start.recipe.bands):
            histogram = np.zeros(256, dtype=np.int64)
            for piece, has_data_HW in zip(self.pieces.adapted_on, has_data, strict=True):
                histogram += np.bincount(piece.image_CHW[row][has_data_HW], minlength=256)
            values = np.arange(256)
            mean = float(np.average(values, weights=histogram))
            std = float(np.sqrt(np.average((values - mean) ** 2, weights=histogram)))
            described.append(
                BandReference(
                    band=band,
                    mean=round(mean, 3),
                    std=round(std, 3),
                    histogram=tuple(int(count) for count in histogram),
                )
            )
        return tuple(described)

    def _source(self, shown: tuple[Piece, ...]) -> Source | None:
        source = sources.read_source(self.request.source, self.start, drawing=self.request.drawing)
        if source is not None or self.method != "self_training":
            return source
        served = self.served(self.start.network, self.start.artefact.manifest.temperature)
        told = sources.labelled_by(served.classes, served.percent, shown, _SURE_PERCENT)
        return replace(self._as_source(told, "target, as it is told"), absent=self.missing)

    def _as_source(self, pieces: tuple[Piece, ...] | list[Piece], name: str) -> Source:
        return as_source(
            pieces,
            name,
            channels=self.start.recipe.channels,
            nomenclature=get_nomenclature(self.start.recipe.nomenclature),
            bands=len(self.start.recipe.bands),
        )

    def _steps_in(self, seconds: float, problem: Problem, spec: FitSpec) -> int:
        """Steps that fit into some seconds; those of a run that began already stay."""
        if (noted := read_note(self.run)) is not None and noted.get("num_steps"):
            return int(noted["num_steps"])
        took: list[float] = [time.monotonic()]
        run_method(
            self.method,
            trainable(self.start.network),
            problem,
            replace(spec, num_steps=_PROBED_STEPS),
            each_step=lambda *_: took.append(time.monotonic()),
        )
        step_s = (took[-1] - took[1]) / (_PROBED_STEPS - 1)
        return max(1, round(seconds / step_s))

    def _note(self, target: Source, source: Source | None, *, num_steps: int | None) -> None:
        """Say in the run folder what is done.

        Raises:
            RunUnfit: Something else was done in it.
        """
        note: dict[str, Any] = {
            "artefact": self.start.artefact.manifest.key,
            "digest": self.start.artefact.digest,
            "method": self.method,
            "seed": self.request.seed,
            "num_steps": num_steps,
            "bands": list(self.bands),
            "target": {"num_pieces": len(target), "sha256": target.fingerprint()},
            "source": None
            if source is None
            else {"name": source.name, "num_images": len(source), "sha256": source.fingerprint()},
            "recipe": json.loads(json.dumps(asdict(self.start.recipe))),
        }
        write_note(self.run, note)


def trainable(network: CompactUNet) -> CompactUNet:
    """A copy that learns, as training lays it out."""
    copied: CompactUNet = copy.deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    copied.requires_grad_(requires_grad=True)
    return copied


def _crop_px(wanted_px: int, pieces: tuple[Piece, ...]) -> int:
    """Side of a crop: that of the recipe, less where pieces are small, a multiple of the stride."""
    sides: list[int] = sorted(min(piece.image_CHW.shape[1:]) for piece in pieces)
    return max(STRIDE_PX, min(wanted_px, sides[len(sides) // 2]) // STRIDE_PX * STRIDE_PX)
