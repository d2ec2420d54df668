"""Jobs: follow them, stop them, take them up again, delete them."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from service.access.principals import Scope
from service.api.deleting import delete_job
from service.api.deps import PresenterDep, PrincipalDep, ServicesDep, StoreDep
from service.api.predicting import take_up
from service.api.problems import described
from service.api.schemas import BlockPage, JobOut, JobPage, LogOut
from service.api.sourcing import EXAMPLE
from service.api.telling import tell
from service.jobs.pages import MAX_CURSOR
from service.jobs.records import Job, JobStatus, UnitKind, UnitStatus

router = APIRouter(prefix="/jobs", tags=["Jobs"])

MAX_PAGE = 1000
_MAX_SEQ = 2**53
"""What every store and every client can hold."""


def _job(job_id: str, store: StoreDep, principal: PrincipalDep) -> Job:
    """The job of the path, if the caller may see it."""
    return store.job(job_id, owner=principal.sees)


JobDep = Annotated[Job, Depends(_job)]
_UNKNOWN = described(401, 403, 404, 429, 503)


@router.get("", summary="List jobs", responses=described(401, 403, 422, 429, 503))
def list_jobs(
    services: ServicesDep,
    principal: PrincipalDep,
    presenter: PresenterDep,
    status: Annotated[JobStatus | None, Query(description="Only those.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR, description="From a `next` link.")] = None,
) -> JobPage:
    """Jobs of one's own, newest first; `links.next` leads to older ones.

    Where the server has an example, POST to `links.example` maps it.
    """
    page = services.store.jobs(owner=principal.sees, status=status, limit=limit, cursor=cursor)
    links = {}
    if page.next_cursor is not None:
        query = {"limit": str(limit), "cursor": page.next_cursor} | (
            {"status": str(status)} if status else {}
        )
        links["next"] = presenter.link("next", "jobs", **query)
    if services.settings.offered_example is not None and Scope.WRITE in principal.scopes:
        links["example"] = presenter.link("example", "predict", source=EXAMPLE)
    return JobPage(jobs=[presenter.job(job) for job in page.items], links=links)


@router.get("/{job_id}", summary="Read a job", responses=_UNKNOWN, response_model_exclude_none=False)
def read_job(job: JobDep, presenter: PresenterDep, response: Response) -> JobOut:
    """How far it is, and where everything of it lies."""
    response.headers["Cache-Control"] = "no-store"
    return presenter.job(job)


@router.delete(
    "/{job_id}",
    summary="Stop a live job; delete one that is over",
    responses={
        204: {"description": "It was over, and is deleted with its map."},
        **_UNKNOWN,
        **described(409),
    },
)
def end_job(job: JobDep, services: ServicesDep, presenter: PresenterDep, response: Response) -> JobOut | None:
    """A live job is dismissed: it stops within a block, and what is done stays.

    One that is over is deleted, and its map with it.
    """
    if not job.status.is_terminal:
        return presenter.job(services.store.dismiss(job.id))
    delete_job(job, services)
    response.status_code = 204
    return None


@router.post(
    "/{job_id}/resume", summary="Take up a job that stopped", responses={**_UNKNOWN, **described(409)}
)
def resume_job(job: JobDep, services: ServicesDep, presenter: PresenterDep) -> JobOut:
    """A failed or dismissed job goes on: nothing that is done is done again."""
    return presenter.job(take_up(job, services), resumed=True)


@router.get("/{job_id}/logs", summary="What happened", responses=_UNKNOWN)
def read_log(
    job: JobDep,
    store: StoreDep,
    presenter: PresenterDep,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> LogOut:
    """The last entries of a job's log, oldest first."""
    return LogOut(entries=[presenter.log_line(entry) for entry in store.log(job.id, limit=limit)])


@router.get("/{job_id}/blocks", summary="Its blocks", responses={**_UNKNOWN, **described(422)})
def read_blocks(
    job: JobDep,
    services: ServicesDep,
    presenter: PresenterDep,
    status: Annotated[UnitStatus | None, Query(description="Only those.")] = None,
    since: Annotated[
        int, Query(ge=-1, le=_MAX_SEQ, description="Only those that settled after this `seq`.")
    ] = -1,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
) -> BlockPage:
    """Where each block lies and how far it is; settled ones last, in the order in which they settled."""
    units = services.store.units(job.id, kind=UnitKind.BLOCK, status=status, since_seq=since, limit=limit)
    return BlockPage(blocks=presenter.blocks(job, units), seq=max([since, *(unit.seq for unit in units)]))


def _last_seen(job: JobDep, last_event_id: Annotated[str | None, Header(max_length=20)] = None) -> int:
    """The last event that a listener who comes back has seen; one who has seen the end is told to stay away.

    Raises:
        HTTPException: 204, upon which browsers ask no more.
    """
    seen = int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else 0
    if seen and seen >= job.seq and job.status.is_terminal:
        raise HTTPException(204)
    return seen


@router.get(
    "/{job_id}/events",
    summary="Follow a job",
    response_class=EventSourceResponse,
    responses={204: {"description": "It is over, and `Last-Event-ID` has seen that."}, **_UNKNOWN},
)
async def follow_job(
    job: JobDep, services: ServicesDep, presenter: PresenterDep, seen: Annotated[int, Depends(_last_seen)]
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events, until the job is over.

    `job` at once and with every change (a job), `blocks` as they settle (their names, states and places),
    `end` when nothing more comes. Who comes back with `Last-Event-ID` misses no block.
    """
    async with services.watches.of(job) as watch:
        async for event in tell(watch, presenter, since_seq=seen):
            yield event
