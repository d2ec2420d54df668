"""Every way an import can be refused, as one tree.

    RemediedError
    └── ImportRefused
        ├── NotPublished          no importable checkpoint is published under that name
        ├── HubUnreachable        the hub does not answer, or does not have the file
        ├── CheckpointUnreadable  truncated, or no checkpoint at all
        ├── CheckpointUnsafe      reading it would run code that it brings along
        ├── OtherArchitecture     weights of another network
        ├── IdUnusable            an id that no artefact can have
        └── OtherOutputs          bands or classes that are not those of the model named

Each message carries what was found; where something can be done, the remedy says what.
"""

from models.errors import RemediedError


class ImportRefused(RemediedError):
    """A checkpoint cannot become an artefact."""


class NotPublished(ImportRefused):
    """No checkpoint that can be imported is published under that name."""


class IdUnusable(ImportRefused):
    """No artefact can be called so."""


class HubUnreachable(ImportRefused):
    """The hub does not answer, or does not have what was asked for."""


class CheckpointUnreadable(ImportRefused):
    """The file is truncated, or holds something else than tensors by name."""


class CheckpointUnsafe(ImportRefused):
    """The file is a pickle that names more than tensors: unpickling it would run what it says."""


class OtherArchitecture(ImportRefused):
    """The tensors are those of another network, or not all of this one's."""


class OtherOutputs(ImportRefused):
    """The network reads other bands, or tells other classes, than the model it is said to be."""
