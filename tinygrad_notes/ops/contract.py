"""Products that sum over an axis."""
from ..autograd import primitive

__all__ = ["matmul"]

_matmul = primitive("matmul", lambda xp, x, y: xp.matmul(x, y), kind="contraction",
                    x=lambda xp, g, y: xp.matmul(g, xp.matrix_transpose(y)),
                    y=lambda xp, g, x: xp.matmul(xp.matrix_transpose(x), g))


def matmul(x1, x2, /):
    """Matrix product over the last two axes."""
    return _matmul(x1, x2)
