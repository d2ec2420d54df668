"""Every way that data on disk can fail to be what it is read as, as one tree.

    RemediedError
    └── DataError
        ├── LayoutUnknown     the folder is not laid out like the data set
        ├── FileMissing       half of a pair is not there
        ├── FileUnexpected    a file has other bands, another type or size, or cannot be read
        ├── SourceUnknown     no data set has that name
        ├── LabelUnknown      labels hold a value or a colour that the data set does not define
        └── SplitsOverlap     the same ground is in two parts of a split

Each message names the file or the folder, and what was found there.
"""

from models.errors import RemediedError


class DataError(RemediedError):
    """Data on disk is not what it is read as."""


class SourceUnknown(DataError):
    """No data set has that name."""


class LayoutUnknown(DataError):
    """The folder is not laid out like the data set."""


class FileMissing(DataError):
    """Half of a pair is not there."""


class FileUnexpected(DataError):
    """A file has other bands, another type or size, or cannot be read."""


class LabelUnknown(DataError):
    """Labels hold a value or a colour that the data set does not define."""


class SplitsOverlap(DataError):
    """The same ground is in two parts of a split."""
