"""Embedding: rows by index, padding, norms."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F


def test_rows_and_their_gradients():
    table = nn.Embedding(5, 3).double()
    index = np.array([[1, 4, 1], [0, 1, 2]])
    out = table(tn.tensor(index))
    np.testing.assert_array_equal(out.numpy(), table.weight.numpy()[index])
    g = np.random.default_rng(0).standard_normal(out.shape)
    out.backward(tn.tensor(g))
    wanted = np.zeros((5, 3))
    for place in np.ndindex(index.shape):
        wanted[index[place]] += g[place]
    np.testing.assert_allclose(table.weight.grad.numpy(), wanted, rtol=1e-12)


def test_padding_row_is_zero_and_stays():
    table = nn.Embedding(4, 2, padding_idx=-1)
    assert table.padding_idx == 3 and not table.weight.numpy()[3].any() and table.weight.numpy()[:3].all()
    table(tn.tensor([0, 3, 3, 1])).sum().backward()
    assert table.weight.grad.numpy().tolist() == [[1, 1], [1, 1], [0, 0], [0, 0]]
    assert "padding_idx=3" in repr(table)


def test_max_norm_scales_only_the_rows_that_are_read():
    table = nn.Embedding(4, 3, max_norm=1.0)
    table.weight.data[...] = 2
    out = table(tn.tensor([0, 2]))
    norms = np.linalg.norm(table.weight.numpy(), axis=1)
    np.testing.assert_allclose(norms, [1, 12**0.5, 1, 12**0.5], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(out.numpy(), axis=1), 1, rtol=1e-5)
    assert out.requires_grad


def test_gradients_scaled_by_frequency():
    table = nn.Embedding(3, 2, scale_grad_by_freq=True).double()
    out = table(tn.tensor([1, 1, 2, 1]))
    np.testing.assert_array_equal(out.numpy(), table.weight.numpy()[[1, 1, 2, 1]])
    out.sum().backward()
    np.testing.assert_allclose(table.weight.grad.numpy(), [[0, 0], [1, 1], [1, 1]], rtol=1e-12)


def test_from_pretrained():
    values = tn.randn(6, 2)
    table = nn.Embedding.from_pretrained(values)
    assert not table.weight.requires_grad and table.num_embeddings == 6 and table.embedding_dim == 2
    np.testing.assert_array_equal(table(tn.tensor(3)).numpy(), values.numpy()[3])
    assert nn.Embedding.from_pretrained(values, freeze=False, padding_idx=-2).padding_idx == 4
    with pytest.raises(ValueError, match="expected shape"):
        nn.Embedding.from_pretrained(tn.ones((3,)))


def test_wrong_input():
    table = nn.Embedding(4, 2)
    with pytest.raises(
        ValueError, match=r"embedding: input\[1\] is 4, but there are 4 rows: expected indices in \[0, 4\)"
    ):
        table(tn.tensor([0, 4]))
    with pytest.raises(ValueError, match=r"input\[0\] is -1"):
        table(tn.tensor([-1]))
    with pytest.raises(TypeError, match="expected integer indices, got float32"):
        table(tn.tensor([1.0]))
    with pytest.raises(ValueError, match="sparse"):
        nn.Embedding(4, 2, sparse=True)
    with pytest.raises(ValueError, match=r"padding_idx: expected an index in \[-4, 4\), got 4"):
        nn.Embedding(4, 2, padding_idx=4)
    with pytest.raises(ValueError, match="num_embeddings: expected an int >= 0, got -1"):
        nn.Embedding(-1, 2)


# Bags -------------------------------------------------------------------------------------
def test_bags_of_every_form():
    """Rows as bags, offsets, offsets with the end, and what lies behind the last one."""
    table = tn.randn(6, 2, dtype="float64")
    index = np.array([[1, 4, 1], [0, 1, 2]])
    expected = table.numpy()[index].sum(1)
    for args, options in [((index,), {}), ((index.ravel(), None, [0, 3]), {}),
                          ((np.append(index.ravel(), 5), None, [0, 3, 6]), {"include_last_offset": True})]:
        args = [table if a is None else tn.tensor(a) for a in args]
        args = [args[0], table, *args[2:]]
        np.testing.assert_allclose(F.embedding_bag(*args, mode="sum", **options).numpy(), expected, rtol=1e-12)
    empty = F.embedding_bag(tn.zeros((0,), dtype="int64"), table, tn.zeros((0,), dtype="int64"))
    assert empty.shape == (0, 2)
    nothing = F.embedding_bag(tn.zeros((0,), dtype="int64"), table, tn.tensor([0, 0]), mode="max")
    assert nothing.numpy().tolist() == [[0, 0], [0, 0]]


def test_the_layer_of_bags():
    layer = nn.EmbeddingBag(5, 3, mode="max", padding_idx=-1, max_norm=1.0)
    assert list(layer.state_dict()) == ["weight"] and not layer.weight.numpy()[4].any()
    layer.weight.data[...] = 2
    out = layer(tn.tensor([[0, 1], [4, 4]]))
    np.testing.assert_allclose(np.linalg.norm(out.numpy(), axis=1), [1, 0], rtol=1e-5)
    assert "mode='max'" in repr(layer) and "padding_idx=4" in repr(layer)
    table = tn.randn(4, 2)
    frozen = nn.EmbeddingBag.from_pretrained(table, mode="sum")
    assert not frozen.weight.requires_grad
    np.testing.assert_array_equal(frozen(tn.tensor([[1, 2]])).numpy()[0], table.numpy()[1] + table.numpy()[2])
    scaled = nn.EmbeddingBag(3, 1, mode="sum", scale_grad_by_freq=True)
    scaled(tn.tensor([[0, 0, 1]])).sum().backward()
    assert scaled.weight.grad.numpy().ravel().tolist() == [1, 1, 0]


@pytest.mark.parametrize("call, message", [
    (lambda w: F.embedding_bag(tn.tensor([0, 1]), w), r"expected input \(B, E\), or input \(E,\) and offsets"),
    (lambda w: F.embedding_bag(tn.tensor([[0, 1]]), w, tn.tensor([0])), "offsets: the rows of an input"),
    (lambda w: F.embedding_bag(tn.tensor([0, 1]), w, tn.tensor([1])), "offsets: expected integers that rise from 0"),
    (lambda w: F.embedding_bag(tn.tensor([0, 1]), w, tn.tensor([0, 2, 1])), "offsets: expected integers that rise"),
    (lambda w: F.embedding_bag(tn.tensor([0, 1]), w, tn.tensor([0, 3])), "to at most 2, the number of indices"),
    (lambda w: F.embedding_bag(tn.tensor([[0, 9]]), w), r"input\[1\] is 9, but there are 4 rows"),
    (lambda w: F.embedding_bag(tn.tensor([[0]]), w, per_sample_weights=tn.ones((1, 1))), "only for mode 'sum'"),
    (lambda w: F.embedding_bag(tn.tensor([[0]]), w, mode="sum", per_sample_weights=tn.ones((2,))), "expected shape"),
    (lambda w: nn.EmbeddingBag(4, 2, mode="median"), "mode: expected 'sum', 'mean' or 'max', got 'median'"),
    (lambda w: nn.EmbeddingBag(4, 2, mode="max", scale_grad_by_freq=True), "not for mode 'max'"),
    (lambda w: nn.EmbeddingBag(4, 2, sparse=True), "sparse gradients are not supported"),
    (lambda w: nn.EmbeddingBag(4, 2, _weight=tn.ones((2, 4))), r"_weight: expected shape \(4, 2\)"),
])
def test_what_raises_for_bags(call, message):
    with pytest.raises(ValueError, match=message):
        call(tn.ones((4, 2)))


def test_one_hot():
    assert F.one_hot(tn.tensor([[0, 2]])).numpy().tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert F.one_hot(tn.tensor(1), 4).numpy().tolist() == [0, 1, 0, 0]
    assert F.one_hot(tn.zeros((0,), dtype="int64"), 3).shape == (0, 3)
    for wrong, error in [(tn.tensor([3]), ValueError), (tn.tensor([-1]), ValueError), (tn.tensor([1.0]), TypeError)]:
        with pytest.raises(error):
            F.one_hot(wrong, 3)
