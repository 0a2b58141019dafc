"""Layers that put a border around their input."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]


class _Pad(Module):
    """What all borders share."""

    axes: int
    mode = "constant"

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        given: tuple[Any, ...] = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,) * (2 * self.axes)
        if len(given) != 2 * self.axes or not all(hasattr(n, "__index__") and not isinstance(n, bool) for n in given):
            raise ValueError(f"{type(self).__name__}: padding: expected an int or {2 * self.axes} of them, got "
                             f"{padding!r}")
        self.padding = tuple([n.__index__() for n in given])

    def forward(self, input: ArrayLike) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """What borders of one value share."""

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: ArrayLike) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A border of one value around the last axis.

    Args:
        padding: (left, right), or an int for all sides; negative widths cut off.
        value: of the border.

    Raises:
        ValueError: a width is no int; at the call: more is cut off than there is.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ConstantPad1d(1, 3.5)(tn.ones((1, 2))).shape
        (1, 4)
    """

    axes = 1


class ConstantPad2d(_ConstantPad):
    """A border of one value around the last two axes.

    Args:
        padding: (left, right, top, bottom), or an int for all sides; negative widths cut off.
        value: of the border.

    Raises:
        ValueError: a width is no int; at the call: more is cut off than there is.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ConstantPad2d(1, 3.5)(tn.ones((1, 2, 2))).shape
        (1, 4, 4)
    """

    axes = 2


class ConstantPad3d(_ConstantPad):
    """A border of one value around the last three axes.

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all sides; negative widths cut off.
        value: of the border.

    Raises:
        ValueError: a width is no int; at the call: more is cut off than there is.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ConstantPad3d(1, 3.5)(tn.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3


class ZeroPad1d(_ConstantPad):
    """A border of zeros around the last axis.

    Args:
        padding: (left, right), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: more is cut off than there is.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ZeroPad1d(1)(tn.ones((1, 2))).shape
        (1, 4)
    """

    axes = 1

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(_ConstantPad):
    """A border of zeros around the last two axes.

    Args:
        padding: (left, right, top, bottom), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: more is cut off than there is.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ZeroPad2d(1)(tn.ones((1, 2, 2))).shape
        (1, 4, 4)
    """

    axes = 2

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(_ConstantPad):
    """A border of zeros around the last three axes.

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: more is cut off than there is.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ZeroPad3d(1)(tn.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """A border around the last axis: the mirror image of what is inside.

    Formula: out[i] = x[|i - before|] before the first of n elements, x[2 (n - 1) - (i - before)] behind the last.

    Args:
        padding: (left, right), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: the input is not (C, L) or (N, C, L),
            or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ReflectionPad1d(1)(tn.ones((1, 2))).shape
        (1, 4)
    """

    axes = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """A border around the last two axes: the mirror image of what is inside.

    Formula: out[i] = x[|i - before|] before the first of n elements, x[2 (n - 1) - (i - before)] behind the last.

    Args:
        padding: (left, right, top, bottom), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: the input is not (C, H, W) or (N, C, H, W),
            or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ReflectionPad2d(1)(tn.ones((1, 2, 2))).shape
        (1, 4, 4)
    """

    axes = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """A border around the last three axes: the mirror image of what is inside.

    Formula: out[i] = x[|i - before|] before the first of n elements, x[2 (n - 1) - (i - before)] behind the last.

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: the input is not (C, D, H, W) or (N, C, D, H, W),
            or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ReflectionPad3d(1)(tn.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """A border around the last axis: the nearest element repeated.

    Formula: out[i] = x[min(max(i - before, 0), n - 1)].

    Args:
        padding: (left, right), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: the input is not (C, L) or (N, C, L),
            or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ReplicationPad1d(1)(tn.ones((1, 2))).shape
        (1, 4)
    """

    axes = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """A border around the last two axes: the nearest element repeated.

    Formula: out[i] = x[min(max(i - before, 0), n - 1)].

    Args:
        padding: (left, right, top, bottom), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: the input is not (C, H, W) or (N, C, H, W),
            or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ReplicationPad2d(1)(tn.ones((1, 2, 2))).shape
        (1, 4, 4)
    """

    axes = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """A border around the last three axes: the nearest element repeated.

    Formula: out[i] = x[min(max(i - before, 0), n - 1)].

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: the input is not (C, D, H, W) or (N, C, D, H, W),
            or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ReplicationPad3d(1)(tn.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """A border around the last axis: the other end of what is inside.

    Formula: out[i] = x[(i - before) mod n].

    Args:
        padding: (left, right), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: the input is not (C, L) or (N, C, L),
            or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.CircularPad1d(1)(tn.ones((1, 2))).shape
        (1, 4)
    """

    axes = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """A border around the last two axes: the other end of what is inside.

    Formula: out[i] = x[(i - before) mod n].

    Args:
        padding: (left, right, top, bottom), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: the input is not (C, H, W) or (N, C, H, W),
            or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.CircularPad2d(1)(tn.ones((1, 2, 2))).shape
        (1, 4, 4)
    """

    axes = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """A border around the last three axes: the other end of what is inside.

    Formula: out[i] = x[(i - before) mod n].

    Args:
        padding: (left, right, top, bottom, front, back), or an int for all sides; negative widths cut off.

    Raises:
        ValueError: a width is no int; at the call: the input is not (C, D, H, W) or (N, C, D, H, W),
            or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.CircularPad3d(1)(tn.ones((1, 2, 2, 2))).shape
        (1, 4, 4, 4)
    """

    axes = 3
    mode = "circular"
