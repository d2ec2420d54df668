"""What a caller may say of a map: the fields of POST /predict."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    PlainValidator,
    ValidationError,
)

from service.planning.preflight import ReadingOptions
from service.rasters.placing import NodataOption

Language = Literal["en", "fr"]

PRIORITIES = {"low": -1, "normal": 0, "high": 1}

COMING = {
    "subscriber": "comes with a later version; follow the job's `events` link, or ask with Prefer: wait=30",
}
"""Fields that are planned, and what to do until then."""

Style = Literal["cosia", "flair", "cvd", "sealed", "cover", "ocsge"]
"""Every style of tiles: the palettes, and the groupings of CoSIA in their own colours."""

REMEDIES = {
    "clip": "leave clip out: a map has the pixels of its area and no others; for ground around it ask for a"
    " larger aoi, for the whole source for none",
    "style": "a palette: cosia, flair, cvd; or a grouping: sealed (or not), cover (vegetation, mineral,"
    " water), ocsge (OCS GE)",
}
"""What to do where a field holds what it cannot, beyond what the fault itself says."""

MAX_FAULTS = 20
"""Most faults that an answer tells of; a request of a million fields would have as many."""

MAX_NAME = 200
"""Most characters of a name that is no field's, as an answer repeats it."""

_CRS = re.compile(r"(EPSG|IGNF|ESRI|OGC):\w{1,20}", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_MAP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


def known_crs(text: str) -> str:
    """A CRS by its code; other spellings can name files and addresses.

    Raises:
        ValueError: It is no code.
    """
    if not _CRS.fullmatch(text.strip()):
        raise ValueError("a CRS is named by its code, such as EPSG:2154")
    return text.strip().upper()


def _name_of_map(text: str) -> str:
    if not _MAP_NAME.fullmatch(text) or text == "latest":
        raise ValueError("a map's name has letters, digits, dots, dashes and underscores, at most 80")
    return text


def _one_line(text: str) -> str:
    if len(text.splitlines()) > 1 or not all(letter.isprintable() for letter in text):
        raise ValueError("a title is one line of printable characters")
    return text.strip()


def _date(text: str) -> str:
    try:
        date.fromisoformat(text + "0000-01-01"[len(text) :])
    except ValueError:
        is_date = False
    else:
        is_date = _DATE.fullmatch(text) is not None
    if not is_date:
        raise ValueError("a date is a year, a month or a day: 2024, 2024-06 or 2024-06-15")
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _clip(value: object) -> bool:
    """True, in the words of forms too; the map is clipped to the area, and nothing else is offered."""
    if str(value).strip().lower() not in ("true", "1", "yes", "on"):
        raise ValueError("maps beyond their area are not made")
    return True


def _nodata(value: object) -> NodataOption:
    """``auto`` and ``none`` as words, anything else as a number."""
    word = str(value).strip().lower()
    if word in ("auto", "file"):
        return "file"
    if word == "none":
        return None
    if not re.fullmatch(r"\d{1,3}(\.0*)?", word) or float(word) > 255:
        raise ValueError("is auto, none, or a value of 8-bit pixels, 0 to 255")
    return float(word)


def _bands(value: object) -> object:
    return ",".join(map(str, value)) if isinstance(value, list) else value


Names = Annotated[
    list[Annotated[str, Field(max_length=2000)]],
    FailFast(),  # a list of a million numbers would have a million faults
    BeforeValidator(_listed),
    Field(max_length=10_000),
]


class PredictFields(BaseModel):
    """Everything that may be said beside the files; all of it may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    source: Names = Field(
        default=[],
        description="What to map, where no file comes: `upload:{id}`, a path that the server offers, or"
        " `example`, where the server has one.",
        examples=["upload:01kat3mb3tbd1xxvm3tcx1gtqz"],
    )
    irc: Names = Field(default=[], description="NIR, R, G twins of the sources, named likewise.")
    height: Names = Field(default=[], description="Heights above ground, named likewise.")
    aoi: dict[str, Any] | str | None = Field(
        default=None,
        description='GeoJSON in WGS84, `{"bbox": [left, bottom, right, top], "crs": "EPSG:2154"}`, or'
        " `left,bottom,right,top,EPSG:2154`; WGS84 where no CRS is named, the whole source where absent.",
        examples=[{"bbox": [942_000, 6_537_000, 943_000, 6_538_000], "crs": "EPSG:2154"}],
    )
    model: str = Field(default="default", max_length=200, description="`id` or `id@version`; see /models.")
    bands: Annotated[str, BeforeValidator(_bands)] = Field(
        default="auto",
        max_length=200,
        description="`auto`, `RGB`, `RGBI`, `IRC`, or a role per band: `I,R,G,B`.",
    )
    nodata: Annotated[NodataOption, PlainValidator(_nodata, json_schema_input_type=str | int)] = Field(
        default="file",
        description="`auto`: what the file says; `none`: nothing; a number: where all bands are it.",
    )
    source_crs: Annotated[str, AfterValidator(known_crs)] | None = Field(
        default=None, description="The CRS of files that state none.", examples=["EPSG:2154"]
    )
    map: Annotated[str, AfterValidator(_name_of_map)] | None = Field(
        default=None, description="Name of the map; after its source where absent.", examples=["annecy-2024"]
    )
    title: Annotated[str, AfterValidator(_one_line)] | None = Field(
        default=None, max_length=200, description="Of the job, for people."
    )
    clip: Annotated[Literal[True], BeforeValidator(_clip)] = Field(
        default=True, description="The map is clipped to the area; nothing else is offered."
    )
    style: Style = Field(
        default="cosia", description="Of the links to tiles: a palette, or a grouping in its own colours."
    )
    lang: Language | None = Field(default=None, description="Of titles; from Accept-Language where absent.")
    acquisition_date: Annotated[str, AfterValidator(_date)] | None = Field(
        default=None,
        description="When the image was taken; from its metadata where absent.",
        examples=["2024-06-15"],
    )
    dry_run: bool = Field(default=False, description="Answer with an estimate, and do nothing.")
    priority: Literal["low", "normal", "high"] = Field(
        default="normal",
        description="Which of one's own jobs go first; owners share the workers whatever they ask for.",
    )
    max_failed_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Finish with holes while no more than this share of blocks failed.",
    )
    force: bool = Field(default=False, description="Make the map again, even if an equal one is there.")

    @property
    def reading(self) -> ReadingOptions:
        """What is said of the sources, as reading them takes it."""
        return ReadingOptions(bands=self.bands, nodata=self.nodata, source_crs=self.source_crs)


def read_fields(values: Mapping[str, Any]) -> PredictFields:
    """Check what was said.

    Raises:
        RequestValidationError: Some of it is no field, or holds what it cannot.
    """
    try:
        return PredictFields.model_validate(_meant(values))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([_entry(found) for found in faults[:MAX_FAULTS]]) from error


def _entry(found: Mapping[str, Any]) -> dict[str, Any]:
    """A fault, placed in the body, with its remedy; one in a field that is none says which there are."""
    name = str(found["loc"][-1])
    message = _unknown(name) if found["type"] == "extra_forbidden" else found["msg"]
    entry = dict(found) | {"loc": ("body", *_named(found["loc"])), "msg": message}
    return entry | {"remedy": REMEDIES[name]} if name in REMEDIES else entry


def _meant(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as meant: an empty one of a form says nothing. Of those that are none, as many as are told of.

    Each fault that is found is made an object with its text, told of or not: a million take ten seconds.
    """
    known: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    fields = PredictFields.model_fields  # found anew at each mention
    for name, value in values.items():
        if value in ("", None):
            continue
        if name in fields:
            known[name] = value
        elif len(unknown) < MAX_FAULTS:
            unknown[name[:MAX_NAME]] = None
    return known | unknown


def _named(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """A place in the request; pydantic adds which of several types it tried, which is no place."""
    return loc[:1] if loc and loc[0] in ("nodata", "aoi") else loc


def _unknown(name: str) -> str:
    fields = ", ".join(PredictFields.model_fields)
    return COMING.get(name) or f"is no field; there are file, {fields}"
