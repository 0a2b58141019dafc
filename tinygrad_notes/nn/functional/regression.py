"""Losses between a prediction and a number, and between distributions."""
import math

from ...autograd import as_tensor
from ...ops import abs, exp, log, maximum, pow, square, sum, where, xlogy
from ...ops.losses import holds, huber, mean_square
from .common import check_reduction, number, reduced, same_shape, weighed

__all__ = [
    "gaussian_nll_loss", "huber_loss", "kl_div", "kl_normal", "kl_to_standard_normal", "l1_loss", "lp_loss",
    "mse_loss", "poisson_nll_loss", "smooth_l1_loss",
]


def mse_loss(input, target, reduction="mean", weight=None):
    """The squared difference.

    Formula: l_i = (input_i - target_i)^2; the result is all l_i, their mean or their sum.

    Args:
        input: prediction, floating, any shape.
        target: of the same shape, in the same unit.
        reduction: 'none', 'mean' or 'sum'.
        weight: factor of each l_i, of a shape that broadcasts to it; 'mean' still divides by the number of l_i.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, or the reduction is unknown.

    Source: the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.mse_loss(tn.tensor([1.0, 2.0]), tn.tensor([1.0, 4.0]))
        tensor(2.)
    """
    check_reduction(reduction)
    input, target = same_shape("mse_loss", input, target)
    if reduction == "mean" and weight is None and input.dtype.kind == target.dtype.kind == "f" and input.size:
        return mean_square(input, target)
    return weighed(square(input - target), weight, reduction, "mse_loss")


def l1_loss(input, target, reduction="mean", weight=None):
    """The absolute difference; its derivative at 0 is 0.

    Formula: l_i = |input_i - target_i|.

    Args:
        input: prediction, floating, any shape.
        target: of the same shape.
        reduction: 'none', 'mean' or 'sum'.
        weight: factor of each l_i, of a shape that broadcasts to it.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, or the reduction is unknown.

    Source: the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.l1_loss(tn.tensor([1.0, 2.0]), tn.tensor([1.0, 4.0]))
        tensor(1.)
    """
    check_reduction(reduction)
    input, target = same_shape("l1_loss", input, target)
    return weighed(abs(input - target), weight, reduction, "l1_loss")


def lp_loss(input, target, p=2, reduction="mean"):
    """The p-th power of the absolute difference (the power, not the norm).

    Formula: l_i = |input_i - target_i|^p.

    Args:
        input: prediction, floating, any shape.
        target: of the same shape.
        p: exponent, > 0.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, p <= 0, or the reduction is unknown.

    Source: the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.lp_loss(tn.tensor([1.0, 2.0]), tn.tensor([1.0, 4.0]), p=3, reduction="sum")
        tensor(8.)
    """
    check_reduction(reduction)
    p = number("p", p, 0, low_open=True)
    input, target = same_shape("lp_loss", input, target)
    return reduced(pow(abs(input - target), p), reduction, "lp_loss")


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Squared for small differences, linear for large ones.

    Formula: l_i = d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2), with d = input_i - target_i.

    Args:
        input: prediction, floating, any shape.
        target: of the same shape.
        reduction: 'none', 'mean' or 'sum'.
        delta: where it turns linear, > 0.
        weight: factor of each l_i, of a shape that broadcasts to it.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, delta <= 0, or the reduction is unknown.

    Source: Huber 1964, "Robust estimation of a location parameter".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.huber_loss(tn.tensor([0.5, 4.0]), tn.tensor([0.0, 0.0]), reduction="none")
        tensor([0.1250, 3.5000])
    """
    check_reduction(reduction)
    delta = number("delta", delta, 0, low_open=True)
    input, target = same_shape("huber_loss", input, target)
    return weighed(huber(input - target, delta=delta), weight, reduction, "huber_loss")


def smooth_l1_loss(input, target, reduction="mean", beta=1.0):
    """`huber_loss` divided by its corner: the slope far out is 1.

    Formula: l_i = d^2 / (2 beta) for |d| < beta, else |d| - beta / 2; for beta = 0 it is |d|.

    Args:
        input: prediction, floating, any shape.
        target: of the same shape.
        reduction: 'none', 'mean' or 'sum'.
        beta: where it turns linear, >= 0.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, beta < 0, or the reduction is unknown.

    Source: Girshick 2015, "Fast R-CNN", equation 3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.smooth_l1_loss(tn.tensor([0.5, 4.0]), tn.tensor([0.0, 0.0]), reduction="none")
        tensor([0.1250, 3.5000])
    """
    check_reduction(reduction)
    beta = number("beta", beta, 0)
    input, target = same_shape("smooth_l1_loss", input, target)
    d = input - target
    return reduced(huber(d, delta=beta) / beta if beta else abs(d), reduction, "smooth_l1_loss")


# Likelihoods --------------------------------------------------------------------------
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """The negative log-likelihood of normal targets with predicted mean and variance.

    Formula: l_i = (log v + (input_i - target_i)^2 / v) / 2, v = max(var_i, eps); `full` adds log(2 pi) / 2.

    Args:
        input: predicted mean, floating, any shape.
        target: of the same shape.
        var: predicted variance, >= 0: a number, or a Tensor of the shape of `input`, of that shape with 1 in place of
            one size, or without its last axis. Where `eps` replaces it, its gradient is that of v.
        full: add the constant.
        eps: smallest variance, > 0.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: shapes do not fit, a variance is negative, eps <= 0, or the reduction is unknown.

    Source: Nix and Weigend 1994, "Estimating the mean and variance of the target probability distribution".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.gaussian_nll_loss(tn.tensor([1.0]), tn.tensor([3.0]), tn.tensor([4.0]))
        tensor(1.1931)
    """
    check_reduction(reduction)
    eps = number("eps", eps, 0, low_open=True)
    input, target = same_shape("gaussian_nll_loss", input, target)
    var = 0 * input.detach() + var if isinstance(var, (int, float)) else as_tensor(var, like=input)
    if var.shape == input.shape[:-1] != input.shape:
        var = var.reshape(*var.shape, 1)
    if var.ndim != input.ndim or [v for n, v in zip(input.shape, var.shape) if n != v] not in ([], [1]):
        raise ValueError(f"gaussian_nll_loss: var: expected shape {input.shape}, with at most one axis of length 1, or "
                         f"{input.shape[:-1]}, got {var.shape}")
    if not holds(var.data >= 0):
        raise ValueError(f"gaussian_nll_loss: var must not be negative, its smallest value is {float(var.min())}")
    var = var + (maximum(var, eps) - var).detach()
    loss = 0.5 * (log(var) + square(input - target) / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction, "gaussian_nll_loss")


def poisson_nll_loss(input, target, log_input=True, full=False, eps=1e-8, reduction="mean"):
    """The negative log-likelihood of counts with a predicted rate.

    Formula: l_i = e^input_i - target_i input_i, or without `log_input` input_i - target_i log(input_i + eps); `full`
        adds Stirling's t log t - t + log(2 pi t) / 2 where t = target_i > 1.

    Args:
        input: predicted log-rate (nats), or rate; floating, any shape.
        target: counts, of the same shape.
        log_input: whether `input` is the logarithm of the rate.
        full: add Stirling's approximation of log(target!).
        eps: added to the rate before its logarithm, > 0.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, eps <= 0, or the reduction is unknown.

    Source: PyTorch's definition; UDL, table 5.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.poisson_nll_loss(tn.tensor([0.0]), tn.tensor([2.0]))
        tensor(1.)
    """
    check_reduction(reduction)
    eps = number("eps", eps, 0, low_open=True)
    input, target = same_shape("poisson_nll_loss", input, target)
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        counted = target > 1
        t = where(counted, target, 1.0)
        loss = loss + where(counted, t * log(t) - t + 0.5 * log(2 * math.pi * t), 0.0)
    return reduced(loss, reduction, "poisson_nll_loss")


# Divergences --------------------------------------------------------------------------
def kl_div(input, target, reduction="mean", log_target=False):
    """The pointwise terms of the Kullback-Leibler divergence of `target` from the model, KL(target || input).

    Formula: l_i = target_i (log target_i - input_i), 0 where target_i = 0; with `log_target`
        l_i = e^target_i (target_i - input_i). Summed over a distribution they are its divergence: use 'sum' or
        'batchmean'.

    Args:
        input: log-probabilities of the model (nats), any shape.
        target: probabilities, or with `log_target` log-probabilities, of the same shape.
        reduction: 'none', 'mean' (over all elements), 'sum', or 'batchmean': the sum divided by the size of axis 0.
        log_target: whether `target` is in logarithms.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, or the reduction is unknown.

    Source: Kullback and Leibler 1951; the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> half = tn.tensor([[0.5, 0.5]])
        >>> tn.nn.functional.kl_div(tn.log(tn.tensor([[0.25, 0.75]])), half, reduction="batchmean")
        tensor(0.1438)
    """
    check_reduction(reduction, ("none", "mean", "sum", "batchmean"))
    input, target = same_shape("kl_div", input, target)
    if log_target:
        loss = exp(target) * (target - input)
    else:
        loss = xlogy(target, target) - target * where(target == 0, 0.0, input)
    return _batch_reduced(loss, reduction, "kl_div")


def kl_normal(mean, std, other_mean=0.0, other_std=1.0, reduction="none"):
    """The Kullback-Leibler divergence between two normal distributions.

    Formula: KL(N(m, s^2) || N(m', s'^2)) = log(s' / s) + (s^2 + (m - m')^2) / (2 s'^2) - 1/2.

    Args:
        mean, std: of the first, floating, std > 0; numbers or Tensors.
        other_mean, other_std: of the second; their shapes broadcast with those of the first.
        reduction: 'none', 'mean', 'sum', or 'batchmean': the sum divided by the size of axis 0.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the broadcast shape.

    Raises:
        ValueError: a standard deviation is not positive, or the reduction is unknown.

    Source: the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.kl_normal(0.0, 1.0, 1.0, 2.0)
        tensor(0.4431)
    """
    check_reduction(reduction, ("none", "mean", "sum", "batchmean"))
    mean, std = as_tensor(mean), as_tensor(std)
    other_mean, other_std = as_tensor(other_mean, like=mean), as_tensor(other_std, like=mean)
    for name, value in (("std", std), ("other_std", other_std)):
        if not holds(value.data > 0):
            raise ValueError(f"kl_normal: {name} must be positive, its smallest value is {float(value.min())}")
    loss = log(other_std / std) + (square(std) + square(mean - other_mean)) / (2 * square(other_std)) - 0.5
    return _batch_reduced(loss, reduction, "kl_normal")


def kl_to_standard_normal(mean, log_var, reduction="batchmean"):
    """The Kullback-Leibler divergence of independent normal variables from standard normal ones: the term of a VAE.

    Formula: l_i = (mean_i^2 + e^log_var_i - 1 - log_var_i) / 2.

    Args:
        mean: floating, (N, D) or any shape.
        log_var: logarithm of the variance, of the same shape.
        reduction: 'none', 'mean', 'sum', or 'batchmean': the sum divided by N, the size of axis 0.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `mean`.

    Raises:
        ValueError: the shapes differ, or the reduction is unknown.

    Source: Kingma and Welling 2014, "Auto-encoding variational Bayes", appendix B.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.kl_to_standard_normal(tn.tensor([[1.0, 0.0]]), tn.zeros((1, 2)))
        tensor(0.5000)
    """
    check_reduction(reduction, ("none", "mean", "sum", "batchmean"))
    mean, log_var = same_shape("kl_to_standard_normal", mean, log_var, ("mean", "log_var"))
    loss = 0.5 * (square(mean) + exp(log_var) - log_var - 1)
    return _batch_reduced(loss, reduction, "kl_to_standard_normal")


def _batch_reduced(loss, reduction, name):
    if reduction != "batchmean":
        return reduced(loss, reduction, name)
    if not loss.ndim:
        return loss
    if not loss.shape[0]:
        raise ValueError(f"{name}: the mean over an empty batch, shape {loss.shape}, is undefined")
    return sum(loss) / loss.shape[0]
