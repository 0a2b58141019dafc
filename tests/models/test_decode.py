"""Writing with a model whose probabilities are known: chains of three letters."""
import itertools

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import decode
from tinygrad_notes.models.decode import beam_search, draw, restrict


class Chain(tn.nn.Module):
    """A Markov chain: the next token depends on the last one only."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = tn.nn.Buffer(tn.tensor(matrix))

    def decoder(self):
        return self

    def step(self, tokens):
        return tn.ops.log(tn.ops.take(self.matrix, tokens[:, -1], axis=0))

    def reorder(self, rows):
        pass


# Greedy goes 0 -> 1 (0.5), behind which nothing is likely; the best way is 0 -> 2 -> 2 -> 2.
MATRIX = np.array([[0.1, 0.5, 0.4], [0.34, 0.33, 0.33], [0.05, 0.05, 0.9]])


def best(matrix, start, length):
    def p(path):
        return np.prod([matrix[a, b] for a, b in zip((start, *path), path)])
    return max((p(path), path) for path in itertools.product(range(len(matrix)), repeat=length))


@pytest.mark.row("S0-T29")
@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_a_wide_beam_finds_the_most_probable_sequence(seed):
    matrix = MATRIX if seed is None else np.random.default_rng(seed).dirichlet([0.5] * 3, 3)
    p, _ = best(matrix, 0, 4)
    tokens, score = beam_search(Chain(matrix), [0], 4, beams=3**4)
    path = tokens[0].tolist()  # several paths may be equally probable
    assert np.prod([matrix[a, b] for a, b in zip(path, path[1:])]) == pytest.approx(p)
    assert score[0].item() == pytest.approx(np.log(p), rel=1e-6)
    assert tokens.shape == (81, 5) and len({tuple(row) for row in tokens.tolist()}) == 81
    assert float(tn.ops.sum(tn.ops.exp(score))) == pytest.approx(1.0, rel=1e-5)
    assert (np.diff(score.numpy()) <= 1e-6).all()
    assert beam_search(Chain(matrix), [0], 4, beams=27)[1][0].item() == pytest.approx(np.log(p), rel=1e-6)


@pytest.mark.row("S0-T29")
def test_greedy_is_a_beam_of_one_and_may_miss_the_best():
    greedy = draw(Chain(MATRIX), [[0]], 3, temperature=0)
    assert greedy[0, 1].item() == 1 and best(MATRIX, 0, 3)[1] == (2, 2, 2)
    assert beam_search(Chain(MATRIX), [0], 3, beams=1)[0].tolist() == greedy.tolist()
    assert beam_search(Chain(MATRIX), [0], 3, beams=2)[0][0].tolist() == [0, 2, 2, 2]


@pytest.mark.row("S0-T29")
@pytest.mark.parametrize(("options", "expected"), [
    ({}, [0.1, 0.5, 0.4]), ({"top_k": 3}, [0.1, 0.5, 0.4]), ({"top_p": 1.0}, [0.1, 0.5, 0.4]),
    ({"top_k": 2}, [0, 5 / 9, 4 / 9]), ({"top_p": 0.5}, [0, 1, 0]), ({"top_p": 0.51}, [0, 5 / 9, 4 / 9]),
    ({"temperature": 0.5}, [0.01 / 0.42, 0.25 / 0.42, 0.16 / 0.42]), ({"top_k": 1}, [0, 1, 0]),
    ({"temperature": 2.0, "top_k": 2}, np.array([0, 0.5**0.5, 0.4**0.5]) / (0.5**0.5 + 0.4**0.5)),
])
def test_tokens_are_drawn_as_often_as_they_should(options, expected):
    """Frequencies of 4000 draws within five standard deviations; what is excluded never comes."""
    scores = tn.ops.log(tn.tensor(MATRIX[0]))
    np.testing.assert_allclose(tn.ops.softmax(restrict(scores, **options)).numpy(), expected, atol=1e-6)
    drawn = draw(Chain(MATRIX), tn.zeros((4000, 1), dtype="int64"), 1, generator=tn.Generator(1), **options)[:, 1]
    share = np.bincount(drawn.numpy(), minlength=3) / 4000
    assert (np.abs(share - expected) <= 5 * np.sqrt(np.multiply(expected, np.subtract(1, expected)) / 4000)).all()


def test_rows_are_restricted_each_by_itself():
    scores = tn.tensor(np.log([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]))
    kept = np.isfinite(restrict(scores, top_p=0.65).numpy())
    assert kept.tolist() == [[True, False, False], [False, True, True]]


def test_nothing_follows_the_stop():
    tokens = draw(Chain(MATRIX), tn.zeros((50, 1), dtype="int64"), 12, stop=2, generator=tn.Generator(0)).numpy()
    for row in tokens:
        first = np.argmax(row == 2) if 2 in row else len(row)
        assert (row[first:] == 2).all() and (row[:first] != 2).all()
    round_ = 1e-30 + np.eye(3)[[1, 2, 2]]
    assert draw(Chain(round_), [[0]], 9, stop=2).tolist() == [[0, 1, 2]]
    ended, score = beam_search(Chain(MATRIX), [0], 3, beams=27, stop=2)
    assert float(tn.ops.sum(tn.ops.exp(score))) == pytest.approx(1, rel=1e-5)  # a tree, cut where a sequence ends
    assert [0, 2, 2, 2] in ended.tolist() and score[ended.tolist().index([0, 2, 2, 2])].item() == pytest.approx(
        np.log(0.4), rel=1e-6)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: restrict([1.0], temperature=0), "temperature: expected a number > 0, got 0"),
    (lambda: restrict([1.0], top_k=0), "top_k: expected an int >= 1 or None, got 0"),
    (lambda: restrict([1.0], top_p=0.0), "top_p: expected a number above 0 and at most 1, got 0.0"),
    (lambda: draw(Chain(MATRIX), tn.zeros((2, 0), dtype="int64"), 1), r"prompt: expected integers \(N, S\)"),
    (lambda: beam_search(Chain(MATRIX), [[0]], 1, 1), r"prompt: expected integers \(S,\)"),
    (lambda: beam_search(Chain(MATRIX), [0], 1, 0), "beams: expected an int >= 1, got 0"),
])
def test_bad_options_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert decode.draw is draw
