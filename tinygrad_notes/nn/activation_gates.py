"""Activations in which one half of the units gates the other, or units compete, as modules."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import functional as F
from .functional.competition import winners
from .linear import Linear, size
from .module import Module

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["GEGLU", "GLU", "KWTA", "Maxout", "ReGLU", "Sparsemax", "SwiGLU"]


class _Gate(Module):
    """What all gates share: the axis that is halved."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class GLU(_Gate):
    """One half of the input, let through by the other.

    Formula: out = a s(b), a and b the two halves along `dim`, s the logistic function.

    Args:
        dim: the axis to halve.

    Raises:
        ValueError: at the call, the size along `dim` is odd.

    Source: Dauphin et al. 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.GLU()(tn.tensor([2.0, 0.0]))
        tensor([1.])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.glu(input, self.dim)


class SwiGLU(_Gate):
    """One half of the input, times the SiLU of the other.

    Formula: out = a b s(b), s the logistic function, a and b the two halves along `dim`.

    Args:
        dim: the axis to halve.

    Raises:
        ValueError: at the call, the size along `dim` is odd.

    Source: Shazeer 2020, "GLU variants improve transformer".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.SwiGLU()(tn.tensor([2.0, 1.0]))
        tensor([1.4621])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.swiglu(input, self.dim)


class GEGLU(_Gate):
    """One half of the input, times the GELU of the other.

    Formula: out = a b Phi(b), Phi the normal distribution function, a and b the two halves along `dim`.

    Args:
        dim: the axis to halve.

    Raises:
        ValueError: at the call, the size along `dim` is odd.

    Source: Shazeer 2020, "GLU variants improve transformer".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.GEGLU()(tn.tensor([2.0, 1.0]))
        tensor([1.6827])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.geglu(input, self.dim)


class ReGLU(_Gate):
    """One half of the input, times the positive part of the other.

    Formula: out = a max(0, b), a and b the two halves along `dim`.

    Args:
        dim: the axis to halve.

    Raises:
        ValueError: at the call, the size along `dim` is odd.

    Source: Shazeer 2020, "GLU variants improve transformer".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ReGLU()(tn.tensor([2.0, 1.0]))
        tensor([2.])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.reglu(input, self.dim)


class Sparsemax(_Gate):
    """The nearest probabilities to the input: like softmax, but small ones are exactly 0.

    Formula: out = max(0, x - t), with t such that the sum along `dim` is 1.

    Args:
        dim: the axis of the classes.

    Raises:
        ValueError: at the call, there is nothing along `dim`.

    Source: Martins and Astudillo 2016, "From softmax to sparsemax".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Sparsemax()(tn.tensor([1.0, 0.5, -2.0]))
        tensor([0.7500, 0.2500, 0.0000])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.sparsemax(input, self.dim)


class KWTA(Module):
    """k winners take all: the k largest units along an axis pass, all others become 0.

    Formula: out_i = x_i if x_i is among the k largest, else 0.

    Args:
        k: how many win, an integer >= 0, or a share of the units, a float in (0, 1).
        dim: the axis along which they compete.

    Raises:
        ValueError: k is negative or no such number; at the call, it is larger than the number of units.

    Source: the notes, references, lines 106 to 110; Ahmad and Scheinkman 2019, "How can we be so dense?".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.KWTA(1)(tn.tensor([[1.0, 3.0], [2.0, -1.0]]))
        tensor([[0., 3.],
                [2., 0.]])
    """

    def __init__(self, k: int | float, dim: int = -1) -> None:
        super().__init__()
        winners(k, max(k, 1))
        self.k, self.dim = k, dim

    def forward(self, input: ArrayLike) -> Tensor:
        return F.kwta(input, self.k, self.dim)

    def extra_repr(self) -> str:
        return f"k={self.k}, dim={self.dim}"


class Maxout(Linear):
    """An affine layer of several pieces per output, of which the largest counts: a convex function of the input.

    Formula: out_j = max_k (x W_jk^T + b_jk), k = 0 ... pieces - 1.

    Args:
        in_features, out_features: sizes of the last axis before and after.
        pieces: affine maps per output, > 0.
        bias: whether there is a b.
        device, dtype, init: see `Linear`.

    Attributes:
        weight: (out_features * pieces, in_features), the pieces of an output next to each other.
        bias: (out_features * pieces,) or None.

    Raises:
        ValueError: a size is negative, or `pieces` is not positive.

    Source: Goodfellow et al. 2013, "Maxout networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Maxout(3, 2, pieces=4)(tn.ones((5, 3))).shape
        (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, pieces: int = 2, bias: bool = True,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None, *,
                 init: str | Callable[..., Any] | None = None) -> None:
        if pieces.__class__ is not int or pieces < 1:
            raise ValueError(f"pieces: expected an integer > 0, got {pieces!r}")
        super().__init__(in_features, size("out_features", out_features) * pieces, bias, device, dtype, init=init)
        self.pieces = pieces

    def forward(self, input: ArrayLike) -> Tensor:
        return F.maxout(super().forward(input), self.pieces)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, pieces={self.pieces}"
