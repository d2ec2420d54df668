"""What cannot be adapted, and what to do about it.

AdaptationError
├── MethodUnfit      no method of that name, or one that needs a source where there is none
├── LabelsUnfit      labels that lie elsewhere, or on too little ground to hold some out
├── ArtefactUnfit    an artefact whose bands or weights do not serve
├── RunUnfit         a run folder that another command made
└── TargetUnfit      orthophotos without enough data
"""

from models.errors import RemediedError


class AdaptationError(RemediedError):
    """What was given cannot be adapted."""


class MethodUnfit(AdaptationError):
    """No method has that name, or it needs what is not given."""


class LabelsUnfit(AdaptationError):
    """Labels do not lie on the target, or on too little of it."""


class ArtefactUnfit(AdaptationError):
    """The artefact carries no weights that can go on, or reads bands that the target does not have."""


class RunUnfit(AdaptationError):
    """The run folder belongs to another run."""


class TargetUnfit(AdaptationError):
    """The orthophotos hold too little data."""
