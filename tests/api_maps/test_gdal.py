"""GDAL as a client of a real server: WMTS, XYZ and files over HTTP give the pixels of the file."""

import shutil
import socket
import subprocess
import threading
import time

import numpy as np
import pytest
import rasterio
import uvicorn

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


def test_xyz_tiles_are_read_as_web_maps_do(server, finished, tmp_path):
    template = f"{server}/maps/{finished.id}/tiles/${{z}}/${{x}}/${{y}}.png"
    service = tmp_path / "xyz.xml"
    service.write_text(
        f"""<GDAL_WMS><Service name="TMS"><ServerUrl>{template}</ServerUrl></Service>
        <DataWindow><UpperLeftX>-20037508.34</UpperLeftX><UpperLeftY>20037508.34</UpperLeftY>
        <LowerRightX>20037508.34</LowerRightX><LowerRightY>-20037508.34</LowerRightY><TileLevel>19</TileLevel>
        <TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin></DataWindow>
        <Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY>
        <BandsCount>4</BandsCount></GDAL_WMS>"""
    )
    target = tmp_path / "warped.tif"
    gdal("gdalwarp", "-q", "-t_srs", "EPSG:2154", "-te", str(LEFT), str(TOP - 30), str(LEFT + 36), str(TOP),
         "-ts", "180", "150", "-r", "near", str(service), str(target))  # fmt: skip
    drawn_HW4 = rgba_of(target)
    assert (drawn_HW4[..., 3] > 0).mean() > 0.8
    allowed = {tuple(colour[:3]) for colour in COSIA.palette().values()}
    assert {tuple(colour) for colour in drawn_HW4[drawn_HW4[..., 3] > 0][:, :3].tolist()} <= allowed


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
