"""Special functions: the error function, gamma functions, Bessel functions and their like."""
from math import log as _ln
from math import pi, sqrt

from ..autograd import elementwise
from .docs import doc

__all__ = ["erf", "erfc", "xlogy"]

_FLOATS = "floating dtypes; integers are taken as floats"


def _function(name, forward, sentence, formula, call, result, args="x", kinds=_FLOATS, **rules):
    return elementwise(name, forward, doc=doc(sentence, formula, call, result, args=args, kinds=kinds), **rules)


erf = _function("erf", lambda xp, x: xp.erf(x), "The error function.", "out = 2/pi^(1/2) integral of e^(-t^2) from 0 to x",
                "erf(tn.tensor([0.0, 1.0]))", "tensor([0.    , 0.8427])",
                x=lambda xp, g, x: g * (xp.exp(-x * x) * (2 / sqrt(pi))))
erfc = _function("erfc", lambda xp, x: xp.erfc(x), "1 - erf(x), exact where it is small.", "out = 1 - erf(x)",
                 "erfc(tn.tensor([0.0, 1.0]))", "tensor([1.    , 0.1573])",
                 x=lambda xp, g, x: g * (xp.exp(-x * x) * (-2 / sqrt(pi))))
xlogy = _function("xlogy", lambda xp, x, y: xp.xlogy(x, y), "x log(y), 0 where x is 0.", "out = x log(y)",
                  "xlogy(tn.tensor([0.0, 2.0]), tn.tensor([0.0, 1.0]))", "tensor([0., 0.])", args="x y",
                  x=lambda xp, g, x, y: g * xp.log(xp.where((x == 0) & (y <= 0), 1, y)), y=lambda g, x, y: g * x / y)
