"""What the losses share: inputs of one shape, and the three ways to make one number of many."""
from math import isfinite

from ...autograd import Tensor, as_tensor
from ...ops import mean, sum

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(reduction, allowed=REDUCTIONS):
    """Raise ValueError unless `reduction` is one of the allowed names."""
    if reduction not in allowed:
        raise ValueError(f"reduction: expected one of {', '.join(map(repr, allowed))}, got {reduction!r}")


def reduced(loss, reduction, name="loss"):
    """All losses ('none'), their mean, or their sum.

    Raises:
        ValueError: the mean of nothing.
    """
    if reduction == "none":
        return loss
    if reduction == "sum":
        return sum(loss)
    if not loss.size:
        raise ValueError(f"{name}: the mean over an empty batch, shape {loss.shape}, is undefined")
    return mean(loss)


def weighed(loss, weight, reduction, name):
    """`reduced`, each loss first multiplied by its weight, a tensor that broadcasts to the losses."""
    if weight is None:
        return reduced(loss, reduction, name)
    weight = as_tensor(weight, like=loss)
    product = loss * weight
    if product.shape != loss.shape:
        raise ValueError(f"{name}: weight: expected a shape that broadcasts to {loss.shape}, got {weight.shape}")
    return reduced(product, reduction, name)


def same_shape(name, input, target, labels=("input", "target")):
    """Both as Tensors, of equal shapes.

    Raises:
        ValueError: the shapes differ: a loss never broadcasts.
    """
    if not isinstance(input, Tensor):
        input = as_tensor(input)
    if not isinstance(target, Tensor):
        target = as_tensor(target, like=input)
    if input.data.shape != target.data.shape:
        raise ValueError(f"{name}: {labels[0]} and {labels[1]} must have equal shapes, got {input.shape} and "
                         f"{target.shape}; reshape or broadcast_to one of them first")
    return input, target


def number(name, value, low=None, low_open=False, high=None):
    """`value` as a float within its limits.

    Raises:
        ValueError: it is no number, or outside.
    """
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    if ok and low is not None:
        ok = value > low if low_open else value >= low
    if ok and high is not None:
        ok = value <= high
    if not ok:
        limits = "" if low is None else f" {'>' if low_open else '>='} {low}"
        limits += "" if high is None else f" and <= {high}"
        raise ValueError(f"{name}: expected a finite number{limits}, got {value!r}")
    return float(value)


def per_axis(name, value, axes, low=0):
    """`value`, an int or one per axis, as a tuple of ints >= low.

    Raises:
        ValueError: it is not.
    """
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    given = given * axes if len(given) == 1 else given
    good = len(given) == axes and all(hasattr(n, "__index__") and not isinstance(n, bool) for n in given)
    if not good or any(n.__index__() < low for n in given):
        many = f" or {axes} of them" if axes > 1 else ""
        raise ValueError(f"{name}: expected an int >= {low}{many}, got {value!r}")
    return tuple([n.__index__() for n in given])
