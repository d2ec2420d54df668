"""The execution profile: how a job is executed, exactly."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path


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
    precision: str
    """``fp32``, ``int8``..."""
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

    def __str__(self) -> str:
        return f"{self.engine} {self.engine_version} {self.precision} {self.provider} {self.processor}"


def processor_class(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The architecture and the widest vector instructions that runtimes choose their kernels by.

    Where the flags cannot be read (not Linux), the architecture alone.
    """
    machine = platform.machine().lower()
    try:
        text = cpuinfo.read_text()
    except OSError:
        return machine
    flags = next((line.split() for line in text.splitlines() if line.startswith(("flags", "Features"))), [])
    for flag, name in (
        ("amx_tile", "amx"),
        ("avx512_vnni", "avx512-vnni"),
        ("avx512f", "avx512"),
        ("avx2", "avx2"),
        ("asimd", "neon"),
    ):
        if flag in flags:
            return f"{machine}-{name}"
    return machine
