"""Operations: is it alive, is it ready, what is it, how does it do."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.api.access import principal
from service.api.deps import ServicesDep, StoreDep  # noqa: TC001  FastAPI reads annotations
from service.api.metrics import metrics_text
from service.api.operations import check_ready, software_versions

router = APIRouter(tags=["operations"])

_READ = ["GET", "HEAD"]
"""Load balancers ask with either."""


@router.api_route("/healthz", methods=_READ)
async def alive() -> dict[str, str]:
    """Whether this process answers; touches nothing else, so that a slow disk does not restart it."""
    return {"status": "ok"}


@router.api_route("/readyz", methods=_READ)
def ready(services: ServicesDep) -> dict[str, str]:
    """Whether a job that came now would be done: store, broker and a worker are there, and room."""
    check_ready(services)
    return {"status": "ready"}


@router.get("/version")
async def versions() -> dict[str, str]:
    """What this server runs on."""
    return software_versions()


@router.get("/metrics", dependencies=[Depends(principal)], response_class=Response)
def metrics(store: StoreDep) -> Response:
    """Figures for Prometheus; needs a key with the scope read where keys are asked for."""
    return Response(
        metrics_text(store), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
    )
