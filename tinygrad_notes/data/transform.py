"""What is done to data before training: scaling, and noise on labels."""
import numpy as np

from .. import ops
from ..autograd import Tensor, no_grad
from .split import class_labels
from .stream import integers, share, stream, to_tensor


def standardize(x, *others):
    """Shift and scale every column to mean 0 and variance 1, others by the numbers of the first.

    Formula: x' = (x - mean(x)) / std(x) per column, std with divisor N; a constant column is only shifted.

    Args:
        x: training inputs of shape (N, ...); their mean and std are used for all.
        *others: inputs to treat likewise (test inputs), of shape (M, ...).

    Returns:
        The Tensor, or a tuple of Tensors if there are others.

    Raises:
        ValueError: `x` is empty, or the shapes of the columns differ.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.standardize(tn.tensor([[0.0, 5.0], [2.0, 5.0]]))
        tensor([[-1.,  0.],
                [ 1.,  0.]])
    """
    tensors = [t if isinstance(t, Tensor) else Tensor(t) for t in (x, *others)]
    x = tensors[0]
    if x.size == 0 or x.ndim == 0:
        raise ValueError(f"standardize: expected shape (N, ...) with N >= 1, got {x.shape}")
    for t in tensors[1:]:
        if t.shape[1:] != x.shape[1:]:
            raise ValueError(f"standardize: expected columns of shape {x.shape[1:]}, got {t.shape[1:]}")
    with no_grad():
        mean = ops.mean(x, axis=0, keepdims=True)
        # Rounding leaves a constant column a tiny spread, which must not be blown up to 1.
        centered = x - mean
        std = ops.sqrt(ops.mean(centered * centered, axis=0, keepdims=True))
        flat = std <= 8 * ops.finfo(x.dtype).eps * ops.abs(mean)
        scale = ops.where(flat, ops.ones_like(std), std)
        scaled = tuple((t - mean) / scale for t in tensors)
    return scaled if others else scaled[0]


def label_noise(labels, fraction, classes, generator=None):
    """Replace a share of the labels by another class, drawn uniformly.

    Formula: round(fraction N) items, drawn without replacement, get y' ~ Uniform({0..classes-1} without y).

    Args:
        labels: int Tensor or array of shape (N,), values 0 to classes - 1.
        fraction: share of the items, 0 to 1.
        classes: number of classes, >= 2.
        generator: a `tn.Generator`, an int seed, or None.

    Returns:
        int64 Tensor of shape (N,) on the device of `labels`.

    Raises:
        ValueError: `fraction` is not from 0 to 1, `classes` < 2, or a label is out of range.
        TypeError: labels are not integers.

    Example:
        >>> import tinygrad_notes as tn
        >>> noisy = tn.data.label_noise(tn.zeros((10,), dtype=tn.int64), 0.3, 3, generator=0)
        >>> int((noisy != 0).sum())
        3
    """
    device = labels.device if isinstance(labels, Tensor) else None
    host = class_labels(labels).astype(np.int64)
    if classes < 2:
        raise ValueError(f"classes: expected at least 2, got {classes}")
    if host.size and (host.min() < 0 or host.max() >= classes):
        raise ValueError(f"labels: expected 0 to {classes - 1}, got {host.min()} to {host.max()}")
    rng = stream(generator)
    chosen = rng.permutation(host.size)[:round(share("fraction", fraction) * host.size)]
    host[chosen] = (host[chosen] + 1 + integers(rng, classes - 1, len(chosen))) % classes
    return to_tensor(host, device=device)
