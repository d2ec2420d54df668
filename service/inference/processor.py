"""The class of this machine's processor."""

from __future__ import annotations

import platform
from pathlib import Path


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
