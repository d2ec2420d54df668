"""What `orthoscape-train import` does."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from models.artefact import Artefact
from training.importing.conversion import Imported, convert
from training.importing.errors import IdUnusable
from training.importing.hub import describe, fetch
from training.importing.published import find_published, guess_published
from training.runfolder import working_commit

_ID = re.compile("[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What a caller says beyond the name or the path."""

    like: str | None = None
    """Published model whose layout a local checkpoint has; None reads it off the file's name."""
    revision: str | None = None
    """Branch, tag or commit on the hub; None is the newest."""
    model_id: str | None = None
    """Of the artefact; None is the published name."""
    without_metadata: bool = False


def models_folder() -> Path:
    """Where the service looks for installed models: ``$ORTHOSCAPE_HOME/models``."""
    home = os.environ.get("ORTHOSCAPE_HOME")
    if home:
        return Path(home) / "models"
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "orthoscape" / "models"


def import_weights(name_or_path: str, options: ImportOptions, *, into: Path | None) -> Artefact:
    """Make an artefact of a published checkpoint, or of a file that has its layout.

    Args:
        name_or_path: A file is taken for a path, everything else for a name.
        options: As named.
        into: Folder of artefact folders; None is the service's.

    Raises:
        ImportRefused: As its subclasses name.
        ParityError: The graph does not compute what the network computes.
    """
    if options.model_id is not None and not _ID.fullmatch(options.model_id):
        raise IdUnusable(
            f"{options.model_id!r} is no id of an artefact",
            remedy="Use lower-case letters, digits and hyphens.",
        )
    path = Path(name_or_path)
    if path.exists():
        published = find_published(options.like) if options.like else guess_published(path.name)
        checkpoint = describe(path)
    else:
        published = find_published(name_or_path)
        checkpoint = fetch(published, revision=options.revision)
    imported = Imported(
        model_id=options.model_id or published.name,
        published=published,
        without_metadata=options.without_metadata,
        commit=working_commit(),
    )
    return convert(imported, checkpoint, into=into or models_folder())
