"""From an artefact to an engine that proved itself on the golden input."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, get_args

import numpy as np

from service.errors import EngineError
from service.inference.onnx_engine import OnnxRuntimeEngine
from service.inference.openvino_engine import OpenVinoEngine
from service.settings import EngineName

if TYPE_CHECKING:
    from models.artefact import Artefact
    from service.inference.engine import Engine

ENGINE_NAMES: tuple[EngineName, ...] = get_args(EngineName)

MIN_GOLDEN_AGREEMENT = 0.999
"""Share of the golden input's pixels whose class any engine must reproduce."""

_log = logging.getLogger(__name__)


def load_engine(artefact: Artefact, *, name: EngineName, num_threads: int) -> Engine:
    """Load the engine asked for and check it on the artefact's golden input.

    Raises:
        EngineError: The engine is missing, or it does not reproduce the golden classes.
    """
    engine: Engine
    if name == "openvino":
        engine = OpenVinoEngine(artefact, num_threads=num_threads)
    else:
        engine = OnnxRuntimeEngine(
            artefact, num_threads=num_threads, provider="cuda" if name == "onnxruntime-cuda" else "cpu"
        )
    agreement = golden_agreement(engine, artefact)
    _log.info("engine loaded", extra={"profile": str(engine.profile), "golden_agreement": agreement})
    if agreement < MIN_GOLDEN_AGREEMENT:
        raise EngineError(
            f"{engine.profile} gives the expected class on {agreement:.2%} of the golden input of "
            f"{artefact.manifest.id}; {MIN_GOLDEN_AGREEMENT:.1%} are needed",
            remedy="this processor or runtime computes something else: try another --engine, and report it",
        )
    return engine


def golden_agreement(engine: Engine, artefact: Artefact) -> float:
    """The share of the golden input's pixels to which an engine gives the expected class, 0-1."""
    golden = artefact.golden()
    classes_NHW, _ = engine.segment(golden.image_NCHW)
    return float(np.mean(classes_NHW == golden.classes_NHW))
