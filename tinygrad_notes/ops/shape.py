"""Other shapes, same elements: views wherever NumPy gives views."""
from math import prod

from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from ..backend.kernels import KERNELS
from .axes import all_axes, as_shape, one_axis

__all__ = ["reshape", "view", "flatten", "ravel", "unflatten", "expand_dims", "unsqueeze", "squeeze"]


# The forwards, by slices and an array's own methods: NumPy's wrappers cost more than the work.
def _expand(xp, x, axis):
    axis = axis if axis.__class__ is tuple else (axis,)
    ndim = x.ndim + len(axis)
    new = {a % ndim for a in axis}
    sizes = iter(x.shape)
    return x.reshape(tuple([1 if i in new else next(sizes) for i in range(ndim)]))


KERNELS.update(reshape=lambda xp, x, shape: x.reshape(shape), expand_dims=_expand)

_reshape = primitive("reshape", lambda xp, x, *, shape: x.reshape(shape), kind="view",
                     x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
_expand_dims = primitive("expand_dims", lambda xp, x, *, axis: _expand(xp, x, axis), kind="view",
                         x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
_squeeze = primitive(
    "squeeze", lambda xp, x, *, axis: x.reshape(tuple([n for i, n in enumerate(x.shape) if i not in axis])),
    kind="view", x=lambda xp, g, x_shape: xp.reshape(g, x_shape))


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
