"""Maps as callers see them: the shapes of JSON, with examples, and how they are filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from service.api.schemas import Bounds, Link, Time, moment
from service.api.words import link_title
from service.catalogue.items import COG_TYPE
from service.jobs.records import JobStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.api.mapping import OpenMap
    from service.catalogue.addresses import Addresses, MapAddresses
    from service.catalogue.facts import FileFacts
    from service.catalogue.words import Language
    from service.jobs.records import MapRecord
    from service.planning.jobs import SheetPlan

_JSON, _PNG, _XML, _GEOJSON = "application/json", "image/png", "application/xml", "application/geo+json"

_OF_MAP: dict[str, tuple[str, str]] = {
    "self": ("", _JSON),
    "tilejson": ("tilejson.json", _JSON),
    "xyz": ("tiles/{z}/{x}/{y}.png", _PNG),
    "image_xyz": ("image/tiles/{z}/{x}/{y}.png", _PNG),
    "wmts": ("WMTSCapabilities.xml", _XML),
    "landcover": ("landcover.tif", COG_TYPE),
    "confidence": ("confidence.tif", COG_TYPE),
    "style": ("landcover.qml", _XML),
    "sheets": ("sheets", _JSON),
    "legend": ("legend.json", _JSON),
    "preview": ("preview.png", _PNG),
    "thumbnail": ("thumbnail.png", _PNG),
    "item": ("item.json", _GEOJSON),
    "stats": ("stats.json", _JSON),
}
"""What lies under a map, by the name of the link: path and media type."""
_OF_ONE_SHEET = ("landcover", "confidence", "style")


class Shape(BaseModel):
    """What every answer has in common: nothing is changed after it is made, nothing is unnamed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MapOut(Shape):
    """A map: what it shows, where things of it are."""

    id: str = Field(examples=["0cv2m8"])
    name: str = Field(examples=["annecy-2024"])
    title: str = Field(examples=["Land cover of ortho.tif"])
    label: str = Field(
        description="What to write over it: the title that was given, else its name.",
        examples=["annecy-2024"],
    )
    status: JobStatus = Field(description="Of the job that makes it.")
    job: str = Field(description="Id of that job.", examples=["0cv2m7"])
    model: str = Field(examples=["compact-rgb@0.2.0"])
    nomenclature: str = Field(examples=["cosia-16"])
    epsg: int | None = Field(examples=[2154])
    bounds: Bounds
    area_km2: float = Field(examples=[1.05])
    acquisition_date: str | None = Field(description="Of the image.", examples=["2024-06-15"])
    created: Time
    finished: Time | None
    num_sheets: int = Field(examples=[1])
    version: str = Field(description="Grows with every block that is done.", examples=["17"])
    links: dict[str, Link]


class MapPage(Shape):
    """Some maps, newest first."""

    maps: list[MapOut]
    links: dict[str, Link] = Field(description="`next` leads to older ones, where there are any.")


class PointClass(Shape):
    """The class, or the group of classes, of a point."""

    value: int = Field(description="Of the pixel.", examples=[0])
    key: str = Field(examples=["building"])
    label: str = Field(examples=["Building"])
    color: str = Field(examples=["#ce7079"])


class PointOut(Shape):
    """What a map says of a point."""

    lon: float
    lat: float
    land_cover: PointClass | None = Field(
        alias="class",
        description="Null outside the map, where there is no data, and where it is not done yet.",
    )
    confidence: int | None = Field(description="Percent.", examples=[93])
    is_inside: bool = Field(description="Whether the map reaches there.")
    is_final: bool = Field(description="Whether it will never be otherwise.")


class SheetOut(Shape):
    """A sheet of a map: one set of product files."""

    name: str = Field(examples=["annecy-2024"])
    is_finished: bool
    width: int = Field(description="Pixels.", examples=[25_000])
    height: int = Field(description="Pixels.", examples=[25_000])
    bounds: tuple[float, float, float, float] = Field(
        description="Left, bottom, right, top in the CRS of the map.",
        examples=[[940_000.0, 6_535_000.0, 945_000.0, 6_540_000.0]],
    )
    files: dict[str, SheetFile]


class SheetFile(Shape):
    """A file of a sheet."""

    href: str
    type: str = Field(examples=[COG_TYPE])
    size: int = Field(description="Bytes.", examples=[20_123_456])


class SheetPage(Shape):
    """Some sheets of a map, in the order of its plan."""

    num_sheets: int
    sheets: list[SheetOut]
    links: dict[str, Link]


def map_out(record: MapRecord, addresses: Addresses, language: Language) -> MapOut:
    """A map as JSON shows it."""
    return MapOut(
        id=record.id,
        name=record.name,
        title=record.title,
        label=record.label,
        status=record.status,
        job=record.job_id,
        model=record.model,
        nomenclature=record.nomenclature,
        epsg=record.epsg,
        bounds=record.bounds_wgs84,
        area_km2=record.area_km2,
        acquisition_date=record.acquisition_date,
        created=moment(record.created),
        finished=None if record.finished is None else moment(record.finished),
        num_sheets=record.num_sheets,
        version=str(record.seq),
        links=_links(record, addresses.map(record.id), language),
    )


def _links(record: MapRecord, addresses: MapAddresses, language: Language) -> dict[str, Link]:
    links = {}
    for name, (path, media_type) in _OF_MAP.items():
        is_missing = record.num_sheets != 1 and name in _OF_ONE_SHEET
        if is_missing or (name == "image_xyz" and not record.has_pictures):
            continue
        links[name] = link_to(name, addresses.of(path), media_type, language)
    job = addresses.server.of(f"/jobs/{record.job_id}")
    return links | {"job": link_to("job", job, _JSON, language)}


def link_to(name: str, href: str, media_type: str, language: Language) -> Link:
    """A link, with its title in the caller's language."""
    title = link_title("map" if name == "self" else name, language)
    return Link(href=href, type=media_type, title=title, templated="{" in href)


def sheet_out(
    opened: OpenMap, sheet: SheetPlan, files: Sequence[FileFacts], addresses: MapAddresses
) -> SheetOut:
    """A sheet as JSON shows it."""
    return SheetOut(
        name=sheet.name,
        is_finished=opened.index.is_finished(sheet),
        width=sheet.window.width,
        height=sheet.window.height,
        bounds=opened.frame.grid.bounds_of(sheet.window),
        files={
            file.name: SheetFile(
                href=addresses.of(f"sheets/{sheet.name}/{file.name}"),
                type=COG_TYPE if file.name.endswith(".tif") else _XML,
                size=file.size_bytes,
            )
            for file in files
        },
    )
