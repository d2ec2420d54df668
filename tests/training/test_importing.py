"""Published checkpoints are read in every layout, and nothing else is taken for one."""

import argparse
import os
from pathlib import Path

import pytest
import torch
from checkpoints import LAYOUTS, tiny_state, with_metadata
from click.testing import CliRunner
from local_hub import COMMIT, LocalHub, serve_hub
from safetensors.torch import save_file

from models.nomenclature import COSIA
from service.settings import Settings
from training.cli import main
from training.importing.checkpoint import read_tensors
from training.importing.commands import models_folder
from training.importing.errors import (
    CheckpointUnreadable,
    CheckpointUnsafe,
    HubUnreachable,
    NotPublished,
    OtherArchitecture,
    OtherOutputs,
)
from training.importing.hub import fetch
from training.importing.layouts import take_weights
from training.importing.published import PUBLISHED, find_published, guess_published

RGBIE = PUBLISHED["ign-flair-inc-rgbie-15cl"]


@pytest.fixture(scope="module")
def state():
    return tiny_state()


def load(path, *, published=RGBIE, without_metadata=False):
    return take_weights(read_tensors(path), published, without_metadata=without_metadata)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_published_layout_gives_the_same_weights(layout, state, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(LAYOUTS[layout](state), path)
    weights = load(path)
    assert weights.state.keys() == state.keys()
    assert all(torch.equal(weights.state[name], state[name]) for name in state)
    assert weights.left_out == (("criterion.weight",) if "Lightning" in layout else ())


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=PUBLISHED)
def test_every_published_model_reads_its_bands_and_tells_its_classes(published, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(tiny_state(num_bands=len(published.bands)), path)
    assert load(path, published=published).state["encoder.conv1.weight"].shape[1] == len(published.bands)
    names = [COSIA.classes[value].slug for value in published.values]
    assert names[:12] == [
        "building",
        "pervious_surface",
        "impervious_surface",
        "bare_soil",
        "water",
        "coniferous",
        "deciduous",
        "brushwood",
        "vineyard",
        "herbaceous_vegetation",
        "agricultural_land",
        "plowed_land",
    ]
    assert names[12:] == (["swimming_pool", "snow", "greenhouse"] if published.family == "15cl" else [])
    assert published.channels == (*range(12), *((12, 13, 17) if published.family == "15cl" else ()))


def test_half_precision_becomes_fp32_and_safetensors_are_read(state, tmp_path):
    half = {
        name: (value.half() if value.is_floating_point() else value).contiguous().clone()
        for name, value in state.items()
    }
    save_file(half, tmp_path / "weights.safetensors")
    weights = load(tmp_path / "weights.safetensors").state
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}


def test_metadata_are_never_dropped_in_silence(state, tmp_path):
    torch.save(with_metadata(state), tmp_path / "weights.ckpt")
    with pytest.raises(OtherArchitecture, match="--without-metadata"):
        load(tmp_path / "weights.ckpt")
    weights = load(tmp_path / "weights.ckpt", without_metadata=True)
    assert torch.equal(weights.state["segmentation_head.0.bias"], state["segmentation_head.0.bias"])
    assert len(weights.left_out) == 6


class Runs:
    """Unpickled, it would leave a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_a_pickle_that_would_run_code_is_refused_unrun(state, tmp_path):
    mark = tmp_path / "mark"
    for content in (
        Runs(mark),
        {"state_dict": state, "hyper_parameters": Runs(mark)},
        {"state_dict": state, "hyper_parameters": argparse.Namespace(bands=5)},
    ):
        torch.save(content, tmp_path / "weights.pth")
        with pytest.raises(CheckpointUnsafe, match="not unpickled"):
            load(tmp_path / "weights.pth")
        assert not mark.exists()


def test_truncated_files_and_other_files_are_refused(state, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    whole = path.read_bytes()
    save_file({"a": torch.zeros(9)}, tmp_path / "whole.safetensors")
    for name, content in (
        ("weights.pth", whole[: len(whole) // 2]),
        ("weights.pth", whole[:-1]),
        ("weights.pth", b""),
        ("weights.pth", b"<!DOCTYPE html><html>Not found</html>"),
        ("weights.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 98000000\n"),
        ("weights.safetensors", (tmp_path / "whole.safetensors").read_bytes()[:-5]),
        ("weights.safetensors", whole),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointUnreadable):
            load(tmp_path / name)
    for content in ([1, 2], {"epoch": 3}, {}, {"state_dict": {"encoder": 1}}, {1: torch.zeros(2)}):
        torch.save(content, path)
        with pytest.raises(CheckpointUnreadable):
            load(path)


def without(state, *parts):
    return {name: value for name, value in state.items() if not any(part in name for part in parts)}


OTHERS = {
    "a DeepLabV3": lambda state: {
        **without(state, "decoder."),
        "decoder.0.convs.0.0.weight": torch.zeros(256, 512, 1, 1),
    },
    "an FPN": lambda state: {**without(state, "decoder."), "decoder.p5.weight": torch.zeros(256, 512, 1, 1)},
    "a transformer": lambda state: {
        **without(state, "encoder."),
        "encoder.patch_embed1.proj.weight": torch.zeros(64, 3, 7, 7),
    },
    "a multimodal FLAIR-HUB network": lambda _: {
        "model.encoders.AERIAL_RGBI.seg_model.model.patch_embed.proj.weight": torch.zeros(128, 3, 4, 4)
    },
    "a U-Net with attention": lambda state: {
        **state,
        "decoder.blocks.0.attention1.attention.cSE.1.weight": torch.zeros(16, 768, 1, 1),
    },
    "another network": lambda state: without(state, "segmentation_head"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_other_networks_are_refused_by_what_they_are(what, state, tmp_path):
    torch.save(OTHERS[what](state), tmp_path / "weights.pth")
    with pytest.raises(OtherArchitecture, match=what):
        load(tmp_path / "weights.pth")


def test_missing_unknown_and_misshapen_tensors_are_named(state, tmp_path):
    path = tmp_path / "weights.pth"
    for changed, told in (
        (
            without(state, "decoder.blocks.2.conv1.1.weight"),
            "1 tensors are missing .decoder.blocks.2.conv1.1.weight",
        ),
        ({**state, "stranger": torch.zeros(1)}, "1 are unknown .stranger"),
        ({**state, "encoder.bn1.bias": torch.zeros(65)}, r"encoder.bn1.bias is torch.float32 \(65,\)"),
        (
            {**state, "encoder.bn1.bias": torch.zeros(64, dtype=torch.int64)},
            "encoder.bn1.bias is torch.int64",
        ),
        ({**state, "encoder.bn1.bias": torch.full((64,), torch.nan)}, "encoder.bn1.bias holds"),
        ({**state, "encoder.bn1.running_var": torch.full((64,), -1.0)}, "encoder.bn1.running_var holds"),
        ({**state, "x.encoder.conv1.weight": state["encoder.conv1.weight"]}, "stands under"),
    ):
        torch.save(changed, path)
        with pytest.raises(OtherArchitecture, match=told):
            load(path)


def test_other_bands_and_classes_are_refused(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(tiny_state(num_bands=3), path)
    with pytest.raises(OtherOutputs, match="reads 3 bands, ign-flair-inc-rgbie-15cl reads 5"):
        load(path)
    torch.save(tiny_state(num_channels=13), path)
    with pytest.raises(OtherOutputs, match="13 channels"):
        load(path)


def test_names_are_found_as_typed_and_as_published():
    assert find_published("ign-flair-inc-rgbie-15cl") is RGBIE
    assert find_published("IGNF/FLAIR-INC_rgbie_15cl_resnet34-unet") is RGBIE
    assert guess_published(RGBIE.file) is RGBIE
    with pytest.raises(NotPublished, match="not built here"):
        find_published("IGNF/FLAIR-HUB_LC-A_RGB_swinbase-upernet")
    with pytest.raises(NotPublished, match="ign-flair-inc-rgb-15cl"):
        find_published("flair")
    with pytest.raises(NotPublished, match="--like"):
        guess_published("last.ckpt")


@pytest.fixture
def hub(tmp_path):
    file = tmp_path / "served"
    file.write_bytes(b"weights" * 1000)
    with serve_hub(LocalHub({RGBIE.repository: {RGBIE.file: file, "README.md": file}})) as hub:
        yield hub


def test_the_hub_s_file_comes_pinned_checked_and_once(hub, tmp_path):
    first, again = (fetch(RGBIE, cache=tmp_path / "cache", endpoint=hub.endpoint) for _ in range(2))
    assert first == again
    assert first.path.read_bytes() == b"weights" * 1000
    assert first.source == f"{RGBIE.repository}@{COMMIT}/{RGBIE.file}"
    got = [path for method, path, _ in hub.asked if method == "GET" and "resolve" in path]
    assert got == [f"/{RGBIE.repository}/resolve/{COMMIT}/{RGBIE.file}"]
    assert {authorisation for *_, authorisation in hub.asked} == {None}


def test_what_the_hub_lacks_is_said_with_the_way_round(hub, tmp_path):
    def ask(published, **options):
        return fetch(published, cache=tmp_path / "cache", endpoint=hub.endpoint, **options)

    with pytest.raises(HubUnreachable, match=r"(?s)not fetched.*--like ign-flair-inc-rgb-15cl"):
        ask(PUBLISHED["ign-flair-inc-rgb-15cl"])
    with pytest.raises(HubUnreachable):
        ask(RGBIE, revision="v9")
    del hub.files[RGBIE.repository][RGBIE.file]
    with pytest.raises(HubUnreachable, match=r"the repository has README\.md"):
        ask(RGBIE)
    with pytest.raises(HubUnreachable):
        fetch(RGBIE, cache=tmp_path / "cache", endpoint="http://127.0.0.1:9")


def test_a_download_that_is_not_the_published_file_is_refused(hub, tmp_path):
    hub.states[RGBIE.file] = "0" * 64
    with pytest.raises(CheckpointUnreadable, match="the hub states 0000"):
        fetch(RGBIE, cache=tmp_path / "cache", endpoint=hub.endpoint)
    del hub.states[RGBIE.file]
    hub.cut_bytes = 5
    with pytest.raises(CheckpointUnreadable, match="did not come whole"):
        fetch(RGBIE, cache=tmp_path / "other", endpoint=hub.endpoint)


def test_the_folder_is_the_one_where_the_service_looks(tmp_path, monkeypatch):
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(tmp_path))
    assert models_folder() == Settings().models_folder == tmp_path / "models"
    monkeypatch.delenv("ORTHOSCAPE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert models_folder() == Settings().models_folder
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert models_folder() == Settings().models_folder


def test_the_command_refuses_in_words(tmp_path):
    torch.save(tiny_state(num_bands=3), tmp_path / "last.ckpt")
    for words, told in (
        (["nothing"], "'nothing' is not known"),
        ([RGBIE.name, "--id", "Our Model"], "'Our Model' is no id"),
        ([str(tmp_path / "last.ckpt")], "--like"),
        ([str(tmp_path / "last.ckpt"), "--like", RGBIE.name], "reads 3 bands"),
    ):
        result = CliRunner().invoke(main, ["import", *words, "--into", str(tmp_path / "models")])
        assert result.exit_code == 1
        assert told in result.output
        assert not list(tmp_path.glob("models/*"))
