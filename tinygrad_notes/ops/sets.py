"""Distinct elements and membership. NaN equals nothing, not even itself, as in the standard."""

from ..autograd import as_tensor, primitive
from .results import UniqueAll, UniqueCounts, UniqueInverse

__all__ = ["isin", "unique_all", "unique_counts", "unique_inverse", "unique_values"]


def _unique(xp, x):
    values, first, inverse, counts = xp.unique(x, return_index=True, return_inverse=True, return_counts=True,
                                               equal_nan=False)
    return values, first, xp.reshape(inverse, x.shape), counts


_unique = primitive("unique_all", _unique, kind="sort", differentiable=False, outputs=0)
_unique_values = primitive("unique_values", lambda xp, x: xp.unique(x, equal_nan=False), kind="sort",
                           differentiable=False)
_isin = primitive("isin", lambda xp, x1, x2, *, invert: xp.isin(x1, x2, invert=invert), kind="sort",
                  differentiable=False)


def unique_all(x, /):
    """The distinct elements of `x` in rising order, where each occurs first, which one each element is, how often.

    Formula: values[inverse_indices] = x; ravel(x)[indices] = values.

    Args:
        x: tensor of any shape.

    Returns:
        UniqueAll(values (n,), indices (n,), inverse_indices of the shape of `x`, counts (n,)).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unique_all(tn.tensor([3., 1., 3.])).counts
        tensor([1, 2])
    """
    return UniqueAll(*_unique(as_tensor(x)))


def unique_counts(x, /):
    """The distinct elements of `x` in rising order, and how often each occurs.

    Formula: counts[k] = number of elements equal to values[k].

    Args:
        x: tensor of any shape.

    Returns:
        UniqueCounts(values (n,), counts (n,)).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unique_counts(tn.tensor([3., 1., 3.]))
        UniqueCounts(values=tensor([1., 3.]), counts=tensor([1, 2]))
    """
    values, _, _, counts = _unique(as_tensor(x))
    return UniqueCounts(values, counts)


def unique_inverse(x, /):
    """The distinct elements of `x` in rising order, and which of them each element is.

    Formula: values[inverse_indices] = x.

    Args:
        x: tensor of any shape.

    Returns:
        UniqueInverse(values (n,), inverse_indices of the shape of `x`).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unique_inverse(tn.tensor([3., 1., 3.]))
        UniqueInverse(values=tensor([1., 3.]), inverse_indices=tensor([1, 0, 1]))
    """
    values, _, inverse, _ = _unique(as_tensor(x))
    return UniqueInverse(values, inverse)


def unique_values(x, /):
    """The distinct elements of `x` in rising order.

    Formula: the set of all elements of x.

    Args:
        x: tensor of any shape.

    Returns:
        Tensor (n,) of the dtype of `x`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unique_values(tn.tensor([3., 1., 3.]))
        tensor([1., 3.])
    """
    return _unique_values(as_tensor(x))


def isin(x1, x2, /, *, invert=False):
    """Whether each element of `x1` is among the elements of `x2`.

    Formula: out[i] = any(x1[i] == x2).

    Args:
        x1: number or tensor.
        x2: number or tensor.
        invert: the opposite answer.

    Returns:
        bool Tensor of the shape of `x1`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.isin(tn.tensor([1, 2, 3]), [3, 1])
        tensor([ True, False,  True])
    """
    x1 = as_tensor(x1)
    return _isin(x1, as_tensor(x2, like=x1), invert=bool(invert))
