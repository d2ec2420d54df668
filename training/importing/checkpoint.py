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
        told = str(error)
        if "GLOBAL" in told or "Unsupported operand" in told or "Unsupported class" in told:
            raise CheckpointUnsafe(
                f"{path} names more than tensors; it was not unpickled: {_named_in(told)}",
                remedy="Ask its author for safetensors, or for a state dict saved alone.",
            ) from error
        raise CheckpointUnreadable(
            f"{path} is no checkpoint: {told.splitlines()[-1]}", remedy=_REMEDY
        ) from error
    except (RuntimeError, EOFError, KeyError, IndexError, ValueError, OSError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointUnreadable(f"{path} is no whole checkpoint: {first}", remedy=_REMEDY) from error


def _named_in(told: str) -> str:
    """The line of torch's refusal that names what the pickle asked for."""
    telling = [line.strip() for line in told.splitlines() if "GLOBAL" in line or "Unsupported" in line]
    return telling[-1] if telling else told.splitlines()[-1]
