"""Where labels come from while a network is adapted: generated landscapes, a folder, a data set, or nowhere.

A folder has orthophotos and, beside them, class rasters of the same names:

    FOLDER/images/NAME.tif    orthophotos, GeoTIFF or JPEG 2000
    FOLDER/labels/NAME.tif    uint8, class values 0 to 15, 255 teaches nothing; on any grid
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.nomenclature import get_nomenclature
from training.data.annotations import open_annotations
from training.data.errors import FileMissing, SourceUnknown
from training.data.orthos import open_orthos
from training.data.samples import IGNORED
from training.data.sources import READERS, Source, load_source
from training.recipes.recipe import LANDSCAPES
from training.scenes import load_scenes
from training.territory.errors import MethodUnfit, TargetUnfit
from training.territory.pieces import as_source, read_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data.orthos import Ortho
    from training.evaluate import Predict
    from training.recipes.recipe import Recipe
    from training.territory.pieces import Piece
    from training.territory.start import Start

NONE = "none"
NUM_SCENES = 96
"""Generated scenes that an adaptation learns from: enough for all classes, drawn in minutes."""
_MOST_IMAGES = 1000
"""Of a data set, equally many of each domain: they are held in memory, and some thousand crops drawn."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How a source is drawn."""

    num_scenes: int
    """Generated ones."""
    cache: Path
    """Folder of generated scenes."""
    seed: int
    """Of the draw of blocks."""


def read_source(said: str, start: Start, *, drawing: Drawing) -> Source | None:
    """The source that a command names, in the network's bands.

    Args:
        said: ``landscapes``, ``none``, a folder laid out as above, or NAME=FOLDER of a data set.
        start: What is adapted.
        drawing: How much of it, and which.

    Returns:
        None where there is none.

    Raises:
        DataError: It is not laid out so.
    """
    if said == NONE:
        return None
    if said == LANDSCAPES:
        spec = replace(start.recipe.train, num_scenes=min(drawing.num_scenes, start.recipe.train.num_scenes))
        scenes = load_scenes(spec, bands=start.recipe.bands, folder=drawing.cache)
        return scenes.as_source(start.recipe.channels)
    name, is_set, folder = said.partition("=")
    if is_set and name in READERS:
        train, _ = load_source(name, Path(folder), bands=start.recipe.bands, held_out=())
        return _held_in_memory(train).taught(start.recipe.channels)
    return _read_folder(Path(said), start, seed=drawing.seed)


def require_source(said: str) -> None:
    """Refuse a source that is not there, before anything is read.

    Args:
        said: As in `read_source`.

    Raises:
        FileMissing: A folder is not there, or not laid out as above.
        SourceUnknown: No such data set.
    """
    if said in (NONE, LANDSCAPES):
        return
    name, is_set, folder = said.partition("=")
    if not is_set or Path(said).is_dir():
        _require_layout(Path(said))
    elif name not in READERS:
        raise SourceUnknown(f"no data set {name!r}", remedy=f"Known data sets: {', '.join(READERS)}.")
    elif not Path(folder).is_dir():
        raise FileMissing(f"{folder} is not a folder", remedy=f"Give the one of {name}: {name}=FOLDER.")


def labelled_by(predict: Predict, confidence: Predict, pieces: Sequence[Piece], least: int) -> list[Piece]:
    """Pieces with what a network is sure of as labels: a source where there is none.

    Args:
        predict: Class values of a raw image.
        confidence: Percent of a raw image.
        pieces: Of the target.
        least: Percent from which the network is believed.

    Raises:
        TargetUnfit: It is sure of nothing.
    """
    told = []
    for piece in pieces:
        is_sure_HW = (confidence(piece.image_CHW) >= least) & piece.image_CHW.any(axis=0)
        labels_HW = np.where(is_sure_HW, predict(piece.image_CHW), np.uint8(IGNORED))
        told.append(replace(piece, labels_HW=labels_HW))
    if not any((piece.labels_HW != IGNORED).any() for piece in told if piece.labels_HW is not None):
        raise TargetUnfit(
            f"of no pixel of the target is the artefact {least} % sure: it cannot teach itself",
            remedy="Adapt with a source: leave --source away.",
        )
    return told


def class_shares(source: Source, recipe: Recipe) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Share of each channel among a source's labelled pixels.

    Raises:
        MethodUnfit: Its labels are sets of classes, of which nobody knows the shares.
    """
    members_SK = source.sets.members(recipe.channels)
    if (members_SK.sum(axis=1) != 1).any():
        raise MethodUnfit(
            f"labels of {source.name} are coarse: nothing tells how common each class is",
            remedy="Correct priors by the generated landscapes: leave --source away.",
        )
    counts = np.zeros(256, dtype=np.int64)
    for labels_HW in source.labels:
        counts += np.bincount(np.asarray(labels_HW).ravel(), minlength=256)
    counts_K = counts[: len(members_SK)] @ members_SK
    shares_K: np.ndarray[tuple[int], np.dtype[np.float64]] = counts_K / counts_K.sum()
    return shares_K


def _held_in_memory(source: Source) -> Source:
    if len(source) <= _MOST_IMAGES:
        return source
    few = source.spread(max(1, _MOST_IMAGES // len(set(source.domains))))
    log.info("source: %d of %d images of %s, spread over its domains", len(few), len(source), source.name)
    return few


def _read_folder(folder: Path, start: Start, *, seed: int) -> Source:
    _require_layout(folder)
    images, labels = folder / "images", folder / "labels"
    orthos = open_orthos(images, bands=start.recipe.bands, gsd_m=start.reads.gsd_m)
    for ortho in orthos:
        if not (labels / f"{ortho.path.stem}.tif").is_file():
            raise FileMissing(
                f"{ortho.path} has no {labels / ortho.path.stem}.tif beside it",
                remedy="Each image needs a class raster of its name.",
            )
    pieces = [piece for ortho in orthos for piece in _pieces_of(ortho, labels, start, seed=seed)]
    return as_source(
        pieces,
        folder.name,
        channels=start.recipe.channels,
        nomenclature=get_nomenclature(start.recipe.nomenclature),
        bands=len(start.recipe.bands),
    )


def _require_layout(folder: Path) -> None:
    for place in (folder / "images", folder / "labels"):
        if not place.is_dir():
            raise FileMissing(
                f"{place} is not there",
                remedy=f"A source is {folder.name}/images/NAME.tif and {folder.name}/labels/NAME.tif,"
                f" or NAME=FOLDER of a data set: {', '.join(READERS)}; or {LANDSCAPES}, or {NONE}.",
            )


def _pieces_of(ortho: Ortho, labels: Path, start: Start, *, seed: int) -> list[Piece]:
    cut = read_pieces([ortho], start.recipe.bands, annotations=None, seed=seed)
    truth = open_annotations(labels / f"{ortho.path.stem}.tif")
    return [
        replace(
            piece,
            labels_HW=np.where(
                piece.image_CHW.any(axis=0),
                truth.on(piece.transform, shape=piece.image_CHW.shape[1:], crs_wkt=ortho.crs_wkt),
                np.uint8(IGNORED),
            ),
        )
        for piece in cut.adapted_on
    ]
