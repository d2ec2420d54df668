"""An artefact's weights are those of the network that its graph came from."""

import numpy as np
import pytest
import torch

from models.registry import Registry
from training.networks.loading import WeightsUnusable, load_network

RGBI, CHANNELS = ("red", "green", "blue", "nir"), tuple(range(16))


def test_the_packaged_weights_give_the_golden_logits():
    artefact = Registry().get("landscapes-compact-rgbi")
    golden = artefact.golden()
    network = load_network("landscapes-compact-rgbi", channels=CHANNELS, bands=RGBI)
    assert not any(parameter.requires_grad for parameter in network.parameters())
    with torch.inference_mode():
        logits = network(torch.from_numpy(golden.image_NCHW)).numpy() / artefact.manifest.temperature
    assert np.abs(logits - golden.logits_NKHW).max() < 1e-3 * golden.logits_NKHW.std()


def test_an_artefact_without_weights_cannot_be_begun_with():
    with pytest.raises(WeightsUnusable, match="carries no weights"):
        load_network("compact-rgb", channels=CHANNELS, bands=RGBI)


def test_weights_of_other_bands_are_refused():
    with pytest.raises(WeightsUnusable, match="wanted are"):
        load_network("landscapes-compact-rgbi", channels=CHANNELS, bands=RGBI[:3])
