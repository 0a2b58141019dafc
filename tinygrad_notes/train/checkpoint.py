"""Nested state in one safetensors file: tensors as tensors, everything else as JSON in the header. Never pickle."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..backend import device_of
from .files import replacing

if TYPE_CHECKING:
    from os import PathLike

    from ..typing import DeviceLike

KEY = "tinygrad_notes"  # the one metadata entry; several would be written in random order
TENSOR, TUPLE, DICT = "$tensor", "$tuple", "$dict"
PLAIN = (bool, int, float, str, type(None))


class CheckpointError(ValueError):
    """A file is no checkpoint, is damaged, or holds something else than was asked for."""


def save(state: Any, path: str | PathLike[str]) -> None:
    """Write nested dicts, lists and tuples of Tensors, numbers, strings, bools and None to one file.

    The file is a safetensors file that other programs can read; equal states give equal bytes. It is written to a
    temporary name and renamed, so that `path` holds either the old state or the new one, whole.

    Args:
        state: what to save; a tensor's name in the file is its path, such as `model.encoder.0.weight`.
        path: the file.

    Raises:
        TypeError: something in `state` cannot be saved; the message says where.
        OSError: the file cannot be written.

    Example:
        >>> import tinygrad_notes as tn, tempfile, os
        >>> path = os.path.join(tempfile.mkdtemp(), "state.safetensors")
        >>> tn.save({"weight": tn.tensor([1.0, 2.0]), "epoch": 3}, path)
        >>> tn.load(path)
        {'weight': tensor([1., 2.]), 'epoch': 3}
    """
    from safetensors.numpy import save_file

    tensors: dict = {}
    skeleton = _encode(state, "", tensors)
    text = json.dumps(skeleton, separators=(",", ":"))
    with replacing(path) as temporary:
        save_file(tensors, os.fspath(temporary), metadata={KEY: text})


def load(path: str | PathLike[str], device: DeviceLike | None = None) -> Any:
    """Read what `save` wrote; of any other safetensors file, a dict of its tensors.

    Args:
        path: the file.
        device: where the tensors live.

    Returns:
        The state, with Tensors for all arrays.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is truncated, damaged, or no safetensors file.

    Example:
        >>> import tinygrad_notes as tn, tempfile, os
        >>> path = os.path.join(tempfile.mkdtemp(), "state.safetensors")
        >>> tn.save((1, [None, 2.5]), path)
        >>> tn.load(path)
        (1, [None, 2.5])
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder, a checkpoint is a file")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    metadata, arrays = _read(path)
    tensors = {name: Tensor(array, device=device or "cpu") for name, array in arrays.items()}
    if KEY not in metadata:
        return tensors
    try:
        return _decode(json.loads(metadata[KEY]), tensors)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path}: its header is damaged ({type(error).__name__}: {error})") from error


def _read(path):
    """The metadata and the arrays of a safetensors file, on the host."""
    from safetensors import SafetensorError, safe_open

    arrays = {}
    try:
        with safe_open(os.fspath(path), framework="np") as file:
            metadata = file.metadata() or {}
            for name in file.keys():  # noqa: SIM118 - the file is no dict
                kind = file.get_slice(name).get_dtype()
                try:
                    arrays[name] = array = file.get_tensor(name)
                    if array.dtype.kind not in "biufc":  # a type that another package has added
                        raise TypeError(array.dtype)
                except (TypeError, AttributeError, KeyError, ValueError) as error:
                    raise CheckpointError(f"{path}: tensor {name!r} has dtype {kind}, which NumPy has not") from error
    except SafetensorError as error:
        raise CheckpointError(f"{path}: not a whole safetensors file ({error})") from error
    return metadata, arrays


def _encode(value, where, tensors):
    """`value` as JSON, its tensors put aside under their names."""
    if isinstance(value, Tensor) or device_of(value) is not None:
        name = where or "tensor"
        while name in tensors or name == "__metadata__":
            name += "'"
        array = value.data if isinstance(value, Tensor) else value
        tensors[name] = device_of(array).to_numpy(array)
        return {TENSOR: name}
    if isinstance(value, dict):
        inner = {key: _encode(part, f"{where}.{key}" if where else str(key), tensors) for key, part in value.items()}
        if all(isinstance(key, str) and not key.startswith("$") for key in inner):
            return inner
        for key in inner:
            if not isinstance(key, PLAIN):
                raise TypeError(f"save: {where or 'state'}: a key is a {type(key).__name__}; expected str, int or bool")
        return {DICT: [[key, part] for key, part in inner.items()]}
    if isinstance(value, (list, tuple)):
        parts = [_encode(part, f"{where}.{k}" if where else str(k), tensors) for k, part in enumerate(value)]
        return parts if isinstance(value, list) else {TUPLE: parts}
    if isinstance(value, PLAIN):
        return value
    raise TypeError(f"save: {where or 'state'} is a {type(value).__name__}; expected Tensors, numbers, strings, bools, "
                    "None, and dicts, lists or tuples of them")


def _decode(value, tensors):
    if isinstance(value, list):
        return [_decode(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (key, inner), = value.items()
        if key == TENSOR:
            return tensors[inner]
        if key == TUPLE:
            return tuple(_decode(part, tensors) for part in inner)
        if key == DICT:
            return {name: _decode(part, tensors) for name, part in inner}
    return {key: _decode(part, tensors) for key, part in value.items()}
