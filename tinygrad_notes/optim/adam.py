"""Adam and its relatives: steps scaled by running moments of the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .optimizer import Optimizer
from .options import in_range

if TYPE_CHECKING:
    from .optimizer import Params


def check_moments(group):
    """The ranges that the options of all optimizers of this family share."""
    in_range("lr", group["lr"], 0)
    in_range("eps", group["eps"], 0)
    in_range("weight_decay", group["weight_decay"], 0)
    for k, beta in enumerate(group["betas"]):
        in_range(f"betas[{k}]", beta, 0, 1, high_open=True)


class Adam(Optimizer):
    r"""Adaptive moment estimation.

    Formula: m <- b1 m + (1 - b1) g; v <- b2 v + (1 - b2) g^2; m' = m / (1 - b1^t); v' = v / (1 - b2^t);
    p <- p - lr m' / (sqrt(v') + eps). With `amsgrad`, v' uses the largest v so far.

    `weight_decay` adds weight_decay * p to g, as in PyTorch: the penalty is then rescaled like the gradient and is
    not the same as decaying the weights. For that use AdamW or `decoupled_weight_decay=True`.

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr: step size, >= 0.
        betas: decay of the two moments, each in [0, 1).
        eps: added to the root, >= 0.
        weight_decay: >= 0; see above.
        amsgrad: keep the largest second moment.
        maximize: ascend.
        decoupled_weight_decay: multiply p by 1 - lr * weight_decay instead.
        bias_correction: False leaves m' = m and v' = v.
        eps_inside: sqrt(v' + eps) in place of sqrt(v') + eps.
        foreach, capturable, differentiable, fused: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1; Reddi et al. 2018 (AMSGrad).

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.Adam([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    hints = {"foreach": None, "capturable": False, "differentiable": False, "fused": None}
    own = {"bias_correction": True, "eps_inside": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        bias_correction: bool = True,
        eps_inside: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
                "bias_correction": bias_correction,
                "eps_inside": eps_inside,
            },
            differentiable,
        )

    def check(self, group):
        check_moments(group)

    def states_for(self, group):
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def states_unused(self, group):
        return ("max_exp_avg_sq",)

    def update(self, xp, p, g, state, t, group):
        lr, (b1, b2), eps, decay = group["lr"], group["betas"], group["eps"], group["weight_decay"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        if decay and group["decoupled_weight_decay"]:
            p *= 1 - lr * decay
        elif decay:
            g = g + decay * p
        part = g - m  # the one array that is made
        part *= 1 - b1
        m += part
        v *= b2
        part = xp.multiply(g, g, out=part)
        part *= 1 - b2
        v += part
        if group["amsgrad"]:
            v = xp.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
        c1, c2 = (1 - b1**t, 1 - b2**t) if group["bias_correction"] else (1, 1)
        if group["eps_inside"]:
            root = xp.sqrt(v / c2 + eps)
        else:
            root = xp.sqrt(v, out=part)
            root *= c2**-0.5
            root += eps
        step = xp.divide(m, root, out=root)
        step *= lr / c1
        p -= step


class AdamW(Adam):
    r"""Adam with decoupled weight decay.

    Formula: p <- (1 - lr * weight_decay) p, then Adam's step without the penalty.

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr, betas, eps, amsgrad, maximize, bias_correction, eps_inside: as in Adam.
        weight_decay: share of the weights that lr = 1 would remove per step, >= 0.
        foreach, capturable, differentiable, fused: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Loshchilov & Hutter 2019, "Decoupled weight decay regularization", algorithm 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.AdamW([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.8990, -1.8980], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        bias_correction: bool = True,
        eps_inside: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            differentiable=differentiable,
            decoupled_weight_decay=True,
            bias_correction=bias_correction,
            eps_inside=eps_inside,
        )


class Adamax(Optimizer):
    r"""Adam with the largest gradient so far in place of the second moment.

    Formula: m <- b1 m + (1 - b1) g; u <- max(b2 u, |g| + eps); p <- p - lr / (1 - b1^t) m / u.

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr, betas, eps, maximize: as in Adam.
        weight_decay: factor of the L2 penalty, >= 0.
        foreach, capturable, differentiable: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Kingma & Ba 2015, algorithm 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.Adamax([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    states = ("exp_avg", "exp_inf")
    hints = {"foreach": None, "capturable": False, "differentiable": False}

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options, differentiable)

    def check(self, group):
        check_moments(group)

    def update(self, xp, p, g, state, t, group):
        b1, b2 = group["betas"]
        m, u = state["exp_avg"], state["exp_inf"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        m += (1 - b1) * (g - m)
        u[...] = xp.maximum(b2 * u, xp.abs(g) + group["eps"])
        p -= group["lr"] / (1 - b1**t) * (m / u)


class RAdam(Optimizer):
    r"""Adam that waits with its adaptive step until the second moment is reliable.

    Formula: r_inf = 2 / (1 - b2) - 1; r_t = r_inf - 2 t b2^t / (1 - b2^t); if r_t > 5 the step is
    lr m' sqrt((r_t - 4)(r_t - 2) r_inf / ((r_inf - 4)(r_inf - 2) r_t)) sqrt(1 - b2^t) / (sqrt(v) + eps), else lr m'.

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr, betas, eps, weight_decay, maximize: as in Adam.
        decoupled_weight_decay: decay the weights themselves, as AdamW does.
        foreach, capturable, differentiable: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Liu et al. 2020, "On the variance of the adaptive learning rate and beyond", algorithm 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.RAdam([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w
        tensor([ 0.8000, -1.6000], requires_grad=True)
    """

    states = ("exp_avg", "exp_avg_sq")
    hints = {"foreach": None, "capturable": False, "differentiable": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
            differentiable,
        )

    def check(self, group):
        check_moments(group)

    def update(self, xp, p, g, state, t, group):
        lr, (b1, b2), decay = group["lr"], group["betas"], group["weight_decay"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        if decay and group["decoupled_weight_decay"]:
            p *= 1 - lr * decay
        elif decay:
            g = g + decay * p
        m += (1 - b1) * (g - m)
        v += (1 - b2) * (g * g - v)
        limit = 2 / (1 - b2) - 1
        length = limit - 2 * t * b2**t / (1 - b2**t)
        step = m / (1 - b1**t)
        if length > 5:
            trust = ((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)) ** 0.5
            step *= trust * (1 - b2**t) ** 0.5 / (xp.sqrt(v) + group["eps"])
        p -= lr * step


class NAdam(Optimizer):
    r"""Adam with Nesterov's look ahead.

    Formula: mu_t = b1 (1 - 0.96^(t d) / 2), d = momentum_decay; P_t = mu_1 ... mu_t; v' = v / (1 - b2^t);
    p <- p - lr ((1 - mu_t) / (1 - P_t) g + mu_(t+1) / (1 - P_(t+1)) m) / (sqrt(v') + eps).

    Args:
        params: Tensors, or dicts of Tensors and options.
        lr, betas, eps, weight_decay, maximize: as in Adam.
        momentum_decay: d in the formula, >= 0.
        decoupled_weight_decay: decay the weights themselves, as AdamW does.
        foreach, capturable, differentiable: PyTorch's, without effect; `differentiable` must be False.

    Raises:
        ValueError: an option is out of range.

    Source: Dozat 2016, "Incorporating Nesterov momentum into Adam", algorithm 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, -2.0], requires_grad=True)
        >>> opt = tn.optim.NAdam([w], lr=0.1)
        >>> (w * w).sum().backward(); opt.step(); w.shape
        (2,)
    """

    states = ("exp_avg", "exp_avg_sq")
    hints = {"foreach": None, "capturable": False, "differentiable": False}

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
            differentiable,
        )

    def check(self, group):
        check_moments(group)
        in_range("momentum_decay", group["momentum_decay"], 0)

    def numbers_for(self, group):
        return {"mu_product": 1.0}

    def numbers_at(self, numbers, t, group):
        product = {"mu_product": numbers["mu_product"] * _momentum(t, group)}
        return product, product

    def update(self, xp, p, g, state, t, group):
        lr, (b1, b2), decay = group["lr"], group["betas"], group["weight_decay"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        if decay and group["decoupled_weight_decay"]:
            p *= 1 - lr * decay
        elif decay:
            g = g + decay * p
        mu, mu_next, product = _momentum(t, group), _momentum(t + 1, group), state["mu_product"]
        m += (1 - b1) * (g - m)
        v += (1 - b2) * (g * g - v)
        root = xp.sqrt(v / (1 - b2**t)) + group["eps"]
        p -= lr * (1 - mu) / (1 - product) * (g / root)
        p -= lr * mu_next / (1 - product * mu_next) * (m / root)


def _momentum(t, group):
    """NAdam's momentum at step `t`."""
    return group["betas"][0] * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"]))
