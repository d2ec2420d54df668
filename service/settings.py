"""Settings of every process, read once at its door and passed on as arguments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from models.manifest import Precision

SECRETS_FOLDER = Path("/run/secrets")
"""Where Docker and Kubernetes put secrets: a file ``orthoscape_store_url`` there is that setting's value."""


STORE_NAME = "orthoscape.sqlite"
"""The job store in the home folder, where no other is named."""


def _default_home() -> Path:
    """Where models and caches live: the platform's data folder, or its nearest likeness."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "orthoscape"


EngineName = Literal["onnxruntime", "onnxruntime-cuda", "openvino"]
"""What runs models; see `service.inference.loading`."""


class Settings(BaseSettings):
    """How this machine runs Orthoscape; every field is ``ORTHOSCAPE_<NAME>`` in the environment, or a secret.

    Nothing here changes a result but ``engine`` and ``precision``, which each map names: what does belongs to
    the model's manifest or to the request.
    """

    model_config = SettingsConfigDict(
        env_prefix="ORTHOSCAPE_", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    home: Path = Field(default_factory=_default_home)
    """Folder of installed models, uploads, maps, staged copies, and of the store where it is SQLite."""

    threads: int = Field(default=0, ge=0)
    """Threads of the engine; 0 takes every core this process may use."""

    block_cores: int = Field(default=0, ge=0)
    """Side of a block, in cores of the model at hand; 0 takes 2, and 1 for maps that would be few blocks."""

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

    disk_kept_free_bytes: NonNegativeInt = 256 * 2**20
    """Disk left free: below it uploads and new jobs are refused and workers wait for room, in bytes."""

    map_keep_s: NonNegativeFloat = 0.0
    """Maps are deleted this long after their job is over, in seconds; 0 keeps them until they are deleted."""

    store_url: str = ""
    """SQLAlchemy address of the job store; empty is SQLite in the home folder."""

    broker_url: str = ""
    """Address of the Redis that carries the bell; empty lets `serve` start a private one."""

    staging: Path | None = None
    """Folder of staged copies; of this machine alone, where several share the home folder."""

    engine: EngineName = "onnxruntime"
    """The engine of this machine's workers."""

    precision: Precision = "fp32"
    """What its networks compute in; models without a graph of that precision are not run on this machine."""

    lease_s: PositiveFloat = 20.0
    """A worker that is not heard of for this long loses what it leased, in seconds."""

    block_timeout_s: PositiveFloat = 600.0
    """A worker that finishes no core for this long ends itself, in seconds."""

    max_attempts: PositiveInt = 3
    """Times that a block may fail, or end the process that works on it, before it is given up; it may lose
    its whole worker four times as often."""

    has_pictures: bool = True
    """Whether workers keep a compressed copy of the image beside each map, for the page's image layer."""

    host: str = "127.0.0.1"
    """Address that the server binds; any other than this machine's own asks for keys."""

    port: PositiveInt = 8000
    """Port that the server binds."""

    published_host: str = ""
    """Address on which a container's port is published, which it cannot see from inside; empty is `host`."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose ``X-Forwarded-*`` headers are believed; a JSON list, ``["*"]`` for all."""

    public_url: str = ""
    """Address under which users reach the server, for absolute links; empty takes the request's own."""

    open_to_all: bool = False
    """Serve other machines without keys."""

    source_folders: tuple[Path, ...] = ()
    """Folders whose rasters may be named in requests by path; a JSON list in the environment."""

    example: Path | None = None
    """An orthophoto that anybody may have mapped, as ``example`` and by the page's button; none where it is
    not there."""

    upload_max_bytes: PositiveInt = 100 * 2**30
    """Largest file accepted, in bytes."""

    upload_keep_s: PositiveFloat = 7 * 24 * 3600.0
    """Unfinished and unused uploads are removed after this long, in seconds."""

    requests_per_minute: int = Field(default=0, ge=0)
    """Requests a key, or an address where there are no keys, may make but for tiles; 0 for no limit."""

    log: Literal["text", "json"] = "text"
    """How log lines look; JSON for machines that collect them."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where values come from: arguments, the environment, the secrets that a container was given."""
        if os.access(SECRETS_FOLDER, os.R_OK | os.X_OK):
            file_secret_settings = SecretsSettingsSource(settings_cls, secrets_dir=SECRETS_FOLDER)
        return init_settings, env_settings, dotenv_settings, file_secret_settings

    @property
    def models_folder(self) -> Path:
        """Where artefacts that did not come with the program are installed."""
        return self.home / "models"

    @property
    def staging_folder(self) -> Path:
        """Where untiled sources are copied to."""
        return self.staging or self.home / "staging"

    @property
    def maps_folder(self) -> Path:
        """Where maps live, each in a folder of its own."""
        return self.home / "maps"

    @property
    def uploads_folder(self) -> Path:
        """Where files that users send live, each in a folder of its own."""
        return self.home / "uploads"

    @property
    def offered_example(self) -> Path | None:
        """The example, absolute; None where none is named or it is not there."""
        return self.example.resolve() if self.example and self.example.is_file() else None

    @property
    def resolved_store_url(self) -> str:
        """Address of the job store."""
        return self.store_url or f"sqlite:///{self.home.resolve() / STORE_NAME}"

    @property
    def num_threads(self) -> int:
        """Threads of the engine, resolved."""
        return self.threads or usable_cores()


def usable_cores() -> int:
    """Cores that this process may use; a container or `taskset` may leave it fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
