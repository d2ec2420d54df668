"""What an adaptation begins with: an artefact, its network, and the recipe that made it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.artefact import MANIFEST_NAME, Artefact
from models.registry import PACKAGED_FOLDER, Registry
from training.importing.commands import models_folder
from training.networks.loading import network_of
from training.recipes.saved import read_recipe
from training.territory.errors import ArtefactUnfit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.manifest import InputSpec, Role
    from training.networks.compact import CompactUNet
    from training.recipes.recipe import Recipe

_PLAIN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Start:
    """An artefact that can go on."""

    artefact: Artefact
    network: CompactUNet
    """In evaluation mode, frozen; over all of the recipe's bands."""
    recipe: Recipe

    @property
    def reads(self) -> InputSpec:
        """What the artefact reads."""
        return self.artefact.manifest.inputs[0]

    def absent(self, bands: tuple[Role, ...]) -> tuple[int, ...]:
        """Positions of the recipe's bands that are not among some."""
        return tuple(row for row, band in enumerate(self.recipe.bands) if band not in bands)

    def golden(self) -> NDArray[np.uint8]:
        """The artefact's golden image over all of the recipe's bands, those that it lacks at their mean."""
        image_NCHW = self.artefact.golden().image_NCHW
        planes = []
        for row, band in enumerate(self.recipe.bands):
            if band in self.reads.bands:
                planes.append(image_NCHW[:, self.reads.bands.index(band)])
            else:
                planes.append(np.full_like(image_NCHW[:, 0], round(self.network.spec.mean[row])))
        return np.ascontiguousarray(np.stack(planes, axis=1))


def find_start(name: str, *, into: Path) -> Start:
    """An artefact by its name, or by its folder.

    One that shares the weights of another begins with those.

    Args:
        name: ``id``, ``id@version``, ``default``, or a folder.
        into: A folder of artefact folders that is looked through too.

    Raises:
        ContractError: There is none of that name, or it is damaged.
        ArtefactUnfit: It carries no weights.
        RecipeUnreadable, WeightsUnusable: They are of a network that is not trained here.
    """
    artefact = find_artefact(name, into=into)
    carrier = artefact
    if artefact.manifest.training.weights_of is not None:
        carrier = registry_with(into, artefact.folder.parent).get(artefact.manifest.training.weights_of)
    if not any(spec.role == "weights" for spec in carrier.manifest.files.values()):
        raise ArtefactUnfit(
            f"{artefact.manifest.key} carries no weights that could be trained",
            remedy="Begin with one that does: its folder has weights.safetensors and recipe.json.",
        )
    recipe = read_recipe(carrier.file_of("recipe"))
    network = network_of(carrier, channels=recipe.channels, bands=recipe.bands)
    return Start(artefact=artefact, network=network, recipe=recipe)


def find_artefact(name: str, *, into: Path) -> Artefact:
    """An artefact by its name, or by its folder; see `find_start`."""
    if (Path(name) / MANIFEST_NAME).is_file():
        return Artefact.load(Path(name))
    return registry_with(into).get(name)


def registry_with(*folders: Path) -> Registry:
    """The artefacts that the service finds, and those of some folders."""
    return Registry(tuple(dict.fromkeys((*folders, models_folder(), PACKAGED_FOLDER))))


def slug(text: str) -> str:
    """A text as a part of an id: lower-case letters, digits and hyphens."""
    return _PLAIN.sub("-", text.lower()).strip("-") or "territory"


def next_version(model_id: str, *, into: Path, least: str, part: int = 1) -> str:
    """A version that no artefact of an id has yet.

    Args:
        model_id: Of the artefact.
        into: Where it is going to lie.
        least: The version where there is none.
        part: Which number rises: 1 for new weights, 2 for the same weights calibrated.
    """
    taken = [m.version for m in registry_with(into).manifests() if m.id == model_id]
    if not taken:
        return least
    numbers = [int(number) for number in max(taken, key=_as_numbers).split(".")]
    numbers[part] += 1
    numbers[part + 1 :] = [0] * (2 - part)
    return ".".join(str(number) for number in numbers)


def folder_for(model_id: str, version: str, *, into: Path) -> Path:
    """The folder of a new artefact; one of the same id that is there stays."""
    plain = into / model_id
    return into / f"{model_id}-{version}" if plain.exists() else plain


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
