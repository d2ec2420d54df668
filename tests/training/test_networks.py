"""The network's shapes, and that folding changes nothing but the number of operations."""

import numpy as np
import pytest
import torch

from models.subpixels import at_full_size
from training.networks.compact import CompactSpec, CompactUNet
from training.networks.served import Served, fold


def network_of(num_channels=5, *, seed=0):
    torch.manual_seed(seed)
    spec = CompactSpec(
        num_bands=4,
        num_channels=num_channels,
        widths=(8, 8, 8, 8, 8),
        mean=(100.0, 90.0, 80.0, 110.0),
        std=(50.0, 40.0, 45.0, 35.0),
    )
    network = CompactUNet(spec).train()
    for _ in range(3):  # running statistics that are not 0 and 1
        network(torch.randint(0, 256, (2, 4, 64, 64), dtype=torch.uint8))
    return network.eval()


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (160, 32)])
def test_logits_have_the_size_of_the_image(height, width):
    image_NCHW = torch.zeros((2, 4, height, width), dtype=torch.uint8)
    assert network_of()(image_NCHW).shape == (2, 5, height, width)


def test_normalisation_needs_a_value_a_band():
    with pytest.raises(ValueError, match="4 bands"):
        CompactUNet(CompactSpec(num_bands=4, num_channels=2, mean=(1.0,), std=(1.0,)))


@pytest.mark.parametrize("missing", [(), (3,)])
def test_folding_gives_the_same_logits(missing):
    network = network_of()
    image_NCHW = torch.randint(0, 256, (1, 4, 64, 96), dtype=torch.uint8)
    normalised_NCHW = (image_NCHW.float() - network.mean_1C11) / network.std_1C11
    normalised_NCHW[:, list(missing)] = 0
    kept = [band for band in range(4) if band not in missing]
    with torch.inference_mode():
        wanted = network.logits(normalised_NCHW) / 1.7
        found = fold(network, temperature=1.7, missing=missing)(image_NCHW[:, kept])
    assert torch.allclose(found, wanted, atol=1e-4 * wanted.std())


def test_folding_leaves_the_trained_network_alone():
    network = network_of()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fold(network, temperature=2.0, missing=(3,))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_served_classes_are_values_and_confidence_is_softmax():
    channels = (12, 0, 6, 3, 15)
    served = Served(fold(network_of(), temperature=1.0), channels=channels).eval()
    image_NCHW = torch.randint(0, 256, (1, 4, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        classes_NHW, confidence_NHW, sub_pixels_NQhw = served(image_NCHW)
    logits_NKHW = torch.from_numpy(at_full_size(sub_pixels_NQhw.numpy(), factor=2))
    assert torch.equal(logits_NKHW, torch.pixel_shuffle(sub_pixels_NQhw, 2))
    values = np.array(channels)[logits_NKHW.argmax(dim=1).numpy()]
    assert (classes_NHW.numpy() == values).all()
    assert classes_NHW.dtype == confidence_NHW.dtype == torch.uint8
    percent = 100 * torch.softmax(logits_NKHW, dim=1).amax(dim=1)
    assert (confidence_NHW.float() - percent).abs().max() <= 0.5 + 1e-3
