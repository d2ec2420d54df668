"""An artefact: a folder with a manifest, a graph, a golden sample, a card and, often, its weights."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.drift import DriftReference
from models.errors import ArtefactDamaged, ManifestInvalid, PrecisionMissing
from models.manifest import FileRole, FileSpec, Manifest, Precision, parse_manifest

MANIFEST_NAME = "manifest.json"

_REMEDY = "Install or export the artefact again; its files must not be edited."


@dataclass(frozen=True, kw_only=True)
class Golden:
    """A small input and what the model made of it when it was exported."""

    image_NCHW: NDArray[np.uint8]
    """Raw pixels in the order of the manifest's bands."""
    classes_NHW: NDArray[np.uint8]
    """Class values of the fp32 graph."""
    confidence_NHW: NDArray[np.uint8]
    """Percent."""
    logits_NKHW: NDArray[np.float32]
    """Over live channels, temperature applied."""
    lowered_NHW: Mapping[Precision, NDArray[np.uint8]] = field(default_factory=dict)
    """Class values of each graph of lower precision."""

    def expected_classes(self, precision: Precision) -> NDArray[np.uint8]:
        """The class values that the graph of a precision gave when it was exported."""
        return self.classes_NHW if precision == "fp32" else self.lowered_NHW[precision]


@dataclass(frozen=True)
class Artefact:
    """A model that can be run: its folder and manifest, the files checked against it."""

    folder: Path
    manifest: Manifest
    digest: str
    """sha256 of the manifest's bytes; through the digests in it, it stands for every file."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open an artefact and check every file that its manifest names.

        Raises:
            ManifestInvalid: The manifest is absent or cannot be read.
            ArtefactDamaged: A file is absent, or has another size or digest.
        """
        manifest, digest = read_manifest(folder)
        for name, spec in manifest.files.items():
            _check_file(folder / name, spec)
        return cls(folder=folder, manifest=manifest, digest=digest)

    def model_path(self, precision: Precision = "fp32") -> Path:
        """The graph of a precision.

        Raises:
            PrecisionMissing: The artefact carries none.
        """
        for name, spec in self.manifest.files.items():
            if spec.role == "model" and spec.precision == precision:
                return self.folder / name
        raise PrecisionMissing(
            f"{self.manifest.key} has no {precision} graph",
            remedy=f"It has: {', '.join(self.manifest.precisions) or 'none'}. Ask for one of those, or for a"
            " model that was exported with the other.",
        )

    def golden(self) -> Golden:
        """The golden sample.

        Raises:
            ArtefactDamaged: There is none, or its arrays have other types or shapes.
        """
        path = self.file_of("golden")
        with np.load(path, allow_pickle=False) as arrays:
            try:
                golden = Golden(
                    image_NCHW=arrays["image_NCHW"],
                    classes_NHW=arrays["classes_NHW"],
                    confidence_NHW=arrays["confidence_NHW"],
                    logits_NKHW=arrays["logits_NKHW"],
                    lowered_NHW={
                        precision: arrays[golden_name(precision)] for precision in self.manifest.lowered
                    },
                )
            except KeyError as error:
                raise ArtefactDamaged(f"{path} lacks the array {error}", remedy=_REMEDY) from error
        _check_golden(golden, manifest=self.manifest, path=path)
        return golden

    def card(self) -> str:
        """The model's card, as Markdown."""
        return self.file_of("card").read_text(encoding="utf-8")

    def drift_reference(self) -> DriftReference | None:
        """What drift is measured against; None where the artefact does not carry it.

        Raises:
            ArtefactDamaged: The file holds something else.
        """
        if not any(spec.role == "drift" for spec in self.manifest.files.values()):
            return None
        path = self.file_of("drift")
        try:
            return DriftReference.read(path)
        except (KeyError, ValueError) as error:
            raise ArtefactDamaged(f"{path} cannot be read: {error}", remedy=_REMEDY) from error

    def file_of(self, role: FileRole) -> Path:
        """The first file of a role.

        Raises:
            ArtefactDamaged: The artefact has none.
        """
        for name, spec in self.manifest.files.items():
            if spec.role == role:
                return self.folder / name
        raise ArtefactDamaged(f"{self.manifest.key} has no file of the role {role!r}", remedy=_REMEDY)


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """A folder's manifest and the sha256 of its bytes; the other files are not looked at.

    Raises:
        ManifestInvalid: It is absent or cannot be read.
    """
    path = folder / MANIFEST_NAME
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ManifestInvalid(f"{path} cannot be read: {error.strerror}", remedy=_REMEDY) from error
    return parse_manifest(text, where=str(path)), hashlib.sha256(text).hexdigest()


def golden_name(precision: Precision) -> str:
    """The array of the golden sample that holds the class values of a graph of lower precision."""
    return f"classes_{precision}_NHW"


def describe_file(path: Path, *, role: FileRole, precision: Precision | None = None) -> FileSpec:
    """What a manifest says of a file that lies there now."""
    return FileSpec(sha256=_sha256(path), size_bytes=path.stat().st_size, role=role, precision=precision)


def _check_file(path: Path, spec: FileSpec) -> None:
    if not path.is_file():
        raise ArtefactDamaged(f"{path} is missing", remedy=_REMEDY)
    size_bytes = path.stat().st_size
    if size_bytes != spec.size_bytes:
        raise ArtefactDamaged(
            f"{path} has {size_bytes} bytes, its manifest says {spec.size_bytes}", remedy=_REMEDY
        )
    sha256 = _sha256(path)
    if sha256 != spec.sha256:
        raise ArtefactDamaged(f"{path} has sha256 {sha256}, its manifest says {spec.sha256}", remedy=_REMEDY)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_golden(golden: Golden, *, manifest: Manifest, path: Path) -> None:
    num_samples, num_bands, height, width = golden.image_NCHW.shape
    if num_bands != len(manifest.inputs[0].bands):
        raise ArtefactDamaged(
            f"{path} has {num_bands} bands, the model reads {manifest.inputs[0].bands}", remedy=_REMEDY
        )
    wanted: dict[str, tuple[NDArray[Any], tuple[int, ...], type[np.generic]]] = {
        "image_NCHW": (golden.image_NCHW, (num_samples, num_bands, height, width), np.uint8),
        "classes_NHW": (golden.classes_NHW, (num_samples, height, width), np.uint8),
        "confidence_NHW": (golden.confidence_NHW, (num_samples, height, width), np.uint8),
        "logits_NKHW": (
            golden.logits_NKHW,
            (num_samples, len(manifest.channels), height, width),
            np.float32,
        ),
    }
    for precision, classes_NHW in golden.lowered_NHW.items():
        wanted[golden_name(precision)] = (classes_NHW, (num_samples, height, width), np.uint8)
    for name, (array, shape, dtype) in wanted.items():
        if array.shape != shape or array.dtype != dtype:
            raise ArtefactDamaged(
                f"{path}: {name} is {array.dtype} {array.shape}, expected {np.dtype(dtype)} {shape}",
                remedy=_REMEDY,
            )
