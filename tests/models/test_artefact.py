"""Artefacts and registries, on folders made here."""

import json

import numpy as np
import pytest

from models.artefact import Artefact, describe_file, read_manifest
from models.errors import (
    ArtefactAmbiguous,
    ArtefactDamaged,
    ArtefactMissing,
    ManifestInvalid,
    PrecisionMissing,
)
from models.manifest import InputSpec, Manifest, Range, Training
from models.registry import PACKAGED_FOLDER, Registry, packaged_defaults

NEARLY = {"num_pixels": 1, "agreement": 0.995, "metric": "miou", "score": 0.5, "fp32_score": 0.5}


def write_artefact(folder, *, model_id="toy", version="1.0.0", graph=b"graph", int8_classes=None, **changes):
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(graph)
    (folder / "CARD.md").write_text("# Toy\n")
    np.savez_compressed(
        folder / "golden.npz",
        image_NCHW=np.zeros((1, 3, 32, 32), np.uint8),
        classes_NHW=np.zeros((1, 32, 32), np.uint8),
        confidence_NHW=np.zeros((1, 32, 32), np.uint8),
        logits_NKHW=np.zeros((1, 2, 32, 32), np.float32),
        **({} if int8_classes is None else {"classes_int8_NHW": int8_classes}),
    )
    files = {"model.onnx": describe_file(folder / "model.onnx", role="model", precision="fp32")}
    if int8_classes is not None:
        (folder / "model.int8.onnx").write_bytes(b"small")
        files["model.int8.onnx"] = describe_file(folder / "model.int8.onnx", role="model", precision="int8")
    manifest = Manifest(
        id=model_id,
        version=version,
        title="Toy",
        inputs=(
            InputSpec(
                name="image",
                bands=("red", "green", "blue"),
                dtype="uint8",
                gsd_m=Range(min=0.15, max=0.5, nominal=0.2),
                core_px=32,
                halo_px=16,
                stride_px=32,
            ),
        ),
        nomenclature="cosia-16",
        channels=(0, 6),
        domains=(),
        reference={},
        metrics={},
        licence="Apache-2.0",
        training=Training(commit="0" * 40, recipe="toy", seed=0, num_steps=1),
        lowered={} if int8_classes is None else {"int8": {"toys": NEARLY}},
        files=files
        | {
            "golden.npz": describe_file(folder / "golden.npz", role="golden"),
            "CARD.md": describe_file(folder / "CARD.md", role="card"),
        },
    )
    content = {**manifest.model_dump(mode="json"), **changes}
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def test_artefact_gives_its_parts(tmp_path):
    artefact = Artefact.load(write_artefact(tmp_path / "toy"))
    assert artefact.model_path().read_bytes() == b"graph"
    assert artefact.golden().logits_NKHW.shape == (1, 2, 32, 32)
    assert artefact.card().startswith("# Toy")
    assert artefact.manifest.inputs[0].patch_px == 64
    assert len(artefact.digest) == 64


def test_a_precision_it_lacks_is_refused(tmp_path):
    artefact = Artefact.load(write_artefact(tmp_path / "toy"))
    with pytest.raises(PrecisionMissing, match="no int8 graph") as caught:
        artefact.model_path("int8")
    assert caught.value.remedy.startswith("It has: fp32.")


def test_a_graph_of_lower_precision_has_its_own_golden_classes(tmp_path):
    artefact = Artefact.load(write_artefact(tmp_path / "toy", int8_classes=np.full((1, 32, 32), 6, np.uint8)))
    assert artefact.manifest.precisions == ("fp32", "int8")
    assert artefact.model_path("int8").read_bytes() == b"small"
    golden = artefact.golden()
    assert (golden.expected_classes("fp32") == 0).all()
    assert (golden.expected_classes("int8") == 6).all()


def test_golden_classes_of_another_shape_are_noticed(tmp_path):
    folder = write_artefact(tmp_path / "toy", int8_classes=np.zeros((1, 32, 16), np.uint8))
    with pytest.raises(ArtefactDamaged, match="classes_int8_NHW"):
        Artefact.load(folder).golden()


@pytest.mark.parametrize("name", ["model.onnx", "model.int8.onnx", "golden.npz", "CARD.md"])
def test_a_changed_byte_is_noticed(tmp_path, name):
    folder = write_artefact(tmp_path / "toy", int8_classes=np.zeros((1, 32, 32), np.uint8))
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ArtefactDamaged, match="sha256"):
        Artefact.load(folder)


def test_a_missing_or_cut_file_is_noticed(tmp_path):
    folder = write_artefact(tmp_path / "toy")
    (folder / "model.onnx").write_bytes(b"gra")
    with pytest.raises(ArtefactDamaged, match="3 bytes, its manifest says 5"):
        Artefact.load(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(ArtefactDamaged, match="missing"):
        Artefact.load(folder)


def test_a_golden_sample_of_another_shape_is_noticed(tmp_path):
    folder = write_artefact(tmp_path / "toy", channels=[0, 6, 7])
    with pytest.raises(ArtefactDamaged, match="logits_NKHW"):
        Artefact.load(folder).golden()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"nomenclature": "corine"}, "unknown nomenclature"),
        ({"channels": [0, 0]}, "distinct class values"),
        ({"channels": [0, 16]}, "below 16"),
        ({"id": "No Id"}, "pattern"),
        ({"surprise": 1}, "surprise"),
        ({"schema_version": 2}, "schema_version"),
        ({"files": {}}, "role of a model"),
        ({"lowered": {"int8": {"toys": NEARLY}}}, "figures of int8"),
        ({"files": {"../x": {"sha256": "0" * 64, "size_bytes": 0, "role": "model"}}}, "plain file name"),
    ],
)
def test_manifests_that_contradict_themselves_are_refused(tmp_path, changes, said):
    folder = write_artefact(tmp_path / "toy", **changes)
    with pytest.raises(ManifestInvalid, match=said):
        read_manifest(folder)


def test_a_manifest_that_is_no_json_is_refused(tmp_path):
    folder = write_artefact(tmp_path / "toy")
    (folder / "manifest.json").write_text("not json")
    with pytest.raises(ManifestInvalid):
        read_manifest(folder)
    with pytest.raises(ManifestInvalid, match="cannot be read"):
        read_manifest(tmp_path / "nowhere")


def test_geometry_must_fit_the_stride():
    with pytest.raises(ValueError, match="no multiple of stride"):
        InputSpec(
            name="image",
            bands=("red",),
            dtype="uint8",
            gsd_m=Range(min=0.1, max=1, nominal=0.2),
            core_px=100,
            halo_px=10,
            stride_px=32,
        )


def test_registry_finds_names_and_versions(tmp_path):
    write_artefact(tmp_path / "a" / "toy-1", version="1.9.0")
    write_artefact(tmp_path / "b" / "toy-2", version="1.10.0")
    write_artefact(tmp_path / "b" / "other", model_id="other")
    registry = Registry([tmp_path / "a", tmp_path / "b", tmp_path / "absent"])
    assert registry.ids() == ("other", "toy")
    assert [m.key for m in registry.manifests()] == ["other@1.0.0", "toy@1.9.0", "toy@1.10.0"]
    assert registry.get("toy").manifest.version == "1.10.0"
    assert registry.get("toy@1.9.0").manifest.version == "1.9.0"
    assert registry.get("toy") is registry.get("toy@1.10.0")


def test_registry_says_what_it_has(tmp_path):
    write_artefact(tmp_path / "toy")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{}")
    registry = Registry([tmp_path])
    assert list(registry.unreadable()) == [broken]
    with pytest.raises(ArtefactMissing) as caught:
        registry.get("toy@2.0.0")
    assert "toy@1.0.0" in caught.value.remedy
    assert str(broken) in caught.value.remedy


def test_two_artefacts_of_one_name_must_be_the_same(tmp_path):
    write_artefact(tmp_path / "a" / "toy")
    write_artefact(tmp_path / "b" / "toy", graph=b"other")
    with pytest.raises(ArtefactAmbiguous):
        Registry([tmp_path / "a", tmp_path / "b"]).get("toy")


def test_the_packaged_choice_names_ids():
    assert (PACKAGED_FOLDER / "default.json").is_file()
    assert packaged_defaults()[0] == "compact-rgbi"
