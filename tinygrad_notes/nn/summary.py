"""A table of what a model is made of: layers, output shapes, parameters, arithmetic, memory."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..autograd import Tensor, as_tensor, enable_grad, no_grad
from ..ops import zeros

if TYPE_CHECKING:
    from .module import Module

    Shapes = tuple[int, ...] | tuple[tuple[int, ...], ...] | None


class SummaryRow(NamedTuple):
    """What a summary says of one module.

    Fields:
        path, layer: where it is, and the name of its class.
        output_shape: of its last call; a tuple of shapes for several outputs; None if it was not called.
        parameters, trainable: numbers in its own parameters, not those of modules inside; and those of them that want a
            gradient. Below the depth that is shown, modules inside count.
        flops: arithmetic operations of all its calls, without those of modules inside; None if unknown.
        again: path of the row that has the same module, for one that is at several places; else None.
        tied: whether some of its parameters are those of an earlier row too.
    """

    path: str
    layer: str
    output_shape: Shapes
    parameters: int
    trainable: int
    flops: int | None
    again: str | None = None
    tied: bool = False


class Summary:
    """The rows of a summary and its totals; prints as a table.

    Fields:
        rows: a `SummaryRow` per module, outer before inner.
        parameters, trainable: numbers in all parameters, shared ones once.
        bytes: memory of parameters and buffers.
        flops: arithmetic operations of one call, as counted in `program.flops`; None if unknown.
        activations: bytes that one call with gradients keeps for its backward pass, besides parameters and inputs; None
            if unknown.
    """

    def __init__(self, rows: list[SummaryRow], parameters: int, trainable: int, bytes: int, flops: int | None = None,
                 activations: int | None = None) -> None:
        self.rows, self.parameters, self.trainable, self.bytes = rows, parameters, trainable, bytes
        self.flops, self.activations = flops, activations

    def __repr__(self) -> str:
        cells = [("Layer", "Output shape", "Parameters", "FLOPs"), *map(_cells, self.rows)]
        cells = [row[:4 if self.flops is not None else 3] for row in cells]
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        lines = ["  ".join(f"{cell:<{w}}" if i < 2 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(row, widths)))
                 .rstrip() for row in cells]
        rule = "-" * max(map(len, lines))
        frozen = self.parameters - self.trainable
        parts = f" ({self.trainable:,} trainable, {frozen:,} frozen)" if frozen else ""
        totals = [f"Parameters: {self.parameters:,}{parts}",
                  f"Memory of parameters and buffers: {bytes_text(self.bytes)}"]
        if self.flops is not None:
            totals.append(f"FLOPs of one call: {_count(self.flops)}")
        if self.activations is not None:
            totals.append(f"Memory kept for the backward pass: {bytes_text(self.activations)}")
        return "\n".join([lines[0], rule, *lines[1:], rule, *totals])


def _cells(row):
    depth = row.path.count(".") + 1 if row.path else 0
    name = f"{'  ' * depth}{row.path.rpartition('.')[2]}: {row.layer}" if row.path else row.layer
    if row.again is not None:
        return f"{name} (= {row.again or 'the whole'})", "", "", ""
    count = f"{row.parameters:,}" if row.parameters else "-"
    if row.parameters and row.trainable < row.parameters:
        count = f"{count} frozen" if not row.trainable else f"{count}, {row.trainable:,} trainable"
    return (name, "-" if row.output_shape is None else _shown(row.output_shape), f"{count} tied" if row.tied else count,
            _count(row.flops) if row.flops else "-")


def _shown(shape):
    return str(shape) if not shape or isinstance(shape[0], int) else ", ".join(map(str, shape))


def _count(n):
    for power, letter in ((12, "T"), (9, "G"), (6, "M")):
        if n >= 10**power:
            return f"{n / 10**power:,.2f} {letter}"
    return f"{n:,}"


def bytes_text(n):
    """A number of bytes as text."""
    if n < 1024:
        return f"{n:,} bytes"
    power = 3 if n >= 1024**3 else 2 if n >= 1024**2 else 1
    return f"{n / 1024**power:,.1f} {('KiB', 'MiB', 'GiB')[power - 1]}"


# Looking at a call --------------------------------------------------------------------------------
def _shape_of(output):
    if isinstance(output, Tensor):
        return output.shape
    if isinstance(output, (tuple, list)):
        shapes = tuple(part.shape for part in output if isinstance(part, Tensor))
        return shapes or None
    return None


class _Call:
    """One call of a model: output shapes by path, and where it can be recorded, its arithmetic and memory."""

    def __init__(self, model, inputs, options):
        self.model, self.inputs, self.options = model, inputs, options
        self.shapes, self.flops, self.activations = {}, None, None
        handles = [module.register_forward_hook(self._see(path)) for path, module in model.named_modules()]
        try:
            with model.evaluating():
                self.run()
        finally:
            for handle in handles:
                handle.remove()

    def _see(self, path):
        shapes = self.shapes  # by path: what a recording reaches through hooks must not name modules

        def see(module, _, output):
            shapes[path] = _shape_of(output)
        return see

    def run(self):
        from ..program.errors import CannotRecord
        from ..program.record import record
        model, options, kept = self.model, self.options, []

        def call(*inputs):
            with enable_grad():
                kept.append(_kept(model(*inputs, **options)))
        try:
            found = record(call, tuple(self.inputs), may_read=True, commit=False)
        except CannotRecord:
            with no_grad():
                model(*self.inputs, **options)
            return
        self.flops, self.activations = self._arithmetic(found.program), kept[-1]

    def _arithmetic(self, program):
        """{module: operations} of the forward scopes; one inside another counts as that, but for checkpoints."""
        from ..program.flops import flops_of_scope
        counts = dict.fromkeys(self.model.modules(), 0)
        for scope in program.scopes:
            around = scope.parent
            while around >= 0 and program.scopes[around].name == "checkpoint":
                around = program.scopes[around].parent
            if scope.phase == "forward" and around < 0:
                counts[self._module_at(scope.module)] += flops_of_scope(program, scope)
        return counts

    def _module_at(self, path):
        try:
            return self.model.get_submodule(path.partition(".")[2])
        except AttributeError:  # the computation is not inside one of the modules
            return self.model


def _kept(output):
    """The bytes of the arrays that the graph behind a result holds, parameters, buffers and inputs apart."""
    outputs = output if isinstance(output, (tuple, list)) else (output,)
    stack = [t.node for t in outputs if isinstance(t, Tensor) and t.node is not None]
    seen, arrays = set(stack), {}
    while stack:
        node = stack.pop()
        for saved in node.saved or ():
            for array in saved if isinstance(saved, tuple) else (saved,):
                value = getattr(array, "value", None)
                while value is not None and value.alias is not None:
                    value = value.alias
                if value is not None and value.role == "computed":
                    arrays[value] = value.nbytes
        for parent in node.parents:
            if hasattr(parent, "parents") and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sum(arrays.values())


def summary(model: Module, *inputs: Any, depth: int | None = None, **options: Any) -> Summary:
    """Run a model once, in evaluation mode, and list its layers.

    Args:
        model: a Module; its modes, buffers and the random streams are as before afterwards.
        *inputs: what it is called with: Tensors, arrays, or shapes (tuples of ints) for which zeros are made. Without
            any, it is not run and the table has no output shapes.
        depth: how many levels of modules are listed, 0 for the model alone; None for all.
        **options: keyword arguments of its forward.

    Returns:
        A `Summary`, which prints as a table; its fields hold the same.

    Raises:
        Exception: whatever the model raises for these inputs.
        ValueError: `depth` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.summary(tn.nn.MLP([2, 8, 1]), (16, 2))
        Layer        Output shape  Parameters  FLOPs
        --------------------------------------------
        MLP          (16, 1)                -      -
          0: Linear  (16, 8)               24    640
          1: ReLU    (16, 8)                -    128
          2: Linear  (16, 1)                9    272
        --------------------------------------------
        Parameters: 33
        Memory of parameters and buffers: 132 bytes
        FLOPs of one call: 1,040
        Memory kept for the backward pass: 512 bytes
    """
    if depth is not None and depth < 0:
        raise ValueError(f"depth: expected None or an int >= 0, got {depth}")
    call = None
    if inputs or options:
        like = next(iter(model.parameters()), None)
        given = [_zeros(x, like) if isinstance(x, tuple) and all(isinstance(n, int) for n in x) else x for x in inputs]
        call = _Call(model, [x if isinstance(x, (Tensor, list, dict)) else as_tensor(x) for x in given], options)
    memory = sum(t.nbytes for t in [*model.parameters(), *model.buffers()])
    flops = None if call is None or call.flops is None else call.flops
    return Summary(_rows(model, call, flops, depth), model.count_params(), model.count_params(trainable=True), memory,
                   None if flops is None else sum(flops.values()), None if call is None else call.activations)


def _rows(model, call, flops, depth):
    rows, first, counted = [], {}, set()
    for path, module in model.named_modules(remove_duplicate=False):
        level = path.count(".") + 1 if path else 0
        if depth is not None and level > depth:
            continue
        inside = level == depth  # the last level that is shown stands for all that is inside
        again = first.setdefault(module, path)
        own = list(module.parameters(recurse=inside))
        tied = any(p in counted for p in own) and again == path
        counted.update(own)
        count = None if flops is None else sum(flops[m] for m in (module.modules() if inside else (module,)))
        rows.append(SummaryRow(path, type(module).__name__, None if call is None else call.shapes.get(again),
                               sum(p.size for p in own), sum(p.size for p in own if p.requires_grad), count,
                               None if again == path else again, tied))
    return rows


def _zeros(shape, like):
    return zeros(shape) if like is None else zeros(shape, dtype=like.dtype, device=like.device)
