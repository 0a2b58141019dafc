"""How far two samples are from each other: kernels, slices, moments, neighbours, modes.

    x, y  samples, (N, D) and (M, D)
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import ops
from ...autograd import as_tensor, no_grad
from ..noise import standard_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike


class PrecisionRecall(NamedTuple):
    """What `precision_recall` returns.

    Fields:
        precision: the share of generated examples that lie among the real ones.
        recall: the share of real examples that lie among the generated ones.
    """

    precision: float
    recall: float


class ModeCoverage(NamedTuple):
    """What `mode_coverage` returns.

    Fields:
        covered: how many centers have a sample near them.
        share: the share of samples near a center.
        counts: samples near each center, (K,).
    """

    covered: int
    share: float
    counts: Tensor


def mmd(x: ArrayLike, y: ArrayLike, bandwidths: Sequence[float] | None = None, unbiased: bool = True) -> Tensor:
    """The squared maximum mean discrepancy with Gaussian kernels: 0 for equal densities.

    Formula: E k(x, x') + E k(y, y') - 2 E k(x, y), k(a, b) = mean over h of exp(-|a - b|^2 / (2 h^2)); the unbiased
        form leaves out pairs of an example with itself.

    Args:
        x, y: (N, D), (M, D), floating.
        bandwidths: the h; default: the median distance between x and y, and half and twice that.
        unbiased: whether to leave out those pairs (it may then be below 0).

    Returns:
        A 0-d Tensor; gradients flow to x and y.

    Raises:
        ValueError: a shape is wrong, or there are fewer than 2 examples.

    Source: Gretton et al. 2012, "A kernel two-sample test", lemma 6.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.randn((200, 2))
        >>> far, near = (float(tn.models.measures.mmd(x, y)) for y in (x + 3, tn.randn((200, 2))))
        >>> far > 0.3, abs(near) < 0.05
        (True, True)
    """
    x, y = _pair("mmd", x, y, 2)
    across = _squares(x, y)
    if bandwidths is None:
        middle = math.sqrt(float(ops.median(across.detach()))) or 1.0
        bandwidths = (0.5 * middle, middle, 2 * middle)

    def kernel(squares: Any) -> Any:
        return sum(ops.exp(squares * (-0.5 / h**2)) for h in bandwidths) / len(bandwidths)

    def within(a):
        n, total = len(a), ops.sum(kernel(_squares(a, a)))
        return (total - n) / (n * (n - 1)) if unbiased else total / n**2  # k(a, a) = 1
    return within(x) + within(y) - 2 * ops.mean(kernel(across))


def sliced_wasserstein(x: ArrayLike, y: ArrayLike, directions: int = 100, p: float = 2.0,
                       generator: Generator | None = None) -> Tensor:
    """The Wasserstein distance of the samples seen along random directions, where it is a matter of sorting.

    Formula: (E_u mean_i |sort(u.x)_i - sort(u.y)_i|^p)^(1/p), u uniform on the unit sphere. For samples that differ
        by a shift m, p = 2: |m| / sqrt(D).

    Args:
        x, y: (N, D) each, equally many.
        directions: how many.
        p: 1 or more.
        generator: the stream of the directions.

    Returns:
        A 0-d Tensor; gradients flow to x and y.

    Raises:
        ValueError: shapes differ, or an option is out of range.

    Source: Bonneel, Rabin, Peyre & Pfister 2015, "Sliced and Radon Wasserstein barycenters of measures".

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.randn((100, 1))
        >>> tn.models.measures.sliced_wasserstein(x, x + 2.0)
        tensor(2.)
    """
    a, b = _pair("sliced_wasserstein", x, y, 1)
    if len(a) != len(b) or directions < 1 or not 1 <= p < math.inf:
        raise ValueError(f"sliced_wasserstein: expected equally many examples, directions >= 1 and p >= 1, got "
                         f"{len(a)}, {len(b)}, {directions}, {p}")
    u = standard_normal((a.shape[1], directions), a, generator)
    u = u / ops.linalg.vector_norm(u, axis=0)
    gap = ops.abs(ops.sort(a @ u, axis=0) - ops.sort(b @ u, axis=0))
    return ops.mean(gap**p)**(1 / p)


def frechet_distance(x: ArrayLike, y: ArrayLike) -> float:
    """The squared 2-Wasserstein distance of two normal densities with the moments of the samples: FID, on features.

    Formula: |m_x - m_y|^2 + tr(C_x + C_y - 2 (C_x^1/2 C_y C_x^1/2)^1/2).

    Args:
        x, y: (N, D), (M, D): features of real and of generated examples.

    Returns:
        A number, 0 or more.

    Raises:
        ValueError: a shape is wrong, or there are fewer than 2 examples.

    Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule", equation 6; Dowson & Landau 1982.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.randn((50, 3))
        >>> round(tn.models.measures.frechet_distance(x, x + 1.0), 3)
        3.0
    """
    with no_grad():
        x, y = (ops.astype(t, "float64") for t in _pair("frechet_distance", x, y, 2))
        return gaussian_distance(ops.mean(x, axis=0), _covariance(x), ops.mean(y, axis=0), _covariance(y))


def gaussian_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """The squared 2-Wasserstein distance of two normal densities; formula and source as in `frechet_distance`.

    Args:
        mean1, mean2: (D,).
        cov1, cov2: (D, D), symmetric, without negative eigenvalues.

    Returns:
        A number, 0 or more.

    Example:
        >>> import tinygrad_notes as tn
        >>> eye = tn.eye(2, dtype="float64")
        >>> round(tn.models.measures.gaussian_distance(tn.zeros(2), eye, tn.ones(2), 4 * eye), 6)  # 2 + 2 (2 - 1)^2
        4.0
    """
    with no_grad():
        values, vectors = ops.linalg.eigh(ops.astype(cov1, "float64"))
        root = vectors * ops.sqrt(ops.clip(values, 0.0)) @ vectors.T
        inner = ops.linalg.eigvalsh(root @ ops.astype(cov2, "float64") @ root)
        gap = ops.astype(mean1 - mean2, "float64")
        total = ops.sum(gap * gap) + ops.linalg.trace(ops.astype(cov1 + cov2, "float64"))
        return max(float(total - 2 * ops.sum(ops.sqrt(ops.clip(inner, 0.0)))), 0.0)


def precision_recall(real: ArrayLike, generated: ArrayLike, k: int = 3) -> PrecisionRecall:
    """Which generated examples look real, and which real ones are reached.

    Formula: an example lies among others if it is within the distance of one of them to its k-th nearest neighbour of
        its own kind. precision: share of generated examples among the real ones; recall: the other way round.

    Args:
        real, generated: (N, D), (M, D): features of examples.
        k: 1 or more, below N and M.

    Returns:
        `PrecisionRecall`, both from 0 to 1.

    Raises:
        ValueError: a shape is wrong or k out of range.

    Source: Kynkaanniemi et al. 2019, "Improved precision and recall metric for assessing generative models", eq. 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.randn((50, 2))
        >>> tn.models.measures.precision_recall(x, x)
        PrecisionRecall(precision=1.0, recall=1.0)
    """
    with no_grad():
        x, y = _pair("precision_recall", real, generated, 2)
        if not 1 <= k < min(len(x), len(y)):
            raise ValueError(f"k: expected from 1 to below {min(len(x), len(y))}, got {k}")

        def among(a, b):
            radius = ops.sort(_squares(b, b), axis=1)[:, k]  # the nearest is the example itself
            near = _squares(a, b) <= radius * (1 + 1e-6)
            return float(ops.mean(ops.astype(ops.any(near, axis=1), "float64")))
        return PrecisionRecall(among(y, x), among(x, y))


def mode_coverage(samples: ArrayLike, centers: ArrayLike, std: float, width: float = 3.0,
                  least: int = 1) -> ModeCoverage:
    """How many of the modes of a mixture are reached, and how many samples lie at one.

    Formula: a sample is at its nearest center if it is no further than width std from it.

    Args:
        samples: (N, D).
        centers: (K, D).
        std: standard deviation of each mode.
        width: in standard deviations.
        least: samples that a covered mode has at least.

    Returns:
        `ModeCoverage`.

    Raises:
        ValueError: a shape is wrong.

    Source: Srivastava et al. 2017, "VEEGAN", section 4.1; Dumoulin et al. 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.measures.mode_coverage([[0.1, 0.0], [9.0, 9.0]], [[0.0, 0.0], [5.0, 5.0]], std=0.1)[:2]
        (1, 0.5)
    """
    with no_grad():
        x, c = _pair("mode_coverage", samples, centers, 1)
        squares = _squares(x, c)
        near = ops.astype(ops.min(squares, axis=1) <= (width * std)**2, "int64")
        counts = ops.bincount(ops.argmin(squares, axis=1), near, minlength=len(c))
        return ModeCoverage(int(ops.sum(counts >= least)), float(ops.sum(near)) / len(x), ops.astype(counts, "int64"))


def _squares(x, y):
    """Squared distances, (N, M), none below 0."""
    return ops.clip(ops.sum(x * x, axis=1)[:, None] + ops.sum(y * y, axis=1) - 2 * (x @ y.T), 0.0)


def _covariance(x):
    centered = x - ops.mean(x, axis=0)
    return centered.T @ centered / (len(x) - 1)


def _pair(name, x, y, least):
    """Two samples of the same dimension.

    Raises:
        ValueError: they are not, or one has fewer than `least` examples.
    """
    x, y = as_tensor(x), as_tensor(y)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < least:
        raise ValueError(f"{name}: expected samples (N, D) and (M, D) of at least {least}, got {x.shape} and {y.shape}")
    return x, y
