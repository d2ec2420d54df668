"""The whole OpenAPI document, tried: no error of the server's own, and every answer as it is described."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, repeat

import httpx
import morecantile
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from service.jobs.records import Job
from tests.api.conftest import TINY, House
from tests.api.test_uploads import PIECE

pytestmark = pytest.mark.slow

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

EXAMPLES = 12
UNREADY = ("/readyz",)
UNLIKELY = (*UNREADY, "/predict")
"""What is sent by chance is no orthophoto; `test_predict` sends some."""
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


@dataclass
class Tried:
    """A server that has made a map, and whatever is to be had there."""

    house: House
    client: httpx.Client
    raster: bytes
    ids: dict[str, str]
    """Of what is only read, for the paths."""

    def upload(self, *, num_bytes: int | None = None) -> str:
        """A new upload, of which so many bytes are there."""
        sent = self.raster[:num_bytes]
        headers = PIECE | {"Upload-Length": str(len(self.raster))}
        answer = self.client.post("/uploads", headers=headers, content=sent)
        return answer.headers["location"].rsplit("/", 1)[1]

    def job(self) -> Job:
        """A new job, which nobody works on."""
        asked = TINY | {"source": f"upload:{self.upload()}", "force": True}
        answer = self.client.post("/predict", json=asked)
        return self.house.store.job(answer.json()["id"])

    def stopped(self) -> Job:
        """A new job that was dismissed."""
        return self.house.store.dismiss(self.job().id)

    def for_once(self, operation: str) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
        """For each try of an operation that changes things (ids, headers), of what was made for it alone."""

        def begun() -> dict[str, str]:
            return {"upload_id": self.upload(num_bytes=100)}

        makers: dict[str, list[Callable[[], tuple[dict[str, str], dict[str, str]]]]] = {
            "DELETE /jobs/{job_id}": [
                lambda: ({"job_id": self.job().id}, {}),
                lambda: ({"job_id": self.stopped().id}, {}),
            ],
            "POST /jobs/{job_id}/resume": [
                lambda: ({"job_id": self.stopped().id}, {}),
                lambda: ({"job_id": self.job().id}, {}),
            ],
            "DELETE /maps/{map_id}": [
                lambda: ({"map_id": self.stopped().map_id}, {}),
                lambda: ({"map_id": self.job().map_id}, {}),
            ],
            "PATCH /uploads/{upload_id}": [
                lambda: (begun(), {"Upload-Offset": "100"}),
                lambda: (begun(), {}),
            ],
            "HEAD /uploads/{upload_id}": [lambda: (begun(), {})],
            "DELETE /uploads/{upload_id}": [
                lambda: (begun(), {}),
                lambda: ({"upload_id": self.used()}, {}),
            ],
        }
        for make in cycle(makers.get(operation, ())):
            yield make()

    def used(self) -> str:
        """An upload that a live job reads."""
        upload = self.upload()
        self.client.post("/predict", json=TINY | {"source": f"upload:{upload}", "force": True})
        return upload


@pytest.fixture
def tried(serve, make_raster):
    """See `Tried`."""
    address, house = serve(has_pictures=True)
    raster = make_raster(shape=(3, 200, 200)).read_bytes()
    with httpx.Client(base_url=address, timeout=60) as client:
        job = client.post("/predict", files={"file": ("ortho.tif", raster)}, data=TINY).json()
        house.work()
        made = job["map"]["id"]
        layer = client.get(f"/maps/{made}/tilejson.json").json()
        lon, lat, _ = layer["center"]
        tile = morecantile.tms.get("WebMercatorQuad").tile(lon, lat, layer["maxzoom"])
        ids = {
            "job_id": job["id"],
            "map_id": made,
            "sheet": client.get(f"/maps/{made}/sheets").json()["sheets"][0]["name"],
            "model_id": "tiny-rgb",
            "name": job["map"]["name"],
            "rest": "landcover.tif",
            "tms": "WebMercatorQuad",
            "lon": lon,
            "lat": lat,
            "z": tile.z,
            "x": tile.x,
            "y": tile.y,
        }
        tried = Tried(house, client, raster, ids)
        tried.ids["upload_id"] = tried.upload(num_bytes=100)
        yield tried


NAMES = {"/models/{model_id}/files/{name}": "model.onnx", "/tileMatrixSets/{name}": "2154_10cm"}
"""What `name` is, where it is not a map's."""


def test_every_operation_answers_as_described(tried):
    schema = schemathesis.openapi.from_url(f"{tried.client.base_url}/openapi.json")
    failures = {}
    for found in schema.exclude(path=list(STREAMS)).get_all_operations():
        operation = found.ok()
        title = f"{operation.method.upper()} {operation.path}"
        ids = tried.ids | ({"name": NAMES[operation.path]} if operation.path in NAMES else {})
        made = tried.for_once(title)
        try:
            statuses = _try(operation, repeat(({}, {})))
            if "{" in operation.path:
                is_read = title.startswith(("GET", "HEAD /maps", "HEAD /models"))
                statuses = _try(operation, repeat((ids, {})) if is_read else made)
            assert operation.path in UNLIKELY or any(status < 400 for status in statuses), statuses
        except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001  all are shown together
            failures[title] = _text(failure)
    assert not failures, "\n\n".join(f"{name}: {text[:3000]}" for name, text in failures.items())


def _text(failure: BaseException) -> str:
    inside = failure.exceptions if isinstance(failure, BaseExceptionGroup) else (failure,)
    return " | ".join(str(one) for one in inside)


def _try(operation, known: Iterator[tuple[dict[str, object], dict[str, str]]]) -> set[int]:
    """Try an operation with ids and headers of what is there; returns how it answered."""
    statuses = set()

    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case):
        ids, headers = next(known)
        for name in set(ids) & set(case.path_parameters or {}):
            case.path_parameters[name] = ids[name]
        answer = case.call(timeout=60, headers=headers)
        statuses.add(answer.status_code)
        # That nobody is ready to work is no failure of the server, and 503 is how it is said.
        checks = CHECKED[1:] if operation.path in UNREADY else CHECKED
        case.validate_response(answer, checks=list(checks))

    check()
    return statuses
