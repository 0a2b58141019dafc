"""How far two distributions are from each other: ratios of probabilities, and the work of moving one to the other."""
from math import inf

from ...autograd import as_tensor
from ...ops import abs, concat, cumsum, diff, log, moveaxis, searchsorted, sort, square, sum, where, xlogy
from ...ops.losses import holds
from ...ops.transport import optimal_plan
from .common import check_reduction, reduced, same_shape

__all__ = [
    "js_div", "kl_categorical", "wasserstein_1d", "wasserstein_lp", "wasserstein_normal", "wasserstein_samples",
]


def kl_categorical(p, q, dim=-1, reduction="none"):
    """The Kullback-Leibler divergence between distributions over the same classes, from their probabilities.

    Formula: KL(p || q) = sum_c p_c log(p_c / q_c), 0 where p_c = 0, infinite where q_c = 0 < p_c.

    Args:
        p, q: probabilities, floating, of equal shapes.
        dim: the axis of the classes.
        reduction: 'none', 'mean' or 'sum', over the distributions.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `p` without `dim`.

    Raises:
        ValueError: the shapes differ, a probability is negative, or the reduction is unknown.

    Source: Kullback and Leibler 1951.

    Example:
        >>> import tinygrad_notes as tn
        >>> p, q = tn.tensor([0.5, 0.5, 0.0]), tn.tensor([0.25, 0.25, 0.5])
        >>> tn.nn.functional.kl_categorical(p, q), tn.nn.functional.kl_categorical(q, p)
        (tensor(0.6931), tensor(inf))
    """
    check_reduction(reduction)
    p, q = _probabilities("kl_categorical", p, q)
    return reduced(sum(_relative(p, q), axis=dim), reduction, "kl_categorical")


def js_div(p, q, dim=-1, reduction="none"):
    """The Jensen-Shannon divergence between distributions over the same classes: symmetric and never infinite.

    Formula: JSD(p, q) = (KL(p || m) + KL(q || m)) / 2, m = (p + q) / 2; at most log 2, for disjoint distributions.

    Args:
        p, q: probabilities, floating, of equal shapes.
        dim: the axis of the classes.
        reduction: 'none', 'mean' or 'sum', over the distributions.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `p` without `dim`.

    Raises:
        ValueError: the shapes differ, a probability is negative, or the reduction is unknown.

    Source: Lin 1991, "Divergence measures based on the Shannon entropy"; the notes, chapter on GANs.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.js_div(tn.tensor([1.0, 0.0]), tn.tensor([0.0, 1.0]))
        tensor(0.6931)
    """
    check_reduction(reduction)
    p, q = _probabilities("js_div", p, q)
    middle = (p + q) / 2
    return reduced(sum(_relative(p, middle) + _relative(q, middle), axis=dim) / 2, reduction, "js_div")


def _probabilities(name, p, q):
    p, q = same_shape(name, p, q, ("p", "q"))
    for letter, x in (("p", p), ("q", q)):
        if not holds(x.data >= 0):
            raise ValueError(f"{name}: {letter}: expected probabilities >= 0, got {float(x.min())}")
    return p, q


def _relative(p, q):
    """p log(p / q) for each element: 0 where p is 0, infinite where only q is."""
    terms = xlogy(p, p) - p * log(where((p == 0) | (q == 0), 1.0, q))
    return where((p > 0) & (q == 0), inf, terms)


def wasserstein_1d(p, q, positions=None, dim=-1, reduction="none"):
    """The work of moving one distribution on a line to another, from their probabilities: the earth mover's distance.

    Formula: W1 = sum_i |P_i - Q_i| (x_{i+1} - x_i), P and Q the cumulative sums of p and q.

    Args:
        p, q: probabilities at the same points, floating, of equal shapes and equal sums.
        positions: the points in ascending order (n,); default: 0, 1, ..., n - 1.
        dim: the axis of the points.
        reduction: 'none', 'mean' or 'sum', over the distributions.

    Returns:
        In units of the positions: a 0-d Tensor, or with 'none' one of the shape of `p` without `dim`.

    Raises:
        ValueError: the shapes differ, the positions do not ascend or are not as many as points, a probability is
            negative, or the reduction is unknown.

    Source: Vallender 1974; the notes, chapter on GANs (1-Wasserstein distance).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.wasserstein_1d(tn.tensor([1.0, 0.0, 0.0]), tn.tensor([0.0, 0.5, 0.5]))
        tensor(1.5000)
    """
    check_reduction(reduction)
    p, q = _probabilities("wasserstein_1d", p, q)
    between = abs(moveaxis(cumsum(p - q, axis=dim), dim, -1)[..., :-1])
    if positions is not None:
        positions = as_tensor(positions, like=p)
        if positions.shape != (p.shape[dim],):
            raise ValueError(f"wasserstein_1d: positions: expected {p.shape[dim]} points, got shape {positions.shape}")
        steps = diff(positions)
        if not holds(steps.data >= 0):
            raise ValueError("wasserstein_1d: positions: expected points in ascending order")
        between = between * steps
    return reduced(sum(between, axis=-1), reduction, "wasserstein_1d")


def wasserstein_samples(x, y):
    """The 1-Wasserstein distance between two samples on a line, each point of one sample weighing the same.

    Formula: W1 = integral |F_x(t) - F_y(t)| dt with the empirical distribution functions; for samples of equal size
        the mean of |x_(i) - y_(i)| over the sorted points.

    Args:
        x, y: points, floating, (n,) and (m,), n and m > 0.

    Returns:
        A 0-d Tensor, differentiable in every point.

    Raises:
        ValueError: a sample is empty or has more than one axis.

    Source: Vallender 1974; Peyre and Cuturi 2019, section 2.6.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.wasserstein_samples(tn.tensor([0.0, 1.0, 3.0]), tn.tensor([5.0, 6.0, 8.0]))
        tensor(5.)
    """
    x = as_tensor(x)
    y = as_tensor(y, like=x)
    for name, t in (("x", x), ("y", y)):
        if t.ndim != 1 or not t.size:
            raise ValueError(f"wasserstein_samples: {name}: expected a sample of shape (n,), n > 0, got {t.shape}")
    if x.shape == y.shape:
        return sum(abs(sort(x) - sort(y))) / x.size
    every = sort(concat([x, y]))
    below = [searchsorted(sort(t.detach()), every.detach()[:-1], side="right").astype(every.dtype) for t in (x, y)]
    return sum(abs(below[0] / x.size - below[1] / y.size) * diff(every))


def wasserstein_normal(mean, std, other_mean, other_std, reduction="none"):
    """The square of the 2-Wasserstein distance between two normal distributions on a line.

    Formula: W2^2 = (m - m')^2 + (s - s')^2.

    Args:
        mean, std: of the first, floating, std >= 0; numbers or Tensors.
        other_mean, other_std: of the second; all shapes broadcast.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of the broadcast shape.

    Raises:
        ValueError: a standard deviation is negative, or the reduction is unknown.

    Source: Dowson and Landau 1982; UDL problem 15.3 (there the letters sigma are variances).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.wasserstein_normal(0.0, 1.0, 3.0, 5.0)
        tensor(25.)
    """
    check_reduction(reduction)
    mean, std = as_tensor(mean), as_tensor(std)
    other_mean, other_std = as_tensor(other_mean, like=mean), as_tensor(other_std, like=mean)
    for name, value in (("std", std), ("other_std", other_std)):
        if not holds(value.data >= 0):
            raise ValueError(f"wasserstein_normal: {name} must not be negative, its smallest value is "
                             f"{float(value.min())}")
    return reduced(square(mean - other_mean) + square(std - other_std), reduction, "wasserstein_normal")


def wasserstein_lp(p, q, cost):
    """The least work of moving one distribution to another, for any cost of moving, by a linear program.

    Formula: W = min sum_ij T_ij cost_ij over plans T >= 0 with row sums p and column sums q
        = max sum_i u_i p_i + sum_j v_j q_j with u_i + v_j <= cost_ij.

    Args:
        p, q: masses, floating, (n,) and (m,), >= 0, of equal sums.
        cost: of moving one unit from i to j, (n, m).

    Returns:
        A 0-d Tensor. Its gradient is the plan for `cost`, and the potentials u and v for `p` and `q`, right for changes
        that keep both sums equal. Second derivatives are 0.

    Raises:
        ValueError: shapes do not fit, a mass is negative, or the sums differ.

    Source: Kantorovich 1942; the notes, chapter on GANs; UDL 15.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> cost = tn.tensor([[0.0, 1.0], [1.0, 0.0]])
        >>> tn.nn.functional.wasserstein_lp(tn.tensor([1.0, 0.0]), tn.tensor([0.25, 0.75]), cost)
        tensor(0.7500)
    """
    p = as_tensor(p)
    q, cost = as_tensor(q, like=p), as_tensor(cost, like=p)
    if p.ndim != 1 or q.ndim != 1 or cost.shape != (p.size, q.size) or not p.size:
        raise ValueError("wasserstein_lp: expected p (n,), q (m,) and cost (n, m), got shapes "
                         f"{p.shape}, {q.shape}, {cost.shape}")
    if not holds(p.data >= 0) or not holds(q.data >= 0):
        raise ValueError("wasserstein_lp: expected masses >= 0")
    masses = float(p.sum()), float(q.sum())
    if not -1e-5 * masses[0] <= masses[0] - masses[1] <= 1e-5 * masses[0]:
        raise ValueError(f"wasserstein_lp: p and q must have equal sums, got {masses[0]:.6g} and {masses[1]:.6g}")
    plan, u, v = optimal_plan(p, q, cost)
    return sum(plan * cost) + sum(u * (p - p.detach())) + sum(v * (q - q.detach()))
