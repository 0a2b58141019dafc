"""Small made-up data whose truth is known: regression curves, clouds of points in the plane."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .stream import positive, spread, stream, to_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import DeviceLike, DTypeLike

# The 30 points of figure 6.5 in Prince, Understanding Deep Learning: x, then y.
_GABOR = (
    (-1.920, -14.22, 1.490, -1.940, -2.389, -5.090, -8.861, 3.578, -6.010, -6.995, 3.634, 0.8743, -10.96,
     0.4073, -9.467, 8.560, 10.62, -0.1729, 10.40, -12.61, 0.1574, -13.04, -2.156, -12.10, -11.19, 2.902,
     -8.220, -11.79, -8.391, -4.505),
    (-1.051, -0.02482, 0.8896, -0.4943, -0.9371, 0.4306, 0.009577, -0.07944, 0.1624, -0.2682, -0.3129, 0.8303,
     -0.02365, 0.5098, -0.2777, 0.3367, 0.1927, -0.2222, 0.06352, 0.006888, 0.03224, 0.01091, -0.5706,
     -0.05258, -0.03666, 0.1709, -0.04805, 0.2008, -0.1904, 0.5952),
)


# Regression ---------------------------------------------------------------------
def line(n: int = 1000, slope: float = 3.0, intercept: float = 1.0, noise: float = 2.0, low: float = 0.0,
         high: float = 6.0, *, generator: Any = None, dtype: DTypeLike | None = None,
         device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """A straight line with noise: the regression of chapter 1 of the notes.

    Formula: x ~ Uniform(low, high), y = slope x + intercept + noise e, e ~ N(0, 1).

    Args:
        n: number of points.
        slope, intercept, noise, low, high: as in the formula; noise >= 0.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        The design matrix [1, x] of shape (n, 2), and y of shape (n, 1).

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` < 1 or `noise` < 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> X, y = tn.data.line(5, generator=0)
        >>> X.shape, y.shape
        ((5, 2), (5, 1))
    """
    rng, n = stream(generator), positive("n", n)
    x = rng.uniform(low, high, n)
    y = slope * x + intercept + rng.normal(0, spread("noise", noise), n)
    return to_tensor(np.stack([np.ones(n), x], 1), dtype, device), to_tensor(y[:, None], dtype, device)


def linear_teacher(n: int, theta: Any, noise: float = 1.0, *, scale: Any = None, generator: Any = None,
                   dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Outputs of a linear teacher: what can be learned is exactly theta, what is left is the noise.

    Formula: x_ij ~ N(0, scale^2), y = x theta + noise e, e ~ N(0, 1).

    Args:
        n: number of examples P.
        theta: the teacher's weights, D numbers.
        noise: standard deviation of the noise, >= 0.
        scale: standard deviation of the inputs; default 1/sqrt(D), which makes E|x|^2 = 1.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        Inputs (n, D) and outputs (n, 1).

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` < 1, `noise` < 0, or `theta` is not a row of numbers.

    Source: the notes, (2.6); Advani & Saxe 2020, section 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> x, y = tn.data.linear_teacher(4, [1.0, -1.0], generator=0)
        >>> x.shape, y.shape
        ((4, 2), (4, 1))
    """
    rng, n = stream(generator), positive("n", n)
    theta = np.asarray(theta, dtype=np.float64)
    if theta.ndim != 1 or not theta.size:
        raise ValueError(f"theta: expected D numbers, got shape {theta.shape}")
    x = rng.standard_normal((n, theta.size)) * (theta.size**-0.5 if scale is None else scale)
    y = x @ theta + spread("noise", noise) * rng.standard_normal(n)
    return to_tensor(x, dtype, device), to_tensor(y[:, None], dtype, device)


def sine4(n: int = 20, noise: float = 2.0, low: float = -1.0, high: float = 5.0, *, generator: Any = None,
          dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Evenly spaced points of 4 sin x with noise, for polynomial fits that are too stiff or too free.

    Formula: x_i = low + (high - low) i/(n-1), y = 4 sin x + noise e, e ~ N(0, 1).

    Args:
        n: number of points.
        noise, low, high: as in the formula.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        x and y, both of shape (n, 1).

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` < 1 or `noise` < 0.

    Source: the notes, figure 2.2 (range, n and noise are ours: the notes are silent).

    Example:
        >>> import tinygrad_notes as tn
        >>> x, y = tn.data.sine4(noise=0.0)
        >>> float(abs(y - 4 * tn.sin(x)).max()) < 1e-6
        True
    """
    x = np.linspace(low, high, positive("n", n))
    y = 4 * np.sin(x) + spread("noise", noise) * stream(generator).standard_normal(n)
    return to_tensor(x[:, None], dtype, device), to_tensor(y[:, None], dtype, device)


def double_well(n: int = 20, noise: float = 1.0, low: float = -1.5, high: float = 1.5, *, generator: Any = None,
                dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Points of a double well with noise, which a large network first learns and then overfits.

    Formula: x ~ Uniform(low, high), y = 2 (x^2 - 1)^2 + noise e, e ~ N(0, 1).

    Args:
        n: number of points.
        noise, low, high: as in the formula.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        x and y, both of shape (n, 1).

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` < 1 or `noise` < 0.

    Source: the notes, figure 2.8 (range, n and noise are ours: the notes are silent).

    Example:
        >>> import tinygrad_notes as tn
        >>> x, y = tn.data.double_well(noise=0.0, generator=0)
        >>> float(abs(y - 2 * (x * x - 1)**2).max()) < 1e-5
        True
    """
    rng, n = stream(generator), positive("n", n)
    x = rng.uniform(low, high, n)
    y = 2 * (x * x - 1)**2 + spread("noise", noise) * rng.standard_normal(n)
    return to_tensor(x[:, None], dtype, device), to_tensor(y[:, None], dtype, device)


def gabor(*, dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """The 30 fixed points to which the Gabor model is fitted; its loss surface has many local minima.

    Formula: model f(x) = sin(u) exp(-u^2 / 32), u = phi_0 + 0.06 phi_1 x.

    Args:
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        x and y, both of shape (30,).

    Source: Prince 2023, Understanding Deep Learning, figure 6.5 and notebooks 6.3 and 6.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> x, y = tn.data.gabor()
        >>> x.shape, y.shape
        ((30,), (30,))
    """
    x, y = np.array(_GABOR)
    return to_tensor(x, dtype, device), to_tensor(y, dtype, device)


# Points in the plane ------------------------------------------------------------
def two_moons(n: int = 1000, noise: float = 0.1, *, generator: Any = None, dtype: DTypeLike | None = None,
              device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Two half circles that interlock.

    Formula: t ~ Uniform(0, pi); class 0: (cos t, sin t), class 1: (1 - cos t, 1/2 - sin t); plus noise e, e ~ N(0, I).

    Args:
        n: number of points, half of them in each class (class 0 gets the odd one).
        noise: standard deviation per axis.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        Points (n, 2) and labels (n,) of int64, in random order.

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` < 1 or `noise` < 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> x, y = tn.data.two_moons(100, generator=0)
        >>> x.shape, int(y.sum())
        ((100, 2), 50)
    """
    rng, n = stream(generator), positive("n", n)
    y = rng.permutation(np.arange(n) % 2)
    t = rng.uniform(0, np.pi, n)
    x = np.stack([np.where(y, 1 - np.cos(t), np.cos(t)), np.where(y, 0.5 - np.sin(t), np.sin(t))], 1)
    return _cloud(x, y, noise, rng, dtype, device)


def rings(n: int = 1000, noise: float = 0.05, radii: Sequence[float] = (1.0, 2.0, 3.0), *, generator: Any = None,
          dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Circles around one center.

    Formula: t ~ Uniform(0, 2 pi); class k: radii_k (cos t, sin t); plus noise e, e ~ N(0, I).

    Args:
        n: number of points, the same in each class up to one.
        noise: standard deviation per axis.
        radii: one radius per class.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        Points (n, 2) and labels (n,) of int64, in random order.

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` < 1, `noise` < 0, or there is no radius.

    Example:
        >>> import tinygrad_notes as tn
        >>> x, y = tn.data.rings(90, noise=0.0, generator=0)
        >>> bool((abs(tn.sqrt((x * x).sum(axis=1)) - y - 1.0) < 1e-5).all())
        True
    """
    rng, n = stream(generator), positive("n", n)
    if not len(radii):
        raise ValueError("radii: expected at least one radius")
    y = rng.permutation(np.arange(n) % len(radii))
    t = rng.uniform(0, 2 * np.pi, n)
    x = np.asarray(radii, dtype=np.float64)[y][:, None] * np.stack([np.cos(t), np.sin(t)], 1)
    return _cloud(x, y, noise, rng, dtype, device)


def eight_gaussians(n: int = 1000, noise: float = 0.2, radius: float = 2.0, *, generator: Any = None,
                    dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Eight round clouds on a circle: the test of whether a generative model drops modes.

    Formula: class k: radius (cos(k pi/4), sin(k pi/4)) + noise e, e ~ N(0, I).

    Args:
        n: number of points, the same in each class up to one.
        noise: standard deviation per axis.
        radius: of the circle.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        Points (n, 2) and labels (n,) of int64, in random order.

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` < 1 or `noise` < 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> x, y = tn.data.eight_gaussians(80, generator=0)
        >>> x.shape, int(y.max())
        ((80, 2), 7)
    """
    rng, n = stream(generator), positive("n", n)
    y = rng.permutation(np.arange(n) % 8)
    t = y * (np.pi / 4)
    return _cloud(radius * np.stack([np.cos(t), np.sin(t)], 1), y, noise, rng, dtype, device)


def spiral(n: int = 1000, noise: float = 0.1, arms: int = 2, turns: float = 1.5, *, generator: Any = None,
           dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Arms that wind out from the origin, with the same number of points on every piece of an arm.

    Formula: t = 2 pi turns sqrt(u), u ~ Uniform(0, 1); class k: r (cos a, sin a), r = 3 t / (2 pi turns),
        a = t + 2 pi k / arms; plus noise e, e ~ N(0, I).

    Args:
        n: number of points, the same in each class up to one.
        noise: standard deviation per axis.
        arms: number of arms, one class each.
        turns: how often an arm goes round.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        Points (n, 2) and labels (n,) of int64, in random order.

    Raises:
        TypeError: `n` or `arms` is not an int.
        ValueError: `n` < 1, `noise` < 0, `arms` < 1 or `turns` <= 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> x, y = tn.data.spiral(100, generator=0)
        >>> x.shape, int(y.max())
        ((100, 2), 1)
    """
    rng, n, arms = stream(generator), positive("n", n), positive("arms", arms)
    if not 0 < turns < np.inf:
        raise ValueError(f"turns: expected a number above 0, got {turns!r}")
    y = rng.permutation(np.arange(n) % arms)
    share = np.sqrt(rng.uniform(0, 1, n))
    angle = 2 * np.pi * (turns * share + y / arms)
    return _cloud(3 * share[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), y, noise, rng, dtype, device)


def checkerboard(n: int = 1000, noise: float = 0.0, squares: int = 4, half: float = 2.0, *, generator: Any = None,
                 dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Points spread evenly over every second square of a board.

    Formula: a square of `squares`^2 with an even sum of row and column, each as likely; a point of it, uniformly; plus
        noise e, e ~ N(0, I). The board reaches from -half to half. Without noise the entropy is log(2 half^2).

    Args:
        n: number of points.
        noise: standard deviation per axis.
        squares: per side.
        half: half the side.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype, default float32.
        device: where the tensors live.

    Returns:
        Points (n, 2) and the number of the square of each, (n,) of int64, in random order.

    Raises:
        TypeError: `n` or `squares` is not an int.
        ValueError: `n` < 1, `noise` < 0, `squares` < 1 or `half` <= 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> x, y = tn.data.checkerboard(100, generator=0)
        >>> x.shape, bool((abs(x) <= 2).all()), int(y.max())
        ((100, 2), True, 7)
    """
    rng, n, squares = stream(generator), positive("n", n), positive("squares", squares)
    if not 0 < half < np.inf:
        raise ValueError(f"half: expected a number above 0, got {half!r}")
    corners = np.argwhere(np.add.outer(np.arange(squares), np.arange(squares)) % 2 == 0)
    y = rng.permutation(np.arange(n) % len(corners))
    x = (corners[y] + rng.uniform(0, 1, (n, 2))) * (2 * half / squares) - half
    return _cloud(x, y, noise, rng, dtype, device)


def _cloud(x, y, noise, rng, dtype, device):
    x = x + spread("noise", noise) * rng.standard_normal(x.shape)
    return to_tensor(x, dtype, device), to_tensor(y.astype(np.int64), device=device)
