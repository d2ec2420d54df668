"""What the house says to the command line, said to callers of the API."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from models.errors import RemediedError
from models.registry import PACKAGED_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.settings import Settings

_OPTION = re.compile(
    r"--(irc|height|bands|nodata|source-crs|aoi|model|force)(?: (?=[A-Z0-9]|none\b|auto\b))?(\S?)"
)

_WORKER = re.compile(r"\bworker [^\s,;]+-\d+\b")
"""A worker by its name, which is that of its host and of its process, unless it was given another."""


class Wording:
    """Takes folders and workers of the server out of what callers read, and options of commands."""

    def __init__(self, *folders: str) -> None:
        """Remember what callers have no business knowing.

        Args:
            folders: Patterns of folders, such as that of an upload; of two that match, the earlier is taken.
        """
        self._folders = re.compile("|".join(f"(?:{folder})/" for folder in folders))

    @classmethod
    def of(cls, settings: Settings) -> Wording:
        """The wording of a server: nothing of where its folders lie, which errors and logs of jobs name."""
        uploads = _spelt(settings.uploads_folder)
        packaged = _spelt(PACKAGED_FOLDER.parent)
        # Not all of the home: folders that are offered may lie in it, and those are told as they are.
        home = _spelt(settings.home) + "(?=/(?:maps|models|uploads|staging)/?)"
        staging = [_spelt(settings.staging.parent)] if settings.staging else []
        sources = [_spelt(folder) for folder in settings.source_folders]
        if (example := settings.offered_example) is not None:
            sources.append(_spelt(example.parent))
        return cls(f"{uploads}/[0-9a-z]+/data", *sources, packaged, home, *staging)

    def plain(self, text: str) -> str:
        """A text without the server's folders and workers: files are called as their senders call them."""
        return _WORKER.sub("a worker", self._folders.sub("", text))

    def for_callers(self, text: str) -> str:
        """A text without them, that names fields instead of options.

        >>> Wording("/data").for_callers("/data/a.tif: --nodata 0 if that is no data; --source-crs EPSG:2154")
        'a.tif: nodata=0 if that is no data; source_crs=EPSG:2154'
        """
        return _OPTION.sub(_as_field, self.plain(text))

    @contextmanager
    def spoken(self) -> Iterator[None]:
        """Say what goes wrong inside in the words of callers."""
        try:
            yield
        except RemediedError as error:
            error.message = self.for_callers(error.message)
            error.remedy = self.for_callers(error.remedy) if error.remedy else None
            raise


def _spelt(folder: Path) -> str:
    """A pattern of a folder, as settings name it and as it is found; none of the root, which says nothing."""
    spellings = {str(folder), str(folder.resolve()), str(folder.absolute())} - {folder.anchor, "/", "."}
    names = sorted(map(re.escape, spellings), key=len, reverse=True) or [r"(?!)"]
    return rf"(?<![\w.])(?:{'|'.join(names)})"


def _as_field(found: re.Match[str]) -> str:
    name, has_value = found[1].replace("-", "_"), found[0].endswith(found[2]) and " " in found[0]
    return f"{name}={found[2]}" if has_value else name + found[2]
