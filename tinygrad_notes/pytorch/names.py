"""PyTorch's names for functions that are here under another name, for dtypes and devices, and small answers."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor, no_grad
from ..backend import as_device, devices, to_dtype
from ..backend.random import default_generator
from .meanings import MEANINGS
from .words import SPELLED

if TYPE_CHECKING:
    from ..backend import Device
    from ..typing import DTypeLike

__all__ = ["Size", "cuda", "device", "get_default_dtype", "get_rng_state", "inference_mode", "is_floating_point",
           "is_tensor", "numel", "promote_types", "set_rng_state", "tril_indices", "triu_indices"]

# Another name : the function. Those of `linalg` are at the top level in PyTorch too.
ALIASES = {
    "cat": "concat", "concatenate": "concat", "clamp": "clip", "mul": "multiply", "neg": "negative", "eq": "equal",
    "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "movedim": "moveaxis",
    "swapdims": "swapaxes", "trapz": "trapezoid",
    "row_stack": "vstack", "igamma": "gammainc", "igammac": "gammaincc", "broadcast_tensors": "broadcast_arrays",
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh",
}
LINALG = {"cholesky": "cholesky", "cholesky_inverse": "cholesky_inverse", "cholesky_solve": "cholesky_solve",
          "det": "det", "inverse": "inv", "logdet": "logdet", "matrix_exp": "matrix_exp",
          "matrix_power": "matrix_power", "pinverse": "pinv", "qr": "qr", "slogdet": "slogdet"}

Size = tuple
inference_mode = no_grad


def aliases() -> dict[str, Any]:
    """{name: function} of all other names."""
    found = {name: MEANINGS.get(target) or SPELLED.get(target) or getattr(ops, target)
             for name, target in ALIASES.items()}
    return found | {name: getattr(ops.linalg, target) for name, target in LINALG.items()}


def device(name: Device | str | None = None, index: int | None = None) -> Device:
    """The device of a name; as a context manager, the one on which new tensors are made.

    Args:
        name: 'cpu', 'cuda' or 'strict'; None is the present one.
        index: has to be 0 or None: one GPU is used.

    Returns:
        A `Device`.

    Raises:
        ValueError: the name is unknown, or another index is asked for.
        RuntimeError: the device is not present on this machine.

    Example:
        >>> import tinygrad_notes as tn
        >>> with tn.device("cpu"):
        ...     tn.zeros(2).device
        device('cpu')
    """
    if index not in (None, 0):
        raise ValueError(f"device: index: expected 0, got {index}; one GPU is used")
    return as_device(name)


def is_tensor(obj: Any) -> bool:
    """Whether an object is a Tensor.

    Args:
        obj: anything.

    Returns:
        True or False.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.is_tensor(tn.zeros(2)), tn.is_tensor([0.0])
        (True, False)
    """
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype of a tensor is floating.

    Args:
        input: tensor.

    Returns:
        True or False.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.is_floating_point(tn.zeros(2))
        True
    """
    return input.dtype.kind == "f"


def numel(input: Tensor) -> int:
    """The number of elements.

    Args:
        input: tensor.

    Returns:
        An int.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.numel(tn.zeros((2, 3)))
        6
    """
    return as_tensor(input).numel()


def promote_types(type1: DTypeLike, type2: DTypeLike) -> Any:
    """The dtype of what is computed of two dtypes.

    Args:
        type1, type2: dtypes.

    Returns:
        A dtype.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.promote_types(tn.float32, tn.int64)
        dtype('float32')
    """
    return ops.result_type(ops.zeros(1, dtype=type1), ops.zeros(1, dtype=type2))


def get_default_dtype() -> Any:
    """The dtype of Python's floats: float32, which cannot be changed.

    Returns:
        A dtype.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.get_default_dtype()
        dtype('float32')
    """
    return to_dtype("float32")


def get_rng_state() -> Any:
    """Where the default generator stands.

    Returns:
        A uint64 array of 16 numbers.

    Example:
        >>> import tinygrad_notes as tn
        >>> before = tn.get_rng_state()
        >>> x = tn.rand(3)
        >>> tn.set_rng_state(before)
        >>> bool((tn.rand(3) == x).all())
        True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Move the default generator to where it stood.

    Args:
        new_state: what `get_rng_state` returned.

    Raises:
        ValueError: it is something else.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.set_rng_state(tn.get_rng_state())
    """
    default_generator.set_state(new_state)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike = "int64", device: Any = None) -> Tensor:
    """Where the lower triangle of a matrix is.

    Formula: all (i, j) with j <= i + offset, row by row.

    Args:
        row, col: the size of the matrix.
        offset: the last diagonal that belongs to it.
        dtype, device: of the result.

    Returns:
        (2, number of elements): rows and columns.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.tril_indices(2, 2)
        tensor([[0, 1, 1],
                [0, 0, 1]])
    """
    full = ops.ones((row, col), device=device)
    return ops.astype(ops.stack(ops.nonzero(ops.tril(full, k=offset)), axis=0), dtype)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike = "int64", device: Any = None) -> Tensor:
    """Where the upper triangle of a matrix is.

    Formula: all (i, j) with j >= i + offset, row by row.

    Args:
        row, col: the size of the matrix.
        offset: the first diagonal that belongs to it.
        dtype, device: of the result.

    Returns:
        (2, number of elements): rows and columns.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.triu_indices(2, 2)
        tensor([[0, 0, 1],
                [0, 1, 1]])
    """
    full = ops.ones((row, col), device=device)
    return ops.astype(ops.stack(ops.nonzero(ops.triu(full, k=offset)), axis=0), dtype)


class cuda:
    """What programs ask about the GPU.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.device("cuda" if tn.cuda.is_available() else "cpu").name in ("cpu", "cuda")
        True
    """

    @staticmethod
    def is_available() -> bool:
        """Whether there is one that can be used."""
        return any(str(found) == "cuda" for found in devices())

    @staticmethod
    def device_count() -> int:
        """How many are used: one or none."""
        return int(cuda.is_available())

    @staticmethod
    def manual_seed(seed: int) -> None:
        """Nothing: random numbers come from one generator on every device, `tn.manual_seed`."""

    manual_seed_all = manual_seed

    @staticmethod
    def synchronize() -> None:
        """Wait for the GPU, where there is one."""
        if cuda.is_available():
            as_device("cuda").xp.cuda.Device().synchronize()
