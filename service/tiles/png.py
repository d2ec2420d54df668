"""Palette PNGs, written by hand: ten times faster than a general writer, half the bytes of RGBA."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from isal import isal_zlib
from PIL import Image

if TYPE_CHECKING:
    from service.tiles.palette import ColourTable

U8 = np.typing.NDArray[np.uint8]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_PALETTE = 3
_LEVEL = 1
"""Of isal's deflate, 0-3."""


def encode_png(values_HW: U8, table: ColourTable) -> bytes:
    """Draw values in the colours of a table; only the colours that occur are told, at the least bit depth.

    Source:
        Portable Network Graphics (PNG) Specification, third edition, W3C 2025.
    """
    occurring_N = np.flatnonzero(Image.fromarray(values_HW).histogram())  # numpy's takes twice as long
    shown_N = np.unique(table.number_of_256[occurring_N])  # transparent, which is 0, comes first
    if shown_N.size == 1 and shown_N[0] == 0:
        return empty_png(*values_HW.shape)
    position_256 = np.zeros(256, dtype=np.uint8)
    position_256[occurring_N] = np.searchsorted(shown_N, table.number_of_256[occurring_N])
    numbers_HW = position_256.take(values_HW)
    return _encode(numbers_HW, table.colours_N3[shown_N], has_transparent=bool(shown_N[0] == 0))


@lru_cache(maxsize=16)
def empty_png(height: int, width: int) -> bytes:
    """A wholly transparent PNG."""
    nothing_HW = np.zeros((height, width), dtype=np.uint8)
    return _encode(nothing_HW, np.zeros((1, 3), dtype=np.uint8), has_transparent=True)


def _encode(numbers_HW: U8, colours_N3: U8, *, has_transparent: bool) -> bytes:
    """Write colour numbers; number 0 is transparent if any is."""
    height, width = numbers_HW.shape
    depth = next(bits for bits in (1, 2, 4, 8) if len(colours_N3) <= 1 << bits)
    packed_HB = _packed(numbers_HW, depth)
    lines_HB = np.zeros((height, 1 + packed_HB.shape[1]), dtype=np.uint8)  # each begins with its filter: none
    lines_HB[:, 1:] = packed_HB
    header = struct.pack(">IIBBBBB", width, height, depth, _PALETTE, 0, 0, 0)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", colours_N3.tobytes()),
            _chunk(b"tRNS", b"\x00") if has_transparent else b"",
            _chunk(b"IDAT", isal_zlib.compress(lines_HB, _LEVEL)),
            _END,
        )
    )


def _packed(numbers_HW: U8, depth: int) -> U8:
    """Several pixels to a byte, the first in its highest bits; rows are filled up with 0."""
    gap = -numbers_HW.shape[1] % (8 // depth)
    if gap:
        numbers_HW = np.pad(numbers_HW, ((0, 0), (0, gap)))
    while depth < 8:
        pairs_HW = numbers_HW.view("<u2")  # the first of two in the low byte
        numbers_HW = ((pairs_HW << depth) | (pairs_HW >> 8)).astype(np.uint8)
        depth *= 2
    return numbers_HW


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))
