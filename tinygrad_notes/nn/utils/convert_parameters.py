"""Parameters as one vector, and back."""
from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...autograd import Tensor
from ...ops import concat, reshape

if TYPE_CHECKING:
    from ..parameter import Parameter

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other.

    Args:
        parameters: Tensors on one device.

    Returns:
        A Tensor (total number of elements,); gradients flow through it.

    Raises:
        ValueError: there are no parameters.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.utils.parameters_to_vector([tn.tensor([[1.0, 2.0]]), tn.tensor(3.0)])
        tensor([1., 2., 3.])
    """
    found = list(parameters)
    if not found:
        raise ValueError("parameters: expected at least one")
    return concat([reshape(p, (-1,)) for p in found])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Parameter]) -> None:
    """Give parameters the elements of a vector as their values, in order.

    Args:
        vec: (total number of elements,).
        parameters: those that get new values.

    Raises:
        TypeError: `vec` is no Tensor.
        ValueError: it is no vector with one element per number in the parameters.

    Example:
        >>> import tinygrad_notes as tn
        >>> p, q = tn.nn.Parameter([[0.0, 0.0]]), tn.nn.Parameter(0.0)
        >>> tn.nn.utils.vector_to_parameters(tn.tensor([1.0, 2.0, 3.0]), [p, q]); p.tolist(), q.item()
        ([[1.0, 2.0]], 3.0)
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vec: expected a Tensor, got {type(vec).__name__}")
    found = list(parameters)
    total = sum(math.prod(p.shape) for p in found)
    if vec.shape != (total,):
        raise ValueError(f"vec: expected shape {(total,)}, one element per number in the parameters, got {vec.shape}")
    start = 0
    for p in found:
        piece = vec.detach()[start:start + p.size]
        p.data = Tensor(reshape(piece, p.shape), dtype=p.dtype, device=p.device).data.copy()
        start += p.size
