"""The words of tus 1.0.0 (https://tus.io/protocols/resumable-upload), read and checked."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from service.api.problems import (
    ChecksumWrong,
    MalformedRequest,
    MediaTypeRefused,
    PreconditionRefused,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
CHECKSUMS = ("sha1", "sha256")
OFFSET_TYPE = "application/offset+octet-stream"


def require_version(headers: Mapping[str, str]) -> None:
    """Refuse another version of the protocol than this.

    Raises:
        PreconditionRefused: It is another, or none is said.
    """
    said = headers.get("tus-resumable")
    if said != VERSION:
        error = PreconditionRefused(
            f"tus {said} is not spoken here" if said else "the header Tus-Resumable is missing",
            remedy=f"send Tus-Resumable: {VERSION}, as every tus client does; see https://tus.io",
        )
        error.headers = {"Tus-Version": VERSION, "Tus-Resumable": VERSION}
        raise error


def require_offset_type(headers: Mapping[str, str]) -> None:
    """Refuse bytes that do not say that they are some of an upload's.

    Raises:
        MediaTypeRefused: They do not.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != OFFSET_TYPE:
        raise MediaTypeRefused(
            f"{kind or 'a body without Content-Type'} is not read", remedy=f"send Content-Type: {OFFSET_TYPE}"
        )


def number(headers: Mapping[str, str], name: str) -> int:
    """A header that is a number of bytes.

    Raises:
        MalformedRequest: It is missing, or none.
    """
    text = headers.get(name.lower(), "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise MalformedRequest(f"{name} should be a number of bytes, and is {text[:40]!r}")
    return int(text)


def metadata(text: str) -> dict[str, str]:
    """Upload-Metadata: names and base64 values, by commas.

    Raises:
        MalformedRequest: It is not that.
    """
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode("utf-8", errors="replace")
        except binascii.Error as error:
            raise MalformedRequest(f"Upload-Metadata: {name[:40]!r} is not base64") from error
    return found


class Checksum:
    """What a sender says that a piece of an upload sums up to."""

    def __init__(self, header: str) -> None:
        """Read the header.

        Args:
            header: ``algorithm base64``.

        Raises:
            MalformedRequest: It is not that, or the algorithm is unknown.
        """
        algorithm, _, value = header.strip().partition(" ")
        if algorithm not in CHECKSUMS:
            raise MalformedRequest(
                f"Upload-Checksum: {algorithm[:40]!r} is unknown", remedy=f"use one of {', '.join(CHECKSUMS)}"
            )
        try:
            self._expected = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise MalformedRequest("Upload-Checksum is not base64") from error
        self._hash = hashlib.new(algorithm, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        """Take more of the piece."""
        self._hash.update(data)

    def require(self) -> None:
        """Refuse a piece that sums up to something else.

        Raises:
            ChecksumWrong: It does.
        """
        if self._hash.digest() != self._expected:
            raise ChecksumWrong("the piece arrived damaged", remedy="send it again, from the same offset")
