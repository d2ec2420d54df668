"""The whole OpenAPI document, tried: no error of the server's own, and every answer as it is described."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.api.conftest import TINY

pytestmark = pytest.mark.slow

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

EXAMPLES = 12
STREAMS = ("/jobs/{job_id}/events",)
"""They do not end by themselves; see `test_events`."""
CHECKED = tuple(
    getattr(schemathesis.checks, name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
)


@pytest.fixture
def tried(serve, make_raster):
    """A server that has made a map: (schema, ids for its paths)."""
    address, house = serve()
    with make_raster(shape=(3, 200, 200)).open("rb") as file:
        job = httpx.post(f"{address}/predict", files={"file": file}, data=TINY, timeout=60).json()
    house.work()
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    ids = {
        "job_id": job["id"],
        "map_id": job["map"]["id"],
        "model_id": "tiny-rgb",
        "name": job["map"]["name"],
    }
    return schema, ids


def test_every_operation_answers_as_described(tried):
    schema, ids = tried
    failures = {}
    for found in schema.exclude(path=list(STREAMS)).get_all_operations():
        operation = found.ok()
        try:
            _try(operation, {})
            if operation.method.lower() in ("get", "head") and "{" in operation.path:
                _try(operation, ids)
        except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001  all are shown together
            failures[f"{operation.method} {operation.path}"] = _text(failure)
    assert not failures, "\n\n".join(f"{name}: {text[:3000]}" for name, text in failures.items())


def _text(failure: BaseException) -> str:
    inside = failure.exceptions if isinstance(failure, BaseExceptionGroup) else (failure,)
    return " | ".join(str(one) for one in inside)


def _try(operation, ids: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case):
        for name in set(ids) & set(case.path_parameters or {}):
            case.path_parameters[name] = ids[name]
        answer = case.call(timeout=60)
        # That nobody is ready to work is no failure of the server, and 503 is how it is said.
        checks = CHECKED[1:] if operation.path == "/readyz" else CHECKED
        case.validate_response(answer, checks=list(checks))

    check()
