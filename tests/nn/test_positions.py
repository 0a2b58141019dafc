"""Codes of places against their formulas, loops, and what makes them useful."""

import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape)


def test_causal_mask():
    def looks(mask):
        found = mask.numpy()
        assert set(found.ravel()) <= {0.0, -np.inf}
        return [[j for j in range(found.shape[1]) if found[i, j] == 0] for i in range(found.shape[0])]
    assert looks(F.causal_mask(3)) == [[0], [0, 1], [0, 1, 2]]
    assert looks(F.causal_mask(2, 3)) == [[0], [0, 1]]
    assert looks(F.causal_mask(2, offset=2)) == [[0, 1, 2], [0, 1, 2, 3]]
    assert looks(F.causal_mask(4, window=2)) == [[0], [0, 1], [1, 2], [2, 3]]
    assert F.causal_mask(0).shape == (0, 0) and F.causal_mask(2, dtype="float64").dtype == "float64"
    np.testing.assert_array_equal(nn.Transformer.generate_square_subsequent_mask(5).numpy(), F.causal_mask(5).numpy())


@pytest.mark.row("S0-T27")
def test_a_causal_model_factorizes():
    """No place depends on a later one; so the chances of all words of a length, multiplied one by one, add to 1."""
    vocabulary, length = 3, 4
    table, block = nn.Embedding(vocabulary + 1, 8).double(), nn.TransformerBlock(8, 2).double()
    head, places = nn.Linear(8, vocabulary).double(), nn.LearnedPositionalEncoding(length, 8).double()

    def log_chances(x):
        return tn.log_softmax(head(block(places(x))))
    x = tn.tensor(normal(1, length, 8), requires_grad=True)
    for t in range(length):
        x.grad = None
        tn.sum(log_chances(x)[0, t] * tn.tensor(normal(vocabulary))).backward()
        assert not np.any(x.grad.numpy()[0, t + 1:]) and np.all(np.any(x.grad.numpy()[0, :t + 1], axis=-1))
    words = np.stack(np.meshgrid(*[range(vocabulary)] * length, indexing="ij"), -1).reshape(-1, length)
    begun = np.concatenate([np.full((len(words), 1), vocabulary), words[:, :-1]], axis=1)  # shifted by a start sign
    chosen = np.take_along_axis(log_chances(table(tn.tensor(begun))).numpy(), words[:, :, None], 2)
    np.testing.assert_allclose(np.exp(chosen.sum((1, 2))).sum(), 1, rtol=1e-12)


@pytest.mark.row("S0-T25")
def test_sinusoids_turn_by_a_fixed_angle():
    codes = F.sinusoidal_positions(40, 6, base=50.0, dtype="float64").numpy()
    for t, i in ((0, 0), (7, 1), (39, 2)):
        u = t * 50.0 ** (-2 * i / 6)
        np.testing.assert_allclose(codes[t, 2 * i:2 * i + 2], [math.sin(u), math.cos(u)], rtol=0, atol=1e-12)
    step = 9
    turn = np.zeros((6, 6))
    for i in range(3):
        u = step * 50.0 ** (-2 * i / 6)
        turn[2 * i:2 * i + 2, 2 * i:2 * i + 2] = [[math.cos(u), math.sin(u)], [-math.sin(u), math.cos(u)]]
    np.testing.assert_allclose(codes[step:], codes[:-step] @ turn.T, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(F.sinusoidal_positions(3, 6, start=5, base=50.0, dtype="float64").numpy(), codes[5:8])


@pytest.mark.row("S0-T25")
def test_positions_for_queries_and_keys_alone():
    """The relative form of the notes: queries and keys see X + P, values see X."""
    layer, x = nn.MultiheadAttention(6, 1, bias=False).double(), normal(5, 6)
    p = F.sinusoidal_positions(5, 6, dtype="float64").numpy()
    both = tn.tensor(x + p)
    out, _ = layer(both, both, tn.tensor(x))
    w_q, w_k, w_v = np.split(layer.in_proj_weight.numpy(), 3)
    s = ((x + p) @ w_q.T) @ ((x + p) @ w_k.T).T / np.sqrt(6)
    e = np.exp(s - s.max(1, keepdims=True))
    wanted = e / e.sum(1, keepdims=True) @ (x @ w_v.T) @ layer.out_proj.weight.numpy().T
    np.testing.assert_allclose(out.numpy(), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.row("S0-T25")
def test_layers_that_add_codes():
    x = normal(2, 5, 6)
    waves = F.sinusoidal_positions(9, 6, dtype="float64").numpy()
    layer = nn.PositionalEncoding(6)
    for start, given in ((0, x), (3, x), (0, x[0])):
        np.testing.assert_allclose(layer(tn.tensor(given), start).numpy(), given + waves[start:start + 5], rtol=1e-14)
    turned = nn.PositionalEncoding(6, batch_first=False)(tn.tensor(x)).numpy()
    np.testing.assert_allclose(turned, x + waves[:2, None], rtol=1e-14)
    assert layer(tn.tensor(x, dtype="float32")).dtype == "float32" and not layer.state_dict()
    learned = nn.LearnedPositionalEncoding(7, 6).double()
    table = learned.weight.numpy()
    for start in (0, 2):
        np.testing.assert_array_equal(learned(tn.tensor(x), start).numpy(), x + table[start:start + 5])
    (learned(tn.tensor(x), 2) * tn.tensor(x)).sum().backward()
    np.testing.assert_allclose(learned.weight.grad.numpy(), np.pad(x.sum(0), ((2, 0), (0, 0))), rtol=1e-12)
    assert tn.testing.check_module(learned, lambda: learned(tn.tensor(x)) ** 2)
    mean = nn.PositionalEncoding(6, dropout=0.5)(tn.zeros((4000, 5, 6))).numpy().mean(0)
    assert np.abs(mean - waves[:5]).max() < 0.12


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("dim", [8, 4])
def test_turned_queries_and_keys_meet_by_distance(dim, interleaved):
    turn, q, k = nn.RotaryEmbedding(dim, 30.0, interleaved), normal(8), normal(8)

    def product(i, j):
        a, b = [turn(tn.tensor(x[None]), start).numpy()[0] for x, start in ((q, i), (k, j))]
        return a @ b
    for i, j, shift in ((0, 0, 11), (5, 2, 20), (3, 9, 1)):
        np.testing.assert_allclose(product(i, j), product(i + shift, j + shift), rtol=1e-12)
    assert max(abs(product(5, 2) - product(5, j)) for j in range(3, 9)) > 1e-3
    x = normal(2, 3, 5, 8)
    whole = turn(tn.tensor(x)).numpy()
    np.testing.assert_allclose(np.linalg.norm(whole, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-12)
    np.testing.assert_array_equal(turn(tn.tensor(x[:, :, 2:]), 2).numpy(), whole[:, :, 2:])
    np.testing.assert_array_equal(whole[..., dim:], x[..., dim:])
    i, t = 1, 4
    a, b = (2 * i, 2 * i + 1) if interleaved else (i, i + dim // 2)
    z = (x[0, 0, t, a] + 1j * x[0, 0, t, b]) * np.exp(1j * t * 30.0 ** (-2 * i / dim))
    np.testing.assert_allclose(whole[0, 0, t, [a, b]], [z.real, z.imag], rtol=1e-12)


def test_alibi():
    bias = F.alibi_bias(4, 3, dtype="float64").numpy()
    for h in range(4):
        for i in range(3):
            for j in range(3):
                assert bias[h, i, j] == -(2.0 ** (-2 * (h + 1))) * abs(i - j)
    np.testing.assert_array_equal(F.alibi_bias(4, 1, offset=2, dtype="float64").numpy(), bias[:, 2:])
    slopes = -F.alibi_bias(12, 2, dtype="float64").numpy()[:, 0, 1]  # as the code of the paper gives them
    np.testing.assert_allclose(slopes, [2.0 ** -k for k in range(1, 9)] + [2.0 ** -(k - 0.5) for k in range(1, 5)])


def bucket_by_hand(relative, both, buckets, far):
    """As the paper's code counts, one distance at a time."""
    first, n = 0, -relative
    if both:
        buckets //= 2
        first, n = (buckets if n < 0 else 0), abs(n)
    n = max(n, 0)
    exact = buckets // 2
    if n < exact:
        return first + n
    grown = exact + int(np.float32(np.log(np.float32(n) / exact)) / math.log(far / exact) * (buckets - exact) + 1e-6)
    return first + min(grown, buckets - 1)


@pytest.mark.parametrize("both, buckets, far", [(True, 32, 128), (False, 32, 128), (True, 8, 20), (False, 4, 9)])
def test_buckets_of_distances(both, buckets, far):
    relative = np.arange(-200, 201)
    found = F.relative_position_bucket(tn.tensor(relative), both, buckets, far).numpy()
    wanted = [bucket_by_hand(int(r), both, buckets, far) for r in relative]
    np.testing.assert_array_equal(found, wanted)
    assert set(found) == set(range(buckets)) - ({buckets // 2} if both else set())  # nobody is 0 places after itself


def test_learned_bias_of_distances():
    layer = nn.RelativePositionBias(2, 8, 20).double()
    bias, table = layer(3, 5, offset=1).numpy(), layer.weight.numpy()
    for i in range(3):
        for j in range(5):
            np.testing.assert_array_equal(bias[:, i, j], table[bucket_by_hand(j - i - 1, True, 8, 20)])
    np.testing.assert_array_equal(layer(1, offset=2).numpy(), layer(3).numpy()[:, 2:])
    q, k, v = [tn.tensor(normal(2, 2, 4, 3)) for _ in range(3)]
    assert tn.testing.check_module(layer, lambda: F.scaled_dot_product_attention(q, k, v, layer(4)))
    block, x = nn.TransformerBlock(6, 2).double(), tn.tensor(normal(2, 4, 6))
    bias = layer(4).unsqueeze(0)
    wanted = block(x, bias + F.causal_mask(4)).numpy()
    np.testing.assert_allclose(block(x, bias).numpy(), wanted, rtol=1e-12)
    assert np.abs(wanted - block(x).numpy()).max() > 1e-3


@pytest.mark.parametrize("make, words", [
    (lambda: F.causal_mask(-1), "length: expected an int >= 0, got -1"),
    (lambda: F.causal_mask(2, window=0), "window"),
    (lambda: F.sinusoidal_positions(2, 3), "expected an even number, got 3"),
    (lambda: nn.PositionalEncoding(5), "expected an even number, got 5"),
    (lambda: nn.RotaryEmbedding(5), "expected an even number, got 5"),
    (lambda: nn.RotaryEmbedding(4, base=0.0), "base"),
    (lambda: nn.RotaryEmbedding(4)(tn.ones((3, 2))), r"expected input \(..., T, E\) with E >= 4, got shape \(3, 2\)"),
    (lambda: nn.RotaryEmbedding(2, max_len=3)(tn.ones((2, 2)), 2), "places 2 to 3 for max_len 3"),
    (lambda: F.rotary_embedding(tn.ones((3, 2)), tn.ones((3, 2)), tn.ones((3, 2))), "R <= E"),
    (lambda: nn.PositionalEncoding(4, max_len=3)(tn.ones((4, 4))), "places 0 to 3 for a table of max_len 3"),
    (lambda: nn.LearnedPositionalEncoding(3, 4)(tn.ones((2, 4)), 2), "places 2 to 3 for a table of max_len 3"),
    (lambda: nn.LearnedPositionalEncoding(3, 4)(tn.ones((2, 5))), r"expected input \(..., T, 4\), got shape \(2, 5\)"),
    (lambda: F.alibi_bias(0, 2), "num_heads"),
    (lambda: nn.RelativePositionBias(2, 7), "expected an even number for two directions, got 7"),
    (lambda: nn.RelativePositionBias(2, 8, 2), "max_distance: expected more than 2"),
])
def test_what_raises(make, words):
    with pytest.raises(ValueError, match=words):
        make()
    with pytest.raises(TypeError, match="expected integers"):
        F.relative_position_bucket(tn.ones(2))
