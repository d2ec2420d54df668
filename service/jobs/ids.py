"""Ids of jobs and maps, and tokens of leases."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, in lower case: no i, l, o, u to misread."""

_RANDOM_BITS = 80


def new_id() -> str:
    """Make an id of 26 characters that sorts by the time it was made and cannot be guessed.

    48 bits of milliseconds, then 80 random bits: the layout of ULID. Order in lists does not depend on it
    (machines' clocks differ); it keeps indices compact.
    """
    number = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def new_token() -> str:
    """Make a token of 32 characters, as random as can be."""
    return secrets.token_hex(16)
