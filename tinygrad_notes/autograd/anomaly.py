"""`detect_anomaly`: where the first NaN or infinity came from, forward and backward."""
import linecache
import os
import sys

import numpy as np

from ..backend import device_of, namespace_of
from .mode import Switch, mode
from .node import Node

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_ELSEWHERE = "unknown line (recorded outside detect_anomaly)"


class AnomalyError(ArithmeticError):
    """A NaN or infinity appeared where none went in."""


class detect_anomaly(Switch):
    """Inside the block, raise `AnomalyError` at the first operation that makes a NaN or an infinity.

    Forward: the operation and the user's source line. Backward: the operation whose rule made it, the line
    that recorded it, and, where a zero cotangent met an infinite derivative, the operation that masked the
    branch out. An infinity that the user put in (a mask of -inf) is none. Slow; for debugging. NumPy's own
    warnings are silent inside, because the error says more.

    Args:
        value: False switches the search off inside a block where it is on.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([0.0], requires_grad=True)
        >>> with tn.detect_anomaly():
        ...     try: tn.sqrt(x).sum().backward()
        ...     except tn.AnomalyError as error: print(str(error).split(":")[0])
        backward of sqrt
    """

    field = "anomaly"

    def __init__(self, value: bool = True) -> None:
        super().__init__(bool(value))
        self._silent: list = []

    def __enter__(self):
        silence = np.errstate(all="ignore") if self._value else np.errstate()
        silence.__enter__()
        self._silent.append(silence)
        return super().__enter__()

    def __exit__(self, *exc):
        super().__exit__(*exc)
        self._silent.pop().__exit__(*exc)


def call_site():
    """The user's line that is being executed: 'file:line in function: source text'."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    if frame is None:
        return "unknown line"
    name, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, line).strip()
    return f"{name}:{line} in {frame.f_code.co_name}" + (f": {text}" if text else "")


def bad_values(arrays):
    """'NaN' if any floating array or number holds one, else 'infinity' if any does, else None."""
    found = None
    for array in arrays:
        if isinstance(array, float):
            array = np.asarray(array)
        if device_of(array) is None or array.dtype.kind not in "fc":
            continue
        xp = namespace_of(array)
        if not xp.all(xp.isfinite(array)).item():
            if xp.any(xp.isnan(array)).item():
                return "NaN"
            found = "infinity"
    return found


def note(node, arrays, out):
    """Remember the user's line on a node, and raise if this operation made the first bad value."""
    if mode.watch is not None:
        mode.watch(node, arrays, out)
    if not mode.anomaly:
        return
    if mode.rule is not None:  # the backward pass is being recorded: it is looked over there
        node.extra = {"site": f"{mode.rule.name}'s gradient rule, {_site(mode.rule)}"}
        return
    site = call_site()
    node.extra = {"site": site}
    made = bad_values(out if isinstance(out, (tuple, list)) else (out,))
    if made is None:
        return
    inputs = {_input(node, i): array for i, array in enumerate(arrays)}
    inputs.update({repr(name): value for name, value in (node.attrs or {}).items()})
    given = bad_values(inputs.values())
    if made == given == "NaN":
        at = next(name for name, value in inputs.items() if bad_values((value,)) == "NaN")
        raise AnomalyError(f"forward of {node.name}: its input {at} already holds NaN, made by none "
                           f"of the operations recorded inside detect_anomaly, at {site}")
    if made == "NaN" or given is None:
        origin = "inputs that hold infinity" if given else "finite inputs"
        raise AnomalyError(f"forward of {node.name}: made the first {made}, from {origin}, at {site}")


class Watch:
    """Looks over one backward pass: what made a cotangent bad, and what had cut it to zero before."""

    def __init__(self, this):
        self.this = this
        self.givers = {}  # order of a node -> [(node that gave it a cotangent, to which input, made zeros of it)]

    def picked(self, node):
        """A cotangent went on from one output to its operation."""
        self.givers.setdefault(node.parents[0].order, []).append((node, "", False))

    def apply(self, vjp, xp, node, g):
        """The gradients by `vjp`; raises if the rule, or what arrived, holds a NaN or infinity."""
        cotangent = [_raw(part) for part in g] if isinstance(g, tuple) else [_raw(g)]
        arrived = bad_values(cotangent)
        if arrived:
            how = ("the sum of the cotangents that reached it, or a hook, made" if node.order in self.givers
                   else "the cotangent given to backward() holds")
            raise AnomalyError(f"backward of {node.name}: {how} {arrived}, recorded at {_site(node)}")
        outer, mode.rule = mode.rule, node
        try:
            gradients = vjp(xp, node, self.this.saved(node), g)
        finally:
            mode.rule = outer
        for position, parent, gx in zip(node.plan.wanted, node.parents, gradients):
            if gx is not None:
                self._look(node, cotangent, position, parent, _raw(gx))
        return gradients

    def _look(self, node, cotangent, position, parent, gx):
        made = bad_values((gx,))
        if made:
            raise AnomalyError(f"backward of {node.name}: made the first {made}, in the gradient of its input "
                               f"{_input(node, position)}, from a finite cotangent, recorded at {_site(node)}"
                               + self._masked(node, cotangent, gx))
        if isinstance(parent, Node):
            zeros = len(cotangent) == 1 and _new_zeros(cotangent[0], gx)
            self.givers.setdefault(parent.order, []).append((node, _input(node, position), zeros))

    def _masked(self, node, cotangent, gx):
        """If the cotangent is zero where the rule failed: which operation above cut that branch off."""
        g = cotangent[0]
        xp = namespace_of(g)
        zero = g == 0
        if g.shape == gx.shape:
            zero = zero & ~xp.isfinite(gx)
        if len(cotangent) != 1 or not xp.any(zero).item():
            return ""
        cut, seen = [node], {node.order}
        for below in cut:
            for giver, name, made_zeros in self.givers.get(below.order, ()):
                if made_zeros:
                    return (f"; its cotangent is zero there, and 0 * infinity is NaN: {giver.name}, recorded at "
                            f"{_site(giver)}, masked this branch out (its input {name}). Keep the branch finite "
                            "where it is not selected: where(mask, f(where(mask, x, safe)), other)")
                if giver.order not in seen:
                    seen.add(giver.order)
                    cut.append(giver)
        return "; its cotangent is zero there, and 0 * infinity is NaN"


def check_leaf(leaf, g):
    """Raise if the cotangents that reached a leaf sum to a NaN or an infinity."""
    made = bad_values((_raw(g),))
    if made:
        raise AnomalyError(f"gradient of a leaf of shape {leaf.shape}: the sum of what reached it, or a hook, "
                           f"made {made}")


def _raw(value):
    return value if device_of(value) is not None else getattr(value, "data", value)


def _site(node):
    return (node.extra or {}).get("site", _ELSEWHERE)


def _input(node, position):
    op = node.plan.primitive
    return f"#{position}" if op.variadic else repr(op.inputs[position])


def _new_zeros(g, gx):
    """Whether `gx` is zero where `g` was not, or has zeros in another shape than a `g` without."""
    xp = namespace_of(gx)
    if gx.shape == g.shape:
        return xp.any((gx == 0) & (g != 0)).item()
    return xp.any(gx == 0).item() and xp.all(g != 0).item()
