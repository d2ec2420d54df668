"""What routes are given: the services of this process, who asks, and absolute addresses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import anyio
from fastapi import Depends, Request

from models.registry import Registry
from service.access.principals import Principal
from service.api import janitor
from service.api.access import principal
from service.api.afterwards import MapDrifts
from service.api.asking import Language
from service.api.blockbounds import Geometries
from service.api.crew import Crew
from service.api.mapping import OpenMaps
from service.api.presenting import Presenter
from service.api.uploadfolder import UploadFolder
from service.api.urls import Urls
from service.api.watching import Watches
from service.api.wording import Wording
from service.api.words import preferred_language
from service.intake.choosing import registry_of
from service.jobs.bell import Bell
from service.jobs.store import Store
from service.room import Room
from service.settings import Settings, usable_cores

PLANNING_AT_ONCE = 2
"""Requests whose files are read and planned at the same time; others wait for their turn."""
TELLING_AT_ONCE = 4
"""Events of jobs that are written at the same time, however many listen."""
DRAWING_A_CORE, LEAST_DRAWING = 2, 4
"""Tiles drawn at the same time; more would only wait for Python's lock, and each tile for all the others."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What this process works with; made at its door, the same for every request."""

    settings: Settings
    store: Store
    bell: Bell
    registry: Registry
    uploads: UploadFolder
    maps: OpenMaps
    map_drifts: MapDrifts
    room: Room
    """Of the maps."""
    crew: Crew
    watches: Watches
    geometries: Geometries
    wording: Wording
    planning: anyio.CapacityLimiter
    """Turns at reading and planning: each starts a process and may take gigabytes."""
    telling: anyio.CapacityLimiter
    """Turns at telling listeners of jobs: hundreds of them leave the threads to those who ask."""
    drawing: anyio.CapacityLimiter
    """Turns at drawing tiles; who waits for one holds no thread that other requests need."""


@asynccontextmanager
async def running_services(
    settings: Settings, *, store: Store, bell: Bell, is_tidy: bool
) -> AsyncIterator[Services]:
    """The services of a process, for as long as it answers.

    Args:
        settings: Of the process.
        store: Open; the caller closes it.
        bell: What calls workers.
        is_tidy: Whether this process removes what nobody needs any more; it must be able to write for that.
    """
    async with anyio.create_task_group() as tasks:
        kept = settings.disk_kept_free_bytes
        registry = registry_of(settings)
        uploads = UploadFolder(settings.uploads_folder.resolve(), kept_free_bytes=kept)
        services = Services(
            settings=settings,
            store=store,
            bell=bell,
            registry=registry,
            uploads=uploads,
            maps=OpenMaps(store, settings.maps_folder),
            map_drifts=MapDrifts(store, registry),
            room=Room(folder=settings.maps_folder, kept_free_bytes=kept),
            crew=Crew(store),
            watches=Watches(store, tasks),
            geometries=Geometries(store),
            wording=Wording.of(settings),
            planning=anyio.CapacityLimiter(PLANNING_AT_ONCE),
            telling=anyio.CapacityLimiter(TELLING_AT_ONCE),
            drawing=anyio.CapacityLimiter(max(DRAWING_A_CORE * usable_cores(), LEAST_DRAWING)),
        )
        if is_tidy:
            await janitor.begin(services)
            tasks.start_soon(janitor.keep_tidy, services)
        try:
            yield services
        finally:
            tasks.cancel_scope.cancel()


def services_of(request: Request) -> Services:
    """The services of the app that answers."""
    services: Services = request.app.state.services
    return services


def _store(request: Request) -> Store:
    return services_of(request).store


def _settings(request: Request) -> Settings:
    return services_of(request).settings


def _registry(request: Request) -> Registry:
    return services_of(request).registry


def language_of(request: Request) -> Language:
    """The language that a request asks for."""
    return preferred_language(request.headers.get("accept-language"))


def _urls(request: Request) -> Urls:
    settings = services_of(request).settings
    return Urls(settings.public_url or str(request.base_url))


def _presenter(request: Request) -> Presenter:
    return Presenter(services_of(request), _urls(request), language_of(request))


ServicesDep = Annotated[Services, Depends(services_of)]
SettingsDep = Annotated[Settings, Depends(_settings)]
StoreDep = Annotated[Store, Depends(_store)]
RegistryDep = Annotated[Registry, Depends(_registry)]
PrincipalDep = Annotated[Principal, Depends(principal)]
UrlsDep = Annotated[Urls, Depends(_urls)]
LanguageDep = Annotated[Language, Depends(language_of)]
PresenterDep = Annotated[Presenter, Depends(_presenter)]
