"""From the hub to a map: a published checkpoint becomes an artefact, and the service runs it with heights."""

import os
import subprocess
import sys

import numpy as np
import pytest
import rasterio
import torch
from checkpoints import LAYOUTS
from click.testing import CliRunner
from local_hub import COMMIT, LocalHub, serve_hub
from safetensors.torch import load_file
from tiny_flair import write_raster

from models.artefact import Artefact
from service.cli import main
from training.export import run_graph
from training.importing.conversion import golden_image
from training.importing.published import NUM_CHANNELS, PUBLISHED, STATISTICS
from training.networks.unet_resnet34 import RawPixels, UNetResNet34, settle_norms

pytestmark = pytest.mark.slow

RGBIE = PUBLISHED["ign-flair-inc-rgbie-15cl"]
DEAD = sorted(set(range(NUM_CHANNELS)) - set(RGBIE.channels))


@pytest.fixture(scope="module")
def network():
    """A random network of the published shape, whose dead channels would win wherever they were let."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        network = UNetResNet34(num_bands=len(RGBIE.bands), num_channels=NUM_CHANNELS)
    mean, std = zip(*(STATISTICS[band] for band in RGBIE.bands), strict=True)
    raw = RawPixels(network, mean=mean, std=std)
    settle_norms(
        network, (torch.from_numpy(golden_image(RGBIE.bands)).float() - raw.mean_1C11) / raw.std_1C11
    )
    with torch.no_grad():
        network.segmentation_head[0].bias[DEAD] = 100.0
    return raw.eval()


@pytest.fixture(scope="module")
def home(network, tmp_path_factory):
    """A home into which the checkpoint was imported from a hub."""
    folder = tmp_path_factory.mktemp("home")
    file = folder / RGBIE.file
    torch.save(LAYOUTS["inside both, as a Lightning checkpoint"](network.network.state_dict()), file)
    with serve_hub(LocalHub({RGBIE.repository: {RGBIE.file: file}})) as hub:
        # A process of its own: the hub's client reads its address when it is imported.
        places = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(folder / "hub"), "ORTHOSCAPE_HOME": str(folder)}
        command = [sys.executable, "-m", "training", "import", RGBIE.name]
        done = subprocess.run(
            command, env={**os.environ, **places}, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert f"{RGBIE.name}@1.0.0" in done.stdout
    return folder


@pytest.fixture(scope="module")
def artefact(home):
    return Artefact.load(home / "models" / RGBIE.name)


def test_the_artefact_tells_whose_it_is_and_how_it_is_read(artefact):
    manifest = artefact.manifest
    assert manifest.licence == "etalab-2.0"
    assert manifest.channels == RGBIE.values
    spec = manifest.inputs[0]
    assert (spec.bands, spec.patch_px % spec.stride_px) == (RGBIE.bands, 0)
    assert spec.gsd_m.holds(0.2)
    assert not spec.gsd_m.holds(0.25)
    assert COMMIT in manifest.training.recipe
    assert (manifest.training.seed, manifest.training.num_steps) == (None, None)
    for told in (f"{RGBIE.repository}@{COMMIT}", "etalab-2.0", "51 m", "criterion.weight"):
        assert told in artefact.card()
    assert {path.name for path in artefact.folder.parent.iterdir()} == {RGBIE.name}


def test_weights_are_the_checkpoint_s_own(artefact, network):
    weights = load_file(artefact.file_of("weights"))
    state = network.network.state_dict()
    assert weights.keys() == state.keys()
    assert all(torch.equal(weights[name], state[name]) for name in state)


def test_the_graph_computes_what_the_network_computes_without_its_dead_channels(artefact, network):
    rng = np.random.default_rng(1)
    image_NCHW = rng.integers(0, 256, (1, 5, 64, 96), dtype=np.uint8)
    classes_NHW, confidence_NHW, logits_NKHW = run_graph(artefact.model_path(), image_NCHW)
    with torch.inference_mode():
        wanted_NKHW = network(torch.from_numpy(image_NCHW)).numpy()
    assert set(np.unique(wanted_NKHW.argmax(axis=1))) <= set(DEAD)
    live_NKHW = wanted_NKHW[:, list(RGBIE.channels)]
    assert np.abs(logits_NKHW - live_NKHW).max() < 1e-3 * live_NKHW.std()
    wanted_NHW = np.array(RGBIE.values)[live_NKHW.argmax(axis=1)]
    assert (classes_NHW == wanted_NHW).mean() > 0.999
    total_NHW = np.exp(live_NKHW - live_NKHW.max(axis=1, keepdims=True)).sum(axis=1)
    assert np.abs(confidence_NHW - 100 / total_NHW).max() < 0.6
    golden = artefact.golden()
    assert (run_graph(artefact.model_path(), golden.image_NCHW)[0] == golden.classes_NHW).all()


def test_the_service_maps_with_height_in_metres_or_in_levels(home, tmp_path, monkeypatch):
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(home))
    monkeypatch.setenv("ORTHOSCAPE_THREADS", "1")
    scene_CHW = golden_image(RGBIE.bands)[0]
    ortho, levels_HW = write_raster(tmp_path / "ortho.tif", scene_CHW[:4]), scene_CHW[4]
    heights = {
        "levels": levels_HW,
        "metres": levels_HW.astype(np.float32) * np.float32(0.2),
        "high": np.full_like(levels_HW, 255),
    }
    maps = {}
    for name, height_HW in heights.items():
        height = write_raster(tmp_path / f"{name}.tif", height_HW[None])
        out = tmp_path / f"map_{name}.tif"
        words = ["predict", ortho, "--height", height, "--bands", "RGBI", "--model", RGBIE.name, "-o", out]
        result = CliRunner().invoke(main, [*map(str, words)])
        assert result.exit_code == 0, result.output
        with rasterio.open(out) as file:
            maps[name] = file.read(1)
    assert set(np.unique(maps["levels"])) <= {*RGBIE.values, 255}
    assert (maps["levels"] == maps["metres"]).all()
    assert len(np.unique(maps["levels"])) > 2
    assert (maps["levels"] != maps["high"]).mean() > 0.01
