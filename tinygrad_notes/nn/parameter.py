"""A Tensor that a Module counts among its parameters."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import Tensor

if TYPE_CHECKING:
    from ..typing import ArrayLike, SupportsDLPack

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A leaf Tensor that becomes a parameter of the Module it is assigned to.

    Args:
        data: a Tensor, array, list or number; a Tensor shares its memory.
        requires_grad: whether a gradient is wanted.

    Raises:
        TypeError: a gradient is wanted of a non-floating dtype.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Parameter([1.0, 2.0])
        Parameter containing:
        tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: ArrayLike | SupportsDLPack = (), requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A Tensor that becomes a buffer of the Module it is assigned to: state that is no parameter.

    Args:
        data: a Tensor, array, list or number; a Tensor shares its memory.
        persistent: whether it is part of the module's `state_dict`.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.Identity()
        >>> layer.count = tn.nn.Buffer([0])
        >>> list(layer.state_dict())
        ['count']
    """

    __slots__ = ("persistent",)

    def __init__(self, data: ArrayLike | SupportsDLPack = (), *, persistent: bool = True) -> None:
        super().__init__(data)
        self.persistent = persistent
