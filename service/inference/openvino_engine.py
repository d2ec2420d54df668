"""OpenVINO on CPU, where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.errors import EngineError
from service.inference.processor import processor_class
from service.planning.profile import ExecutionProfile

if TYPE_CHECKING:
    from models.artefact import Artefact
    from models.manifest import Precision
    from service.inference.engine import U8


class OpenVinoEngine:
    """One compiled OpenVINO model on one graph of an artefact."""

    def __init__(self, artefact: Artefact, *, num_threads: int, precision: Precision = "fp32") -> None:
        """Compile the model; see `OnnxRuntimeEngine` for the arguments.

        Raises:
            EngineError: OpenVINO is not installed.
            PrecisionMissing: The artefact has no such graph.
        """
        try:
            import openvino  # noqa: PLC0415  an extra
        except ImportError as error:
            raise EngineError(
                "OpenVINO is not installed", remedy="pip install -e '.[openvino]' in the clone"
            ) from error
        core = openvino.Core()
        model = core.read_model(artefact.model_path(precision))
        outputs = artefact.manifest.outputs
        # Every output is computed and copied, asked for or not; logits take a third of the whole time.
        for result in model.get_results():
            if outputs.logits in result.input_value(0).get_names():
                model.remove_result(result)
        self._model = core.compile_model(
            model,
            "CPU",
            {
                # Its own choice would be bfloat16 where the processor has it: another precision, silently. A
                # graph in int8 is run in int8, and only what it leaves in float is meant here.
                "INFERENCE_PRECISION_HINT": "f32",
                "INFERENCE_NUM_THREADS": num_threads,
                "PERFORMANCE_HINT": "LATENCY",
            },
        )
        spec = artefact.manifest.inputs[0]
        self._output_names = [outputs.classes, outputs.confidence]
        self.profile = ExecutionProfile(
            engine="openvino",
            engine_version=openvino.__version__.split("-")[0],
            precision=precision,
            provider="cpu",
            processor=processor_class(),
            patch_px=spec.core_px + 2 * spec.halo_px,
            batch=1,
            artefact_digest=artefact.digest,
        )

    def segment(self, image_NCHW: U8) -> tuple[U8, U8]:
        """See `Engine.segment`."""
        result = self._model(np.ascontiguousarray(image_NCHW))
        classes, confidence = (np.array(result[name], dtype=np.uint8) for name in self._output_names)
        return classes, confidence
