"""``orthoscape doctor``: is everything there that a map needs?"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click
import rasterio
from rasterio.drivers import raster_driver_extensions
from rasterio.transform import Affine

from models.errors import RemediedError
from service.errors import ServiceError
from service.inference.loading import golden_agreement, load_engine
from service.inference.processor import processor_class
from service.intake.choosing import registry_of
from service.intake.scenes import reader_limits
from service.rasters.inspect import read_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service.settings import Settings

_GIB = 2**30
_LITTLE_DISK_GIB = 5


@click.command()
@click.pass_obj
def doctor(settings: Settings) -> None:
    """Check this installation; exits 1 when something needed is missing."""
    is_well = True
    for name, check in _CHECKS.items():
        try:
            for line in check(settings):
                click.echo(f"{click.style('ok  ', fg='green')} {name}: {line}")
        except (RemediedError, OSError, PackageNotFoundError) as error:
            is_well = False
            click.echo(f"{click.style('bad ', fg='red')} {name}: {error}")
    if not is_well:
        sys.exit(1)


def _check_machine(settings: Settings) -> Iterator[str]:
    yield f"Python {platform.python_version()}, {platform.system()}, {processor_class()}"
    yield f"{settings.num_threads} threads"


def _check_rasters(_settings: Settings) -> Iterator[str]:
    yield f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}"
    drivers = set(raster_driver_extensions().values())
    for driver in ("GTiff", "JP2OpenJPEG"):
        if driver not in drivers:
            raise ServiceError(f"this GDAL has no {driver}", remedy="pip install --force-reinstall rasterio")
    yield "reads GeoTIFF and JPEG 2000"


def _check_reader(settings: Settings) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one_pixel.tif"
        with rasterio.open(
            path, "w", driver="GTiff", width=1, height=1, count=1, dtype="uint8", crs="EPSG:2154",
            transform=Affine(0.2, 0.0, 0.0, 0.0, -0.2, 0.0),
        ):  # fmt: skip
            pass
        read_facts(path, limits=reader_limits(settings))
    limits = "limited in memory and time" if os.name == "posix" else "limited in time only on this system"
    yield f"the child process that opens rasters works, {limits}"


def _check_engines(settings: Settings) -> Iterator[str]:
    registry = registry_of(settings)
    for artefact in registry.defaults():
        engine = load_engine(artefact, name="onnxruntime", num_threads=settings.num_threads)
        agreement = golden_agreement(engine, artefact)
        yield f"{artefact.manifest.key} on {engine.profile}: {agreement:.2%} of its golden input"
    try:
        yield f"OpenVINO {version('openvino')} is installed: --engine openvino"
    except PackageNotFoundError:
        yield "OpenVINO is not installed (optional: pip install -e '.[openvino]' in the clone)"


def _check_models(settings: Settings) -> Iterator[str]:
    registry = registry_of(settings)
    for path, error in registry.unreadable().items():
        raise ServiceError(f"{path}: {error.message}", remedy=error.remedy)
    yield ", ".join(registry.ids())


def _check_disk(settings: Settings) -> Iterator[str]:
    folder = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free_gib = shutil.disk_usage(folder).free / _GIB
    if free_gib < _LITTLE_DISK_GIB:
        raise ServiceError(
            f"{free_gib:.1f} GiB free under {settings.home}", remedy="set ORTHOSCAPE_HOME to a larger disk"
        )
    if not os.access(folder, os.W_OK):
        raise ServiceError(
            f"{Path(folder)} cannot be written", remedy="set ORTHOSCAPE_HOME to a folder of yours"
        )
    yield f"{free_gib:.0f} GiB free for models and staged copies under {settings.home}"


_CHECKS: dict[str, Callable[[Settings], Iterator[str]]] = {
    "machine": _check_machine,
    "rasters": _check_rasters,
    "reader": _check_reader,
    "models": _check_models,
    "engine": _check_engines,
    "disk": _check_disk,
}
