"""Generated scenes kept on disk, so that a run draws each of them once.

A set is a folder of three arrays that are read as memory maps: images, classes, and which scenes are done.
"""

import hashlib
import json
import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.errors import RemediedError
from models.manifest import Role
from models.nomenclature import COSIA
from training.data import landscapes
from training.data.label_sets import label_sets
from training.data.landscapes import LandscapeSpec, generate_landscape
from training.data.sources import Source
from training.recipes.recipe import LANDSCAPES, SceneSetSpec

NODATA = 255
"""Label of pixels that teach nothing."""

_LANDSCAPE_BANDS: tuple[Role, ...] = ("red", "green", "blue", "nir", "height")

log = logging.getLogger(__name__)


class NothingDrawn(RemediedError):
    """No generated scene was done in time."""


@dataclass(frozen=True, kw_only=True)
class SceneSet:
    """Scenes of one size, with their truth."""

    image_NCHW: NDArray[np.uint8]
    """Raw pixels."""
    classes_NHW: NDArray[np.uint8]
    """Class values; 255 teaches nothing."""
    gsd_m: tuple[float, ...]
    """Ground resolution of each scene, in metres."""

    def __len__(self) -> int:
        return len(self.gsd_m)

    def at_resolution(self, gsd_m: float) -> "SceneSet":
        """The scenes of one ground resolution."""
        chosen = [index for index, value in enumerate(self.gsd_m) if value == gsd_m]
        return SceneSet(
            image_NCHW=self.image_NCHW[chosen],
            classes_NHW=self.classes_NHW[chosen],
            gsd_m=tuple(self.gsd_m[index] for index in chosen),
        )

    def as_source(self, channels: Sequence[int] = tuple(range(len(COSIA.classes)))) -> Source:
        """The scenes as a source of single classes.

        Args:
            channels: Class values of the head; labels are positions among them, others teach nothing.
        """
        label_of_value = np.full(256, NODATA, dtype=np.uint8)
        label_of_value[list(channels)] = np.arange(len(channels))
        is_same = np.array_equal(label_of_value[: len(COSIA.classes)], np.arange(len(COSIA.classes)))
        return Source(
            name=LANDSCAPES,
            images=list(self.image_NCHW),
            labels=[each if is_same else label_of_value[each] for each in self.classes_NHW],
            domains=tuple(f"{LANDSCAPES} at {gsd_m:g} m" for gsd_m in self.gsd_m),
            sets=label_sets(**{COSIA.classes[value].slug: (value,) for value in channels}),
        )


def draw_scene(
    spec: SceneSetSpec, index: int, *, bands: Sequence[Role]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One scene: raw pixels CHW in the order of the bands asked for, class values HW."""
    landscape = generate_landscape(
        LandscapeSpec(
            seed=spec.seed_of(index),
            side_px=spec.side_px,
            gsd_m=spec.gsd_m_of(index),
            kind_weights=spec.kind_weights,
        )
    )
    rows = [_LANDSCAPE_BANDS.index(band) for band in bands]
    return landscape.image_CHW[rows], landscape.classes_HW


def load_scenes(
    spec: SceneSetSpec,
    *,
    bands: Sequence[Role],
    folder: Path,
    num_processes: int = 2,
    budget_s: float = float("inf"),
) -> SceneSet:
    """Scenes from the cache, drawing those that it lacks.

    Args:
        spec: Which scenes.
        bands: Bands to keep, in order.
        folder: Folder of caches; the set gets one of its own, named after what it holds.
        num_processes: Scenes drawn at a time.
        budget_s: Seconds after which no further scene is begun; the set is then what is done.

    Returns:
        The scenes that are done, as read-only memory maps where all are.

    Raises:
        NothingDrawn: Not one scene is done.
    """
    place = folder / _cache_name(spec, bands=bands)
    _allocate(place, spec, num_bands=len(bands))
    done_N = np.load(place / "done.npy", mmap_mode="r+")
    missing = [index for index in range(spec.num_scenes) if not done_N[index]]
    if missing:
        log.info("drawing %d scenes into %s", len(missing), place)
        jobs = [(place, spec, index, tuple(bands)) for index in missing]
        drawn = _run(_draw_into, jobs, num_processes=num_processes, budget_s=budget_s)
        for index in tqdm(drawn, total=len(missing), desc="drawing scenes", disable=None):
            done_N[index] = True
    kept = np.flatnonzero(done_N)
    if not len(kept):
        raise NothingDrawn(
            f"no scene was drawn within {budget_s:.0f} s", remedy="Give them longer: --draw-minutes."
        )
    image_NCHW = np.load(place / "image.npy", mmap_mode="r")
    classes_NHW = np.load(place / "classes.npy", mmap_mode="r")
    if len(kept) < spec.num_scenes:
        log.warning("%d of %d scenes were drawn in time", len(kept), spec.num_scenes)
        image_NCHW, classes_NHW = image_NCHW[kept], classes_NHW[kept]
    return SceneSet(
        image_NCHW=image_NCHW,
        classes_NHW=classes_NHW,
        gsd_m=tuple(spec.gsd_m_of(int(index)) for index in kept),
    )


def generator_digest() -> str:
    """sha256 of the generator's sources: scenes of equal seeds are equal where it is."""
    sources = sorted(Path(landscapes.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def _cache_name(spec: SceneSetSpec, *, bands: Sequence[Role]) -> str:
    # The generator is in the name, so that scenes of an earlier one are never taken for its own.
    content = json.dumps([asdict(spec), list(bands), generator_digest()], sort_keys=True)
    return f"scenes-{spec.first_seed}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def _allocate(place: Path, spec: SceneSetSpec, *, num_bands: int) -> None:
    if (place / "done.npy").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    side_px = spec.side_px
    for name, shape in (
        ("image.npy", (spec.num_scenes, num_bands, side_px, side_px)),
        ("classes.npy", (spec.num_scenes, side_px, side_px)),
    ):
        array = np.lib.format.open_memmap(place / name, mode="w+", dtype=np.uint8, shape=shape)
        array.flush()
    np.save(place / "done.npy", np.zeros(spec.num_scenes, dtype=bool))


def _draw_into(job: tuple[Path, SceneSetSpec, int, tuple[Role, ...]]) -> int:
    place, spec, index, bands = job
    image_CHW, classes_HW = draw_scene(spec, index, bands=bands)
    images = np.load(place / "image.npy", mmap_mode="r+")
    classes = np.load(place / "classes.npy", mmap_mode="r+")
    images[index], classes[index] = image_CHW, classes_HW
    images.flush()
    classes.flush()
    return index


def _run(
    function: Callable[[Any], int], jobs: Sequence[Any], *, num_processes: int, budget_s: float
) -> Iterator[int]:
    deadline_s = time.monotonic() + budget_s
    if num_processes == 1:
        for job in jobs:
            if time.monotonic() > deadline_s:
                return
            yield function(job)
        return
    # Spawned, not forked: a parent that has run torch holds locks that a fork would copy.
    with multiprocessing.get_context("spawn").Pool(num_processes) as pool:
        for index in pool.imap_unordered(function, jobs):
            yield index
            if time.monotonic() > deadline_s:
                pool.terminate()
                return
