"""Arrays of files, read one by one: a data set may be larger than memory."""

from __future__ import annotations

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


class Decoded(Sequence["U8"], Generic[AnySample]):
    """Arrays of samples, decoded when they are asked for, and kept while there is room."""

    def __init__(
        self,
        samples: Sequence[AnySample],
        read: Callable[[AnySample], U8],
        *,
        most_bytes: int = _KEPT_BYTES,
    ) -> None:
        self._samples, self._read, self._room_bytes = samples, read, most_bytes
        self._kept: dict[int, U8] = {}

    def __len__(self) -> int:
        return len(self._samples)

    @overload
    def __getitem__(self, index: int) -> U8: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[U8]: ...
    def __getitem__(self, index: int | slice) -> U8 | Sequence[U8]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        if position in self._kept:
            return self._kept[position]
        array = self._read(self._samples[position])
        if array.nbytes <= self._room_bytes:
            self._kept[position] = array
            self._room_bytes -= array.nbytes
        return array
