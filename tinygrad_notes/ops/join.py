"""Tensors joined, parted and repeated."""
from itertools import accumulate

import numpy as np

from ..autograd import joint, primitive
from ..autograd.tensor import Tensor, as_tensor
from ..backend.kernels import KERNELS
from .axes import as_shape, one_axis, tensors
from .broadcast import atleast_1d, atleast_2d, atleast_3d
from .shape import ravel

__all__ = ["concat", "stack", "hstack", "vstack", "dstack", "split", "array_split", "chunk", "unstack", "tile",
           "repeat"]


def _pieces(xp, x, positions, axis):
    lead = (slice(None),) * (axis % x.ndim)
    edges = (0, *positions, None)
    return tuple([x[(*lead, slice(a, b))] for a, b in zip(edges, edges[1:])])


def _layers(xp, x, axis=0):
    lead = (slice(None),) * (axis % x.ndim)
    return tuple([x[(*lead, i, ...)] for i in range(x.shape[axis])])


# Views by slicing: NumPy's split and CuPy's missing unstack cost more.
KERNELS["split"] = _pieces
KERNELS["unstack"] = _layers

_concat = joint("concat", lambda xp, *xs, axis: xp.concat(xs, axis=axis),
                lambda xp, g, shapes, axis: xp.split(g, tuple(accumulate([s[axis] for s in shapes[:-1]])), axis=axis),
                kind="gather")
_stack = joint("stack", lambda xp, *xs, axis: xp.stack(xs, axis=axis),
               lambda xp, g, axis: xp.unstack(g, axis=axis), kind="gather")
_split = primitive("split", lambda xp, x, *, positions, axis: _pieces(xp, x, positions, axis), kind="view", outputs=0,
                   x=lambda xp, g, axis: xp.concat(g, axis=axis))
_unstack = primitive("unstack", lambda xp, x, *, axis: _layers(xp, x, axis), kind="view", outputs=0,
                     x=lambda xp, g, axis: xp.stack(g, axis=axis))


def promoted(values):
    """Tensors cast to their common dtype: an integer beside a floating dtype joins that dtype."""
    dtypes = {v.data.dtype for v in values}
    if len(dtypes) > 1:
        floats = [d for d in dtypes if d.kind in "fc"]
        common = np.result_type(*(floats or dtypes))
        from . import astype
        values = tuple([v if v.dtype == common else astype(v, common) for v in values])
    return values


# Joining ------------------------------------------------------------------------
def concat(arrays, /, *, axis=0):
    """Tensors joined along an axis they have.

    Formula: out[.., N_1 + ... + N_{k-1} + i, ..] = arrays_k[.., i, ..].

    Args:
        arrays: sequence of tensors that agree in every axis but `axis`.
        axis: the axis to join along; None flattens each first.

    Returns:
        Tensor whose `axis` is the sum of theirs, of the promoted dtype.

    Raises:
        ValueError: nothing to join, or shapes that do not agree.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.concat((tn.tensor([1, 2]), tn.tensor([3])))
        tensor([1, 2, 3])
    """
    arrays = _many("concat", arrays)
    if axis is None:
        arrays, axis = tuple([ravel(a) for a in arrays]), 0
    if arrays[0].data.ndim == 0:
        raise ValueError("concat: a 0-d tensor has no axis to join along; use stack")
    return _concat(*promoted(arrays), axis=one_axis("concat", axis, arrays[0].data.ndim))


def stack(arrays, /, *, axis=0):
    """Tensors of one shape joined along a new axis.

    Formula: out[.., k, ..] = arrays_k.

    Args:
        arrays: sequence of tensors of one shape.
        axis: where the new axis stands in the result.

    Returns:
        Tensor with one axis more, of length len(arrays), of the promoted dtype.

    Raises:
        ValueError: nothing to stack, or shapes that differ.
        IndexError: the axis is out of range of the result.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.stack((tn.tensor([1, 2]), tn.tensor([3, 4])), axis=1)
        tensor([[1, 3],
                [2, 4]])
    """
    arrays = _many("stack", arrays)
    for k, a in enumerate(arrays):
        if a.data.shape != arrays[0].data.shape:
            raise ValueError(f"stack: arrays[{k}] has shape {a.shape}, but arrays[0] has {arrays[0].shape}")
    return _stack(*promoted(arrays), axis=one_axis("stack", axis, arrays[0].data.ndim + 1))


def _many(name, arrays):
    arrays = tensors(name, arrays)
    if not arrays:
        raise ValueError(f"{name}: arrays: expected at least one tensor, got none")
    return arrays


def hstack(arrays, /):
    """Tensors joined side by side: along the second axis, or the first of 1-d ones.

    Formula: out = concat(arrays, axis=1), or axis=0 where they are 1-d.

    Args:
        arrays: sequence of tensors; 0-d count as (1,).

    Returns:
        The joined tensor.

    Raises:
        ValueError: the shapes do not agree.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.hstack((tn.zeros((2, 1)), tn.ones((2, 2)))).shape
        (2, 3)
    """
    arrays = tuple([atleast_1d(a) for a in _many("hstack", arrays)])
    return concat(arrays, axis=0 if arrays[0].ndim == 1 else 1)


def vstack(arrays, /):
    """Tensors joined one above the other, along the first axis; 1-d ones are rows.

    Formula: out = concat([atleast_2d(a) for a in arrays], axis=0).

    Args:
        arrays: sequence of tensors.

    Returns:
        The joined tensor.

    Raises:
        ValueError: the shapes do not agree.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.vstack((tn.arange(2), tn.arange(2)))
        tensor([[0, 1],
                [0, 1]])
    """
    return concat(tuple([atleast_2d(a) for a in _many("vstack", arrays)]), axis=0)


def dstack(arrays, /):
    """Tensors joined along the third axis.

    Formula: out = concat([atleast_3d(a) for a in arrays], axis=2).

    Args:
        arrays: sequence of tensors.

    Returns:
        The joined tensor.

    Raises:
        ValueError: the shapes do not agree.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.dstack((tn.arange(2), tn.arange(2))).shape
        (1, 2, 2)
    """
    return concat(tuple([atleast_3d(a) for a in _many("dstack", arrays)]), axis=2)


# Parting ------------------------------------------------------------------------
def split(x, /, indices_or_sections, *, axis=0):
    """The tensor parted along an axis, as NumPy does it: into equal sections, or at positions.

    Formula: out_k = x[.., p_k : p_{k+1}, ..].

    Args:
        x: tensor.
        indices_or_sections: int, the number of equal parts; or a sequence of positions where parts begin.
            PyTorch's `split` takes sizes instead; for its `chunk` see `chunk`.
        axis: the axis to part.

    Returns:
        Tuple of views of `x`.

    Raises:
        ValueError: the axis cannot be parted into that many equal sections.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.split(tn.arange(5), (2, 3))
        (tensor([0, 1]), tensor([2]), tensor([3, 4]))
    """
    x, axis, n = _along("split", x, axis)
    if not isinstance(indices_or_sections, (tuple, list)):
        (sections,) = as_shape("split", indices_or_sections)
        if sections < 1 or n % sections:
            raise ValueError(f"split: axis {axis} of length {n} does not part into {sections} equal sections; "
                             "array_split and chunk allow unequal ones")
        size = n // sections
        return _split(x, positions=tuple([size * i for i in range(1, sections)]), axis=axis)
    return _split(x, positions=_bounded(as_shape("split", indices_or_sections), n), axis=axis)


def _bounded(positions, n):
    """Positions as slices mean them: negative from the end, none beyond it, none before the last."""
    found = [min(max(p + n if p < 0 else p, 0), n) for p in positions]
    if found != sorted(found):
        raise ValueError(f"split: positions {tuple(positions)} must not decrease")
    return tuple(found)


def _along(name, x, axis):
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    axis = one_axis(name, axis, x.data.ndim)
    return x, axis, x.data.shape[axis]


def array_split(x, /, indices_or_sections, *, axis=0):
    """The tensor parted along an axis into sections whose lengths differ by one at most.

    Formula: the first N mod k sections have length ceil(N / k), the others floor(N / k).

    Args:
        x: tensor.
        indices_or_sections: int, the number of parts; or positions, as in `split`.
        axis: the axis to part.

    Returns:
        Tuple of views of `x`.

    Raises:
        ValueError: fewer than one section.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> [len(part) for part in tn.array_split(tn.arange(5), 3)]
        [2, 2, 1]
    """
    x, axis, n = _along("array_split", x, axis)
    if isinstance(indices_or_sections, (tuple, list)):
        return split(x, indices_or_sections, axis=axis)
    (sections,) = as_shape("array_split", indices_or_sections)
    if sections < 1:
        raise ValueError(f"array_split: expected at least one section, got {sections}")
    each, extra = divmod(n, sections)
    sizes = [each + 1] * extra + [each] * (sections - extra)
    return _split(x, positions=tuple(accumulate(sizes[:-1])), axis=axis)


def chunk(x, /, chunks, axis=0):
    """The tensor parted along an axis into at most `chunks` pieces of equal length, the last shorter, as in PyTorch.

    Formula: each piece has ceil(N / chunks) elements.

    Args:
        x: tensor.
        chunks: the number of pieces.
        axis: the axis to part.

    Returns:
        Tuple of views of `x`.

    Raises:
        ValueError: fewer than one chunk.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> [len(part) for part in tn.chunk(tn.arange(5), 4)]
        [2, 2, 1]
    """
    x, axis, n = _along("chunk", x, axis)
    if chunks < 1:
        raise ValueError(f"chunk: expected at least one chunk, got {chunks}")
    size = -(-n // chunks)
    return _split(x, positions=tuple(range(size, n, size)) if n else (0,) * (chunks - 1), axis=axis)


def unstack(x, /, *, axis=0):
    """The layers of a tensor along an axis, which disappears.

    Formula: out_k = x[.., k, ..].

    Args:
        x: tensor with at least one axis.
        axis: the axis to take apart.

    Returns:
        Tuple of x.shape[axis] views.

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unstack(tn.tensor([[1, 2], [3, 4]]))
        (tensor([1, 2]), tensor([3, 4]))
    """
    x, axis, _ = _along("unstack", x, axis)
    return _unstack(x, axis=axis)


# Repeating ----------------------------------------------------------------------
def _tile_rule(xp, g, x_shape, reps):
    n = max(len(reps), len(x_shape))
    reps, sizes = (1,) * (n - len(reps)) + reps, (1,) * (n - len(x_shape)) + tuple(x_shape)
    apart = tuple([size for pair in zip(reps, sizes) for size in pair])  # (r_0, n_0, r_1, n_1, ...)
    return xp.reshape(xp.sum(xp.reshape(g, apart), axis=tuple(range(0, 2 * n, 2))), x_shape)


_tile = primitive("tile", lambda xp, x, *, reps: xp.tile(x, reps), kind="gather", x=_tile_rule)
_repeat = primitive(
    "repeat", lambda xp, x, *, repeats, axis: xp.repeat(x, repeats, axis=axis), kind="gather",
    x=lambda xp, g, x_shape, repeats, axis: xp.sum(
        xp.reshape(g, (*x_shape[:axis], x_shape[axis], repeats, *x_shape[axis + 1:])), axis=axis + 1))


def tile(x, /, repetitions):
    """The whole tensor repeated along each axis.

    Formula: out[i] = x[i mod N].

    Args:
        x: tensor.
        repetitions: how often along each axis, an int or tuple; it or the shape is filled with ones in front.

    Returns:
        Tensor whose axes are `repetitions` times as long.

    Raises:
        ValueError: a number is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.tile(tn.tensor([1, 2]), (2, 2))
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    reps = as_shape("tile", repetitions)
    if any(r < 0 for r in reps):
        raise ValueError(f"tile: repetitions: expected numbers from 0 up, got {reps}")
    return _tile(x, reps=reps)


def repeat(x, repeats, /, *, axis=None):
    """Each element repeated where it stands.

    Formula: x_1, x_1, ..., x_2, x_2, ... with x_i repeats_i times.

    Args:
        x: tensor.
        repeats: int, or a 1-d tensor or list of ints, one per element along `axis`.
        axis: the axis to repeat along; None flattens `x` first.

    Returns:
        Tensor whose `axis` has sum(repeats) elements.

    Raises:
        ValueError: a number is negative, or there are not as many as elements.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.repeat(tn.tensor([1, 2]), 2)
        tensor([1, 1, 2, 2])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    x, axis, n = _along("repeat", x, axis)
    counts = repeats.tolist() if hasattr(repeats, "tolist") else repeats
    each = as_shape("repeat", counts)
    if any(r < 0 for r in each):
        raise ValueError(f"repeat: repeats: expected numbers from 0 up, got {repeats}")
    if len(each) == 1:
        return _repeat(x, repeats=each[0], axis=axis)
    if len(each) != n:
        raise ValueError(f"repeat: repeats: expected 1 or {n} numbers for axis {axis} of {x.shape}, got {len(each)}")
    from . import take
    return take(x, Tensor(np.repeat(np.arange(n), each), device=x.device), axis=axis)
