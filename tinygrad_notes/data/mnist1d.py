"""MNIST-1D: ten templates of 12 points, each example padded, scaled, moved, sheared and made noisy. Made on the spot.

Every random number is drawn in the order of the published generator, so seed 42 gives the published set.
"""
import numpy as np

from .dataset import TensorDataset
from .stream import positive, share, to_tensor

CLASSES, LENGTH, FINAL = 10, 72, 40  # N examples of FINAL points; LENGTH points while they are being made
PADDING, SCALE, TRANSLATION, SHEAR, CORRELATED, IID = (36, 60), 0.4, 48, 0.75, 0.25, 0.02

POINTS = np.array([
    [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
    [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
    [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
    [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
    [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
    [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
    [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
    [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
])


def templates():
    """The ten patterns as they enter the generator.

    Formula: x <- (x - mean) / std; x <- (x - x_0) / 6, per template, std with divisor 12.

    Returns:
        float64 NumPy array of shape (10, 12).

    Source: Greydanus & Kobak 2024, "Scaling down deep learning with MNIST-1D", arXiv 2011.14439.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.mnist1d.templates()[0, :3].round(5).tolist()
        [0.0, 0.23694, 0.35541]
    """
    x = (POINTS - POINTS.mean(1, keepdims=True)) / POINTS.std(1, keepdims=True)
    return (x - x[:, :1]) / 6


def make(n=5000, seed=42, split=0.8, *, shuffle_seq=False, dtype=None, device=None):
    """Generate the data set; the defaults give the published one.

    Formula: per example: template + 1e-8, 36 to 60 zeros appended, resampled to 72 points, times 1 +- 0.2, rolled by
    up to 47, correlated noise on the padding, white noise, a shear, resampled to 40 points. All examples are then
    shuffled and the whole array is shifted and scaled to mean 0 and std 1.

    Args:
        n: number of examples, a multiple of 10.
        seed: of NumPy's RandomState.
        split: share of the examples that goes to the first part, 0 to 1.
        shuffle_seq: permute the 40 points of all examples in one way, which destroys the order in space.
        dtype: floating dtype of the inputs, default float32.
        device: where the tensors live.

    Returns:
        Two `TensorDataset`s (train, test) of inputs (N, 40) and labels (N,) of int64.

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` is no multiple of 10, or `split` is not from 0 to 1.

    Source: Greydanus & Kobak 2024, "Scaling down deep learning with MNIST-1D", arXiv 2011.14439, section 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> train, test = tn.data.mnist1d.make(100)
        >>> train
        TensorDataset(float32 (80, 40), int64 (80,))
    """
    n, split = positive("n", n, CLASSES), share("split", split)
    if n % CLASSES:
        raise ValueError(f"n: expected a multiple of {CLASSES}, got {n}")
    rs = np.random.RandomState(seed)  # noqa: NPY002 - the published set was drawn from this stream
    x = np.stack([_example(template, rs) for template in templates() for _ in range(n // CLASSES)])
    y = np.repeat(np.arange(CLASSES), n // CLASSES)
    order = rs.permutation(n)
    x, y = x[order], y[order]
    if shuffle_seq:
        x = x[:, rs.permutation(FINAL)]
    x = (x - x.mean()) / x.std()
    cut = int(n * split)
    return tuple(TensorDataset(to_tensor(x[rows], dtype, device), to_tensor(y[rows], device=device))
                 for rows in (slice(cut), slice(cut, None)))


def _example(template, rs):
    padding = PADDING[0] + int(rs.rand() * (PADDING[1] - PADDING[0] + 1))
    x = _resample(np.concatenate([template + 1e-8, np.zeros(padding)]), LENGTH)
    x = x * (1 + SCALE * (rs.rand() - 0.5))
    x = np.roll(x, rs.choice(TRANSLATION))
    blank = x == 0
    x = np.where(blank, _smooth(CORRELATED * rs.randn(LENGTH)), x)
    x = x + IID * rs.randn(LENGTH)
    x = x - SHEAR * (rs.rand() - 0.5) * np.linspace(-0.5, 0.5, LENGTH)
    return _resample(x, FINAL)


def _resample(x, length):
    """Linear interpolation at `length` evenly spaced points."""
    return np.interp(np.linspace(0, 1, length), np.linspace(0, 1, len(x)), x)


def _smooth(x, sigma=2, radius=8):
    """Gaussian filter; the border is mirrored at the edge of the last sample."""
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma)**2)
    return np.convolve(np.pad(x, radius, mode="symmetric"), kernel / kernel.sum(), mode="valid")
