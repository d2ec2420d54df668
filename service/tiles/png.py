"""Palette PNGs, written by hand: ten times faster than a general writer, half the bytes of RGBA."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from isal import isal_zlib

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
    numbers_HW = table.number_of_256[values_HW]
    occurring_N = np.flatnonzero(np.bincount(numbers_HW.reshape(-1), minlength=1))
    if occurring_N.size == 1 and occurring_N[0] == 0:
        return empty_png(*values_HW.shape)
    shown_N = occurring_N[occurring_N > 0]
    renumbered_256 = np.zeros(256, dtype=np.uint8)
    renumbered_256[shown_N] = np.arange(1, shown_N.size + 1)
    colours_N3 = np.concatenate([table.colours_N3[:1], table.colours_N3[shown_N]])
    return _encode(renumbered_256[numbers_HW], colours_N3)


@lru_cache(maxsize=16)
def empty_png(height: int, width: int) -> bytes:
    """A wholly transparent PNG."""
    return _encode(np.zeros((height, width), dtype=np.uint8), np.zeros((1, 3), dtype=np.uint8))


def _encode(numbers_HW: U8, colours_N3: U8) -> bytes:
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
            _chunk(b"tRNS", b"\x00"),  # colour 0
            _chunk(b"IDAT", isal_zlib.compress(lines_HB, _LEVEL)),
            _END,
        )
    )


def _packed(numbers_HW: U8, depth: int) -> U8:
    """Several pixels to a byte, the first in its highest bits; rows are filled up with 0."""
    if depth == 8:
        return numbers_HW
    per_byte = 8 // depth
    gap = -numbers_HW.shape[1] % per_byte
    if gap:
        numbers_HW = np.pad(numbers_HW, ((0, 0), (0, gap)))
    packed_HB = np.zeros((numbers_HW.shape[0], numbers_HW.shape[1] // per_byte), dtype=np.uint8)
    for place in range(per_byte):
        packed_HB |= numbers_HW[:, place::per_byte] << np.uint8(8 - depth * (place + 1))
    return packed_HB


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))
