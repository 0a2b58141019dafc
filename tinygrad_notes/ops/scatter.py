"""Writing by index, as functions: each returns a new tensor and leaves its inputs alone.

What adds is the transpose of reading (`index.py`), so either is the other's gradient rule.
"""
import math

import numpy as np

from ..autograd import Tensor, as_tensor, joint, primitive
from ..backend import int64
from ..backend.device import writes_in_order
from .axes import one_axis
from .bounds import ARRAY, check_key, check_range
from .broadcast import broadcast_to
from .choice import where
from .index import cut_to, fit_along, full_key, integers, only, open_key, split_key, written
from .join import concat
from .shape import reshape

__all__ = [
    "index_add", "index_copy", "index_fill", "index_put", "masked_scatter", "put_along_axis", "scatter", "scatter_add",
    "scatter_reduce",
]


# The transposes of reading ----------------------------------------------------------
def _embed(xp, y, *, key, shape):
    out = xp.zeros(shape, dtype=y.dtype)
    out[open_key(key)] = y
    return out


_embed = primitive("embed", _embed, kind="view", y=lambda xp, g, key: xp.getitem(g, key=key))


def _index_transpose(xp, y, *arrays, key, shape):
    masks = [a for a in arrays if a.dtype.kind == "b"]
    if not arrays or len(arrays) == 1 and (masks or not arrays[0].ndim):  # no place is named twice
        out = xp.zeros(shape, dtype=y.dtype)
        out[full_key(key, arrays)] = y
        return out
    if masks:
        places = xp.reshape(xp.arange(math.prod(shape)), shape)[full_key(key, arrays)]
        total = xp.sum_rows(xp.reshape(y, (-1, 1)), xp.reshape(places, (-1,)), math.prod(shape))
        return xp.reshape(total, shape)
    layout = Layout(key, shape, [a.shape for a in arrays])
    rows = xp.reshape(xp.permute_dims(y, layout.to_front(y.ndim)), (layout.count, layout.width))
    total = xp.reshape(xp.sum_rows(rows, layout.places(xp, arrays), layout.indexed_size), layout.stacked)
    total = xp.permute_dims(total, layout.back)
    if layout.plain:
        return total
    out = xp.zeros(shape, dtype=y.dtype)
    out[layout.slices] = total
    return out


class Layout:
    """Where the axes of `x[key]` come from, for a key with integer arrays.

    NumPy treats ints beside arrays as arrays. The axes of all of them become the broadcast axes of the
    arrays: in place where they are neighbours in the key, else in front.
    """

    def __init__(self, key, shape, index_shapes):
        consumed = sum(1 for part in key if part is not None and part is not Ellipsis)
        full = [(None, None, None)] * (len(shape) - consumed)
        parts = []
        for part in key if Ellipsis in key else (*key, Ellipsis):
            parts.extend(full if part is Ellipsis else [part])
        indexed = [k for k, part in enumerate(parts) if part.__class__ in (int, str)]
        neighbours = indexed[-1] - indexed[0] + 1 == len(indexed)
        broadcast = np.broadcast_shapes(*index_shapes)
        self.ndim, self.count = len(broadcast), math.prod(broadcast)
        self.broadcast = broadcast
        self.first = indexed[0] if neighbours else 0
        axes = [part for part in parts if part is not None]
        self.axes = [a for a, part in enumerate(axes) if part.__class__ in (int, str)]
        rest = [a for a, part in enumerate(axes) if part.__class__ is tuple]
        self.indices = [axes[a] for a in self.axes]
        self.sizes = [shape[a] for a in self.axes]
        self.indexed_size = math.prod(self.sizes)
        reads = [range(*slice(*axes[a]).indices(shape[a])) for a in rest]
        lengths = [len(read) for read in reads]
        self.width = math.prod(lengths)
        self.stacked = (*self.sizes, *lengths)
        order = [*self.axes, *rest]
        self.back = tuple(order.index(a) for a in range(len(order)))
        self.plain = all(read == range(shape[a]) for read, a in zip(reads, rest))
        self.after = sum(1 for part in parts[indexed[-1] + 1 if neighbours else 0:] if part.__class__ not in (int, str))
        self.slices = tuple(slice(*part) if part.__class__ is tuple else slice(None) for part in axes)

    def to_front(self, ndim):
        """The permutation that brings the broadcast axes of the result to the front."""
        moved = range(self.first, self.first + self.ndim)
        return (*moved, *(a for a in range(ndim) if a not in moved))

    def places(self, xp, arrays):
        """The flat place, among the indexed axes, of every element of the broadcast index arrays."""
        arrays = iter(arrays)
        flat = None
        for part, n in zip(self.indices, self.sizes):
            index = xp.astype(next(arrays), int64) if part.__class__ is str else part
            if len(self.indices) > 1:
                index = xp.where(index < 0, index + n, index) if part.__class__ is str else index % max(n, 1)
            flat = index if flat is None else flat * n + index
        return xp.reshape(xp.broadcast_to(flat, self.broadcast), (-1,))


_index_transpose = joint("index_transpose", _index_transpose,
                         lambda xp, g, arrays, key: only(xp.index_get(g, *arrays, key=key), arrays), kind="gather")


def _take_transpose(xp, y, indices, *, axis, shape):
    ndim = len(indices.shape)
    moved = range(axis, axis + ndim)
    order = (*moved, *(a for a in range(len(y.shape)) if a not in moved))
    rest = shape[:axis] + shape[axis + 1:]
    rows = xp.reshape(xp.permute_dims(y, order) if axis else y, (math.prod(indices.shape), math.prod(rest)))
    total = xp.reshape(xp.sum_rows(rows, xp.reshape(indices, (-1,)), shape[axis]), (shape[axis], *rest))
    return xp.moveaxis(total, 0, axis) if axis else total


_take_transpose = primitive("take_transpose", _take_transpose, kind="gather",
                            y=lambda xp, g, indices, axis: xp.take(g, indices, axis=axis))


LAST = "last"  # of several writes to one place the last stays


def _put_transpose(xp, y, indices, *, axis, shape, unique):
    size = math.prod(shape)
    places = xp.line_places(indices, axis, shape[axis])
    last = axis == len(shape) - 1
    values = xp.reshape(y if last else xp.moveaxis(y, axis, -1), (-1,))
    if unique:
        if unique == LAST and not writes_in_order(values):
            values = xp.take(values, xp.last_of_equal(places, size))
        total = xp.zeros(size, dtype=y.dtype)
        total[places] = values
    else:
        total = xp.sum_rows(xp.reshape(values, (-1, 1)), places, size)
    if last:
        return xp.reshape(total, shape)
    lines = shape[:axis] + shape[axis + 1:]
    return xp.moveaxis(xp.reshape(total, (*lines, shape[axis])), -1, axis)


_put_transpose = primitive("put_transpose", _put_transpose, kind="gather",
                           y=lambda xp, g, indices, axis: xp.take_along_axis(g, indices, axis=axis))


# Writing ----------------------------------------------------------------------------
def last_stays(xp, shape, value, key, arrays):
    """`value` for writing into an array of this shape, made such that of several writes to one place the last stays.

    NumPy writes in order. A GPU writes at once: there all that is written to one place becomes the last of it.
    """
    if not getattr(value, "ndim", 0) or writes_in_order(value):
        return value
    if len(arrays) == 1 and (arrays[0].dtype.kind == "b" or not arrays[0].ndim):  # no place is named twice
        return value
    stand_in = xp.broadcast_to(xp.zeros((), dtype=np.dtype("bool")), shape)
    selected = stand_in[full_key(key, arrays)].shape
    extra = max(0, value.ndim - len(selected))
    try:
        value = xp.broadcast_to(xp.reshape(value, value.shape[extra:]), selected)
    except ValueError:
        return value  # it does not fit: the library says so
    winner = xp.last_of_equal(*_writers(xp, shape, key, arrays)[:2])
    if any(a.dtype.kind == "b" for a in arrays):
        return xp.reshape(xp.take(xp.reshape(value, (-1,)), winner), selected)
    layout = Layout(key, shape, [a.shape for a in arrays])
    order = layout.to_front(len(selected))
    front = xp.permute_dims(value, order)
    rows = xp.take(xp.reshape(front, (layout.count, math.prod(front.shape[layout.ndim:]))), winner, axis=0)
    return xp.permute_dims(xp.reshape(rows, front.shape), tuple(order.index(a) for a in range(len(order))))


def _index_set(xp, x, value, *arrays, key):
    out = x.copy()
    value = last_stays(xp, x.shape, value, key, arrays) if arrays else value
    if arrays:  # NumPy writes in the order of memory: rows first only if everything lies so
        value, *arrays = [xp.ascontiguousarray(a) if a.ndim else a for a in (value, *arrays)]
    out[full_key(key, arrays)] = value
    return out


def _index_clear(xp, x, *arrays, key):
    out = x.copy()
    out[full_key(key, arrays)] = 0
    return out


def _writers(xp, shape, key, arrays):
    """Of each write: its flat place; how many places there are; and the shape of the writes, one for all of a row."""
    if any(a.dtype.kind == "b" for a in arrays):
        places = xp.reshape(xp.arange(math.prod(shape)), shape)[full_key(key, arrays)]
        return xp.reshape(places, (-1,)), math.prod(shape), places.shape
    layout = Layout(key, shape, [a.shape for a in arrays])
    return layout.places(xp, arrays), layout.indexed_size, layout.broadcast + (1,) * layout.after


def _last_writer(xp, *arrays, key, shape):
    """Which elements of the broadcast index arrays write last to their place, broadcastable with `x[key]`."""
    places, size, kept = _writers(xp, shape, key, arrays)
    return xp.reshape(xp.last_of_equal(places, size) == xp.arange(places.shape[0]), kept)


_last_writer = primitive("last_writer", _last_writer, kind="gather", differentiable=False)
_index_clear = joint("index_clear", _index_clear,
                     lambda xp, g, arrays, key: only(xp.index_clear(g, *arrays, key=key), arrays), kind="gather")


def _index_set_rule(xp, g, x_shape, arrays, key, needs):
    to_x = xp.index_clear(g, *arrays, key=key) if needs[0] else None
    if not needs[1]:
        return to_x, None, *[None] * len(arrays)
    to_value = xp.index_get(g, *arrays, key=key)
    if len(arrays) > 1 or any(a.dtype.kind != "b" and a.ndim for a in arrays):
        to_value = xp.where(xp.last_writer(*arrays, key=key, shape=tuple(x_shape)), to_value, xp.zeros_like(to_value))
    return to_x, to_value, *[None] * len(arrays)


_index_set = joint("index_set", _index_set, _index_set_rule, kind="gather")


def index_put(x, key, value, /, *, accumulate=False):
    """A copy of `x` with `value` written to, or added to, the elements that `key` selects.

    Formula: out = x, then out[key] = value, or out[key] += value with every repeated index counted.

    Args:
        x: tensor.
        key: anything `x[key]` accepts.
        value: number or tensor that broadcasts to the shape of `x[key]`; cast to the dtype of `x`.
        accumulate: add instead of write. When writing, the last of several writes to one place stays.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        IndexError: an index is out of range, or the key has too many or unfit parts.
        ValueError: `value` does not broadcast to the selected shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.index_put(tn.zeros(3), [0, 0, 2], tn.tensor([1., 2., 3.]), accumulate=True)
        tensor([3., 0., 3.])
    """
    x = as_tensor(x)
    value = written(value, x)
    static, arrays = split_key("index_put", key, x.device)
    check_key("index_put", x.data, static, arrays)
    return _put(x, static, [Tensor.wrap(a) for a in arrays], value, accumulate)


def _put(x, static, arrays, value, accumulate=False):
    """`index_put` for a key that has been split and checked."""
    if accumulate or value.requires_grad and value.ndim:
        value = _fit_value(x, static, arrays, value)
    if accumulate:
        return x + _index_transpose(value, *arrays, key=static, shape=x.shape)
    return _index_set(x, value, *arrays, key=static)


def _fit_value(x, static, arrays, value):
    """`value` broadcast to the shape of `x[key]`; checks the indices."""
    stand_in = x.device.xp.broadcast_to(x.device.xp.zeros((), dtype=np.dtype("bool")), x.shape)
    try:
        shape = stand_in[full_key(static, [a.data for a in arrays])].shape
    except IndexError as error:
        raise IndexError(f"index_put: {error}") from error
    if value.shape == shape:
        return value
    extra = value.ndim - len(shape)
    if extra > 0 and value.shape[:extra] == (1,) * extra:
        value = reshape(value, value.shape[extra:])
    try:
        return broadcast_to(value, shape)
    except ValueError as error:
        raise ValueError(f"index_put: value of shape {value.shape} does not broadcast to {shape}, the shape of "
                         "x[key]") from error


def index_add(x, axis, index, source, /, *, alpha=1):
    """`x` with `alpha * source` added to the slices that `index` lists along an axis; repeated ones all count.

    Formula: out[index[i]] = x[index[i]] + alpha * sum of source[i] over equal index[i], for axis 0.

    Args:
        x: tensor (..., n, ...).
        axis: the axis.
        index: 1-D integers in [-n, n).
        source: tensor shaped as `x`, but with len(index) along `axis`.
        alpha: number that scales `source`.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: `source` has another shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.index_add(tn.zeros(3), 0, [2, 2, 0], tn.tensor([1., 2., 3.]))
        tensor([3., 0., 3.])
    """
    x = as_tensor(x)
    axis, index, source = _slices("index_add", x, axis, index, source)
    if alpha != 1:
        source = source * alpha
    return x + _take_transpose(source, index, axis=axis, shape=x.shape)


def _slices(name, x, axis, index, source):
    axis = one_axis(name, axis, x.ndim)
    index = integers(name, "index", index, x)
    if index.ndim != 1:
        raise ValueError(f"{name}: index has shape {index.shape}, expected one axis")
    source = written(source, x)
    expected = x.shape[:axis] + (index.shape[0],) + x.shape[axis + 1:]
    if source.shape != expected:
        raise ValueError(f"{name}: source has shape {source.shape}, expected {expected}: that of x, but "
                         f"len(index) along axis {axis}")
    check_range(name, index.data, x.shape[axis], axis)
    return axis, index, source


def index_copy(x, axis, index, source, /):
    """`x` with the slices that `index` lists along an axis replaced by those of `source`.

    Formula: out[index[i]] = source[i] for axis 0; of repeated indices the last stays.

    Args:
        x: tensor (..., n, ...).
        axis: the axis.
        index: 1-D integers in [-n, n).
        source: tensor shaped as `x`, but with len(index) along `axis`.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: `source` has another shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.index_copy(tn.zeros(3), 0, [2, 0], tn.tensor([1., 2.]))
        tensor([2., 0., 1.])
    """
    x = as_tensor(x)
    axis, index, source = _slices("index_copy", x, axis, index, source)
    return _index_set(x, source, index, key=_along(axis))


def index_fill(x, axis, index, value, /):
    """`x` with the slices that `index` lists along an axis filled with one value.

    Formula: out[index[i]] = value for axis 0.

    Args:
        x: tensor (..., n, ...).
        axis: the axis.
        index: 1-D integers in [-n, n).
        value: number or 0-d tensor.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: `value` has an axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.index_fill(tn.zeros(3), 0, [1], 7.0)
        tensor([0., 7., 0.])
    """
    x = as_tensor(x)
    axis = one_axis("index_fill", axis, x.ndim)
    if getattr(value, "shape", ()) != ():
        raise ValueError(f"index_fill: value has shape {value.shape}, expected a number")
    index = integers("index_fill", "index", index, x)
    return index_put(x, (slice(None),) * axis + (index,), value)


def _along(axis):
    return ((None, None, None),) * axis + (ARRAY,)


def masked_scatter(x, mask, source, /):
    """`x` with the elements where `mask` is true replaced, in order, by those of `source`.

    Formula: out[mask] = ravel(source)[:number of true elements].

    Args:
        x: tensor.
        mask: booleans that broadcast with `x`.
        source: tensor with at least as many elements as `mask` has true ones.

    Returns:
        Tensor of the broadcast shape.

    Raises:
        TypeError: `mask` is not boolean.
        ValueError: `source` has too few elements.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.masked_scatter(tn.zeros(3), [True, False, True], tn.tensor([1., 2., 3.]))
        tensor([1., 0., 2.])
    """
    x = as_tensor(x)
    mask, source = as_tensor(mask, like=x), written(source, x)
    if mask.dtype.kind != "b":
        raise TypeError(f"masked_scatter: mask has dtype {mask.dtype}, expected bool")
    shape = np.broadcast_shapes(x.shape, mask.shape)
    x, mask = (t if t.shape == shape else broadcast_to(t, shape) for t in (x, mask))
    count = x.device.xp.count_nonzero(mask.data)
    count = int(count.item() if hasattr(count, "item") else count)
    if source.size < count:
        raise ValueError(f"masked_scatter: source has {source.size} elements, mask selects {count}")
    return index_put(x, mask, reshape(source, (-1,))[:count])


# Along an axis, one index per element ---------------------------------------------------
def _grid(x, index, axis):
    """Index Tensors, one per axis of `x`, that together name every place of `index`."""
    xp = x.device.xp
    grid = []
    for d, m in enumerate(index.shape):
        line = (1,) * d + (m,) + (1,) * (index.ndim - d - 1)
        grid.append(index if d == axis else Tensor.wrap(xp.reshape(xp.arange(m), line)))
    return grid


def _values(name, x, index, source):
    """`source` as a Tensor of the dtype of `x`, cut to the shape of `index`."""
    source = written(source, x)
    return cut_to(name, source, index, None, "source") if source.ndim else source


def _line_operands(name, x, axis, index, source):
    x = as_tensor(x)
    axis = one_axis(name, axis, x.ndim)
    index = integers(name, "index", index, x)
    cut_to(name, x, index, axis)
    check_range(name, index.data, x.shape[axis], axis)
    return x, axis, index, _values(name, x, index, source)


def scatter(x, axis, index, source, /):
    """`x` with each element of `source` written where `index` says along an axis (as in PyTorch).

    Formula: out[i, index[i, j]] = source[i, j] for axis 1; of several writes to one place the last stays.

    Args:
        x: tensor.
        axis: the axis that `index` runs along.
        index: integers, as many axes as `x`, not longer than `x` along the other axes.
        source: number, or tensor at least as long as `index` along every axis.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: `index` is longer than `x` or `source`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.scatter(tn.zeros((2, 3)), 1, [[2], [0]], 1.0)
        tensor([[0., 0., 1.],
                [1., 0., 0.]])
    """
    x, axis, index, source = _line_operands("scatter", x, axis, index, source)
    return _put(x, (ARRAY,) * x.ndim, _grid(x, index, axis), source)


def scatter_add(x, axis, index, source, /):
    """`x` with each element of `source` added where `index` says along an axis (as in PyTorch).

    Formula: out[i, index[i, j]] += source[i, j] for axis 1, all of several additions to one place counted.

    Args:
        x: tensor.
        axis: the axis that `index` runs along.
        index: integers, as many axes as `x`, not longer than `x` along the other axes.
        source: number, or tensor at least as long as `index` along every axis.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: `index` is longer than `x` or `source`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.scatter_add(tn.zeros((1, 3)), 1, [[0, 0, 2]], tn.tensor([[1., 2., 3.]]))
        tensor([[3., 0., 3.]])
    """
    x, axis, index, source = _line_operands("scatter_add", x, axis, index, source)
    if index.shape[:axis] == x.shape[:axis] and index.shape[axis + 1:] == x.shape[axis + 1:]:
        source = source if source.shape == index.shape else broadcast_to(source, index.shape)
        return x + _put_transpose(source, index, axis=axis, shape=x.shape, unique=False)
    return index_put(x, tuple(_grid(x, index, axis)), source, accumulate=True)


def put_along_axis(x, indices, values, /, *, axis=-1):
    """A copy of `x` with `values` written where `indices` say along an axis: `take_along_axis` reversed.

    Formula: out[i, indices[i, j]] = values[i, j] for the last axis; the last of several writes stays.

    Args:
        x: tensor (..., n, ...).
        indices: integers in [-n, n), as many axes as `x`; the other axes broadcast to those of `x`.
        values: number or tensor that broadcasts to the shape of `indices`.
        axis: the axis.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: the shapes do not broadcast to that of `x`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.put_along_axis(tn.zeros((2, 2)), [[1], [0]], 5.0)
        tensor([[0., 5.],
                [5., 0.]])
    """
    x = as_tensor(x)
    indices = integers("put_along_axis", "indices", indices, x)
    stretched, indices, axis = fit_along("put_along_axis", x, indices, axis)
    if stretched.shape != x.shape:
        raise ValueError(f"put_along_axis: indices of shape {indices.shape} do not broadcast to x, shape {x.shape}")
    return index_put(x, tuple(_grid(x, indices, axis)), values)


def scatter_reduce(x, axis, index, source, reduce, /, *, include_self=True):
    """`x` with the elements of `source` that `index` sends to one place reduced into it (as in PyTorch).

    Formula: out[k] = reduce({x[k]} and {source[j] : index[j] = k}) in one dimension; without x[k] if not
    `include_self`. A place that nothing is sent to keeps x[k].

    Args:
        x: tensor.
        axis: the axis that `index` runs along.
        index: integers, as many axes as `x`, not longer than `x` along the other axes.
        source: number, or tensor at least as long as `index` along every axis.
        reduce: 'sum', 'mean', 'prod', 'amax' or 'amin'. Ties share the gradient equally.
        include_self: whether x[k] takes part.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: `index` is longer than `x` or `source`, or `reduce` is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.scatter_reduce(tn.zeros(3), 0, [0, 0, 2], tn.tensor([1., 2., -3.]), "amax")
        tensor([2., 0., 0.])
    """
    from .segment import IDENTITIES, reduce_segments
    if reduce not in ("sum", "mean", "prod", "amax", "amin"):
        raise ValueError(f"scatter_reduce: reduce is {reduce!r}; use 'sum', 'mean', 'prod', 'amax' or 'amin'")
    x, axis, index, source = _line_operands("scatter_reduce", x, axis, index, source)
    xp = x.device.xp
    grid = _grid(x, index, axis)
    source = reshape(broadcast_to(source, index.shape), (-1,))
    flat = xp.arange(x.size)
    places = xp.reshape(xp.reshape(flat, x.shape)[tuple([a.data for a in grid])], (-1,))
    start = reshape(x, (-1,))
    ids = xp.concat([flat, places])
    if not include_self:
        touched = xp.zeros(x.shape, dtype=np.dtype("bool"))
        touched[tuple([a.data for a in grid])] = True
        touched = Tensor.wrap(xp.reshape(touched, (-1,)))
        if reduce == "mean":
            rows = Tensor.wrap(xp.concat([flat[~touched.data], places]))
            return reshape(reduce_segments("mean", concat([start[~touched], source]), rows, x.size), x.shape)
        start = where(touched, IDENTITIES[reduce](x.dtype), start)
    return reshape(reduce_segments(reduce, concat([start, source]), Tensor.wrap(ids), x.size), x.shape)
