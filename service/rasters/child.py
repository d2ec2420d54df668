"""The limited child process: answers requests on its standard input, one JSON object a line.

Replies are JSON lines too: ``{"result": ...}``, ``{"error": name, "message": ..., "remedy": ...}`` or, while
a request is under way, ``{"progress": share}``. Pixels go through a file that the parent made and both map.
"""

import json
import logging
import mmap
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from service.errors import RasterError
from service.rasters.confine import confine_this_process
from service.rasters.limits import Limits


def main(arguments: Sequence[str]) -> None:
    """Run until the standard input closes.

    Args:
        arguments: The limits as JSON, and the parent's process id.
    """
    limits = Limits.from_json(arguments[0])
    confine_this_process(limits, parent_pid=int(arguments[1]))
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no reply
    logging.disable(logging.CRITICAL)
    serve(sys.stdin.buffer, replies, limits)
    replies.flush()
    os._exit(0)  # a damaged file may have left GDAL in a state where closing crashes


def serve(requests: BinaryIO, replies: BinaryIO, limits: Limits) -> None:
    """Answer requests until there are no more."""
    room = Room(limits, progress=lambda share: _send(replies, {"progress": share}))
    for line in requests:
        request = json.loads(line)
        _send(replies, _answer(room, request))


def _answer(room: "Room", request: dict[str, Any]) -> dict[str, Any]:
    operations: dict[str, Callable[..., Any]] = {
        "facts": room.facts,
        "open": room.open,
        "share": room.share,
        "read": room.read,
        "copy": room.copy,
        "polygons": room.polygons,
        "area": room.area,
    }
    operation = request.pop("op")
    try:
        return {"result": operations[operation](**request)}
    except RasterError as error:
        return {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
    except MemoryError:
        return {"error": "OutOfMemory", "message": "", "remedy": None}
    except Exception as error:  # noqa: BLE001 - whatever a hostile file provokes is its fault; the parent names the file
        return {
            "error": type(error).__name__,  # no name of ours: the parent says which file
            "message": f"{type(error).__name__}: {error}"[:500],
            "remedy": None,
        }


def _send(replies: BinaryIO, reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply).encode() + b"\n")


class Room:
    """What the child can do. Imports wait until the limits are set."""

    def __init__(self, limits: Limits, *, progress: Callable[[float], None]) -> None:
        self._limits = limits
        self._progress = progress
        self._mosaic: Any = None
        self._shared: mmap.mmap | None = None

    def facts(self, path: str, source_crs: str | None) -> dict[str, Any]:
        """Facts of a raster."""
        from service.rasters.inspecting import inspect_raster  # noqa: PLC0415

        return inspect_raster(path, limits=self._limits, source_crs=source_crs).model_dump(mode="json")

    def open(self, sources: list[dict[str, Any]], roles: list[str]) -> None:
        """Take the sources that ``read`` reads."""
        from service.rasters.mosaics import Mosaic  # noqa: PLC0415
        from service.rasters.sources import SourceSpec  # noqa: PLC0415

        self._mosaic = Mosaic([SourceSpec.model_validate(source) for source in sources], roles, self._limits)

    def share(self, path: str) -> None:
        """Map the file through which pixels go."""
        if self._shared is not None:
            self._shared.close()
        with Path(path).open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 0)

    def read(self, window: list[int]) -> dict[str, int]:
        """Read a window; image, then validity, lie at the start of the shared file."""
        import numpy as np  # noqa: PLC0415

        from service.rasters.windows import Window  # noqa: PLC0415

        assert self._shared is not None
        image_CHW, valid_HW = self._mosaic.read(Window(*window))
        shared = np.frombuffer(self._shared, dtype=np.uint8)
        np.copyto(shared[: image_CHW.size].reshape(image_CHW.shape), image_CHW)
        np.copyto(shared[image_CHW.size :][: valid_HW.size].reshape(valid_HW.shape), valid_HW)
        return {"decoded_pixels": self._mosaic.decoded.pixels}

    def copy(self, layer: dict[str, Any], target: str) -> None:
        """Write a tiled copy of a layer."""
        from service.rasters.copying import copy_tiled  # noqa: PLC0415
        from service.rasters.sources import Layer  # noqa: PLC0415

        copy_tiled(Layer.model_validate(layer), target, limits=self._limits, progress=self._progress)

    def polygons(self, path: str) -> dict[str, Any]:
        """Polygons of a vector file, as GeoJSON."""
        from service.rasters.polygons import polygons_of  # noqa: PLC0415

        return polygons_of(path)

    def area(self, text: str, crs_wkt: str, pixel_size: float) -> str:
        """An area of interest in the CRS of a grid, as hexadecimal WKB."""
        from service.rasters.areas import area_of_geojson  # noqa: PLC0415

        return area_of_geojson(text, crs_wkt=crs_wkt, pixel_size=pixel_size)
