"""Random numbers for models, drawn in float32 whatever the model computes in: the same in every precision."""
from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator


def standard_normal(shape: Sequence[int], like: Tensor, generator: Generator | None = None) -> Tensor:
    """Numbers from N(0, 1), of the dtype and on the device of `like`."""
    return ops.astype(ops.normal(shape, generator=generator, dtype="float32", device=like.device), like.dtype)


def standard_uniform(shape: Sequence[int], like: Tensor, generator: Generator | None = None) -> Tensor:
    """Numbers from U(0, 1), of the dtype and on the device of `like`."""
    return ops.astype(ops.uniform(shape, generator=generator, dtype="float32", device=like.device), like.dtype)


def somewhere_between(x: Tensor, y: Tensor) -> Tensor:
    """Of each pair of rows (N, ...) a point drawn from the line that joins them."""
    return y + standard_uniform((len(x), *[1] * (x.ndim - 1)), x) * (x - y)
