"""Operations behind the losses of `nn.functional`: those that share work or need a stable form of their own.

    N rows   C classes   `how`: one of 'none', 'sum', 'mean', what becomes of the N losses
"""
import numpy as np

from ..autograd import elementwise, primitive
from ..autograd.mode import mode
from ..backend import device_of

__all__ = []


# Labels -------------------------------------------------------------------------------
def check_labels(name, labels, classes, ignored=None, argument="target", of="classes: expected labels"):
    """Raise unless every label is in [0, classes); `ignored` names one value that is let through.

    `argument` and `of` say in the message which argument it is, and an index of what.

    Returns:
        Whether some labels are to be ignored.

    Raises:
        ValueError: a label is out of range; the message says which and where.
    """
    if not labels.size:
        return False
    if labels.__class__ is np.ndarray and labels.dtype == np.int64:
        fine = labels.view(np.uint64).max() < classes  # what is negative counts as very large
    else:
        labels = comparable(labels, classes, ignored or 0)
        fine = holds((labels >= 0) & (labels < classes))
    if fine:
        return ignored is not None and 0 <= ignored < classes and not holds(labels != ignored)
    bad = (labels < 0) | (labels >= classes)
    if ignored is not None:
        bad = bad & (labels != ignored)
    if holds(~bad):
        return True
    host = device_of(labels).to_numpy(labels)
    place = np.unravel_index(device_of(labels).to_numpy(bad).argmax(), host.shape)
    at = place[0] if len(place) == 1 else tuple(int(i) for i in place)
    where = f"{argument}[{at}]" if place else argument
    besides = f", or {ignored} to ignore a row" if ignored is not None else ""
    raise ValueError(f"{name}: {where} is {host[place]}, but there are {classes} {of} in [0, {classes}){besides}")


def comparable(labels, *numbers):
    """`labels`, as int64 where their type does not hold the numbers they are compared with: CuPy would wrap these."""
    limits = np.iinfo(labels.dtype) if labels.dtype.kind in "iu" else None
    if limits is None or all(limits.min <= n <= limits.max for n in numbers):
        return labels
    return device_of(labels).xp.astype(labels, np.dtype("int64"))


def holds(condition):
    """Whether a raw array of truth values is true everywhere: the one look at the host that a check needs."""
    device = device_of(condition)
    if device is None:
        return bool(condition)
    every = device.xp.all(condition)
    return every.item() if device.base is None else mode.tape.assume(every)


def _rows(xp, x):
    return xp.arange(x.shape[0])


def _place(xp, y, labels, *, shape):
    out = xp.zeros(shape, dtype=y.dtype)
    out[_rows(xp, y), labels] = y
    return out


# One element of each row, chosen by its label; and its transpose.
pick_label = primitive("pick_label", lambda xp, x, labels: x[_rows(xp, x), labels], kind="gather",
                       x=lambda xp, g, labels, x_shape: xp.place_label(g, labels, shape=x_shape))
place_label = primitive("place_label", _place, kind="gather", y=lambda xp, g, labels: xp.pick_label(g, labels))


# Cross-entropy ------------------------------------------------------------------------
_FEW = 32         # up to this many classes NumPy is twice as fast with the classes on axis 0
_BLOCK = 1 << 15  # elements that stay in the cache through several passes


def _blocks(x):
    """Slices of rows small enough for the cache; one for all on a GPU."""
    device = device_of(x)
    if x.size <= _BLOCK or device.name == "cuda" or device.base is not None:
        return (Ellipsis,)
    n, step = x.shape[0], max(1, _BLOCK // x.shape[1])
    return [slice(a, a + step) for a in range(0, n, step)]


def _normalize(xp, x):
    if x.shape[1] <= _FEW:
        d = x.T.copy()
        d -= xp.max(d, 0)
        d -= xp.log(xp.sum(xp.exp(d), 0))
        return d.T
    out = xp.empty_like(x)
    for rows in _blocks(x):
        d = xp.subtract(x[rows], xp.max(x[rows], 1, keepdims=True), out=out[rows])
        d -= xp.log(xp.sum(xp.exp(d), 1, keepdims=True))
    return out


# Logits shifted, row by row, to logarithms of probabilities. Only for what does not change when a row is shifted: the
# gradient of such a function adds to 0 in each row, and then that of the shift adds nothing to it.
normalized = primitive("normalized", _normalize, kind="reduce", x=lambda g: g)


def _label_entropy(xp, z, labels, *, how):
    losses = -z[_rows(xp, z), labels]
    if how == "none":
        return losses
    total = xp.sum(losses)
    return total / z.shape[0] if how == "mean" else total


def _slope(xp, y, z, labels, *, how):
    share = y / z.shape[0] if how == "mean" else y
    out = xp.empty_like(z)
    for rows in _blocks(z):
        d = xp.exp(z[rows], out=out[rows])
        d *= xp.expand_dims(share[rows], axis=1) if how == "none" else share
    out[_rows(xp, out), labels] -= share
    return out


def _slope_y(xp, g, z, labels, how):
    each = xp.sum(g * xp.softmax(z, axis=(1,)), axis=1) - xp.pick_label(g, labels)
    return each if how == "none" else xp.sum(each) / z.shape[0] if how == "mean" else xp.sum(each)


def _slope_z(xp, g, y, z, how):
    p = xp.softmax(z, axis=(1,))
    weighted = g * p
    share = xp.expand_dims(y, axis=1) if how == "none" else y / z.shape[0] if how == "mean" else y
    return (weighted - p * xp.sum(weighted, axis=1, keepdims=True)) * share


# log(sum(exp(z))) - z at the label, for rows z that are `normalized`: the logarithm is 0. The slope is
# (softmax - one_hot) * share, where exp(z) is the softmax; higher orders take the softmax of any z.
label_entropy = primitive("label_entropy", _label_entropy, kind="reduce",
                          z=lambda xp, g, z, labels, how: xp.label_entropy_slope(g, z, labels, how=how))
primitive("label_entropy_slope", _slope, kind="elementwise", y=_slope_y, z=_slope_z)


# Differences --------------------------------------------------------------------------
def _mean_square(xp, x, y):
    d = xp.reshape(x - y, (-1,))
    if d.dtype.itemsize < 4:  # halves are squared and added in float32
        d = xp.astype(d, np.float32)
    return xp.astype(xp.vdot(d, d) / d.shape[0], x.dtype)


mean_square = primitive("mean_square", _mean_square, kind="reduce",
                        x=lambda g, x, y: (x - y) * (g * (2 / x.size)),
                        y=lambda g, x, y: (y - x) * (g * (2 / x.size)))

# Huber's function: x^2 / 2 up to delta, then delta (|x| - delta / 2).
def _huber(xp, x, *, delta):
    size = xp.abs(x)
    return xp.where(size < delta, 0.5 * x * x, delta * (size - 0.5 * delta))


huber = elementwise("huber", _huber, x=lambda xp, g, x, delta: g * xp.clip(x, -delta, delta))


# Two classes --------------------------------------------------------------------------
def _log_or_minus_100(xp, x):
    positive = x > 0
    return xp.maximum(xp.where(positive, xp.log(xp.where(positive, x, xp.ones_like(x))), -100), -100)


def _binary_entropy(xp, x, y):
    other = 1 - x
    return -(y * _log_or_minus_100(xp, x) + (1 - y) * _log_or_minus_100(xp, other))


# As in PyTorch, the logarithms stop at -100 and the slope's denominator at 1e-12, so that p = 0 and 1 stay finite.
binary_entropy = elementwise("binary_entropy", _binary_entropy,
                             x=lambda xp, g, x, y: g * (x - y) / xp.clip(x * (1 - x), 1e-12, 1),
                             y=lambda xp, g, x: g * (xp.log_or_minus_100(1 - x) - xp.log_or_minus_100(x)))
elementwise("log_or_minus_100", _log_or_minus_100, x=lambda xp, g, x: g / xp.clip(x, 1e-12, 1))

binary_entropy_of_logits = elementwise(
    "binary_entropy_of_logits", lambda xp, x, y: xp.maximum(x, 0) - x * y + xp.log1p(xp.exp(-xp.abs(x))),
    x=lambda xp, g, x, y: g * (xp.sigmoid(x) - y),
    y=lambda g, x: -g * x)
