"""Transforms of functions, by the names of `torch.func`."""
from __future__ import annotations

from typing import TYPE_CHECKING

from .autograd import hessian, jacobian, jvp, value_and_grad, vjp
from .autograd.transforms import grad
from .nn import functional_call

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp"]


def grad_and_value(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
                   ) -> Callable[..., Any]:
    """A function that returns the gradient of another and its value.

    Formula: (grad f(x), f(x)).

    Args:
        func: returns a 0-d Tensor, or (a 0-d Tensor, anything) with `has_aux`.
        argnums: which arguments the gradient is for.
        has_aux: whether `func` returns something besides its value.

    Returns:
        A function of the same arguments; (gradient, value), or (gradient, (value, anything)).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.func.grad_and_value(lambda x: x * x)(tn.tensor(3.0))
        (tensor(6.), tensor(9.))
    """
    inner = value_and_grad(func, argnums, has_aux)

    def call(*args: Any, **kwargs: Any) -> Any:
        value, gradient = inner(*args, **kwargs)
        return gradient, value
    return call


def jacrev(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the Jacobian of another, one backward pass per output.

    Formula: J_ij = d f_i / d x_j.

    Args:
        func: of Tensors.
        argnums: which arguments it is for.
        has_aux: whether `func` returns something besides its value.

    Returns:
        A function of the same arguments.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.func.jacrev(lambda x: x * x)(tn.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """
    return jacobian(func, argnums, has_aux, "reverse")


def jacfwd(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the Jacobian of another, one forward pass per input.

    Formula: J_ij = d f_i / d x_j.

    Args:
        func: of Tensors.
        argnums: which arguments it is for.
        has_aux: whether `func` returns something besides its value.

    Returns:
        A function of the same arguments.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.func.jacfwd(lambda x: x * x)(tn.tensor([1.0, 3.0]))
        tensor([[2., 0.],
                [0., 6.]])
    """
    return jacobian(func, argnums, has_aux, "forward")
