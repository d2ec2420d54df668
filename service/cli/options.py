"""Options that several commands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from service.inference.loading import ENGINE_NAMES, PRECISIONS
from service.planning.preflight import ReadingOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.rasters.placing import NodataOption

F = TypeVar("F", bound="Callable[..., Any]")

PATH = click.Path(path_type=Path)


class NodataType(click.ParamType[Any]):
    """``auto``, ``none`` or a number."""

    name = "auto|none|NUMBER"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> NodataOption:
        """Read what was typed."""
        if value in ("auto", "file"):
            return "file"
        if value == "none":
            return None
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if number not in range(256):  # another value would be no pixel's, and nothing would be no data
            self.fail(f"{value!r} is neither auto, none nor a value of 8-bit pixels, 0 to 255", param, ctx)
        return number


def reading_options(command: F) -> F:
    """Add what a caller may say of a scene beyond its file: companions, bands, nodata, CRS."""
    for decorate in (
        click.option("--irc", "irc", multiple=True, type=PATH, help="NIR,R,G twin: file or folder."),
        click.option(
            "--height", "heights", multiple=True, type=PATH, help="Height above ground: file or folder."
        ),
        click.option("--bands", default="auto", help="auto, RGB, RGBI, IRC, or a role a band: I,R,G,B."),
        click.option(
            "--nodata", type=NodataType(), default="auto", help="Value that is no data, in all bands at once."
        ),
        click.option("--source-crs", help="CRS of files that state none, such as EPSG:2154."),
    ):
        command = decorate(command)
    return command


def engine_options(command: F) -> F:
    """Add which model runs, and on what."""
    for decorate in (
        click.option("--model", default="default", show_default=True, help="id or id@version."),
        click.option("--engine", type=click.Choice(ENGINE_NAMES), default=ENGINE_NAMES[0], show_default=True),
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            default=PRECISIONS[0],
            show_default=True,
            help="Of the model's graphs; int8 and fp16 are faster and nearly the same, where it has them.",
        ),
        click.option("--threads", type=click.IntRange(min=0), default=None, help="0 for all cores."),
    ):
        command = decorate(command)
    return command


def said(bands: str, nodata: NodataOption, source_crs: str | None) -> ReadingOptions:
    """What the caller said, as planning takes it."""
    return ReadingOptions(bands=bands, nodata=nodata, source_crs=source_crs)
