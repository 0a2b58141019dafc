"""Arithmetic, comparison, rounding and bits, element by element."""
from ..autograd import elementwise

__all__ = [
    "add", "subtract", "multiply", "divide", "negative", "positive", "abs", "sign", "square", "sqrt", "reciprocal", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
]

add = elementwise("add", lambda xp, x, y: xp.add(x, y),
                  x=lambda g: g,
                  y=lambda g: g)

subtract = elementwise("subtract", lambda xp, x, y: xp.subtract(x, y),
                       x=lambda g: g,
                       y=lambda g: -g)

multiply = elementwise("multiply", lambda xp, x, y: xp.multiply(x, y),
                       x=lambda g, y: g * y,
                       y=lambda g, x: g * x)

divide = elementwise("divide", lambda xp, x, y: xp.divide(x, y),
                     x=lambda g, y: g / y,
                     y=lambda g, out, y: -g * out / y)

negative = elementwise("negative", lambda xp, x: xp.negative(x), x=lambda g: -g)
positive = elementwise("positive", lambda xp, x: xp.positive(x), x=lambda g: g)

abs = elementwise("abs", lambda xp, x: xp.abs(x), x=lambda xp, g, x: g * xp.sign(x))
sign = elementwise("sign", lambda xp, x: xp.sign(x), x=lambda g: g * 0)
square = elementwise("square", lambda xp, x: xp.square(x), x=lambda g, x: 2 * g * x)
sqrt = elementwise("sqrt", lambda xp, x: xp.sqrt(x), x=lambda g, out: 0.5 * g / out)
reciprocal = elementwise("reciprocal", lambda xp, x: xp.reciprocal(x), x=lambda g, out: -g * out * out)

equal = elementwise("equal", lambda xp, x, y: xp.equal(x, y), differentiable=False)
not_equal = elementwise("not_equal", lambda xp, x, y: xp.not_equal(x, y), differentiable=False)
less = elementwise("less", lambda xp, x, y: xp.less(x, y), differentiable=False)
less_equal = elementwise("less_equal", lambda xp, x, y: xp.less_equal(x, y), differentiable=False)
greater = elementwise("greater", lambda xp, x, y: xp.greater(x, y), differentiable=False)
greater_equal = elementwise("greater_equal", lambda xp, x, y: xp.greater_equal(x, y), differentiable=False)
