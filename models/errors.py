"""Errors that say what to do, and every way the contract can be broken, as one small tree.

    RemediedError
    └── ContractError
        ├── NomenclatureUnknown    a class scheme that this version does not carry
        ├── ManifestInvalid        a manifest that cannot be read or contradicts itself
        ├── ArtefactDamaged        a file of an artefact is absent, of another size or of another digest
        ├── PrecisionMissing       an artefact without a graph of the precision asked for
        ├── ArtefactMissing        no artefact of that name in the folders that were searched
        └── ArtefactAmbiguous      two artefacts claim one name and version, and differ

The errors of the service are remedied errors too: whoever shows one needs to know no more.
"""


class RemediedError(Exception):
    """Something a user can understand went wrong.

    Args:
        message: What is wrong, with the values that show it.
        remedy: What to do about it, as a sentence or a command; None when nothing can be done.
    """

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


class ContractError(RemediedError):
    """An artefact, or what it refers to, is not what the contract asks for."""


class NomenclatureUnknown(ContractError):
    """A class scheme that this version does not carry."""


class ManifestInvalid(ContractError):
    """A manifest cannot be read, or contradicts itself."""


class ArtefactDamaged(ContractError):
    """A file of an artefact is absent, or is not the file that its manifest names."""


class PrecisionMissing(ContractError):
    """The artefact carries no graph of the precision asked for."""


class ArtefactMissing(ContractError):
    """No artefact of that name is in the folders that were searched."""


class ArtefactAmbiguous(ContractError):
    """Two artefacts claim the same name and version, and differ."""
