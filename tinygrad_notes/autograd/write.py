"""Writing into a Tensor: allowed where no recorded operation still needs the old values.

The check costs nothing when operations run. A write looks at reference counts first: memory that only
this tensor holds is free. Else the live nodes are searched for it, once for all writes between two
recorded operations.
"""
import gc
from sys import getrefcount

import numpy as np

from ..backend import device_of
from .mode import mode
from .node import Node, tick
from .tensor import Tensor


def memory(array):
    """The NumPy or CuPy array that a device array stands for."""
    return getattr(array, "_host", array)


def base_of(array):
    """The array that owns the memory of `array`."""
    array = memory(array)
    while getattr(array, "base", None) is not None and device_of(array.base) is not None:
        array = array.base
    return array


def saved_arrays(node):
    """The arrays that a node keeps for its backward pass."""
    for kept in node.saved or ():
        for part in kept if isinstance(kept, tuple) else (kept,):
            if device_of(part) is not None:
                yield part


def live_nodes():
    """Every node that some tensor, node or pass still refers to and that backward has not freed."""
    return [found for found in gc.get_objects() if issubclass(type(found), Node) and getattr(found, "saved", None)]


class _Extent:
    """Where a GPU's array lies, in NumPy's words: nothing reads that memory."""

    def __init__(self, array):
        self.__array_interface__ = {"data": (array.data.ptr, True), "shape": array.shape, "strides": array.strides,
                                    "typestr": f"|V{array.dtype.itemsize}", "version": 3}


def overlap(a, b):
    """Whether two arrays of one base share an element (True where finding out would take long).

    It is a matter of addresses, so NumPy answers it for every device, and no kernel runs.
    """
    a, b = memory(a), memory(b)
    if not isinstance(a, np.ndarray):
        a, b = np.asarray(_Extent(a)), np.asarray(_Extent(b))
    try:
        return np.shares_memory(a, b, max_work=10_000)
    except np.exceptions.TooHardError:
        return True


class _Search:
    """Which memory the graphs hold, remembered until the next operation is recorded."""

    def __init__(self):
        self.at, self.held = None, frozenset()

    def holders(self, array):
        """The live nodes that saved memory of `array`."""
        now, root = tick(), base_of(array)
        known = self.at is not None and now == self.at - 1  # numbers count down: nothing was recorded in between
        self.at = now
        if known and id(root) not in self.held:
            return []
        found = [(node, part) for node in live_nodes() for part in saved_arrays(node)]
        self.held = frozenset(id(base_of(part)) for _, part in found)
        return [node for node, part in found if base_of(part) is root and overlap(part, array)]


_search = _Search()


def _references(tensor):
    return getrefcount(tensor.data), getrefcount(memory(tensor.data)), getrefcount(base_of(tensor.data))


_ALONE = _references(Tensor.wrap(np.empty(1)))
_ALONE_VIEW = _references(Tensor.wrap(np.empty((1, 2)).T))  # the view has no other holder, nor has its base


def is_shared(tensor):
    """Whether anything but this Tensor may hold its memory. Cheap; errs towards True."""
    found = _references(tensor)
    return found != _ALONE and not (found == _ALONE_VIEW and base_of(tensor.data) is not memory(tensor.data))


def check_leaf(tensor, what):
    """Raise if `tensor` is a leaf whose gradient is wanted, while gradients are recorded.

    Raises:
        RuntimeError: it is.
    """
    if mode.grad and tensor.requires_grad and tensor.node is None:
        raise RuntimeError(f"{what}: this tensor, shape {tensor.shape}, is a leaf that requires a gradient, and a "
                           "write would hide from the graph. Compute a new tensor with tn.where(mask, value, x), "
                           "tn.index_put(x, key, value) or tn.index_add(x, axis, index, source), which have gradients, "
                           "or write inside tn.no_grad()")


def check_writable(tensor, what, part=None):
    """Raise, before anything has changed, if writing into `tensor` would break a gradient.

    Args:
        tensor: the Tensor to be written.
        what: the operation as the user wrote it, for the message.
        part: a function that gives the raw view that is written, if it is not the whole.

    Raises:
        RuntimeError: the tensor is tracked and gradients are recorded, or a pending backward pass needs its values.
        ValueError: its memory is read-only, or one element stands for several.
    """
    check_leaf(tensor, what)
    if mode.grad and tensor.requires_grad:
        raise RuntimeError(f"{what}: this tensor, shape {tensor.shape}, is the result of {tensor.node.name}; values in "
                           "a graph are immutable; write inside tn.no_grad()")
    check_memory(tensor, what)
    if is_shared(tensor):
        pending = _search.holders(tensor.data if part is None else part())
        if pending:
            node = max(pending, key=lambda n: n.order)
            site = (node.extra or {}).get("site")
            where = f" recorded at {site}" if site else ""
            raise RuntimeError(f"{what}: a pending backward pass still needs the present values of this tensor, shape "
                               f"{tensor.shape}: {node.name}{where} saved them. Call backward() first, drop the result "
                               "computed from it (del), or compute that under tn.no_grad()")


def check_memory(tensor, what):
    """Raise if the memory of `tensor` cannot be written element by element.

    Raises:
        ValueError: it is read-only, or one element stands for several.
    """
    array = memory(tensor.data)
    if 0 in array.strides and array.size and any(step == 0 and n > 1 for step, n in zip(array.strides, array.shape)):
        raise ValueError(f"{what}: this tensor, shape {tensor.shape}, is broadcast: one element in memory stands for "
                         "several; write into a copy, x.clone()")
    if not getattr(array.flags, "writeable", True):
        raise ValueError(f"{what}: the memory of this tensor, shape {tensor.shape}, is read-only; write into a copy, "
                         "x.clone()")


def become(tensor, result, what):
    """Let `tensor` take the value of `result` and its place in the graph; the old value stays for backward.

    Raises:
        ValueError: `result` has another shape.
        TypeError: its dtype cannot be cast to that of `tensor`.
    """
    if result.shape != tensor.shape:
        raise ValueError(f"{what}: the result has shape {result.shape}, this tensor has shape {tensor.shape}")
    if result.dtype != tensor.dtype:
        if not np.can_cast(result.dtype, tensor.dtype, "same_kind"):
            raise TypeError(f"{what}: the result is {result.dtype} and cannot be written into a {tensor.dtype} tensor")
        result = result.astype(tensor.dtype)
    tensor.data, tensor.node, tensor.requires_grad = result.data, result.node, result.requires_grad
    return tensor
