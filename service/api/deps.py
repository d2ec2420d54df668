"""What routes are given: the services of this process, who asks, and absolute addresses."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlencode

import anyio
from fastapi import Depends, Request

from models.registry import Registry
from service.access.principals import Principal
from service.api.access import principal
from service.jobs.bell import Bell
from service.settings import Settings

if TYPE_CHECKING:
    from service.jobs.store import Store

PLANNING_AT_ONCE = 2
"""Requests whose files are read and planned at the same time; others wait for their turn."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What this process works with; made at its door, the same for every request."""

    settings: Settings
    store: "Store"
    bell: Bell
    registry: Registry
    planning: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(PLANNING_AT_ONCE))
    """Turns at reading and planning: each starts a process and may take gigabytes."""


def services_of(request: Request) -> Services:
    """The services of the app that answers."""
    services: Services = request.app.state.services
    return services


def _store(request: Request) -> Any:  # noqa: ANN401  the store's type is imported by type checkers alone
    return services_of(request).store


def _settings(request: Request) -> Settings:
    return services_of(request).settings


def _registry(request: Request) -> Registry:
    return services_of(request).registry


class Urls:
    """Absolute addresses, under the public one where it is set, else under the one that was asked."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")

    def __call__(self, *parts: str, **query: str) -> str:
        """The address of a path, given part by part; parts are quoted, braces of templates are kept.

        >>> Urls("https://maps.example.org/")("maps", "a b", "tiles", "{z}", "{x}", "{y}.png", style="cvd")
        'https://maps.example.org/maps/a%20b/tiles/{z}/{x}/{y}.png?style=cvd'
        """
        path = "".join("/" + quote(part, safe="{}@:,") for part in parts)
        return f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")


def _urls(request: Request) -> Urls:
    settings = services_of(request).settings
    return Urls(settings.public_url or str(request.base_url))


ServicesDep = Annotated[Services, Depends(services_of)]
SettingsDep = Annotated[Settings, Depends(_settings)]
StoreDep = Annotated["Store", Depends(_store)]
RegistryDep = Annotated[Registry, Depends(_registry)]
PrincipalDep = Annotated[Principal, Depends(principal)]
UrlsDep = Annotated[Urls, Depends(_urls)]
