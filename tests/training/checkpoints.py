"""Checkpoints as FLAIR-1 has saved them, with random weights: small files of tensors of full size."""

from itertools import pairwise

import torch

from training.networks.unet_resnet34 import UNetResNet34


def tiny_state(*, num_bands=5, num_channels=19, seed=0):
    """Every tensor of the network, in full shape, over storages of one number each but for the two ends."""
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        shapes = UNetResNet34(num_bands=num_bands, num_channels=num_channels).state_dict()
    state = {}
    for name, like in shapes.items():
        if name.startswith("segmentation_head") or name == "encoder.conv1.weight":
            state[name] = torch.randn(like.shape, generator=generator)
        else:
            one = torch.rand(1, generator=generator) if like.is_floating_point() else torch.tensor([3])
            state[name] = one.reshape([1] * like.ndim).expand(like.shape)
    return state


LAYOUTS = {
    "bare weights": lambda state: state,
    "inside the factory": lambda state: {f"seg_model.{name}": value for name, value in state.items()},
    "inside the module": lambda state: {f"model.{name}": value for name, value in state.items()},
    "inside both, as a Lightning checkpoint": lambda state: {
        "epoch": 76,
        "global_step": 1234,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": {
            "criterion.weight": torch.ones(19),
            **{f"model.seg_model.{name}": value for name, value in state.items()},
        },
    },
}
"""Every layout that FLAIR-1's code writes or reads, and the files on the hub have."""


def with_metadata(state):
    """The variant that was trained with metadata: its first names are not the network's."""
    widths = (45, 64, 32, 16)
    encoder = {}
    for layer, (num_in, num_out) in enumerate(pairwise(widths)):
        encoder[f"model.enc.enc_mlp.{2 * layer}.weight"] = torch.ones(num_out, num_in)
        encoder[f"model.enc.enc_mlp.{2 * layer}.bias"] = torch.ones(num_out)
    return {"state_dict": encoder | {f"model.seg_model.{name}": value for name, value in state.items()}}
