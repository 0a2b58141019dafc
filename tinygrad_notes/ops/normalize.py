"""Values of mean zero and variance one over some axes: the operations behind every normalization layer.

x is seen as `shape` = (N, G, D, S): samples, groups of D channels, places. The statistics run over `axes` of these
four: (0, 2, 3) with D = 1 for a batch norm, (2, 3) for layer, group and instance norm. Weight and bias are (G * D,).

`moments` has no gradient: its results enter `standardize` as constants whose dependence on x is part of the gradient
rule. So x is all that the graph keeps, and nothing is computed twice.
"""
from math import prod

from ..autograd import joint, primitive

__all__ = []

# Mean and variance (divided by the count), the axes kept with length one.
moments = primitive("moments", lambda xp, x, *, shape, axes: xp.moments_over(x, shape, axes), kind="reduce",
                    differentiable=False, outputs=2)
mean_of_squares = primitive("mean_of_squares", lambda xp, x, *, shape, axes: xp.mean_square_over(x, shape, axes),
                            kind="reduce", differentiable=False)


def _pull(xp, g, x, mean, var, weight, shape, axes, eps):
    dx, dw, db = xp.standardize_pull(g, x, mean, var, weight, shape=shape, axes=axes, eps=eps)
    return dx, None, None, dw, db


# (x - mean) / sqrt(var + eps) * weight + bias for the mean and variance of x. Without mean (None), of its mean square.
standardize = joint(
    "standardize",
    lambda xp, x, mean, var, weight, bias, *, shape, axes, eps:
        xp.standardized(x, mean, var, weight, bias, shape, axes, eps),
    _pull, kind="reduce")


def _second_pull(xp, g, y, x, mean, var, weight, shape, axes, eps):
    """With J the (symmetric) Jacobian of hat(x) for x: the pull is J(y weight), sum(y hat), sum(y).

    The derivative of <v, J(u)> for x is -(r / n) (<v, J(u)> hat + <u, hat> J(v) + <v, hat> J(u)) with
    r = 1 / sqrt(var + eps).
    """
    v, for_weight, for_bias = g
    settings = {"shape": shape, "axes": axes, "eps": eps}
    n = prod([shape[a] for a in axes])

    def jacobian(t):
        return xp.reshape(xp.standardize_pull(xp.reshape(t, x.shape), x, mean, var, None, **settings)[0], shape)

    def column(vector):  # (G * D,) -> (1, G, D, 1)
        return xp.reshape(vector, (1, *shape[1:3], 1))

    def total(t):
        return xp.sum(t, axis=axes, keepdims=True)
    v, y = xp.reshape(v, shape), xp.reshape(y, shape)
    u = y if weight is None else y * column(weight)
    hat = xp.reshape(xp.standardize(x, mean, var, None, None, **settings), shape)
    r = xp.inverse_deviation(x, mean, var, **settings)
    jv, ju = jacobian(v), jacobian(u)
    dx = jacobian(y * column(for_weight)) - (total(jv * u) * hat + total(u * hat) * jv + total(v * hat) * ju) * (r / n)
    dy = (jv if weight is None else jv * column(weight)) + column(for_weight) * hat + column(for_bias)
    dweight = None if weight is None else xp.reshape(xp.sum(y * jv, axis=(0, 3)), weight.shape)
    return xp.reshape(dy, x.shape), xp.reshape(dx, x.shape), None, None, dweight


# The gradients of `standardize` for x, weight and bias; y stands for the cotangent.
joint("standardize_pull",
      lambda xp, y, x, mean, var, weight, *, shape, axes, eps:
          xp.standardized_pull(y, x, mean, var, weight, shape, axes, eps),
      _second_pull, kind="reduce", outputs=3)


def _inverse_deviation_slope(xp, g, x, mean, var, shape, axes, eps):
    r = xp.inverse_deviation(x, mean, var, shape=shape, axes=axes, eps=eps)
    hat = xp.reshape(xp.standardize(x, mean, var, None, None, shape=shape, axes=axes, eps=eps), shape)
    return xp.reshape(hat * (g * r * r * (-1 / prod([shape[a] for a in axes]))), x.shape)


# 1 / sqrt(var + eps) as a function of x.
primitive("inverse_deviation", lambda xp, x, mean, var, *, shape, axes, eps: 1 / xp.sqrt(var + eps), kind="reduce",
          x=_inverse_deviation_slope)


def _channel_slopes(xp, g, x, scale, needs, shape):
    dx = xp.scale_channels(g, scale, xp.zeros_like(scale), shape=shape) if needs[0] else None
    if not (needs[1] or needs[2]):
        return dx, None, None
    total, weighted = xp.sums_of_channels(g, x, shape=shape)
    return dx, weighted, total


# x * scale + offset with one scale and offset (C,) per channel of x seen as (N, C, 1, S).
scale_channels = joint("scale_channels", lambda xp, x, scale, offset, *, shape:
                       xp.affine_channels(x, scale, offset, shape), _channel_slopes, kind="reduce")


def _sums_slopes(xp, g, y, x, shape):
    plain, weighted = g
    zero = xp.zeros_like(plain)
    return (xp.scale_channels(x, weighted, plain, shape=shape), xp.scale_channels(y, weighted, zero, shape=shape))


# The sums of y and of y * x over each channel.
joint("sums_of_channels", lambda xp, y, x, *, shape: tuple(xp.channel_sums(y, x, shape)), _sums_slopes, kind="reduce",
      outputs=2)


def _window_total(xp, x, *, before, after):
    out, n = x.copy(), x.shape[1]
    for k in range(1, min(before, n - 1) + 1):
        out[:, k:] += x[:, :-k]
    for k in range(1, min(after, n - 1) + 1):
        out[:, :-k] += x[:, k:]
    return out


# The sum over neighbouring channels, from `before` in front of each to `after` behind it.
window_total = primitive("window_total", _window_total, kind="reduce",
                         x=lambda xp, g, before, after: xp.window_total(g, before=after, after=before))
