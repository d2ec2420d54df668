"""What `orthoscape-train adapt` does: from an artefact and orthophotos to a new artefact."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.manifest import Training
from models.nomenclature import get_nomenclature
from training.data.annotations import open_annotations
from training.data.orthos import open_orthos
from training.export import Exported, write_artefact
from training.importing.commands import models_folder
from training.recipes.recipe import LANDSCAPES
from training.runfolder import working_commit
from training.territory import sources
from training.territory.card import AdaptationFacts, write_card
from training.territory.errors import ArtefactUnfit
from training.territory.evidence import compare
from training.territory.methods import choose_method
from training.territory.pieces import read_pieces
from training.territory.start import find_start, folder_for, next_version, slug
from training.territory.task import Task

if TYPE_CHECKING:
    from models.artefact import Artefact
    from models.manifest import Role
    from training.bars import EachPart
    from training.territory.evidence import Evidence
    from training.territory.request import Request
    from training.territory.start import Start

EVIDENCE_NAME = "evidence.json"
_FEW_PIECES = 16
"""Below it an adaptation is warned of: on four blocks it was seen to break a map."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """What came of it."""

    artefact: Artefact
    evidence: Evidence
    run: Path


def adapt_artefact(request: Request, *, each_part: EachPart | None = None) -> Adapted:
    """Adapt an artefact to a territory, and write what came of it as a new one.

    A run that was stopped goes on where it was: call with the same request.

    Raises:
        RemediedError: As its subclasses name.
    """
    tell = each_part or (lambda *_: None)
    into = request.into or models_folder()
    start = find_start(request.artefact, into=into)
    method = choose_method(request.method, has_source=request.source != sources.NONE)
    sources.require_source(request.source)
    orthos = open_orthos(
        request.target, bands=start.reads.bands, gsd_m=start.reads.gsd_m, how=request.reading
    )
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
            "only %d of %d blocks or more: statistics are those of one place; give more orthophotos of the"
            " territory",
            len(pieces.adapted_on),
            _FEW_PIECES,
        )
    model_id = request.model_id or f"{start.artefact.manifest.id}-{slug(request.territory)}"
    run = request.out or Path("runs") / f"adapt-{model_id}"
    task = Task(start=start, method=method, request=request, pieces=pieces, bands=bands, run=run)
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
    drift = task.drift(network, temperature)
    version = next_version(model_id, into=into, least="0.1.0")
    base = start.artefact.manifest
    facts = AdaptationFacts(
        key=f"{model_id} {version}",
        title=f"{start.recipe.title}, adapted to {request.territory}",
        bands=bands,
        begun_with=base,
        territory=request.territory,
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
        drift=drift.told,
        command=_command(request, method=method, num_steps=num_steps),
    )
    artefact = write_artefact(
        Exported(
            model_id=model_id,
            title=facts.title,
            bands=bands,
            temperature=temperature,
            metrics={} if evidence.after is None else {f"{request.territory}, held out": evidence.after},
            provenance=base.provenance,
            card=write_card(facts, evidence),
            training=Training(
                commit=working_commit(),
                recipe=f"{method} from {base.key}",
                seed=request.seed,
                num_steps=num_steps,
            ),
            has_weights=True,
            drift=drift.reference,
            domains=(*base.domains, request.territory),
            licence=base.licence,
        ),
        network,
        replace(start.recipe, model_id=model_id, version=version, title=facts.title, begin_with=base.key),
        references=task.references(),
        golden_NCHW=start.golden(),
        folder=folder_for(model_id, version, into=into),
    )
    return Adapted(artefact=artefact, evidence=evidence, run=run)


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


def _command(request: Request, *, method: str, num_steps: int | None) -> str:
    words = ["orthoscape-train adapt", f"--artefact {Path(request.artefact).name}"]
    words.append(f"--target {request.target.name} --method {method} --seed {request.seed}")
    if num_steps is not None:
        words.append(f"--steps {num_steps}")
    if request.source != LANDSCAPES:
        words.append(f"--source {Path(request.source).name}")
    elif request.num_scenes != sources.NUM_SCENES:
        words.append(f"--scenes {request.num_scenes}")
    if request.irc is not None:
        words.append(f"--irc {request.irc.name}")
    if request.bands_option != "auto":
        words.append(f"--bands {request.bands_option}")
    if request.nodata != "file":
        words.append(f"--nodata {'none' if request.nodata is None else f'{request.nodata:g}'}")
    if request.labels is not None:
        words.append(f"--labels {request.labels.name}")
    return " ".join(words)
