"""The STAC item of a model, in the words of the machine-learning model extension (MLM)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.nomenclature import NOMENCLATURES
from service.catalogue.items import CLASSIFICATION, FILE, STAC_VERSION, class_objects

if TYPE_CHECKING:
    from models.manifest import FileSpec, InputSpec, Manifest
    from service.catalogue.addresses import Addresses
    from service.catalogue.words import Language

MLM = "https://stac-extensions.github.io/mlm/v1.6.0/schema.json"
_EVER = {"datetime": None, "start_datetime": "1900-01-01T00:00:00Z", "end_datetime": "9999-12-31T23:59:59Z"}
_MEDIA_TYPES = {
    "model": "application/octet-stream; framework=onnx; profile=onnx",
    "card": "text/markdown",
    "recipe": "application/json",
}


def model_item(
    manifest: Manifest, addresses: Addresses, *, digest: str | None = None, language: Language = "en"
) -> dict[str, Any]:
    """Describe a model as a STAC item; what MLM has no word for is under ``orthoscape:``.

    Args:
        manifest: Of the model.
        addresses: Of the server.
        digest: sha256 of the manifest.
        language: Of the titles of classes.
    """
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [MLM, CLASSIFICATION, FILE],
        "id": manifest.key,
        "geometry": None,  # where it holds is a matter of domains, told below, not of an outline
        "properties": {
            **_EVER,
            "title": manifest.title,
            "license": manifest.licence,
            "version": manifest.version,
            "bands": _bands(manifest),
            "gsd": manifest.inputs[0].gsd_m.nominal,
            "mlm:name": manifest.id,
            "mlm:architecture": manifest.title,
            "mlm:tasks": [manifest.task],
            "mlm:framework": "ONNX",
            "mlm:input": [_input(spec) for spec in manifest.inputs],
            "mlm:output": _outputs(manifest, language),
            "mlm:hyperparameters": _hyperparameters(manifest),
            "orthoscape:nomenclature": manifest.nomenclature,
            "orthoscape:domains": list(manifest.domains),
            "orthoscape:metrics": {
                domain: metrics.model_dump(mode="json") for domain, metrics in manifest.metrics.items()
            },
            "orthoscape:coarse_metrics": {
                domain: metrics.model_dump(mode="json") for domain, metrics in manifest.coarse_metrics.items()
            },
            "orthoscape:provenance": dict(manifest.provenance),
            "orthoscape:gsd_m": manifest.inputs[0].gsd_m.model_dump(),
            **({} if digest is None else {"orthoscape:digest": digest}),
        },
        "links": [
            {"rel": "self", "type": "application/geo+json", "href": addresses.model(manifest.key)},
            {"rel": "about", "type": "text/markdown", "href": addresses.of(f"/models/{manifest.key}/card")},
        ],
        "assets": {
            name.replace(".", "_"): _asset(manifest, addresses, name, spec)
            for name, spec in manifest.files.items()
        },
    }


def _input(spec: InputSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "description": "Raw pixels: normalisation is inside the graph.",
        "bands": list(spec.bands),
        "input": {
            "shape": [-1, len(spec.bands), spec.patch_px, spec.patch_px],
            "dim_order": ["batch", "bands", "height", "width"],
            "data_type": spec.dtype,
        },
    }


def _outputs(manifest: Manifest, language: Language) -> list[dict[str, Any]]:
    nomenclature = NOMENCLATURES[manifest.nomenclature]
    patch_px = manifest.inputs[0].patch_px
    pixels = {
        "shape": [-1, patch_px, patch_px],
        "dim_order": ["batch", "height", "width"],
        "data_type": "uint8",
    }
    live = set(manifest.channels)
    classes = [entry for entry in class_objects(nomenclature, language) if entry["value"] in live]
    return [
        {
            "name": manifest.outputs.classes,
            "tasks": [manifest.task],
            "result": pixels,
            "classification:classes": classes,
        },
        {
            "name": manifest.outputs.confidence,
            "description": "Calibrated probability of the class given, in percent.",
            "tasks": [manifest.task],
            "result": pixels,
        },
    ]


def _hyperparameters(manifest: Manifest) -> dict[str, Any]:
    spec = manifest.inputs[0]
    return {
        "core_px": spec.core_px,
        "halo_px": spec.halo_px,
        "stride_px": spec.stride_px,
        "temperature": manifest.temperature,
        "recipe": manifest.training.recipe,
        "seed": manifest.training.seed,
        "num_steps": manifest.training.num_steps,
    }


def _asset(manifest: Manifest, addresses: Addresses, name: str, spec: FileSpec) -> dict[str, Any]:
    asset: dict[str, Any] = {
        "href": addresses.of(f"/models/{manifest.key}/files/{name}"),
        "title": name,
        "type": _MEDIA_TYPES.get(spec.role, "application/octet-stream"),
        "roles": ["mlm:model"] if spec.role == "model" else ["metadata"],
        "file:size": spec.size_bytes,
        "file:checksum": "1220" + spec.sha256,
    }
    if spec.role == "model":
        asset["mlm:artifact_type"] = "onnx"
        # MLM wants bands in the properties, STAC allows them there only if an asset has some, too.
        asset["bands"] = _bands(manifest)
    return asset


def _bands(manifest: Manifest) -> list[dict[str, str]]:
    return [{"name": band} for spec in manifest.inputs for band in spec.bands]
