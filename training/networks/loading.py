"""A network from the weights that an artefact carries, to go on training it."""

import json
from collections.abc import Sequence

from safetensors.torch import load_file

from models.artefact import Artefact
from models.errors import RemediedError
from models.manifest import Role
from models.registry import Registry
from training.networks.compact import CompactSpec, CompactUNet


class WeightsUnusable(RemediedError):
    """An artefact carries no weights, or weights of another network."""


def load_network(
    key: str, *, channels: Sequence[int], bands: Sequence[Role], registry: Registry | None = None
) -> CompactUNet:
    """The network that an artefact was exported from, in evaluation mode, its weights frozen.

    Args:
        key: Id of the artefact, or ``id@version``.
        channels: Live channel to class value, which it has to have.
        bands: Which it has to read, in order.
        registry: Where artefacts are looked for; None is the packaged folder.

    Raises:
        WeightsUnusable: It carries no weights, or they are of another network.
    """
    return network_of((registry or Registry()).get(key), channels=channels, bands=bands)


def network_of(artefact: Artefact, *, channels: Sequence[int], bands: Sequence[Role]) -> CompactUNet:
    """As `load_network`, of an artefact at hand.

    Raises:
        WeightsUnusable: It carries no weights, or they are of another network.
    """
    recipe_path, weights_path = artefact.folder / "recipe.json", artefact.folder / "weights.safetensors"
    if not weights_path.is_file() or not recipe_path.is_file():
        raise WeightsUnusable(
            f"{artefact.manifest.key} carries no weights",
            remedy="Begin with the artefact of its family that reads all bands.",
        )
    recipe = json.loads(recipe_path.read_text(encoding="utf-8"))
    if (tuple(recipe["channels"]), tuple(recipe["bands"])) != (tuple(channels), tuple(bands)):
        raise WeightsUnusable(
            f"{artefact.manifest.key} has bands {recipe['bands']} and channels {recipe['channels']}, "
            f"wanted are {list(bands)} and {list(channels)}"
        )
    state = load_file(weights_path)
    spec = CompactSpec(
        num_bands=len(bands),
        num_channels=len(channels),
        widths=tuple(recipe["widths"]),
        mean=tuple(float(value) for value in state["mean_1C11"].flatten()),
        std=tuple(float(value) for value in state["std_1C11"].flatten()),
    )
    network = CompactUNet(spec)
    network.load_state_dict(state)
    return network.eval().requires_grad_(requires_grad=False)
