"""The facts that make a raster unusable, each a class of its own."""

from service.errors import RasterError


class NotALocalFile(RasterError):
    """The path is a URL, a driver string, a device or nothing at all."""


class UnsupportedFormat(RasterError):
    """The file's first bytes are not those of a GeoTIFF or a JPEG 2000."""


class UnreadableRaster(RasterError):
    """The file is damaged, truncated, or not what its header says."""


class TooLarge(RasterError):
    """The raster's sides, bands or internal blocks pass the limits."""


class SuspiciousCompression(RasterError):
    """A small file claims more pixels than real imagery can."""


class ReaderDied(RasterError):
    """The child process that reads the file ended: out of memory, or crashed by the file."""


class ReaderTimedOut(RasterError):
    """Reading took longer than the hard limit; the child process was killed."""


class UnknownCrs(RasterError):
    """The coordinate reference system cannot be understood or does not lie on the Earth."""


class CrsConflict(RasterError):
    """The file states another coordinate reference system than the caller."""


class MissingCrs(RasterError):
    """The raster has no coordinate reference system and the caller gave none."""


class NotGeoreferenced(RasterError):
    """The raster has no transform: nothing says where its pixels lie."""


class AmbiguousBands(RasterError):
    """Nothing in the file says which band is which."""


class UnsupportedDtype(RasterError):
    """The pixels are not 8-bit."""


class PalettedRaster(RasterError):
    """The pixels are indices into a colour table."""


class CollarWithoutNodata(RasterError):
    """The rim is blank and nothing says that it is not data."""


class SuspectAlpha(RasterError):
    """A band is tagged alpha but holds more than 0 and 255."""


class CompanionMismatch(RasterError):
    """A companion does not lie on the grid of the raster that it accompanies."""


class BandMismatch(RasterError):
    """The raster does not carry the bands the model was trained on."""

    def __init__(
        self, *, expected: tuple[str, ...], found: tuple[str, ...], remedy: str | None = None
    ) -> None:
        self.expected, self.found = expected, found
        self.missing = tuple(band for band in expected if band not in found)
        super().__init__(
            f"missing bands: {', '.join(self.missing)}; the model reads {', '.join(expected)},"
            f" the raster has {', '.join(found) or 'none that is known'}",
            remedy=remedy,
        )


class NoPolygons(RasterError):
    """A vector file holds no area, or does not say where it lies."""


class AreaUnreadable(RasterError):
    """An area of interest is no polygon that can be read."""


class AreaTooDetailed(RasterError):
    """An area has more polygons or points than its use as a mask is worth."""


FROM_CHILD: dict[str, type[RasterError]] = {
    error.__name__: error
    for error in (
        NotALocalFile,
        UnsupportedFormat,
        UnreadableRaster,
        TooLarge,
        SuspiciousCompression,
        UnknownCrs,
        CrsConflict,
        NoPolygons,
        AreaUnreadable,
        AreaTooDetailed,
    )
}
"""The errors that the child may raise by name; any other name becomes ``UnreadableRaster``."""
