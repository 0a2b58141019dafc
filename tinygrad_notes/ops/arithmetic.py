"""Sums, products, quotients, powers; the larger, the smaller, the chosen."""
from ..autograd import Tensor, elementwise
from .docs import doc

__all__ = [
    "abs", "add", "addcdiv", "addcmul", "clip", "conj", "copysign", "divide", "fmax", "fmin", "hypot", "imag", "lerp",
    "masked_fill", "maximum", "minimum", "multiply", "negative", "nextafter", "positive", "pow", "float_power", "real",
    "reciprocal", "rsqrt", "safe_where", "sign", "sqrt", "cbrt", "square", "subtract", "true_divide", "where",
]

# A gradient that is zero everywhere, of every order: that of sign, floor and their like.
flat = elementwise("flat", lambda xp, x: xp.zeros_like(x), x=lambda xp, g: xp.flat(g))

add = elementwise("add", lambda xp, x, y: xp.add(x, y), x=lambda g: g, y=lambda g: g,
                  doc=doc("The sum of two tensors.", "out = x + y", "add(tn.tensor([1.0, 2.0]), 3)", "tensor([4., 5.])",
                          args="x y"))

subtract = elementwise("subtract", lambda xp, x, y: xp.subtract(x, y), x=lambda g: g, y=lambda g: -g,
                       doc=doc("The difference of two tensors.", "out = x - y", "subtract(tn.tensor([1.0, 2.0]), 3)",
                               "tensor([-2., -1.])", args="x y"))

multiply = elementwise("multiply", lambda xp, x, y: xp.multiply(x, y), x=lambda g, y: g * y, y=lambda g, x: g * x,
                       doc=doc("The product of two tensors, element by element.", "out = x y",
                               "multiply(tn.tensor([1.0, 2.0]), 3)", "tensor([3., 6.])", args="x y"))

divide = elementwise("divide", lambda xp, x, y: xp.divide(x, y), x=lambda g, y: g / y, y=lambda g, y, out: -g * out / y,
                     doc=doc("The quotient of two tensors.", "out = x / y", "divide(tn.tensor([1.0, 2.0]), 4)",
                             "tensor([0.25, 0.5 ])", args="x y", kinds="integers are divided as floats"))
true_divide = divide

negative = elementwise("negative", lambda xp, x: xp.negative(x), x=lambda g: -g,
                       doc=doc("The tensor with its signs changed.", "out = -x", "negative(tn.tensor([1.0, -2.0]))",
                               "tensor([-1.,  2.])"))
positive = elementwise("positive", lambda xp, x: xp.positive(x), x=lambda g: g,
                       doc=doc("A copy of the tensor.", "out = x", "positive(tn.tensor([1.0, -2.0]))", "tensor([ 1., -2.])"))
abs = elementwise("abs", lambda xp, x: xp.abs(x), x=lambda xp, g, x: g * xp.sign(x),
                  doc=doc("The absolute value; its derivative at 0 is 0.", "out = abs(x)", "abs(tn.tensor([1.0, -2.0]))",
                          "tensor([1., 2.])"))
sign = elementwise("sign", lambda xp, x: xp.sign(x), x=lambda xp, g: xp.flat(g),
                   doc=doc("-1, 0 or 1; the derivative is 0 everywhere.", "out = x / abs(x), 0 at x = 0",
                           "sign(tn.tensor([3.0, 0.0, -2.0]))", "tensor([ 1.,  0., -1.])"))
square = elementwise("square", lambda xp, x: xp.square(x), x=lambda g, x: g * (x + x),
                     doc=doc("The square.", "out = x^2", "square(tn.tensor([1.0, -3.0]))", "tensor([1., 9.])"))
sqrt = elementwise("sqrt", lambda xp, x: xp.sqrt(x), x=lambda g, out: g / (out + out),
                   doc=doc("The square root; NaN for negative numbers.", "out = x^(1/2)", "sqrt(tn.tensor([4.0, 9.0]))",
                           "tensor([2., 3.])"))
cbrt = elementwise("cbrt", lambda xp, x: xp.cbrt(x), x=lambda g, out: g / (3 * out * out),
                   doc=doc("The real cube root.", "out = x^(1/3)", "cbrt(tn.tensor([8.0, -27.0]))", "tensor([ 2., -3.])"))
rsqrt = elementwise("rsqrt", lambda xp, x: xp.reciprocal(xp.sqrt(x)), x=lambda g, out: -0.5 * g * (out * out * out),
                    doc=doc("One over the square root.", "out = x^(-1/2)", "rsqrt(tn.tensor([4.0, 16.0]))",
                            "tensor([0.5 , 0.25])"))
reciprocal = elementwise("reciprocal", lambda xp, x: xp.divide(1, x), x=lambda g, out: -g * (out * out),
                         doc=doc("One over x.", "out = 1 / x", "reciprocal(tn.tensor([2.0, 4.0]))", "tensor([0.5 , 0.25])"))

# Powers ---------------------------------------------------------------------------
# At a base of 0 the logarithm is replaced by 0 where the power is flat in the exponent (0^y = 0 for y > 0),
# and y x^(y-1) at y = 0 is the 0 it is for every other base.
_pow = elementwise(
    "pow", lambda xp, x, y: xp.pow(x, y),
    x=lambda xp, g, x, y: g * (y * xp.pow(x, xp.where((y == 0) & (x == 0), 1, y - 1))),
    y=lambda xp, g, x, y, out: g * (out * xp.log(xp.where((x == 0) & (y >= 0), 1, x))))


def _whole_power(xp, x, *, n):
    if n < 0:
        return xp.divide(1, _whole_power(xp, x, n=-n))
    if n == 0:
        return xp.ones_like(x)
    half = _whole_power(xp, x, n=n // 2) if n > 1 else None
    return x * 1 if n == 1 else half * half * x if n % 2 else half * half


# Small whole exponents by multiplication: NumPy's own power is a hundred times slower.
_power_whole = elementwise("power_whole", _whole_power,
                           x=lambda xp, g, x, n: g * (n * xp.power_whole(x, n=n - 1)) if n else xp.flat(g))
_power_number = elementwise("power_number", lambda xp, x, *, n: xp.pow(x, n),
                            x=lambda xp, g, x, n: g * (n * xp.power_number(x, n=n - 1)))
_SPECIAL = {2: square, 1: positive, 0.5: sqrt, -1: reciprocal, -0.5: rsqrt}


def pow(x, y, /):
    """x to the power y, element by element.

    Formula: out = x^y; d out / d x = y x^(y-1), 0 at y = 0; d out / d y = out log(x), 0 at x = 0 with y >= 0.

    Args:
        x, y: Tensors, NumPy arrays or numbers whose shapes broadcast; any numeric dtype, no unit.

    Returns:
        Tensor of the broadcast shape and promoted dtype; NaN for a negative base with a fractional exponent.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast, or an integer base has a negative integer exponent.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.pow(tn.tensor([2.0, 3.0]), 3)
        tensor([ 8., 27.])
    """
    if (y.__class__ is int or y.__class__ is float) and isinstance(x, Tensor) and x.data.dtype.kind == "f":
        special = _SPECIAL.get(y)
        if special is not None:
            return special(x)
        if y == int(y) and -64 <= y <= 64 if y - y == 0 else False:
            return _power_whole(x, n=int(y))
        return _power_number(x, n=float(y))
    return _pow(x, y)


def float_power(x, y, /):
    """x to the power y, computed in float64.

    Formula: out = x^y.

    Args:
        x, y: Tensors, NumPy arrays or numbers whose shapes broadcast; any real dtype, no unit.

    Returns:
        float64 Tensor of the broadcast shape.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.float_power(tn.tensor([2, 4]), -1)
        tensor([0.5 , 0.25], dtype=float64)
    """
    return pow(_double(x), _double(y) if isinstance(y, Tensor) or hasattr(y, "dtype") else y)


def _double(x):
    from .dtype import astype
    x = x if isinstance(x, Tensor) else Tensor(x)
    return astype(x, "complex128" if x.dtype.kind == "c" else "float64")


# Extremes -------------------------------------------------------------------------
def _wins(xp, x, y):
    """1 where x < y is false, 0 where it is true, 1/2 at a tie."""
    kind = xp.result_type(x, y)
    return (xp.astype(xp.logical_not(x < y), kind) + xp.astype(x > y, kind)) * 0.5


wins = elementwise("wins", _wins, differentiable=False)

maximum = elementwise("maximum", lambda xp, x, y: xp.maximum(x, y),
                      x=lambda xp, g, x, y: g * xp.wins(x, y), y=lambda xp, g, x, y: g * xp.wins(y, x),
                      doc=doc("The larger of two numbers; a tie gives each half of the gradient, a NaN wins.",
                              "out = max(x, y)", "maximum(tn.tensor([1.0, 5.0]), 3)", "tensor([3., 5.])", args="x y"))
minimum = elementwise("minimum", lambda xp, x, y: xp.minimum(x, y),
                      x=lambda xp, g, x, y: g * xp.wins(y, x), y=lambda xp, g, x, y: g * xp.wins(x, y),
                      doc=doc("The smaller of two numbers; a tie gives each half of the gradient, a NaN wins.",
                              "out = min(x, y)", "minimum(tn.tensor([1.0, 5.0]), 3)", "tensor([1., 3.])", args="x y"))
fmax = elementwise("fmax", lambda xp, x, y: xp.fmax(x, y),
                   x=lambda xp, g, x, y: g * xp.astype((x >= y) | xp.isnan(y), g.dtype),
                   y=lambda xp, g, x, y: g * xp.astype((x < y) | (xp.isnan(x) & xp.logical_not(xp.isnan(y))), g.dtype),
                   doc=doc("The larger of two numbers, a NaN only where both are; the gradient of a tie goes to the first.",
                           "out = max(x, y)", "fmax(tn.tensor([1.0, 5.0]), 3)", "tensor([3., 5.])", args="x y"))
fmin = elementwise("fmin", lambda xp, x, y: xp.fmin(x, y),
                   x=lambda xp, g, x, y: g * xp.astype((x <= y) | xp.isnan(y), g.dtype),
                   y=lambda xp, g, x, y: g * xp.astype((x > y) | (xp.isnan(x) & xp.logical_not(xp.isnan(y))), g.dtype),
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
        tensor([0. , 0.5, 1. ])
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
                     x=lambda xp, g, condition: xp.where(condition, g, 0), y=lambda xp, g, condition: xp.where(condition, 0, g))


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

    Formula: out = f(x) if condition else h(x). Where f is not chosen it is computed at 1 instead of x (and h likewise), so
    that an infinite or NaN derivative there cannot reach the gradient: 0 times infinity would be NaN.

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
        tensor([0.  , 0.25])
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
        TypeError: `mask` is not bool.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.masked_fill(tn.tensor([1.0, 2.0]), tn.tensor([True, False]), -1)
        tensor([-1.,  2.])
    """
    if getattr(mask, "dtype", None) != bool:
        raise TypeError(f"masked_fill: mask must be a bool Tensor or array, got {getattr(mask, 'dtype', type(mask).__name__)}")
    return where(mask, value, x)


# Other combinations ---------------------------------------------------------------
hypot = elementwise("hypot", lambda xp, x, y: xp.hypot(x, y), x=lambda g, x, out: g * (x / out), y=lambda g, y, out: g * (y / out),
                    doc=doc("The length of the vector (x, y), without overflow on the way.", "out = (x^2 + y^2)^(1/2)",
                            "hypot(tn.tensor([3.0]), tn.tensor([4.0]))", "tensor([5.])", args="x y"))
copysign = elementwise("copysign", lambda xp, x, y: xp.copysign(x, y),
                       x=lambda xp, g, x, out: g * (xp.sign(x) * xp.sign(out)), y=lambda xp, g, y: xp.flat(g * y),
                       doc=doc("The magnitude of x with the sign of y, that of a zero included.", "out = abs(x) sign(y)",
                               "copysign(tn.tensor([1.0, 2.0]), -1)", "tensor([-1., -2.])", args="x y"))
nextafter = elementwise("nextafter", lambda xp, x, y: xp.nextafter(x, y), differentiable=False,
                        doc=doc("The next representable number after x in the direction of y; carries no gradient.",
                                "out = x +- one unit in the last place", "nextafter(tn.tensor([1.0]), 2.0) > 1",
                                "tensor([ True])", args="x y", kinds="real floating dtypes"))

_lerp = elementwise("lerp", lambda xp, x, y, weight: x + weight * (y - x),
                    x=lambda g, weight: g - g * weight, y=lambda g, weight: g * weight,
                    weight=lambda g, x, y: g * (y - x))


def lerp(x, y, weight, /):
    """The point between x and y at a fraction `weight` of the way.

    Formula: out = x + weight (y - x).

    Args:
        x, y: Tensors or NumPy arrays whose shapes broadcast; floating dtypes, no unit.
        weight: number, or Tensor that broadcasts.

    Returns:
        Tensor of the broadcast shape and promoted dtype.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.lerp(tn.tensor([0.0, 10.0]), tn.tensor([1.0, 20.0]), 0.5)
        tensor([ 0.5, 15. ])
    """
    return _lerp(x, y, weight)


def addcmul(x, y, z, /, *, value=1):
    """x plus a multiple of the product of y and z.

    Formula: out = x + value y z.

    Args:
        x, y, z: Tensors or NumPy arrays whose shapes broadcast; any numeric dtype, no unit.
        value: the factor, a number.

    Returns:
        Tensor of the broadcast shape and promoted dtype.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.addcmul(tn.tensor([1.0]), tn.tensor([2.0]), tn.tensor([3.0]), value=0.5)
        tensor([4.])
    """
    return add(x, multiply(multiply(y, z), value) if value != 1 else multiply(y, z))


def addcdiv(x, y, z, /, *, value=1):
    """x plus a multiple of the quotient of y and z.

    Formula: out = x + value y / z.

    Args:
        x, y, z: Tensors or NumPy arrays whose shapes broadcast; floating dtypes, no unit.
        value: the factor, a number.

    Returns:
        Tensor of the broadcast shape and promoted dtype.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.addcdiv(tn.tensor([1.0]), tn.tensor([3.0]), tn.tensor([2.0]), value=2)
        tensor([4.])
    """
    return add(x, multiply(divide(y, z), value) if value != 1 else divide(y, z))


# Complex numbers: forward only ------------------------------------------------------
conj = elementwise("conj", lambda xp, x: xp.conj(x), x=lambda xp, g: xp.conj(g),
                   doc=doc("The complex conjugate.", "out = re(x) - i im(x)", "conj(tn.tensor([1.0 + 2.0j]))", "tensor([1.-2.j])"))
real = elementwise("real", lambda xp, x: xp.positive(xp.real(x)), x=lambda g: g,
                   doc=doc("The real part of complex numbers; real ones are copied.", "out = re(x)",
                           "real(tn.tensor([1.0 + 2.0j]))", "tensor([1.])", returns="of the shape of `x` and the dtype of its parts"))
imag = elementwise("imag", lambda xp, x: xp.positive(xp.imag(x)), x=lambda xp, g: xp.flat(g),
                   doc=doc("The imaginary part of complex numbers; 0 for real ones.", "out = im(x)",
                           "imag(tn.tensor([1.0 + 2.0j]))", "tensor([2.])", returns="of the shape of `x` and the dtype of its parts"))
