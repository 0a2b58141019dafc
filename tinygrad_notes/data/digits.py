"""Handwritten digits that ship with the package: 1,797 images of 8x8, values 0 to 16, labels 0 to 9."""
from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .dataset import TensorDataset
from .split import stratified_split
from .stream import to_tensor

if TYPE_CHECKING:
    from ..typing import DeviceLike, DTypeLike

FILE = Path(__file__).with_name("files") / "digits.npz"
CLASSES = 10


@lru_cache(maxsize=1)
def _stored():
    with np.load(FILE, allow_pickle=False) as archive:
        return archive["images"], archive["labels"]


def raw():
    """The data as they were published: images (1797, 8, 8) and labels (1797,), both uint8 NumPy arrays."""
    images, labels = _stored()
    return images.copy(), labels.copy()


def load(test_share: float = 0.2, seed: int = 0, *, flat: bool = True, dtype: DTypeLike | None = None,
         device: DeviceLike | None = None) -> tuple[TensorDataset, ...]:
    """The digits in two parts, each with the same share of every class.

    Args:
        test_share: share held out, 0 to 1.
        seed: of the split; the same seed gives the same split everywhere.
        flat: images as rows of 64 numbers, or else as (1, 8, 8).
        dtype: floating dtype of the images, default float32.
        device: where the tensors live.

    Returns:
        Two `TensorDataset`s (train, test) of images (N, 64) or (N, 1, 8, 8) with values from 0 (white) to 1
        (black), and labels (N,) of int64.

    Raises:
        ValueError: `test_share` is not from 0 to 1.

    Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
        doi 10.24432/C50P49, CC BY 4.0; see files/LICENSE-digits.txt.

    Example:
        >>> import tinygrad_notes as tn
        >>> train, test = tn.data.digits.load()
        >>> train
        TensorDataset(float32 (1438, 64), int64 (1438,))
    """
    images, labels = _stored()
    x = (images / 16.0).reshape((-1, 64) if flat else (-1, 1, 8, 8))
    y = labels.astype(np.int64)
    parts = stratified_split(y, test_share, seed)
    return tuple(TensorDataset(to_tensor(x[rows], dtype, device), to_tensor(y[rows], device=device)) for rows in parts)
