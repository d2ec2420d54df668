"""Files that users send, on disk: each in a folder of its own that tells all of it.

::

    <uploads>/<id>/
        about.json      whose it is, what it is called, how large it will be; written once
        data/<name>     the bytes; as many as are here count as received
        whole           there once every byte is; holds the sha256, if it was taken on the way
        jobs/<job id>   a job that reads it

Any process can take an upload up where another left it: nothing of its state lies anywhere else.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import time
import unicodedata
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from service.api.refusing import disk_full, require_room
from service.errors import Conflict, NotFound
from service.jobs.ids import new_id
from service.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_NAME_BYTES = 200
_ID = re.compile(r"[0-9a-z]{26}")
_UNSAFE = re.compile(r"[^\w.() -]+")
_ABANDONED_S = 3600.0
"""A file that came with a request, and stopped coming this long ago, is nobody's any more."""


class UploadUnknown(NotFound):
    """There is no such upload, or none of this owner."""


class UploadInUse(Conflict):
    """A job that is not over yet reads this upload."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of an upload from its start."""

    owner: str
    name: str
    """As it lies on disk: the user's, made harmless."""
    size: int | None
    """Bytes in all; None for a file that comes with a request, which ends where it ends."""
    created: float
    """Seconds since 1970."""
    metadata: str = ""
    """As the sender wrote it; tus gives it back."""

    @property
    def is_resumable(self) -> bool:
        """Whether its sender may come back to go on."""
        return self.size is not None


@dataclass(frozen=True)
class Upload:
    """One file that was sent, or is being sent."""

    folder: Path
    room: Room
    """On its disk."""

    @property
    def id(self) -> str:
        """Its name in requests: ``upload:<id>``."""
        return self.folder.name

    @cached_property
    def about(self) -> About:
        """What is known of it from its start."""
        return About(**json.loads((self.folder / "about.json").read_text(encoding="utf-8")))

    @property
    def data(self) -> Path:
        """The file itself."""
        return self.folder / "data" / self.about.name

    @property
    def num_bytes(self) -> int:
        """Bytes that are here."""
        return self.data.stat().st_size

    @property
    def is_whole(self) -> bool:
        """Whether every byte is here."""
        return (self.folder / "whole").exists()

    @property
    def last_change(self) -> float:
        """When it last grew or was completed, in seconds since 1970."""
        return max(self.data.stat().st_mtime, self.folder.stat().st_mtime)

    def complete(self, sha256: str = "") -> None:
        """Say that every byte is here, and safe."""
        sync_file(self.data)
        _write_safely(self.folder / "whole", sha256)

    def use(self, job_id: str) -> None:
        """Keep the file for a job."""
        (self.folder / "jobs").mkdir(exist_ok=True)
        (self.folder / "jobs" / job_id).touch()

    @property
    def users(self) -> list[str]:
        """Ids of the jobs that read it."""
        jobs = self.folder / "jobs"
        return sorted(job.name for job in jobs.iterdir()) if jobs.is_dir() else []

    def release(self, job_id: str) -> None:
        """Forget a job; what came with a request goes with the last job that read it."""
        (self.folder / "jobs" / job_id).unlink(missing_ok=True)
        if not self.about.is_resumable and not self.users:
            self.remove()

    def remove(self) -> None:
        """Delete all of it; whoever still writes does so into nothing."""
        gone = self.folder.with_name(f".{self.id}.removed")
        try:
            self.folder.rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone, ignore_errors=True)


class UploadFolder:
    """All uploads of a service."""

    def __init__(self, path: Path, *, kept_free_bytes: int) -> None:
        """Take the folder; it is made when the first upload comes.

        Args:
            path: The same for every process of the service.
            kept_free_bytes: Disk that uploads leave free.
        """
        self.path = path
        self._room = Room(folder=path, kept_free_bytes=kept_free_bytes)

    def create(self, *, owner: str, name: str, size: int | None, metadata: str = "") -> Upload:
        """Start an upload.

        Args:
            owner: Who may go on with it and use it.
            name: As the sender calls it; a path or worse is made a plain name.
            size: Bytes in all, None for a file that comes with a request.
            metadata: Kept as it is.

        Raises:
            DiskFull: There is no room for it.
        """
        with disk_answers(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self.require_room(size or 0)
            upload = self._upload(new_id())
            about = About(
                owner=owner, name=safe_name(name), size=size, created=time.time(), metadata=metadata
            )
            (upload.folder / "data").mkdir(parents=True)
            (upload.folder / "data" / about.name).touch()
            _write_safely(upload.folder / "about.json", json.dumps(asdict(about)))
        return upload

    def require_room(self, num_bytes: int) -> None:
        """Refuse what the disk could not hold.

        Raises:
            DiskFull: It could not.
        """
        require_room(self._room, num_bytes)

    def get(self, upload_id: str, *, owner: str | None) -> Upload:
        """Find an upload.

        Args:
            upload_id: As a request names it.
            owner: Whose it must be; None sees everybody's.

        Raises:
            UploadUnknown: There is none, or it is another's.
        """
        upload = self._upload(upload_id)
        is_there = _ID.fullmatch(upload_id) is not None and (upload.folder / "about.json").is_file()
        if is_there and owner in (None, upload.about.owner):
            return upload
        raise UploadUnknown(
            f"no upload {upload_id!r}", remedy="it may have expired: send the file again, POST /uploads"
        )

    def _upload(self, upload_id: str) -> Upload:
        return Upload(self.path / upload_id, self._room)

    def holding(self, path: str) -> Upload | None:
        """The upload that a file belongs to, or None if it is no upload's."""
        try:
            inside = Path(path).relative_to(self.path.resolve())
        except ValueError:
            return None
        return self._upload(inside.parts[0])

    def sweep(self, *, keep_s: float, is_active: Callable[[str], bool]) -> int:
        """Remove what nobody needs any more.

        Args:
            keep_s: How long an upload is kept after it last changed, unless a job reads it.
            is_active: Whether a job may still read its files.

        Returns:
            How many were removed.
        """
        now, num_removed = time.time(), 0
        for folder in self.path.iterdir() if self.path.is_dir() else ():
            if folder.name.startswith("."):
                shutil.rmtree(folder, ignore_errors=True)  # a removal that was interrupted
                continue
            upload = self._upload(folder.name)
            try:
                idle_s = now - upload.last_change
                is_abandoned = not upload.is_whole and not upload.about.is_resumable
            except (OSError, ValueError, TypeError):  # its start was interrupted
                idle_s, is_abandoned = now - folder.stat().st_mtime, True
            kept_s = _ABANDONED_S if is_abandoned else keep_s
            if idle_s > kept_s and not any(is_active(job_id) for job_id in upload.users):
                upload.remove()
                num_removed += 1
        return num_removed


def safe_name(name: str) -> str:
    """A plain file name that says what the user's said: no folders, no control characters, not hidden.

    >>> safe_name("../../etc/passwd"), safe_name("my maps/Ortho 2024.tif"), safe_name("..")
    ('passwd', 'Ortho 2024.tif', 'file')
    """
    plain = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    plain = _UNSAFE.sub("_", plain).strip(". ")
    stem, dot, suffix = plain.rpartition(".")
    if len(plain.encode()) > MAX_NAME_BYTES and dot and len(suffix.encode()) <= 8:
        plain = _cut(stem, MAX_NAME_BYTES - len(suffix.encode()) - 1) + dot + suffix
    return _cut(plain, MAX_NAME_BYTES).strip(". ") or "file"


def _cut(text: str, num_bytes: int) -> str:
    """As much of a text as fits into so many bytes; file systems count those."""
    return text.encode()[:num_bytes].decode(errors="ignore")


@contextmanager
def disk_answers(path: Path) -> Iterator[None]:
    """Turn a full disk into an answer.

    Raises:
        DiskFull: Writing failed for want of room.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise disk_full(f"{error.strerror} in {path.name}") from error


def sync_file(path: Path) -> None:
    """See that what was written to a file outlives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_safely(path: Path, text: str) -> None:
    """Write a small file that is either whole or not there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    sync_file(temporary)
    temporary.replace(path)
