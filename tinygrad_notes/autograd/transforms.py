"""Derivatives of functions: from a function of tensors to the function that computes its derivative.

The differentiated arguments are replaced by fresh tensors that pass a cotangent on to the originals. So
`requires_grad` of the inputs is neither needed nor changed, and transforms nest: a hessian is the
jacobian of a gradient. A derivative is itself recorded exactly when somebody could differentiate it:
gradients are being recorded, and the function read something tracked besides its fresh inputs.
"""
from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .run import Run, describe, match, ones
from .tensor import Tensor
from .tree import flatten, unflatten

if TYPE_CHECKING:
    from collections.abc import Callable


def grad(fn: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    r"""The function that computes the gradient of `fn`, a function with one number as its result.

    Formula: grad(f)(x) = df/dx, of the shape of x.

    Where an argument, or something that `fn` closes over, requires a gradient, the gradient is recorded so that it
    can be differentiated again. That costs: call it inside `tn.no_grad()` if the numbers are all that is wanted.

    Args:
        fn: a function of tensors, or of nested dicts, lists and tuples of them, that returns a Tensor of one
            element; with `has_aux`, a pair of that and anything else.
        argnums: the position of the argument to differentiate, or a tuple of positions.
        has_aux: whether `fn` returns such a pair.

    Returns:
        A function with the arguments of `fn`. It returns the gradient, in the structure of the argument (a tuple of
        gradients for a tuple of positions); with `has_aux`, a pair of that and the rest. Gradients of what `fn`
        does not use are zeros.

    Raises:
        TypeError: `fn` is not a function, does not return what is said above, or an argument is not floating.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.grad(lambda x: x ** 3)(2.0)
        tensor(12.)
        >>> tn.grad(tn.grad(lambda x: x ** 3))(2.0)
        tensor(12.)
    """
    both = value_and_grad(fn, argnums, has_aux)

    @_named(fn)
    def gradient(*args, **kwargs):
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found
    return gradient


def value_and_grad(fn: Callable[..., Any], argnums: int | tuple[int, ...] = 0,
                   has_aux: bool = False) -> Callable[..., tuple[Any, Any]]:
    r"""The function that computes `fn` and its gradient in one run.

    Formula: value_and_grad(f)(x) = (f(x), df/dx).

    Args:
        fn, argnums, has_aux: as in `tn.grad`.

    Returns:
        A function with the arguments of `fn`. It returns (value, gradient), or ((value, rest), gradient).

    Raises:
        TypeError: as in `tn.grad`.

    Example:
        >>> import tinygrad_notes as tn
        >>> loss = lambda params, x: ((params["w"] * x + params["b"]) ** 2).sum()
        >>> value, gradient = tn.value_and_grad(loss)({"w": 2.0, "b": 1.0}, tn.tensor([1.0, 2.0]))
        >>> value, gradient["w"], gradient["b"]
        (tensor(34.), tensor(26.), tensor(16.))
    """
    _check(fn, "grad")

    @_named(fn)
    def derivative(*args, **kwargs):
        run = Run("grad", fn, args, kwargs, argnums, has_aux)
        value = run.number("grad")
        found = run.arguments(run.pull([ones(value)], retain=False))
        value = value if run.outer else value.detach()
        return ((value, run.aux) if has_aux else value), found
    return derivative


def vjp(fn: Callable[..., Any], *args: Any, has_aux: bool = False) -> tuple[Any, ...]:
    r"""`fn(*args)`, and the function that multiplies a cotangent with the Jacobian of `fn` there.

    Formula: pull(g)_k = sum_i g_i * d out_i / d args_k (g transposed times J).

    Args:
        fn: a function of tensors (or nested containers) that returns tensors (or nested containers).
        *args: where to differentiate; all of them, so what is not to be differentiated belongs into a closure.
        has_aux: whether `fn` returns a pair of its output and anything else.

    Returns:
        (output, pull), or (output, pull, rest). `pull(cotangents)` takes the structure of the output and returns a
        tuple with one gradient per argument, as often as it is called.

    Raises:
        TypeError: `fn` is not a function, or an argument is not floating.
        ValueError: cotangents of another structure or shape than the output.

    Example:
        >>> import tinygrad_notes as tn
        >>> output, pull = tn.vjp(lambda x, y: x * y, tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0]))
        >>> pull(tn.tensor([1.0, 10.0]))
        (tensor([ 3., 40.]), tensor([ 1., 20.]))
    """
    _check(fn, "vjp")
    run = Run("vjp", fn, args, {}, tuple(range(len(args))), has_aux)

    def pull_back(cotangents):
        return run.arguments(run.pull(match(cotangents, run.structure, run.outs, "cotangents"), retain=True))
    output = run.output()
    return (output, pull_back, run.aux) if has_aux else (output, pull_back)


def jvp(fn: Callable[..., Any], args: Any, tangents: Any, has_aux: bool = False) -> tuple[Any, ...]:
    r"""`fn(*args)`, and the derivative of `fn` there in the direction `tangents`.

    Formula: out'_i = sum_k d out_i / d args_k * tangents_k (J times v), as the transpose of the transpose.

    Args:
        fn: a function of tensors (or nested containers) that returns tensors (or nested containers).
        args: a tuple of its arguments, or the only one.
        tangents: the direction, in the structure and shapes of `args`.
        has_aux: whether `fn` returns a pair of its output and anything else.

    Returns:
        (output, tangent of the output), or (output, tangent, rest).

    Raises:
        TypeError: `fn` is not a function, or an argument is not floating.
        ValueError: tangents of another structure or shape than the arguments.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.jvp(lambda x: x * x, tn.tensor([1.0, 2.0]), tn.tensor([1.0, 0.5]))
        (tensor([1., 4.]), tensor([2., 2.]))
    """
    _check(fn, "jvp")
    run = Run("jvp", fn, *_several(args), has_aux=has_aux)
    directions = match(tangents, flatten(args)[1], run.fresh, "tangents")
    push = run.linearize(directions)
    output, tangent = run.output(), unflatten(run.structure, push(directions))
    return (output, tangent, run.aux) if has_aux else (output, tangent)


def jacobian(fn: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False,
             mode: str = "auto") -> Callable[..., Any]:
    r"""The function that computes all first derivatives of `fn`.

    Formula: jacobian(f)(x)[i, k] = df_i / dx_k, of shape f(x).shape + x.shape.

    Args:
        fn, argnums, has_aux: as in `tn.grad`, but `fn` may return tensors of any shape, in containers.
        mode: 'reverse' does one backward pass per element of the output, 'forward' one product per element of the
            input; 'auto' takes the cheaper one.

    Returns:
        A function with the arguments of `fn`. It returns the structure of the output, in each place of which
        stands the structure of the arguments; with `has_aux`, a pair of that and the rest.

    Raises:
        TypeError: as in `tn.grad`.
        ValueError: `mode` is none of the three.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.jacobian(lambda x: x * x)(tn.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """
    _check(fn, "jacobian")
    if mode not in ("auto", "reverse", "forward"):
        raise ValueError(f"jacobian: mode is 'auto', 'reverse' or 'forward', got {mode!r}")

    @_named(fn)
    def derivative(*args, **kwargs):
        run = Run("jacobian", fn, args, kwargs, argnums, has_aux)
        forward = mode == "forward" or mode == "auto" and run.prefers_forward()
        rows = run.columns_of_jacobian() if forward else run.rows_of_jacobian()
        matrix = unflatten(run.structure, [run.arguments(row) for row in rows])
        return (matrix, run.aux) if has_aux else matrix
    return derivative


def hessian(fn: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    r"""The function that computes all second derivatives of `fn`, a function with one number as its result.

    Formula: hessian(f)(x)[i, k] = d^2 f / (dx_i dx_k), of shape x.shape + x.shape.

    Args:
        fn, argnums, has_aux: as in `tn.grad`.

    Returns:
        A function with the arguments of `fn`. It returns the structure of the arguments, in each place of which
        stands that structure again; with `has_aux`, a pair of that and the rest.

    Raises:
        TypeError: as in `tn.grad`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.hessian(lambda x: x[0] ** 2 * x[1])(tn.tensor([1.0, 3.0]))
        tensor([[6., 2.],
                [2., 0.]])
    """
    return jacobian(grad(fn, argnums, has_aux), argnums, has_aux, mode="reverse")


def hvp(fn: Callable[..., Any], args: Any, vectors: Any) -> Any:
    r"""The Hessian of `fn` times a vector, without the Hessian.

    Formula: result = H v with H = d^2 f / dx^2, as the gradient of <df/dx, v>.

    For many products at one point, `_, pull = tn.vjp(tn.grad(fn), x)` records the gradient once and
    `pull(v)` is each product.

    Args:
        fn: a function of tensors (or nested containers) that returns a Tensor of one element.
        args: a tuple of its arguments, or the only one.
        vectors: the vector, in the structure and shapes of `args`.

    Returns:
        The product, in the structure of `args`.

    Raises:
        TypeError: `fn` is not a function, does not return one number, or an argument is not floating.
        ValueError: vectors of another structure or shape than the arguments.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.hvp(lambda x: x[0] ** 2 * x[1], tn.tensor([1.0, 3.0]), tn.tensor([1.0, 0.0]))
        tensor([6., 2.])
    """
    _check(fn, "hvp")
    run = Run("hvp", grad(fn, _several(args)[2]), *_several(args), has_aux=False)
    products = run.pull(match(vectors, flatten(args)[1], run.fresh, "vectors"), retain=False)
    return run.arguments(products)


def _check(fn, what):
    if not callable(fn):
        advice = "; for tensors that are already computed use tn.autograd.grad(outputs, inputs)"
        raise TypeError(f"{what}: expected a function, got {describe(fn)}{advice if isinstance(fn, Tensor) else ''}")


def _named(fn):
    return functools.wraps(fn, assigned=("__module__", "__name__", "__qualname__"), updated=())


def _several(args: Any) -> tuple[tuple, dict, Any]:
    """A tuple of arguments, or the only one, in the order (args, kwargs, argnums) of `Run`."""
    return (args, {}, tuple(range(len(args)))) if isinstance(args, tuple) else ((args,), {}, 0)
