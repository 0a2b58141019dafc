"""Nested state in a safetensors file: what comes back, which bytes are written, what damaged files get."""
import json
import os
import random
import struct
from contextlib import suppress

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.train import CheckpointError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.safetensors"


def test_nested_state_comes_back_as_it_was(path, rng):
    x = rng.normal(size=(3, 4))
    state = {
        "model": {"a.weight": tn.tensor(x), "view": tn.tensor(x.T), "scalar": tn.tensor(np.float64(3)),
                  "none": tn.zeros((0, 2))},
        "numbers": [1, -2.5, float("inf"), 1e-323, 2**70, True, None, "tëxt", ""], "pair": (1, (2, [])), "empty": {},
        "by number": {0: {"m": tn.tensor([1, 2])}, 7: None}, "$odd": {"$tensor": "no"},
        "raw": np.arange(3, dtype=np.uint64),
    }
    tn.save(state, path)
    back = tn.load(path)
    assert list(back) == list(state)
    for name, tensor in state["model"].items():
        found = back["model"][name]
        np.testing.assert_array_equal(found.numpy(), tensor.numpy())
        assert found.dtype == tensor.dtype and found.shape == tensor.shape
    for key in ("numbers", "pair", "empty", "$odd"):
        assert back[key] == state[key]
    assert back["by number"][0]["m"].tolist() == [1, 2] and back["by number"][7] is None
    assert back["raw"].dtype == tn.uint64


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "float16",
                                   "float32", "float64"])
def test_every_dtype_keeps_its_bits(path, dtype, rng):
    x = rng.integers(0, 2, size=(5,)).astype(dtype)
    tn.save(tn.tensor(x), path)
    back = tn.load(path)
    assert back.dtype == x.dtype and back.numpy().tobytes() == x.tobytes()


def test_nan_keeps_its_bits_and_a_bare_tensor_may_be_saved(path):
    x = np.array([np.nan, -np.nan, -0.0, np.inf])
    tn.save(tn.tensor(x), path)
    assert tn.load(path).numpy().tobytes() == x.tobytes()


def test_equal_states_give_equal_bytes(path, tmp_path, rng):
    state = {f"t{k}": tn.tensor(rng.normal(size=k + 1)) for k in range(20)} | {"note": "x", "n": {1: 2, 3: 4}}
    tn.save(state, path)
    tn.save(tn.load(path), tmp_path / "again")
    assert path.read_bytes() == (tmp_path / "again").read_bytes()


def test_the_safetensors_package_reads_the_tensors(path):
    from safetensors.numpy import load_file, save_file
    tn.save({"model": {"w": tn.tensor([1.0, 2.0])}, "lr": 0.1}, path)
    assert {k: v.tolist() for k, v in load_file(path).items()} == {"model.w": [1.0, 2.0]}
    save_file({"a.b": np.ones(2, np.float32)}, path)
    assert tn.load(path)["a.b"].tolist() == [1.0, 1.0]


def test_names_that_collide_are_kept_apart(path):
    tn.save({"a": {"b": tn.tensor(1.0)}, "a.b": tn.tensor(2.0), "__metadata__": tn.tensor(3.0)}, path)
    back = tn.load(path)
    assert (back["a"]["b"].item(), back["a.b"].item(), back["__metadata__"].item()) == (1.0, 2.0, 3.0)


def test_tensors_of_every_device_are_saved_and_loaded_onto_one(path):
    tn.save([tn.tensor([1.0], device="strict").requires_grad_()], path)
    back, = tn.load(path, device="strict")
    assert str(back.device) == "strict" and not back.requires_grad
    assert str(tn.load(path)[0].device) == "cpu"


def test_what_cannot_be_saved_is_named_and_the_old_file_stays(path):
    tn.save({"n": 1}, path)
    with pytest.raises(TypeError, match="save: model.f is a function"):
        tn.save({"model": {"f": lambda: 0}}, path)
    with pytest.raises(TypeError, match="a key is a tuple"):
        tn.save({(1, 2): 0}, path)
    assert tn.load(path) == {"n": 1}
    assert os.listdir(path.parent) == [path.name]


def test_a_failing_disk_leaves_the_old_file_and_nothing_else(path, monkeypatch):
    tn.save({"n": 1}, path)
    def full(*args):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        tn.save({"n": 2}, path)
    monkeypatch.undo()
    assert tn.load(path) == {"n": 1}
    assert os.listdir(path.parent) == [path.name]


def test_paths_that_cannot_be(path, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        tn.save({}, tmp_path / "nowhere" / "x")
    with pytest.raises(IsADirectoryError):
        tn.save({}, tmp_path)
    with pytest.raises(IsADirectoryError):
        tn.load(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"state\.safetensors: no such file"):
        tn.load(path)


def test_every_truncation_is_noticed(path):
    tn.save({"a": tn.tensor(np.arange(7.0)), "b": {"c": tn.tensor([1])}, "n": 5}, path)
    body = path.read_bytes()
    for n in range(len(body)):
        path.write_bytes(body[:n])
        with pytest.raises(CheckpointError, match="not a whole safetensors file"):
            tn.load(path)
    path.write_bytes(body + b"\0")
    with pytest.raises(CheckpointError):
        tn.load(path)


def test_flipped_bytes_never_end_in_anything_but_a_state_or_a_checkpoint_error(path):
    tn.save({"a": tn.tensor(np.arange(7.0)), "b": {"c": tn.tensor([1])}, "n": (5, {1: 2})}, path)
    body = path.read_bytes()
    dice = random.Random(0)
    for _ in range(500):
        broken = bytearray(body)
        broken[dice.randrange(len(broken))] = dice.randrange(256)
        path.write_bytes(broken)
        with suppress(CheckpointError):
            tn.load(path)


def hostile(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def ours(skeleton):
    return hostile({"__metadata__": {"tinygrad_notes": skeleton}})


@pytest.mark.parametrize("body", [
    b"", b"PK\x03\x04 a zip", b"\x80\x04 a pickle", struct.pack("<Q", 2**63) + b"{}", struct.pack("<Q", 10**9) + b"{}",
    hostile(b"[" * 1000),
    hostile({"a": {"dtype": "F32", "shape": [10**9, 10**9, 10**9], "data_offsets": [0, 4]}}, b"0000"),
    hostile({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 400]}}, b"0000"),
    hostile({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, b"0000"),
    hostile({"a": {"dtype": "Q7", "shape": [1], "data_offsets": [0, 4]}}, b"0000"),
    ours("not json"), ours('{"$tensor": "absent"}'), ours('{"$tensor": ["a"]}'), ours('{"$dict": 5}'),
    ours('{"$dict": [[{}, 1]]}'), ours('{"$tuple": 5}'), ours("[" * 100_000), ours("1" * 5000),
])
def test_hostile_files_get_a_checkpoint_error(path, body):
    path.write_bytes(body)
    with pytest.raises(CheckpointError, match="state.safetensors"):
        tn.load(path)


def test_a_dtype_that_numpy_lacks_is_named(path):
    path.write_bytes(hostile({"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, b"0000"))
    with pytest.raises(CheckpointError, match="tensor 'w' has dtype BF16"):
        tn.load(path)
