"""ONNX Runtime, on CPU or CUDA."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from service.errors import EngineError
from service.inference.processor import processor_class
from service.planning.profile import ExecutionProfile

if TYPE_CHECKING:
    from models.artefact import Artefact
    from models.manifest import Precision
    from service.inference.engine import U8

Provider = Literal["cpu", "cuda"]
_PROVIDER_NAMES: dict[Provider, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def import_onnxruntime() -> Any:  # noqa: ANN401  the package carries no types
    """Import ONNX Runtime with its telemetry off.

    Its Linux wheels write a device id and an event database on import, so calling its API afterwards would
    be too late.

    Raises:
        EngineError: It is not installed.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime  # noqa: PLC0415  only after the variable is set
    except ImportError as error:
        raise EngineError(
            "ONNX Runtime is not installed",
            remedy="pip install -e '.[cpu]' in the clone, or '.[gpu]' on a machine with CUDA",
        ) from error
    return onnxruntime


class OnnxRuntimeEngine:
    """One ONNX Runtime session on one graph of an artefact."""

    def __init__(
        self,
        artefact: Artefact,
        *,
        num_threads: int,
        precision: Precision = "fp32",
        provider: Provider = "cpu",
    ) -> None:
        """Load the model.

        Args:
            artefact: Whose graph is run.
            num_threads: Threads inside one operator; changes no result.
            precision: Of the graph; never another than asked.
            provider: Where it runs; never another than asked.

        Raises:
            EngineError: ONNX Runtime or the provider is missing.
            PrecisionMissing: The artefact has no such graph.
        """
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.inter_op_num_threads = 1
        # Threads that spin while they wait would take the cores from reading and writing.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        name = _PROVIDER_NAMES[provider]
        if name not in onnxruntime.get_available_providers():
            raise EngineError(
                f"this ONNX Runtime has no {name}",
                remedy="pip install -e '.[gpu]' instead of '.[cpu]', or ask for another --engine",
            )
        self._session = onnxruntime.InferenceSession(
            artefact.model_path(precision), sess_options=options, providers=[name]
        )
        # The GPU wheel lists CUDA as available on machines without it: only the session tells.
        if self._session.get_providers()[0] != name:
            raise EngineError(
                f"{name} was asked for, the session runs on {self._session.get_providers()}",
                remedy="check the driver with nvidia-smi, or ask for another --engine",
            )
        spec = artefact.manifest.inputs[0]
        self._input_name = spec.name
        outputs = artefact.manifest.outputs
        self._output_names = [outputs.classes, outputs.confidence]
        self.profile = ExecutionProfile(
            engine="onnxruntime",
            engine_version=onnxruntime.__version__,
            precision=precision,
            provider=provider,
            processor=processor_class(),
            patch_px=spec.core_px + 2 * spec.halo_px,
            batch=1,
            artefact_digest=artefact.digest,
        )

    def segment(self, image_NCHW: U8) -> tuple[U8, U8]:
        """See `Engine.segment`."""
        classes, confidence = self._session.run(
            self._output_names, {self._input_name: np.ascontiguousarray(image_NCHW)}
        )
        return classes, confidence
