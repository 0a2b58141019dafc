"""Optimizers that look at a parameter as a matrix: Muon and Adafactor. They update one parameter at a time."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from .optimizer import Optimizer
from .options import in_range, one_of, whole

if TYPE_CHECKING:
    from .optimizer import Params


class Muon(Optimizer):
    r"""Momentum whose direction is made orthogonal: all singular values of a step are about 1.

    Formula: b <- m b + (1 - m) g; u = (1 - m) g + m b with `nesterov`, else b; o = NS(u), nearly U V^T for u = U S V^T;
    p <- (1 - lr weight_decay) p - lr c o. With adjust_lr_fn 'original' c = sqrt(max(1, rows / columns)), with
    'match_rms_adamw' c = 0.2 sqrt(max(rows, columns)). NS: x = u / |u|, then `ns_steps` times
    x <- (a + b A + c A A) x with A = x x^T.

    It is meant for the weights of hidden layers. Biases, gains, embeddings and the last layer are better left to AdamW.

    Args:
        params: 2-D Tensors, or dicts of Tensors and options.
        lr: step size, >= 0.
        weight_decay: decoupled, >= 0.
        momentum: >= 0.
        nesterov: look ahead.
        ns_coefficients: (a, b, c) of the iteration.
        eps: the least norm that is divided by, >= 0.
        ns_steps: number of iterations, an int in [0, 100).
        adjust_lr_fn: None, 'original' or 'match_rms_adamw'; None is 'original'.
        ns_dtype: 'bfloat16' rounds the iteration as PyTorch does; None iterates in the dtype of the parameter.

    Raises:
        ValueError: an option is out of range, or a parameter is no matrix.

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; Liu et al. 2025, "Muon is
        scalable for LLM training" ('match_rms_adamw').

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([[3.0, 0.0], [0.0, 0.01]], requires_grad=True)
        >>> opt = tn.optim.Muon([w], lr=0.1, weight_decay=0)
        >>> (w * w).sum().backward(); opt.step()
        >>> bool((w.diagonal() < tn.tensor([2.95, 0.0])).all())  # the small one moves as much as the large one
        True
    """

    states = ("momentum_buffer",)
    whole = True
    steering = ("ns_steps",)
    own = {"ns_dtype": "bfloat16"}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
        *,
        ns_dtype: str | None = "bfloat16",
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": tuple(ns_coefficients),
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
                "ns_dtype": ns_dtype,
            },
        )

    def check(self, group):
        for name in ("lr", "weight_decay", "momentum", "eps"):
            in_range(name, group[name], 0)
        whole("ns_steps", group["ns_steps"], 0)
        in_range("ns_steps", group["ns_steps"], 0, 100, high_open=True)
        one_of("adjust_lr_fn", group["adjust_lr_fn"], (None, "original", "match_rms_adamw"))
        one_of("ns_dtype", group["ns_dtype"], (None, "bfloat16"))
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(f"ns_coefficients: expected 3 numbers, got {group['ns_coefficients']!r}")
        for k, p in enumerate(group["params"]):
            if getattr(p, "ndim", 2) != 2:
                raise ValueError(f"params[{k}]: Muon is for matrices, this parameter has shape {p.shape}; "
                                 "give it to AdamW")

    def write_entry(self, kept):
        return dict(kept.arrays)

    def update(self, xp, p, g, state, t, group):
        lr, momentum, b = group["lr"], group["momentum"], state["momentum_buffer"]
        b += (1 - momentum) * (g - b)
        u = g + momentum * (b - g) if group["nesterov"] else b
        o = orthogonal(xp, u, group["ns_coefficients"], group["ns_steps"], group["eps"], group["ns_dtype"])
        rows, columns = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            scale = 0.2 * sqrt(max(rows, columns))
        else:
            scale = sqrt(max(1, rows / max(columns, 1)))
        p *= 1 - lr * group["weight_decay"]
        p -= lr * scale * o.astype(p.dtype)


def orthogonal(xp, u, coefficients, steps, eps, dtype):
    """Move the singular values of the matrix `u` towards 1 by Newton-Schulz iteration.

    Args:
        xp: the array functions.
        u: (n, m).
        coefficients: (a, b, c) of the polynomial a s + b s^3 + c s^5 that each step applies to the singular values.
        steps: how many.
        eps: the least norm that is divided by.
        dtype: 'bfloat16' to round every product to it, or None.

    Returns:
        (n, m), in float32 if rounded.
    """
    a, b, c = coefficients
    rounded = xp.round_bfloat16 if dtype == "bfloat16" else _same
    x = rounded(u.T if u.shape[0] > u.shape[1] else u)
    norm = rounded(xp.sqrt(xp.sum(xp.square(x, dtype=xp.float64))).astype(x.dtype))
    x = rounded(x / xp.maximum(norm, eps))
    for _ in range(steps):
        gram = rounded(x @ x.T)
        gram = rounded(b * gram + c * (gram @ gram))
        x = rounded(a * x + gram @ x)
    return x.T if u.shape[0] > u.shape[1] else x


def _same(x):
    return x


class Adafactor(Optimizer):
    r"""Adam's second moment from the means of its rows and columns alone, without a first moment.

    Formula: k = t^beta2_decay; r <- r + k (mean_columns(g^2) - r); c <- c + k (mean_rows(g^2) - c);
    v = r c / max(mean(r), eps1), for parameters of one axis v <- v + k (g^2 - v); u = g / max(sqrt(v), eps1);
    p <- (1 - lr weight_decay) p - max(eps2, rms(p)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / d).

    Args:
        params: Tensors, or dicts of Tensors and options; of more than two axes the last two are factored.
        lr: the largest relative step size, >= 0.
        beta2_decay: power by which the averages slow down, <= 0.
        eps: (eps1, eps2) of the formula, >= 0; eps1 None is the spacing of numbers near 1.
        d: the largest root mean square of a step, >= 1.
        weight_decay: decoupled, >= 0.
        foreach: PyTorch's, without effect.
        maximize: ascend.

    Raises:
        ValueError: an option is out of range.

    Source: Shazeer & Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost", algorithms 4 and 5,
        with eps1 where PyTorch has it.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.ones((300, 200), requires_grad=True)
        >>> opt = tn.optim.Adafactor([w])
        >>> (w * w).sum().backward(); opt.step()
        >>> {name: array.shape for name, array in opt.state[w].items()}
        {'step': (), 'row_var': (300, 1), 'col_var': (1, 200)}
    """

    states = ("row_var", "col_var", "variance")
    whole = True
    hints = {"foreach": None}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": tuple(eps),
                "d": d,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def check(self, group):
        in_range("lr", group["lr"], 0)
        in_range("weight_decay", group["weight_decay"], 0)
        in_range("beta2_decay", -group["beta2_decay"], 0)
        in_range("d", group["d"], 1)
        if group["eps"][0] is not None:
            in_range("eps[0]", group["eps"][0], 0)
        in_range("eps[1]", group["eps"][1], 0)

    def state_shape(self, name, shape):
        if len(shape) < 2:
            return shape if name == "variance" else None
        return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}.get(name)

    def update(self, xp, p, g, state, t, group):
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = float(xp.finfo(p.dtype).eps)
        share, squares = t ** group["beta2_decay"], g * g
        size = xp.maximum(_rms(xp, p), eps2) * min(group["lr"], t**-0.5)
        if group["weight_decay"]:
            p *= 1 - group["lr"] * group["weight_decay"]
        if p.ndim > 1:
            r, c = state["row_var"], state["col_var"]
            r += share * (xp.mean(squares, axis=-1, keepdims=True) - r)
            c += share * (xp.mean(squares, axis=-2, keepdims=True) - c)
            v = r * c  # (..., n, 1), (..., 1, m) -> (..., n, m)
            v /= xp.maximum(xp.mean(r, axis=-2, keepdims=True), eps1)
        else:
            v = state["variance"]
            v += share * (squares - v)
        u = g / xp.maximum(xp.sqrt(v), eps1)
        p -= (size / xp.maximum(_rms(xp, u) / group["d"], 1.0)) * u


def _rms(xp, x):
    return xp.sqrt(xp.mean(x * x))
