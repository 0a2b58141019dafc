"""Where the data part gets its random numbers, and how arrays become Tensors."""
import numpy as np

from ..autograd import Tensor
from ..backend import Generator, as_device, default_float, default_generator, to_dtype


def stream(generator):
    """The NumPy stream meant by `generator`.

    Args:
        generator: a `tn.Generator`, an int seed, None for the default generator, or a NumPy Generator or RandomState.

    Raises:
        TypeError: it is none of these.
    """
    if generator is None:
        return default_generator.host
    if isinstance(generator, Generator):
        return generator.host
    if isinstance(generator, (np.random.Generator, np.random.RandomState)):
        return generator
    if isinstance(generator, (int, np.integer)) and not isinstance(generator, bool):
        return Generator(int(generator)).host
    raise TypeError(f"generator: expected a tn.Generator, an int seed or None, got {generator!r}")


def to_tensor(host, dtype=None, device=None):
    """A Tensor on `device` from a NumPy array; floating arrays become `dtype` (default float32)."""
    host = np.asarray(host)
    if host.dtype.kind == "f":
        host = host.astype(to_dtype(dtype) or default_float)
    return Tensor.wrap(as_device(device).from_numpy(np.ascontiguousarray(host)))


def positive(name, n, least=1):
    """`n` as an int.

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` is below `least`.
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"{name}: expected an int, got {n!r}")
    if n < least:
        raise ValueError(f"{name}: expected at least {least}, got {n}")
    return int(n)


def spread(name, value):
    """`value` as a float, 0 or more.

    Raises:
        ValueError: it is no finite number, or negative.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError(f"{name}: expected a finite number >= 0, got {value!r}")
    return float(value)


def integers(rng, n, size):
    """`size` numbers drawn uniformly from 0..n-1, from either kind of NumPy stream."""
    return np.minimum(rng.uniform(0, n, size).astype(np.int64), n - 1)


def share(name, value):
    """`value` as a float between 0 and 1.

    Raises:
        ValueError: it is not a number from 0 to 1.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{name}: expected a number from 0 to 1, got {value!r}")
    return float(value)
