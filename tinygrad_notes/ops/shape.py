"""Other shapes, same elements: views wherever NumPy gives views."""
from functools import lru_cache
from math import prod

from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from ..backend.kernels import KERNELS
from .axes import all_axes, as_shape, one_axis

__all__ = ["reshape", "permute_dims", "permute", "matrix_transpose", "transpose", "swapaxes", "moveaxis",
           "broadcast_to", "expand", "broadcast_arrays", "broadcast_shapes", "expand_dims", "unsqueeze", "squeeze",
           "flatten", "ravel", "unflatten", "view", "flip", "roll", "rot90", "atleast_1d", "atleast_2d", "atleast_3d",
           "meshgrid"]



# The forwards, by slices and an array's own methods: NumPy's wrappers cost more than the work.
def _expand(xp, x, axis):
    axis = axis if axis.__class__ is tuple else (axis,)
    ndim = x.ndim + len(axis)
    new = {a % ndim for a in axis}
    sizes = iter(x.shape)
    return x.reshape(tuple([1 if i in new else next(sizes) for i in range(ndim)]))


def _flipped(xp, x, axis=None):
    axes = range(x.ndim) if axis is None else (axis,) if axis.__class__ is int else axis
    key = [slice(None)] * x.ndim
    for a in axes:
        key[a] = slice(None, None, -1)
    return x[tuple(key)] if key else x


def _rolled(xp, x, shift, axis):
    out = x
    if axis.__class__ is int:
        shift, axis = (shift,), (axis,)
    for s, a in zip(shift, axis):
        n = x.shape[a]
        if n and s % n:
            lead = (slice(None),) * a
            out = xp.concat((out[(*lead, slice(-s % n, None))], out[(*lead, slice(0, -s % n))]), axis=a)
    return x.copy() if out is x else out


KERNELS.update(reshape=lambda xp, x, shape: x.reshape(shape), expand_dims=_expand, flip=_flipped, roll=_rolled)


@lru_cache(maxsize=4096)
def inverse(axes):
    """The permutation that undoes `axes`."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


_reshape = primitive("reshape", lambda xp, x, *, shape: x.reshape(shape), kind="view",
                     x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
_expand_dims = primitive("expand_dims", lambda xp, x, *, axis: _expand(xp, x, axis), kind="view",
                         x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
_squeeze = primitive(
    "squeeze", lambda xp, x, *, axis: x.reshape(tuple([n for i, n in enumerate(x.shape) if i not in axis])),
    kind="view", x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
_permute_dims = primitive("permute_dims", lambda xp, x, *, axes: xp.permute_dims(x, axes), kind="view",
                          x=lambda xp, g, axes: xp.permute_dims(g, inverse(axes)))
_broadcast_to = primitive("broadcast_to", lambda xp, x, *, shape: xp.broadcast_to(x, shape), kind="view", x=lambda g: g)
_flip = primitive("flip", lambda xp, x, *, axis: _flipped(xp, x, axis), kind="view",
                  x=lambda xp, g, axis: xp.flip(g, axis=axis))
_roll = primitive("roll", lambda xp, x, *, shift, axis: _rolled(xp, x, shift, axis), kind="gather",
                  x=lambda xp, g, shift, axis: xp.roll(g, tuple([-s for s in shift]), axis=axis))


# Reshaping ----------------------------------------------------------------------
def reshape(x, /, shape, *more, copy=None):
    """The same elements, in C order, in another shape.

    Formula: out.ravel() = x.ravel().

    Args:
        x: tensor.
        shape: the new sizes, as a tuple or as several ints; one may be -1 and follows from the rest.
        copy: True always copies; False raises where a copy is needed; None copies only if it must.

    Returns:
        Tensor of that shape, a view of `x` where its memory allows.

    Raises:
        ValueError: the sizes do not multiply to the number of elements, or copy=False and no view exists.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.reshape(tn.arange(6), (2, -1))
        tensor([[0, 1, 2],
                [3, 4, 5]])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    shape = as_shape("reshape", (shape, *more) if more else shape)
    if copy is None:
        return _reshape(x, shape=shape)
    if copy:
        from .convert import clone
        return clone(_reshape(x, shape=shape))
    out = _reshape(x, shape=shape)
    if out.data.size and not _shares(out.data, x.data):
        raise ValueError(f"reshape: copy=False, but shape {x.shape} with these strides has no view of shape {shape}")
    return out


def _shares(view, array):
    from ..backend import device_of
    home = device_of(array)
    if home.name == "cuda":
        return view.data.ptr == array.data.ptr
    return home.to_numpy(view).ctypes.data == home.to_numpy(array).ctypes.data


def view(x, /, *shape):
    """The same memory in another shape; raises where `reshape` would have to copy.

    Formula: out.ravel() = x.ravel().

    Args:
        x: tensor.
        shape: the new sizes, as a tuple or as several ints; one may be -1.

    Returns:
        Tensor of that shape which shares the memory of `x`.

    Raises:
        ValueError: the sizes do not fit, or no view exists.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.arange(6).view(3, 2).shape
        (3, 2)
    """
    return reshape(x, *shape, copy=False)


def flatten(x, /, start_axis=0, end_axis=-1):
    """A run of neighbouring axes joined into one.

    Formula: out.ravel() = x.ravel().

    Args:
        x: tensor; a 0-d tensor becomes (1,).
        start_axis, end_axis: first and last axis of the run, both included.

    Returns:
        Tensor with that run replaced by one axis.

    Raises:
        IndexError: an axis is out of range.
        ValueError: `start_axis` comes after `end_axis`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.flatten(tn.zeros((2, 3, 4)), 1).shape
        (2, 12)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if x.data.ndim == 0:
        return _reshape(x, shape=(1,))
    first, last = (one_axis("flatten", a, x.data.ndim) for a in (start_axis, end_axis))
    if first > last:
        raise ValueError(f"flatten: start_axis {start_axis} comes after end_axis {end_axis} in shape {x.shape}")
    return _reshape(x, shape=(*x.shape[:first], prod(x.shape[first:last + 1]), *x.shape[last + 1:]))


def ravel(x, /):
    """All elements in C order along one axis.

    Formula: out[i] = the i-th element of `x`, last index fastest.

    Args:
        x: tensor.

    Returns:
        Tensor of shape (x.size,).

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.ravel(tn.tensor([[1, 2], [3, 4]]))
        tensor([1, 2, 3, 4])
    """
    return reshape(x, (-1,)) if as_tensor(x).size else reshape(x, (0,))


def unflatten(x, /, axis, sizes):
    """One axis parted into several.

    Formula: out.ravel() = x.ravel().

    Args:
        x: tensor.
        axis: the axis to part.
        sizes: the sizes it is parted into; one may be -1.

    Returns:
        Tensor with `axis` replaced by axes of `sizes`.

    Raises:
        ValueError: the sizes do not multiply to the length of the axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unflatten(tn.zeros((2, 12)), 1, (3, -1)).shape
        (2, 3, 4)
    """
    x = as_tensor(x)
    axis, sizes = one_axis("unflatten", axis, x.ndim), as_shape("unflatten", sizes)
    n, known = x.shape[axis], prod(s for s in sizes if s != -1)
    if -1 in sizes and known and n % known == 0:
        sizes = tuple([n // known if s == -1 else s for s in sizes])
    if prod(sizes) != n or -1 in sizes:
        raise ValueError(f"unflatten: sizes {sizes} do not multiply to {n}, the length of axis {axis} of {x.shape}")
    return _reshape(x, shape=(*x.shape[:axis], *sizes, *x.shape[axis + 1:]))


def expand_dims(x, /, axis=0):
    """New axes of length one.

    Formula: out[..., 0, ...] = x.

    Args:
        x: tensor.
        axis: where the new axis, or axes, stand in the result.

    Returns:
        A view of `x` with those axes.

    Raises:
        IndexError: an axis is out of range of the result.
        ValueError: an axis is named twice.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.expand_dims(tn.zeros((3,)), axis=1).shape
        (3, 1)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    n = len(axis) if isinstance(axis, (tuple, list)) else 1
    return _expand_dims(x, axis=all_axes("expand_dims", axis, x.data.ndim + n))


def unsqueeze(x, /, axis):
    """PyTorch's name for `expand_dims` of one axis.

    Formula: out[..., 0, ...] = x.

    Args:
        x: tensor.
        axis: where the new axis stands in the result.

    Returns:
        A view of `x` with that axis.

    Raises:
        IndexError: the axis is out of range of the result.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros((3,)).unsqueeze(-1).shape
        (3, 1)
    """
    return expand_dims(x, axis)


def squeeze(x, /, axis=None):
    """Axes of length one removed.

    Formula: out = x[..., 0, ...].

    Args:
        x: tensor.
        axis: int or tuple of ints; None removes every axis of length one.

    Returns:
        A view of `x` without those axes.

    Raises:
        ValueError: an axis to remove is longer than one.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.squeeze(tn.zeros((1, 3, 1)), axis=0).shape
        (3, 1)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if axis is None:
        axis = tuple([i for i, n in enumerate(x.shape) if n == 1])
    else:
        axis = all_axes("squeeze", axis, x.data.ndim)
        for a in axis:
            if x.shape[a] != 1:
                raise ValueError(f"squeeze: axis {a} has length {x.shape[a]} in shape {x.shape}; only length 1 can go")
    return _squeeze(x, axis=axis)


# Orders of axes -----------------------------------------------------------------
def permute_dims(x, /, axes):
    """The axes in another order.

    Formula: out.shape[i] = x.shape[axes[i]].

    Args:
        x: tensor.
        axes: every axis of `x` once, in the order of the result.

    Returns:
        A view of `x`.

    Raises:
        ValueError: `axes` is not a permutation of the axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.permute_dims(tn.zeros((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    ndim = x.data.ndim
    if not isinstance(axes, (tuple, list)) or len(axes) != ndim:
        raise ValueError(f"permute_dims: axes {axes} must name each of the {ndim} axes of shape {x.shape} once")
    return _permute_dims(x, axes=all_axes("permute_dims", axes, ndim))


def permute(x, /, *axes):
    """`permute_dims` with the axes as several ints or as one tuple.

    Formula: out.shape[i] = x.shape[axes[i]].

    Args:
        x: tensor.
        axes: every axis of `x` once.

    Returns:
        A view of `x`.

    Raises:
        ValueError: `axes` is not a permutation of the axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros((2, 3, 4)).permute(2, 0, 1).shape
        (4, 2, 3)
    """
    return permute_dims(x, axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes)


def swapaxes(x, /, axis1, axis2):
    """Two axes exchanged.

    Formula: out[.., i, .., j, ..] = x[.., j, .., i, ..].

    Args:
        x: tensor.
        axis1, axis2: the axes.

    Returns:
        A view of `x`.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.swapaxes(tn.zeros((2, 3, 4)), 0, -1).shape
        (4, 3, 2)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    ndim = x.data.ndim
    if not ndim and axis1 in (0, -1) and axis2 in (0, -1):
        return _permute_dims(x, axes=())
    a, b = one_axis("swapaxes", axis1, ndim), one_axis("swapaxes", axis2, ndim)
    order = list(range(ndim))
    order[a], order[b] = b, a
    return _permute_dims(x, axes=tuple(order))


def transpose(x, /, *axes):
    """Axes exchanged or put in another order.

    Formula: `transpose(x)` reverses all axes; `transpose(x, i, j)` exchanges two, as in PyTorch;
    `transpose(x, (i, j, k))` or more than two ints is `permute_dims`, as in NumPy.

    Args:
        x: tensor.
        axes: nothing, two ints, or all axes in their new order.

    Returns:
        A view of `x`.

    Raises:
        IndexError: an axis is out of range.
        ValueError: `axes` is not a permutation of the axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros((2, 3, 4)).transpose(0, 2).shape
        (4, 3, 2)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if not axes or axes == (None,):
        return _permute_dims(x, axes=tuple(range(x.data.ndim))[::-1])
    if len(axes) == 2 and not isinstance(axes[0], (tuple, list)):
        return swapaxes(x, *axes)
    return permute(x, *axes)


def matrix_transpose(x, /):
    """The last two axes exchanged: every matrix of a stack transposed.

    Formula: out[..., i, j] = x[..., j, i].

    Args:
        x: tensor of shape (..., M, N).

    Returns:
        A view of shape (..., N, M).

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.matrix_transpose(tn.tensor([[1, 2], [3, 4]]))
        tensor([[1, 3],
                [2, 4]])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if (n := x.data.ndim) < 2:
        raise ValueError(f"matrix_transpose: needs at least 2 axes, got shape {x.shape}")
    return _permute_dims(x, axes=(*range(n - 2), n - 1, n - 2))


def moveaxis(x, source, destination, /):
    """Axes moved to other places; the rest keep their order.

    Formula: out.shape[destination[i]] = x.shape[source[i]].

    Args:
        x: tensor.
        source, destination: ints or tuples of ints of equal length.

    Returns:
        A view of `x`.

    Raises:
        ValueError: `source` and `destination` differ in length, or name an axis twice.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.moveaxis(tn.zeros((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    ndim = x.data.ndim
    come, go = all_axes("moveaxis", source, ndim), all_axes("moveaxis", destination, ndim)
    if come is None or go is None or len(come) != len(go):
        raise ValueError(f"moveaxis: source {source} and destination {destination} must name equally many axes")
    order = [a for a in range(ndim) if a not in come]
    for to, fro in sorted(zip(go, come)):
        order.insert(to, fro)
    return _permute_dims(x, axes=tuple(order))


# Stretching ---------------------------------------------------------------------
def broadcast_to(x, /, shape):
    """The tensor stretched to `shape` without copying.

    Formula: out[..., i] = x[..., 0] where an axis of `x` has length one or is missing.

    Args:
        x: tensor.
        shape: the shape to stretch to.

    Returns:
        A read-only view of that shape.

    Raises:
        ValueError: `x` does not broadcast to `shape`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.broadcast_to(tn.tensor([1, 2]), (2, 2))
        tensor([[1, 2],
                [1, 2]])
    """
    return _broadcast_to(x if isinstance(x, Tensor) else as_tensor(x), shape=as_shape("broadcast_to", shape))


def expand(x, /, *shape):
    """PyTorch's form of `broadcast_to`: several ints or a tuple, where -1 keeps the length of an axis.

    Formula: out[..., i] = x[..., 0] where an axis of `x` has length one or is missing.

    Args:
        x: tensor.
        shape: the shape to stretch to.

    Returns:
        A read-only view of that shape.

    Raises:
        ValueError: `x` does not broadcast to `shape`, or -1 stands for an axis that `x` has not.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros((3, 1)).expand(-1, 4).shape
        (3, 4)
    """
    x = as_tensor(x)
    shape = as_shape("expand", shape[0] if len(shape) == 1 else shape)
    missing = len(shape) - x.ndim
    if -1 in shape[:max(missing, 0)]:
        raise ValueError(f"expand: -1 in {shape} stands for an axis that shape {x.shape} has not")
    return broadcast_to(x, tuple([x.shape[i - missing] if n == -1 else n for i, n in enumerate(shape)]))


def broadcast_shapes(*shapes):
    """The shape that arrays of these shapes broadcast to.

    Formula: out[-i] = the length other than one among shapes[k][-i].

    Args:
        shapes: tuples of ints.

    Returns:
        A tuple of ints.

    Raises:
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.broadcast_shapes((3, 1), (4,))
        (3, 4)
    """
    shapes = [as_shape("broadcast_shapes", s) for s in shapes]
    out = [1] * max((len(s) for s in shapes), default=0)
    for s in shapes:
        for i, n in enumerate(reversed(s), 1):
            if n != 1 and out[-i] not in (1, n):
                raise ValueError(f"broadcast_shapes: shapes {', '.join(map(str, shapes))} do not broadcast")
            out[-i] = n if n != 1 else out[-i]
    return tuple(out)


def broadcast_arrays(*arrays):
    """Several tensors stretched to their common shape.

    Formula: out_k = broadcast_to(arrays_k, broadcast_shapes(...)).

    Args:
        arrays: tensors.

    Returns:
        List of views of one shape.

    Raises:
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> [a.shape for a in tn.broadcast_arrays(tn.zeros((3, 1)), tn.zeros((4,)))]
        [(3, 4), (3, 4)]
    """
    arrays = [as_tensor(a) for a in arrays]
    shape = broadcast_shapes(*[a.shape for a in arrays])
    return [a if a.shape == shape else _broadcast_to(a, shape=shape) for a in arrays]


def meshgrid(*arrays, indexing="xy"):
    """Coordinates of a grid, one tensor per axis.

    Formula: out_k[i_1, ..., i_n] = arrays_k[i_k] ("ij"); "xy" exchanges the first two axes.

    Args:
        arrays: 1-d tensors of lengths N_1, ..., N_n (0-d count as length one), of one dtype.
        indexing: "xy" (Cartesian) or "ij" (matrix).

    Returns:
        List of n views of shape (N_1, ..., N_n) for "ij", (N_2, N_1, ...) for "xy".

    Raises:
        ValueError: `indexing` is unknown, or an input has more than one axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.meshgrid(tn.arange(3), tn.arange(2))[1]
        tensor([[0, 0, 0],
                [1, 1, 1]])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing: expected 'xy' or 'ij', got {indexing!r}")
    arrays = [as_tensor(a) for a in arrays]
    n = len(arrays)
    for k, a in enumerate(arrays):
        if a.ndim > 1:
            raise ValueError(f"meshgrid: input {k} must have one axis, got shape {a.shape}")
    places = list(range(n))
    if indexing == "xy" and n > 1:
        places[0], places[1] = 1, 0
    stretched = [_reshape(a, shape=tuple([a.size if i == place else 1 for i in range(n)]))
                 for a, place in zip(arrays, places)]
    return broadcast_arrays(*stretched)


def _at_least(n, arrays, places):
    """Each of `arrays` with new axes where `places` says for its number of axes."""
    grown = []
    for x in arrays:
        x = as_tensor(x)
        grown.append(x if x.ndim >= n else _expand_dims(x, axis=places[x.ndim]))
    return grown[0] if len(grown) == 1 else tuple(grown)


def atleast_1d(*arrays):
    """Tensors with at least one axis.

    Formula: a 0-d tensor becomes (1,).

    Args:
        arrays: tensors.

    Returns:
        The tensor, or a tuple of them if several were given.

    Raises:
        TypeError: an input is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.atleast_1d(tn.tensor(3.0)).shape
        (1,)
    """
    return _at_least(1, arrays, {0: (0,)})


def atleast_2d(*arrays):
    """Tensors with at least two axes, new ones in front.

    Formula: (N,) becomes (1, N).

    Args:
        arrays: tensors.

    Returns:
        The tensor, or a tuple of them if several were given.

    Raises:
        TypeError: an input is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.atleast_2d(tn.zeros((3,))).shape
        (1, 3)
    """
    return _at_least(2, arrays, {0: (0, 1), 1: (0,)})


def atleast_3d(*arrays):
    """Tensors with at least three axes, as NumPy places them.

    Formula: (N,) becomes (1, N, 1), (M, N) becomes (M, N, 1).

    Args:
        arrays: tensors.

    Returns:
        The tensor, or a tuple of them if several were given.

    Raises:
        TypeError: an input is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.atleast_3d(tn.zeros((2, 3))).shape
        (2, 3, 1)
    """
    return _at_least(3, arrays, {0: (0, 1, 2), 1: (0, 2), 2: (2,)})


# Turning ------------------------------------------------------------------------
def flip(x, /, *, axis=None):
    """The elements in reverse order along axes.

    Formula: out[i] = x[N - 1 - i].

    Args:
        x: tensor.
        axis: int, tuple of ints, or None for all axes.

    Returns:
        A view of the shape of `x`.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.flip(tn.arange(3))
        tensor([2, 1, 0])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    return _flip(x, axis=all_axes("flip", axis, x.data.ndim))


def roll(x, /, shift, *, axis=None):
    """The elements moved round along axes; what leaves at the end enters at the start.

    Formula: out[(i + shift) mod N] = x[i].

    Args:
        x: tensor.
        shift: how many places, an int, or a tuple with one per axis.
        axis: int, tuple of ints, or None to roll the flattened tensor.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        ValueError: `shift` and `axis` differ in length.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.roll(tn.arange(4), 1)
        tensor([3, 0, 1, 2])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    shift = as_shape("roll", shift)
    if axis is None:
        return _reshape(_roll(ravel(x), shift=(sum(shift),), axis=(0,)), shape=x.shape)
    axis = tuple([one_axis("roll", a, x.data.ndim) for a in as_shape("roll", axis)])  # an axis may come twice
    if len(shift) == 1:
        shift = shift * len(axis)
    if len(axis) == 1:
        axis = axis * len(shift)
    if len(shift) != len(axis):
        raise ValueError(f"roll: shift {shift} and axis {axis} must have equally many entries")
    return _roll(x, shift=shift, axis=axis)


def rot90(x, /, k=1, axes=(0, 1)):
    """A quarter turn in a plane, `k` times, from the first of `axes` towards the second.

    Formula: out[i, j] = x[j, N - 1 - i] for k = 1.

    Args:
        x: tensor with at least two axes.
        k: number of quarter turns; negative turns back.
        axes: the two axes of the plane.

    Returns:
        A view of `x`.

    Raises:
        ValueError: `axes` are not two different axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.rot90(tn.tensor([[1, 2], [3, 4]]))
        tensor([[2, 4],
                [1, 3]])
    """
    x = as_tensor(x)
    if len(axes) != 2:
        raise ValueError(f"rot90: axes: expected two axes, got {axes}")
    first, second = all_axes("rot90", tuple(axes), x.ndim)
    k %= 4
    if k == 0:
        return _permute_dims(x, axes=tuple(range(x.ndim)))
    if k == 2:
        return flip(x, axis=(first, second))
    return swapaxes(flip(x, axis=second), first, second) if k == 1 else flip(swapaxes(x, first, second), axis=second)
