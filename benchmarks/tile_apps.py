"""Two plain servers of tiles: around rio-tiler, as titiler is, and around ours.

python -m benchmarks.tile_apps {plain|ours} FOLDER PORT
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response
from rio_tiler.errors import TileOutsideBounds
from rio_tiler.io import Reader

from benchmarks.tile_maps import PLACES, write_map
from models.nomenclature import COSIA
from service.tiles.drawing import draw_tile

_COLOURS = COSIA.palette()


def draw_plainly(path: Path, z: int, x: int, y: int) -> bytes:
    """A tile by rio-tiler: the file opened anew, an RGBA PNG."""
    with Reader(str(path)) as reader:
        try:
            image = reader.tile(x, y, z)
        except TileOutsideBounds:
            return b""
    rendered: bytes = image.render(img_format="PNG", colormap=_COLOURS)
    return rendered


def make_app(kind: str, folder: Path) -> FastAPI:
    """The app of a kind over the maps in a folder."""
    maps = {str(PLACES[place][0]): write_map(folder, place) for place in PLACES}
    app = FastAPI()

    @app.get("/{name}/{z}/{x}/{y}.png")
    def tile(name: str, z: int, x: int, y: int) -> Response:
        if kind == "plain":
            content = draw_plainly(maps[name].path, z, x, y)
        else:
            content = draw_tile(maps[name], z, x, y, nomenclature=COSIA).png
        return Response(content, media_type="image/png")

    return app


if __name__ == "__main__":
    uvicorn.run(
        make_app(sys.argv[1], Path(sys.argv[2])), port=int(sys.argv[3]), log_level="error", access_log=False
    )
