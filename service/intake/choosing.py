"""Which model is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.registry import DEFAULT_NAME, PACKAGED_FOLDER, Registry
from service.errors import PreflightError
from service.planning.preflight import check_fits
from service.rasters.errors import BandMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.artefact import Artefact
    from service.planning.preflight import ReadingOptions, SceneFacts
    from service.settings import Settings


class ModelNotRunnable(PreflightError):
    """The contract allows this model, but the service does not run its like yet."""


def registry_of(settings: Settings) -> Registry:
    """The packaged models and those installed on this machine."""
    return Registry((PACKAGED_FOLDER, settings.models_folder))


def choose_model(
    registry: Registry, name: str, scenes: Sequence[SceneFacts], options: ReadingOptions
) -> Artefact:
    """Find the model asked for; of the default, the band set that all scenes carry.

    The default is one model in several band sets. The first is the preferred one; the next is taken only
    where a band is missing, and the command says which model ran.

    Raises:
        ContractError: There is no such model.
        BandMismatch: No band set fits; the message is that of the last.
    """
    if name != DEFAULT_NAME:
        return registry.get(name)
    refusal: BandMismatch | None = None
    for artefact in registry.defaults():
        try:
            for scene in scenes:
                check_fits(scene, artefact.manifest.inputs[0], options)
        except BandMismatch as error:
            refusal = error
        else:
            return artefact
    assert refusal is not None, "the packaged choice is never empty"
    raise refusal


def require_runnable(artefact: Artefact) -> None:
    """Refuse a model whose manifest asks for more than the service does.

    Raises:
        ModelNotRunnable: It reads several inputs, or pixels without data as another value than 0.
    """
    manifest = artefact.manifest
    if len(manifest.inputs) > 1:
        names = ", ".join(spec.name for spec in manifest.inputs)
        raise ModelNotRunnable(
            f"{manifest.key} reads {len(manifest.inputs)} inputs ({names}); models of one input are run",
            remedy="choose a model of one input: orthoscape models",
        )
    fill = manifest.inputs[0].nodata_fill
    if fill != 0:
        raise ModelNotRunnable(
            f"{manifest.key} wants {fill} in pixels without data; they are given as 0",
            remedy="export it with nodata_fill 0, or choose another model: orthoscape models",
        )
