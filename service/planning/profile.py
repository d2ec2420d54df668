"""The execution profile: how a job is executed, exactly."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, get_args

from models.manifest import Precision

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, kw_only=True)
class ExecutionProfile:
    """What must be equal for two machines to give identical bytes.

    Within a profile results are bit-identical; across profiles nearly all pixels agree. It enters the key
    of a job and the provenance of a map. The number of threads is not part of it: it changes no result.
    """

    engine: str
    """``onnxruntime``, ``openvino`` or ``stub``."""
    engine_version: str
    """Version of the runtime's package."""
    precision: Precision
    """What the graph computes in."""
    provider: str
    """``cpu`` or ``cuda``."""
    processor: str
    """Class of processor whose kernels are chosen, such as ``x86_64-avx512``."""
    patch_px: int
    """Side of a patch away from the edge of data, in pixels."""
    batch: int
    """Patches given to the network at once."""
    artefact_digest: str
    """Digest of the model's artefact."""

    @property
    def key(self) -> str:
        """A short digest of all of it."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    @property
    def profile_class(self) -> str:
        """All of it but the model: what a machine can offer; also the name of its queue."""
        parts = (self.engine, self.engine_version, self.precision, self.provider, self.processor)
        return "-".join(part.replace(" ", "_") for part in parts)

    def __str__(self) -> str:
        return f"{self.engine} {self.engine_version} {self.precision} {self.provider} {self.processor}"


def computes_in(profile_class: str, precisions: Collection[Precision]) -> bool:
    """Whether machines of a profile class compute in one of some precisions.

    A class that names none is not passed over: whoever takes the job says why it cannot.
    """
    named = [precision for precision in get_args(Precision) if f"-{precision}-" in profile_class]
    return not named or named[0] in precisions
