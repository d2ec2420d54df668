"""Read windows of a scene or collection through a limited child process."""

import contextlib
import mmap
import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.rasters.client import ReaderChild
from service.rasters.limits import Limits
from service.rasters.sources import SourceSpec
from service.rasters.windows import Window


class SceneReader:
    """Sources on one inference grid, read as one image; a context manager. Calls may come from any thread.

    Args:
        sources: In order of preference: a pixel comes from the first source that is valid there.
        roles: Channels of the image, in order; each source or its companions must carry them all.
        limits: Of the child; the defaults of ``Limits`` when None.
        child: One that runs already, such as the one that read the facts, and stays its owner's; starting
            one takes a quarter of a second. Its limits are its own.

    Raises:
        ValueError: A source lacks a role.
    """

    def __init__(
        self,
        sources: Sequence[SourceSpec],
        *,
        roles: Sequence[str],
        limits: Limits | None = None,
        child: ReaderChild | None = None,
    ) -> None:
        for source in sources:
            carried = {*source.bands, *(role for layer in source.companions for role in layer.bands)}
            if not carried.issuperset(roles):
                raise ValueError(f"{source.path} carries {sorted(carried)}, not all of {list(roles)}")
        self._num_roles = len(roles)
        self._sources = tuple(sources)
        self._lock = threading.Lock()
        self._shared: mmap.mmap | None = None
        self.decoded_pixels = 0
        """Pixels of internal tiles decoded so far (by a model of GDAL's block cache)."""
        self._owns_child = child is None
        self._child = child or ReaderChild(limits or Limits())
        try:
            self._child.request(
                "open",
                about=_names(self._sources),
                sources=[source.model_dump(mode="json") for source in sources],
                roles=list(roles),
            )
        except BaseException:
            self.close()
            raise

    def read(self, window: Window) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Read a window of the inference grid; what lies outside the data is invalid and 0.

        Returns:
            ``image_CHW`` uint8 in the order of the roles and ``valid_HW``, both the caller's own.

        Raises:
            RasterError: A file is damaged, or the child died or took too long.
        """
        plane = window.width * window.height
        num_bytes = plane * (self._num_roles + 1)
        about = _names(
            [source for source in self._sources if not source.extent.intersection(window).is_empty]
        )
        with self._lock:
            shared = self._room_for(num_bytes, about)
            reply = self._child.request(
                "read",
                about=about,
                window=[window.col_off, window.row_off, window.width, window.height],
            )
            self.decoded_pixels = int(reply["decoded_pixels"])
            pixels = np.frombuffer(shared, dtype=np.uint8, count=num_bytes).copy()
        shape_HW = (window.height, window.width)
        image_CHW = pixels[: plane * self._num_roles].reshape(self._num_roles, *shape_HW)
        return image_CHW, pixels[plane * self._num_roles :].reshape(shape_HW) != 0

    def close(self) -> None:
        """End the child, unless it is another's, and free the shared memory."""
        if self._owns_child:
            self._child.close()
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _room_for(self, num_bytes: int, about: str) -> mmap.mmap:
        """Shared memory of at least this size, known to the child."""
        if self._shared is not None and len(self._shared) >= num_bytes:
            return self._shared
        path, shared = _shared_file(num_bytes)
        try:
            self._child.request("share", about=about, path=str(path))
        except BaseException:
            shared.close()
            raise
        finally:
            with contextlib.suppress(OSError):  # Windows keeps a mapped file; it goes with the temp folder
                path.unlink()  # mapped on both sides: nothing is left behind even after a kill
        if self._shared is not None:
            self._shared.close()
        self._shared = shared
        return shared


def _shared_file(num_bytes: int) -> tuple[Path, mmap.mmap]:
    """A new file of this size, really reserved, mapped; in memory if the platform has room there."""
    folders = [folder for folder in ("/dev/shm", None) if folder is None or os.access(folder, os.W_OK)]  # noqa: S108
    for folder in folders:
        descriptor, name = tempfile.mkstemp(prefix="orthoscape-", dir=folder)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, num_bytes)  # a container's /dev/shm may be 64 MB
            else:
                os.ftruncate(descriptor, num_bytes)
            return Path(name), mmap.mmap(descriptor, num_bytes)
        except OSError:
            Path(name).unlink()
            if folder is folders[-1]:
                raise
        finally:
            os.close(descriptor)
    raise AssertionError("the last folder returns or raises")


def _names(sources: Sequence[SourceSpec]) -> str:
    """The files at stake, for messages."""
    names = [source.path for source in sources[:3]]
    return ", ".join(names) + (f" and {len(sources) - 3} more" if len(sources) > len(names) else "")
