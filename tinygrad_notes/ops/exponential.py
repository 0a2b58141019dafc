"""Exponentials, logarithms, trigonometric and hyperbolic functions."""
from math import log as _ln
from math import pi

from numpy import errstate

from ..autograd import elementwise
from .docs import function

__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "deg2rad", "exp", "exp2", "expm1", "log",
    "log10", "log1p", "log2", "logaddexp", "logaddexp2", "rad2deg", "sin", "sinh", "tan", "tanh",
]

LN2, LN10, INVERSE_LN2 = _ln(2), _ln(10), 1 / _ln(2)
RADIAN, DEGREE = pi / 180, 180 / pi  # one degree in radians, one radian in degrees



def _expm1(xp, x):
    if x.dtype.kind != "c":
        return xp.expm1(x)
    finite = xp.isfinite(x)
    with errstate(invalid="ignore", over="ignore"):  # NumPy's own has nan where the limits of the two parts exist
        return xp.where(finite, xp.expm1(xp.where(finite, x, 0)), xp.exp(x) - 1)


exp = function("exp", lambda xp, x: xp.exp(x), "The exponential function.", "out = e^x", "exp(tn.tensor([0.0, 1.0]))",
               "tensor([1.0000, 2.7183])", x=lambda g, out: g * out)
exp2 = function("exp2", lambda xp, x: xp.exp2(x), "Two to the power x.", "out = 2^x", "exp2(tn.tensor([3.0, -1.0]))",
                "tensor([8.0000, 0.5000])", x=lambda g, out: g * (out * LN2))
expm1 = function("expm1", _expm1, "e^x - 1, exact near 0.", "out = e^x - 1",
                 "expm1(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 1.7183])", x=lambda g, out: g + g * out)
log = function("log", lambda xp, x: xp.log(x), "The natural logarithm.", "out = log(x)", "log(tn.tensor([1.0, 10.0]))",
               "tensor([0.0000, 2.3026])", x=lambda g, x: g / x)
log2 = function("log2", lambda xp, x: xp.log2(x), "The logarithm to base 2.", "out = log(x) / log(2)",
                "log2(tn.tensor([1.0, 8.0]))", "tensor([0., 3.])", x=lambda g, x: g / (x * LN2))
log10 = function("log10", lambda xp, x: xp.log10(x), "The logarithm to base 10.", "out = log(x) / log(10)",
                 "log10(tn.tensor([1.0, 100.0]))", "tensor([0.0000, 2.0000])", x=lambda g, x: g / (x * LN10))
log1p = function("log1p", lambda xp, x: xp.log1p(x), "log(1 + x), exact near 0.", "out = log(1 + x)",
                 "log1p(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 0.6931])", x=lambda g, x: g / (x + 1))

sin = function("sin", lambda xp, x: xp.sin(x), "The sine of an angle in radians.", "out = sin(x)",
               "sin(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 0.8415])", x=lambda xp, g, x: g * xp.cos(x))
cos = function("cos", lambda xp, x: xp.cos(x), "The cosine of an angle in radians.", "out = cos(x)",
               "cos(tn.tensor([0.0, 1.0]))", "tensor([1.0000, 0.5403])", x=lambda xp, g, x: -g * xp.sin(x))
tan = function("tan", lambda xp, x: xp.tan(x), "The tangent of an angle in radians.", "out = sin(x) / cos(x)",
               "tan(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 1.5574])", x=lambda g, out: g + g * out * out)
asin = function("asin", lambda xp, x: xp.asin(x), "The angle in [-pi/2, pi/2] whose sine is x.", "sin(out) = x",
                "asin(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 1.5708])",
                x=lambda xp, g, x: g / xp.sqrt((1 - x) * (1 + x)))
acos = function("acos", lambda xp, x: xp.acos(x), "The angle in [0, pi] whose cosine is x.", "cos(out) = x",
                "acos(tn.tensor([0.0, 1.0]))", "tensor([1.5708, 0.0000])",
                x=lambda xp, g, x: -g / xp.sqrt((1 - x) * (1 + x)))
atan = function("atan", lambda xp, x: xp.atan(x), "The angle in [-pi/2, pi/2] whose tangent is x.", "tan(out) = x",
                "atan(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 0.7854])", x=lambda g, x: g / (1 + x * x))
atan2 = function("atan2", lambda xp, y, x: xp.atan2(y, x),
                 "The angle of the point (x, y) in [-pi, pi]; the ordinate comes first.",
                 "(cos(out), sin(out)) = (x, y) / (x^2 + y^2)^(1/2)", "atan2(tn.tensor([1.0]), tn.tensor([-1.0]))",
                 "tensor([2.3562])", args="y x", y=lambda g, y, x: g * x / (x * x + y * y),
                 x=lambda g, y, x: -g * y / (x * x + y * y))

sinh = function("sinh", lambda xp, x: xp.sinh(x), "The hyperbolic sine.", "out = (e^x - e^-x) / 2",
                "sinh(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 1.1752])", x=lambda xp, g, x: g * xp.cosh(x))
cosh = function("cosh", lambda xp, x: xp.cosh(x), "The hyperbolic cosine.", "out = (e^x + e^-x) / 2",
                "cosh(tn.tensor([0.0, 1.0]))", "tensor([1.0000, 1.5431])", x=lambda xp, g, x: g * xp.sinh(x))
tanh = function("tanh", lambda xp, x: xp.tanh(x), "The hyperbolic tangent.", "out = (e^x - e^-x) / (e^x + e^-x)",
                "tanh(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 0.7616])", x=lambda g, out: g - g * out * out)
asinh = function("asinh", lambda xp, x: xp.asinh(x), "The inverse of the hyperbolic sine.", "sinh(out) = x",
                 "asinh(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 0.8814])", x=lambda xp, g, x: g / xp.hypot(x, 1))
acosh = function("acosh", lambda xp, x: xp.acosh(x), "The non-negative inverse of the hyperbolic cosine.",
                 "cosh(out) = x", "acosh(tn.tensor([1.0, 2.0]))", "tensor([0.0000, 1.3170])",
                 x=lambda xp, g, x: g / (xp.sqrt(x - 1) * xp.sqrt(x + 1)))
atanh = function("atanh", lambda xp, x: xp.atanh(x), "The inverse of the hyperbolic tangent.", "tanh(out) = x",
                 "atanh(tn.tensor([0.0, 0.5]))", "tensor([0.0000, 0.5493])", x=lambda g, x: g / ((1 - x) * (1 + x)))

deg2rad = function("deg2rad", lambda xp, x: xp.deg2rad(x), "Degrees as radians.", "out = x pi / 180",
                   "deg2rad(tn.tensor([0.0, 180.0]))", "tensor([0.0000, 3.1416])", x=lambda g: g * RADIAN)
rad2deg = function("rad2deg", lambda xp, x: xp.rad2deg(x), "Radians as degrees.", "out = x 180 / pi",
                   "rad2deg(tn.tensor([0.0, 1.0]))", "tensor([ 0.0000, 57.2958])", x=lambda g: g * DEGREE)


# Sums in the logarithm ----------------------------------------------------------------
def _gap(xp, x, y):
    with errstate(invalid="ignore"):
        return xp.where(x == y, 0, x - y)


# x - y, 0 where both are the same infinity.
gap = elementwise("gap", _gap, x=lambda g: g, y=lambda g: -g)


def _logaddexp(xp, x, y):
    return xp.maximum(x, y) + xp.log1p(xp.exp(-xp.abs(_gap(xp, x, y))))


def _logaddexp2(xp, x, y):
    return xp.maximum(x, y) + xp.log1p(xp.exp2(-xp.abs(_gap(xp, x, y)))) * INVERSE_LN2

logaddexp = function("logaddexp", _logaddexp, "The logarithm of a sum of exponentials, without overflow.",
                     "out = log(e^x + e^y)", "logaddexp(tn.tensor([0.0, 1000.0]), 0.0)",
                     "tensor([6.9315e-01, 1.0000e+03])", args="x y", x=lambda xp, g, x, y: g * xp.sigmoid(xp.gap(x, y)),
                     y=lambda xp, g, x, y: g * xp.sigmoid(xp.gap(y, x)))
logaddexp2 = function("logaddexp2", _logaddexp2, "The logarithm to base 2 of a sum of powers of 2, without overflow.",
                      "out = log2(2^x + 2^y)", "logaddexp2(tn.tensor([0.0, 1000.0]), 0.0)", "tensor([   1., 1000.])",
                      args="x y", x=lambda xp, g, x, y: g * xp.sigmoid(xp.gap(x, y) * LN2),
                      y=lambda xp, g, x, y: g * xp.sigmoid(xp.gap(y, x) * LN2))
