"""The larger, the smaller, the bounded, the chosen of two."""
from ..autograd import elementwise
from ..autograd.tensor import as_tensor
from .arithmetic import positive
from .docs import doc

__all__ = [
    "clip", "fmax", "fmin", "heaviside", "masked_fill", "maximum", "minimum", "nan_to_num", "safe_where", "where",
]

def _wins(xp, x, y):
    """1 where x > y, 1/2 at a tie, 0 where x < y; a NaN wins on both sides."""
    kind = xp.result_type(x, y)
    return xp.astype(xp.logical_not(x < y), kind) - xp.astype(x == y, kind) * 0.5


wins = elementwise("wins", _wins, differentiable=False)

maximum = elementwise("maximum", lambda xp, x, y: xp.maximum(x, y),
                      x=lambda xp, g, x, y: g * xp.wins(x, y), y=lambda xp, g, x, y: g * xp.wins(y, x),
                      doc=doc("The larger of two numbers; a tie gives each half of the gradient, a NaN wins.",
                              "out = max(x, y)", "maximum(tn.tensor([1.0, 5.0]), 3)", "tensor([3., 5.])", args="x y"))
minimum = elementwise("minimum", lambda xp, x, y: xp.minimum(x, y),
                      x=lambda xp, g, x, y: g * xp.wins(y, x), y=lambda xp, g, x, y: g * xp.wins(x, y),
                      doc=doc("The smaller of two numbers; a tie gives each half of the gradient, a NaN wins.",
                              "out = min(x, y)", "minimum(tn.tensor([1.0, 5.0]), 3)", "tensor([1., 3.])", args="x y"))
fmax = elementwise(
    "fmax", lambda xp, x, y: xp.fmax(x, y), x=lambda g, x, y: g * ((x >= y) | (y != y)),
    y=lambda g, x, y: g * ((x < y) | ((x != x) & (y == y))),
    doc=doc("The larger of two numbers, a NaN only where both are; the gradient of a tie goes to the first.",
            "out = max(x, y)", "fmax(tn.tensor([1.0, 5.0]), 3)", "tensor([3., 5.])", args="x y"))
fmin = elementwise(
    "fmin", lambda xp, x, y: xp.fmin(x, y), x=lambda g, x, y: g * ((x <= y) | (y != y)),
    y=lambda g, x, y: g * ((x > y) | ((x != x) & (y == y))),
    doc=doc("The smaller of two numbers, a NaN only where both are; the gradient of a tie goes to the first.",
            "out = min(x, y)", "fmin(tn.tensor([1.0, 5.0]), 3)", "tensor([1., 3.])", args="x y"))

_clip_number = elementwise("clip_number", lambda xp, x, *, low, high: xp.clip(x, low, high),
                           x=lambda xp, g, x, low, high: g * xp.between(x, low=low, high=high))


def _between(xp, x, *, low, high):
    if low is None:
        return x <= high
    return x >= low if high is None else (x >= low) & (x <= high)


_between = elementwise("between", _between, differentiable=False)
_clip = elementwise(
    "clip", lambda xp, x, low, high: xp.minimum(xp.maximum(x, low), high),
    x=lambda g, x, low, high: g * ((x >= low) & (x <= high)),
    low=lambda g, x, low, high: g * ((x < low) & (low < high)),
    high=lambda g, x, low, high: g * ((x > high) | (high < low)))
_clip_low = elementwise("clip_low", lambda xp, x, low: xp.maximum(x, low), x=lambda g, x, low: g * (x >= low),
                        low=lambda g, x, low: g * (x < low))
_clip_high = elementwise("clip_high", lambda xp, x, high: xp.minimum(x, high), x=lambda g, x, high: g * (x <= high),
                         high=lambda g, x, high: g * (x > high))


def clip(x, /, min=None, max=None):
    """x kept between two bounds; where `min` exceeds `max` the result is `max`.

    Formula: out = min(max(x, lower), upper); the derivative is 1 where lower <= x <= upper, else 0.

    Args:
        x: Tensor, NumPy array or number, any shape; any real dtype, no unit.
        min, max: lower and upper bound: number, Tensor or NumPy array of a shape that broadcasts, or None.

    Returns:
        Tensor of the broadcast shape and the dtype of `x`.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.clip(tn.tensor([-2.0, 0.5, 3.0]), 0, 1)
        tensor([0.0000, 0.5000, 1.0000])
    """
    if (min is None or min.__class__ in _NUMBERS) and (max is None or max.__class__ in _NUMBERS):
        if min is None and max is None:
            return positive(x)
        return _clip_number(x, low=min, high=max)
    if max is None:
        return _clip_low(x, min)
    return _clip_high(x, max) if min is None else _clip(x, min, max)


_NUMBERS = (int, float, bool)

# Choices --------------------------------------------------------------------------
_where = elementwise("where", lambda xp, condition, x, y: xp.where(condition, x, y),
                     x=lambda xp, g, condition: xp.where(condition, g, 0),
                     y=lambda xp, g, condition: xp.where(condition, 0, g))


def where(condition, x, y, /):
    """x where `condition` holds, y elsewhere.

    Formula: out = x if condition else y, element by element. The gradient of what is not chosen is 0, but 0 times an
    infinite derivative behind it is NaN: see `safe_where`.

    Args:
        condition: bool Tensor, or NumPy array.
        x, y: Tensors, NumPy arrays or numbers whose shapes broadcast with that of `condition`.

    Returns:
        Tensor of the broadcast shape and the promoted dtype of `x` and `y`.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.where(tn.tensor([True, False]), tn.tensor([1.0, 2.0]), 0)
        tensor([1., 0.])
    """
    return _where(condition, x, y)


def safe_where(condition, function, otherwise, x, /):
    """`function(x)` where `condition` holds, `otherwise(x)` elsewhere, neither ever called outside its domain.

    Formula: out = f(x) if condition else h(x). Where f is not chosen it is computed at 1 instead of x (and h likewise),
    so that an infinite or NaN derivative there cannot reach the gradient: 0 times infinity would be NaN.

    Args:
        condition: bool Tensor or NumPy array of the shape of `x`.
        function, otherwise: functions of one Tensor, applied element by element; `otherwise` may be a number.
        x: floating Tensor, any shape, no unit.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: an input is not numeric.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([0.0, 4.0], requires_grad=True)
        >>> tn.safe_where(x > 0, tn.sqrt, 0.0, x).sum().backward(); x.grad
        tensor([0.0000, 0.2500])
    """
    chosen = function(where(condition, x, 1))
    other = otherwise(where(condition, 1, x)) if callable(otherwise) else otherwise
    return where(condition, chosen, other)


def masked_fill(x, mask, value, /):
    """x with `value` wherever `mask` is True.

    Formula: out = value if mask else x, element by element.

    Args:
        x: Tensor, any shape and dtype.
        mask: bool Tensor or NumPy array whose shape broadcasts with that of `x`.
        value: number, or Tensor of shape ().

    Returns:
        Tensor of the broadcast shape and the dtype of `x`.

    Raises:
        TypeError: `mask` is not bool, or `value` does not fit the dtype of `x`.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.masked_fill(tn.tensor([1.0, 2.0]), tn.tensor([True, False]), -1)
        tensor([-1.,  2.])
    """
    x, mask = as_tensor(x), as_tensor(mask, like=x)
    if mask.dtype.kind != "b":
        raise TypeError(f"masked_fill: mask must be bool, got {mask.dtype}")
    found = where(mask, bool(value) if x.dtype.kind == "b" else value, x)
    if found.dtype != x.dtype:
        raise TypeError(f"masked_fill: value {value!r} does not fit the dtype of x, {x.dtype}")
    return found




def _heaviside(xp, x, y):
    kind = xp.result_type(x, y)
    return xp.heaviside(x, y) if kind.kind == "f" else xp.where(x == 0, y, xp.astype(x > 0, kind))


heaviside = elementwise(
    "heaviside", _heaviside, x=lambda xp, g, y: xp.flat(g * y), y=lambda g, x: g * (x == 0),
    doc=doc("The unit step, with the value y at 0.", "out = 0 for x < 0, y for x = 0, 1 for x > 0",
            "heaviside(tn.tensor([-2.0, 0.0, 3.0]), 0.5)", "tensor([0.0000, 0.5000, 1.0000])", args="x y",
            kinds="real dtypes"))
_nan_to_num = elementwise(
    "nan_to_num", lambda xp, x, *, nan, posinf, neginf: xp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf),
    x=lambda xp, g, x: g * xp.isfinite(x))


def nan_to_num(x, /, nan=0.0, posinf=None, neginf=None):
    """x with numbers in place of NaN and the infinities; the derivative is 0 there, 1 elsewhere.

    Formula: out = nan, posinf or neginf where x is NaN, +infinity or -infinity; else x.

    Args:
        x: Tensor, NumPy array or number, any shape; any numeric dtype, no unit.
        nan, posinf, neginf: the numbers; default of the last two: the largest and smallest of the dtype.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nan_to_num(tn.tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
        tensor([1., 0., 9.])
    """
    return _nan_to_num(x, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)
