"""Real text that ships with Python, and windows of it to train language models on.

    T tokens of a window   V tokens there are
"""
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor
from .dataset import Dataset
from .stream import positive, to_tensor

if TYPE_CHECKING:
    from ..typing import ArrayLike, DeviceLike

PIECES, HELD_OUT = 200, 10


def corpus() -> str:
    """The language reference of Python, as its help system has it: about 380,000 characters.

    Topics come in the order of their names. Some of them quote others; a paragraph that has been there before is left
    out, so that no text is trained on and held out at the same time. Its length depends on the version of Python.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.text.corpus()[:22]
        'The "assert" statement'
    """
    from pydoc_data.topics import topics
    paragraphs = [p for name in sorted(topics) for p in re.split(r"\n{2,}", topics[name].strip("\n"))]
    return "\n\n".join(dict.fromkeys(paragraphs))


def split(text: str) -> tuple[str, str]:
    """A text to train on, and one to hold out: of 200 pieces of equal length, every tenth.

    Example:
        >>> import tinygrad_notes as tn
        >>> [len(part) for part in tn.data.text.split("ab" * 1000)]
        [1800, 200]
    """
    ends = [len(text) * k // PIECES for k in range(PIECES + 1)]
    parts = [text[a:b] for a, b in zip(ends, ends[1:])]
    train = "".join(p for k, p in enumerate(parts) if k % HELD_OUT != HELD_OUT - 1)
    return train, "".join(parts[HELD_OUT - 1::HELD_OUT])


class TokenWindows(Dataset):
    """Runs of T tokens, and for each of their places the token that follows.

    Formula: item k = (t_{kS}, ..., t_{kS+T-1}), (t_{kS+1}, ..., t_{kS+T}), S the stride.

    Args:
        tokens: integers (M,), M > T.
        length: T.
        stride: from the start of one window to that of the next; None: T, so that each token is asked for once.
        device: where they live.

    Raises:
        ValueError: there are not enough tokens for one window, or a number is below 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.TokenWindows([0, 1, 2, 3, 4, 5, 6], 3)[1]
        (tensor([3, 4, 5]), tensor([4, 5, 6]))
    """

    def __init__(self, tokens: ArrayLike, length: int, stride: int | None = None, *,
                 device: DeviceLike | None = None) -> None:
        self.length = positive("length", length)
        self.stride = self.length if stride is None else positive("stride", stride)
        self.tokens = np.asarray(tokens.numpy() if isinstance(tokens, Tensor) else tokens, dtype=np.int64)
        if self.tokens.ndim != 1 or self.tokens.size <= self.length:
            raise ValueError(f"TokenWindows: windows of {length} need more tokens, got shape {self.tokens.shape}")
        self.device = device

    def __len__(self) -> int:
        return (len(self.tokens) - 1 - self.length) // self.stride + 1

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        inputs, targets = self.batch([i])
        return inputs[0], targets[0]

    def batch(self, indices: Any) -> tuple[Tensor, Tensor]:
        """Inputs and targets of windows, (N, T) each."""
        chosen = np.arange(len(self))[indices if isinstance(indices, slice) else np.asarray(indices, dtype=np.int64)]
        rows = self.tokens[chosen[:, None] * self.stride + np.arange(self.length + 1)]  # (N, T + 1)
        return to_tensor(rows[:, :-1], device=self.device), to_tensor(rows[:, 1:], device=self.device)

    def __repr__(self) -> str:
        return f"TokenWindows({len(self)} of {self.length})"
