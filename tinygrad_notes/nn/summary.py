"""A table of what a model is made of: layers, output shapes, parameters."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, as_tensor, no_grad
from ..ops import zeros

if TYPE_CHECKING:
    from .module import Module


class Summary:
    """The rows of a summary and its totals; prints as a table.

    Fields:
        rows: (path, class name, output shape or None, own parameters) per module, outer before inner.
        parameters, trainable: numbers in all parameters, shared ones once.
        bytes: memory of parameters and buffers.
    """

    def __init__(self, rows: list, parameters: int, trainable: int, bytes: int) -> None:
        self.rows, self.parameters, self.trainable, self.bytes = rows, parameters, trainable, bytes

    def __repr__(self) -> str:
        cells = [("Layer", "Output shape", "Parameters")]
        for path, kind, shape, own in self.rows:
            depth = path.count(".") + 1 if path else 0
            name = f"{'  ' * depth}{path.rpartition('.')[2]}: {kind}" if path else kind
            cells.append((name, "-" if shape is None else _shown(shape), f"{own:,}" if own else "-"))
        widths = [max(len(row[i]) for row in cells) for i in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in cells]
        rule = "-" * max(map(len, lines))
        frozen = self.parameters - self.trainable
        parts = f" ({self.trainable:,} trainable, {frozen:,} frozen)" if frozen else ""
        totals = [f"Parameters: {self.parameters:,}{parts}", f"Memory of parameters and buffers: {_size(self.bytes)}"]
        return "\n".join([lines[0], rule, *lines[1:], rule, *totals])


def _shown(shape):
    return str(shape) if not shape or isinstance(shape[0], int) else ", ".join(map(str, shape))


def _size(n):
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if n < 1024 or unit == "GiB":
            return f"{n:,} {unit}" if unit == "bytes" else f"{n:,.1f} {unit}"
        n /= 1024
    return ""


def _shape_of(output):
    if isinstance(output, Tensor):
        return output.shape
    if isinstance(output, (tuple, list)):
        shapes = tuple(part.shape for part in output if isinstance(part, Tensor))
        return shapes or None
    return None


def summary(model: Module, *inputs: Any, **options: Any) -> Summary:
    """Run a model once, in evaluation mode and without recording, and list its layers.

    Args:
        model: a Module; its modes are as before afterwards.
        *inputs: what it is called with: Tensors, arrays, or shapes (tuples of ints) for which zeros are made. Without
            any, it is not run and the table has no output shapes.
        **options: keyword arguments of its forward.

    Returns:
        A `Summary`, which prints as a table; `rows`, `parameters`, `trainable` and `bytes` hold the same.

    Raises:
        Exception: whatever the model raises for these inputs.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.summary(tn.nn.MLP([2, 8, 1]), (16, 2))
        Layer        Output shape  Parameters
        -------------------------------------
        MLP          (16, 1)                -
          0: Linear  (16, 8)               24
          1: ReLU    (16, 8)                -
          2: Linear  (16, 1)                9
        -------------------------------------
        Parameters: 33
        Memory of parameters and buffers: 132 bytes
    """
    shapes: dict = {}
    if inputs or options:
        like = next(iter(model.parameters()), None)
        given = [_zeros(x, like) if isinstance(x, tuple) and all(isinstance(n, int) for n in x) else x for x in inputs]
        given = [x if isinstance(x, (Tensor, list, dict)) else as_tensor(x) for x in given]

        def see(module, _, output):
            shapes.setdefault(module, _shape_of(output))
        handles = [module.register_forward_hook(see) for module in model.modules()]
        try:
            with model.evaluating(), no_grad():
                model(*given, **options)
        finally:
            for handle in handles:
                handle.remove()
    rows = [(path, type(module).__name__, shapes.get(module), sum(p.size for p in module.parameters(recurse=False)))
            for path, module in model.named_modules()]
    memory = sum(t.nbytes for t in [*model.parameters(), *model.buffers()])
    return Summary(rows, model.count_params(), model.count_params(trainable=True), memory)


def _zeros(shape, like):
    return zeros(shape) if like is None else zeros(shape, dtype=like.dtype, device=like.device)
