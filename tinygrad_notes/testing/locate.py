"""Which operation is to blame: every recorded node is checked alone, with the inputs it really had."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor
from ..autograd.anomaly import call_site
from ..autograd.mode import watching
from ..autograd.plan import ALIAS, CALLS, PICK
from ..backend import default_generator, device_of
from .checker import Options
from .problem import Function, Gradients, host
from .verdict import WRONG, GradcheckResult

if TYPE_CHECKING:
    from collections.abc import Callable

NODES, PER_OPERATION = 500, 6  # how many nodes are looked at, in all and of one operation with the same shapes


@dataclass
class Culprit:
    """The first operation whose own rule fails.

    Fields:
        name: of the operation.
        site: the line that called it.
        inputs: its inputs in words.
        result: the `GradcheckResult` of the operation alone.
    """

    name: str
    site: str
    inputs: str
    result: GradcheckResult

    def __str__(self) -> str:
        told = [f"{self.name}({self.inputs})", f"called at {self.site}"]
        if self.result.worst is not None:
            told.append(str(self.result.worst))
        if self.result.guess:
            told.append(f"looks like: {self.result.guess}")
        return "\n    ".join(told)


def locate(fn: Callable[..., Any], inputs: Any, order: int = 1) -> Culprit | None:
    """Check every recorded operation of `fn` alone and return the first whose rule is wrong.

    Formula: node k computes y = op(x); its rule is checked at the x it had, for random cotangents.

    Args:
        fn, inputs: as for `gradcheck`.
        order: 1 to check first derivatives, 2 for second ones.

    Returns:
        `Culprit`, or None if every operation alone is right: then it is not a rule that is wrong, but a value
        taken out of the graph (`detach`, `.data`, `.numpy()`).

    Raises:
        ValueError: no input is floating, or `order` is neither 1 nor 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> bad = tn.autograd.elementwise("doc_bad_sin", lambda xp, x: xp.sin(x), x=lambda xp, g, x: -g * xp.cos(x))
        >>> tn.testing.locate(lambda x: bad(x * x).sum(), tn.tensor([1.0, 2.0])).name
        'doc_bad_sin'
    """
    from .gradcheck import check

    if order not in (1, 2):
        raise ValueError(f"order: expected 1 or 2, got {order!r}")
    state = default_generator.get_state()
    seen = recorded(Function(fn, inputs))
    times: dict = {}
    for plan, arrays, attrs, site in seen:
        signature = (plan.primitive.name, plan.active, repr(attrs), tuple(getattr(a, "shape", None) for a in arrays))
        times[signature] = times.get(signature, 0) + 1
        if times[signature] > PER_OPERATION:
            continue
        default_generator.set_state(state)
        alone = Function(*_alone(plan, arrays, attrs))
        for leaf, i in zip(alone.leaves, plan.wanted):
            leaf.path = _name(plan.primitive, i)
        result = check(alone, Options(), order=1)
        if order == 2 and result:
            outputs = alone.replay([leaf.base for leaf in alone.leaves], False)[1]
            rng = np.random.default_rng(0)
            result = check(Gradients(alone, [rng.standard_normal(t.shape) for t in outputs]), Options(), order=2)
        if result.verdict == WRONG:
            default_generator.set_state(state)
            return Culprit(plan.primitive.name, site, _described(plan.primitive, arrays), result)
    default_generator.set_state(state)
    return None


def recorded(problem):
    """(plan, inputs, attributes, source line) of every operation of a problem, in the order in which they ran."""
    seen = []

    def watch(node, arrays, out):
        if len(seen) < NODES and node.plan is not PICK and node.plan is not ALIAS:
            seen.append((node.plan, tuple(arrays), node.attrs or {}, call_site()))
    with watching(watch):
        problem.replay([leaf.base for leaf in problem.leaves], True)
    return seen


def _alone(plan, arrays, attrs):
    """One operation as a function of its active inputs, and those inputs."""
    call = CALLS[plan.primitive.name]
    wanted = plan.wanted

    def fn(*tensors):
        operands = [Tensor.wrap(a) if device_of(a) is not None else a for a in arrays]
        for i, tensor in zip(wanted, tensors):
            operands[i] = tensor
        return call(*operands, **attrs)
    return fn, [Tensor.wrap(arrays[i].copy()).requires_grad_() for i in wanted]


def _name(op, i):
    return f"#{i}" if op.variadic else op.inputs[i]


def _described(op, arrays):
    told = []
    for i, array in enumerate(arrays):
        name = _name(op, i)
        if device_of(array) is None:
            told.append(f"{name}={array!r}")
        elif array.size <= 4:
            told.append(f"{name}={host(Tensor.wrap(array)).tolist()}")
        else:
            told.append(f"{name}: {array.dtype} {tuple(array.shape)}")
    return ", ".join(told)
