"""The U-Net ResNet-34 carries the names and shapes that published checkpoints have."""

import pytest

torch = pytest.importorskip("torch")

from training.networks.compact import count_parameters  # noqa: E402
from training.networks.unet_resnet34 import RawPixels, UNetResNet34, settle_norms  # noqa: E402


@pytest.mark.parametrize(("num_bands", "num_parameters"), [(3, 24_438_979), (4, 24_442_115), (5, 24_445_251)])
def test_has_the_tensors_and_parameters_of_published_checkpoints(num_bands, num_parameters):
    network = UNetResNet34(num_bands=num_bands, num_channels=19)
    assert len(network.state_dict()) == 278
    assert count_parameters(network) == num_parameters


def test_names_and_shapes_are_those_of_segmentation_models_pytorch():
    shapes = {
        name: tuple(value.shape)
        for name, value in UNetResNet34(num_bands=4, num_channels=19).state_dict().items()
    }
    assert shapes["encoder.conv1.weight"] == (64, 4, 7, 7)
    assert "encoder.bn1.running_mean" in shapes
    for stage, num_blocks in enumerate((3, 4, 6, 3), start=1):
        last = f"encoder.layer{stage}.{num_blocks - 1}"
        assert {f"{last}.conv1.weight", f"{last}.bn2.bias"} <= shapes.keys()
        assert f"encoder.layer{stage}.{num_blocks}.conv1.weight" not in shapes
        has_shortcut = f"encoder.layer{stage}.0.downsample.0.weight" in shapes
        assert has_shortcut == (stage > 1)
    firsts = [shapes[f"decoder.blocks.{step}.conv1.0.weight"] for step in range(5)]
    assert firsts == [(256, 768, 3, 3), (128, 384, 3, 3), (64, 192, 3, 3), (32, 128, 3, 3), (16, 32, 3, 3)]
    seconds = [shapes[f"decoder.blocks.{step}.conv2.0.weight"][:2] for step in range(5)]
    assert seconds == [(256, 256), (128, 128), (64, 64), (32, 32), (16, 16)]
    assert "decoder.blocks.4.conv2.1.running_var" in shapes
    assert shapes["segmentation_head.0.weight"] == (19, 16, 3, 3)
    assert shapes["segmentation_head.0.bias"] == (19,)


def test_raw_pixels_give_logits_of_their_size_that_do_not_explode():
    torch.manual_seed(1)
    network = UNetResNet34(num_bands=4, num_channels=16)
    settle_norms(network, torch.randn(2, 4, 96, 96))
    image_NCHW = torch.randint(0, 256, (1, 4, 64, 96), dtype=torch.uint8)
    with torch.inference_mode():
        logits_NKHW = RawPixels(network, mean=(127.5,) * 4, std=(73.6,) * 4)(image_NCHW)
    assert logits_NKHW.shape == (1, 16, 64, 96)
    assert logits_NKHW.isfinite().all()
    assert 0.01 < logits_NKHW.std() < 100
