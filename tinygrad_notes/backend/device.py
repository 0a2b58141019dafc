"""Devices: where arrays live and which functions compute on them.

`cpu` is NumPy, `cuda` is CuPy, `strict` is NumPy behind a wall that refuses what a GPU refuses,
so that code tested on `strict` is ready for a GPU. `TINYGRAD_NOTES_DEVICE` names the first default.
"""
from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from .namespace import Namespace

if TYPE_CHECKING:
    from typing import Self

_LIBRARIES = ("numpy", "scipy.special")


class Device:
    """One place where arrays live: its name, array type, functions, and the way to and from NumPy.

    As a context manager it is the default for new tensors: `with tn.device("strict"): ...`

    Args:
        name: 'cpu', 'strict' or 'cuda'.
        array_type: the class of its arrays.
        xp: its array functions.
        from_numpy, to_numpy: the way from and to NumPy arrays.

    Example:
        >>> import tinygrad_notes as tn
        >>> with tn.as_device("strict"):
        ...     tn.zeros(2).device
        device('strict')
    """

    __slots__ = ("name", "array_type", "xp", "from_numpy", "to_numpy", "base", "run")

    def __init__(self, name, array_type, xp, from_numpy, to_numpy):
        self.name = name
        self.array_type = array_type
        self.xp = xp
        self.from_numpy = from_numpy
        self.to_numpy = to_numpy
        self.base = None  # a device on which computations are recorded: the one they run on
        self.run = None   # and what evaluates an operation there: run(op, arrays, attrs)

    def __repr__(self) -> str:
        return f"device({self.name!r})"

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, str) and other == self.name)

    def __hash__(self) -> int:
        return hash(self.name)

    def __enter__(self) -> Self:
        _state.stack.append(self)
        return self

    def __exit__(self, *exc: Any) -> None:
        _state.stack.pop()


class _State(threading.local):
    def __init__(self):
        self.stack = []


_state = _State()
cpu = Device("cpu", np.ndarray, Namespace(*_LIBRARIES), np.asarray, np.asarray)
_known = {"cpu": cpu}
_by_array_type = {np.ndarray: cpu}
NAMES = ("cpu", "strict", "cuda")


def _open_strict():
    from . import strict

    return Device("strict", strict.StrictArray, strict.StrictNamespace(cpu.xp), strict.wrap, strict.unwrap)


def _open_cuda():
    try:
        from . import cuda

        return cuda.open_device()
    except ImportError as error:
        raise RuntimeError("device 'cuda' needs CuPy: pip install 'tinygrad-notes[gpu]'") from error


def as_device(device: Device | str | None = None) -> Device:
    """The `Device` meant by `device`: a Device, one of 'cpu' 'strict' 'cuda', or None for the default.

    Raises:
        ValueError: the name is unknown.
        RuntimeError: the device is known but not present on this machine.

    Args:
        device: see above.

    Returns:
        The one `Device` of that name.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.as_device("cpu")
        device('cpu')
    """
    if device is None:
        return current_device()
    if isinstance(device, Device):
        return device
    name = "cuda" if device == "cuda:0" else device
    if name not in NAMES:
        raise ValueError(f"device: {device!r} is unknown; known devices are {', '.join(NAMES)}")
    if name not in _known:
        opened = _open_strict() if name == "strict" else _open_cuda()
        _known[name] = opened
        _by_array_type[opened.array_type] = opened
    return _known[name]


def current_device() -> Device:
    """The device on which new tensors are made.

    Returns:
        A `Device`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros(2).device == tn.current_device()
        True
    """
    if not _state.stack:
        _state.stack.append(as_device(os.environ.get("TINYGRAD_NOTES_DEVICE", "cpu")))
    return _state.stack[-1]


def devices() -> list[Device]:
    """The devices of this machine.

    Returns:
        A list of `Device`.

    Example:
        >>> import tinygrad_notes as tn
        >>> [str(device) for device in tn.devices()][:2]
        ['cpu', 'strict']
    """
    found = [cpu, as_device("strict")]
    with contextlib.suppress(RuntimeError):
        found.append(as_device("cuda"))
    return found


def register(device):
    """Make `device` the home of arrays of its type."""
    _by_array_type[device.array_type] = device


def forget(name):
    """Let every device look the array function `name` up again."""
    for device in _known.values():
        vars(device.xp).pop(name, None)


def device_of(array: Any) -> Any:
    """The device a raw array lives on, or None for anything that is no device's array.

    Args:
        array: a raw array, such as `Tensor.data`.

    Returns:
        A `Device`, or None.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.device_of(tn.zeros(2, device="cpu").data)
        device('cpu')
        >>> tn.device_of("no array") is None
        True
    """
    found = _by_array_type.get(array.__class__)
    if found is None and isinstance(array, np.ndarray):
        return cpu
    return found


def writes_in_order(array):
    """Whether an array lives where writes come one after the other; a recorded one: will live, when that is run."""
    device = device_of(array)
    return (device.base or device) is cpu


def namespace_of(array: Any) -> Any:
    """The array functions (`xp`) for a raw array.

    Args:
        array: a raw array, such as `Tensor.data`.

    Returns:
        A namespace with NumPy's function names.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.namespace_of(tn.zeros(2, device="cpu").data).sqrt(9.0).item()
        3.0
    """
    return device_of(array).xp
