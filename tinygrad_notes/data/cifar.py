"""CIFAR-10 and CIFAR-100 from files that you have, binary or pickled; nothing is downloaded."""
import pickle
from pathlib import Path

import numpy as np

from .dataset import TensorDataset
from .stream import to_tensor

SHAPE = (3, 32, 32)  # red, green, blue
SIZE = 3 * 32 * 32
PARTS = {  # (files to train on, files held out, bytes of labels before each image); the last of these is taken
    "CIFAR-10, binary": ([f"data_batch_{k}.bin" for k in range(1, 6)], ["test_batch.bin"], 1),
    "CIFAR-100, binary": (["train.bin"], ["test.bin"], 2),
    "CIFAR-10, pickled": ([f"data_batch_{k}" for k in range(1, 6)], ["test_batch"], 0),
    "CIFAR-100, pickled": (["train"], ["test"], 0),
}
ALLOWED = {  # all that the pickled files name
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"), ("numpy", "ndarray"),
    ("numpy", "dtype"), ("_codecs", "encode"),
}


def read_binary(path, labels=1):
    """A binary batch: for each image its label, or two, and 3072 bytes, all of red, then green, then blue.

    Args:
        path: the file.
        labels: how many bytes stand before each image; of several the last is the label, the finest one.

    Returns:
        NumPy arrays of images (N, 3, 32, 32) of uint8 and labels (N,) of int64.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is empty or holds no whole number of images.

    Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009, and its page, section "binary
        version".

    Example:
        >>> import tinygrad_notes as tn, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "batch.bin"
        >>> _ = path.write_bytes(bytes([7]) + bytes(3072))
        >>> x, y = tn.data.cifar.read_binary(path)
        >>> x.shape, y.tolist()
        ((1, 3, 32, 32), [7])
    """
    body = np.fromfile(path, np.uint8)
    if not len(body) or len(body) % (labels + SIZE):
        raise ValueError(f"{path}: expected a multiple of {labels + SIZE} bytes, got {len(body)}; is it whole, and a "
                         "binary batch of CIFAR?")
    rows = body.reshape(-1, labels + SIZE)
    return rows[:, labels:].reshape(-1, *SHAPE), rows[:, labels - 1].astype(np.int64)


def read_pickled(path):
    """A batch of the version for Python, without running what a harmful file could hold: arrays and names alone pass.

    Args:
        path: the file.

    Returns:
        NumPy arrays of images (N, 3, 32, 32) of uint8 and labels (N,) of int64.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, names anything but arrays, or holds no images and labels.

    Source: as `read_binary`, section "Python version".
    """
    with open(path, "rb") as file:
        try:
            found = _Arrays(file, encoding="bytes").load()
            x = np.asarray(found[b"data"], np.uint8)
            y = np.asarray(found[b"fine_labels"] if b"fine_labels" in found else found[b"labels"], np.int64)
        except Exception as error:  # a damaged pickle may raise anything
            raise ValueError(f"{path}: not a pickled batch of CIFAR ({type(error).__name__}: {error})") from error
    if x.ndim != 2 or x.shape[1] != SIZE or y.shape != (len(x),):
        raise ValueError(f"{path}: expected images (N, {SIZE}) and labels (N,), got {x.shape} and {y.shape}")
    return x.reshape(-1, *SHAPE), y


class _Arrays(pickle.Unpickler):
    """Reads pickles of dicts, lists, numbers, texts and NumPy arrays; whatever else they name is refused."""

    def find_class(self, module, name):
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no part of these files")
        return super().find_class(module, name)


def load(folder, *, flat=True, dtype=None, device=None):
    """Train and test part of CIFAR-10 or CIFAR-100.

    Args:
        folder: holds data_batch_1.bin to data_batch_5.bin and test_batch.bin, or train.bin and test.bin, or the pickled
            files, which have the same names without .bin. Batches to train on may be missing, but not all.
        flat: images as rows, or else as (3, 32, 32).
        dtype: floating dtype of the images, default float32.
        device: where the tensors live.

    Returns:
        Two `TensorDataset`s (train, test) of images (N, 3072) or (N, 3, 32, 32) with values 0 to 1, and labels (N,).

    Raises:
        FileNotFoundError: the folder holds no such set; the message says what to put there.
        ValueError: a file is damaged.

    Source: A. Krizhevsky 2009, "Learning multiple layers of features from tiny images".
    """
    folder = Path(folder)
    for train, test, labels in PARTS.values():
        parts = [[folder / name for name in names if (folder / name).is_file()] for names in (train, test)]
        if all(parts):
            return tuple(_part(paths, labels, flat, dtype, device) for paths in parts)
    known = "; ".join(f"{', '.join(train)}, {', '.join(test)}" for train, test, _ in PARTS.values())
    raise FileNotFoundError(f"{folder}: no CIFAR there; put the files of one version there, which are: {known}")


def _part(paths, labels, flat, dtype, device):
    batches = [read_binary(path, labels) if labels else read_pickled(path) for path in paths]
    x, y = (np.concatenate(arrays) for arrays in zip(*batches))
    x = (x.reshape(len(x), -1) if flat else x) / np.float32(255)
    return TensorDataset(to_tensor(x, dtype, device), to_tensor(y, device=device))
