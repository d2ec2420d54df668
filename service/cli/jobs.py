"""``orthoscape jobs``: what the store knows of jobs, without the server."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import click

from service.errors import NotFound
from service.jobs.bell import CeleryBell
from service.jobs.records import JobStatus, LogLevel
from service.jobs.store import Store
from service.room import Room
from service.settings import STORE_NAME

if TYPE_CHECKING:
    from service.jobs.records import Job
    from service.settings import Settings


class NothingServed(NotFound):
    """There is no store where one was looked for."""


_COLOURS = {
    JobStatus.SUCCESSFUL: "green",
    JobStatus.FAILED: "red",
    JobStatus.DISMISSED: "yellow",
    JobStatus.RUNNING: "cyan",
}


@click.group(invoke_without_command=True)
@click.pass_context
def jobs(ctx: click.Context) -> None:
    """List, show, cancel and resume jobs."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_jobs)


@jobs.command("list")
@click.option("--status", type=click.Choice([str(status) for status in JobStatus]))
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.pass_obj
def list_jobs(settings: Settings, *, status: str | None = None, limit: int = 20) -> None:
    """List jobs, newest first."""
    with closing(_store(settings)) as store:
        page = store.jobs(status=JobStatus(status) if status else None, limit=limit)
    for job in page.items:
        click.echo(f"{job.id}  {_status(job)}  {_share(job):>4.0%}  {_moment(job.created)}  {job.title}")
    if not page.items:
        click.echo(f"no jobs in {_place(settings)}")


@jobs.command()
@click.argument("job_id")
@click.pass_obj
def show(settings: Settings, *, job_id: str) -> None:
    """Show one job and the end of its log."""
    with closing(_store(settings)) as store:
        job, entries = store.job(job_id), store.log(job_id, limit=20)
    _tell(job, settings)
    for entry in entries:
        colour = {LogLevel.WARNING: "yellow", LogLevel.ERROR: "red"}.get(entry.level)
        click.secho(f"  {_moment(entry.at)}  {entry.text}", fg=colour)


@jobs.command()
@click.argument("job_id")
@click.pass_obj
def cancel(settings: Settings, *, job_id: str) -> None:
    """End a job; workers leave it within a block, and what is done can be resumed from."""
    with closing(_store(settings)) as store:
        was_over = store.job(job_id).status.is_terminal
        _tell(store.dismiss(job_id), settings)
    if was_over:
        click.echo("  nothing to cancel: it was over")


@jobs.command()
@click.argument("job_id")
@click.pass_obj
def resume(settings: Settings, *, job_id: str) -> None:
    """Go on with a job that failed or was cancelled; what is done stays done."""
    with closing(_store(settings)) as store:
        job = store.resume(job_id)
    if settings.broker_url:  # in a house the watch rings within seconds
        CeleryBell(settings).ring(job.profile_class)
    _tell(job, settings)


def _store(settings: Settings) -> Store:
    if not settings.store_url and not (settings.home / STORE_NAME).exists():  # looking is not making one
        raise NothingServed(
            f"no service has run with the home {settings.home}",
            remedy="name its home (after make demo: ORTHOSCAPE_HOME=demo/home) or ORTHOSCAPE_STORE_URL",
        )
    return Store.open(settings.resolved_store_url, max_attempts=settings.max_attempts)


def _place(settings: Settings) -> str:
    """Where jobs were looked for; an address of a store may hold a password, and is not told."""
    return "the store of ORTHOSCAPE_STORE_URL" if settings.store_url else str(settings.home)


def _tell(job: Job, settings: Settings) -> None:
    room = Room(folder=settings.maps_folder, kept_free_bytes=settings.disk_kept_free_bytes)
    waits = None if job.status.is_terminal else room.word
    click.secho(f"{job.id}  {job.title}", bold=True)
    click.echo(f"  {_status(job)}  {job.error or waits or job.message}")
    click.echo(f"  map {job.map_name} ({job.map_id}), {job.model}, {job.area_km2:.3f} km2")
    failed = f", {job.blocks_failed} failed" if job.blocks_failed else ""
    sheets = f"{job.sheets_done} of {job.sheets_total} sheet{'s' if job.sheets_total != 1 else ''}"
    click.echo(f"  {job.blocks_done} of {job.blocks_total} blocks{failed}, {sheets}")


def _status(job: Job) -> str:
    return click.style(f"{job.status:<10}", fg=_COLOURS.get(job.status))


def _share(job: Job) -> float:
    return job.px_done / job.px_total if job.px_total else 0.0


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
