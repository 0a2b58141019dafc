"""Stochastic gradient descent with momentum in its several forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .optimizer import Optimizer
from .options import in_range

if TYPE_CHECKING:
    from .optimizer import Params


class SGD(Optimizer):
    r"""Stochastic gradient descent.

    Formula (PyTorch's momentum): b <- momentum * b + (1 - dampening) * g, with b = g at the first step;
    p <- p - lr * b, or with `nesterov` p <- p - lr * (g + momentum * b). `weight_decay` adds weight_decay * p to g.

    With `ema=True`, the form of the notes: m <- momentum * m + (1 - momentum) * g with m = 0 at first; p <- p - lr * m.
    It is the same path as plain momentum with lr * (1 - momentum). With `nesterov` the gradient is taken where
    momentum will carry the parameters, and the parameters held are that point:
    p <- p - lr * (momentum * m + (1 - momentum) * g).

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr: step size, >= 0.
        momentum: in [0, 1).
        dampening: in [0, 1]; 0 with `nesterov`.
        weight_decay: factor of the L2 penalty weight_decay / 2 * |p|^2, >= 0.
        nesterov: look ahead.
        maximize: ascend.
        foreach, differentiable, fused: PyTorch's, without effect; `differentiable` must be False.
        ema: momentum as an exponential moving average.

    Raises:
        ValueError: an option is out of range, or `nesterov` comes without momentum or with dampening.

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning";
        UDL 6.2 to 6.3 (equations 6.11 and 6.12).

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, 2.0], requires_grad=True)
        >>> opt = tn.optim.SGD([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([0.8000, 1.6000], requires_grad=True)
    """

    hints = {"foreach": None, "differentiable": False, "fused": None}
    own = {"ema": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        ema: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "ema": ema,
            },
            differentiable,
        )

    def check(self, group):
        in_range("lr", group["lr"], 0)
        in_range("momentum", group["momentum"], 0)
        in_range("weight_decay", group["weight_decay"], 0)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                f"nesterov: needs momentum > 0 and dampening = 0, got momentum {group['momentum']}, "
                f"dampening {group['dampening']}"
            )
        if group["ema"] and (group["dampening"] != 0 or group["momentum"] >= 1):
            raise ValueError(
                f"ema: needs dampening = 0 and momentum < 1, got dampening {group['dampening']}, "
                f"momentum {group['momentum']}"
            )

    def states_for(self, group):
        return ("momentum_buffer",) if group["momentum"] else ()

    def update(self, xp, p, g, state, t, group):
        lr, beta = group["lr"], group["momentum"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        if beta:
            b = state["momentum_buffer"]
            gain = 1 - beta if group["ema"] else 1 if t == 1 else 1 - group["dampening"]
            b *= beta
            b += gain * g if gain != 1 else g
            g = (beta * b + (gain if group["ema"] else 1) * g) if group["nesterov"] else b
        p -= lr * g

    def states_unused(self, group):
        return ("momentum_buffer",)

    def write_entry(self, kept):
        return dict(kept.arrays)


class NormalizedGD(Optimizer):
    r"""Gradient descent by the sign of the gradient: every coordinate moves by `lr`.

    Formula: p <- p - lr * g / (sqrt(g^2) + eps).

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr: step size, >= 0.
        eps: keeps the step of a vanishing gradient finite, >= 0.

    Raises:
        ValueError: an option is out of range.

    Source: UDL 6.4, equation 6.13.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -20.0], requires_grad=True)
        >>> opt = tn.optim.NormalizedGD([w], lr=0.5)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([  0.5000, -19.5000], requires_grad=True)
    """

    def __init__(self, params: Params, lr: float = 1e-3, eps: float = 1e-8) -> None:
        super().__init__(params, {"lr": lr, "eps": eps})

    def check(self, group):
        in_range("lr", group["lr"], 0)
        in_range("eps", group["eps"], 0)

    def update(self, xp, p, g, state, t, group):
        p -= group["lr"] * g / (xp.abs(g) + group["eps"])
