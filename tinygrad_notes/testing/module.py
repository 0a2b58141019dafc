"""The gradient check of a whole model: every parameter of it, for a loss that is a function of the model."""
from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import float64
from .checker import Options
from .gradcheck import check, finish
from .problem import Problem, as_leaf, floating, host

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..nn import Module
    from .verdict import GradcheckResult


def check_module(model: Module, loss_fn: Callable[..., Any], *, directions: int = 3, elements: int = 4,
                 atol: float = 0.0, rtol: float = 1e-6, fast_mode: bool = True, seed: int = 0,
                 raise_exception: bool = True, strict: bool = False, nondet_tol: float = 0.0,
                 progress: Callable[[int, int], Any] | None = None) -> GradcheckResult:
    """Check the gradients of a loss with respect to every parameter of a model against finite differences.

    Formula: as for `gradcheck`, with the parameters as inputs; per parameter some random directions
    through all of its elements, and some elements alone.

    Parameters and buffers are float64 while the check runs and are put back afterwards, to the bit; buffers
    (running statistics) and the state of the default generator are put back before every evaluation.

    Args:
        model: a `Module`; as it is, in training or evaluation mode.
        loss_fn: a function of nothing or of the model that returns the loss (or any Tensors). It must draw no
            random numbers but from the default generator.
        directions, elements: random directions, and single elements, per parameter.
        atol, rtol, seed, raise_exception, strict, nondet_tol, progress: as for `gradcheck`.
        fast_mode: False to move every element of every parameter, None to do so for up to 4096.

    Returns:
        `GradcheckResult` with one report per parameter, true unless WRONG.

    Raises:
        GradcheckError: a gradient is wrong.
        ValueError: the model has no floating parameter that requires a gradient.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.nn.Linear(3, 2)
        >>> x = tn.randn(5, 3)
        >>> tn.testing.check_module(model, lambda: (model(x) ** 2).mean()).verdict
        'CORRECT'
    """
    options = Options(None, atol, rtol, fast_mode, directions, elements, seed, progress)
    with as_float64(model) as kept:
        result = check(Parameters(model, loss_fn, kept), options, nondet_tol)
    return finish(result, raise_exception, strict)


class Parameters(Problem):
    """A loss as a function of the parameters of a model."""

    def __init__(self, model, loss_fn, kept):
        takes = [p for p in inspect.signature(loss_fn).parameters.values()
                 if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.loss = (lambda: loss_fn(model)) if takes else loss_fn
        named = {name: p for name, p in model.named_parameters() if p.requires_grad and p.dtype.kind == "f"}
        if not named:
            raise ValueError("check_module: the model has no floating parameter that requires a gradient")
        self.parameters = list(named.values())
        self.buffers = [(b, b.data.copy()) for _, b in model.named_buffers()]
        super().__init__([as_leaf(name, p) for name, p in named.items()])
        for leaf, p in zip(self.leaves, self.parameters):
            leaf.dtype = kept[id(p)][1].dtype
        self.kept = kept

    def replay(self, arrays, recorded, own=False):
        for buffer, values in self.buffers:
            buffer.data = values.copy() if not own else self.kept[id(buffer)][1].copy()
        return super().replay(arrays, recorded, own)

    def place(self, arrays, own=False):
        for leaf, p, array in zip(self.leaves, self.parameters, arrays):
            p.data = self.kept[id(p)][1].copy() if own else leaf.device.from_numpy(array)
        return self.parameters

    def outputs(self, tensors, recorded):
        return floating(self.loss())


@contextmanager
def as_float64(model):
    """Inside the block, floating parameters and buffers are float64; yields {id: (tensor, its own array)}."""
    tensors = [t for _, t in [*model.named_parameters(), *model.named_buffers()]]
    kept = {id(t): (t, t.data) for t in tensors}
    try:
        for t in tensors:
            if t.dtype.kind == "f":
                t.data = t.device.from_numpy(np.asarray(host(t), dtype=float64).copy())
        yield kept
    finally:
        for t, data in kept.values():
            t.data = data
