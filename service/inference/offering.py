"""What this machine can offer without any model: the class of its profiles."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from service.errors import EngineError
from service.inference.processor import processor_class
from service.planning.profile import ExecutionProfile

if TYPE_CHECKING:
    from service.settings import EngineName

_PACKAGES: dict[EngineName, tuple[str, ...]] = {
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "onnxruntime-cuda": ("onnxruntime-gpu",),
    "openvino": ("openvino",),
}
"""Whose version an engine has; the first that is installed."""


def offered_class(name: EngineName) -> str:
    """The profile class of every engine that `load_engine` gives for this name here.

    Told from what is installed: importing a runtime takes longer, and it must not be imported by a process
    that forks.

    Raises:
        EngineError: It is not installed.
    """
    return ExecutionProfile(
        engine="openvino" if name == "openvino" else "onnxruntime",
        engine_version=_version_of(name),
        precision="fp32",
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
