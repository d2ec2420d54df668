"""Keys: how one is made, and how one is recognised without being kept."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass

PREFIX = "ortho"
"""What every key starts with, so that people and scanners for leaked secrets recognise one."""

_ID_BYTES = 5
_SECRET_BYTES = 20
_FORM = re.compile(rf"{PREFIX}_([a-z2-7]{{8}})_[a-z2-7]{{32}}")


@dataclass(frozen=True)
class FreshKey:
    """A key that was just made: the one time that its text exists outside its owner's hands."""

    id: str
    """Public part, for lists, logs and revoking."""

    text: str
    """The whole key: shown once, never stored."""

    digest: str
    """What is stored instead."""


def make_key() -> FreshKey:
    """Make a key of 160 random bits behind a prefix and a public part."""
    key_id = _random_text(_ID_BYTES)
    text = f"{PREFIX}_{key_id}_{_random_text(_SECRET_BYTES)}"
    return FreshKey(id=key_id, text=text, digest=digest_of(text))


def digest_of(text: str) -> str:
    """SHA-256 of a key, in hexadecimal.

    Salt and slowness protect secrets that people choose; nobody guesses 160 random bits, however fast.
    """
    return hashlib.sha256(text.encode()).hexdigest()


def public_part(text: str) -> str | None:
    """The id that a key names, or None if the text has not the form of a key."""
    found = _FORM.fullmatch(text)
    return found[1] if found else None


def _random_text(num_bytes: int) -> str:
    return base64.b32encode(secrets.token_bytes(num_bytes)).decode().lower()
