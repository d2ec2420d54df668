"""What the house says to the command line, said to callers of the API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from models.errors import RemediedError

if TYPE_CHECKING:
    from collections.abc import Iterator
from contextlib import contextmanager

_OPTION = re.compile(
    r"--(irc|height|bands|nodata|source-crs|aoi|model|force)(?: (?=[A-Z0-9]|none\b|auto\b))?(\S?)"
)


class Wording:
    """Takes folders of the server out of what callers read, and options of commands."""

    def __init__(self, *folders: str) -> None:
        """Remember what callers have no business knowing.

        Args:
            folders: Patterns of folders, such as that of an upload.
        """
        self._folders = re.compile("|".join(f"(?:{folder})/" for folder in folders))

    def plain(self, text: str) -> str:
        """A text without the server's folders: files are called as their senders call them."""
        return self._folders.sub("", text)

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


def _as_field(found: re.Match[str]) -> str:
    name, has_value = found[1].replace("-", "_"), found[0].endswith(found[2]) and " " in found[0]
    return f"{name}={found[2]}" if has_value else name + found[2]
