"""What can be wrong with a request for a tile or a point, each a class of its own."""

from service.errors import MapError, NotFound, RequestError


class TileMatrixSetUnknown(NotFound):
    """There is no tile matrix set of that name."""


class TileUnknown(NotFound):
    """The tile matrix set has no such tile."""


class TileStyleInvalid(RequestError):
    """A tile cannot be drawn as asked."""


class PieceGone(MapError):
    """A file that held pixels of the map is no longer there: replaced, finished or deleted meanwhile."""
