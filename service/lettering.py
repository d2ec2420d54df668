"""The letters of drawn legends and previews: one typeface, with every accent of French.

Pillow's own default font has none, and a container has no fonts at all: the typeface comes as a package.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from PIL import ImageFont

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

TYPEFACE = "Source Sans Pro"
"""Of Adobe, SIL Open Font License 1.1."""

Weight = Literal["Regular", "Semibold"]


@lru_cache(maxsize=32)
def font_of(size_px: float, weight: Weight = "Regular") -> FreeTypeFont:
    """The typeface at a size.

    Args:
        size_px: Of the em, in pixels.
        weight: Of the strokes.
    """
    path = files("font_source_sans_pro") / "files" / f"SourceSansPro-{weight}.ttf"
    return ImageFont.truetype(str(path), size_px)
