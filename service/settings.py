"""Settings of every process, read once at its door and passed on as arguments."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_home() -> Path:
    """Where models and caches live: the platform's data folder, or its nearest likeness."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "orthoscape"


class Settings(BaseSettings):
    """How this machine runs Orthoscape; every field is ``ORTHOSCAPE_<NAME>`` in the environment.

    Nothing here changes a result: what does belongs to the model's manifest or to the request.
    """

    model_config = SettingsConfigDict(env_prefix="ORTHOSCAPE_", frozen=True, extra="forbid")

    home: Path = Field(default_factory=_default_home)
    """Folder of installed models (``models/``) and of staged copies (``staging/``)."""

    threads: int = Field(default=0, ge=0)
    """Threads of the engine; 0 takes every core this process may use."""

    block_cores: PositiveInt = 2
    """Side of a block, in cores of the model at hand."""

    run_blocks: PositiveInt = 4
    """Most blocks side by side in a run; bounds the memory that reading takes."""

    queue_patches: PositiveInt = 4
    """Patches read ahead of the engine, and results waiting to be written."""

    reader_memory_bytes: PositiveInt = 4 * 2**30
    """Most address space of the child process that opens files of users, in bytes."""

    reader_timeout_s: PositiveFloat = 300.0
    """Longest that one request to that child process may take, in seconds."""

    gdal_cache_bytes: PositiveInt = 64 * 2**20
    """GDAL's block cache of each process, in bytes."""

    staging_max_bytes: PositiveInt = 20 * 2**30
    """Most disk that staged copies of untiled sources may take, in bytes."""

    max_scene_px: PositiveInt = 40_000_000_000
    """Largest scene accepted, in pixels."""

    @property
    def models_folder(self) -> Path:
        """Where artefacts that did not come with the program are installed."""
        return self.home / "models"

    @property
    def staging_folder(self) -> Path:
        """Where untiled sources are copied to."""
        return self.home / "staging"

    @property
    def num_threads(self) -> int:
        """Threads of the engine, resolved."""
        if self.threads:
            return self.threads
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
