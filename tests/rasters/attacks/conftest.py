"""Forged files: each fixture makes one attack."""

import socket
import struct
import threading
import zlib

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

SECRET = 77


@pytest.fixture
def secret(tmp_path, write_raster):
    """A raster of the server that no user may see."""
    folder = tmp_path / "server"
    folder.mkdir()
    return write_raster(folder / "secret.tif", pixels=np.full((3, 50, 60), SECRET, np.uint8))


@pytest.fixture
def vrt_of():
    """``vrt_of(path)``: a VRT that reads another file."""

    def text(path, width=60, height=50):
        band = (
            '<VRTRasterBand dataType="Byte" band="{0}"><SimpleSource><SourceFilename relativeToVRT="0">{1}'
            "</SourceFilename><SourceBand>{0}</SourceBand></SimpleSource></VRTRasterBand>"
        )
        flags = '<Metadata><MDI key="INTERNAL_MASK_FLAGS_1">2</MDI></Metadata>'  # for its use as a mask
        bands = "".join(band.format(i, path) for i in (1, 2, 3))
        size = f'rasterXSize="{width}" rasterYSize="{height}"'
        return f"<VRTDataset {size}>{flags}{bands}</VRTDataset>"

    return text


@pytest.fixture
def forge_tiff(tmp_path):
    """``forge_tiff(name, width=, height=, rows_per_strip=, strips=[bytes], claims={tag: (type, [..])})``."""

    def forge(name, *, width, height, rows_per_strip, strips, compression=1, bands=1, claims=None):
        offsets, data, position = [], b"", 8
        for strip in strips:
            offsets.append(position)
            data += strip
            position += len(strip)
        entries = {
            256: (4, [width]),
            257: (4, [height]),
            258: (3, [8] * bands),
            259: (3, [compression]),
            262: (3, [2 if bands == 3 else 1]),
            273: (4, offsets),
            277: (3, [bands]),
            278: (4, [rows_per_strip]),
            279: (4, [len(strip) for strip in strips]),
            33550: (12, [0.2, 0.2, 0.0]),
            33922: (12, [0.0, 0.0, 0.0, 700_000.0, 6_600_000.0, 0.0]),
        }
        entries.update(claims or {})
        directory, extra = b"", b""
        extra_at = position + 2 + 12 * len(entries) + 4
        for tag, (kind, values) in sorted(entries.items()):
            packed = struct.pack(f"<{len(values)}{ {3: 'H', 4: 'I', 12: 'd'}[kind] }", *values)
            field = packed.ljust(4, b"\0")
            if len(packed) > 4:
                field = struct.pack("<I", extra_at + len(extra))
                extra += packed
            directory += struct.pack("<HHI", tag, kind, len(values)) + field
        path = tmp_path / name
        header = struct.pack("<2sHI", b"II", 42, position)
        path.write_bytes(header + data + struct.pack("<H", len(entries)) + directory + b"\0\0\0\0" + extra)
        return path

    return forge


def zeros(num_bytes):
    """A deflated strip of zeros."""
    packer = zlib.compressobj(1)
    piece = bytes(2**24)
    return b"".join(packer.compress(piece) for _ in range(num_bytes // 2**24)) + packer.flush()


@pytest.fixture
def block_bomb(forge_tiff):
    """A small file whose two strips decode to 1 GiB each."""
    strip = zeros(2**26)
    shape = {"width": 65_536, "height": 32_768, "rows_per_strip": 16_384}
    return forge_tiff("bomb.tif", **shape, strips=[strip, strip], compression=8)


@pytest.fixture
def slow_bomb(forge_tiff):
    """A small file of one strip of 512 MiB, which GDAL decodes from its start for every look further up."""
    shape = {"width": 16_384, "height": 32_768, "rows_per_strip": 32_768}
    return forge_tiff("bomb.tif", **shape, strips=[zeros(2**29)], compression=8)


@pytest.fixture
def giga_raster(tmp_path):
    """A sparse file that opens as 160 Gpx."""
    path = tmp_path / "giga.tif"
    profile = {"width": 400_000, "height": 400_000, "count": 1, "dtype": "uint8", "crs": "EPSG:2154"}
    tiling = {"tiled": True, "blockxsize": 2048, "blockysize": 2048, "sparse_ok": True, "bigtiff": "YES"}
    transform = Affine(0.2, 0, 0, 0, -0.2, 7_000_000)
    with rasterio.open(path, "w", driver="GTiff", transform=transform, **profile, **tiling):
        pass
    return path


@pytest.fixture
def listener():
    """A local server that counts who calls: (port, calls)."""
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def accept():
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                calls.append(connection.recv(200))
                connection.sendall(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], calls
        done.set()
        thread.join()
