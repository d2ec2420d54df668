"""A job told as server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from fastapi.sse import ServerSentEvent

from service.api.watching import PAGE_UNITS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.api.presenting import Presenter
    from service.api.watching import Watch
    from service.jobs.records import Job


async def tell(watch: Watch, presenter: Presenter, *, since_seq: int) -> AsyncIterator[ServerSentEvent]:
    """Tell of a job until it is over, or the server ends: then without an end, so that callers come back.

    An event's id says that every block up to it has been told: who was cut off and comes back with the last
    id misses none, but may be told of some twice.

    Args:
        watch: Of the job.
        presenter: Speaks to this caller.
        since_seq: The last id that the caller has seen; 0 for one who comes for the first time.
    """
    job, told_seq = watch.job, since_seq
    is_first = True
    if job is not None:
        yield await _job_event(job, presenter, told_seq=None)
    while job is not None:
        while units := await watch.settled(told_seq):
            told_seq = units[-1].seq
            blocks = await anyio.to_thread.run_sync(
                presenter.settled_blocks, job, units, limiter=presenter.services.telling
            )
            yield ServerSentEvent(event="blocks", data=blocks, id=str(told_seq))
            if len(units) < PAGE_UNITS:
                break
        told_seq = max(told_seq, job.seq)
        if not is_first:
            yield await _job_event(job, presenter, told_seq=told_seq)
        if job.status.is_terminal:
            break
        job, is_first = await watch.change(job), False
        if watch.is_let_go:
            return
    yield ServerSentEvent(
        event="end", data={"status": "deleted" if job is None else job.status}, id=str(told_seq)
    )


async def _job_event(job: Job, presenter: Presenter, *, told_seq: int | None) -> ServerSentEvent:
    shown = await anyio.to_thread.run_sync(presenter.job, job, limiter=presenter.services.telling)
    return ServerSentEvent(event="job", data=shown, id=None if told_seq is None else str(told_seq))
