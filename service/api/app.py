"""The HTTP service: routes, the page, errors, and what a process holds while it runs."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from xstatic.pkg import leaflet

import service.web
from service.api import problems
from service.api.access import Door
from service.api.deps import running_services
from service.api.describing import DESCRIPTION, SUMMARY, describe
from service.api.headers import SafeHeaders
from service.api.middleware import Compression, OtherSites
from service.api.observing import Observed
from service.api.routes import catalogue, files, jobs, maps, operations, predict, tiles, uploads
from service.jobs.bell import Bell, CeleryBell
from service.jobs.keys import Keys
from service.jobs.store import Store
from service.settings import Settings

Role = Literal["all", "api", "tiles"]
"""What a process answers: everything, everything but tiles, or tiles and what is read beside them.

The last writes nothing: the home may be mounted read-only for it.
"""

_READING = (tiles, files, maps, catalogue)
_WRITING = (predict, jobs, uploads)
_ROUTES: dict[Role, tuple[ModuleType, ...]] = {
    "all": (*_READING, *_WRITING, operations),
    "api": (*_READING[1:], *_WRITING, operations),
    "tiles": (*_READING, operations),
}
"""Routes by role, the busiest first: they are tried in this order."""

_WEB = Path(service.web.__file__).parent


def create_app(
    settings: Settings,
    *,
    store: Store | None = None,
    bell: Bell | None = None,
    role: Role = "all",
) -> FastAPI:
    """Build the service.

    Args:
        settings: Of this process.
        store: The job store; opened, and closed at the end, by the app when None.
        bell: What calls workers; Celery's when None.
        role: What this process answers.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = store or Store.open(settings.resolved_store_url, max_attempts=settings.max_attempts)
        app.state.door = Door.of(settings, Keys(opened.database).all)
        try:
            async with running_services(
                settings, store=opened, bell=bell or CeleryBell(settings), is_tidy=role != "tiles"
            ) as services:
                app.state.services = services
                yield
        finally:
            if store is None:
                opened.close()

    app = FastAPI(
        title="Orthoscape",
        version=version("orthoscape"),
        summary=SUMMARY,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # ours is below: FastAPI's loads its scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    for module in _ROUTES[role]:
        app.include_router(module.router)
    if role != "tiles":
        app.include_router(maps.writing)
    if role != "tiles":
        _serve_page(app)
    app.add_middleware(Compression)
    app.add_middleware(OtherSites)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Observed)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def _serve_page(app: FastAPI) -> None:
    """The page at the root, the interface at /docs; their files, Leaflet's and Swagger's under /static."""

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_WEB / "index.html", headers={"Cache-Control": "no-cache"})

    @app.api_route("/docs", methods=["GET", "HEAD"], include_in_schema=False)
    def interface() -> FileResponse:
        return FileResponse(_WEB / "api.html", headers={"Cache-Control": "no-cache"})

    app.mount("/static/leaflet", StaticFiles(directory=leaflet.BASE_DIR))
    app.mount("/static/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.mount("/static", PageFiles(directory=_WEB))


class PageFiles(StaticFiles):
    """The page's files, which lie in a Python package; its modules are not for sending.

    Browsers ask each time whether their copy is good: after an upgrade old and new files would not fit.
    """

    def file_response(self, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401  Starlette's own
        """See `StaticFiles`."""
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """See `StaticFiles`."""
        if path.endswith((".py", ".pyc")):
            return "", None
        return super().lookup_path(path)
