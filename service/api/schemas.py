"""What answers look like: the shapes of JSON, with examples."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from service.jobs.records import JobStatus, UnitStatus

Time = Annotated[
    datetime,
    PlainSerializer(lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z", return_type=str),
    Field(examples=["2026-11-21T10:40:00.000Z"]),
]
"""A moment, UTC; ISO 8601 with milliseconds."""

Bounds = Annotated[
    tuple[float, float, float, float], Field(examples=[[6.1, 46.1, 6.2, 46.2]], title="Bounds")
]
"""West, south, east, north in degrees (WGS84)."""


Outline = Annotated[
    tuple[tuple[float, float], ...],
    Field(
        description="What is covered, in degrees: a ring as GeoJSON has it, counter-clockwise and closed.",
        examples=[[[6.1, 46.1], [6.2, 46.103], [6.196, 46.2], [6.096, 46.197], [6.1, 46.1]]],
    ),
]
"""A polygon, of what bounds are the box: grids are turned against meridians."""


def moment(epoch_s: float) -> datetime:
    """A time of the store as a moment in UTC."""
    return datetime.fromtimestamp(epoch_s, tz=UTC)


class Shape(BaseModel):
    """What every answer has in common: nothing is changed after it is made, nothing is unnamed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fault(Shape):
    """One place in the request that is wrong."""

    detail: str = Field(examples=["is no polygon"])
    pointer: str | None = Field(default=None, description="JSON pointer into the body.", examples=["#/aoi"])
    parameter: str | None = Field(default=None, description="Name of a parameter of the path or query.")
    header: str | None = Field(default=None, description="Name of a header.")
    part: str | None = Field(
        default=None, description="Part of the service that is away.", examples=["store"]
    )


class Problem(BaseModel):
    """An error, as RFC 9457 writes it."""

    type: str = Field(
        description="Names the fact, for programs; stable.", examples=["urn:orthoscape:problem:band-mismatch"]
    )
    title: str = Field(examples=["The raster does not carry the bands the model was trained on"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["missing bands: nir; the model reads red, green, blue, nir"])
    remedy: str | None = Field(
        default=None, description="What to do about it.", examples=["give the near infrared with irc"]
    )
    errors: list[Fault] | None = Field(default=None, description="Where in the request.")
    instance: str | None = Field(
        default=None, description="This very occurrence, as the server's log names it."
    )


class Link(Shape):
    """Where something is."""

    href: str = Field(examples=["http://localhost:8000/jobs/0cv2m7"])
    type: str = Field(description="Media type of what is there.", examples=["application/json"])
    title: str = Field(examples=["This job"])
    templated: bool | None = Field(
        default=None, exclude_if=lambda it: it is None, description="True where href holds {z}, {x}, {y}."
    )


class BlockCounts(Shape):
    """How many blocks a job has."""

    total: int = Field(examples=[64])
    done: int = Field(examples=[12])
    failed: int = Field(examples=[0])


class SheetCounts(Shape):
    """How many sheets a job's map has."""

    total: int = Field(examples=[1])
    done: int = Field(examples=[0])


class MapName(Shape):
    """The map that a job makes."""

    id: str = Field(examples=["0cv2m8"])
    name: str = Field(examples=["annecy-2024"])


class MapDriftOut(Shape):
    """How unlike what the model makes of training domains a finished map is."""

    value: float = Field(
        description="Jensen-Shannon distance of its class shares to the nearest training domain's; 0 to 1.",
        examples=[0.31],
    )
    threshold: float = Field(description="Above it a warning is given.", examples=[0.52])
    nearest: str = Field(description="The training domain that is meant.", examples=["dubai: Dubai_tile-2"])
    confidence: float | None = Field(
        description="Mean of the map, in percent; null where it is not known.", examples=[81.4]
    )
    least_confidence: float | None = Field(
        description="Below it a warning is given; by the training domains it is least sure of.",
        examples=[62.9],
    )
    warnings: list[str] = Field(description="What may make the map doubtful.")


class JobOut(Shape):
    """A job: what it makes, how far it is, where things are."""

    id: str = Field(examples=["0cv2m7"])
    status: JobStatus
    title: str = Field(examples=["Land cover of ortho.tif"])
    label: str = Field(
        description="What to write over its map: the title that was given, else the map's name.",
        examples=["annecy-2024"],
    )
    message: str = Field(description="What it does now, or why it ended.", examples=["segmenting"])
    progress: float = Field(ge=0, le=100, description="Percent.", examples=[18.75])
    seconds_left: float | None = Field(
        description="At the speed of its workers until now; null while that is not known.", examples=[41.0]
    )
    created: Time
    started: Time | None
    finished: Time | None
    updated: Time
    model: str = Field(examples=["compact-rgb@0.2.0"])
    profile: str | None = Field(
        description="What its workers must offer for identical bytes; null until one has taken it.",
        examples=["onnxruntime-1.31.1-fp32-cpu-x86_64-avx512"],
    )
    map: MapName
    area_km2: float = Field(examples=[1.05])
    bounds: Bounds
    blocks: BlockCounts
    sheets: SheetCounts
    notes: list[str] = Field(
        description="What is done that you may not expect.",
        examples=[["ortho.tif: resampled to 0.2 m, since the model reads 0.15 to 0.5 m"]],
    )
    map_drift: MapDriftOut | None = Field(
        default=None,
        description="null until the map is finished, and where it is not known, such as for models that carry"
        " no reference.",
    )
    error: str | None = Field(default=None, description="Why it failed.")
    deduplicated: bool = Field(default=False, description="An equal job was there already: this one.")
    resumed: bool = Field(
        default=False, description="An equal job had stopped, and was taken up again: this one."
    )
    links: dict[str, Link]


class JobPage(Shape):
    """Some jobs, newest first."""

    jobs: list[JobOut]
    links: dict[str, Link] = Field(
        description="`next` leads to older ones, where there are any; `example` maps the server's example."
    )


class BlockOut(Shape):
    """A block: the unit of work and of retry."""

    name: str = Field(examples=["r-12_c340"])
    sheet: str = Field(examples=["annecy-2024"])
    status: UnitStatus
    bounds: Bounds
    outline: Outline
    attempts: int = Field(examples=[1])
    num_px: int = Field(examples=[4_194_304])
    error: str | None = None


class BlockPage(Shape):
    """Blocks of a job."""

    blocks: list[BlockOut]
    seq: int = Field(description="What to ask with as `since` for those that settle later.", examples=[12])


class SettledBlock(Shape):
    """A block that is done, or given up."""

    name: str = Field(examples=["r-12_c340"])
    sheet: str = Field(examples=["annecy-2024"])
    status: UnitStatus
    bounds: Bounds


class BlocksEvent(Shape):
    """Blocks that have settled."""

    blocks: list[SettledBlock]


class LogLine(Shape):
    """Something that happened to a job."""

    at: Time
    level: str = Field(examples=["info"])
    text: str = Field(examples=["block r-12_c340 failed: ortho.tif is damaged"])


class LogOut(Shape):
    """What happened to a job, oldest first."""

    entries: list[LogLine]


class DriftOut(Shape):
    """How unlike the images that the model was trained on the imagery is."""

    value: float = Field(
        description="Distance to the nearest training domain; 2 is about as far as one is from another.",
        examples=[1.02],
    )
    threshold: float = Field(description="Above it a warning is given.", examples=[2.1])
    nearest: str = Field(description="The training domain that is meant.", examples=["dubai: Dubai_tile-2"])


class EstimateOut(Shape):
    """What a job would cost, before any work."""

    num_px: int = Field(description="Pixels that are segmented.", examples=[26_214_400])
    num_blocks: int = Field(examples=[9])
    num_sheets: int = Field(examples=[1])
    area_km2: float = Field(examples=[1.05])
    bounds: Bounds
    outline: Outline
    gsd_m: float = Field(description="Size of the map's pixels on the ground, in metres.", examples=[0.2])
    seconds: float | None = Field(
        description="By the measured speed of the workers that are alive; null where none is.",
        examples=[13.0],
    )
    product_bytes: int = Field(description="About what the map's files will take.", examples=[20_000_000])
    model: str = Field(examples=["compact-rgb@0.2.0"])
    bands: list[str] = Field(examples=[["red", "green", "blue"]])
    profile: str | None
    drift: DriftOut | None = Field(
        description="null where it is not known, such as for models that carry no reference."
    )
    notes: list[str] = Field(description="What will be done that you may not expect.")
    warnings: list[str] = Field(description="What may keep the job from going as you would like.")


class UploadOut(Shape):
    """A file that was sent, or is being sent."""

    id: str
    name: str = Field(examples=["ortho.tif"])
    size: int | None = Field(description="Bytes in all; null for what came with a request and is not whole.")
    offset: int = Field(description="Bytes that are here.")
    is_whole: bool
    expires: Time = Field(description="When it is removed, unless a job reads it.")
    source: str = Field(description="How to name it in POST /predict.", examples=["upload:01kat3mb3t"])
    jobs: list[str] = Field(description="Ids of the jobs that read it.")
    links: dict[str, Link]
