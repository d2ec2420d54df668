"""The manifest: one JSON file that tells all of a model, in words of the MLM extension where it has some."""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import ManifestInvalid
from models.nomenclature import NOMENCLATURES

SCHEMA_VERSION: Literal[1] = 1
"""Raised when a manifest of before can no longer be read as written."""

Role = Literal["red", "green", "blue", "nir", "height"]
"""What a band shows; bands are found by role, never by position. Height is above ground, 0.2 m a level."""

Precision = Literal["fp32", "int8", "fp16"]
"""What a graph computes in: the first is the model, the others are nearly it and say how nearly."""

Provenance = Literal["real-fine", "real-coarse", "synthetic-only"]
"""Who taught a class: real labels of its own, real labels shared with others, or generated ones alone."""

FileRole = Literal["model", "golden", "card", "weights", "recipe", "drift"]

PositiveFloat = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0)]
NonNegativeInt = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Range(_Part):
    """A closed interval and the value the model was made for."""

    min: PositiveFloat
    max: PositiveFloat
    nominal: PositiveFloat

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if not self.min <= self.nominal <= self.max:
            raise ValueError(f"not min <= nominal <= max: {self.min}, {self.nominal}, {self.max}")
        return self

    def holds(self, value: float) -> bool:
        """Whether a value lies in the interval, ends included."""
        return self.min <= value <= self.max


class InputSpec(_Part):
    """One tensor that the graph reads, and the geometry that belongs to it.

    Geometry is part of the model, never a setting: another core or halo gives other results.
    """

    name: str
    """Name of the graph's input."""
    bands: Annotated[tuple[Role, ...], Field(min_length=1)]
    """Roles in the order of the channel axis."""
    dtype: Literal["uint8"]
    gsd_m: Range
    """Ground resolution that the model was trained for, in metres on the ground a pixel."""
    core_px: PositiveInt
    halo_px: NonNegativeInt
    stride_px: PositiveInt
    """Height and width of a patch must be multiples of it."""
    nodata_fill: Annotated[int, Field(ge=0, le=255)] = 0
    """Value that pixels without data carry when they reach the graph."""
    time_axis: None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if len(set(self.bands)) != len(self.bands):
            raise ValueError(f"a band is named twice: {self.bands}")
        if self.patch_px % self.stride_px:
            raise ValueError(
                f"core {self.core_px} + 2 x halo {self.halo_px} is no multiple of stride {self.stride_px}"
            )
        return self

    @property
    def patch_px(self) -> int:
        """Side of a whole patch: the core and its halo on both sides, in pixels."""
        return self.core_px + 2 * self.halo_px


class OutputNames(_Part):
    """Names of the graph's outputs."""

    classes: str = "classes"
    """uint8 [N, H, W], class values."""
    confidence: str = "confidence"
    """uint8 [N, H, W], percent 0-100: the calibrated probability of the class given, rounded."""
    logits: str | None = "logits"
    """float32 [N, K, H, W] over live channels, temperature applied; None when the graph has none."""
    logits_factor: PositiveInt = 1
    """Sub-pixels along each side of a position of the logits.

    Above 1 the logits are [N, K * factor ** 2, H / factor, W / factor], and ``models.subpixels`` brings them
    to full size: done in the graph it cost time, for an output that is rarely asked for.
    """


class BandReference(_Part):
    """What a band looked like in training, to measure drift against."""

    band: Role
    mean: float
    std: Annotated[float, Field(ge=0)]
    histogram: Annotated[tuple[NonNegativeInt, ...], Field(min_length=256, max_length=256)]
    """Pixels for each value 0-255, pixels without data left out."""


class Metrics(_Part):
    """What was measured on one domain that training never saw."""

    num_scenes: PositiveInt
    num_pixels: PositiveInt
    gsd_m: tuple[PositiveFloat, PositiveFloat]
    """Finest and coarsest ground resolution of the scenes, in metres."""
    miou: Share
    """Mean over the classes in ``iou``."""
    overall_accuracy: Share
    iou: dict[str, Share]
    """Class key to intersection over union, pooled over scenes."""
    absent: tuple[str, ...] = ()
    """Classes neither in truth nor predicted; they are in no mean."""


class CoarseMetrics(_Part):
    """What was measured on one real domain that training never saw, whose truth is in coarse labels."""

    label_set: str
    """Data set whose labels these are."""
    num_images: PositiveInt
    num_pixels: PositiveInt
    balanced_accuracy: Share
    """Mean over the labels in ``recall``."""
    accuracy: Share
    """Share of labelled pixels whose class may be what the label says."""
    recall: dict[str, Share]
    """Coarse label to the share of its pixels that were given a class standing for it."""
    absent: tuple[str, ...] = ()
    """Labels with too small a share of the truth; they are in no mean."""


class Faithfulness(_Part):
    """How near a graph of lower precision is to fp32 on one domain, as measured when it was kept."""

    num_pixels: PositiveInt
    """Compared, labelled or not."""
    agreement: Share
    """Share of them to which both give the same class."""
    metric: Literal["miou", "balanced_accuracy"]
    """Of the two scores: against single classes, or against coarse labels."""
    score: Share
    """Of the graph of lower precision."""
    fp32_score: Share
    """Of the fp32 graph, on the same pixels."""


class Training(_Part):
    """Where the weights come from."""

    commit: str
    """Commit of this repository that trained or imported them."""
    recipe: str
    """What trained them here, or the file elsewhere that they were imported from."""
    seed: int | None
    """None where whoever trained them does not say."""
    num_steps: PositiveInt | None
    """As the seed."""
    weights_of: str | None = None
    """``id@version`` of the artefact that carries the weights, when this one shares them."""


class FileSpec(_Part):
    """A file of the artefact, to be found unchanged."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size_bytes: NonNegativeInt
    role: FileRole
    precision: Precision | None = None
    """Precision of a graph; None for everything else."""


class Manifest(_Part):
    """All there is to know of a model before running it."""

    schema_version: Literal[1] = SCHEMA_VERSION
    id: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]*$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    task: Literal["semantic-segmentation"] = "semantic-segmentation"
    title: str
    inputs: Annotated[tuple[InputSpec, ...], Field(min_length=1)]
    outputs: OutputNames = OutputNames()
    nomenclature: str
    channels: Annotated[tuple[NonNegativeInt, ...], Field(min_length=2)]
    """Live channel of the head, by position, to class value."""
    domains: tuple[str, ...]
    """Territories and campaigns that were trained on."""
    reference: dict[str, tuple[BandReference, ...]]
    """By input name: one entry a band, in the order of the bands."""
    metrics: dict[str, Metrics]
    """By domain; truth in single classes."""
    coarse_metrics: dict[str, CoarseMetrics] = {}
    """By real domain; truth in coarse labels."""
    provenance: dict[str, Provenance] = {}
    """Class key to who taught it; empty where nobody says."""
    lowered: dict[Precision, dict[str, Faithfulness]] = {}
    """Of each graph of lower precision, by domain, how near it is to fp32."""
    temperature: PositiveFloat = 1.0
    """What logits were divided by; already in the graph's head."""
    licence: str
    training: Training
    files: dict[str, FileSpec]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.nomenclature not in NOMENCLATURES:
            raise ValueError(f"unknown nomenclature {self.nomenclature!r}; known: {', '.join(NOMENCLATURES)}")
        num_classes = len(NOMENCLATURES[self.nomenclature].classes)
        if len(set(self.channels)) != len(self.channels) or max(self.channels) >= num_classes:
            raise ValueError(f"channels must be distinct class values below {num_classes}: {self.channels}")
        for spec in self.inputs:
            described = tuple(band.band for band in self.reference.get(spec.name, ()))
            if described not in ((), spec.bands):
                raise ValueError(f"reference of input {spec.name} is for {described}, not {spec.bands}")
        for name in self.files:
            if not _PLAIN_NAME.fullmatch(name) or name == "manifest.json":
                raise ValueError(f"{name!r} is no plain file name")
        if not any(spec.role == "model" for spec in self.files.values()):
            raise ValueError("no file has the role of a model")
        if len(set(self.precisions)) != len(self.precisions):
            raise ValueError(f"two graphs of one precision: {', '.join(self.precisions)}")
        if set(self.precisions) - {"fp32"} != set(self.lowered):
            raise ValueError(
                f"graphs in {', '.join(self.precisions)}, but figures of {', '.join(self.lowered) or 'none'}:"
                " a graph of lower precision says how near it is to fp32"
            )
        return self

    @model_validator(mode="after")
    def _tells_of_its_classes(self) -> Self:
        live = {NOMENCLATURES[self.nomenclature].classes[value].slug for value in self.channels}
        if self.provenance and set(self.provenance) != live:
            raise ValueError(f"provenance must be told of the live classes: {', '.join(sorted(live))}")
        return self

    @property
    def key(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """Precisions that the artefact carries a graph of."""
        return tuple(
            spec.precision for spec in self.files.values() if spec.role == "model" and spec.precision
        )


def parse_manifest(text: bytes, *, where: str) -> Manifest:
    """Read a manifest from the bytes of its file.

    Args:
        text: UTF-8 JSON.
        where: Name of the source, for messages.

    Raises:
        ManifestInvalid: It is no JSON, lacks a field, has one too many or contradicts itself.
    """
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise ManifestInvalid(
            f"{where}: {place}: {first['msg']} ({error.error_count()} problem(s))",
            remedy="Export the artefact again, or use a version of Orthoscape that wrote this manifest.",
        ) from error
