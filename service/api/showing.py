"""What routes that show maps have in common: the map asked for, how it is to look, in which language, where.

Everything about looks is in the address and nothing of it touches data: a style is a palette of the classes,
or a grouping in its own colours.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request

from models.nomenclature import NOMENCLATURES, Nomenclature
from service.api.access import key_in_address
from service.api.deps import PrincipalDep, UrlsDep, services_of
from service.api.mapping import OpenMap, OpenMaps
from service.api.words import preferred_language
from service.catalogue.addresses import Addresses, MapAddresses
from service.catalogue.facts import MapFacts, Place
from service.catalogue.legends import LegendOptions
from service.catalogue.styles import PALETTES, find_style
from service.catalogue.words import Language
from service.errors import RequestError
from service.tiles.matrices import LAMBERT_93, WEB_MERCATOR
from service.tiles.zooms import zoom_range

_LAMBERT_93_EPSG = 2154


class ParameterError(RequestError):
    """A parameter of the address does not hold what it should."""

    def __init__(self, parameter: str, message: str, *, remedy: str | None = None) -> None:
        super().__init__(f"{parameter}: {message}", remedy=remedy)
        self.errors = [{"detail": message, "parameter": parameter}]


def open_maps(request: Request) -> OpenMaps:
    """The maps of this process."""
    return services_of(request).maps


OpenMapsDep = Annotated[OpenMaps, Depends(open_maps)]
MapId = Annotated[str, Path(description="Of the map.", examples=["0cv2m8"])]


def the_map(map_id: MapId, maps: OpenMapsDep, principal: PrincipalDep) -> OpenMap:
    """The map of the address; in a thread, since the store is asked."""
    return maps.read(map_id, owner=principal.sees)


MapDep = Annotated[OpenMap, Depends(the_map)]


def asked_language(
    lang: Annotated[
        Language | None, Query(description="Of names and titles; from Accept-Language where absent.")
    ] = None,
    accept_language: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Language:
    """The language asked for in the address, else the preferred one of the browser's."""
    return lang or preferred_language(accept_language)


LanguageDep = Annotated[Language, Depends(asked_language)]


def _addresses(request: Request, urls: UrlsDep) -> Addresses:
    return Addresses(root=urls.base, key=key_in_address(request))


AddressesDep = Annotated[Addresses, Depends(_addresses)]


def _map_addresses(map_id: MapId, addresses: AddressesDep) -> MapAddresses:
    return addresses.map(map_id)


MapAddressesDep = Annotated[MapAddresses, Depends(_map_addresses)]

StyleQuery = Annotated[
    str | None,
    Query(description="A palette (`cosia`, `flair`, `cvd`) or a grouping (`sealed`, `cover`, `ocsge`)."),
]
GroupQuery = Annotated[str | None, Query(description="A grouping, where `style` names a palette.")]
ClassesQuery = Annotated[
    str | None,
    Query(description="Classes to show, by value or name: `0,6` or `building,water`.", examples=["0,6"]),
]


def read_look(
    nomenclature: Nomenclature,
    *,
    style: str | None,
    group: str | None,
    classes: str | None,
    language: Language = "en",
) -> LegendOptions:
    """How a map is to look, from the words of an address.

    Raises:
        StyleUnknown: There is no such style.
        NomenclatureUnknown: There is no such grouping.
        ParameterError: There is no such class.
    """
    found = find_style(nomenclature, style or PALETTES[0])
    grouping = group or found.grouping
    if grouping is not None:
        nomenclature.grouping(grouping)
    return LegendOptions(
        style=found.palette,
        grouping=grouping,
        classes=_read_classes(nomenclature, classes),
        language=language,
    )


def _read_classes(nomenclature: Nomenclature, classes: str | None) -> frozenset[int] | None:
    if not classes:
        return None
    values = {str(land_cover.value): land_cover.value for land_cover in nomenclature.classes}
    values |= {land_cover.slug: land_cover.value for land_cover in nomenclature.classes}
    words = [word.strip() for word in classes.split(",")]
    unknown = [word for word in words if word not in values]
    if unknown:
        raise ParameterError(
            "classes",
            f"{nomenclature.id} has no class {', '.join(map(repr, unknown))}",
            remedy="Name classes by value or key, as /classes lists them: classes=0,6",
        )
    return frozenset(values[word] for word in words)


def asked_look(
    opened: MapDep,
    language: LanguageDep,
    style: StyleQuery = None,
    group: GroupQuery = None,
    classes: ClassesQuery = None,
) -> LegendOptions:
    """How the map of the address is to look."""
    return read_look(nomenclature_of(opened), style=style, group=group, classes=classes, language=language)


LookDep = Annotated[LegendOptions, Depends(asked_look)]


def nomenclature_of(opened: OpenMap) -> Nomenclature:
    """The class scheme of a map."""
    return NOMENCLATURES[opened.record.nomenclature]


def facts_of(opened: OpenMap) -> MapFacts:
    """A map as catalogues tell of it."""
    record = opened.record
    sets = (WEB_MERCATOR, *((LAMBERT_93,) if record.epsg == _LAMBERT_93_EPSG else ()))
    first_sheet = opened.frame.plan.sheets[0]
    return MapFacts(
        id=record.id,
        name=record.name,
        label=record.label,
        status=record.status.value,
        model=record.model,
        nomenclature=nomenclature_of(opened),
        bounds_wgs84=record.bounds_wgs84,
        created=record.created,
        finished=record.finished,
        acquisition_date=record.acquisition_date,
        zooms={tms: zoom_range(opened.index, tms) for tms in sets},
        version=opened.index.version,
        has_picture=record.has_pictures and opened.index.picture_of(first_sheet) is not None,
        pixel_counts=record.pixel_counts,
    )


def place_of(opened: OpenMap) -> Place:
    """Where the pixels of a map lie."""
    frame = opened.frame
    single = frame.plan.sheets[0].transform if len(frame.plan.sheets) == 1 else None
    return Place(
        epsg=opened.record.epsg,
        crs_wkt=frame.grid.crs_wkt,
        bounds=frame.grid.bounds_of(frame.window),
        width=frame.window.width,
        height=frame.window.height,
        transform=single or frame.grid.transform_of(frame.window),
        gsd_m=frame.gsd_m,
    )


def look_query(request: Request) -> Mapping[str, str | None]:
    """The parameters of looks as they were asked for, to be carried on into addresses of tiles."""
    names = ("style", "group", "classes", "min_confidence", "product")
    return {name: request.query_params[name] for name in names if request.query_params.get(name)}


Json = dict[str, Any]
