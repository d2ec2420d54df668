"""From a checkpoint's tensors to the U-Net's own: prefixes taken off, everything else named or refused.

FLAIR-1 has saved the same network bare, inside a factory (``seg_model.``), inside a Lightning module
(``model.``) and inside both, with the loss beside it and, in one variant, an encoder of metadata.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.importing.errors import OtherArchitecture, OtherOutputs
from training.importing.published import NUM_CHANNELS, Published
from training.networks.unet_resnet34 import UNetResNet34

PREFIXES = ("", "seg_model.", "model.", "model.seg_model.")

_FIRST = "encoder.conv1.weight"
_HEAD = "segmentation_head.0.weight"
_METADATA = "enc.enc_mlp."
_LOSS = "criterion."
_SHOWN = 4
"""Names listed in a message."""

_TELLTALES = (
    ("encoders.", "a multimodal FLAIR-HUB network"),
    ("patch_embed", "a transformer"),
    ("decoder.psp.", "a UPerNet"),
    ("decoder.p5.", "an FPN"),
    ("decoder.seg_blocks.", "an FPN"),
    ("decoder.aspp.", "a DeepLabV3+"),
    ("decoder.0.convs.", "a DeepLabV3"),
    ("decoder.center.", "a U-Net with a centre block"),
    ("attention", "a U-Net with attention"),
    ("temporal_encoder.", "a network of time series"),
)
"""Part of a tensor's name, and what has it."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The tensors of a U-Net ResNet-34, by its own names."""

    state: dict[str, Tensor]
    """fp32, but for the counters of the normalisations."""
    left_out: tuple[str, ...]
    """Tensors of the checkpoint that belong to its training: the loss, the encoder of metadata."""


def take_weights(tensors: Mapping[str, Tensor], published: Published, *, without_metadata: bool) -> Weights:
    """The network's tensors, all of them, of the shapes that the published model has.

    Args:
        tensors: Of the checkpoint.
        published: What it is said to be.
        without_metadata: Whether a network that was trained with metadata may be run without.

    Raises:
        OtherArchitecture: Tensors are missing, unknown or of another shape.
        OtherOutputs: Other bands or another number of classes.
    """
    prefix = _find_prefix(tensors)
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    beside = [name for name in tensors if _LOSS in name or _METADATA in name]
    if any(_METADATA in name for name in beside) and not without_metadata:
        raise OtherArchitecture(
            "the network was trained with metadata (place, date, camera), which maps do not have",
            remedy="Add --without-metadata to run it as if that encoder gave zero; expect other figures.",
        )
    unknown = [name for name in tensors if name not in beside and not name.startswith(prefix)]
    _check_outputs(own, published)
    with torch.device("meta"):
        shapes = UNetResNet34(num_bands=len(published.bands), num_channels=NUM_CHANNELS).state_dict()
    unknown += [name for name in own if name not in shapes and prefix + name not in beside]
    _check_names([name for name in shapes if name not in own], unknown, tensors)
    return Weights(
        state={name: _checked(name, own[name], like=shape) for name, shape in shapes.items()},
        left_out=tuple(beside),
    )


def _find_prefix(tensors: Mapping[str, Tensor]) -> str:
    """What stands before the network's own names; looked for in all names, whatever comes first."""
    found = {name.removesuffix(_FIRST) for name in tensors if name.endswith(_FIRST)}
    known = found & set(PREFIXES)
    if len(found) == 1 and known:
        return known.pop()
    raise OtherArchitecture(
        f"this is {_recognise(tensors)}, not a U-Net over a ResNet-34: "
        + (f"{_FIRST} stands under {', '.join(sorted(found))}" if found else f"there is no {_FIRST}"),
        remedy="Only U-Nets over a ResNet-34 can be imported.",
    )


def _check_outputs(own: Mapping[str, Tensor], published: Published) -> None:
    num_bands = own[_FIRST].shape[1] if own[_FIRST].ndim == 4 else None
    if num_bands != len(published.bands):
        raise OtherOutputs(
            f"the network reads {num_bands} bands, {published.name} reads {len(published.bands)}: "
            f"{', '.join(published.bands)}",
            remedy="Name the model that it is with --like.",
        )
    if _HEAD in own and own[_HEAD].shape[0] != NUM_CHANNELS:
        raise OtherOutputs(
            f"the head has {own[_HEAD].shape[0]} channels; those of FLAIR have {NUM_CHANNELS}, a code each",
            remedy="Heads of another nomenclature cannot be imported: nothing says what their channels mean.",
        )


def _check_names(missing: Sequence[str], unknown: Sequence[str], tensors: Mapping[str, Tensor]) -> None:
    if missing or unknown:
        facts = [f"{len(missing)} tensors are missing ({_some(missing)})"] if missing else []
        facts += [f"{len(unknown)} are unknown ({_some(unknown)})"] if unknown else []
        raise OtherArchitecture(
            f"this is {_recognise(tensors)}, not a U-Net over a ResNet-34: {', '.join(facts)}",
            remedy="Only U-Nets over a ResNet-34 can be imported, whole.",
        )


def _checked(name: str, tensor: Tensor, *, like: Tensor) -> Tensor:
    if tensor.shape != like.shape or tensor.is_floating_point() != like.is_floating_point():
        raise OtherArchitecture(
            f"{name} is {tensor.dtype} {tuple(tensor.shape)}, expected {like.dtype} {tuple(like.shape)}"
        )
    tensor = tensor.to(like.dtype)
    if not tensor.isfinite().all() or (name.endswith("running_var") and (tensor < 0).any()):
        raise OtherArchitecture(
            f"{name} holds values that no training leaves: not finite, or negative variances",
            remedy="Download the checkpoint again.",
        )
    return tensor.contiguous()


def _recognise(tensors: Mapping[str, Tensor]) -> str:
    for part, what in _TELLTALES:
        if any(part in name for name in tensors):
            return what
    return "another network, or a part of one"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
