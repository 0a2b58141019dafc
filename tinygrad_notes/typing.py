"""Names for annotations: what functions accept where they take an array, a key, a shape, an axis, a dtype, a device.

    from tinygrad_notes.typing import ArrayLike
"""
from collections.abc import Sequence
from types import EllipsisType
from typing import Any, Protocol, SupportsIndex, TypeAlias

import numpy as np

from .autograd import Tensor
from .backend import Device

__all__ = ["ArrayLike", "Axes", "Axis", "DTypeLike", "DeviceLike", "Index", "Shape", "SupportsDLPack"]


class SupportsDLPack(Protocol):
    """An array of another library that can share its memory."""

    def __dlpack__(self, *, stream: Any = ...) -> Any:
        """Its memory."""


_One: TypeAlias = Tensor | np.ndarray[Any, Any] | np.generic | complex
# Not by recursion: a str is a sequence of strs without end.
_Nested: TypeAlias = Sequence[complex] | Sequence[Sequence[complex]] | list[Any] | tuple[Any, ...]

ArrayLike: TypeAlias = _One | _Nested
Axis: TypeAlias = SupportsIndex
Axes: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
Shape: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
DTypeLike: TypeAlias = np.dtype[Any] | type[bool] | type[int] | type[float] | type[complex] | type[np.generic] | str
DeviceLike: TypeAlias = Device | str

_Key: TypeAlias = (SupportsIndex | slice | EllipsisType | None | Tensor | np.ndarray[Any, Any]
                   | Sequence[SupportsIndex] | Sequence[Sequence[SupportsIndex]])
Index: TypeAlias = _Key | tuple[_Key, ...]
