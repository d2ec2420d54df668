"""Options that several commands take."""

from pathlib import Path

import click


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
