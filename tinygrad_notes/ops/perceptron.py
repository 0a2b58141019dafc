"""An affine map and a GELU as one operation: the first half of the perceptron in a transformer.

What goes into the GELU is never kept: its slope is written in its place. Where derivatives of derivatives are wanted it
is computed again from the input and the weights.
"""
from math import prod

from ..autograd import Tensor, joint
from ..autograd.mode import mode
from ..backend import gelu as kernels
from .activation import _gelu_curve, _gelu_slope, _whole_gelu, gelu
from .contract import _columns, _rows, linear

__all__ = []


def _forward(xp, x, w, b):
    h = _rows(xp, x, w.T)
    out = kernels.shifted(h, b, lambda part: _whole_gelu(xp, part), lambda part: _gelu_slope(xp, part))
    return out, h


def _pull(xp, parts, needs, x, w, b, out):
    g, g_slope = parts
    if isinstance(x, Tensor):
        h = xp.linear(x, w, b)
        dh = 0 if g is None else g * xp.gelu_slope(h)
        dh = dh if g_slope is None else dh + _gelu_curve(xp, g_slope, h)
    else:
        dh = kernels.product(g, out[1]) if kernels.suits(g, out[1]) else g * out[1]
    db = None
    if needs[2]:
        rows = xp.reshape(dh, (prod(dh.shape[:-1]), dh.shape[-1]))
        db = xp.matmul(xp.ones(rows.shape[0], dtype=dh.dtype), rows)
    return _rows(xp, dh, w) if needs[0] else None, _columns(xp, dh, x) if needs[1] else None, db


# The result and its slope.
_linear_gelu = joint("linear_gelu", _forward, _pull, outputs=2)


def linear_gelu(x, w, b):
    """gelu(linear(x, w, b)); as one operation where a gradient is wanted of a large host array."""
    given = (x, w) if b is None else (x, w, b)
    fits = (mode.record and isinstance(x, Tensor) and any(t.requires_grad for t in given)
            and kernels.hosts(*[t.data for t in given]) and x.ndim > 1 and x.shape[-1] == w.shape[1]
            and prod(x.shape[:-1]) * w.shape[0] > kernels.SMALL)
    return _linear_gelu(x, w, b)[0] if fits else gelu(linear(x, w, b))
