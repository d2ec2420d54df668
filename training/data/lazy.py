"""Arrays that are not read before they are asked for: a data set may be larger than memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, overload

from training.data.samples import AnySample

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    U8 = NDArray[np.uint8]

_KEPT_BYTES = 2 * 2**30
"""Most memory that decoded arrays of a sequence take; further ones are decoded when they are asked for."""


class Lazy(Sequence["U8"]):
    """Arrays by their position; a slice is as lazy."""

    @abstractmethod
    def read(self, position: int) -> U8:
        """The array of a position, counted from 0."""

    @overload
    def __getitem__(self, index: int) -> U8: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[U8]: ...
    def __getitem__(self, index: int | slice) -> U8 | Sequence[U8]:
        positions = range(len(self))[index]
        return Chosen(self, positions) if isinstance(positions, range) else self.read(positions)


class Chosen(Lazy):
    """Some of a sequence of arrays."""

    def __init__(self, arrays: Sequence[U8], positions: Sequence[int]) -> None:
        self._arrays, self._positions = arrays, positions

    def __len__(self) -> int:
        return len(self._positions)

    def read(self, position: int) -> U8:
        """As the sequence has it."""
        return self._arrays[self._positions[position]]


class Changed(Lazy):
    """Arrays, each changed when it is asked for."""

    def __init__(self, arrays: Sequence[U8], change: Callable[[U8], U8]) -> None:
        self._arrays, self._change = arrays, change

    def __len__(self) -> int:
        return len(self._arrays)

    def read(self, position: int) -> U8:
        """Read and changed."""
        return self._change(self._arrays[position])


class Decoded(Lazy, Generic[AnySample]):
    """Arrays of samples, decoded when they are asked for, and kept while there is room."""

    def __init__(
        self,
        samples: Sequence[AnySample],
        decode: Callable[[AnySample], U8],
        *,
        most_bytes: int = _KEPT_BYTES,
    ) -> None:
        self._samples, self._decode, self._room_bytes = samples, decode, most_bytes
        self._kept: dict[int, U8] = {}

    def __len__(self) -> int:
        return len(self._samples)

    def read(self, position: int) -> U8:
        """Kept, or decoded now."""
        if position in self._kept:
            return self._kept[position]
        array = self._decode(self._samples[position])
        if array.nbytes <= self._room_bytes:
            self._kept[position] = array
            self._room_bytes -= array.nbytes
        return array
