"""What a recorded computation keeps alive for its backward pass."""
from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..backend import device_of
from .tensor import Tensor
from .write import base_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class Saved(NamedTuple):
    """One array that an operation keeps.

    Fields:
        operation: the name of the operation.
        role: which of its inputs the array is, or 'out'.
        shape, dtype: of the array.
        kept: 'copy' if the graph alone pays for this memory, 'alias' if it is that of a leaf, or of an array
            named in an earlier row, or part of such a one.
        nbytes: the memory that this row adds; 0 for an alias.
    """

    operation: str
    role: str
    shape: tuple
    dtype: str
    kept: str
    nbytes: int


class SavedReport:
    """The rows of `saved_tensors_report`, latest operation first, and the `total` of their bytes."""

    def __init__(self, rows):
        self.rows = rows
        self.total = sum(row.nbytes for row in rows)

    def __repr__(self):
        lines = [f"{'operation':<18} {'keeps':<8} {'shape':<20} {'dtype':<8} {'kept':<6} {'bytes':>12}"]
        lines += [f"{r.operation:<18} {r.role:<8} {r.shape!s:<20} {r.dtype:<8} {r.kept:<6} {r.nbytes:>12,}"
                  for r in self.rows]
        return "\n".join([*lines, f"{'total':<64} {self.total:>12,}"])


def saved_tensors_report(output: Tensor | Sequence[Tensor]) -> SavedReport:
    """Which arrays the graph of `output` keeps for its backward pass, and how many bytes they are.

    Args:
        output: a Tensor, or a sequence of them.

    Returns:
        A report with `rows` (one per kept array) and `total` (bytes that freeing the graph would free).

    Raises:
        TypeError: `output` is no Tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
        >>> tn.autograd.saved_tensors_report(tn.sin(tn.exp(x)))
        operation          keeps    shape                dtype    kept          bytes
        sin                x        (2,)                 float32  copy              8
        exp                out      (2,)                 float32  alias             0
        total                                                                       8
    """
    outputs = [output] if isinstance(output, Tensor) else list(output)
    for k, tensor in enumerate(outputs):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"output[{k}]: expected a Tensor, got {type(tensor).__name__}")
    nodes, leaves = _graph(outputs)
    known = {id(base_of(leaf.data)) for leaf in leaves}
    rows = []
    for node in nodes:
        for role, array in _arrays(node):
            root = base_of(array)
            alias = id(root) in known
            known.add(id(root))
            rows.append(Saved(node.name, role, tuple(array.shape), str(array.dtype), "alias" if alias else "copy",
                              0 if alias else root.nbytes))
    return SavedReport(rows)


def _graph(outputs):
    """All nodes, latest first, and all leaves behind some tensors."""
    seen, leaves, stack = {}, {}, [t.node or t for t in outputs]
    while stack:
        end = stack.pop()
        if isinstance(end, Tensor):
            leaves[id(end)] = end
        elif id(end) not in seen:
            seen[id(end)] = end
            stack.extend(end.parents)
    return sorted(seen.values(), key=lambda node: node.order), list(leaves.values())


def _arrays(node):
    """(role, array) for everything a node keeps."""
    op, last = node.plan.primitive, len(node.saved or ()) - 1
    for position, kept in enumerate(node.saved or ()):
        role = "out" if position == last else f"#{position}" if op.variadic else op.inputs[position]
        for array in kept if isinstance(kept, tuple) else (kept,):
            if device_of(array) is not None:
                yield role, array
