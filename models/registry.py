"""The registry: finds artefacts by name in a few folders, and checks them when they are asked for."""

import json
from collections.abc import Sequence
from pathlib import Path

from models.artefact import MANIFEST_NAME, Artefact, read_manifest
from models.errors import ArtefactAmbiguous, ArtefactMissing, ContractError
from models.manifest import Manifest

PACKAGED_FOLDER = Path(__file__).parent / "artefacts"
"""The artefacts that come with Orthoscape."""

DEFAULT_NAME = "default"

_DEFAULTS_FILE = PACKAGED_FOLDER / "default.json"


def packaged_defaults() -> tuple[str, ...]:
    """Ids of the packaged choice, the preferred one first.

    They are one model in several band sets: the first that a scene has all bands for is the one to run.
    """
    ids: list[str] = json.loads(_DEFAULTS_FILE.read_text(encoding="utf-8"))
    return tuple(ids)


class Registry:
    """Artefacts in the folders given, each in a folder of its own.

    Manifests are read when the registry is made, files are checked against them once, at the first `get`.

    Args:
        folders: Folders of artefact folders; one that does not exist holds none.
    """

    def __init__(self, folders: Sequence[Path] = (PACKAGED_FOLDER,)) -> None:
        self.folders = tuple(folders)
        self._found: list[tuple[Path, Manifest, str]] = []
        self._loaded: dict[str, Artefact] = {}
        self._unreadable: dict[Path, ContractError] = {}
        for folder in self.folders:
            self._scan(folder)

    def _scan(self, folder: Path) -> None:
        if not folder.is_dir():
            return
        for path in sorted(folder.iterdir()):
            if not (path / MANIFEST_NAME).is_file():
                continue
            try:
                manifest, digest = read_manifest(path)
            except ContractError as error:
                self._unreadable[path] = error
            else:
                self._found.append((path, manifest, digest))

    def ids(self) -> tuple[str, ...]:
        """Ids that can be asked for, sorted."""
        return tuple(sorted({manifest.id for _, manifest, _ in self._found}))

    def manifests(self) -> tuple[Manifest, ...]:
        """Every readable manifest, by id and version; files are not checked."""
        found = sorted(self._found, key=lambda entry: (entry[1].id, _version_of(entry[1])))
        return tuple(manifest for _, manifest, _ in found)

    def unreadable(self) -> dict[Path, ContractError]:
        """Artefact folders whose manifest cannot be read, and why."""
        return dict(self._unreadable)

    def get(self, name: str = DEFAULT_NAME) -> Artefact:
        """An artefact, its files checked.

        Args:
            name: ``id`` for the newest version, ``id@version``, or ``default`` for the packaged choice.

        Raises:
            ArtefactMissing: No readable artefact is called so.
            ArtefactAmbiguous: Two different ones are.
            ArtefactDamaged: Its files are not those of its manifest.
        """
        if name == DEFAULT_NAME:
            name = packaged_defaults()[0]
        model_id, _, version = name.partition("@")
        matches = [
            entry
            for entry in self._found
            if entry[1].id == model_id and (not version or entry[1].version == version)
        ]
        if not matches:
            raise self._missing(name)
        newest = max(_version_of(manifest) for _, manifest, _ in matches)
        matches = [entry for entry in matches if _version_of(entry[1]) == newest]
        if len({digest for _, _, digest in matches}) > 1:
            places = ", ".join(str(path) for path, _, _ in matches)
            raise ArtefactAmbiguous(
                f"{matches[0][1].key} is in {places}, and they differ",
                remedy="Remove one of them, or give it a version of its own.",
            )
        path, _, digest = matches[0]
        if digest not in self._loaded:
            self._loaded[digest] = Artefact.load(path)
        return self._loaded[digest]

    def defaults(self) -> tuple[Artefact, ...]:
        """The packaged choice in its band sets, the preferred one first.

        Raises:
            ContractError: As `get`.
        """
        return tuple(self.get(model_id) for model_id in packaged_defaults())

    def _missing(self, name: str) -> ArtefactMissing:
        searched = ", ".join(str(folder) for folder in self.folders)
        known = ", ".join(manifest.key for manifest in self.manifests()) or "none"
        remedy = f"Models found: {known}."
        if self._unreadable:
            remedy += f" Not readable: {', '.join(str(path) for path in self._unreadable)}."
        return ArtefactMissing(f"no model {name!r} in {searched}", remedy=remedy)


def _version_of(manifest: Manifest) -> tuple[int, ...]:
    return tuple(int(part) for part in manifest.version.split("."))
