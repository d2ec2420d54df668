"""The catalogue: models, classes, styles, tile matrix sets."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from models.artefact import Artefact
from models.errors import ArtefactMissing
from models.nomenclature import COSIA, NOMENCLATURES
from models.registry import Registry, packaged_defaults
from service.api.caching import answer
from service.api.deps import PrincipalDep, RegistryDep
from service.api.mapfiles import FileUnknown
from service.api.problems import described
from service.api.showing import AddressesDep, Json, LanguageDep
from service.catalogue.classes import nomenclature_json
from service.catalogue.modelitems import model_item
from service.catalogue.styles import styles_json
from service.errors import NotFound
from service.tiles.matrices import find_tile_matrix_set, tile_matrix_sets

router = APIRouter(tags=["Catalogue"])

ModelId = Annotated[str, Path(description="`id`, `id@version` or `default`.", examples=["compact-rgb"])]


class ModelUnknown(NotFound):
    """There is no model of that name."""


def _artefact(registry: Registry, model_id: str) -> Artefact:
    """A model; where the server looked for it is nobody's business."""
    try:
        return registry.get(model_id)
    except ArtefactMissing as error:
        known = ", ".join(manifest.key for manifest in registry.manifests())
        raise ModelUnknown(f"there is no model {model_id!r}", remedy=f"one of {known}") from error


@router.get("/models", responses=described(401, 403))
def list_models(registry: RegistryDep, addresses: AddressesDep, _principal: PrincipalDep) -> Json:
    """The models of this server, those of the packaged choice in its order."""
    defaults = packaged_defaults()
    return {
        "default": list(defaults),
        "models": [
            {
                "id": manifest.id,
                "version": manifest.version,
                "title": manifest.title,
                "bands": list(manifest.inputs[0].bands),
                "gsd_m": manifest.inputs[0].gsd_m.model_dump(),
                "nomenclature": manifest.nomenclature,
                "domains": list(manifest.domains),
                "licence": manifest.licence,
                "is_default": manifest.id in defaults,
                "links": {
                    "self": {"href": addresses.model(manifest.key), "type": "application/geo+json"},
                    "card": {"href": addresses.of(f"/models/{manifest.key}/card"), "type": "text/markdown"},
                },
            }
            for manifest in registry.manifests()
        ],
    }


@router.get("/models/{model_id}", responses=described(401, 404))
def read_model(
    model_id: ModelId,
    registry: RegistryDep,
    addresses: AddressesDep,
    language: LanguageDep,
    _principal: PrincipalDep,
) -> Json:
    """A model as a STAC item, in the words of the machine-learning model extension."""
    artefact = _artefact(registry, model_id)
    return model_item(artefact.manifest, addresses, digest=artefact.digest, language=language)


@router.get(
    "/models/{model_id}/card",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/markdown": {}}}, **described(401, 404)},
)
def read_card(
    request: Request, model_id: ModelId, registry: RegistryDep, _principal: PrincipalDep
) -> Response:
    """What a model was made from, what it is good for and what not; Markdown."""
    card = _artefact(registry, model_id).card()
    return answer(card, media_type="text/markdown; charset=utf-8", headers=request.headers)


@router.api_route(
    "/models/{model_id}/files/{name}",
    methods=["GET", "HEAD"],
    response_class=FileResponse,
    responses=described(401, 404),
)
def read_model_file(
    model_id: ModelId, name: str, registry: RegistryDep, _principal: PrincipalDep
) -> Response:
    """A file of a model, as its manifest names it."""
    artefact = _artefact(registry, model_id)
    if name not in artefact.manifest.files:
        known = ", ".join(artefact.manifest.files)
        raise FileUnknown(f"{artefact.manifest.key} has no file {name!r}", remedy=f"one of {known}")
    headers = {"ETag": f'"{artefact.manifest.files[name].sha256}"', "Cache-Control": "no-cache"}
    return FileResponse(artefact.folder / name, filename=name, headers=headers)


@router.get("/classes", responses=described(401))
def list_classes(language: LanguageDep, _principal: PrincipalDep) -> Json:
    """Every class scheme: values, names in both languages, codes elsewhere, colours, groupings."""
    return {
        "default": COSIA.id,
        "nomenclatures": [nomenclature_json(scheme, language) for scheme in NOMENCLATURES.values()],
    }


@router.get("/styles", responses=described(401))
def list_styles(language: LanguageDep, _principal: PrincipalDep) -> Json:
    """Every style that a map can be shown in, by class scheme, the usual one first."""
    return {scheme.id: styles_json(scheme, language) for scheme in NOMENCLATURES.values()}


@router.get("/tileMatrixSets", responses=described(401))
def list_tile_matrix_sets(addresses: AddressesDep, _principal: PrincipalDep) -> Json:
    """The tile matrix sets that tiles come in, as OGC's Tiles API lists them."""
    return {
        "tileMatrixSets": [
            {
                "id": name,
                "title": tms.title or name,
                "links": [
                    {
                        "rel": "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme",
                        "type": "application/json",
                        "href": addresses.of(f"/tileMatrixSets/{name}"),
                    }
                ],
            }
            for name, tms in tile_matrix_sets().items()
        ]
    }


@router.get("/tileMatrixSets/{name}", responses=described(401, 404))
def read_tile_matrix_set(name: str, _principal: PrincipalDep) -> dict[str, Any]:
    """A tile matrix set as OGC writes it (17-083r4)."""
    tms = find_tile_matrix_set(name)
    return tms.model_dump(mode="json", exclude_none=True, by_alias=True)
