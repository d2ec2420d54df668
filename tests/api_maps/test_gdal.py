"""GDAL as a client of a real server: WMTS, XYZ and files over HTTP give the pixels of the file."""

import shutil
import socket
import subprocess
import threading
import time
from html import escape

import httpx
import numpy as np
import pytest
import rasterio
import uvicorn
from rasterio import warp

from models.nomenclature import COSIA
from service.api.app import create_app
from tests.api_maps.conftest import LEFT, TOP, SilentBell
from tests.needs import lacking

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(house):
    """The root of a real server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(house.settings, store=house.store, bell=SilentBell())
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join()


def gdal(*arguments):
    """A command of GDAL, with no cache of its own."""
    if shutil.which(arguments[0]) is None:
        lacking(arguments[0], "apt install gdal-bin")
    environment = {"PATH": "/usr/bin:/bin", "GDAL_DEFAULT_WMS_CACHE_PATH": "/nonexistent", "NO_PROXY": "*"}
    return subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True).stdout


def expected_HW4(house, finished):  # noqa: N802  axes
    palette_256x4 = np.zeros((256, 4), dtype=np.uint8)
    for value, colour in COSIA.palette().items():
        palette_256x4[value] = colour
    return palette_256x4[house.classes(finished)]


def rgba_of(path):
    with rasterio.open(path) as file:
        bands = file.read()
        if file.count == 1:
            palette = np.array([file.colormap(1)[value] for value in range(256)], dtype=np.uint8)
            return palette[bands[0]]
        return bands.transpose(1, 2, 0)


def cut(source, target, house, finished, *options):
    """Let GDAL copy the extent of the map at its own resolution from a service."""
    height, width = house.classes(finished).shape
    bounds = [LEFT, TOP, LEFT + width * 0.2, TOP - height * 0.2]
    corners = [str(value) for value in bounds]
    gdal(
        "gdal_translate",
        "-q",
        "-projwin",
        *corners,
        "-outsize",
        str(width),
        str(height),
        *options,
        source,
        str(target),
    )
    return rgba_of(target)


@pytest.mark.parametrize("capabilities", ["maps/{id}/WMTSCapabilities.xml", "wmts", "wmts?use_epsg=true"])
def test_wmts_in_lambert_93_is_the_map_pixel_for_pixel(house, server, finished, tmp_path, capabilities):
    source = (
        f"WMTS:{server}/{capabilities.format(id=finished.id)},layer={finished.id},tilematrixset=2154_10cm"
    )
    drawn_HW4 = cut(source, tmp_path / "out.tif", house, finished)
    wanted_HW4 = expected_HW4(house, finished)
    shown_HW = wanted_HW4[..., 3] > 0
    assert ((drawn_HW4[..., 3] > 0) == shown_HW).all()
    assert (drawn_HW4[shown_HW] == wanted_HW4[shown_HW]).all()


def test_wmts_offers_styles(house, server, finished, tmp_path):
    capabilities = f"{server}/maps/{finished.id}/WMTSCapabilities.xml"
    source = f"WMTS:{capabilities},layer={finished.id},tilematrixset=2154_10cm,style=sealed"
    drawn_HW4 = cut(source, tmp_path / "out.tif", house, finished)
    colours = {tuple(colour) for colour in drawn_HW4[drawn_HW4[..., 3] > 0][:, :3].tolist()}
    assert colours == {(0xB2, 0x18, 0x2B), (0xA6, 0xD9, 0x6A)}


def test_wmts_lists_every_layer_in_web_mercator(server, finished):
    told = gdal("gdalinfo", f"WMTS:{server}/maps/{finished.id}/WMTSCapabilities.xml")
    for layer in ("", ":confidence", ":image"):
        assert f"layer={finished.id}{layer}" in told.replace('"', "")
    told = gdal("gdalinfo", f"WMTS:{server}/wmts,layer={finished.id},tilematrixset=WebMercatorQuad")
    assert "EPSG" in told
    assert "3857" in told


HALF_M = 20_037_508.342789244
"""Half of a side of web mercator's square."""


def tms_of(layer):
    """What GDAL is to read, told by nothing but a TileJSON: (its XML, left, top, size of a pixel, shape)."""
    zoom = layer["maxzoom"]
    side_m = 2 * HALF_M / 2**zoom
    (left, right), (bottom, top) = warp.transform(
        "EPSG:4326", "EPSG:3857", layer["bounds"][::2], layer["bounds"][1::2]
    )
    first_x, first_y = int((left + HALF_M) // side_m), int((HALF_M - top) // side_m)
    width = int((right + HALF_M) // side_m) - first_x + 1
    height = int((HALF_M - bottom) // side_m) - first_y + 1
    left, top = first_x * side_m - HALF_M, HALF_M - first_y * side_m
    (template,) = layer["tiles"]
    assert layer["scheme"] == "xyz"
    window = {
        "UpperLeftX": left,
        "UpperLeftY": top,
        "LowerRightX": left + width * side_m,
        "LowerRightY": top - height * side_m,
        "TileLevel": zoom,
        "TileX": first_x,
        "TileY": first_y,
        "SizeX": width * 256,
        "SizeY": height * 256,
        "YOrigin": "top",
    }
    address = escape(template).replace("{", "${")
    xml = f"""<GDAL_WMS><Service name="TMS"><ServerUrl>{address}</ServerUrl></Service>
        <DataWindow>{"".join(f"<{name}>{value!s}</{name}>" for name, value in window.items())}</DataWindow>
        <Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY>
        <OverviewCount>{zoom - layer["minzoom"]}</OverviewCount><BandsCount>4</BandsCount></GDAL_WMS>"""
    return xml, left, top, side_m / 256, (height * 256, width * 256)


def seen_under(house, finished, *, left, top, size_m, shape):
    """Classes of a map under pixels of web mercator; and which lie too near to a border to be told."""
    rows, cols = np.indices(shape)
    xs, ys = left + (cols + 0.5) * size_m, top - (rows + 0.5) * size_m
    east, north = warp.transform("EPSG:3857", "EPSG:2154", xs.ravel(), ys.ravel())
    col, row = (np.array(east) - LEFT) / 0.2, (TOP - np.array(north)) / 0.2
    classes_HW = np.pad(house.classes(finished), 1, constant_values=255)
    last_row, last_col = (side - 1 for side in classes_HW.shape)
    at = (np.clip(np.floor(row) + 1, 0, last_row), np.clip(np.floor(col) + 1, 0, last_col))
    is_near = np.any([np.abs(part - np.round(part)) < 0.05 for part in (row, col)], axis=0)
    return classes_HW[at[0].astype(int), at[1].astype(int)].reshape(shape), is_near.reshape(shape)


def test_tilejson_is_all_that_a_client_needs_to_know(house, server, finished, tmp_path):
    layer = httpx.get(f"{server}/maps/{finished.id}/tilejson.json?style=flair").json()
    xml, left, top, size_m, shape = tms_of(layer)
    service, target = tmp_path / "layer.xml", tmp_path / "layer.tif"
    service.write_text(xml)
    gdal("gdal_translate", "-q", str(service), str(target))
    drawn_HW4 = rgba_of(target)
    classes_HW, is_near_HW = seen_under(house, finished, left=left, top=top, size_m=size_m, shape=shape)
    assert drawn_HW4.shape[:2] == shape
    palette_256x4 = np.zeros((256, 4), dtype=np.uint8)
    for value, colour in COSIA.palette("flair").items():
        palette_256x4[value] = colour
    wanted_HW4 = palette_256x4[classes_HW]
    is_shown_HW = (classes_HW < 255) & ~is_near_HW
    assert is_shown_HW.sum() > 0.5 * 160 * 180
    assert (drawn_HW4[is_shown_HW] == wanted_HW4[is_shown_HW]).all()
    assert (drawn_HW4[(classes_HW == 255) & ~is_near_HW][:, 3] == 0).all()


@pytest.mark.parametrize("name", ["landcover.tif", "confidence.tif"])
def test_files_open_where_they_lie(house, server, finished, tmp_path, name):
    target = tmp_path / "copy.tif"
    gdal("gdal_translate", "-q", f"/vsicurl/{server}/maps/{finished.id}/{name}", str(target))
    (sheet,) = house.store.planned(finished.job_id).plan.sheets
    products = house.folder(finished).products(sheet)
    local = products.classes if name == "landcover.tif" else products.confidence
    with rasterio.open(target) as copy, rasterio.open(local) as original:
        assert np.array_equal(copy.read(), original.read())
        assert copy.transform == original.transform
        assert copy.crs == original.crs


def test_latest_is_followed_by_clients(server, finished):
    told = gdal("gdalinfo", f"/vsicurl/{server}/maps/{finished.name}/latest/landcover.tif")
    assert "Size is 180, 160" in told
