"""Activations in which units compete: only the largest pass, or share what there is."""
from ... import ops
from ...autograd import as_tensor

__all__ = ["kwta", "maxout", "sparsemax"]


def kwta(input, k, dim=-1):
    """The k largest units along an axis; all others become 0.

    Formula: out_i = x_i if x_i is among the k largest, else 0. Of equal ones the first win.

    Args:
        input: floating, any shape.
        k: how many win, in [0, n]; or a share of the n units, a float in (0, 1), rounded up.
        dim: the axis along which they compete.

    Returns:
        A Tensor of the shape of `input`. The gradient passes through the winners alone.

    Raises:
        ValueError: k is out of range.
        IndexError: there is no such axis.

    Source: the notes, references, lines 106 to 110; Ahmad and Scheinkman 2019, "How can we be so dense?".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.kwta(tn.tensor([3.0, -1.0, 2.0, 5.0]), 2)
        tensor([3., 0., 0., 5.])
    """
    input = as_tensor(input)
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(f"kwta: dim {dim} is out of range for a tensor with {input.ndim} axes")
    n = input.shape[dim]
    count = winners(k, n)
    places = ops.topk(input.detach(), count, axis=dim).indices if count else None
    if places is None:
        return input * 0
    mask = ops.put_along_axis(ops.zeros_like(input.detach()), places, 1.0, axis=dim)
    return ops.where(mask > 0, input, 0.0)


def winners(k, n):
    """How many of n units win.

    Raises:
        ValueError: k is neither an integer in [0, n] nor a share in (0, 1).
    """
    if k.__class__ is int and 0 <= k <= n:
        return k
    if isinstance(k, float) and 0 < k < 1:
        return int(-(-k * n // 1))
    raise ValueError(f"kwta: k: expected an integer in [0, {n}] or a share in (0, 1), got {k!r}")


def maxout(input, pieces, dim=-1):
    """The largest of each group of neighbouring units.

    Formula: out_j = max(x_{jk}, ..., x_{jk + k - 1}), k = `pieces`.

    Args:
        input: floating, of a size along `dim` that is a multiple of `pieces`.
        pieces: units per group, > 0.
        dim: the axis of the units.

    Returns:
        A Tensor with `pieces` times fewer units along `dim`. Equal ones share the gradient.

    Raises:
        ValueError: the size along `dim` is no multiple of `pieces`, or `pieces` is not positive.
        IndexError: there is no such axis.

    Source: Goodfellow et al. 2013, "Maxout networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.maxout(tn.tensor([1.0, 4.0, -2.0, -3.0]), 2)
        tensor([ 4., -2.])
    """
    input = as_tensor(input)
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(f"maxout: dim {dim} is out of range for a tensor with {input.ndim} axes")
    axis = dim % input.ndim
    if pieces.__class__ is not int or pieces < 1 or input.shape[axis] % pieces:
        raise ValueError(f"maxout: pieces: expected an integer > 0 that divides the size {input.shape[axis]} of axis "
                         f"{dim}, got {pieces!r}")
    shape = (*input.shape[:axis], input.shape[axis] // pieces, pieces, *input.shape[axis + 1:])
    return ops.max(ops.reshape(input, shape), axis=axis + 1)


def sparsemax(input, dim=-1):
    """The nearest probabilities to the input: like softmax, but small ones are exactly 0.

    Formula: out = argmin_p |p - x|^2 over p >= 0 with sum 1 = max(0, x - t), with t such that the sum is 1.

    Args:
        input: floating, any shape with at least one element along `dim`.
        dim: the axis of the classes.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        IndexError: there is no such axis.
        ValueError: there is nothing along `dim`.

    Source: Martins and Astudillo 2016, "From softmax to sparsemax", algorithm 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.sparsemax(tn.tensor([1.0, 0.5, -2.0]))
        tensor([0.7500, 0.2500, 0.0000])
    """
    input = as_tensor(input)
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(f"sparsemax: dim {dim} is out of range for a tensor with {input.ndim} axes")
    if not input.shape[dim]:
        raise ValueError(f"sparsemax: nothing along axis {dim} of shape {input.shape}")
    x = ops.moveaxis(input, dim, -1)
    ordered = ops.flip(ops.sort(x.detach()), axis=-1)
    place = ops.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device)
    fits = 1 + place * ordered > ops.cumsum(ordered, axis=-1)
    size = ops.sum(fits.astype(x.dtype), axis=-1, keepdims=True)  # of the support
    level = (ops.sum(ops.where(fits, ordered, 0.0), axis=-1, keepdims=True) - 1) / size
    support = x.detach() > level
    level = (ops.sum(ops.where(support, x, 0.0), axis=-1, keepdims=True) - 1) / size
    return ops.moveaxis(ops.where(support, x - level, 0.0), -1, dim)
