"""Where the processes of a house begin: ``python -m service.embedded.entry LIFELINE ROLE ...``.

They read their settings from the environment, as every process does, and end with the house.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING

from models.errors import RemediedError
from service.embedded.keeper import die_with_parent
from service.embedded.members import EXIT_REFUSED
from service.errors import Unavailable
from service.logs import configure_logs
from service.rasters.writing import bound_gdal_cache
from service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.api.app import Role

EXIT_NOT_NOW = 75
"""How a process ends that may well run a moment later (EX_TEMPFAIL)."""

_NICE = 5
"""Workers take what the server leaves of a small machine's cores."""


def hold(lifeline: int) -> None:
    """End this process, in whatever it is, as soon as the other end of a pipe is closed."""
    die_with_parent()

    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(EXIT_NOT_NOW)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one process of a house."""
    parser = argparse.ArgumentParser()
    parser.add_argument("lifeline", type=int)
    parser.add_argument("--level", type=int, default=logging.INFO)
    roles = parser.add_subparsers(dest="role", required=True)
    server = roles.add_parser("server")
    server.add_argument("--socket", type=int, required=True)
    server.add_argument("--answers", choices=("all", "api", "tiles"), required=True)
    worker = roles.add_parser("worker")
    worker.add_argument("--name", required=True)
    told = parser.parse_args(arguments)
    hold(told.lifeline)
    try:
        settings = Settings()
        configure_logs(settings.log, level=told.level)
        bound_gdal_cache(settings.gdal_cache_bytes)
        if told.role == "server":
            _serve(settings, listening=told.socket, answers=told.answers)
        else:
            _work(settings, name=told.name)
    except RemediedError as error:
        sys.stderr.write(f"error: {error.message}\n  what to do: {error.remedy or 'report it'}\n")
        sys.exit(EXIT_NOT_NOW if isinstance(error, Unavailable) else EXIT_REFUSED)


def _serve(settings: Settings, *, listening: int, answers: Role) -> None:
    import uvicorn  # noqa: PLC0415  each role imports its own

    from service.access.door import check_door  # noqa: PLC0415
    from service.api.app import create_app  # noqa: PLC0415
    from service.embedded.parting import PartingServer  # noqa: PLC0415
    from service.embedded.wire import BoundedProtocol  # noqa: PLC0415
    from service.jobs.keys import Keys  # noqa: PLC0415
    from service.jobs.store import Store  # noqa: PLC0415

    store = Store.open(settings.resolved_store_url, max_attempts=settings.max_attempts)
    try:
        check_door(settings, has_keys=bool(Keys(store.database).all()))
        app = create_app(settings, store=store, role=answers)
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            log_config=None,
            access_log=False,  # the app's own lines tell of requests, and never a key
            timeout_graceful_shutdown=3,  # for large answers; who listens to events is let go at once
            forwarded_allow_ips=list(settings.trusted_proxies),
            server_header=False,
        )

        def let_go() -> None:  # of what is made only when the app starts
            app.state.services.watches.let_go()

        server = PartingServer(config, let_go=let_go)
        server.run(sockets=[socket.socket(fileno=listening)])
    finally:
        store.close()
    if not server.started:  # it has logged why
        sys.exit(EXIT_REFUSED)


def _work(settings: Settings, *, name: str) -> None:
    from service.worker.starting import run_worker  # noqa: PLC0415

    os.nice(_NICE)
    run_worker(settings, name=name)


if __name__ == "__main__":
    main()
