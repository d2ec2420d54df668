"""Every error as problem+json (RFC 9457): one table from errors to statuses, one shape for all.

``type`` is ``urn:orthoscape:problem:`` and the error's name, as in ``band-mismatch``: stable, for programs.
``detail`` says what is wrong, with values; ``remedy`` what to do about it; ``errors`` where in the request.
"""

import json
import logging
import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from models.errors import ArtefactMissing, ContractError, NomenclatureUnknown, RemediedError
from service.access.errors import KeyMissing, KeyWrong, TooManyRequests
from service.errors import (
    AccessError,
    Conflict,
    EngineError,
    JobError,
    MapError,
    NotFound,
    PreflightError,
    RasterError,
    RequestError,
    Unavailable,
)
from service.jobs.errors import StoreUnavailable
from service.rasters.errors import UnsupportedFormat

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:orthoscape:problem:"
RETRY_AFTER_S = "5"
"""When to ask again for what cannot be reached now."""

_AWAY = "repeat it in a moment; whoever runs the server finds the cause in its log, or with orthoscape doctor"

_log = logging.getLogger(__name__)


class FieldError(RequestError):
    """A field of the request does not hold what it should.

    Args:
        field: Its name, as the caller wrote it.
        message: What is wrong with its value.
        remedy: What to write instead.
        pointer: JSON pointer into the body, where the field is deeper than its name.
    """

    def __init__(self, field: str, message: str, *, remedy: str | None = None, pointer: str = "") -> None:
        super().__init__(f"{field}: {message}", remedy=remedy)
        self.errors = [{"detail": message, "pointer": pointer or f"#/{field}"}]


class MalformedRequest(RequestError):
    """The body cannot be read as what its Content-Type says."""


class PayloadTooLarge(RequestError):
    """More bytes are sent than this server takes."""


class MediaTypeRefused(RequestError):
    """The body, or a file in it, is of a kind that is not read."""


class PreconditionRefused(RequestError):
    """A header asks for a version or a state that is not there."""

    headers: Mapping[str, str] = MappingProxyType({})


class ChecksumWrong(RequestError):
    """The bytes that arrived are not those that were sent."""


class DiskFull(Unavailable):
    """There is no room left for what is sent."""


STATUSES: dict[type[Exception], int] = {
    RequestError: 422,
    MalformedRequest: 400,
    PreconditionRefused: 412,
    PayloadTooLarge: 413,
    MediaTypeRefused: 415,
    ChecksumWrong: 460,  # of tus 1.0.0
    RasterError: 422,
    UnsupportedFormat: 415,
    PreflightError: 422,
    AccessError: 403,
    KeyMissing: 401,
    KeyWrong: 401,
    TooManyRequests: 429,
    NotFound: 404,
    ArtefactMissing: 404,
    NomenclatureUnknown: 404,
    Conflict: 409,
    JobError: 409,
    MapError: 409,
    EngineError: 503,
    Unavailable: 503,
    DiskFull: 507,
    ContractError: 500,
}
"""Status by error; of a subclass that is not named, that of its nearest named ancestor."""


def status_of(error: Exception) -> int:
    """The HTTP status that an error answers with."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def problem(
    status: int,
    *,
    detail: str,
    kind: str | None = None,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,  # noqa: ANN401  JSON values; absent ones are left out
) -> Response:
    """An answer of RFC 9457.

    Args:
        status: HTTP status.
        detail: What is wrong, with values.
        kind: Name of the fact, such as ``band-mismatch``; None for what the status alone says.
        title: The fact in a sentence; the status's phrase when None.
        headers: Beside the usual ones.
        members: ``remedy``, ``errors``, ``instance``...
    """
    content: dict[str, Any] = {
        "type": TYPE_PREFIX + kind if kind else "about:blank",
        "title": title or _phrase(status),
        "status": status,
        "detail": detail,
    }
    content |= {name: value for name, value in members.items() if value}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(
        text.encode(errors="backslashreplace"),  # half of a character, which a caller's text may hold
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store"} | dict(headers or {}),
    )


def problem_of(error: RemediedError) -> Response:
    """The answer to one of our own errors."""
    status = status_of(error)
    return problem(
        status,
        detail=error.message,
        kind=_kebab(type(error).__name__),
        title=_promise(type(error)),
        headers=_headers_of(error),
        remedy=error.remedy,
        errors=getattr(error, "errors", None),
    )


def install(app: FastAPI) -> None:
    """Answer every error of this app as a problem."""
    app.add_exception_handler(RemediedError, _on_remedied)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unforeseen)


def _on_remedied(request: Request, error: Exception) -> Response:
    assert isinstance(error, RemediedError)
    if isinstance(error, StoreUnavailable):  # it names hosts and users, and comes before any key is checked
        _log.warning("%s %s: %s", request.method, request.url.path, error)
        error = StoreUnavailable("the job store does not answer", remedy=error.remedy or _AWAY)
    answer = problem_of(error)
    if getattr(request.state, "is_cut", False):  # the rest of its body is not worth receiving
        answer.headers["Connection"] = "close"
    return answer


def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_place(entry) for entry in error.errors()]
    detail = "; ".join(f"{_named(entry)}: {entry['detail']}" for entry in errors)
    remedy = "; ".join(dict.fromkeys(entry["remedy"] for entry in error.errors() if "remedy" in entry))
    return problem(
        422, detail=detail, kind="field-error", title=_promise(FieldError), remedy=remedy, errors=errors
    )


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    detail, remedy = str(error.detail), None
    if detail == _phrase(error.status_code):  # the router's, which says no more
        where = f"{request.method} {request.url.path[:200]}"
        detail, remedy = f"{where}: {detail.lower()}", "GET /docs shows what is answered here"
    return problem(error.status_code, detail=detail, headers=error.headers, remedy=remedy)


def _on_unforeseen(request: Request, error: Exception) -> Response:
    """Say nothing of the cause, but where to find it."""
    instance = uuid.uuid4().urn
    _log.error("%s %s failed", request.method, request.url.path, extra={"instance": instance}, exc_info=error)
    return problem(
        500,
        detail="the server met an error that nobody foresaw",
        remedy=f"try again; if it stays, report it with {instance}, which the server's log names too",
        instance=instance,
    )


def _headers_of(error: RemediedError) -> dict[str, str]:
    headers: dict[str, str] = dict(getattr(error, "headers", {}))
    return {"Retry-After": RETRY_AFTER_S} | headers if isinstance(error, Unavailable) else headers


def _place(entry: Mapping[str, Any]) -> dict[str, str]:
    """Where in the request a validation error lies: a JSON pointer into the body, or a parameter's name."""
    place, *path = [str(part) for part in entry["loc"]] or ["body"]
    message = str(entry["msg"]).removeprefix("Value error, ")
    if place == "body":
        escaped = (part.replace("~", "~0").replace("/", "~1") for part in path)
        return {"detail": message, "pointer": "#" + "".join(f"/{part}" for part in escaped)}
    return {"detail": message, "header" if place == "header" else "parameter": "/".join(path)}


def _named(entry: Mapping[str, str]) -> str:
    place = entry.get("parameter") or entry.get("header") or entry.get("pointer", "")
    return place.removeprefix("#/") or "body"


def _promise(kind: type[Exception]) -> str:
    """The first line of an error's docstring: the fact in a sentence."""
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0].rstrip(".")


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of a route that are problems, for its OpenAPI description; see `service.api.describing`."""
    return {status: {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(set(statuses))}
