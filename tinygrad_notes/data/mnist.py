"""MNIST and its kin from idx files that you have; nothing is downloaded."""
import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np

from .dataset import TensorDataset
from .stream import to_tensor

FILES = (("train-images", "train-labels"), ("t10k-images", "t10k-labels"))
# The third byte of an idx file says what its numbers are; all are stored big-endian.
KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
LARGEST = 1 << 32  # bytes; a header that promises more is taken for damage


def read_idx(path):
    """An idx file, plain or gzipped, as a NumPy array.

    Args:
        path: the file.

    Returns:
        NumPy array in the machine's byte order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no idx file, or is truncated, or longer than its header says.

    Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "file formats".

    Example:
        >>> import tinygrad_notes as tn, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "three.idx"
        >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
        >>> tn.data.mnist.read_idx(path)
        array([7, 8, 9], dtype=uint8)
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else open(path, "rb") as file:
            kind, shape = _header(path, file.read(4), file)
            size = prod(shape) * np.dtype(kind).itemsize
            body = file.read(size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: the gzip file is truncated or damaged ({error})") from error
    if len(body) != size:
        raise ValueError(f"{path}: shape {shape} needs {size} bytes of data, the file has "
                         f"{'more' if len(body) > size else len(body)}")
    return np.frombuffer(body, kind).astype(np.dtype(kind).newbyteorder("=")).reshape(shape)


def _header(path, magic, file):
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in KINDS:
        raise ValueError(f"{path}: not an idx file (it starts with {magic.hex(' ') or 'nothing'})")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"{path}: the header is truncated")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    if prod(shape) > LARGEST:
        raise ValueError(f"{path}: the header promises shape {shape}, which is taken for damage")
    return KINDS[magic[2]], shape


def load(folder, *, flat=True, dtype=None, device=None):
    """Train and test part of MNIST, Fashion-MNIST, or another set in the same four files.

    Args:
        folder: holds train-images-idx3-ubyte, train-labels-idx1-ubyte and the same for t10k, with or without .gz.
        flat: images as rows, or else as (1, H, W).
        dtype: floating dtype of the images, default float32.
        device: where the tensors live.

    Returns:
        Two `TensorDataset`s (train, test) of images (N, H*W) or (N, 1, H, W) with values 0 to 1, and labels (N,).

    Raises:
        FileNotFoundError: a file is missing; the message says which and where to put it.
        ValueError: a file is damaged, or images and labels do not belong together.

    Source: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition".
    """
    return tuple(_part(Path(folder), names, flat, dtype, device) for names in FILES)


def _part(folder, names, flat, dtype, device):
    images, labels = (read_idx(_find(folder, name, dims)) for name, dims in zip(names, (3, 1)))
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise ValueError(f"{folder}: {names[0]} {images.shape} and {names[1]} {labels.shape} do not belong together")
    x = (images.reshape(len(images), -1) if flat else images[:, None]) / np.float32(255)
    return TensorDataset(to_tensor(x, dtype, device), to_tensor(labels.astype(np.int64), device=device))


def _find(folder, name, dims):
    wanted = f"{name}-idx{dims}-ubyte"
    for candidate in (wanted, wanted + ".gz", wanted.replace("-idx", ".idx"), wanted.replace("-idx", ".idx") + ".gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    raise FileNotFoundError(f"{folder / wanted}: no such file nor with .gz; put the four files of the set there")
