"""Growing an upload: pieces are kept as they come, so that a cut costs no more than what was in flight."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

import anyio

from service.api.problems import MediaTypeRefused, PayloadTooLarge
from service.api.refusing import require_room
from service.api.uploadfolder import UploadUnknown, disk_answers
from service.errors import Conflict
from service.rasters.errors import UnsupportedFormat
from service.rasters.opening import driver_of
from service.rasters.polygons import VECTOR_MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.api.receiving import Body
    from service.api.tus import Checksum
    from service.api.uploadfolder import Upload

_HEAD_BYTES = 64


class OffsetWrong(Conflict):
    """A piece does not begin where the upload ends."""


class UploadLocked(Conflict):
    """Another request is sending to this upload at this moment."""

    headers: Mapping[str, str] = MappingProxyType({"Retry-After": "2"})


class Piece:
    """One request's bytes, appended to an upload; synchronous, one thread at a time."""

    def __init__(self, upload: Upload, file: BinaryIO, *, offset: int, checksum: Checksum | None) -> None:
        self._upload = upload
        self._file = file
        self._offset = offset
        self._checksum = checksum
        self._is_refused = False
        self.num_bytes = offset

    def write(self, data: bytes) -> None:
        """Take more of the piece.

        Raises:
            PayloadTooLarge: It is longer than the upload said it would be.
            MediaTypeRefused: It is nothing that is read; said as soon as the first bytes tell.
            DiskFull: There is no room for it.
        """
        size = self._upload.about.size or 0
        if self.num_bytes + len(data) > size:
            raise PayloadTooLarge(
                f"upload {self._upload.id} has {size:,} bytes, as its Upload-Length said; this piece goes on"
                f" to byte {self.num_bytes + len(data):,} or further",
                remedy="send no more than that, or start anew with the right Upload-Length: POST /uploads",
            )
        if self._checksum is not None:
            self._checksum.update(data)
        was_short = self.num_bytes < _HEAD_BYTES
        require_room(self._upload.room, len(data))  # others may have filled it since the upload began
        with disk_answers(self._upload.folder):
            self._file.write(data)
            self._file.flush()
        self.num_bytes += len(data)
        if was_short and self.num_bytes >= min(_HEAD_BYTES, size):
            self._require_known()

    def finish(self) -> None:
        """Say that the piece was sent to its end.

        Raises:
            ChecksumWrong: It arrived damaged, and is taken back.
        """
        if self._checksum is not None:
            try:
                self._checksum.require()
            except BaseException:
                self._take_back()
                raise

    def close(self, *, is_sent: bool) -> None:
        """Keep what came, safe from power cuts; of a piece with a checksum that was cut off, nothing."""
        if self._checksum is not None and not is_sent:
            self._take_back()
        with disk_answers(self._upload.folder):
            os.fsync(self._file.fileno())
        if self.num_bytes == self._upload.about.size and not self._is_refused:
            self._upload.complete()

    def _require_known(self) -> None:
        """Refuse, and remove, an upload whose first bytes are of nothing that is read here.

        Raises:
            MediaTypeRefused: They are not.
        """
        with self._upload.data.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if head.startswith(VECTOR_MAGIC) or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return  # an area of interest
        try:
            driver_of(head, name=self._upload.about.name)
        except UnsupportedFormat as error:
            self._is_refused = True
            self._upload.remove()
            raise MediaTypeRefused(error.message, remedy=error.remedy) from error

    def _take_back(self) -> None:
        self._file.truncate(self._offset)
        self.num_bytes = self._offset


async def append(upload: Upload, body: Body, *, offset: int, checksum: Checksum | None) -> int:
    """Append a request's body to an upload; whatever came before a cut is kept.

    Args:
        upload: Of the caller.
        body: Not read yet.
        offset: Where the caller believes that the upload ends.
        checksum: Of the whole body, or None.

    Returns:
        Where the upload ends now.

    Raises:
        OffsetWrong: It ends elsewhere.
        UploadLocked: Another request is sending to it.
        ServiceError: See `Piece`.
    """
    with _locked(upload) as file:
        there = upload.num_bytes
        if offset != there:
            raise OffsetWrong(
                f"upload {upload.id} ends at {there}, the piece begins at {offset}",
                remedy=f"ask with HEAD /uploads/{upload.id}, and go on from its Upload-Offset",
            )
        piece, is_sent = Piece(upload, file, offset=offset, checksum=checksum), False
        try:
            async for data in body.batches():
                await anyio.to_thread.run_sync(piece.write, data)
            piece.finish()
            is_sent = True
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(lambda: piece.close(is_sent=is_sent))
    return piece.num_bytes


@contextmanager
def _locked(upload: Upload) -> Iterator[BinaryIO]:
    """The upload's file, open for this request alone, among all processes.

    Raises:
        UploadLocked: Another has it open.
        UploadUnknown: It was removed meanwhile.
    """
    try:
        file = upload.data.open("ab", buffering=0)
    except FileNotFoundError as error:
        raise UploadUnknown(f"no upload {upload.id!r}", remedy="start anew: POST /uploads") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UploadLocked(
                f"another request is sending to upload {upload.id}",
                remedy="wait for it, or for its connection to time out, and ask with HEAD where to go on",
            ) from error
        yield file
