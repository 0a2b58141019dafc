"""Sums, products, quotients, powers, signs; complex numbers."""
from math import pi

from ..autograd import Tensor, elementwise, joint
from ..autograd.tensor import as_tensor
from ..backend import default_float
from .docs import doc

__all__ = [
    "abs", "add", "addcdiv", "addcmul", "angle", "cbrt", "conj", "copysign", "divide", "float_power", "frexp", "hypot",
    "imag", "ldexp", "lerp", "multiply", "negative", "nextafter", "positive", "pow", "real", "reciprocal", "rsqrt",
    "sgn", "sign", "sqrt", "square", "subtract", "true_divide",
]


def floating(xp, x):
    """A raw array, integers as float32."""
    return x if x.dtype.kind in "fc" else xp.astype(x, default_float)


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
                             "tensor([0.2500, 0.5000])", args="x y", kinds="integers are divided as floats"))
true_divide = divide

negative = elementwise("negative", lambda xp, x: xp.negative(x), x=lambda g: -g,
                       doc=doc("The tensor with its signs changed.", "out = -x", "negative(tn.tensor([1.0, -2.0]))",
                               "tensor([-1.,  2.])"))
positive = elementwise(
    "positive", lambda xp, x: xp.positive(x), x=lambda g: g,
    doc=doc("A copy of the tensor.", "out = x", "positive(tn.tensor([1.0, -2.0]))", "tensor([ 1., -2.])"))
abs = elementwise(
    "abs", lambda xp, x: xp.abs(x), x=lambda xp, g, x: g * xp.sign(x),
    doc=doc("The absolute value; its derivative at 0 is 0.", "out = abs(x)", "abs(tn.tensor([1.0, -2.0]))",
            "tensor([1., 2.])"))
sign = elementwise("sign", lambda xp, x: xp.sign(x), x=lambda xp, g: xp.flat(g),
                   doc=doc("-1, 0 or 1; the derivative is 0 everywhere.", "out = x / abs(x), 0 at x = 0",
                           "sign(tn.tensor([3.0, 0.0, -2.0]))", "tensor([ 1.,  0., -1.])"))
sgn = sign
square = elementwise("square", lambda xp, x: xp.square(x), x=lambda g, x: g * (x + x),
                     doc=doc("The square.", "out = x^2", "square(tn.tensor([1.0, -3.0]))", "tensor([1., 9.])"))
sqrt = elementwise("sqrt", lambda xp, x: xp.sqrt(x), x=lambda g, out: g / (out + out),
                   doc=doc("The square root; NaN for negative numbers.", "out = x^(1/2)", "sqrt(tn.tensor([4.0, 9.0]))",
                           "tensor([2., 3.])"))
cbrt = elementwise(
    "cbrt", lambda xp, x: xp.cbrt(x), x=lambda g, out: g / (3 * out * out),
    doc=doc("The real cube root.", "out = x^(1/3)", "cbrt(tn.tensor([8.0, -27.0]))", "tensor([ 2.0000, -3.0000])"))
rsqrt = elementwise("rsqrt", lambda xp, x: xp.reciprocal(xp.sqrt(x)), x=lambda g, out: -0.5 * g * (out * out * out),
                    doc=doc("One over the square root.", "out = x^(-1/2)", "rsqrt(tn.tensor([4.0, 16.0]))",
                            "tensor([0.5000, 0.2500])"))
reciprocal = elementwise(
    "reciprocal", lambda xp, x: xp.divide(1, x), x=lambda g, out: -g * (out * out),
    doc=doc("One over x.", "out = 1 / x", "reciprocal(tn.tensor([2.0, 4.0]))", "tensor([0.5000, 0.2500])"))

# Powers ---------------------------------------------------------------------------
# At a base of 0 the logarithm is replaced by 0 where the power is flat in the exponent (0^y = 0 for y > 0),
# and y x^(y-1) at y = 0 is the 0 it is for every other base.
def _log_base(xp, x, y):
    return xp.log(xp.where((x == 0) & (y >= 0), 1, x))


log_base = elementwise("log_base", _log_base, y=lambda xp, g, y: xp.flat(g * y),
                       x=lambda xp, g, x, y: g * (x != 0) / xp.where((x == 0) & (y >= 0), 1, x))
_pow = elementwise(
    "pow", lambda xp, x, y: xp.pow(x, y),
    x=lambda xp, g, x, y: g * (y * xp.pow(x, xp.where((y == 0) & (x == 0), 1, y - 1))),
    y=lambda xp, g, x, y, out: g * (out * xp.log_base(x, y)))


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
    if isinstance(y, (int, float)) and isinstance(x, Tensor) and x.data.dtype.kind == "f":
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
        tensor([0.5000, 0.2500], dtype=float64)
    """
    return pow(_double(x), _double(y) if isinstance(y, Tensor) or hasattr(y, "dtype") else y)


def _double(x):
    from .dtype import astype
    x = x if isinstance(x, Tensor) else Tensor(x)
    return astype(x, "complex128" if x.dtype.kind == "c" else "float64")


# Other combinations ---------------------------------------------------------------
hypot = elementwise(
    "hypot", lambda xp, x, y: xp.hypot(x, y), x=lambda g, x, out: g * (x / out), y=lambda g, y, out: g * (y / out),
    doc=doc("The length of the vector (x, y), without overflow on the way.", "out = (x^2 + y^2)^(1/2)",
            "hypot(tn.tensor([3.0]), tn.tensor([4.0]))", "tensor([5.])", args="x y"))
copysign = elementwise(
    "copysign", lambda xp, x, y: xp.copysign(x, y), x=lambda xp, g, x, out: g * (xp.sign(x) * xp.sign(out)),
    y=lambda xp, g, y: xp.flat(g * y),
    doc=doc("The magnitude of x with the sign of y, that of a zero included.", "out = abs(x) sign(y)",
            "copysign(tn.tensor([1.0, 2.0]), -1)", "tensor([-1., -2.])", args="x y"))
nextafter = elementwise(
    "nextafter", lambda xp, x, y: xp.nextafter(x, y), x=lambda g: g, y=lambda xp, g, y: xp.flat(g * y),
    doc=doc("The next representable number after x in the direction of y.", "out = x +- one unit in the last place",
            "nextafter(tn.tensor([1.0]), 2.0) > 1", "tensor([True])", args="x y", kinds="real floating dtypes"))

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
        tensor([ 0.5000, 15.0000])
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


_ldexp = elementwise("ldexp", lambda xp, x, n: xp.ldexp(floating(xp, x), n), x=lambda xp, g, n: xp.ldexp(g, n))


def ldexp(x, n, /):
    """x times a power of two, exact.

    Formula: out = x 2^n.

    Args:
        x: Tensor, NumPy array or number, any shape; real dtypes, no unit.
        n: the exponents, whose shape broadcasts; integers, or floats with a gradient.

    Returns:
        Tensor of the broadcast shape and the floating dtype of `x`.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.ldexp(tn.tensor([0.5, 3.0]), 4)
        tensor([ 8., 48.])
    """
    n = as_tensor(n, like=x if isinstance(x, Tensor) else None)
    x = as_tensor(x, like=n)
    return _ldexp(x, n) if n.dtype.kind in "biu" else multiply(x, pow(2.0, n))


_frexp = joint("frexp", lambda xp, x: xp.frexp(x), lambda xp, g, out: (xp.ldexp(g[0], -out[1]),), kind="elementwise",
               outputs=2)


def frexp(x, /):
    """Mantissas and exponents of floating-point numbers.

    Formula: x = mantissa 2^exponent with 1/2 <= abs(mantissa) < 1, both 0 for x = 0. The exponent is constant between
    the powers of two: the gradient goes through the mantissa alone.

    Args:
        x: Tensor or NumPy array, any shape; floating dtypes, no unit.

    Returns:
        (mantissa, exponent): Tensors of the shape of `x`, of its dtype and of dtype int32.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.frexp(tn.tensor([12.0]))[0]
        tensor([0.7500])
    """
    return _frexp(x)


# Complex numbers: forward only ------------------------------------------------------
conj = elementwise(
    "conj", lambda xp, x: xp.conj(x) if x.dtype.kind == "c" else x.copy(), x=lambda xp, g: xp.conj(g),
    doc=doc("The complex conjugate.", "out = re(x) - i im(x)", "conj(tn.tensor([1.0 + 2.0j]))", "tensor([1.-2.j])"))
real = elementwise(
    "real", lambda xp, x: xp.positive(xp.real(x)), x=lambda g: g,
    doc=doc("The real part of complex numbers; real ones are copied.", "out = re(x)", "real(tn.tensor([1.0 + 2.0j]))",
            "tensor([1.])", returns="of the shape of `x` and the dtype of its parts"))
imag = elementwise(
    "imag", lambda xp, x: xp.positive(xp.imag(x)), x=lambda xp, g: xp.flat(g),
    doc=doc("The imaginary part of complex numbers; 0 for real ones.", "out = im(x)", "imag(tn.tensor([1.0 + 2.0j]))",
            "tensor([2.])", returns="of the shape of `x` and the dtype of its parts"))


def _angle(xp, x):
    if x.dtype.kind == "c":
        return xp.angle(x)
    x = floating(xp, x)
    return xp.where(x != x, x, xp.astype(x < 0, x.dtype) * pi)


angle = elementwise("angle", _angle, x=lambda xp, g: xp.flat(g),
                    doc=doc("The angle of complex numbers in radians; pi for negative real ones, 0 for the others.",
                            "out = atan2(im(x), re(x))", "angle(tn.tensor([1.0, -1.0]))", "tensor([0.0000, 3.1416])",
                            returns="of the shape of `x` and the dtype of its parts"))
