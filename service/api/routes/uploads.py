"""Large files, resumable: tus 1.0.0 with creation (with upload), termination, expiration, checksum."""

from email.utils import formatdate
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Request, Response

from service.api import tus
from service.api.appending import append
from service.api.deps import PresenterDep, PrincipalDep, ServicesDep, UrlsDep
from service.api.forms import too_large
from service.api.janitor import is_active
from service.api.problems import described
from service.api.receiving import Body
from service.api.schemas import UploadOut
from service.api.uploadfolder import Upload, UploadInUse, sync_file

router = APIRouter(prefix="/uploads", tags=["Uploads"])


def _upload(upload_id: str, services: ServicesDep, principal: PrincipalDep) -> Upload:
    """The upload of the path, if the caller may see it."""
    return services.uploads.get(upload_id, owner=principal.sees)


def _speaks_tus(request: Request, response: Response) -> None:
    """Refuse another protocol; every answer says which this is."""
    response.headers["Tus-Resumable"] = tus.VERSION
    response.headers["Cache-Control"] = "no-store"
    tus.require_version(request.headers)


UploadDep = Annotated[Upload, Depends(_upload)]
_TUS = [Depends(_speaks_tus)]
_VERSION_HEADER = {
    "name": "Tus-Resumable",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "enum": [tus.VERSION]},
}


def _header(name: str, *, is_required: bool, pattern: str = r"^[0-9]{1,12}$") -> dict[str, object]:
    return {
        "name": name,
        "in": "header",
        "required": is_required,
        "schema": {"type": "string", "pattern": pattern},
    }


_PIECE = {"content": {tus.OFFSET_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"
_CHECKSUM = _header("Upload-Checksum", is_required=False, pattern=rf"^(sha1|sha256) {_BASE64}$")


@router.options("", status_code=204, summary="What of tus is spoken here")
def options(services: ServicesDep) -> Response:
    """Version, extensions and the largest file."""
    return Response(
        status_code=204,
        headers={
            "Tus-Resumable": tus.VERSION,
            "Tus-Version": tus.VERSION,
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Max-Size": str(services.settings.upload_max_bytes),
            "Tus-Checksum-Algorithm": ",".join(tus.CHECKSUMS),
        },
    )


@router.post(
    "",
    status_code=201,
    summary="Start an upload",
    dependencies=_TUS,
    response_class=Response,
    responses=described(400, 401, 403, 409, 412, 413, 415, 429, 503, 507),
    openapi_extra={
        "parameters": [
            _VERSION_HEADER,
            _header("Upload-Length", is_required=True),
            _header("Upload-Metadata", is_required=False, pattern=rf"^filename {_BASE64}$"),
            _CHECKSUM,
        ],
        "requestBody": _PIECE,
    },
)
async def start(
    request: Request, response: Response, services: ServicesDep, principal: PrincipalDep, urls: UrlsDep
) -> Response:
    """Say how large the file is (`Upload-Length`) and what it is called (`filename` in `Upload-Metadata`).

    `Location` is where to send it. The body may hold its first bytes already.
    """
    size, max_bytes = tus.number(request.headers, "Upload-Length"), services.settings.upload_max_bytes
    if size > max_bytes:
        raise too_large(max_bytes)
    told = request.headers.get("upload-metadata", "")
    name = tus.metadata(told).get("filename", "upload")
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    if has_body:
        tus.require_offset_type(request.headers)
    checksum = _checksum(request)
    upload = await anyio.to_thread.run_sync(
        lambda: services.uploads.create(owner=principal.owner, name=name, size=size, metadata=told)
    )
    if size == 0:
        upload.complete()
    if has_body:
        try:
            await append(upload, Body(request), offset=0, checksum=checksum)
        except BaseException:  # of whatever kind: its sender is not told where to go on
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(upload.remove)
            raise
    answer = _progress(upload, services.settings.upload_keep_s, status=201)
    answer.headers["Location"] = urls("uploads", upload.id)
    answer.headers.update(response.headers)
    return answer


@router.head(
    "/{upload_id}",
    summary="Ask where to go on",
    dependencies=_TUS,
    response_class=Response,
    responses=described(401, 403, 404, 412, 429, 503),
    openapi_extra={"parameters": [_VERSION_HEADER]},
)
def ask(upload: UploadDep, response: Response, services: ServicesDep) -> Response:
    """`Upload-Offset` is how many bytes are here, safe from power cuts."""
    sync_file(upload.data)
    answer = _progress(upload, services.settings.upload_keep_s, status=200)
    answer.headers["Upload-Length"] = str(
        upload.about.size if upload.about.is_resumable else upload.num_bytes
    )
    if upload.about.metadata:
        answer.headers["Upload-Metadata"] = upload.about.metadata
    answer.headers.update(response.headers)
    return answer


@router.patch(
    "/{upload_id}",
    status_code=204,
    summary="Send a piece",
    dependencies=_TUS,
    response_class=Response,
    responses=described(400, 401, 403, 404, 409, 412, 413, 415, 429, 460, 503, 507),
    openapi_extra={
        "parameters": [_VERSION_HEADER, _header("Upload-Offset", is_required=True), _CHECKSUM],
        "requestBody": _PIECE,
    },
)
async def send(upload: UploadDep, request: Request, response: Response, services: ServicesDep) -> Response:
    """Bytes from `Upload-Offset` on; what arrives before a cut is kept, but of one with `Upload-Checksum`."""
    tus.require_offset_type(request.headers)
    offset = tus.number(request.headers, "Upload-Offset")
    await append(upload, Body(request), offset=offset, checksum=_checksum(request))
    answer = _progress(upload, services.settings.upload_keep_s, status=204)
    answer.headers.update(response.headers)
    return answer


@router.delete(
    "/{upload_id}",
    status_code=204,
    summary="Remove an upload",
    dependencies=_TUS,
    response_class=Response,
    responses=described(401, 403, 404, 409, 412, 429, 503),
    openapi_extra={"parameters": [_VERSION_HEADER]},
)
def remove(upload: UploadDep, response: Response, services: ServicesDep) -> Response:
    """The file and what is known of it; not while a job reads it."""
    live = [job_id for job_id in upload.users if is_active(services.store, job_id, 0.0)]
    if live:
        raise UploadInUse(
            f"upload {upload.id} is read by job {', '.join(live)}",
            remedy="wait until it is over, or stop it: DELETE /jobs/" + live[0],
        )
    upload.remove()
    return Response(status_code=204, headers=dict(response.headers))


@router.get("/{upload_id}", summary="Read an upload's state", responses=described(401, 403, 404, 429, 503))
def read(upload: UploadDep, services: ServicesDep, presenter: PresenterDep) -> UploadOut:
    """What is here, until when, and how POST /predict names it."""
    return presenter.upload(upload, keep_s=services.settings.upload_keep_s)


def _checksum(request: Request) -> tus.Checksum | None:
    header = request.headers.get("upload-checksum")
    return tus.Checksum(header) if header is not None else None


def _progress(upload: Upload, keep_s: float, *, status: int) -> Response:
    """How much is here, and until when it is kept."""
    headers = {
        "Upload-Offset": str(upload.num_bytes),
        "Upload-Expires": formatdate(upload.last_change + keep_s, usegmt=True),
    }
    return Response(status_code=status, headers=headers)
