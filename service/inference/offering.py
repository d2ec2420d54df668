"""What this machine can offer without any model: the class of its profiles."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from service.errors import EngineError
from service.inference.processor import processor_class
from service.planning.profile import ExecutionProfile

if TYPE_CHECKING:
    from models.manifest import Precision
    from service.settings import EngineName

_PACKAGES: dict[EngineName, tuple[str, ...]] = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "onnxruntime-cuda": ("onnxruntime-gpu",),
    "openvino": ("openvino",),
}
"""Whose version an engine has; the first that is installed."""

_PRECISIONS: dict[EngineName, tuple[Precision, ...]] = {
    "onnxruntime": ("fp32", "int8"),
    "onnxruntime-cuda": ("fp32", "fp16"),
    "openvino": ("fp32", "int8"),
}
"""What an engine is faster in; it would run the others too, as fp32 with detours."""


class PrecisionNotOffered(EngineError):
    """The engine gains nothing in this precision."""


def require_offered(name: EngineName, precision: Precision) -> None:
    """Refuse a precision that an engine does not compute in.

    Raises:
        PrecisionNotOffered: It would turn it into another.
    """
    if precision in _PRECISIONS[name]:
        return
    others = ", ".join(engine for engine, offered in _PRECISIONS.items() if precision in offered)
    raise PrecisionNotOffered(
        f"the engine {name} computes in {' or '.join(_PRECISIONS[name])}, not in {precision}",
        remedy=f"ask for another precision, or for another engine: {others}",
    )


def offered_class(name: EngineName, precision: Precision = "fp32") -> str:
    """The profile class of every engine that `load_engine` gives for this name and precision here.

    Told from what is installed: importing a runtime takes longer, and it must not be imported by a process
    that forks.

    Raises:
        EngineError: It is not installed, or does not compute in this precision.
    """
    require_offered(name, precision)
    return ExecutionProfile(
        engine="openvino" if name == "openvino" else "onnxruntime",
        engine_version=_version_of(name),
        precision=precision,
        provider="cuda" if name == "onnxruntime-cuda" else "cpu",
        processor=processor_class(),
        patch_px=0,
        batch=1,
        artefact_digest="",
    ).profile_class


def _version_of(name: EngineName) -> str:
    for package in _PACKAGES[name]:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    raise EngineError(
        f"the engine {name} is not installed",
        remedy=f"pip install {_PACKAGES[name][0]}, or name another one with ORTHOSCAPE_ENGINE",
    )
