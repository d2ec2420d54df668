"""What `orthoscape-train adapt` does: from an artefact and orthophotos to a new artefact."""

from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from models.manifest import BandReference, Training
from models.nomenclature import get_nomenclature
from training.adaptation.augmentation import STRONG
from training.adaptation.checkpoints import Checkpoint
from training.adaptation.fitting import FitSpec, Problem
from training.adaptation.pools import Pool
from training.calibration import LabelledLogits
from training.commands import CACHE_FOLDER, working_commit
from training.data.annotations import open_annotations
from training.data.orthos import open_orthos
from training.export import Exported, write_artefact
from training.importing.commands import models_folder
from training.networks.compact import STRIDE_PX
from training.recipes.recipe import LANDSCAPES
from training.scenes import load_scenes
from training.territory import sources
from training.territory.card import AdaptationFacts, write_card
from training.territory.errors import ArtefactUnfit, RunUnfit
from training.territory.evidence import Evidence, Served, compare
from training.territory.methods import (
    EM_PRIORS,
    choose_method,
    run_method,
    takes_steps,
    with_priors,
    with_statistics,
)
from training.territory.pieces import Piece, Pieces, as_source, read_pieces
from training.territory.start import Start, find_start, folder_for, next_version, slug

if TYPE_CHECKING:
    from models.artefact import Artefact
    from models.manifest import Role
    from training.data.sources import Source
    from training.networks.compact import CompactUNet

DEFAULT_STEPS = 400
RUN_NAME, CHECKPOINT_NAME, EVIDENCE_NAME = "adaptation.json", "adaptation.pt", "evidence.json"
_PEAK_LEARNING_RATE, _PEAK_MUON_LEARNING_RATE = 1e-3, 0.01
"""A third and a quarter of what networks begin with: this one has learned already."""
_PROBED_STEPS = 3
"""Steps taken on a copy to tell how many fit into the minutes asked for; the first warms up."""
_SURE_PERCENT = 90
"""From which confidence the artefact is believed where it teaches itself."""
_VALIDATION_SCENES = 16
"""Generated scenes, never trained on, that the temperature is refitted on."""
_EVERY_S = 60.0
_FEW_PIECES = 16
"""Below it an adaptation is warned of: on four blocks it was seen to break a map."""

log = logging.getLogger(__name__)

EachStep = Callable[[str, int, int], None]
"""Told what is done, how much of it is, and of how much."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller asks for."""

    artefact: str
    target: Path
    source: str = LANDSCAPES
    labels: Path | None = None
    irc: Path | None = None
    method: str | None = None
    num_steps: int | None = None
    seconds: float | None = None
    """Of training, in the place of steps."""
    model_id: str | None = None
    into: Path | None = None
    out: Path | None = None
    seed: int = 0
    num_scenes: int = sources.NUM_SCENES
    """Generated ones that are learned from, where they are the source."""
    cache: Path = CACHE_FOLDER
    """Of generated scenes."""

    @property
    def drawing(self) -> sources.Drawing:
        """How a source is drawn."""
        return sources.Drawing(num_scenes=self.num_scenes, cache=self.cache, seed=self.seed)


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """What came of it."""

    artefact: Artefact
    evidence: Evidence
    run: Path


def adapt_artefact(request: Request, *, each_step: EachStep | None = None) -> Adapted:
    """Adapt an artefact to a territory, and write what came of it as a new one.

    A run that was stopped goes on where it was: call with the same request.

    Raises:
        RemediedError: As its subclasses name.
    """
    tell = each_step or (lambda *_: None)
    into = request.into or models_folder()
    start = find_start(request.artefact, into=into)
    method = choose_method(request.method, has_source=request.source != sources.NONE)
    orthos = open_orthos(request.target, bands=start.reads.bands, gsd_m=start.reads.gsd_m, irc=request.irc)
    bands = _served_bands(start, orthos[0].bands)
    pieces = read_pieces(
        orthos,
        start.recipe.bands,
        annotations=None if request.labels is None else open_annotations(request.labels),
        seed=request.seed,
        each_piece=lambda done, of: tell("reading", done, of),
    )
    if len(pieces.adapted_on) < _FEW_PIECES:
        log.warning(
            "%d blocks are few: statistics are those of one place; give more orthophotos of the territory",
            len(pieces.adapted_on),
        )
    model_id = request.model_id or f"{start.artefact.manifest.id}-{slug(request.target.stem)}"
    run = request.out or Path("runs") / f"adapt-{model_id}"
    task = _Task(start=start, method=method, request=request, pieces=pieces, bands=bands, run=run)
    began_s = time.monotonic()
    network, num_steps = task.adapted(tell)
    minutes = (time.monotonic() - began_s) / 60
    temperature, told_from = task.temperature(network)
    evidence = compare(
        task.served(start.network, start.artefact.manifest.temperature),
        task.served(network, temperature),
        adapted_on=pieces.adapted_on,
        held_out=pieces.held_out,
        nomenclature=get_nomenclature(start.recipe.nomenclature),
    )
    evidence.write(run / EVIDENCE_NAME)
    version = next_version(model_id, into=into, least="0.1.0")
    base = start.artefact.manifest
    facts = AdaptationFacts(
        key=f"{model_id} {version}",
        title=f"{start.recipe.title}, adapted to {request.target.stem}",
        bands=bands,
        begun_with=base,
        territory=request.target.stem,
        num_orthos=len(orthos),
        num_pieces=len(pieces.adapted_on),
        side_px=pieces.side_px,
        method=method,
        source=request.source if request.source in (LANDSCAPES, sources.NONE) else Path(request.source).name,
        num_steps=num_steps,
        minutes=minutes,
        seed=request.seed,
        temperature=temperature,
        temperature_from=told_from,
        command=_command(request, method=method, num_steps=num_steps),
    )
    artefact = write_artefact(
        Exported(
            model_id=model_id,
            title=facts.title,
            bands=bands,
            temperature=temperature,
            metrics={} if evidence.after is None else {f"{request.target.stem}, held out": evidence.after},
            provenance=base.provenance,
            card=write_card(facts, evidence),
            training=Training(
                commit=working_commit(),
                recipe=f"{method} from {base.key}",
                seed=request.seed,
                num_steps=num_steps,
            ),
            has_weights=True,
            domains=(*base.domains, request.target.stem),
            licence=base.licence,
        ),
        network,
        replace(start.recipe, model_id=model_id, version=version, title=facts.title, begin_with=base.key),
        references=task.references(),
        golden_NCHW=start.golden(),
        folder=folder_for(model_id, version, into=into),
    )
    return Adapted(artefact=artefact, evidence=evidence, run=run)


@dataclass(frozen=True, kw_only=True)
class _Task:
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

    def adapted(self, tell: EachStep) -> tuple[CompactUNet, int | None]:
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

    def temperature(self, network: CompactUNet) -> tuple[float, str]:
        """Of the adapted network, and where it is from."""
        base = self.start.artefact.manifest
        if self.request.source != LANDSCAPES:
            return base.temperature, "that of the artefact adapted from"
        spec = self.start.recipe.validation
        scenes = load_scenes(
            replace(spec, num_scenes=min(_VALIDATION_SCENES, spec.num_scenes)),
            bands=self.start.recipe.bands,
            folder=self.request.cache,
        )
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
        if (noted := _read_note(self.run)) is not None and noted.get("num_steps"):
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
        """Say in the run folder what is done; refuse a folder where something else was.

        Raises:
            RunUnfit: It was.
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
        noted = _read_note(self.run)
        if noted is not None and noted != note:
            others = ", ".join(sorted(name for name in note if noted.get(name) != note[name]))
            raise RunUnfit(
                f"{self.run} holds another run: its {others} differ(s)",
                remedy="Name another folder with --out, or delete this one.",
            )
        self.run.mkdir(parents=True, exist_ok=True)
        (self.run / RUN_NAME).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")


def trainable(network: CompactUNet) -> CompactUNet:
    """A copy that learns, as training lays it out."""
    copied: CompactUNet = copy.deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    copied.requires_grad_(requires_grad=True)
    return copied


def _served_bands(start: Start, have: tuple[Role, ...]) -> tuple[Role, ...]:
    """Bands of the new artefact: those that the old one reads and the target has.

    Raises:
        ArtefactUnfit: The network was never taught to do without the others.
    """
    missing = [band for band in start.reads.bands if band not in have]
    if missing and not start.recipe.nir_drop_share:
        raise ArtefactUnfit(
            f"{start.artefact.manifest.key} reads {', '.join(missing)}, which the target does not have",
            remedy="Give it with --irc, or begin with an artefact that reads red, green and blue.",
        )
    return tuple(band for band in start.reads.bands if band in have)


def _crop_px(wanted_px: int, pieces: tuple[Piece, ...]) -> int:
    """Side of a crop: that of the recipe, less where pieces are small, a multiple of the stride."""
    sides: list[int] = sorted(min(piece.image_CHW.shape[1:]) for piece in pieces)
    return max(STRIDE_PX, min(wanted_px, sides[len(sides) // 2]) // STRIDE_PX * STRIDE_PX)


def _read_note(run: Path) -> dict[str, Any] | None:
    path = run / RUN_NAME
    if not path.exists():
        return None
    noted: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return noted


def _command(request: Request, *, method: str, num_steps: int | None) -> str:
    words = ["orthoscape-train adapt", f"--artefact {Path(request.artefact).name}"]
    words.append(f"--target {request.target.name} --method {method} --seed {request.seed}")
    if num_steps is not None:
        words.append(f"--steps {num_steps}")
    if request.source != LANDSCAPES:
        words.append(f"--source {Path(request.source).name}")
    if request.labels is not None:
        words.append(f"--labels {request.labels.name}")
    return " ".join(words)
