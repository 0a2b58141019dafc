"""The Hessian by its products with vectors: its extreme eigenvalues, and the steps that they allow."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, no_grad
from ..autograd.transforms import grad, vjp
from ..backend import Generator
from .parameters import of_vector

if TYPE_CHECKING:
    from collections.abc import Callable


def lanczos(product: Callable[[Tensor], Tensor], start: Tensor, steps: int) -> Tensor:
    r"""Approximate eigenvalues of a symmetric map from its products with vectors.

    Formula: the eigenvalues of the tridiagonal matrix T = Q^T A Q, with Q an orthonormal basis of
    span(q, A q, ..., A^(m-1) q). Its largest and smallest approach those of A from inside, and are exact when m is the
    number of different eigenvalues that q has a part in.

    Args:
        product: v -> A v, for Tensors (n,).
        start: q, (n,), not zero.
        steps: the largest m, an int >= 1.

    Returns:
        A Tensor of at most `steps` numbers, rising.

    Raises:
        ValueError: `start` is zero or no vector, or `steps` is out of range.

    Source: Lanczos 1950; Golub & Van Loan, "Matrix computations", section 10.1. All vectors are made orthogonal to
        all earlier ones, twice.

    Example:
        >>> import tinygrad_notes as tn
        >>> scale = tn.tensor([1.0, 2.0, 5.0])
        >>> tn.analysis.lanczos(lambda v: scale * v, tn.ones(3), 3)
        tensor([1.0000, 2.0000, 5.0000])
    """
    if start.ndim != 1 or isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"start, steps: expected a vector and an int >= 1, got shape {start.shape}, {steps!r}")
    with no_grad():
        norm = _norm(start)
        if not norm > 0:
            raise ValueError("start: the vector is zero")
        basis: list[Tensor] = [start / norm]
        diagonal: list[float] = []
        beside: list[float] = []
        size = 0.0
        for _ in range(min(steps, start.size)):
            w = product(basis[-1])
            diagonal.append(ops.vecdot(basis[-1], w).item())
            size = max(size, abs(diagonal[-1]), *beside[-1:])
            rows = ops.stack(basis)
            for _ in range(2):
                w = w - (rows @ w) @ rows
            norm = _norm(w)
            if not norm > 1e3 * ops.finfo(start.dtype).eps * size:  # the space is closed under A
                break
            beside.append(norm)
            basis.append(w / norm)
        m = len(diagonal)
        matrix = ops.diag(ops.asarray(diagonal, dtype="float64"))
        if m > 1:
            side = ops.diag(ops.asarray(beside[: m - 1], dtype="float64"), 1)
            matrix = matrix + side + side.T
        return ops.linalg.eigvalsh(matrix).astype(start.dtype)


def hessian_extremes(loss: Callable[[Any], Tensor], params: Any, iterations: int = 100, tolerance: float = 1e-6,
                     generator: Any = 0) -> tuple[float, float]:
    """The smallest and the largest eigenvalue of the Hessian, by Lanczos' method on Hessian-vector products.

    Args:
        loss: a function of the parameters that returns one number.
        params: where: a Tensor, or nested containers of Tensors.
        iterations: the most products with the Hessian.
        tolerance: stop when neither moves by more than this share of the larger one, when m grows by a half.
        generator: the stream or seed for the first vector.

    Returns:
        (smallest, largest).

    Raises:
        TypeError: `loss` is no function.

    Example:
        >>> import tinygrad_notes as tn
        >>> low, high = tn.analysis.hessian_extremes(lambda x: x[0]**2 - 3 * x[1]**2, tn.zeros(2))
        >>> round(low, 4), round(high, 4)
        (-6.0, 2.0)
    """
    function, x, _ = of_vector(loss, params)
    product = _hessian_product(function, x)
    start, last, m = _random_like(x, generator), None, 4
    while True:
        m = min(m, iterations, x.size)
        found = lanczos(product, start, m)
        ends = found[0].item(), found[-1].item()
        scale = max(abs(ends[0]), abs(ends[1]))
        settled = last is not None and all(abs(a - b) <= tolerance * scale for a, b in zip(ends, last))
        if settled or len(found) < m or m == min(iterations, x.size):
            return ends
        last, m = ends, m + m // 2


def lambda_max(loss: Callable[[Any], Tensor], params: Any, method: str = "lanczos", iterations: int = 100,
               tolerance: float = 1e-6, generator: Any = 0) -> float:
    r"""The largest eigenvalue of the Hessian of `loss`: its smoothness there, the sharpness of a minimum.

    Formula: max over |v| = 1 of v^T H v. Gradient descent with step e is stable along v while e < 2 / (v^T H v).

    Args:
        loss: a function of the parameters that returns one number.
        params: where: a Tensor, or nested containers of Tensors.
        method: 'lanczos', or 'power': v <- H v / |H v|, which needs more products.
        iterations: the most products with the Hessian.
        tolerance: relative change at which to stop.
        generator: the stream or seed for the first vector.

    Returns:
        The eigenvalue.

    Raises:
        TypeError: `loss` is no function.
        ValueError: unknown method.

    Source: the refsheet on descent, smoothness; Nesterov 2004, "Introductory lectures on convex optimization", 1.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(tn.analysis.lambda_max(lambda x: 3 * x[0]**2 - 5 * x[1]**2, tn.zeros(2), method="power"), 4)
        6.0
    """
    if method == "lanczos":
        return hessian_extremes(loss, params, iterations, tolerance, generator)[1]
    if method != "power":
        raise ValueError(f"method: expected 'lanczos' or 'power', got {method!r}")
    function, x, _ = of_vector(loss, params)
    product = _hessian_product(function, x)
    with no_grad():
        largest = _power(product, _random_like(x, generator), iterations, tolerance)
        if largest >= 0:
            return largest
        # The largest in size is negative: moved up by it, all are positive.
        return _power(lambda v: product(v) - largest * v, _random_like(x, generator), iterations, tolerance) + largest


def max_stable_step(loss: Callable[[Any], Tensor], params: Any) -> float:
    r"""The step along the negative gradient at which a quadratic loss is as high as at its beginning.

    Formula: 2 g^T g / (g^T H g); infinite where the loss bends down along g. It is never less than 2 / lambda_max(H).

    Args:
        loss: a function of the parameters that returns one number.
        params: where: a Tensor, or nested containers of Tensors.

    Returns:
        The step size.

    Raises:
        TypeError: `loss` is no function.

    Source: the refsheet on descent: L(w - e g) = L(w) - e g^T g + e^2 / 2 g^T H g.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.max_stable_step(lambda x: 2 * (x * x).sum(), tn.ones(3))
        0.5
    """
    function, x, _ = of_vector(loss, params)
    g, pull = vjp(grad(function), x)
    (bent,) = pull(g)
    curvature = ops.vecdot(g, bent).item()
    return 2 * ops.vecdot(g, g).item() / curvature if curvature > 0 else math.inf


def _hessian_product(function, x):
    """v -> H v at x; the gradient is recorded once."""
    _, pull = vjp(grad(function), x)
    return lambda v: pull(v)[0].detach()


def _power(product, v, iterations, tolerance):
    v, value = v / _norm(v), 0.0
    for _ in range(iterations):
        w = product(v)
        before, value = value, ops.vecdot(v, w).item()
        norm = _norm(w)
        if norm == 0 or abs(value - before) <= tolerance * abs(value):
            break
        v = w / norm
    return value


def _random_like(x, generator):
    stream = generator if isinstance(generator, Generator) else Generator(generator)
    return ops.normal(x.shape, dtype=x.dtype, device=x.device, generator=stream)


def _norm(v):
    return ops.vecdot(v, v).item() ** 0.5
