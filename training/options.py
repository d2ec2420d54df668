"""Options that several commands take."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from service.rasters.placing import NodataOption

AnyCommand = TypeVar("AnyCommand", bound=Callable[..., Any])


def reading_options(command: AnyCommand) -> AnyCommand:
    """What orthophotos do not say of themselves: ``--irc``, ``--bands``, ``--nodata``."""
    for decorate in (
        click.option("--nodata", help="A grey level that is no data, or none; as the files say by default."),
        click.option(
            "--bands",
            default="auto",
            show_default=True,
            help="Which band is which: auto, RGB, RGBI, or one role per band.",
        ),
        click.option(
            "--irc", type=click.Path(path_type=Path), help="Near-infrared twins of the orthophotos."
        ),
    ):
        command = decorate(command)
    return command


def nodata_of(text: str | None) -> "NodataOption":
    """What ``--nodata`` says.

    Raises:
        BadParameter: Neither a number nor ``none``.
    """
    if text is None:
        return "file"
    if text.lower() == "none":
        return None
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no grey level, and not none", param_hint="--nodata") from None


def folders_of(words: tuple[str, ...]) -> dict[str, Path]:
    """Folders of data sets, by name.

    Raises:
        BadParameter: One is not written so, is no folder, or has a name that another has.
    """
    folders: dict[str, Path] = {}
    for word in words:
        name, has_folder, folder = word.partition("=")
        if not has_folder or not Path(folder).is_dir():
            raise click.BadParameter(
                f"{word!r} is not NAME=FOLDER of a folder that is there", param_hint="--data"
            )
        if name in folders:
            raise click.BadParameter(f"{name} is there twice: {folders[name]}, {folder}", param_hint="--data")
        folders[name] = Path(folder)
    return folders
