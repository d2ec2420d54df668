"""Tensors by name out of a file, without running anything that the file brings along."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from training.importing.errors import CheckpointUnreadable, CheckpointUnsafe

_REMEDY = "Download it again, and compare its size with that on the hub."


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The state of a network, from safetensors or from a pickle of tensors alone.

    A Lightning checkpoint's ``state_dict`` is taken out of it.

    Raises:
        CheckpointUnsafe: The pickle names more than tensors.
        CheckpointUnreadable: The file is truncated, or holds something else.
    """
    content: object = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise CheckpointUnreadable(
            f"{path} holds {type(content).__name__}, not tensors by name", remedy="Give a state dict."
        )
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or value.layout != torch.strided:
            raise CheckpointUnreadable(
                f"{path}: {name!r} is {type(value).__name__}, not a dense tensor", remedy="Give a state dict."
            )
    return dict(content)


def _read_safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointUnreadable(f"{path} is no whole safetensors file: {error}", remedy=_REMEDY) from error


def _read_pickle(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of archives of another kind, which are refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        told = _told(error)
        if "GLOBAL" in told:
            raise CheckpointUnsafe(
                f"{path} names more than tensors; it was not unpickled: {told}",
                remedy="Ask its author for safetensors, or for a state dict saved alone.",
            ) from error
        raise CheckpointUnreadable(f"{path} is no checkpoint: {told}", remedy=_REMEDY) from error
    except (RuntimeError, EOFError, KeyError, IndexError, ValueError, OSError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointUnreadable(f"{path} is no whole checkpoint: {first}", remedy=_REMEDY) from error


def _told(error: pickle.UnpicklingError) -> str:
    """The line of torch's long refusal that tells what it found."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "GLOBAL" in line or line.startswith("Unsupported")]
    return telling[-1] if telling else lines[0]
