"""`backward` and `grad`: the two ways to start a backward pass."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import engine
from .tensor import Tensor, as_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import ArrayLike


def backward(output: Tensor, grad: ArrayLike | None = None, retain_graph: bool | None = None,
             create_graph: bool = False, inputs: Tensor | Sequence[Tensor] | None = None) -> None:
    r"""Add d output / d leaf to `leaf.grad` for every leaf that `output` was computed from.

    Formula: leaf.grad += sum_i grad_i * d output_i / d leaf.

    Args:
        output: the Tensor to differentiate.
        grad: the cotangent, of the shape of `output`; may be left out if `output` has one element.
        retain_graph: keep the saved values for another pass; default: the value of `create_graph`.
        create_graph: record the pass itself, for derivatives of higher order.
        inputs: a Tensor or a sequence of them, to fill the `.grad` of these alone; default: all leaves.

    Raises:
        RuntimeError: nothing was recorded, the graph was freed, `grad` is missing, or one of `inputs` does not
            require a gradient.
        ValueError: `grad` has another shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor(3.0, requires_grad=True)
        >>> (x ** 2).backward(); x.grad
        tensor(6.)
    """
    wanted = None if inputs is None else _listed(inputs)
    single = isinstance(output, Tensor)
    outputs, cotangents = _prepare(_listed(output), None if grad is None else [grad] if single else _listed(grad))
    retain = create_graph if retain_graph is None else retain_graph
    kind = engine.RecordedPass if create_graph else engine.Pass
    if wanted is None:
        gradients = engine.start(outputs, cotangents, retain, kind).leaf_gradients()
    else:
        _check_inputs(wanted)
        gradients = zip(wanted, pull(outputs, cotangents, wanted, retain, kind))
    for tensor, g in gradients:
        if g is not None:
            engine.store(tensor, engine.own(g) if create_graph else g)
            hooks = getattr(tensor, "_hooks", None)
            if hooks is not None:
                for hook in list(hooks.accumulated.values()):
                    hook(tensor)


def grad(outputs: Tensor | Sequence[Tensor], inputs: Tensor | Sequence[Tensor],
         grad_outputs: Tensor | Sequence[Tensor] | None = None, retain_graph: bool | None = None,
         create_graph: bool = False, allow_unused: bool = False) -> tuple[Any, ...]:
    r"""The gradients of `outputs` with respect to `inputs`, without touching any `.grad`.

    Formula: result_k = sum_i grad_outputs_i * d outputs_i / d inputs_k.

    Args:
        outputs, inputs: a Tensor or a sequence of them; inputs may be leaves or interior results.
        grad_outputs: cotangents, one per output; may be left out for outputs of one element.
        retain_graph: keep the saved values for another pass; default: the value of `create_graph`.
        create_graph: record the pass itself, for derivatives of higher order.
        allow_unused: return None for an input that no output depends on, instead of raising.

    Returns:
        A tuple of Tensors, one per input.

    Raises:
        RuntimeError: an input does not require a gradient, is not used, or the graph was freed.
        ValueError: a cotangent has another shape than its output.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor(2.0, requires_grad=True)
        >>> (first,) = tn.autograd.grad(x ** 3, x, create_graph=True)
        >>> tn.autograd.grad(first, x)
        (tensor(12.),)
    """
    wanted = _listed(inputs)
    outputs, cotangents = _prepare(_listed(outputs), None if grad_outputs is None else _listed(grad_outputs))
    retain = create_graph if retain_graph is None else retain_graph
    _check_inputs(wanted)
    gradients = pull(outputs, cotangents, wanted, retain, engine.RecordedPass if create_graph else engine.Pass)
    if not allow_unused:
        for k, g in enumerate(gradients):
            if g is None:
                raise RuntimeError(f"inputs[{k}], shape {wanted[k].shape}, is not used by the outputs; "
                                   "pass allow_unused=True to get None for it")
    return tuple(gradients)


def pull(outputs, cotangents, wanted, retain, kind, needed=None):
    """The gradients of the Tensors `wanted`, None for those that are not used, by a pass of this kind."""
    ends = [t.node if t.node is not None else t for t in wanted]
    targets = {id(end) for end in ends}
    if needed is None:
        needed = reach(outputs, targets)
    done = engine.start(outputs, cotangents, retain, kind, needed, targets)
    found = {id(leaf): g for leaf, g in done.leaf_gradients()}
    found.update({key: done.as_gradient(g) for key, g in done.found.items()})
    return [found.get(id(end)) for end in ends]


def reach(outputs, targets, since=None):
    """Which ids a cotangent of `outputs` must reach on its way to `targets`, the ids of nodes and leaves.

    `since` is an order number: nodes that are older are not looked into.
    """
    seen, order = set(), []
    stack = [t.node for t in outputs if t.node is not None]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        order.append(node)
        stack.extend([p for p in node.parents if not isinstance(p, Tensor) and (since is None or p.order < since)])
    order.sort(key=lambda node: -node.order)  # parents first
    every, inner = set(targets), set()
    for node in order:
        for p in node.parents:
            if id(p) in every:
                inner.add(id(node))
                every.add(id(node))
                break
    return Needed(every, inner)


class Needed(set):
    """Ids that a cotangent must reach; `inner` are those whose own rules must run."""

    def __init__(self, every, inner):
        super().__init__(every)
        self.inner = inner


def _check_inputs(wanted):
    for k, tensor in enumerate(wanted):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"inputs[{k}]: expected a Tensor, got {type(tensor).__name__}")
        if not tensor.requires_grad:
            raise RuntimeError(f"inputs[{k}], shape {tensor.shape}, does not require a gradient: set "
                               "requires_grad=True before computing from it")


def _prepare(outputs, cotangents):
    if cotangents is not None and len(cotangents) != len(outputs):
        raise ValueError(f"{len(cotangents)} cotangents for {len(outputs)} outputs")
    prepared = []
    for k, output in enumerate(outputs):
        if not isinstance(output, Tensor):
            advice = "; the derivative of a function is tn.grad(fn)" if callable(output) else ""
            raise TypeError(f"outputs[{k}]: expected a Tensor, got {type(output).__name__}{advice}")
        if not output.requires_grad:
            raise RuntimeError(f"outputs[{k}], shape {output.shape}: nothing to differentiate. It was computed from "
                               "tensors without requires_grad, inside no_grad, or by an operation without gradient")
        g = cotangents[k] if cotangents is not None else None
        if g is None:
            if output.size != 1:
                raise RuntimeError(f"grad: needed for an output of shape {output.shape}; only an output of one element "
                                   "has the natural cotangent 1. Pass grad= or reduce the output with .sum()")
            g = Tensor.wrap(output.device.xp.ones(output.shape, dtype=output.dtype))
        g = as_tensor(g, like=output)
        if g.shape != output.shape:
            raise ValueError(f"grad: expected shape {output.shape}, that of the output, got {g.shape}")
        if g.dtype != output.dtype:
            g = g.astype(output.dtype)
        prepared.append(g)
    return outputs, prepared


def _listed(value):
    single = isinstance(value, Tensor) or hasattr(value, "dtype") or not hasattr(value, "__iter__")
    return [value] if single else list(value)
