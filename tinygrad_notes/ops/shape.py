"""Other shapes, same elements."""
from ..autograd import primitive

__all__ = ["reshape", "permute_dims", "matrix_transpose", "broadcast_to", "expand_dims"]

_reshape = primitive("reshape", lambda xp, x, *, shape: xp.reshape(x, shape), kind="view",
                     x=lambda xp, g, x_shape: xp.reshape(g, x_shape))
_permute = primitive("permute", lambda xp, x, *, axes: xp.permute_dims(x, axes), kind="view",
                     x=lambda xp, g, axes: xp.permute_dims(g, tuple(sorted(range(len(axes)), key=axes.__getitem__))))
_broadcast_to = primitive("broadcast_to", lambda xp, x, *, shape: xp.broadcast_to(x, shape), kind="view", x=lambda g: g)


def reshape(x, /, *shape):
    """The same elements in another shape."""
    shape = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    return _reshape(x, shape=tuple(shape))


def permute_dims(x, /, axes):
    """The axes in another order."""
    return _permute(x, axes=tuple(a % x.ndim for a in axes))


def matrix_transpose(x, /):
    """The last two axes exchanged."""
    return _permute(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def broadcast_to(x, /, shape):
    """The tensor stretched to `shape`."""
    return _broadcast_to(x, shape=tuple(shape))


def expand_dims(x, /, axis=0):
    """A new axis of length one."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    ndim = x.ndim + len(axes)
    axes = {a % ndim for a in axes}
    sizes = iter(x.shape)
    return _reshape(x, shape=tuple(1 if i in axes else next(sizes) for i in range(ndim)))
