"""The tangent kernel: how alike two inputs are to gradient descent."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, jacobian
from ..autograd.tree import flatten
from ..nn import Module
from ..nn.state import functional_call

if TYPE_CHECKING:
    from collections.abc import Callable


def tangent_kernel(model: Module | Callable[[Any, Any], Tensor], x: Any, other: Any = None,
                   params: Any = None) -> Tensor:
    r"""Inner products of the derivatives of a model's outputs with respect to all parameters.

    Formula: K[i, a, j, b] = sum_p dF(x_i)_a / dp * dF(x'_j)_b / dp = DF DF^T. Under gradient flow on 1/2 |F - y|^2 the
    outputs move by dF/dt = -K (F - y).

    Args:
        model: a Module, or a function model(params, x).
        x: inputs, the first axis N of its outputs counting examples.
        other: further inputs x', M of them; by default `x`.
        params: the parameters, if `model` is a function.

    Returns:
        A Tensor (N, M) where an example has one output, else (N, ..., M, ...).

    Raises:
        TypeError: `model` is neither a Module nor a function.

    Source: Jacot, Gabriel & Hongler 2018, "Neural tangent kernel: convergence and generalization in neural networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> line = tn.nn.Linear(2, 1)  # K = x x'^T + 1
        >>> tn.analysis.tangent_kernel(line, tn.tensor([[1.0, 2.0], [3.0, 0.0]]))
        tensor([[ 6.,  4.],
                [ 4., 10.]])
    """
    if isinstance(model, Module):
        module = model
        params = {name: p.detach() for name, p in module.named_parameters()}

        def function(values, inputs):
            return functional_call(module, values, inputs)
    elif callable(model):
        function = model
    else:
        raise TypeError(f"model: expected a Module or a function of (params, x), got {type(model).__name__}")
    shape, one = _derivatives(function, params, x)
    shape2, two = (shape, one) if other is None else _derivatives(function, params, other)
    kernel: Tensor = sum(a @ b.T for a, b in zip(one, two))  # type: ignore[assignment]
    kernel = kernel.reshape((*shape, *shape2))
    if len(shape) == 2 and shape[1] == shape2[1] == 1:
        kernel = kernel[:, 0, :, 0]  # (N, 1, M, 1) -> (N, M)
    return kernel.detach()


def _derivatives(function, params, x):
    """The shape of the output, and per parameter the derivatives as a matrix (outputs, elements)."""
    found = {}

    def outputs(values):
        found["shape"] = (out := function(values, x)).shape
        return out

    leaves = flatten(jacobian(outputs)(params))[0]
    shape = found["shape"]
    return shape, [leaf.reshape((math.prod(shape), -1)) for leaf in leaves]
