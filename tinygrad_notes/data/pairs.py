"""Pairs of sequences whose rule is known, for models that read one and write the other."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .stream import integers, positive, stream, to_tensor

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import DeviceLike


def reversals(n: int = 1000, length: int = 8, letters: int = 10, *, generator: Any = None,
              device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Random words, and the same words from back to front.

    Formula: s_t ~ Uniform{0, ..., letters - 1} independent, y_t = s_(length + 1 - t).

    Args:
        n: number of pairs.
        length: letters of a word.
        letters: how many different ones there are.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        device: where the tensors live.

    Returns:
        Integers (n, length), twice.

    Raises:
        TypeError: a number is not an int.
        ValueError: a number is below 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> words, turned = tn.data.reversals(2, 5, generator=0)
        >>> words[0].tolist() == turned[0].tolist()[::-1]
        True
    """
    rng, n, length, letters = (stream(generator), positive("n", n), positive("length", length),
                               positive("letters", letters))
    words = integers(rng, letters, (n, length))
    return to_tensor(words, device=device), to_tensor(np.ascontiguousarray(words[:, ::-1]), device=device)
