"""Random tensors, drawn from an explicit `Generator` on the host and moved: one seed, the same numbers everywhere."""
import numpy as np

from ..autograd.mode import mode
from ..autograd.tensor import Tensor
from ..backend import Generator, as_device, default_float, default_generator, default_int, to_dtype
from .axes import as_shape, one_axis
from .losses import holds

__all__ = ["normal", "randn", "randn_like", "uniform", "rand", "rand_like", "randint", "bernoulli", "exponential",
           "gamma", "permutation", "randperm", "choice", "multinomial"]


def drawn(name, generator, device, draw, *args):
    """The raw array `draw(stream, *args)` on a device; `draw` is a function of this or another module, so that a
    recorded computation can name it and draw anew in every run.

    Raises:
        TypeError: `generator` is neither a Generator nor None.
    """
    generator = default_generator if generator is None else generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{name}: generator: expected a Generator or None, got {type(generator).__name__}")
    device = as_device(device)
    if device.base is not None:
        return mode.tape.draw(generator, draw, args)
    return device.from_numpy(draw(generator.host, *args))


def _floating(name, dtype):
    dtype = to_dtype(dtype) or default_float
    if dtype.kind != "f":
        raise TypeError(f"{name}: dtype: expected a floating dtype, got {dtype}")
    return dtype


def _sizes(name, shape):
    shape = as_shape(name, shape)
    if any(n < 0 for n in shape):
        raise ValueError(f"{name}: shape: negative size in {shape}")
    return shape


def _tensor(array, requires_grad=False):
    made = Tensor.wrap(array)
    return made.requires_grad_(True) if requires_grad else made


def _precision(dtype):
    """The precision to draw in: float64 for itself, else float32, also on the way to float16."""
    return np.float64 if dtype == np.float64 else np.float32


# Continuous ---------------------------------------------------------------------
def normal(shape=(), mean=0.0, std=1.0, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Normally distributed numbers.

    Formula: out ~ N(mean, std^2).

    Args:
        shape: the sizes.
        mean, std: numbers; std >= 0.
        generator: the stream to draw from; default: the one that `manual_seed` starts.
        dtype: floating data type, default float32 (drawn in that precision).
        device: where it shall live; the numbers do not depend on it.
        requires_grad: record what is computed from it.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: a size or `std` is negative.
        TypeError: the dtype is not floating.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.normal((2, 3), generator=tn.Generator(0)).shape
        (2, 3)
    """
    dtype, shape = _floating("normal", dtype), _sizes("normal", shape)
    if not std >= 0:
        raise ValueError(f"normal: std: expected a number >= 0, got {std}")
    return _tensor(drawn("normal", generator, device, _normal, shape, mean, std, dtype), requires_grad)


def _normal(stream, shape, mean, std, dtype):
    host = np.asarray(stream.standard_normal(shape, dtype=_precision(dtype)))
    if std != 1.0:
        host *= std
    if mean != 0.0:
        host += mean
    return host.astype(dtype, copy=False)


def randn(*shape, generator=None, dtype=None, device=None, requires_grad=False):
    """Standard normal numbers.

    Formula: out ~ N(0, 1).

    Args:
        shape: the sizes, as several ints or one tuple.
        generator, dtype, device, requires_grad: as for `normal`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.randn(2, 3).shape
        (2, 3)
    """
    return normal(_several(shape), generator=generator, dtype=dtype, device=device, requires_grad=requires_grad)


def _several(shape):
    return shape[0] if len(shape) == 1 else shape


def randn_like(x, /, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Standard normal numbers in the shape of another tensor.

    Formula: out ~ N(0, 1).

    Args:
        x: tensor.
        dtype, device: default those of `x`.
        generator, requires_grad: as for `normal`.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        TypeError: the dtype is not floating.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.randn_like(tn.zeros((2,))).shape
        (2,)
    """
    return normal(x.shape, generator=generator, dtype=dtype or x.dtype, device=device or x.device,
                  requires_grad=requires_grad)


def uniform(shape=(), low=0.0, high=1.0, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Uniformly distributed numbers.

    Formula: out ~ U[low, high).

    Args:
        shape: the sizes.
        low, high: the ends, low <= high.
        generator, dtype, device, requires_grad: as for `normal`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: a size is negative, or `high` lies below `low`.
        TypeError: the dtype is not floating.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.uniform((4,), -1, 1).shape
        (4,)
    """
    dtype, shape = _floating("uniform", dtype), _sizes("uniform", shape)
    if not low <= high:
        raise ValueError(f"uniform: expected low <= high, got low {low}, high {high}")
    return _tensor(drawn("uniform", generator, device, _uniform, shape, low, high, dtype), requires_grad)


def _uniform(stream, shape, low, high, dtype):
    host = np.asarray(stream.random(shape, dtype=_precision(dtype)))
    if low != 0.0 or high != 1.0:
        host *= high - low
        host += low
        if low < high:  # rounding may reach `high`, which is left out
            np.minimum(host, np.nextafter(host.dtype.type(high), host.dtype.type(low)), out=host)
    return host.astype(dtype, copy=False)


def rand(*shape, generator=None, dtype=None, device=None, requires_grad=False):
    """Uniform numbers between 0 and 1.

    Formula: out ~ U[0, 1).

    Args:
        shape: the sizes, as several ints or one tuple.
        generator, dtype, device, requires_grad: as for `normal`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.rand(2, 3).shape
        (2, 3)
    """
    return uniform(_several(shape), generator=generator, dtype=dtype, device=device, requires_grad=requires_grad)


def rand_like(x, /, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Uniform numbers between 0 and 1 in the shape of another tensor.

    Formula: out ~ U[0, 1).

    Args:
        x: tensor.
        dtype, device: default those of `x`.
        generator, requires_grad: as for `normal`.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        TypeError: the dtype is not floating.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.rand_like(tn.zeros((2,))).shape
        (2,)
    """
    return uniform(x.shape, generator=generator, dtype=dtype or x.dtype, device=device or x.device,
                   requires_grad=requires_grad)


def exponential(shape=(), rate=1.0, *, generator=None, dtype=None, device=None):
    """Exponentially distributed numbers.

    Formula: density rate * exp(-rate * t), t >= 0.

    Args:
        shape: the sizes.
        rate: a number > 0, one over the mean.
        generator, dtype, device: as for `normal`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: `rate` is not positive.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.exponential((3,)).shape
        (3,)
    """
    dtype, shape = _floating("exponential", dtype), _sizes("exponential", shape)
    if not rate > 0:
        raise ValueError(f"exponential: rate: expected a number > 0, got {rate}")
    return _tensor(drawn("exponential", generator, device, _exponential, shape, rate, dtype))


def _exponential(stream, shape, rate, dtype):
    host = np.asarray(stream.standard_exponential(shape, dtype=_precision(dtype)))
    return (host / host.dtype.type(rate)).astype(dtype, copy=False)


def gamma(shape=(), concentration=1.0, rate=1.0, *, generator=None, dtype=None, device=None):
    """Gamma-distributed numbers.

    Formula: density rate^a t^(a-1) exp(-rate * t) / Gamma(a), a the concentration.

    Args:
        shape: the sizes.
        concentration, rate: numbers > 0.
        generator, dtype, device: as for `normal`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: `concentration` or `rate` is not positive.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.gamma((3,), 2.0).shape
        (3,)
    """
    dtype, shape = _floating("gamma", dtype), _sizes("gamma", shape)
    if not (concentration > 0 and rate > 0):
        raise ValueError(f"gamma: expected concentration > 0 and rate > 0, got {concentration} and {rate}")
    return _tensor(drawn("gamma", generator, device, _gamma, shape, concentration, rate, dtype))


def _gamma(stream, shape, concentration, rate, dtype):
    host = np.asarray(stream.standard_gamma(concentration, shape, dtype=_precision(dtype)))
    return (host / host.dtype.type(rate)).astype(dtype, copy=False)


# Discrete -----------------------------------------------------------------------
def randint(low, high=None, shape=(), *, generator=None, dtype=None, device=None):
    """Uniformly distributed integers.

    Formula: P(k) = 1 / (high - low), low <= k < high.

    Args:
        low, high: the ends, `high` left out; randint(n) draws below n.
        shape: the sizes; in the place of `high` too, when it is a tuple: randint(10, (3,)).
        generator, device: as for `normal`.
        dtype: integer data type, default int64.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: no integer lies between `low` and `high`, or the dtype cannot hold them.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.randint(0, 10, (2, 3)).shape
        (2, 3)
    """
    if isinstance(high, (tuple, list)):
        high, shape = None, high
    low, high = (0, low) if high is None else (low, high)
    dtype, shape = to_dtype(dtype) or default_int, _sizes("randint", shape)
    if not low < high:
        raise ValueError(f"randint: expected low < high, got low {low}, high {high}")
    return _tensor(drawn("randint", generator, device, _integers, low, high, shape, dtype))


def _integers(stream, low, high, shape, dtype):
    wide = dtype if dtype.kind in "iu" else np.dtype("int64")
    return np.asarray(stream.integers(low, high, shape, dtype=wide), dtype=dtype)


def bernoulli(p=0.5, shape=None, *, generator=None, dtype=None, device=None):
    """Zeros and ones.

    Formula: P(1) = p, P(0) = 1 - p.

    Args:
        p: a probability, or a tensor of probabilities, one per element.
        shape: the sizes; default: those of `p`.
        generator: as for `normal`.
        dtype: data type; default: that of a floating tensor `p`, else float32.
        device: default: where the tensor `p` lives, else the current device.

    Returns:
        Tensor of zeros and ones; it carries no gradient.

    Raises:
        ValueError: a probability lies outside [0, 1], or `p` does not broadcast to `shape`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.bernoulli(1.0, (3,))
        tensor([1., 1., 1.])
    """
    if isinstance(p, Tensor):
        dtype, device = dtype or (p.dtype if p.dtype.kind == "f" else None), as_device(device or p.device)
    else:
        p = Tensor(np.asarray(p, dtype=np.float64), device=device)
    chance = p.data
    if chance.size and not holds((chance >= 0) & (chance <= 1)):
        chance = p.device.to_numpy(chance)
        raise ValueError(f"bernoulli: p: expected probabilities between 0 and 1, got {chance.min()} to {chance.max()}")
    shape = chance.shape if shape is None else _sizes("bernoulli", shape)
    if np.broadcast_shapes(chance.shape, shape) != shape:
        raise ValueError(f"bernoulli: p of shape {chance.shape} does not broadcast to shape {shape}")
    # float64 draws: u < p is exact to 2^-53, also for the p near 0 that float32 could not tell from 0.
    draws = drawn("bernoulli", generator, p.device, _uniform, shape, 0.0, 1.0, np.dtype("float64"))
    hits = (Tensor.wrap(draws) < p.detach()).astype(to_dtype(dtype) or default_float)
    return hits if device is None or hits.device is as_device(device) else hits.to(device)


def _host(value):
    """A tensor, array or number as a NumPy array, to be read and not changed."""
    return value.device.to_numpy(value.data) if isinstance(value, Tensor) else np.asarray(value)


def permutation(x, /, *, axis=0, generator=None, device=None):
    """A random order: of the numbers below n, or of the entries of a tensor along an axis.

    Formula: every order has probability 1 / n!.

    Args:
        x: int n, or a tensor.
        axis: the axis whose entries are reordered.
        generator: as for `normal`.
        device: where the numbers below n shall live.

    Returns:
        int64 Tensor of shape (n,), or `x` reordered (gradients flow through it).

    Raises:
        ValueError: n is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> sorted(tn.permutation(4).tolist())
        [0, 1, 2, 3]
    """
    if isinstance(x, (Tensor, np.ndarray, list, tuple)) and not (isinstance(x, Tensor) and x.ndim == 0):
        from . import take
        x = x if isinstance(x, Tensor) else Tensor(x)
        axis = one_axis("permutation", axis, x.ndim)
        return take(x, permutation(x.shape[axis], generator=generator, device=x.device), axis=axis)
    (n,) = _sizes("permutation", x)
    return _tensor(drawn("permutation", generator, device, _order, n))


def _order(stream, n):
    return stream.permutation(n)


def randperm(n, /, *, generator=None, device=None):
    """PyTorch's name for `permutation(n)`.

    Formula: every order of 0 .. n-1 has probability 1 / n!.

    Args:
        n: how many numbers.
        generator, device: as for `permutation`.

    Returns:
        int64 Tensor of shape (n,).

    Raises:
        ValueError: n is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> sorted(tn.randperm(3).tolist())
        [0, 1, 2]
    """
    return permutation(n, generator=generator, device=device)


def choice(x, /, shape=(), *, replace=True, p=None, axis=0, generator=None, device=None):
    """A random sample of the numbers below n, or of the entries of a tensor along an axis.

    Formula: P(i) = p_i, or 1 / n.

    Args:
        x: int n, or a tensor.
        shape: the sizes of the sample.
        replace: whether an entry may come twice.
        p: probabilities, one per entry, that sum to one.
        axis: the axis of `x` to sample from.
        generator: as for `normal`.
        device: where the numbers below n shall live.

    Returns:
        Tensor of `shape`, or for a tensor of more axes its entries with `shape` in place of `axis`.

    Raises:
        ValueError: `p` is no distribution over the entries, or more are asked for than there are.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.choice(5, (3,)).shape
        (3,)
    """
    shape = _sizes("choice", shape)
    if not isinstance(x, (Tensor, np.ndarray, list, tuple)) or (isinstance(x, Tensor) and x.ndim == 0):
        (n,) = _sizes("choice", x)
        return _tensor(_chosen("choice", n, shape, replace, p, generator, device))
    from . import reshape, take
    x = x if isinstance(x, Tensor) else Tensor(x)
    axis = one_axis("choice", axis, x.ndim)
    index = reshape(_tensor(_chosen("choice", x.shape[axis], shape, replace, p, generator, x.device)), (-1,))
    taken = take(x, index, axis=axis)
    return reshape(taken, (*x.shape[:axis], *shape, *x.shape[axis + 1:]))


def _chosen(name, n, shape, replace, p, generator, device):
    if p is not None:
        p = np.asarray(_host(p), dtype=np.float64)
        if p.shape != (n,) or not (p >= 0).all() or not abs(p.sum() - 1) < 1e-5:
            raise ValueError(f"{name}: p: expected {n} probabilities that sum to 1, got shape {p.shape}, sum {p.sum()}")
        p = p / p.sum()
    wanted = int(np.prod(shape))
    if wanted and n == 0 or not replace and wanted > n:
        raise ValueError(f"{name}: {wanted} of {n} entries are asked for" + ("" if replace else " without replacement"))
    return drawn(name, generator, device, _sample, n, shape, replace, p)


def _sample(stream, n, shape, replace, p):
    return np.asarray(stream.choice(n, shape, replace=replace, p=p), dtype=default_int)


def multinomial(weights, num_samples, replacement=False, *, generator=None):
    """Indices drawn in proportion to weights, a row of samples per row of weights.

    Formula: P(i) = w_i / sum_j w_j.

    Args:
        weights: tensor (N,) or (B, N) of weights >= 0, not all zero in a row.
        num_samples: samples per row.
        replacement: whether an index may come twice in a row.
        generator: as for `normal`.

    Returns:
        int64 Tensor (num_samples,) or (B, num_samples).

    Raises:
        ValueError: a weight is negative or not finite, a row sums to zero, or too many samples are asked for.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.multinomial(tn.tensor([0.0, 1.0]), 3, replacement=True)
        tensor([1, 1, 1])
    """
    host = np.asarray(_host(weights), dtype=np.float64)
    if host.ndim not in (1, 2):
        raise ValueError(f"multinomial: weights: expected shape (N,) or (B, N), got {host.shape}")
    rows = np.atleast_2d(host)
    if not np.isfinite(rows).all() or (rows < 0).any() or (rows.sum(axis=1) <= 0).any():
        raise ValueError("multinomial: weights: expected finite numbers >= 0 with a positive sum in every row")
    if not replacement and (np.count_nonzero(rows, axis=1) < num_samples).any():
        raise ValueError(f"multinomial: num_samples {num_samples} is more than the positive weights of a row")
    found = drawn("multinomial", generator, getattr(weights, "device", None), _rows_of_samples, rows, num_samples,
                  replacement)
    return _tensor(found if host.ndim == 2 else found[0])


def _rows_of_samples(stream, rows, n, replacement):
    samples = [_sample(stream, len(row), (n,), replacement, row / row.sum()) for row in rows]
    return np.stack(samples) if samples else np.empty((0, n), dtype=default_int)
