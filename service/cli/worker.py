"""``orthoscape worker``: one worker on this machine, for a server that runs elsewhere."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING

import click

from service.errors import Unavailable
from service.inference.loading import load_engine
from service.inference.offering import offered_class
from service.intake.choosing import registry_of
from service.logs import configure_logs
from service.worker.starting import run_worker

if TYPE_CHECKING:
    from service.settings import Settings


class NoBroker(Unavailable):
    """A worker alone has nobody to listen to."""


@click.command()
@click.option(
    "--name",
    help="Tells it from all others; one started again under its name takes up at once what it held."
    "  [default: host and process]",
)
@click.option(
    "--profile-of",
    metavar="MODEL",
    help="Prove MODEL on its golden input, tell which profile this machine gives it, and leave.",
)
@click.pass_obj
def worker(settings: Settings, *, name: str | None, profile_of: str | None) -> None:
    """Work for the server whose broker and store are named in the environment.

    ORTHOSCAPE_BROKER_URL and ORTHOSCAPE_STORE_URL are the server's, and so is the folder of maps; a worker
    told to leave by SIGTERM finishes the core at hand and gives the rest back.
    """
    if profile_of is not None:
        artefact = registry_of(settings).get(profile_of)
        engine = load_engine(
            artefact, name=settings.engine, num_threads=settings.num_threads, precision=settings.precision
        )
        click.echo(f"class    {offered_class(settings.engine, settings.precision)}")
        click.echo(f"profile  {engine.profile.key}  {engine.profile}, {artefact.manifest.key}")
        return
    if not settings.broker_url:
        raise NoBroker(
            "no broker is named", remedy="set ORTHOSCAPE_BROKER_URL, or run all in one: orthoscape serve"
        )
    configure_logs(settings.log, level=min(logging.getLogger().getEffectiveLevel(), logging.INFO))
    run_worker(settings, name=name or f"{socket.gethostname()}-{os.getpid()}")
