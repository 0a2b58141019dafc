"""Attention in tiles: equal to the plain decomposition to second order, however it is cut, and without the table."""
import tracemalloc

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.nn import functional as F
from tinygrad_notes.ops import attention_tiles
from tinygrad_notes.ops.dot_product_attention import attention, plain

RNG = np.random.default_rng(0)


def mask_of(kind, lead, rows, columns):
    """A mask and whether it wants a gradient; 'blind' and 'minus infinity' leave a query nowhere to look."""
    if kind is None:
        return None, False
    seen = RNG.random((rows, columns)) < 0.6
    seen[0] = False
    if kind == "blind":
        return seen, False
    if kind == "bias of each key":
        return RNG.standard_normal((*lead[-1:], 1, columns)), True
    return np.where(seen, RNG.standard_normal((*(1,) * len(lead), rows, columns)), -np.inf), True


def derivatives(function, arrays, mask, tracked, seed=0):
    """Output, gradients by a plain and by a recorded pass, and gradients of those."""
    leaves = [tn.tensor(a, requires_grad=True) for a in arrays]
    bias = None if mask is None else tn.tensor(mask, requires_grad=tracked)
    wanted = [*leaves, bias] if tracked else leaves
    rng = np.random.default_rng(seed)
    out = function(*leaves, bias)
    g = tn.tensor(rng.standard_normal(out.shape), requires_grad=True)
    first = tn.autograd.grad(out, wanted, g, retain_graph=True)
    recorded = tn.autograd.grad(out, wanted, g, create_graph=True)
    second = tn.autograd.grad(list(recorded), [*wanted, g], [tn.tensor(rng.standard_normal(x.shape)) for x in recorded])
    return [t.numpy() for t in (out, *first, *recorded, *second)]


CASES = [  # leading axes, queries, keys, mask, causal, dropout, scores of a tile, keys of a tile
    ((), 5, 7, None, 0, 0.0, 6, 2),
    ((3,), 5, 7, "blind", None, 0.0, 12, 3),
    ((3,), 7, 5, "minus infinity", 2, 0.0, 12, 3),
    ((2, 3), 5, 7, "bias of each key", None, 0.0, 40, 512),
    ((2, 3), 7, 5, "bias of each key", 0, 0.4, 6, 2),
    ((2, 3), 5, 7, None, -3, 0.3, 12, 3),
    ((2, 3), 1, 6, "minus infinity", None, 0.0, 4, 2),
    ((2, 3), 6, 6, None, 0, 0.5, 1 << 16, 512),
    ((2, 3), 5, 4, "blind", 2, 0.0, 60, 512),
    ((2, 3), 5, 9, "minus infinity", None, 0.2, 60, 512),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_tiles_equal_the_whole_table(case, monkeypatch):
    lead, rows, columns, kind, causal, dropout, tile, wide = case
    monkeypatch.setattr(attention_tiles, "TILE", tile)
    monkeypatch.setattr(attention_tiles, "COLUMNS", wide)
    arrays = [RNG.standard_normal((*lead, n, d)) for n, d in ((rows, 4), (columns, 4), (columns, 3))]
    mask, tracked = mask_of(kind, lead, rows, columns)
    options, seed = {"causal": causal, "scale": 0.6, "dropout": dropout}, tn.tensor(5)
    found, wanted = [derivatives(lambda q, k, v, m, op=op: op(q, k, v, m, seed, **options)[0], arrays, mask, tracked)
                     for op in (attention, plain)]
    for k, (a, b) in enumerate(zip(found, wanted)):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12, err_msg=f"number {k}")
        assert np.all(np.isfinite(a))


def test_a_part_of_the_gradients_is_the_same():
    arrays = [RNG.standard_normal((2, n, 3)) for n in (4, 5, 5)]
    mask = RNG.standard_normal((4, 5))

    def gradients(active):
        given = [tn.tensor(a, requires_grad=i in active) for i, a in enumerate([*arrays, mask])]
        (F.scaled_dot_product_attention(*given) ** 2).sum().backward()
        return [t.grad.numpy() for i, t in enumerate(given) if i in active]
    whole = gradients((0, 1, 2, 3))
    for active in [(0,), (1,), (2,), (3,), (0, 3), (1, 2)]:
        for i, g in zip(active, gradients(active)):
            np.testing.assert_allclose(g, whole[i], rtol=1e-12, atol=1e-14)


def test_memory_does_not_grow_with_the_table():
    length, heads = 1024, 4
    table = heads * length * length * 4
    q, k, v = [tn.tensor(RNG.standard_normal((heads, length, 16)), dtype="float32", requires_grad=True)
               for _ in range(3)]
    tracemalloc.start()
    F.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < table / 4, f"{peak / 2**20:.1f} MiB"


@pytest.mark.host_only
def test_output_and_gradients_lie_in_memory_as_their_inputs():
    x = tn.randn(2, 5, 3, 4, requires_grad=True)  # (N, L, H, E), as a linear layer leaves it
    heads = tn.permute_dims(x, (0, 2, 1, 3))
    out = F.scaled_dot_product_attention(heads, heads, heads)
    assert tn.permute_dims(out, (0, 2, 1, 3)).data.flags.c_contiguous


def test_dropout_draws_with_the_right_probability_and_mean(monkeypatch):
    monkeypatch.setattr(attention_tiles, "TILE", 1 << 12)
    n = 128
    q, v = tn.zeros((2, n, 4), dtype="float64"), tn.eye(n, dtype="float64")
    tn.manual_seed(3)
    weights = F.scaled_dot_product_attention(q, q, tn.broadcast_to(v, (2, n, n)), dropout_p=0.25).numpy() * n
    assert set(np.round(np.unique(weights), 12)) == {0, np.round(1 / 0.75, 12)}
    assert abs((weights == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / weights.size)
    again = F.scaled_dot_product_attention(q, q, tn.broadcast_to(v, (2, n, n)), dropout_p=0.25).numpy() * n
    assert np.any(again != weights)
    tn.manual_seed(3)
    same = F.scaled_dot_product_attention(q, q, tn.broadcast_to(v, (2, n, n)), dropout_p=0.25).numpy() * n
    np.testing.assert_array_equal(same, weights)
    assert not np.any(F.scaled_dot_product_attention(q, q, q + 1, dropout_p=1.0).numpy())


def test_large_scores_and_long_rows_stay_finite(monkeypatch):
    monkeypatch.setattr(attention_tiles, "TILE", 64)
    monkeypatch.setattr(attention_tiles, "COLUMNS", 8)
    rng = np.random.default_rng(0)  # of its own: two keys may be as good as each other
    q, k, v = [tn.tensor(rng.standard_normal((40, 4)) * s, dtype="float32", requires_grad=True) for s in (300, 300, 1)]
    out = F.scaled_dot_product_attention(q, k, v)
    best = (q.numpy().astype(float) @ k.numpy().T).argmax(1)
    np.testing.assert_allclose(out.numpy(), v.numpy()[best], rtol=1e-5)
    out.sum().backward()
    assert all(np.all(np.isfinite(t.grad.numpy())) for t in (q, k, v))


def test_half_precision_is_summed_in_float32():
    arrays = [RNG.standard_normal((2, 300, 8)) for _ in range(3)]
    half = [tn.tensor(a, dtype="float16", requires_grad=True) for a in arrays]
    out = F.scaled_dot_product_attention(*half)
    wanted = F.scaled_dot_product_attention(*[tn.tensor(t.numpy().astype(float)) for t in half])
    assert out.dtype == "float16"
    np.testing.assert_allclose(out.numpy(), wanted.numpy(), atol=2e-3)
    out.sum().backward()
    assert half[0].grad.dtype == "float16"


def t(*shape, dtype="float32"):
    return tn.zeros(shape, dtype=dtype)


@pytest.mark.parametrize("arguments, options, error, words", [
    ((t(2, 3, 4), t(2, 5, 6), t(2, 5, 4)), {}, ValueError, "last axes of query and key"),
    ((t(2, 3, 4), t(2, 5, 4), t(2, 6, 4)), {}, ValueError, "key and value must have equal lengths"),
    ((t(2, 3, 4), t(3, 5, 4), t(3, 5, 4)), {}, ValueError, "leading axes do not broadcast"),
    ((t(4), t(5, 4), t(5, 4)), {}, ValueError, "at least two axes"),
    ((t(3, 4), t(5, 4), t(5, 4, dtype="float64")), {}, TypeError, "one floating dtype"),
    ((t(3, 4, dtype="int64"),) * 3, {}, TypeError, "one floating dtype"),
    ((t(3, 4), t(5, 4), t(5, 4), t(3, 5)), {"is_causal": True}, ValueError, "attn_mask or is_causal=True, not both"),
    ((t(3, 4), t(5, 4), t(5, 4), t(3, 4)), {}, ValueError, r"broadcasts to \(3, 5\), got \(3, 4\)"),
    ((t(3, 4), t(5, 4), t(5, 4), t(3, 5, dtype="int64")), {}, TypeError, "attn_mask: expected bool"),
    ((t(3, 4), t(5, 4), t(5, 4)), {"dropout_p": 1.5}, ValueError, "dropout_p"),
    ((t(3, 4), t(5, 4), t(5, 4)), {"scale": "large"}, ValueError, "scale"),
    ((t(4, 3, 4), t(3, 5, 4), t(3, 5, 4)), {"enable_gqa": True}, ValueError, "multiple of those of key"),
    ((t(3, 4), t(5, 4), t(5, 4)), {"enable_gqa": True}, ValueError, "axis of heads"),
])
def test_what_raises(arguments, options, error, words):
    with pytest.raises(error, match=words):
        F.scaled_dot_product_attention(*arguments, **options)
