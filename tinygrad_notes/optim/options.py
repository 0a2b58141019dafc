"""Options of optimizers and schedules: numbers in their range, known names, one value per group."""

from __future__ import annotations

import math
from difflib import get_close_matches
from numbers import Real

from ..autograd import Tensor


def in_range(name, value, low, high=math.inf, low_open=False, high_open=False):
    """Raise ValueError unless `value` is a finite number between the limits."""
    ok = isinstance(value, (float, int, Real)) and math.isfinite(value)
    ok = ok and (value > low if low_open else value >= low) and (value < high if high_open else value <= high)
    if not ok:
        left, right = "(" if low_open else "[", ")" if high_open or high == math.inf else "]"
        raise ValueError(f"{name}: expected a number in {left}{low}, {high}{right}, got {value!r}")


def whole(name, value, low):
    """Raise ValueError unless `value` is an int >= `low`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ValueError(f"{name}: expected an int >= {low}, got {value!r}")


def one_of(name, value, known):
    """Raise ValueError unless `value` is one of the `known` ones."""
    if value not in known:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, known))}, got {value!r}{nearest(value, known)}")


def nearest(name, known):
    """", did you mean ...?" where a known name is close, else nothing."""
    found = get_close_matches(str(name), [str(k) for k in known], 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def number(name, value):
    """An array or Tensor of one element as the number it holds; anything else as it is.

    Raises:
        ValueError: it has several elements.
    """
    if not hasattr(value, "item"):
        return value
    held = Tensor(value)
    if held.size != 1:
        raise ValueError(f"{name}: expected one number, got {type(value).__name__} of shape {held.shape}")
    return held.item()


def per_group(name, value, optimizer, what="number"):
    """One value per parameter group: those given, or the one given for all.

    Raises:
        ValueError: several, but not as many as there are groups.
    """
    n = len(optimizer.param_groups)
    values = list(value) if isinstance(value, (list, tuple)) else [value] * n
    if len(values) != n:
        raise ValueError(f"{name}: expected one {what} or {n}, one per group, got {len(values)}")
    return [number(name, v) for v in values]
