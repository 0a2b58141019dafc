"""Packing and padding: PyTorch's results, round trips, gradients, refusals."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

RNG = np.random.default_rng(0)
LENGTHS = [[5, 3, 3, 1], [2, 5, 1, 5], [1], [3, 3]]


def sequences(lengths, *more):
    return [RNG.standard_normal((n, *more)) for n in lengths]


def host(x):
    return None if x is None else x.detach().cpu().numpy()


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("batch_first", [False, True])
def test_as_in_pytorch(lengths, batch_first):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.utils.rnn
    xs = sequences(lengths, 2, 3)
    for side in ("right", "left"):
        np.testing.assert_array_equal(
            host(pad_sequence([tn.Tensor(x) for x in xs], batch_first, -2.0, side)),
            theirs.pad_sequence([torch.tensor(x) for x in xs], batch_first, -2.0, side).numpy())
    padded = theirs.pad_sequence([torch.tensor(x) for x in xs], batch_first).numpy()
    a = pack_padded_sequence(tn.Tensor(padded), lengths, batch_first, enforce_sorted=False)
    b = theirs.pack_padded_sequence(torch.tensor(padded), torch.tensor(lengths), batch_first, enforce_sorted=False)
    for x, y in zip(a, b):
        np.testing.assert_array_equal(host(x), y.numpy())
    for x, y in zip(pad_packed_sequence(a, batch_first, 7.0, 6), theirs.pad_packed_sequence(b, batch_first, 7.0, 6)):
        np.testing.assert_array_equal(host(x), y.numpy())
    for x, y in zip(unpad_sequence(tn.Tensor(padded), lengths, batch_first), xs):
        np.testing.assert_array_equal(host(x), y)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_there_and_back(lengths):
    xs = sequences(lengths, 2)
    leaves = [tn.Tensor(x, requires_grad=True) for x in xs]
    back = unpack_sequence(pack_sequence(leaves, enforce_sorted=False))
    us = sequences(lengths, 2)
    tn.autograd.backward(sum((b * tn.Tensor(u)).sum() for b, u in zip(back, us)))
    for x, b, leaf, u in zip(xs, back, leaves, us):
        np.testing.assert_array_equal(host(b), x)
        np.testing.assert_array_equal(host(leaf.grad), u)


def test_gradients_to_second_order():
    x = tn.Tensor(RNG.standard_normal((4, 3, 2)))

    def through(x):
        packed = pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False)
        squared = PackedSequence(packed.data ** 3, *packed[1:])
        padded, lengths = pad_packed_sequence(squared, padding_value=2.0)
        return padded * pad_sequence(unpad_sequence(padded, lengths))
    assert tn.gradcheck(through, x).verdict == "CORRECT"
    assert tn.gradgradcheck(through, x).verdict == "CORRECT"


def test_packed_sequence_converts():
    packed = pack_sequence([tn.Tensor([1.0, 2.0]), tn.Tensor([3.0, 4.0, 5.0])], enforce_sorted=False)
    assert packed.batch_sizes.tolist() == [2, 2, 1] and packed.sorted_indices.tolist() == [1, 0]
    assert packed.double().data.dtype == "float64" and packed.half().data.dtype == "float16"
    assert packed.double().float().data.tolist() == packed.data.tolist() == [3.0, 1.0, 4.0, 2.0, 5.0]
    assert packed.cpu().data.device == "cpu" and not packed.cpu().is_cuda
    moved = packed.to("strict")
    assert moved.data.device == moved.unsorted_indices.device == "strict" and moved.batch_sizes.device == "cpu"
    assert invert_permutation(None) is None
    assert invert_permutation(tn.Tensor([1, 2, 0])).tolist() == [2, 0, 1]


@pytest.mark.parametrize("make, words", [
    (lambda: pack_padded_sequence(tn.zeros((3, 2)), [1, 3]), "enforce_sorted"),
    (lambda: pack_padded_sequence(tn.zeros((3, 2)), [3]), "expected 2.*got 1"),
    (lambda: pack_padded_sequence(tn.zeros((3, 2)), [4, 1]), r"1 to 3.*\[4, 1\]"),
    (lambda: pack_padded_sequence(tn.zeros((3, 2)), [3, 0]), r"1 to 3.*\[3, 0\]"),
    (lambda: pack_padded_sequence(tn.zeros(3), [3]), "two axes"),
    (lambda: pack_sequence([]), "at least one"),
    (lambda: pad_sequence([tn.zeros((2, 3)), tn.zeros((2, 4))]), r"sequences\[1\].*\(2, 4\)"),
    (lambda: pad_sequence([tn.zeros(2)], padding_side="top"), "padding_side.*'top'"),
    (lambda: unpad_sequence(tn.zeros((3, 2)), [4, 1]), "0 to 3"),
    (lambda: pad_packed_sequence(pack_sequence([tn.zeros(3)]), total_length=2), "total_length.*3.*2"),
    (lambda: PackedSequence(tn.zeros(3), [1, 2]), "do not grow"),
    (lambda: PackedSequence(tn.zeros(3), [2, 2]), "sum of 3.*4"),
], ids=range(12))
def test_errors(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_only_packed_sequences_are_unpacked():
    with pytest.raises(TypeError, match="PackedSequence"):
        pad_packed_sequence(tn.zeros(3))
