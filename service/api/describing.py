"""The OpenAPI description: what FastAPI writes, with every error as problem+json."""

import itertools
import json
import re
import warnings
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.examples import JOB
from service.api.problems import MEDIA_TYPE
from service.api.schemas import Problem

SUMMARY = "From orthophotos to land-cover maps, served while they are made."

DESCRIPTION = """
`curl -F file=@ortho.tif http://localhost:8000/predict` makes a map of 16 land-cover classes. The answer is a
job; its links lead to its events, to the map, to tiles for any web map or GIS, and to the files.

Errors are `application/problem+json` (RFC 9457): `type` names the fact for programs, `detail` says what is
wrong, `remedy` what to do about it, `errors` where in the request.
"""

TAGS = [
    {"name": "Predict", "description": "Orthophotos in, jobs out."},
    {"name": "Jobs", "description": "Follow, stop, resume and delete what makes maps."},
    {"name": "Uploads", "description": "Large files, resumable: tus 1.0.0 (https://tus.io)."},
    {"name": "Maps", "description": "What jobs make: files, points, statistics."},
    {"name": "Tiles", "description": "Maps and their images, tile by tile, from the first block on."},
    {"name": "Catalogue", "description": "Models, classes, styles, tile matrix sets."},
    {"name": "Operations", "description": "Is it alive, is it ready, what does it do."},
]

_REF = "#/components/responses/Problem{}"


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an app, made once."""
    if app.openapi_schema is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of operations with one name: they get theirs below
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=TAGS,
            )
        _name_operations(document)
        _name_problems(document)
        _show_job(document)
        app.openapi_schema = document
    return app.openapi_schema


def _name_operations(document: dict[str, Any]) -> None:
    """Give every operation a name of its own: its function's, which may serve several paths and methods."""
    names: set[str] = set()
    for operations in document["paths"].values():
        for method, operation in operations.items():
            stem = operation["operationId"] + ("_head" if method == "head" else "")
            numbered = (stem if number == 1 else f"{stem}_{number}" for number in itertools.count(1))
            operation["operationId"] = next(name for name in numbered if name not in names)
            names.add(operation["operationId"])


def _name_problems(document: dict[str, Any]) -> None:
    """Give every operation its problems in place of FastAPI's own shape of validation errors."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    model = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= model.pop("$defs", {}) | {"Problem": model}
    named = set(re.findall(r"components/responses/Problem(\d+)", json.dumps(document["paths"])))
    components["responses"] = {
        f"Problem{status}": _response(int(status)) for status in sorted({*named, "422"})
    }
    components["responses"]["Problem"] = {"description": "Any other error.", "content": _CONTENT}
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            if "HTTPValidationError" in str(answers.get("422", {})):
                answers["422"] = {"$ref": _REF.format(422)}
            answers.setdefault("default", {"$ref": _REF.format("")})


def _show_job(document: dict[str, Any]) -> None:
    """Show a whole job where one is made; given at the route, its nulls would be left out."""
    if predict := document["paths"].get("/predict"):
        predict["post"]["responses"]["201"]["content"]["application/json"]["example"] = JOB


_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _response(status: int) -> dict[str, Any]:
    phrase = "Checksum Mismatch" if status == 460 else HTTPStatus(status).phrase
    return {"description": phrase, "content": _CONTENT}
