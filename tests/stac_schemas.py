"""STAC's own schemas, from pystac's copies, with all that they refer to."""

import json
from importlib.resources import files as package_files

import jsonschema_rs

_NAMES = {"Feature": "/item.json", "Collection": "/collection.json", "Catalog": "/catalog.json"}


def stac_validators() -> dict[str, jsonschema_rs.Draft7Validator]:
    """A validator for each type of document: Feature, Collection, Catalog."""
    folder = package_files("pystac") / "validation" / "jsonschemas"
    schemas = [
        json.loads(path.read_text(encoding="utf-8"))
        for part in ("stac-spec/v1.1.0", "geojson")
        for path in (folder / part).iterdir()
        if path.name.endswith(".json")
    ]
    for schema in schemas:  # the copy of one of them misspells its own name
        schema["$id"] = schema["$id"].rstrip("#").replace("/commonjson", "/common.json")
    registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in schemas])
    return {
        kind: jsonschema_rs.Draft7Validator(
            next(schema for schema in schemas if schema["$id"].endswith(name)), registry=registry
        )
        for kind, name in _NAMES.items()
    }
