"""Files of CIFAR: read as stored, refused when damaged or when they would run something."""
import os
import pickle

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import cifar

pytestmark = pytest.mark.same_on_strict
TRAIN = [f"data_batch_{k}" for k in range(1, 6)]


def images(rng, n=4):
    return rng.integers(0, 256, (n, 3, 32, 32)).astype(np.uint8), rng.integers(0, 10, n).astype(np.uint8)


def binary(x, y, coarse=False):
    columns = [y[:, None], x.reshape(len(x), -1)]
    return np.concatenate([np.full_like(columns[0], 99)] * coarse + columns, axis=1).tobytes()


def pickled(x, y, name=b"labels"):
    return pickle.dumps({b"data": x.reshape(len(x), -1), name: y.tolist(), b"batch_label": b"one"}, 2)


@pytest.mark.parametrize(("train", "test", "write"), [
    ([f"{name}.bin" for name in TRAIN], "test_batch.bin", binary), (TRAIN[:1], "test_batch", pickled),
    (["train.bin"], "test.bin", lambda x, y: binary(x, y, True)),
    (["train"], "test", lambda x, y: pickled(x, y, b"fine_labels")),
])
def test_images_come_back_as_written(tmp_path, rng, train, test, write):
    parts = [images(rng) for _ in train]
    for name, part in zip(train, parts):
        (tmp_path / name).write_bytes(write(*part))
    with pytest.raises(FileNotFoundError, match=r"no CIFAR there; put .* train.bin, test.bin"):
        cifar.load(tmp_path)
    held = images(rng)
    (tmp_path / test).write_bytes(write(*held))
    for found, (x, y) in zip(cifar.load(tmp_path, flat=False, dtype="float64"),
                             [[np.concatenate(p) for p in zip(*parts)], held]):
        np.testing.assert_allclose(found.tensors[0].numpy(), x / 255, rtol=1e-6)
        assert found.tensors[1].tolist() == y.tolist()
    source = tn.data.find(f"cifar:{tmp_path}")
    assert source.train.tensors[0].shape == (4 * len(train), 3072) and source.shape == source.planes == (3, 32, 32)


def test_files_that_are_not_whole_are_refused(tmp_path, rng):
    path, x_y = tmp_path / "batch", images(rng)
    for body in (b"", binary(*x_y)[:-1]):
        path.write_bytes(body)
        with pytest.raises(ValueError, match="expected a multiple of 3073 bytes"):
            cifar.read_binary(path)
    for body, message in [(b"", "EOFError"), (pickled(*x_y)[:-40], "not a pickled batch"),
                          (pickle.dumps([]), "TypeError"),
                          (pickle.dumps({b"data": x_y[0]}, 2), "KeyError"),
                          (pickled(x_y[0], x_y[1][:2]), r"expected images \(N, 3072\) and labels \(N,\)")]:
        path.write_bytes(body)
        with pytest.raises(ValueError, match=message):
            cifar.read_pickled(path)


def test_a_pickle_that_would_run_something_is_refused(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)
    (tmp_path / "batch").write_bytes(pickle.dumps({b"data": Harm()}, 2))
    with pytest.raises(ValueError, match="it names posix.mkdir, which is no part of these files"):
        cifar.read_pickled(tmp_path / "batch")
    assert not (tmp_path / "harm").exists()
