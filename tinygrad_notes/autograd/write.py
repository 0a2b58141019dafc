"""Writing into a Tensor: allowed where no recorded operation still needs the old values.

The check costs nothing when operations run. Only when somebody else holds the array (its reference
count says so) are the live nodes searched for it.
"""
import gc
from sys import getrefcount

from ..backend import device_of
from .mode import mode
from .node import Node


def base_of(array):
    """The array that owns the memory of `array`."""
    while getattr(array, "base", None) is not None and device_of(array.base) is not None:
        array = array.base
    return array


def holders(array):
    """The live nodes that saved `array`, or a view of the same memory, for their backward pass."""
    root = base_of(array)
    found = []
    for node in gc.get_objects():
        if isinstance(node, Node) and getattr(node, "saved", None):
            for kept in node.saved:
                for part in kept if isinstance(kept, tuple) else (kept,):
                    if device_of(part) is not None and base_of(part) is root:
                        found.append(node)
    return found


def is_shared(array):
    """Whether anything but one Tensor may hold this memory. Cheap; errs towards True."""
    return getattr(array, "base", None) is not None or getrefcount(array) > 4


def check_writable(tensor, what):
    """Raise, before anything has changed, if writing into `tensor` would break a gradient.

    Raises:
        RuntimeError: the tensor is tracked, or a pending backward pass still needs its values.
    """
    if mode.grad and tensor.requires_grad:
        kind = "a leaf that requires a gradient" if tensor.node is None else f"the result of {tensor.node.name}"
        raise RuntimeError(f"{what}: this tensor, shape {tensor.shape}, is {kind}, and values inside a graph are "
                           "immutable. Write tn.where(mask, value, x), tn.index_put(x, key, value) or "
                           "tn.index_add(...), which have gradients, or write inside tn.no_grad()")
    if is_shared(tensor.data):
        pending = holders(tensor.data)
        if pending:
            node = min(pending, key=lambda n: n.order)
            site = (node.extra or {}).get("site")
            where = f" recorded at {site}" if site else ""
            raise RuntimeError(f"{what}: a pending backward pass still needs the present values of this tensor, shape "
                               f"{tensor.shape}: {node.name}{where} saved them. Call backward() first, drop the result "
                               "computed from it (del), or compute that under tn.no_grad()")
