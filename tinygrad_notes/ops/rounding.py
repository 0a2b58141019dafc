"""Whole numbers near a number, and what remains."""
from ..autograd import elementwise
from .docs import doc

__all__ = ["ceil", "fix", "floor", "floor_divide", "fmod", "frac", "remainder", "round", "trunc"]

_FLAT = "real dtypes; integers are returned unchanged"


def _rounding(name, forward, sentence, formula, result):
    text = doc(sentence + " Its derivative is 0 everywhere.", formula, f"{name}(tn.tensor([1.5, -1.5]))", result,
               kinds=_FLAT)
    return elementwise(name, forward, x=lambda xp, g: xp.flat(g), doc=text)


floor = _rounding("floor", lambda xp, x: xp.floor(x), "The largest whole number not above x.", "out = max{n : n <= x}",
                  "tensor([ 1., -2.])")
ceil = _rounding("ceil", lambda xp, x: xp.ceil(x), "The smallest whole number not below x.", "out = min{n : n >= x}",
                 "tensor([ 2., -1.])")
trunc = _rounding("trunc", lambda xp, x: xp.trunc(x), "x without its fraction.", "out = sign(x) floor(abs(x))",
                  "tensor([ 1., -1.])")
fix = trunc
_round = elementwise("round", lambda xp, x, *, decimals: xp.round(x, decimals), x=lambda xp, g: xp.flat(g))


def round(x, /, decimals=0):
    """The nearest number of `decimals` decimals; halves go to the even one. Its derivative is 0 everywhere.

    Formula: out = n / 10^decimals with n the integer nearest to x 10^decimals.

    Args:
        x: Tensor, NumPy array or number, any shape; any numeric dtype, no unit.
        decimals: an int; negative rounds to tens, hundreds and so on.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric, or `decimals` is not an int.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.round(tn.tensor([0.5, 1.5, 2.5]))
        tensor([0., 2., 2.])
    """
    if decimals.__class__ is not int:
        raise TypeError(f"round: decimals must be an int, got {decimals!r}")
    return _round(x, decimals=decimals)


frac = elementwise("frac", lambda xp, x: x - xp.trunc(x), x=lambda g: g,
                   doc=doc("The fraction of x, with its sign.", "out = x - trunc(x)", "frac(tn.tensor([1.5, -2.25]))",
                           "tensor([ 0.5000, -0.2500])"))


def _floor_divide(xp, x, y):
    if xp.result_type(x, y).kind != "f":
        return xp.floor_divide(x, y)
    # NumPy has NaN for infinity // 2 and -1 for 1 // -infinity, where the standard has the limits.
    infinite = xp.isinf(x) | xp.isinf(y)
    return xp.where(infinite, xp.floor(xp.divide(x, y)), xp.floor_divide(xp.where(infinite, 0, x), y))


floor_divide = elementwise(
    "floor_divide", _floor_divide, x=lambda xp, g, y: xp.flat(g * y),
    y=lambda xp, g, x: xp.flat(g * x),
    doc=doc("The quotient, rounded down. Its derivative is 0 everywhere.", "out = floor(x / y)",
            "floor_divide(tn.tensor([7.0, -7.0]), 2)", "tensor([ 3., -4.])", args="x y", kinds="real dtypes"))
remainder = elementwise(
    "remainder", lambda xp, x, y: xp.remainder(x, y), x=lambda g: g, y=lambda xp, g, x, y: -g * xp.floor_divide(x, y),
    doc=doc("What remains of x after division by y, with the sign of y.", "out = x - y floor(x / y)",
            "remainder(tn.tensor([7.0, -7.0]), 3)", "tensor([1., 2.])", args="x y", kinds="real dtypes"))
fmod = elementwise("fmod", lambda xp, x, y: xp.fmod(x, y), x=lambda g: g, y=lambda xp, g, x, y: -g * xp.trunc(x / y),
                   doc=doc("What remains of x after division by y, with the sign of x.", "out = x - y trunc(x / y)",
                           "fmod(tn.tensor([7.0, -7.0]), 3)", "tensor([ 1., -1.])", args="x y", kinds="real dtypes"))
