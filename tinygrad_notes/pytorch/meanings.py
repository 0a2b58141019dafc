"""Functions that mean something else in PyTorch's words.

With `axis` and `keepdims` they follow the Array API standard; with `dim`, `keepdim` and other words that only PyTorch
has, they do what PyTorch does: `x.max(axis=1)` is the maxima, `x.max(dim=1)` the maxima and where they are.
"""
from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from .. import ops
from ..autograd import Tensor
from .words import POINTED

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Found(NamedTuple):
    """Values along an axis and their places."""

    values: Tensor
    indices: Tensor


def _picked(x, index, dim, keepdim):
    """The elements at `index`, which has length one along `dim`."""
    values = ops.take_along_axis(x, index, axis=dim)
    return Found(values, index) if keepdim else Found(ops.squeeze(values, dim), ops.squeeze(index, dim))


def _whole(x, x_dim):
    """A 0-d tensor has an axis for PyTorch."""
    if x.ndim or x_dim not in (0, -1):
        return x, False
    return ops.reshape(x, (1,)), True


def _with_places(place):
    """The values that `place(x, dim)` finds along an axis, and where they are."""
    def along(x, dim, keepdim=False):
        x, flat = _whole(ops.as_tensor(x), dim)
        found = _picked(x, place(x, dim), dim, keepdim and not flat)
        return Found(*[ops.reshape(part, ()) for part in found]) if flat else found
    return along


_largest = _with_places(lambda x, dim: ops.argmax(x, dim, keepdims=True))
_smallest = _with_places(lambda x, dim: ops.argmin(x, dim, keepdims=True))


@_with_places
def _middle(x, dim):
    """Where the lower of the two middle elements is, or the first NaN."""
    order = ops.argsort(x, axis=dim)
    n = x.shape[dim]
    index = ops.take(order, ops.asarray([(n - 1) // 2], device=x.device), axis=dim)
    if x.dtype.kind != "f":
        return index
    broken = ops.isnan(x)
    return ops.where(ops.any(broken, dim, keepdims=True), ops.argmax(broken.astype("int8"), dim, keepdims=True), index)


def _extreme(name: str, pair: Callable[..., Tensor], along: Callable[..., Found]) -> Callable[..., Any]:
    plain = getattr(ops, name)

    @functools.wraps(plain)
    def call(x: Any, *args: Any, **words: Any) -> Any:
        if "other" in words or (args and not isinstance(args[0], (int, tuple, list)) and args[0] is not None):
            return pair(x, *args, **words)
        if "dim" in words or "keepdim" in words or len(args) > 1:
            return along(x, *args, **words)
        return plain(x, *args, **words)
    return call


def _pair(function):
    return lambda x, other: function(x, other)


def _median(x: Any, *args: Any, **words: Any) -> Any:
    if "dim" in words or "keepdim" in words or len(args) > 1:
        return _middle(x, *args, **words)
    return ops.median(x, *args, **words)


def _sort(x: Any, *args: Any, **words: Any) -> Any:
    if not args and "dim" not in words:
        return ops.sort(x, **words)
    dim = words.pop("dim", None) if not args else args[0]
    if len(args) > 1:
        words["descending"] = args[1]
    x, flat = _whole(ops.as_tensor(x), dim)
    index = ops.argsort(x, axis=dim, **words)
    found = Found(ops.take_along_axis(x, index, axis=dim), index)
    return Found(*[ops.reshape(part, ()) for part in found]) if flat else found


def _spread(name: str) -> Callable[..., Any]:
    plain = getattr(ops, name)

    @functools.wraps(plain)
    def call(x: Any, *args: Any, **words: Any) -> Any:
        if args and isinstance(args[0], bool):
            args, words = args[1:], {**words, "unbiased": args[0]}
        if not words.keys() & {"dim", "keepdim", "unbiased"} and len(args) < 2:
            return plain(x, *args, **words)
        given = dict(zip(("dim", "unbiased", "keepdim"), args))
        words = {**words, **given}
        axis = words.pop("dim", None)
        if axis == () or axis == []:
            axis = None
        unbiased = words.pop("unbiased", True)
        correction = words.pop("correction", int(unbiased))
        return plain(x, axis, correction=1 if correction is None else correction, keepdims=words.pop("keepdim", False),
                     **words)
    return call


def _split(x: Any, *args: Any, **words: Any) -> Any:
    if "dim" not in words and not words.keys() & {"split_size", "split_size_or_sections", "split_sizes"}:
        if len(args) > 1:
            raise TypeError("split: a second position is ambiguous: use dim= for pieces of a given length, as in "
                            "PyTorch, or axis= for a number of pieces, as in NumPy")
        return ops.split(x, *args, **words)
    x, dim = ops.as_tensor(x), words.pop("dim", args[1] if len(args) > 1 else 0)
    sizes = args[0] if args else words.popitem()[1]
    n = x.shape[dim]
    if isinstance(sizes, int):
        if sizes < 1:
            raise ValueError(f"split: the length of a piece: expected an int >= 1, got {sizes}")
        return ops.split(x, list(range(sizes, n, sizes)), axis=dim)
    sizes = list(sizes)
    if sum(sizes) != n or min(sizes, default=0) < 0:
        raise ValueError(f"split: lengths of pieces: expected ints >= 0 with sum {n}, the length of axis {dim} of "
                         f"shape {x.shape}, got {sizes}")
    ends = [sum(sizes[:i]) for i in range(1, len(sizes))]
    return ops.split(x, ends, axis=dim)


def _squeeze(x: Any, *args: Any, **words: Any) -> Any:
    if "dim" not in words:
        return ops.squeeze(x, *args, **words)
    x, dim = ops.as_tensor(x), words["dim"]
    if not x.ndim and dim in (0, -1):
        return x
    return ops.squeeze(x, tuple(d for d in ((dim,) if isinstance(dim, int) else dim) if x.shape[d] == 1))


def _add(plain: Callable[..., Tensor]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def call(x: Any, y: Any, /, *, alpha: Any = None) -> Any:
        return plain(x, y if alpha is None else ops.multiply(y, alpha))
    return call


def _norm(x: Any, *args: Any, **words: Any) -> Any:
    if not words.keys() & {"p", "dim", "keepdim", "dtype"} and len(args) < 3 and "nuc" not in args:
        if args and args[0] == "fro":
            args = (2, *args[1:])
        return ops.norm(x, *args, **words)
    given: dict[str, Any] = {"p": 2, "dim": None, "keepdim": False, **dict(zip(("p", "dim", "keepdim"), args)), **words}
    p, axis, keepdim = given["p"], given["dim"], given["keepdim"]
    x = ops.as_tensor(x)
    x = x if words.get("dtype") is None else ops.astype(x, words["dtype"])
    if p == "nuc":
        return ops.linalg.matrix_norm(x, ord="nuc", axis=(-2, -1) if axis is None else tuple(axis), keepdims=keepdim)
    axis = tuple(axis) if isinstance(axis, list) else axis
    return ops.norm(x, 2 if p in ("fro", None) else p, axis=axis, keepdims=keepdim)


def _normalized(plain: Callable[..., Tensor]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def call(x: Any, *args: Any, dim: Any = None, dtype: Any = None, **words: Any) -> Any:
        x = ops.as_tensor(x)
        x = x if dtype is None else ops.astype(x, dtype)
        if dim is not None:
            words["axis"] = dim
        return plain(x, *args, **words)
    return call


def _nonzero(x: Any, *, as_tuple: bool | None = None) -> Any:
    if as_tuple and not ops.as_tensor(x).ndim:
        return ops.nonzero(ops.ravel(x))
    return ops.nonzero(x) if as_tuple in (None, True) else ops.argwhere(x)


def _normal(*args: Any, **words: Any) -> Any:
    first = words.get("mean", args[0] if args else None)
    if "size" in words or isinstance(first, (float, Tensor)):
        given = {**dict(zip(("mean", "std", "size"), args)), **words}
        mean, std, size = (given.pop(word, default) for word, default in (("mean", 0.0), ("std", 1.0), ("size", None)))
        if size is not None:
            return ops.normal(size, mean, std, **given)
        like = ops.add(mean, ops.multiply(std, 0))
        return ops.add(mean, ops.multiply(std, ops.randn_like(like.detach(), **given)))
    return ops.normal(*args, **words)


def _scatter(x: Any, *args: Any, **words: Any) -> Any:
    given = {**dict(zip(("dim", "index", "src"), args)), **words}
    source, reduce = given.get("src", given.get("value")), given.get("reduce")
    if source is None:
        raise TypeError("scatter: expected src, an array, or value, a number")
    if reduce is None:
        return POINTED["scatter"](x, given["dim"], given["index"], source)
    known = {"add": "sum", "multiply": "prod"}
    if reduce not in known:
        raise ValueError(f"scatter: reduce: expected one of {', '.join(map(repr, known))}, got {reduce!r}")
    index = ops.as_tensor(given["index"])
    full = source if isinstance(source, Tensor) else ops.full(index.shape, source, dtype=x.dtype, device=x.device)
    return POINTED["scatter_reduce"](x, given["dim"], index, full, known[reduce])


def _repeat(x: Any, *repeats: Any, **words: Any) -> Any:
    if len(repeats) == 2:
        raise TypeError("repeat: two positions are ambiguous: use tile for copies of the whole, as PyTorch's repeat, "
                        "or axis= for copies of each element, as NumPy's")
    return ops.tile(x, repeats) if len(repeats) > 2 else ops.repeat(x, *repeats, **words)


def _searchsorted(x1: Any, x2: Any, /, *, right: bool = False, out_int32: bool = False, **words: Any) -> Any:
    if right:
        words["side"] = "right"
    found = ops.searchsorted(x1, x2, **words)
    return ops.astype(found, "int32") if out_int32 else found


def _meshgrid(*arrays: Any, **words: Any) -> Any:
    if len(arrays) == 1 and isinstance(arrays[0], (list, tuple)) and all(isinstance(x, Tensor) for x in arrays[0]):
        arrays = tuple(arrays[0])
    return ops.meshgrid(*arrays, **words)


def _einsum(subscripts: Any, /, *operands: Any) -> Any:
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    return ops.einsum(subscripts, *operands)


def _flip(x: Any, *axes: Any, **words: Any) -> Any:
    axis = words.pop("axis", words.pop("dims", None)) if not axes else axes if isinstance(axes[0], int) else axes[0]
    return ops.flip(x, axis=tuple(axis) if isinstance(axis, list) else axis, **words)


def _randint(low: Any, high: Any = None, *args: Any, **words: Any) -> Any:
    if "size" in words:
        words["shape"] = words.pop("size")
    if isinstance(high, (tuple, list)):
        return ops.randint(low, None, high, *args, **words)
    return ops.randint(low, high, *args, **words)


def _cdist(x1: Any, x2: Any, /, p: float = 2.0, compute_mode: Any = None) -> Any:
    modes = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")
    if compute_mode is not None and compute_mode not in modes:
        raise ValueError(f"cdist: compute_mode: expected one of {', '.join(map(repr, modes))}, got {compute_mode!r}")
    return ops.cdist(x1, x2, p=p)


def _arange(*args: Any, **words: Any) -> Any:
    if "end" in words:
        start = args[0] if args else words.pop("start", 0)
        return ops.arange(start, words.pop("end"), *args[1:], **words)
    return ops.arange(*args, **words)


def _same_name(name: str, function: Any) -> Callable[..., Any]:
    wrapped: Any = functools.wraps(getattr(ops, name))
    return wrapped(function)


MEANINGS: dict[str, Callable[..., Any]] = {
    "max": _extreme("max", _pair(ops.maximum), _largest), "min": _extreme("min", _pair(ops.minimum), _smallest),
    **{name: _spread(name) for name in ("var", "std", "var_mean", "std_mean")},
    **{name: _add(getattr(ops, name)) for name in ("add", "subtract")},
    **{name: _normalized(getattr(ops, name)) for name in ("softmax", "log_softmax")},
    **{name: _same_name(name, function) for name, function in {
        "median": _median, "sort": _sort, "split": _split, "squeeze": _squeeze, "norm": _norm, "nonzero": _nonzero,
        "normal": _normal, "scatter": _scatter, "repeat": _repeat, "searchsorted": _searchsorted,
        "meshgrid": _meshgrid, "einsum": _einsum, "flip": _flip, "randint": _randint, "arange": _arange,
        "cdist": _cdist}.items()},
}
