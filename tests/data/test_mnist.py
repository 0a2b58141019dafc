"""idx files: read as stored, refused when damaged."""
import gzip
import struct

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import mnist

pytestmark = pytest.mark.same_on_strict


def idx(array):
    """The bytes of an idx file, written by the book."""
    code = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}[array.dtype.str[1:]]
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("zipped", [False, True])
def test_arrays_come_back_as_written(tmp_path, rng, dtype, zipped):
    array = (rng.normal(size=(2, 3, 4)) * 50).astype(dtype)
    path = tmp_path / "a.idx"
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    found = mnist.read_idx(path)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == dtype and found.dtype.isnative


def test_damaged_files_say_what_is_wrong(tmp_path, rng):
    good = idx(rng.integers(0, 255, size=(3, 5)).astype(np.uint8))
    for body, message in [
        (b"", "not an idx file"), (b"\x89PNG....", "not an idx file"), (good[:7], "header is truncated"),
        (good[:-1], "needs 15 bytes of data, the file has 14"), (good + b"x", "the file has more"),
        (bytes([0, 0, 8, 2]) + b"\xff" * 8, "taken for damage"),
        (gzip.compress(good)[:-9], "truncated or damaged"),
        (gzip.compress(good)[:12] + b"\0" * 20, "truncated or damaged"),
    ]:
        path = tmp_path / "bad.idx"
        path.write_bytes(body)
        with pytest.raises(ValueError, match=message):
            mnist.read_idx(path)
    with pytest.raises(FileNotFoundError):
        mnist.read_idx(tmp_path / "none")


def test_a_folder_of_four_files_loads(tmp_path, rng):
    images = rng.integers(0, 256, size=(6, 4, 3)).astype(np.uint8)
    labels = np.arange(6, dtype=np.uint8)
    for name, array in [("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels),
                        ("t10k-images-idx3-ubyte", images[:2])]:
        (tmp_path / name).write_bytes(idx(array))
    with pytest.raises(FileNotFoundError, match="t10k-labels-idx1-ubyte: no such file"):
        mnist.load(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels[:2])))
    train, test = mnist.load(tmp_path, flat=False)
    np.testing.assert_allclose(train.tensors[0].numpy()[:, 0], images / 255, rtol=1e-6)
    assert test.tensors[1].tolist() == [0, 1] and test.tensors[0].dtype == tn.float32
    assert mnist.load(tmp_path)[0].tensors[0].shape == (6, 12)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    with pytest.raises(ValueError, match="do not belong together"):
        mnist.load(tmp_path)
