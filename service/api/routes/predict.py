"""POST /predict: orthophotos in, a job out."""

import re
from functools import partial
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Request
from starlette.responses import JSONResponse

from service.api.answering import Answer, answer
from service.api.asking import PredictFields, read_fields
from service.api.deps import LanguageDep, PresenterDep, PrincipalDep, ServicesDep
from service.api.examples import PREDICT
from service.api.forms import RASTER_FIELDS
from service.api.predicting import Asked
from service.api.presenting import headers_of
from service.api.problems import described
from service.api.receiving import RASTER_TYPES, receive
from service.api.schemas import EstimateOut, JobOut, Shape

router = APIRouter(tags=["Predict"])

MAX_WAIT_S = 60
"""Longest that an answer waits for its job, whatever is preferred."""

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", re.IGNORECASE)


def _request_body() -> dict[str, Any]:
    """How the body may come: a form with files, a raster, JSON."""
    fields = PredictFields.model_json_schema()
    raster = {"type": "string", "format": "binary"}
    files = {name: {"type": "array", "items": raster} for name in RASTER_FIELDS}
    form = fields | {"properties": fields["properties"] | files}
    content: dict[str, Any] = {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": fields, "examples": PREDICT},
    }
    return {"required": True, "content": content | {kind: {"schema": raster} for kind in RASTER_TYPES[:2]}}


_HEADERS = {
    "Location": {"schema": {"type": "string"}, "description": "The job."},
    "Retry-After": {"schema": {"type": "integer"}, "description": "When to ask again, in seconds."},
}


@router.post(
    "/predict",
    status_code=201,
    response_model=JobOut,
    summary="Make a land-cover map",
    responses={
        200: {"model": JobOut | EstimateOut, "description": "An equal job, or the estimate of a dry run."},
        201: {"description": "A job, accepted.", "headers": _HEADERS},
        **described(400, 401, 403, 404, 409, 413, 415, 422, 429, 503, 507),
    },
    openapi_extra={"requestBody": _request_body()},
)
async def predict(  # noqa: PLR0913  one parameter a thing that is asked for
    request: Request,
    services: ServicesDep,
    principal: PrincipalDep,
    presenter: PresenterDep,
    language: LanguageDep,
    *,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
    prefer: Annotated[str | None, Header(max_length=255)] = None,
) -> JSONResponse:
    """Send orthophotos, or name them; a job is made of them, and by the job a map.

    A form (`curl -F file=@ortho.tif`), a raster as the body with options in the query, or JSON. With
    `dry_run` the answer is an estimate, and nothing is kept. An equal request gets the equal job back, unless
    `force` is said. `Prefer: wait=30` waits that long for the map; `Idempotency-Key` makes it safe to send
    the same request again.
    """
    max_bytes = services.settings.upload_max_bytes
    received = await receive(request, services.uploads, owner=principal.owner, max_bytes=max_bytes)
    try:
        fields = await anyio.to_thread.run_sync(read_fields, received.fields)
        work = partial(
            answer,
            received,
            fields,
            services,
            owner=principal.owner,
            language=fields.lang or language,
            key=idempotency_key,
        )
        found: Answer | Asked = await anyio.to_thread.run_sync(work, limiter=services.planning)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(received.discard)
    if isinstance(found, Asked):
        return _json(200, await anyio.to_thread.run_sync(presenter.estimate, found))
    job, headers = found.job, {}
    if (wait_s := _wait_s(prefer)) is not None:
        job = await services.watches.until_over(job, timeout_s=wait_s)
        headers["Preference-Applied"] = f"wait={wait_s}"
    out = await anyio.to_thread.run_sync(lambda: presenter.job(job, **found.flags))
    return _json(200 if found.flags else 201, out, headers | headers_of(job, presenter.urls))


def _wait_s(prefer: str | None) -> int | None:
    """How long to wait (RFC 7240); None where nothing is said."""
    found = _WAIT.search(prefer or "")
    return min(int(found[1]), MAX_WAIT_S) if found else None


def _json(status: int, shape: Shape, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        shape.model_dump(mode="json"),
        status_code=status,
        headers={"Cache-Control": "no-store"} | (headers or {}),
    )
