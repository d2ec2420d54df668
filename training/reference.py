"""What the training scenes looked like, band by band: kept in the run folder, then in the manifest."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.manifest import BandReference, Role
from training.losses import IGNORED
from training.scenes import SceneSet, generator_digest

REFERENCE_NAME = "reference.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Statistics of a training set."""

    num_scenes: int
    generator: str
    """Digest of the generator that drew them."""
    bands: tuple[BandReference, ...]


def band_references(scenes: SceneSet, bands: Sequence[Role]) -> tuple[BandReference, ...]:
    """Histogram, mean and standard deviation of each band over labelled pixels."""
    histograms = np.zeros((len(bands), 256), dtype=np.int64)
    for image_CHW, classes_HW in zip(scenes.image_NCHW, scenes.classes_NHW, strict=True):
        is_labelled = np.asarray(classes_HW) != IGNORED
        for row, band_HW in enumerate(image_CHW):
            histograms[row] += np.bincount(np.asarray(band_HW)[is_labelled], minlength=256)
    values = np.arange(256)
    references = []
    for band, histogram in zip(bands, histograms, strict=True):
        mean = float(np.average(values, weights=histogram))
        references.append(
            BandReference(
                band=band,
                mean=round(mean, 3),
                std=round(float(np.sqrt(np.average((values - mean) ** 2, weights=histogram))), 3),
                histogram=tuple(int(count) for count in histogram),
            )
        )
    return tuple(references)


def write_reference(scenes: SceneSet, bands: Sequence[Role], *, out: Path) -> None:
    """Describe a training set in its run folder; a description that is there stays."""
    path = out / REFERENCE_NAME
    if path.exists():
        if read_reference(out).generator != generator_digest():
            log.warning("the generator has changed since %s began; it goes on with other scenes", out)
        return
    out.mkdir(parents=True, exist_ok=True)
    described = [band.model_dump(mode="json") for band in band_references(scenes, bands)]
    content = json.dumps({"num_scenes": len(scenes), "generator": generator_digest(), "bands": described})
    path.write_text(content + "\n", encoding="utf-8")


def read_reference(run: Path) -> Reference:
    """The description that a run folder holds."""
    content = json.loads((run / REFERENCE_NAME).read_text(encoding="utf-8"))
    return Reference(
        num_scenes=content["num_scenes"],
        generator=content["generator"],
        bands=tuple(BandReference.model_validate(band) for band in content["bands"]),
    )
