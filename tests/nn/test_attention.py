"""Attention layers against the book's numbers, loops, and PyTorch; the cache of keys and values."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape)


def softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def book(seed, count, size):
    """Vectors and matrices as the notebooks of Prince, "Understanding Deep Learning", draw them."""
    state = np.random.RandomState(seed)
    return [state.normal(size=size) for _ in range(count)]


# The notes ------------------------------------------------------------------------------
SUMS = [  # notebook 12.1: plain and scaled
    (False, [[0.94744244, -0.24348429, -0.91310441, -0.44522983], [1.64201168, -0.08470004, 4.02764044, 2.18690791],
             [1.61949281, -0.06641533, 3.96863308, 2.15858316]]),
    (True, [[0.97411966, -0.23738409, -0.72333202, -0.34413007], [1.59622051, -0.09516106, 3.70194096, 2.01339538],
            [1.32638014, 0.13062402, 3.02371664, 1.6902419]]),
]


@pytest.mark.row("S0-T21", "S0-T22")
@pytest.mark.parametrize("scaled, wanted", SUMS)
def test_self_attention_of_the_book(scaled, wanted):
    x = np.concatenate(book(3, 3, (4, 1)), axis=1).T
    state = np.random.RandomState(0)
    weights = [state.normal(size=(4, 4)) for _ in range(3)]
    biases = [state.normal(size=(4, 1)) for _ in range(3)]
    layer = nn.SelfAttention(4, scaled=scaled).double()
    for part, w, b in zip((layer.query, layer.key, layer.value), weights, biases):
        part.load_state_dict({"weight": w, "bias": b[:, 0]})
    np.testing.assert_allclose(layer(tn.tensor(x)).numpy(), wanted, rtol=0, atol=1e-8)
    q, k, v = [x @ w.T + b[:, 0] for w, b in zip(weights, biases)]
    plain = softmax(q @ k.T * (0.5 if scaled else 1)) @ v
    np.testing.assert_allclose(layer(tn.tensor(x)).numpy(), plain, rtol=1e-12)
    assert tn.testing.check_module(layer, lambda: layer(tn.tensor(x)))


@pytest.mark.row("S0-T24")
def test_two_heads_of_the_book():
    x = np.random.RandomState(3).normal(size=(8, 6)).T
    state = np.random.RandomState(0)
    weights, biases = [], []
    for _ in range(2):  # a head: three matrices, then three biases
        weights.append([state.normal(size=(4, 8)) for _ in range(3)])
        biases.append([state.normal(size=(4, 1)) for _ in range(3)])
    mix = state.normal(size=(8, 8))
    layer = nn.MultiheadAttention(8, 2).double()
    layer.load_state_dict({
        "in_proj_weight": np.concatenate([w[k] for k in range(3) for w in weights]),
        "in_proj_bias": np.concatenate([b[k][:, 0] for k in range(3) for b in biases]),
        "out_proj.weight": mix, "out_proj.bias": np.zeros(8),
    })
    out, given = layer(*[tn.tensor(x)] * 3, average_attn_weights=False)
    row = [-21.207, -5.373, -20.933, -9.179, -11.319, -17.812]
    np.testing.assert_allclose(out.numpy()[:, 0], row, rtol=0, atol=6e-4)
    heads = []
    for k, (w, b) in enumerate(zip(weights, biases)):
        q, key, v = [x @ m.T + c[:, 0] for m, c in zip(w, b)]
        p = softmax(q @ key.T / 2)
        np.testing.assert_allclose(given.numpy()[k], p, rtol=1e-12)
        heads.append(p @ v)
    np.testing.assert_allclose(out.numpy(), np.concatenate(heads, axis=1) @ mix.T, rtol=1e-11)


@pytest.mark.row("S0-T23")
def test_a_permutation_of_the_inputs_permutes_the_outputs_and_positions_break_that():
    layer, x, order = nn.MultiheadAttention(8, 2).double(), normal(6, 8), RNG.permutation(6)

    def apply(x):
        return layer(*[tn.tensor(x)] * 3, need_weights=False)[0].numpy()
    np.testing.assert_allclose(apply(x[order]), apply(x)[order], rtol=1e-12, atol=1e-13)
    places = F.sinusoidal_positions(6, 8, dtype="float64").numpy()
    assert np.abs(apply(x[order] + places) - apply(x + places)[order]).max() > 1e-3


@pytest.mark.row("S0-T32")
def test_softmax_its_jacobian_and_where_it_saturates():
    x = tn.tensor(normal(5))
    p = tn.softmax(x).numpy()
    np.testing.assert_allclose(tn.jacobian(tn.softmax)(x).numpy(), np.diag(p) - np.outer(p, p), rtol=0, atol=1e-12)
    np.testing.assert_allclose(tn.softmax(x + 123.0).numpy(), p, rtol=1e-12)
    apart = tn.tensor([0.3, -1.0, 0.8, 2.0, 0.1], dtype="float64")
    sizes = [np.abs(tn.jacobian(tn.softmax)(apart * s).numpy()).max() for s in (1, 20, 1000)]
    assert sizes[0] > 0.05 > 1e-4 > sizes[1] > sizes[2] == 0
    products = normal(200, 1, 64) @ normal(200, 64, 7)  # dividing by the root of the features keeps it from saturating
    slopes = [(p * (1 - p)).max(-1) for p in (tn.softmax(tn.tensor(products * s)).numpy() for s in (1, 1 / 8))]
    assert np.median(slopes[1]) > 5 * np.median(slopes[0])


# MultiheadAttention ---------------------------------------------------------------------
def by_hand(layer, query, key, value, seen, bias=None):
    """The layer on (L, N, D) by loops; `seen`: (N, H, L, S) bool, `bias` added to the scores."""
    p = {k: v.numpy() for k, v in layer.state_dict().items()}
    d, h = layer.embed_dim, layer.num_heads
    maps = (np.split(p["in_proj_weight"], 3) if "in_proj_weight" in p else
            [p[f"{k}_proj_weight"] for k in "qkv"])
    offsets = np.split(p["in_proj_bias"], 3) if "in_proj_bias" in p else [0.0] * 3
    q, k, v = [x @ w.T + b for x, w, b in zip((query, key, value), maps, offsets)]
    n = q.shape[1]
    for name, zero in (("bias_k", False), ("zeros", True)):
        if name in p:
            k = np.concatenate([k, np.repeat(p["bias_k"], n, 1)])
            v = np.concatenate([v, np.repeat(p["bias_v"], n, 1)])
        elif zero and layer.add_zero_attn:
            k, v = [np.concatenate([x, np.zeros((1, n, d))]) for x in (k, v)]
    out, weights = np.zeros((q.shape[0], n, d)), np.zeros((n, h, q.shape[0], k.shape[0]))
    for b in range(n):
        for i in range(h):
            part = slice(i * d // h, (i + 1) * d // h)
            s = q[:, b, part] @ k[:, b, part].T / np.sqrt(d // h)
            s += 0 if bias is None else bias
            s[:, :seen.shape[-1]][~seen[b, i]] = -np.inf
            weights[b, i] = softmax(s)
            out[:, b, part] = weights[b, i] @ v[:, b, part]
    return out @ p["out_proj.weight"].T + p.get("out_proj.bias", 0.0), weights


OPTIONS = [{}, {"bias": False}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"kdim": 5, "vdim": 3},
           {"add_bias_kv": True, "add_zero_attn": True, "kdim": 5}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("batch_first", [False, True])
def test_multihead_attention_is_what_loops_compute(options, batch_first):
    layer = nn.MultiheadAttention(6, 3, batch_first=batch_first, **options).double()
    layer.load_state_dict({k: normal(*v.shape) for k, v in layer.state_dict().items()})
    query, key, value = normal(4, 2, 6), normal(5, 2, options.get("kdim", 6)), normal(5, 2, options.get("vdim", 6))
    blocked, padding = RNG.random((4, 5)) < 0.3, np.arange(5) >= np.array([[5], [3]])
    blocked[:, 0] = False
    seen = np.broadcast_to(~(blocked | padding[:, None, None]), (2, 3, 4, 5))
    wanted, table = by_hand(layer, query, key, value, seen)

    def turn(x):
        return tn.tensor(np.swapaxes(x, 0, 1) if batch_first else x)
    for need, average in [(True, True), (True, False), (False, True)]:
        out, weights = layer(*map(turn, (query, key, value)), tn.tensor(padding), need, tn.tensor(blocked), average)
        np.testing.assert_allclose(out.numpy(), turn(wanted).numpy(), rtol=1e-10, atol=1e-12)
        if need:
            np.testing.assert_allclose(weights.numpy(), table.mean(1) if average else table, rtol=1e-10, atol=1e-13)
        else:
            assert weights is None
    alone, weights = layer(*[tn.tensor(x[:, 1]) for x in (query, key, value)], tn.tensor(padding[1]), True,
                           tn.tensor(blocked))
    np.testing.assert_allclose(alone.numpy(), wanted[:, 1], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(weights.numpy(), table[1].mean(0), rtol=1e-10, atol=1e-13)


def test_gradients_of_multihead_attention():
    for options in (OPTIONS[0], OPTIONS[-1]):
        layer = nn.MultiheadAttention(4, 2, **options).double()
        query, key, value = [tn.tensor(normal(3, 2, d)) for d in (4, options.get("kdim", 4), 4)]
        mask = F.causal_mask(3, dtype="float64")
        for need in (True, False):
            assert tn.testing.check_module(layer, lambda layer=layer, q=query, k=key, v=value, need=need, m=mask: layer(
                q, k, v, need_weights=need, attn_mask=m)[0])


def test_masks_of_every_kind_agree():
    layer, x = nn.MultiheadAttention(6, 3, batch_first=True).double(), tn.tensor(normal(2, 4, 6))
    blocked = np.triu(np.ones((4, 4), bool), 1)
    causal = F.causal_mask(4, dtype="float64")

    def apply(mask, padding=None, **options):
        mask, padding = [None if m is None else tn.tensor(m) for m in (mask, padding)]
        outs = [layer(x, x, x, padding, need, mask, **options)[0].numpy() for need in (False, True)]
        np.testing.assert_allclose(*outs, rtol=1e-11, atol=1e-13)
        return outs[0]
    wanted = apply(blocked)
    np.testing.assert_allclose(apply(causal.numpy()), wanted, rtol=1e-12)
    np.testing.assert_allclose(apply(np.repeat(blocked[None], 6, 0)), wanted, rtol=1e-12)
    np.testing.assert_allclose(apply(causal.numpy()[None, None]), wanted, rtol=1e-12)
    np.testing.assert_allclose(apply(blocked, is_causal=True), wanted, rtol=1e-12)
    padding = np.array([[False] * 4, [False, False, False, True]])
    both = apply(blocked, padding)
    np.testing.assert_allclose(apply(causal.numpy(), np.where(padding, -np.inf, 0.0)), both, rtol=1e-12)
    np.testing.assert_allclose(apply(blocked, np.where(padding, -np.inf, 0.0), is_causal=True), both, rtol=1e-12)
    bias = np.zeros((2, 3, 1, 4))
    bias[1, :, :, 3] = -np.inf
    np.testing.assert_allclose(apply(bias + causal.numpy()), both, rtol=1e-12)


def test_a_query_that_sees_nothing_gets_the_offset_alone_and_finite_gradients():
    layer, x = nn.MultiheadAttention(4, 2).double(), tn.tensor(normal(3, 2, 4), requires_grad=True)
    blocked = np.zeros((3, 3), bool)
    blocked[1] = True
    for need in (True, False):
        out, weights = layer(x, x, x, need_weights=need, attn_mask=tn.tensor(blocked))
        np.testing.assert_allclose(out.numpy()[1], np.tile(layer.out_proj.bias.numpy(), (2, 1)), atol=1e-14)
        assert weights is None or not np.any(weights.numpy()[:, 1])
        (out ** 2).sum().backward()
        assert np.all(np.isfinite(x.grad.numpy()))


def test_dropout_of_weights_in_training_alone():
    layer, x = nn.MultiheadAttention(4, 2, dropout=0.5).double(), tn.tensor(normal(5, 3, 4))
    _, weights = layer(x, x, x, average_attn_weights=False)
    assert 0.3 < (weights.numpy() == 0).mean() < 0.7
    quiet = layer(x, x, x, need_weights=False)[0].numpy()
    assert np.any(quiet != layer(x, x, x, need_weights=False)[0].numpy())
    layer.eval()
    np.testing.assert_array_equal(layer(x, x, x)[0].numpy(), layer(x, x, x)[0].numpy())
    np.testing.assert_allclose(layer(x, x, x)[1].numpy().sum(-1), 1, rtol=1e-12)


def test_layout_and_first_values():
    layer = nn.MultiheadAttention(8, 2)
    assert [(k, v.shape) for k, v in layer.state_dict().items()] == [
        ("in_proj_weight", (24, 8)), ("in_proj_bias", (24,)), ("out_proj.weight", (8, 8)), ("out_proj.bias", (8,))]
    assert not np.any(layer.in_proj_bias.numpy()) and not np.any(layer.out_proj.bias.numpy())
    assert abs(nn.MultiheadAttention(64, 2).in_proj_weight.numpy()).max() <= np.sqrt(6 / (4 * 64))
    assert list(nn.MultiheadAttention(8, 2, kdim=3, add_bias_kv=True).state_dict()) == [
        "q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight",
        "out_proj.bias"]
    assert repr(layer).startswith("MultiheadAttention(\n  embed_dim=8, num_heads=2, batch_first=False\n  (out_proj)")


X = tn.zeros((3, 2, 4))


def call(*inputs, **options):
    return nn.MultiheadAttention(4, 2)(*inputs, **options)


@pytest.mark.parametrize("make, error, words", [
    (lambda: nn.MultiheadAttention(4, 3), ValueError, "num_heads: expected a divisor of embed_dim 4, got 3"),
    (lambda: nn.MultiheadAttention(0, 1), ValueError, "embed_dim"),
    (lambda: nn.MultiheadAttention(4, 2, dropout=2.0), ValueError, "dropout"),
    (lambda: call(X[..., :3], X, X), ValueError, "query: expected embed_dim 4 features"),
    (lambda: call(X, X, X[:2]), ValueError, "key and value: expected equal shapes"),
    (lambda: call(X, X[:, :1], X[:, :1]), ValueError, "equal batches on axis 1"),
    (lambda: call(X, X[:, 0], X[:, 0]), ValueError, "three axes each, or two"),
    (lambda: call(X, X, X, attn_mask=tn.zeros((3, 4))), ValueError, r"attn_mask: expected shape \(3, 3\) or \(4, 3, 3"),
    (lambda: call(X, X, X, attn_mask=tn.zeros((2, 3, 3))), ValueError, "attn_mask: expected shape"),
    (lambda: call(X, X, X, attn_mask=tn.zeros((3, 3), dtype="int64")), TypeError, "attn_mask: expected bool"),
    (lambda: call(X, X, X, tn.zeros((2, 4))), ValueError, r"key_padding_mask: expected shape \(2, 3\), got \(2, 4\)"),
    (lambda: call(X[:, 0], X[:, 0], X[:, 0], tn.zeros(4)), ValueError, r"expected shape \(3,\), got \(4,\)"),
    (lambda: call(X, X, X, is_causal=True), ValueError, "give that too"),
    (lambda: F.multi_head_attention_forward(X, X, X, 4, 2, None, None, None, None, False, 0.0, tn.eye(4), None),
     ValueError, "in_proj_weight is None"),
])
def test_what_raises(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_static_keys_and_values():
    layer, x = nn.MultiheadAttention(4, 2).double(), tn.tensor(normal(3, 2, 4))
    p = layer.state_dict()
    given = (x, x, x, 4, 2, p["in_proj_weight"], p["in_proj_bias"], None, None, False, 0.0, p["out_proj.weight"],
             p["out_proj.bias"])
    parts = tn.split(x @ tn.matrix_transpose(p["in_proj_weight"]) + p["in_proj_bias"], 3, axis=2)
    k, v = [tn.permute_dims(tn.reshape(part, (3, 4, 2)), (1, 0, 2)) for part in parts[1:]]  # (L, N, D) -> (N H, L, E)
    wanted = F.multi_head_attention_forward(*given)[0]
    found = F.multi_head_attention_forward(*given, static_k=k, static_v=v)[0]
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-12)
    with pytest.raises(ValueError, match="static_k: expected shape"):
        F.multi_head_attention_forward(*given, static_k=k[:2])


# The cache ------------------------------------------------------------------------------
@pytest.mark.parametrize("steps", [(1,) * 7, (3, 1, 1, 2), (7,)], ids=str)
def test_decoding_with_a_cache_equals_the_whole(steps):
    layer, x = nn.MultiheadAttention(8, 2, batch_first=True).double(), tn.tensor(normal(3, 7, 8))
    wanted = layer(x, x, x, need_weights=False, attn_mask=F.causal_mask(7), is_causal=True)[0].numpy()
    padding = np.arange(7) < np.array([[0], [1], [2]])  # padded on the left
    padded = layer(x, x, x, tn.tensor(padding), True, F.causal_mask(7))[0].numpy()
    cache, hidden, done, outs, others = nn.KVCache(), nn.KVCache(2), 0, [], []
    with tn.no_grad():
        for n in steps:
            part = x[:, done:done + n]
            done += n
            outs.append(layer(part, part, part, need_weights=False, is_causal=True, cache=cache)[0].numpy())
            others.append(layer(part, part, part, tn.tensor(padding[:, :done]), True, is_causal=True,
                                cache=hidden)[0].numpy())
    np.testing.assert_allclose(np.concatenate(outs, 1), wanted, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.concatenate(others, 1), padded, rtol=0, atol=1e-12)
    assert cache.length == 7 and cache.keys.shape == cache.values.shape == (3, 2, 7, 4)


@pytest.mark.parametrize("rotary", [False, True])
def test_a_model_of_several_blocks_decodes_as_it_computes_and_its_beams_can_be_reordered(rotary):
    turn = nn.RotaryEmbedding(4) if rotary else None
    blocks = [nn.TransformerBlock(8, 2, rotary=turn).double() for _ in range(3)]
    x = tn.tensor(normal(4, 6, 8))

    def whole(x):
        for block in blocks:
            x = block(x)
        return x.numpy()

    def onward(x, caches):
        for block, cache in zip(blocks, caches):
            x = block(x, cache=cache)
        return x.numpy()
    with tn.no_grad():
        caches = [nn.KVCache() for _ in blocks]
        onward(x[:, :4], caches)
        order = [2, 2, 0]
        for cache in caches:
            cache.reorder(order)
        mixed = tn.concat([x[order, :4], x[:3, 4:]], axis=1)
        np.testing.assert_allclose(onward(mixed[:, 4:], caches), whole(mixed)[:, 4:], rtol=0, atol=1e-12)
        for cache in caches:
            cache.crop(-3)
        again = tn.concat([mixed[:, :3], x[1:, 3:5]], axis=1)
        np.testing.assert_allclose(onward(again[:, 3:], caches), whole(again)[:, 3:], rtol=0, atol=1e-12)


def test_what_a_cache_refuses():
    cache, k = nn.KVCache(), tn.ones((2, 1, 3, 4))
    assert repr(cache) == "KVCache(length=0, shape=None)"
    with pytest.raises(ValueError, match="it is empty"):
        _ = cache.keys
    cache.append(k, k)
    for new, error, words in [
        ((k[:1], k[:1]), ValueError, r"key: expected shape \(2, 1, 'S', 4\), got \(1, 1, 3, 4\)"),
        ((k, k[:, :, :2]), ValueError, "must agree in all axes but the last"),
        ((k[0], k[0]), ValueError, r"expected shape \(N, H, S, E\)"),
        ((k.astype("float64"), k), TypeError, "expected float32"),
        ((k.copy().requires_grad_(), k), RuntimeError, "carries no gradient"),
    ]:
        with pytest.raises(error, match=words):
            cache.append(*new)
        assert cache.length == 3
    with pytest.raises(ValueError, match=r"expected a length in \[-3, 3\], got 4"):
        cache.crop(4)
    with pytest.raises(IndexError):
        cache.reorder([2])
    cache.crop(0)
    cache.append(k, k)
    assert cache.length == 3
    cache.reset()
    assert cache.length == 0
    with pytest.raises(ValueError, match="max_length"):
        nn.KVCache(0)


# PyTorch --------------------------------------------------------------------------------
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.same_on_strict
def test_same_as_pytorch(options):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.MultiheadAttention(6, 3, **options).double()
    ours = nn.MultiheadAttention(6, 3, **options).double()
    assert [(k, tuple(v.shape)) for k, v in theirs.state_dict().items()] == [
        (k, v.shape) for k, v in ours.state_dict().items()]
    ours.load_state_dict(theirs.state_dict())
    arrays = [normal(4, 2, 6), normal(5, 2, options.get("kdim", 6)), normal(5, 2, options.get("vdim", 6))]
    mask, padding = normal(6, 4, 5), normal(2, 5)
    xs = [tn.tensor(a, requires_grad=True) for a in (*arrays, mask, padding)]
    ys = [torch.tensor(a, requires_grad=True) for a in (*arrays, mask, padding)]
    for need in (True, False):
        out = ours(*xs[:3], xs[4], need, xs[3])
        wanted = theirs(*ys[:3], ys[4], need, ys[3])
        for a, b in zip(out, wanted):
            if b is not None:
                np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-12)
        (out[0] ** 3).sum().backward()
        (wanted[0] ** 3).sum().backward()
    pairs = [*zip(xs, ys), *zip(ours.parameters(), theirs.parameters())]
    for a, b in pairs:
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-8, atol=1e-10)
