"""What `orthoscape-train calibrate` does: the same weights, confidences truer on labelled data."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from models.nomenclature import get_nomenclature
from training.calibration import LabelledLogits
from training.data.annotations import open_annotations
from training.data.orthos import Reading, open_orthos
from training.data.samples import IGNORED
from training.data.sources import VALIDATION, load_source
from training.export import Exported, write_artefact
from training.importing.commands import models_folder
from training.outcomes import Outcomes
from training.territory.drifting import drift_recalibrated, drift_told
from training.territory.errors import LabelsUnfit
from training.territory.pieces import as_source, read_pieces
from training.territory.request import name_of
from training.territory.start import Start, find_start, folder_for, next_version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.artefact import Artefact
    from models.manifest import Role
    from training.data.sources import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CalibrationRequest:
    """What a caller asks for: a data set by its name, or orthophotos and labels of them."""

    artefact: str
    data: tuple[str, Path] | None = None
    target: Path | None = None
    labels: Path | None = None
    reading: Reading = field(default_factory=Reading)
    """How the orthophotos are read."""
    into: Path | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What came of it."""

    artefact: Artefact
    temperature_before: float
    temperature: float
    ece_before: float
    """On images that the temperature was not fitted on."""
    ece: float


def calibrate_artefact(request: CalibrationRequest) -> Calibrated:
    """Refit an artefact's temperature on half of some labelled images, judge it on the others, write it anew.

    Raises:
        RemediedError: As its subclasses name.
    """
    into = request.into or models_folder()
    start = find_start(request.artefact, into=into)
    source = _labelled(request, start)
    if unseen := _unseen(start, source):
        log.warning(
            "%s reads %s, which %s lacks: what is fitted is its confidence without; an artefact that does not"
            " read it is calibrated better",
            start.artefact.manifest.key,
            ", ".join(unseen),
            source.name,
        )
    fitted_on, judged_on = _halves(source, seed=request.seed)
    logits = [
        LabelledLogits.of(
            start.network,
            half,
            channels=start.recipe.channels,
            missing=start.absent(start.reads.bands),
            seed=request.seed,
        )
        for half in (fitted_on, judged_on)
    ]
    before, after = start.artefact.manifest.temperature, logits[0].temperature()
    eces = logits[1].ece(before), logits[1].ece(after)
    manifest = start.artefact.manifest
    version = next_version(manifest.id, into=into, least=manifest.version, part=2)
    by_band = {each.band: each for each in manifest.reference[start.reads.name]}
    some = manifest.reference[start.reads.name][0]
    served = Outcomes(
        network=start.network,
        channels=start.recipe.channels,
        missing=start.absent(start.reads.bands),
        temperature=after,
    )
    artefact = write_artefact(
        Exported(
            model_id=manifest.id,
            title=manifest.title,
            bands=start.reads.bands,
            temperature=after,
            metrics=manifest.metrics,
            coarse_metrics=manifest.coarse_metrics,
            provenance=manifest.provenance,
            card=_card(start, version, source, temperatures=(before, after), eces=eces),
            training=manifest.training,
            has_weights=manifest.training.weights_of is None,
            drift=drift_recalibrated(start, source, served),
            domains=manifest.domains,
            licence=manifest.licence,
        ),
        start.network,
        replace(start.recipe, version=version),
        # Those of bands that it does not read are not written.
        references=tuple(by_band.get(band, some) for band in start.recipe.bands),
        golden_NCHW=start.golden(),
        folder=folder_for(manifest.id, version, into=into),
    )
    return Calibrated(
        artefact=artefact,
        temperature_before=before,
        temperature=after,
        ece_before=round(eces[0], 4),
        ece=round(eces[1], 4),
    )


def _labelled(request: CalibrationRequest, start: Start) -> Source:
    recipe = start.recipe
    if request.data is not None:
        name, folder = request.data
        return labelled_set(name, folder, bands=recipe.bands).taught(recipe.channels)
    if request.target is None or request.labels is None:
        raise LabelsUnfit(
            "nothing to calibrate on",
            remedy="Give --data NAME=FOLDER, or --target ORTHOPHOTOS and --labels of them.",
        )
    orthos = open_orthos(
        request.target, bands=start.reads.bands, gsd_m=start.reads.gsd_m, how=request.reading
    )
    pieces = read_pieces(
        orthos, recipe.bands, annotations=open_annotations(request.labels), seed=request.seed
    )
    labelled = [piece for piece in (*pieces.adapted_on, *pieces.held_out) if piece.is_labelled]
    return as_source(
        sorted(labelled, key=lambda piece: piece.block),  # from west to east: see `_halves`
        name_of(request.target),
        channels=recipe.channels,
        nomenclature=get_nomenclature(recipe.nomenclature),
        bands=len(recipe.bands),
    )


def _halves(source: Source, *, seed: int) -> tuple[Source, Source]:
    """Domains on one side or the other; where there is one, its first images and its last ones.

    Images of one domain come as they lie on the ground. Drawn one by one they would be neighbours of each
    other, and the half that is judged on would be no other ground.

    Raises:
        LabelsUnfit: One image is labelled, or none.
    """
    labelled = [
        number for number, labels_HW in enumerate(source.labels) if (np.asarray(labels_HW) != IGNORED).any()
    ]
    if len(labelled) < 2:
        raise LabelsUnfit(
            f"{source.name} has {len(labelled)} labelled image(s): nothing is left to judge on",
            remedy="Give more of them, or larger ones.",
        )
    domains = {number: source.domains[number] for number in labelled}
    if len(set(domains.values())) == 1:
        middle = (len(labelled) + 1) // 2
        domains = {number: "first" if rank < middle else "last" for rank, number in enumerate(labelled)}
    order = np.random.default_rng([seed, 3]).permutation(sorted(set(domains.values())))
    fitted_on = set(order[: (len(order) + 1) // 2].tolist())
    named = replace(source, domains=tuple(domains.get(number, "") for number in range(len(source))))
    return named.of_domains(fitted_on), named.of_domains(set(domains.values()) - fitted_on)


def _unseen(start: Start, source: Source) -> tuple[str, ...]:
    """Bands that the artefact reads and the images lack: they stand at their mean."""
    return tuple(
        band
        for row, band in enumerate(start.recipe.bands)
        if row in source.absent and band in start.reads.bands
    )


def _card(
    start: Start,
    version: str,
    source: Source,
    *,
    temperatures: tuple[float, float],
    eces: tuple[float, float],
) -> str:
    """The artefact's card, its heading of the new version, and what was changed."""
    manifest = start.artefact.manifest
    _, _, rest = start.artefact.card().partition("\n")
    lines = (
        "",
        "## Calibrated",
        "",
        f"The weights are those of `{manifest.key}`; what is said above of confidence and of graphs in lower",
        f"precision is said of that one. The temperature was fitted on half of {source.name}; the expected",
        "calibration error is that of the other half.",
        *(f"Images there have no {band}: the band stood at its mean." for band in _unseen(start, source)),
        "",
        "| | before | after |",
        "|---|---|---|",
        f"| temperature | {temperatures[0]:g} | {temperatures[1]:g} |",
        f"| expected calibration error | {eces[0]:.4f} | {eces[1]:.4f} |",
        "",
        f"Drift: {drift_told(start)}.",
    )
    return f"# {manifest.id} {version}\n{rest.rstrip()}\n" + "\n".join(lines) + "\n"


def labelled_set(name: str, folder: Path, *, bands: Sequence[Role]) -> Source:
    """What of a data set confidences are fitted on: its validation split where it has one, else all of it.

    Args:
        name: Of the data set; see ``training.data.sources.READERS``.
        folder: Where it lies.
        bands: Of the network.
    """
    whole, judged = load_source(name, folder, bands=bands, held_out=())
    # Ground that no network was taught on: what one was taught it is too sure of.
    validation = {domain for domain in judged.domains if domain.endswith(VALIDATION)}
    return judged.of_domains(validation) if validation else whole
