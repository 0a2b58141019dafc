"""Gradients kept from growing: by the norm of all together, or element by element."""
from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...autograd import Tensor, no_grad
from ...ops import norm, stack, zeros
from ..functional.common import number

if TYPE_CHECKING:
    from typing import TypeAlias

    Several: TypeAlias = Tensor | Iterable[Tensor]

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _listed(name, tensors):
    """One or several Tensors as a list.

    Raises:
        TypeError: something is no Tensor.
    """
    found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for k, tensor in enumerate(found):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: expected Tensors, got {type(tensor).__name__} at place {k}")
    return found


def _gradients(parameters):
    found = _listed("parameters", parameters)
    if not found:
        raise ValueError("parameters: expected at least one; was a generator such as model.parameters() used up?")
    return [p.grad for p in found if p.grad is not None]


def _order(norm_type):
    try:
        found = float(norm_type)
    except (TypeError, ValueError):
        raise TypeError(f"norm_type: expected a number or 'inf', got {norm_type!r}") from None
    if math.isnan(found):
        raise ValueError("norm_type: expected a number or 'inf', got nan")
    return found


def get_total_norm(tensors: Several, norm_type: float = 2.0, error_if_nonfinite: bool = False,
                   foreach: bool | None = None) -> Tensor:
    """The norm of several tensors as if they were one vector.

    Formula: out = (sum over all elements of |x|^p)^(1/p); p = inf: the largest |x|.

    Args:
        tensors: Tensors, such as gradients.
        norm_type: p, or 'inf'.
        error_if_nonfinite: raise where the norm is infinite or NaN.
        foreach: has no effect.

    Returns:
        A 0-d Tensor; 0 for no tensors.

    Raises:
        RuntimeError: the norm is not finite, with `error_if_nonfinite`.
        TypeError: something is no Tensor, or `norm_type` no number.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.utils.get_total_norm([tn.tensor([3.0]), tn.tensor([[4.0]])])
        tensor(5.)
    """
    found, p = _listed("tensors", tensors), _order(norm_type)
    if not found:
        return zeros(())
    with no_grad():
        norms = [norm(t, p) for t in found]
        wide = max((n.dtype for n in norms), key=lambda kind: kind.itemsize)
        total = norm(stack([n.to(norms[0].device).astype(wide) for n in norms]), p)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(f"the norm of order {p} of {len(found)} gradients is {total.item()}; "
                           "error_if_nonfinite=False scales them by it anyway")
    return total


def clip_grads_with_norm_(parameters: Several, max_norm: float, total_norm: Tensor,
                          foreach: bool | None = None) -> None:
    """Scale gradients down by a norm that is known.

    Formula: grad <- grad * min(1, max_norm / (total_norm + 1e-6)).

    Args:
        parameters: Tensors; those without a gradient are left alone.
        max_norm: what the norm shall not exceed, >= 0.
        total_norm: the norm of all gradients.
        foreach: has no effect.

    Raises:
        ValueError: there are no parameters, or `max_norm` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> p = tn.nn.Parameter([0.0]); p.grad = tn.tensor([4.0])
        >>> tn.nn.utils.clip_grads_with_norm_(p, 2.0, tn.tensor(8.0)); p.grad
        tensor([1.0000])
    """
    gradients, limit = _gradients(parameters), _limit("max_norm", max_norm)
    with no_grad():
        scale = (limit / (total_norm + 1e-6)).clip(None, 1.0)
        for g in gradients:
            g.mul_(scale.to(g.device).astype(g.dtype))


def _limit(name, value):
    """A limit >= 0; infinity is none."""
    return math.inf if value == math.inf else number(name, value, 0)


def clip_grad_norm_(parameters: Several, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
                    foreach: bool | None = None) -> Tensor:
    """Scale gradients down so that their norm, as if they were one vector, is at most `max_norm`.

    Formula: grad <- grad * min(1, max_norm / (|grad| + 1e-6)).

    Args:
        parameters: Tensors; those without a gradient are left alone.
        max_norm: the limit, >= 0.
        norm_type: the order of the norm, or 'inf'.
        error_if_nonfinite: raise where the norm is infinite or NaN.
        foreach: has no effect.

    Returns:
        The norm before, a 0-d Tensor.

    Raises:
        ValueError: there are no parameters, or `max_norm` is negative.
        RuntimeError: the norm is not finite, with `error_if_nonfinite`.

    Source: Pascanu, Mikolov and Bengio 2013, algorithm 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> p = tn.nn.Parameter([0.0, 0.0]); p.grad = tn.tensor([3.0, 4.0])
        >>> tn.nn.utils.clip_grad_norm_([p], 1.0), p.grad
        (tensor(5.), tensor([0.6000, 0.8000]))
    """
    found = _listed("parameters", parameters)
    gradients, limit = _gradients(found), _limit("max_norm", max_norm)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    clip_grads_with_norm_(found, limit, total)
    return total


def clip_grad_value_(parameters: Several, clip_value: float, foreach: bool | None = None) -> None:
    """Bring every element of the gradients into an interval.

    Formula: grad <- max(-c, min(c, grad)).

    Args:
        parameters: Tensors; those without a gradient are left alone.
        clip_value: c, >= 0.
        foreach: has no effect.

    Raises:
        ValueError: there are no parameters, or `clip_value` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> p = tn.nn.Parameter([0.0, 0.0]); p.grad = tn.tensor([-3.0, 0.5])
        >>> tn.nn.utils.clip_grad_value_([p], 1.0); p.grad
        tensor([-1.0000,  0.5000])
    """
    gradients, limit = _gradients(parameters), _limit("clip_value", clip_value)
    with no_grad():
        for g in gradients:
            g.clip_(-limit, limit)
