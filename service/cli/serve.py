"""``orthoscape serve``: the server, and with it, where none is named, a private broker and workers."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from service.access.door import check_door
from service.access.errors import DoorRefused
from service.cli.opening import OwnMap
from service.embedded.house import House
from service.embedded.places import held_home, name_of, socket_of
from service.errors import RequestError, Unavailable
from service.jobs.keys import Keys
from service.jobs.store import Store
from service.logs import JsonLines, configure_logs

if TYPE_CHECKING:
    from service.settings import Settings

_BACKLOG = 2048
"""Connections that wait to be accepted; what the kernel allows by default is less."""


class PortInUse(Unavailable):
    """Something else listens there."""


class AddressUnknown(RequestError):
    """The address to listen on is none of this machine's."""


class OpenNeedsHouse(RequestError):
    """``--open`` was asked of a server whose workers are elsewhere."""


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 for any.  [default: 8000]")
@click.option(
    "--role",
    type=click.Choice(["all", "api", "tiles"]),
    default="all",
    show_default=True,
    help="What to answer: everything, everything but tiles, or tiles and what is read beside them.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Workers to run beside it.  [default: 1 with the private broker, 0 with one that is named]",
)
@click.option("--processes", type=click.IntRange(min=1), default=1, show_default=True, help="Of the server.")
@click.option(
    "--open",
    "to_open",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    metavar="ORTHO",
    help="Map this orthophoto and show it; again for several that lie side by side.",
)
@click.option("--model", default="default", show_default=True, help="For --open.")
@click.option("--until-done", is_flag=True, help="With --open: end with the job; exits 1 unless it succeeds.")
@click.pass_obj
def serve(  # noqa: PLR0913  one parameter an option
    settings: Settings,
    *,
    host: str | None,
    port: int | None,
    role: str,
    workers: int | None,
    processes: int,
    to_open: tuple[Path, ...],
    model: str,
    until_done: bool,
) -> None:
    """Serve maps on this machine.

    Without ORTHOSCAPE_BROKER_URL it is complete: a private Redis and a worker run beside the server, are
    started again when they end, and are gone when it is. With it, workers are started elsewhere with
    orthoscape worker.
    """
    is_house = not settings.broker_url
    configure_logs(settings.log, level=_level(is_house=is_house))
    if (to_open or until_done) and (not is_house or not to_open):
        raise OpenNeedsHouse(
            "--open maps in this process's own house", remedy="unset ORTHOSCAPE_BROKER_URL; name an ORTHO"
        )
    _check_door(settings, host or settings.host)
    with ExitStack() as stack:
        if is_house:
            stack.enter_context(held_home(settings.home))
        listening = stack.enter_context(
            listen(host or settings.host, settings.port if port is None else port)
        )
        server = address_of(listening)
        environment = _environment(settings, listening, to_open)
        if processes > 1:  # their figures are added up there
            figures = stack.enter_context(TemporaryDirectory(prefix="orthoscape-figures-"))
            environment["PROMETHEUS_MULTIPROC_DIR"] = figures
        house = stack.enter_context(House(level=_level(is_house=is_house)))
        if is_house and role != "tiles":
            environment["ORTHOSCAPE_BROKER_URL"] = house.add_broker(socket_of(settings.home))
        _fill(house, environment, listening, role=role, processes=processes)
        for number in range(1, 1 + (workers if workers is not None else int(is_house and role != "tiles"))):
            house.add_worker(f"{name_of(settings.home)}-{number}", environment)
        _say(f"Orthoscape listens on {server}", settings)
        _live(house, server, to_open, model=model, until_done=until_done)
    _say("Orthoscape has ended; jobs under way go on at its next start", settings)


def _say(line: str, settings: Settings) -> None:
    """A line for whoever started the server, in the form that the log has."""
    if settings.log == "json":
        fields = {"name": __name__, "levelno": logging.INFO, "levelname": "INFO", "msg": line}
        line = JsonLines().format(logging.makeLogRecord(fields))
    click.echo(line)


def _check_door(settings: Settings, host: str) -> None:
    """Refuse an open door before anything is started; the store is asked only if its keys decide."""
    bound = settings.model_copy(update={"host": host})
    try:
        check_door(bound, has_keys=False)
    except DoorRefused:
        store = Store.open(settings.resolved_store_url)
        try:
            check_door(bound, has_keys=bool(Keys(store.database).all()))
        finally:
            store.close()


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address; connections wait until a process of the server accepts them.

    Raises:
        PortInUse: Something else listens there.
        AddressUnknown: The address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortInUse(
                f"port {port} of {host} cannot be listened on: {os.strerror(error.errno)}",
                remedy=f"take another one: --port {port + 1 if port < 65535 else 8000}, or end what uses it",
            ) from error
        raise AddressUnknown(
            f"{host} cannot be listened on: {error.strerror or error}", remedy="--host 127.0.0.1, or 0.0.0.0"
        ) from error


def address_of(listening: socket.socket) -> str:
    """The address by which this machine reaches a server of its own."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  told apart, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _environment(settings: Settings, listening: socket.socket, to_open: tuple[Path, ...]) -> dict[str, str]:
    """What the members of the house read beside the environment that all share."""
    host, port = listening.getsockname()[:2]
    environment = {"ORTHOSCAPE_HOST": host, "ORTHOSCAPE_PORT": str(port)}
    if to_open:  # these files and no others: a server's folders are open to whoever reaches it
        offered = [str(path.resolve()) for path in (*settings.source_folders, *to_open)]
        environment["ORTHOSCAPE_SOURCE_FOLDERS"] = json.dumps(offered)
    return environment


def _level(*, is_house: bool) -> int:
    """Of the members' logs: at a terminal no more than the user asked for, elsewhere what happens."""
    asked = logging.getLogger().getEffectiveLevel()
    return asked if is_house else min(asked, logging.INFO)


def _fill(
    house: House, environment: dict[str, str], listening: socket.socket, *, role: str, processes: int
) -> None:
    for number in range(1, processes + 1):
        name = "server" if processes == 1 else f"server {number}"
        house.add_server(name, environment, listening=listening.fileno(), answers=role)


def _live(house: House, server: str, to_open: tuple[Path, ...], *, model: str, until_done: bool) -> None:
    """Keep the house until it is told to end, or its one job is over."""
    if not to_open:
        house.live(lambda: False)
        return
    own = OwnMap(server, to_open, options={"model": model}, tell=click.echo)
    own.start()
    house.live(lambda: own.outcome is not None)
    own.stop()
    if own.outcome is not None:
        colour = "green" if own.outcome.is_successful else "red"
        click.secho(own.outcome.message, fg=colour, err=not own.outcome.is_successful)
        if not until_done:
            click.echo(f"{server} stays open; Ctrl-C ends it")
            house.live(lambda: False)
    if until_done and (own.outcome is None or not own.outcome.is_successful):
        sys.exit(1)
