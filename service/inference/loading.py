"""From an artefact to an engine that proved itself on the golden input."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, get_args

import numpy as np

from models.manifest import Precision
from service.errors import EngineError
from service.inference.offering import require_offered
from service.inference.onnx_engine import OnnxRuntimeEngine
from service.inference.openvino_engine import OpenVinoEngine
from service.settings import EngineName

if TYPE_CHECKING:
    from models.artefact import Artefact
    from service.inference.engine import Engine

ENGINE_NAMES: tuple[EngineName, ...] = get_args(EngineName)

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

MIN_GOLDEN_AGREEMENT = 0.999
"""Share of the golden input's pixels to which an engine must give the class that this very graph gave at
export: any engine in fp32, ONNX Runtime in int8 too, where all sums are exact."""

MIN_ROUNDED_AGREEMENT = 0.98
"""The same where an engine may round otherwise: fp16 on any GPU, int8 in OpenVINO. A random network on noise
still agrees on 98.7 %; zero points or sums that are wrong leave far less."""

_log = logging.getLogger(__name__)


def load_engine(
    artefact: Artefact, *, name: EngineName, num_threads: int, precision: Precision = "fp32"
) -> Engine:
    """Load the engine asked for and check it on the artefact's golden input.

    Raises:
        EngineError: The engine is missing, does not compute in this precision, or does not reproduce the
            golden classes.
        PrecisionMissing: The artefact has no graph of this precision.
    """
    require_offered(name, precision)
    engine: Engine
    if name == "openvino":
        engine = OpenVinoEngine(artefact, num_threads=num_threads, precision=precision)
    else:
        engine = OnnxRuntimeEngine(
            artefact,
            num_threads=num_threads,
            precision=precision,
            provider="cuda" if name == "onnxruntime-cuda" else "cpu",
        )
    agreement, wanted = golden_agreement(engine, artefact), _wanted_agreement(name, precision)
    _log.info("engine loaded", extra={"profile": str(engine.profile), "golden_agreement": agreement})
    if agreement < wanted:
        raise EngineError(
            f"{engine.profile} gives the expected class on {agreement:.2%} of the golden input of "
            f"{artefact.manifest.id}; {wanted:.1%} are needed",
            remedy="this processor or runtime computes something else: try another --engine, and report it",
        )
    return engine


def _wanted_agreement(name: EngineName, precision: Precision) -> float:
    is_exact = precision == "fp32" or (precision == "int8" and name == "onnxruntime")
    return MIN_GOLDEN_AGREEMENT if is_exact else MIN_ROUNDED_AGREEMENT


def golden_agreement(engine: Engine, artefact: Artefact) -> float:
    """The share of the golden input's pixels to which an engine gives its graph's class at export, 0-1."""
    golden = artefact.golden()
    classes_NHW, _ = engine.segment(golden.image_NCHW)
    return float(np.mean(classes_NHW == golden.expected_classes(engine.profile.precision)))
