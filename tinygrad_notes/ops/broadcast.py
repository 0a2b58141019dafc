"""Tensors stretched to a shape without copying, and given axes to be stretched along."""
from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from .axes import as_shape
from .shape import expand_dims, reshape

__all__ = ["broadcast_to", "expand", "broadcast_arrays", "broadcast_shapes", "atleast_1d", "atleast_2d", "atleast_3d",
           "meshgrid"]

_broadcast_to = primitive("broadcast_to", lambda xp, x, *, shape: xp.broadcast_to(x, shape), kind="view", x=lambda g: g)


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
    stretched = [reshape(a, tuple([a.size if i == place else 1 for i in range(n)]))
                 for a, place in zip(arrays, places)]
    return broadcast_arrays(*stretched)


def _at_least(n, arrays, places):
    """Each of `arrays` with new axes where `places` says for its number of axes."""
    first = arrays[0] if len(arrays) == 1 else None
    if isinstance(first, (tuple, list)) and any(isinstance(x, Tensor) for x in first):  # several, as PyTorch takes them
        return tuple([_at_least(n, (x,), places) for x in first])
    grown = []
    for x in arrays:
        x = as_tensor(x)
        grown.append(x if x.ndim >= n else expand_dims(x, places[x.ndim]))
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
