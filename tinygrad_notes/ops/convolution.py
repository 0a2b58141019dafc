"""Convolution over any number of axes, its two gradients, and windows as columns.

    N batch   C channels of x   O channels of y   S sizes of x   K sizes of the kernel

x (N, C, *S), w (O, C / groups, *K), y (N, O, *out). "Convolution" is what deep learning calls so: the kernel is not
turned around. Each of the three products is a gradient of the other two, so every order of derivative is there.
"""

from ..autograd import adjoint, primitive, trilinear
from ..backend.windows import windows

__all__ = []


def _forward(xp, x, w, *, stride, padding, dilation, groups):
    return xp.conv_forward(x, w, None, windows(tuple(x.shape), tuple(w.shape), stride, padding, dilation, groups))


def _to_input(xp, y, w, *, stride, padding, dilation, groups, shape):
    return xp.conv_to_input(y, w, _met(y.shape, shape, w.shape, stride, padding, dilation, groups))


def _to_weight(xp, x, y, *, stride, padding, dilation, groups, shape):
    return xp.conv_to_weight(x, y, _met(y.shape, x.shape, shape, stride, padding, dilation, groups))


def _met(y_shape, x_shape, w_shape, stride, padding, dilation, groups):
    """The windows that take x to y, a y that is given."""
    g = windows(tuple(x_shape), tuple(w_shape), stride, padding, dilation, groups)
    if tuple(y_shape) != (g.batch, g.outputs, *g.out):
        raise ValueError(f"expected shape {(g.batch, g.outputs, *g.out)}, got {tuple(y_shape)}")
    return g


conv, conv_input, conv_weight = trilinear("conv", _forward, "conv_input", _to_input, "conv_weight", _to_weight)


def _with_bias(xp, x, w, b, *, stride, padding, dilation, groups):
    if b.shape != w.shape[:1]:
        raise ValueError(f"expected a bias of shape {tuple(w.shape[:1])}, got {tuple(b.shape)}")
    return xp.conv_forward(x, w, b, windows(tuple(x.shape), tuple(w.shape), stride, padding, dilation, groups))


def _conv_x(xp, g, w, x_shape, stride, padding, dilation, groups):
    return xp.conv_input(g, w, stride=stride, padding=padding, dilation=dilation, groups=groups, shape=x_shape)


def _conv_w(xp, x, g, w_shape, stride, padding, dilation, groups):
    return xp.conv_weight(x, g, stride=stride, padding=padding, dilation=dilation, groups=groups, shape=w_shape)


def _to_every_place(xp, g, x_shape):
    return xp.broadcast_to(xp.reshape(g, (x_shape[1],) + (1,) * (len(x_shape) - 2)), x_shape)


# The sum over everything but the channels: how a bias meets the output.
sum_to_channels = primitive("sum_to_channels", lambda xp, x: xp.channel_sum(x), kind="reduce", x=_to_every_place)

# The product with a bias: one pass over the output less.
conv_bias = primitive("conv_bias", _with_bias, kind="contraction", x=_conv_x, w=_conv_w,
                      b=lambda xp, g: xp.sum_to_channels(g))


# Windows as columns ---------------------------------------------------------------------------------
def _columns(xp, x, *, kernel, stride, padding, dilation):
    g = _over(x.shape, kernel, stride, padding, dilation)
    return xp.reshape(xp.unfold_windows(x, g), (g.batch, g.channels * g.taps, g.positions))


def _gathered(xp, y, *, kernel, stride, padding, dilation, shape):
    g = _over(shape, kernel, stride, padding, dilation)
    if tuple(y.shape) != (g.batch, g.channels * g.taps, g.positions):
        raise ValueError(f"expected shape {(g.batch, g.channels * g.taps, g.positions)} for an output of {shape}, got "
                         f"{tuple(y.shape)}")
    return xp.fold_windows(xp.reshape(y, (g.batch, g.channels, *g.kernel, *g.out)), g)


def _over(shape, kernel, stride, padding, dilation):
    return windows(tuple(shape), (shape[1], 1, *kernel), stride, padding, dilation, shape[1])


# (N, C, *S) -> (N, C prod K, positions), and back with what overlaps added.
unfold_columns, fold_columns = adjoint("unfold_columns", _columns, "fold_columns", _gathered, kind="gather")
