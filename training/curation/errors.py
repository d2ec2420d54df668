"""What no training set can be made of, and what to do about it.

CurationError
├── AreasUnfit       areas without the field `split`, or with words in it that name no split
├── BandsDiffer      some orthophotos have near infrared, others do not
├── DomainUnfit      an option that names no domain, or a place that is none of the orthophotos'
├── FolderBusy       another process is making the same set
├── FolderTaken      the folder holds something that was made otherwise
├── NothingToCut     no orthophoto is as large as a patch, or no labels lie on them
└── RequestUnfit     sizes or shares that contradict themselves
"""

from models.errors import RemediedError


class CurationError(RemediedError):
    """No training set can be made of what was given."""


class AreasUnfit(CurationError):
    """The areas do not say which split they are."""


class BandsDiffer(CurationError):
    """Some orthophotos have near infrared, others do not."""


class DomainUnfit(CurationError):
    """An option names no domain, or a place that is none of the orthophotos'."""


class FolderBusy(CurationError):
    """Another process is making the same set."""


class FolderTaken(CurationError):
    """The folder holds something that was made otherwise."""


class NothingToCut(CurationError):
    """No orthophoto is as large as a patch, or no labels lie on them."""


class RequestUnfit(CurationError):
    """Sizes or shares contradict themselves."""
