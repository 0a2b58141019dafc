"""`graph`: the computation behind Tensors, or in a function, a module, a loss, a whole training step."""
from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor, enable_grad, grad
from ..autograd.backward import backward
from ..autograd.tree import flatten
from ..ops import ones
from ..ops import sum as total
from ..program.compiled import Compiled
from ..program.errors import CannotRecord
from ..program.program import Program
from ..program.record import record
from .recorded import FromRecording
from .tape import from_tensors
from .words import paths_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Graph


def graph(outputs: Any, *args: Any, names: Mapping[str, Tensor] | None = None, order: int = 1, timed: bool = False,
          check: bool = False, **kwargs: Any) -> Graph:
    """The graph of what Tensors were computed from, or of everything that a call of a function computes.

    Of a Tensor: its tape, back to the leaves that want a gradient. Of a function, module or bound method: the call
    `outputs(*args, **kwargs)` is made once and written down, with values, source lines and modules: forward, and if it
    does not go backward itself, the backward pass from its outputs (from "loss", if it returns a dict with one) with
    the cotangent 1, or fixed random ones for outputs of several numbers; a training step with its optimizer too.
    Of what `compile` returned, it shows the operations that are left, and which of them run in one loop.
    Nothing changes by that: parameters, gradients, running statistics and random streams are afterwards what they were.

    Args:
        outputs: a Tensor, a sequence of Tensors (draw before `backward()` frees their history), or a function.
        args, kwargs: arguments of the function. If none of them and no parameter requires a gradient, all floating
            arguments do. After Tensors, a dict may stand here for `names`.
        names: {name: Tensor} of leaves (and outputs), such as `dict(model.named_parameters())`.
        order: of a function: 0 for the forward pass alone, 1 with the backward pass, 2 with the backward pass of the
            backward pass.
        check: check the gradient rule of every operation alone, against central differences, and lay the verdicts over
            the graph: right, wrong, or cannot tell, with the worst element.
        timed: measure the seconds of each operation; such a graph is not the same in every run.

    Returns:
        A `Graph`: `.svg()`, `.html()`, `.dot()`, `.text()`, `.save(path)`; shown as a picture in notebooks.

    Raises:
        TypeError: an output is not a Tensor, or what is called is no function.
        ValueError: nothing was recorded, backward has freed the graph, or `order` is none of 0, 1, 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
        >>> print(tn.graph((x * x).sum(), {"x": x}).text())
           %0 = x    float32 (2,)  input
           %1 = multiply(%0, %0)    float32 (2,)
           %2 = sum(%1, axis=None, keepdims=False)    float32 ()
           %3 = output    float32 ()  output
        >>> tn.graph(lambda x: (tn.sin(x) * x).sum(), x)
        Graph(7 operations, 4 leaves and outputs, 14 edges, forward + backward)
    """
    if isinstance(outputs, (Tensor, list, tuple)):
        if args and isinstance(args[0], dict) and names is None:
            names, args = args[0], args[1:]
        if args or kwargs or check:
            raise TypeError("graph: Tensors take no further arguments; give a function to have it called or checked")
        return from_tensors([outputs] if isinstance(outputs, Tensor) else list(outputs), names)
    if not callable(outputs):
        raise TypeError(f"graph: expected a Tensor, a sequence of Tensors or a function, got {type(outputs).__name__}")
    if order not in (0, 1, 2):
        raise ValueError(f"order: expected 0, 1 or 2, got {order!r}")
    return recorded_graph(outputs, args, kwargs, names, order, timed, check)


def recorded_graph(fn, args, kwargs, names=None, order=1, timed=False, check=False):
    """The graph of one recorded call; see `graph`."""
    options = None
    if isinstance(fn, Compiled):
        fn, options = fn.fn, fn.options
    recording, arguments = recorded_call(fn, args, kwargs, order, timed)
    draft = FromRecording(recording, names, arguments, title_of(fn), timed, check)
    drawn = draft.graph()
    if options is not None:
        from .compiled import as_compiled

        drawn = as_compiled(drawn, recording, draft.scopes_by_node, options)
    if not any(n.role == "operation" for n in drawn.nodes):
        raise ValueError(f"graph: nothing to draw, {title_of(fn)} computed no array from its arguments")
    return drawn


def recorded_call(fn, args, kwargs, order=1, timed=False):
    """(recording that kept its arrays, names of the leaves of the arguments)."""
    wanting = _leaves_to_watch(fn, args, kwargs)
    for t in wanting:
        t.requires_grad_()
    try:
        recording = record(fn, args, kwargs, keep=True, may_read=True, commit=False, timed=timed,
                           finish=_Backward(order) if order else None)
    except CannotRecord as error:
        raise ValueError(f"graph: {title_of(fn)} cannot be recorded: {error}") from error
    finally:
        for t in wanting:
            t.requires_grad_(False)
    return recording, _names_of_arguments(fn, args, kwargs)


class _Backward:
    """Goes back from the result while the recording is still on, if the function has not done so itself."""

    def __init__(self, order):
        self.order = order

    def __call__(self, recording, result):
        if recording.recorder.passes:
            return
        for t in recording.reach.tensors:
            t.grad = None  # the picture shows what this pass gives; the recording puts back what was there
        outputs = [t for t in flatten(result)[0] if isinstance(t, Tensor) and t.node is not None]
        if isinstance(result, dict) and isinstance(result.get("loss"), Tensor):
            outputs = [result["loss"]]
        if not outputs:
            return
        outputs = list({id(t.node): t for t in outputs}.values())
        if self.order == 1:
            backward(outputs, [self.cotangent(recording, t, k) for k, t in enumerate(outputs)])
            return
        with enable_grad():
            leaves = [t for t in (*recording.reach.tensors, *recording.arguments)
                      if isinstance(t, Tensor) and t.requires_grad and t.node is None]
            loss = outputs[0] if outputs[0].size == 1 and len(outputs) == 1 else sum(total(t) for t in outputs)
            slopes = [g for g in grad(loss, leaves, create_graph=True, allow_unused=True) if g is not None]
            again = [g for g in slopes if g.node is not None]
            if again:
                sum((total(g) for g in again[1:]), total(again[0])).backward()


    @staticmethod
    def cotangent(recording, t, k):
        """Of one number 1; of others fixed random numbers: ones would hide much, such as all that a norm takes away."""
        if t.size == 1:
            return ones(t.shape, dtype=t.dtype)
        host = np.random.default_rng(k).standard_normal(t.shape).astype(t.dtype)
        return Tensor.wrap(recording.recorder.constant(recording.recorder.base.from_numpy(host)))


def _leaves_to_watch(fn, args, kwargs):
    """Arguments that are made to want a gradient: all floating ones, where nothing else does."""
    tensors = [t for t in flatten((args, kwargs))[0] if isinstance(t, Tensor)]
    if any(t.requires_grad for t in tensors) or _has_parameters(fn, args):
        return []
    return [t for t in dict.fromkeys(tensors) if t.dtype.kind == "f" and t.node is None]


def _has_parameters(fn, args):
    from ..program.state import Reach

    roots = [("", fn), *(("", leaf) for leaf in flatten(args)[0] if not isinstance(leaf, Tensor))]
    return any(t.requires_grad for t in Reach().search(roots).tensors)


def _names_of_arguments(fn, args, kwargs):
    """The name of every array among the arguments, in the order in which a recording numbers them."""
    try:
        bound = list(inspect.signature(getattr(fn, "forward", fn)).bind_partial(*args, **kwargs).arguments.items())
    except (TypeError, ValueError):
        bound = []
    named = {}
    for name, value in bound:
        for path, leaf in paths_in(name, value):
            named.setdefault(id(leaf), path)
    leaves = [leaf for leaf in flatten((args, kwargs))[0] if hasattr(leaf, "shape") and hasattr(leaf, "dtype")]
    return [named.get(id(leaf), "") for leaf in leaves]


def title_of(fn):
    """What a function or module is called."""
    if isinstance(fn, Program):
        return "program"
    name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None) or type(fn).__name__
    name = name.rpartition("<locals>.")[2]
    return "a function" if name == "<lambda>" else name
