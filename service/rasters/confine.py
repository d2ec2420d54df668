"""The cage of the child process: environment, limits, and an end when the parent ends."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from service.rasters.limits import Limits

SKIPPED_DRIVERS = (
    "VRT WMS WMTS WCS HTTP STACIT STACTA PLMOSAIC OGCAPI EEDA EEDAI MBTiles PDF DERIVED GTI MRF GPKG SQLite"
    " Rasterlite KMLSUPEROVERLAY NITF ECRGTOC RPFTOC DIMAP SAFE SENTINEL2 TIL PDS4 ISIS3 ENVI HDF5 HDF5Image"
    " netCDF Zarr ESRIC GNMFile GNMDatabase OSM MVT GeoJSON GeoJSONSeq ESRIJSON TopoJSON"
)
"""Drivers that open other files, networks or databases for a file; images are opened by name anyway."""

_KEPT_VARIABLES = ("SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def child_environment(limits: Limits) -> dict[str, str]:
    """Environment of the child: nothing of the parent's but what the platform needs, GDAL shut in."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {
        "GDAL_SKIP": SKIPPED_DRIVERS,
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no sidecars: .ovr, .msk, .aux.xml, world files
        "GDAL_PAM_ENABLED": "NO",
        "GDAL_CACHEMAX": f"{limits.gdal_cache_bytes // 2**20}MB",
        "GDAL_NUM_THREADS": str(limits.decode_threads),
        "GDAL_DRIVER_PATH": "disable",
        "GDAL_HTTP_TIMEOUT": "1",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",  # refuses every name that a file may smuggle in
        "GDAL_HTTP_PROXY": "http://127.0.0.1:9",  # the discard port: nothing answers
        "GTIFF_VIRTUAL_MEM_IO": "NO",
        "GTIFF_DIRECT_IO": "NO",
        "PROJ_NETWORK": "OFF",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }


def child_command(limits: Limits) -> list[str]:
    """The command line of the child: this Python, isolated, with this package and no other path."""
    root = str(Path(__file__).resolve().parents[2])
    bootstrap = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        " from service.rasters.child import main; main(sys.argv[2:])"
    )
    return [sys.executable, "-I", "-c", bootstrap, root, limits.to_json(), str(os.getpid())]


def confine_this_process(limits: Limits, *, parent_pid: int) -> None:
    """Apply the limits to the calling process, as far as the platform has them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer; it may finish a block
    _watch_parent(parent_pid)
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    if sys.platform != "darwin":  # macOS refuses to lower the address space
        _lower(resource.RLIMIT_AS, limits.address_space_bytes)


def _lower(kind: int, value: int) -> None:
    import resource  # noqa: PLC0415 - not on Windows

    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _watch_parent(parent_pid: int) -> None:
    """End this process within a second of the parent's end, even in the middle of a decode.

    PR_SET_PDEATHSIG would do it in the kernel, but it follows the *thread* that started the child: a
    reader thread that finishes would take the child with it. Decoding releases the interpreter lock.
    """
    if sys.platform == "win32":
        return  # there the closed pipe ends the child between requests

    def watch() -> None:
        while os.getppid() == parent_pid:
            time.sleep(1.0)
        os._exit(3)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
