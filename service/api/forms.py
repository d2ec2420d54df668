"""Parts of a form, received straight onto the disk: never into memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError, MultipartParseError
from python_multipart.multipart import parse_options_header

from service.api.problems import FieldError, MalformedRequest, PayloadTooLarge
from service.api.refusing import require_room
from service.api.uploadfolder import disk_answers
from service.rasters.opening import driver_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from python_multipart.multipart import MultipartCallbacks

    from service.api.uploadfolder import Upload

RASTER_FIELDS = ("file", "irc", "height")
"""Fields whose files are rasters."""
FILE_FIELDS = (*RASTER_FIELDS, "aoi")

MAX_FIELD_BYTES = 16 * 2**20
"""Most bytes of all fields that are no files, which are kept in memory; an area of interest may be long."""
MAX_PARTS = 2000
BATCH_BYTES = 2**20
"""Bytes handed to a thread at a time, that parses, hashes and writes them."""
HOW = "curl -F file=@ortho.tif http://localhost:8000/predict sends a file; JSON names one by `source`"
_HEAD_BYTES = 64


@dataclass
class Received:
    """What a request holds."""

    fields: dict[str, Any] = field(default_factory=dict)
    """Text of forms and queries, values of JSON; several of one name are a list."""
    files: dict[str, list[Upload]] = field(default_factory=dict)
    digests: list[tuple[str, str]] = field(default_factory=list)
    """Field and sha256 of each file, in the order they came."""

    def add_field(self, name: str, value: str) -> None:
        """Take a field of a form; one that comes again makes a list."""
        if name not in self.fields:
            self.fields[name] = value
        elif isinstance(self.fields[name], list):
            self.fields[name].append(value)
        else:
            self.fields[name] = [self.fields[name], value]

    @property
    def uploads(self) -> list[Upload]:
        """All files."""
        return [upload for uploads in self.files.values() for upload in uploads]

    def discard(self) -> None:
        """Remove all files, unless a job has taken them."""
        for upload in self.uploads:
            if not upload.users:
                upload.remove()


class FileSink:
    """One file on its way to the disk."""

    def __init__(self, name: str, upload: Upload, *, max_bytes: int, taken_bytes: int = 0) -> None:
        """Open it.

        Args:
            name: Of its field.
            upload: Where it goes.
            max_bytes: Of all files of its request together.
            taken_bytes: Those of the files before it.
        """
        self.upload = upload
        self.name = name
        self._max_bytes = max_bytes
        self._room = max_bytes - taken_bytes
        self.num_bytes = 0
        self._head = b""
        self._is_checked = name not in RASTER_FIELDS
        self._sha256 = hashlib.sha256()
        self._file: BinaryIO = upload.data.open("wb", buffering=BATCH_BYTES)

    def write(self, data: bytes) -> None:
        """Take more of the file.

        Raises:
            PayloadTooLarge: With it the files are larger than they may be together.
            UnsupportedFormat: It is no raster that is read; said as soon as its first bytes tell.
            DiskFull: There is no room for it.
        """
        self.num_bytes += len(data)
        if self.num_bytes > self._room:
            raise too_large(self._max_bytes)
        if not self._is_checked:
            self._head += data[:_HEAD_BYTES]
            if len(self._head) >= _HEAD_BYTES:
                self._check()
        self._sha256.update(data)
        require_room(self.upload.room, len(data))  # who sends in chunks does not say how much comes
        with disk_answers(self.upload.folder):
            self._file.write(data)

    def finish(self) -> str:
        """Say that this was all of it.

        Returns:
            Its sha256.

        Raises:
            UnsupportedFormat: It is no raster that is read.
        """
        if not self._is_checked:
            self._check()
        digest = self._sha256.hexdigest()
        with disk_answers(self.upload.folder):
            self._file.close()
            self.upload.complete(digest)
        return digest

    def close(self) -> None:
        """Let go of the file, whatever has come of it."""
        with disk_answers(self.upload.folder):
            self._file.close()

    def _check(self) -> None:
        driver_of(self._head, name=self.upload.about.name)
        self._is_checked = True


class FieldSink:
    """One field that is no file."""

    def __init__(self, name: str, *, room: int) -> None:
        self.name = name
        self._pieces: list[bytes] = []
        self._room = room
        self.num_bytes = 0

    def write(self, data: bytes) -> None:
        """Take more of the field.

        Raises:
            PayloadTooLarge: With it the fields of a form are longer than they may be together.
        """
        self.num_bytes += len(data)
        if self.num_bytes > self._room:
            raise PayloadTooLarge(
                f"{self.name}: fields of more than {MAX_FIELD_BYTES:,} bytes",
                remedy="send what is long as a file",
            )
        self._pieces.append(data)

    def text(self) -> str:
        """The field.

        Raises:
            FieldError: It is not UTF-8.
        """
        try:
            return b"".join(self._pieces).decode()
        except UnicodeDecodeError as error:
            raise FieldError(self.name, "is not UTF-8 text") from error


class FormReceiver:
    """Takes a multipart body piece by piece; call from one thread at a time."""

    def __init__(
        self, content_type: str, received: Received, create: Callable[[str], Upload], *, max_bytes: int
    ) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise MalformedRequest(
                "multipart/form-data without a boundary",
                remedy="let the client write Content-Type itself (curl -F, requests files=)",
            )
        self._received = received
        self._create = create
        self._max_bytes = max_bytes
        self._num_parts = 0
        self._num_file_bytes = self._num_field_bytes = 0
        self._is_ended = False
        self._headers: dict[bytes, bytes] = {}
        self._header_name = self._header_value = b""
        self._sink: FileSink | FieldSink | None = None
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise MalformedRequest(str(error)) from error

    def feed(self, data: bytes) -> None:
        """Take more of the body.

        Raises:
            MalformedRequest: It is no multipart body.
            ServiceError: A part of it is not taken.
        """
        try:
            self._parser.write(data)
        except (MultipartParseError, FormParserError) as error:
            raise MalformedRequest(f"the body is no multipart/form-data: {error}") from error

    def finish(self) -> None:
        """Say that this was all of the body.

        Raises:
            MalformedRequest: Its end is missing.
        """
        if not self._is_ended:
            raise MalformedRequest("the body ends before its last boundary", remedy="send all of it")

    def close(self) -> None:
        """Let go of whatever is open."""
        if isinstance(self._sink, FileSink):
            self._sink.close()

    def _on_part_begin(self) -> None:
        self._num_parts += 1
        if self._num_parts > MAX_PARTS:
            raise MalformedRequest(f"more than {MAX_PARTS} parts", remedy="send fewer files at once")
        self._headers = {}

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition"))
        if disposition != b"form-data" or b"name" not in options:
            raise MalformedRequest("a part does not say which field it is (Content-Disposition)")
        name = text_of(options[b"name"])
        if b"filename" not in options:
            self._sink = FieldSink(name, room=MAX_FIELD_BYTES - self._num_field_bytes)
            return
        if name not in FILE_FIELDS:
            raise FieldError(
                name, "takes no file", remedy=f"files are sent as {', '.join(FILE_FIELDS)}; {HOW}"
            )
        upload = self._create(text_of(options[b"filename"]))
        self._received.files.setdefault(name, []).append(upload)
        self._sink = FileSink(name, upload, max_bytes=self._max_bytes, taken_bytes=self._num_file_bytes)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        assert self._sink is not None, "data comes after headers"
        self._sink.write(data[start:end])

    def _on_part_end(self) -> None:
        if isinstance(self._sink, FileSink):
            self._received.digests.append((self._sink.name, self._sink.finish()))
            self._num_file_bytes += self._sink.num_bytes
        elif self._sink is not None:
            self._received.add_field(self._sink.name, self._sink.text())
            self._num_field_bytes += self._sink.num_bytes
        self._sink = None

    def _on_end(self) -> None:
        self._is_ended = True


def too_large(max_bytes: int) -> PayloadTooLarge:
    """More bytes than are taken; what to do about it."""
    return PayloadTooLarge(
        f"more than {max_bytes:,} bytes are not taken",
        remedy="cut or compress it (gdal_translate -co COMPRESS=DEFLATE), or have whoever runs the server"
        " raise ORTHOSCAPE_UPLOAD_MAX_BYTES",
    )


def text_of(raw: bytes) -> str:
    """Text that a header holds."""
    return raw.decode("utf-8", errors="replace")
