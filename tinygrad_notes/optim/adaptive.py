"""Step sizes from the history of each coordinate, without momentum of the first order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .optimizer import Optimizer
from .options import in_range

if TYPE_CHECKING:
    from .optimizer import Params


class RMSprop(Optimizer):
    r"""Gradient divided by its running root mean square.

    Formula: v <- alpha v + (1 - alpha) g^2; step = g / (sqrt(v) + eps); with `centered`, sqrt(v - a^2) where
    a <- alpha a + (1 - alpha) g; with momentum b <- momentum b + step and p <- p - lr b, else p <- p - lr step.

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr: step size, >= 0.
        alpha: decay of the mean square, in [0, 1).
        eps: added to the root, >= 0.
        weight_decay: factor of the L2 penalty, >= 0.
        momentum: >= 0.
        centered: use the variance in place of the mean square.
        maximize: ascend.
        eps_inside: sqrt(v + eps) in place of sqrt(v) + eps.
        foreach, capturable, differentiable: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Hinton 2012, lecture 6e; Graves 2013, "Generating sequences with recurrent neural networks" (centered).

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.RMSprop([w], lr=0.01)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    hints = {"foreach": None, "capturable": False, "differentiable": False}
    own = {"eps_inside": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        *,
        eps_inside: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
                "eps_inside": eps_inside,
            },
            differentiable,
        )

    def check(self, group):
        in_range("lr", group["lr"], 0)
        in_range("alpha", group["alpha"], 0)
        in_range("eps", group["eps"], 0)
        in_range("weight_decay", group["weight_decay"], 0)
        in_range("momentum", group["momentum"], 0)

    def states_for(self, group):
        return (
            "square_avg",
            *(["momentum_buffer"] if group["momentum"] else []),
            *(["grad_avg"] if group["centered"] else []),
        )

    def states_unused(self, group):
        return ("momentum_buffer", "grad_avg")

    def update(self, xp, p, g, state, t, group):
        alpha, eps = group["alpha"], group["eps"]
        v = state["square_avg"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        v *= alpha
        v += (1 - alpha) * (g * g)
        if group["centered"]:
            a = state["grad_avg"]
            a += (1 - alpha) * (g - a)
            v = v - a * a
        step = g / (xp.sqrt(v + eps) if group["eps_inside"] else xp.sqrt(v) + eps)
        if group["momentum"]:
            b = state["momentum_buffer"]
            b *= group["momentum"]
            b += step
            step = b
        p -= group["lr"] * step


class Adagrad(Optimizer):
    r"""Gradient divided by the root of the sum of all its squares.

    Formula: s <- s + g^2; p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps).

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr: step size, >= 0.
        lr_decay: decay of the step size with the number of steps, >= 0.
        weight_decay: factor of the L2 penalty, >= 0.
        initial_accumulator_value: s at the start, >= 0.
        eps: added to the root, >= 0.
        maximize: ascend.
        foreach, differentiable, fused: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Duchi, Hazan & Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization".

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.Adagrad([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    states = ("sum",)
    hints = {"foreach": None, "differentiable": False, "fused": None}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "maximize": maximize,
            },
            differentiable,
        )

    def check(self, group):
        for name in ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"):
            in_range(name, group[name], 0)

    def update(self, xp, p, g, state, t, group):
        s = state["sum"]
        if t == 1:
            s += group["initial_accumulator_value"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        s += g * g
        p -= group["lr"] / (1 + (t - 1) * group["lr_decay"]) * (g / (xp.sqrt(s) + group["eps"]))


class Adadelta(Optimizer):
    r"""A step in units of the parameter: root mean square of past steps over that of gradients.

    Formula: v <- rho v + (1 - rho) g^2; d = sqrt(u + eps) / sqrt(v + eps) g; u <- rho u + (1 - rho) d^2; p <- p - lr d.

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr: factor of the step, >= 0.
        rho: decay of the averages, in [0, 1].
        eps: keeps the roots from zero, >= 0.
        weight_decay: factor of the L2 penalty, >= 0.
        maximize: ascend.
        foreach, capturable, differentiable: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Zeiler 2012, "ADADELTA: an adaptive learning rate method", algorithm 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.Adadelta([w])
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.9968, -1.9968], requires_grad=True)
    """

    states = ("square_avg", "acc_delta")
    hints = {"foreach": None, "capturable": False, "differentiable": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        options = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options, differentiable)

    def check(self, group):
        in_range("rho", group["rho"], 0, 1)
        for name in ("lr", "eps", "weight_decay"):
            in_range(name, group[name], 0)

    def update(self, xp, p, g, state, t, group):
        rho, eps = group["rho"], group["eps"]
        v, u = state["square_avg"], state["acc_delta"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        v *= rho
        v += (1 - rho) * (g * g)
        d = xp.sqrt(u + eps) / xp.sqrt(v + eps) * g
        u *= rho
        u += (1 - rho) * (d * d)
        p -= group["lr"] * d


class Rprop(Optimizer):
    r"""Step sizes that grow while the sign of the gradient stays and shrink where it turns.

    Formula: if g g_prev > 0: s <- min(s eta+, s_max); if < 0: s <- max(s eta-, s_min) and g = 0; p <- p - sign(g) s.

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr: the first step size, >= 0.
        etas: (eta-, eta+), 0 < eta- < 1 < eta+.
        step_sizes: (s_min, s_max).
        maximize: ascend.
        foreach, capturable, differentiable: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Riedmiller & Braun 1993, "A direct adaptive method for faster backpropagation learning".

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.Rprop([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    states = ("prev", "step_size")
    hints = {"foreach": None, "capturable": False, "differentiable": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        options = {"lr": lr, "etas": tuple(etas), "step_sizes": tuple(step_sizes), "maximize": maximize}
        super().__init__(params, options, differentiable)

    def check(self, group):
        in_range("lr", group["lr"], 0)
        in_range("etas[0]", group["etas"][0], 0, 1, low_open=True, high_open=True)
        in_range("etas[1]", group["etas"][1], 1, low_open=True)

    def update(self, xp, p, g, state, t, group):
        (down, up), (smallest, largest) = group["etas"], group["step_sizes"]
        prev, s = state["prev"], state["step_size"]
        if t == 1:
            s += group["lr"]
        agree = g * prev
        s *= xp.where(agree > 0, up, xp.where(agree < 0, down, 1.0)).astype(s.dtype)
        s[...] = xp.clip(s, smallest, largest)
        g = xp.where(agree < 0, xp.zeros_like(g), g)
        p -= xp.sign(g) * s
        prev[...] = g


class ASGD(Optimizer):
    r"""Averaged stochastic gradient descent.

    Formula: p <- (1 - lambd eta) p - eta g; ax <- ax + mu (p - ax);
    eta = lr / (1 + lambd lr t)^alpha and mu = 1 / max(1, t - t0) are computed at the end of step t for the next.

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr: step size at the start, >= 0.
        lambd: decay term, >= 0.
        alpha: power of the step size's decay.
        t0: the step at which averaging begins.
        weight_decay: factor of the L2 penalty, >= 0.
        maximize: ascend.
        foreach, capturable, differentiable: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging".

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.ASGD([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.8000, -1.6000], requires_grad=True)
    """

    states = ("ax",)
    hints = {"foreach": None, "capturable": False, "differentiable": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "maximize": maximize},
            differentiable,
        )

    def check(self, group):
        for name in ("lr", "lambd", "weight_decay"):
            in_range(name, group[name], 0)

    def numbers_for(self, group):
        return {"eta": group["lr"], "mu": 1.0}

    def numbers_at(self, numbers, t, group):
        lr = group["lr"]
        eta = lr / (1 + group["lambd"] * lr * t) ** group["alpha"]
        return numbers, {"eta": eta, "mu": 1 / max(1, t - group["t0"])}

    def update(self, xp, p, g, state, t, group):
        ax = state["ax"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        p *= 1 - group["lambd"] * state["eta"]
        p -= state["eta"] * g
        ax += state["mu"] * (p - ax)


class Lion(Optimizer):
    r"""The sign of an interpolation between momentum and gradient.

    Formula: p <- (1 - lr weight_decay) p - lr sign(b1 m + (1 - b1) g); m <- b2 m + (1 - b2) g.

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr: step size, >= 0; about a tenth of Adam's.
        betas: each in [0, 1).
        weight_decay: decoupled, >= 0.
        maximize: ascend.

    Raises:
        ValueError: an option is out of range.

    Source: Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.Lion([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    states = ("exp_avg",)

    def __init__(
        self,
        params: Params,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "weight_decay": weight_decay, "maximize": maximize})

    def check(self, group):
        in_range("lr", group["lr"], 0)
        in_range("weight_decay", group["weight_decay"], 0)
        for k, beta in enumerate(group["betas"]):
            in_range(f"betas[{k}]", beta, 0, 1, high_open=True)

    def update(self, xp, p, g, state, t, group):
        (b1, b2), m = group["betas"], state["exp_avg"]
        p *= 1 - group["lr"] * group["weight_decay"]
        p -= group["lr"] * xp.sign(m + (1 - b1) * (g - m))
        m += (1 - b2) * (g - m)
