"""What a caller asks of an adaptation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.data.orthos import Reading
from training.recipes.recipe import LANDSCAPES
from training.runfolder import CACHE_FOLDER
from training.territory import sources

if TYPE_CHECKING:
    from pathlib import Path

    from service.rasters.placing import NodataOption


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller asks for."""

    artefact: str
    target: Path
    source: str = LANDSCAPES
    labels: Path | None = None
    irc: Path | None = None
    bands_option: str = "auto"
    """Which band is which, where the orthophotos do not say it."""
    nodata: NodataOption = "file"
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
    def territory(self) -> str:
        """What the artefact, its card and its domain call the target."""
        return name_of(self.target)

    @property
    def reading(self) -> Reading:
        """How the orthophotos are read."""
        return Reading(irc=self.irc, bands_option=self.bands_option, nodata=self.nodata)

    @property
    def drawing(self) -> sources.Drawing:
        """How a source is drawn."""
        return sources.Drawing(num_scenes=self.num_scenes, cache=self.cache, seed=self.seed)


def name_of(place: Path) -> str:
    """The name of a folder, or of a file without its ending; ``.`` has its folder's."""
    there = place.resolve()
    return (there.name if there.is_dir() else there.stem) or "territory"
