"""The GPT: gradients, what it may look at, its cache, and that its probabilities are a distribution over sequences."""
import itertools

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import GPT

SMALL = {"vocab_size": 3, "context": 6, "d_model": 8, "heads": 2, "layers": 2}


def lively(**options):
    """A small model whose scores are far from equal."""
    model = GPT(**{**SMALL, **options})
    with tn.no_grad():
        for p in model.parameters():
            p.data[...] = tn.normal(p.shape, 0.0, 0.5, dtype=p.dtype).data
    return model


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_gradients(rng, dropout):
    model = lively(dtype=tn.float64, dropout=dropout, d_model=4, layers=1)
    tokens, targets = (tn.tensor(rng.integers(0, 3, (2, 5))) for _ in range(2))

    def loss():
        tn.manual_seed(0)
        return model.loss(tokens, targets)["loss"]
    assert tn.testing.check_module(model, loss, directions=1, elements=0)


@pytest.mark.row("S0-T27")
def test_its_probabilities_are_those_of_whole_sequences():
    """Over all 3^5 sequences that begin alike they add up to 1; each is the product of its conditionals."""
    model = lively(dtype=tn.float64).eval()
    every = np.array([(0, *rest) for rest in itertools.product(range(3), repeat=5)])
    with tn.no_grad():
        log_p = model.log_prob(every).numpy()
        scores = tn.ops.log_softmax(model(every), axis=-1).numpy()
    assert np.exp(log_p).sum() == pytest.approx(1, rel=1e-12)
    assert log_p[100] == pytest.approx(sum(scores[100, t, every[100, t + 1]] for t in range(5)), rel=1e-12)
    assert model.loss(every[:, :-1], every[:, 1:])["loss"].item() == pytest.approx(-log_p.mean() / 5, rel=1e-12)
    tokens, score = model.search([0], 5, beams=3**5)
    assert tokens[0].tolist() == every[log_p.argmax()].tolist() and score[0].item() == pytest.approx(log_p.max())


@pytest.mark.row("S0-T27")
def test_later_tokens_change_nothing():
    model = lively(dtype=tn.float64).eval()
    with tn.no_grad():
        a, b = (model(tn.tensor([[0, 1, 2, *rest]])).numpy()[0] for rest in ((0, 1, 2), (2, 2, 1)))
    np.testing.assert_array_equal(a[:3], b[:3])
    assert not np.allclose(a[3:], b[3:])


@pytest.mark.parametrize("pieces", [(1, 1, 1, 1, 1), (2, 3), (4, 1)])
def test_the_cache_equals_the_whole_forward(pieces):
    model, tokens = lively(dtype=tn.float64).eval(), tn.tensor([[0, 2, 1, 1, 2], [1, 0, 0, 2, 2]])
    with tn.no_grad():
        whole, decoder, at = model(tokens).numpy(), model.decoder(), 0
        for n in pieces:
            found = decoder.step(tokens[:, at:at + n]).numpy()
            at += n
            np.testing.assert_allclose(found, whole[:, at - 1], rtol=1e-12, atol=1e-12)
        decoder.reorder(tn.tensor([1, 1, 0]))
        last = decoder.step(tn.tensor([[0], [1], [2]])).numpy()
        full = tn.concat([tokens[tn.tensor([1, 1, 0])], tn.tensor([[0], [1], [2]])], axis=1)
        np.testing.assert_allclose(last, model(full).numpy()[:, -1], rtol=1e-12, atol=1e-12)


def test_it_writes_beyond_its_context():
    model = lively().eval()
    tokens = model.sample(2, 20, (0, 1), generator=tn.Generator(0))
    assert tokens.shape == (2, 22) and tokens[:, :2].tolist() == [[0, 1], [0, 1]]
    assert model.sample(2, 20, (0, 1), generator=tn.Generator(0)).tolist() == tokens.tolist()
    greedy = model.sample(1, 12, temperature=0).tolist()[0]
    window = greedy[:1]
    for token in greedy[1:]:  # as the decoder reads: where the context of 6 is full, from its later half on
        assert model.predict([window]).item() == token
        window = [*window, token] if len(window) < 6 else [*window, token][-3:]
    with pytest.raises(ValueError, match=r"at most 6 in a sequence \(the context\), got 7"):
        model(tn.zeros((1, 7), dtype="int64"))


def test_attention_tables_are_those_of_the_forward_pass():
    model, tokens = lively(dtype=tn.float64).eval(), tn.tensor([[0, 2, 1, 1]])
    tables = model.attention(tokens)
    assert [t.shape for t in tables] == [(1, 2, 4, 4)] * 2
    first = tables[0].numpy()
    np.testing.assert_allclose(first.sum(-1), 1, rtol=1e-12)
    assert (first[..., np.triu_indices(4, 1)[0], np.triu_indices(4, 1)[1]] == 0).all()
    block = model.blocks[0]
    x = block.norm1(model.token(tokens) + model.place.weight[:4]).numpy()[0]
    q, k, _ = np.split(x @ block.self_attn.in_proj_weight.numpy().T + block.self_attn.in_proj_bias.numpy(), 3, axis=1)
    scores = q[:, :4] @ k[:, :4].T / 2 + np.triu(np.full((4, 4), -np.inf), 1)
    p = np.exp(scores - scores.max(1, keepdims=True))
    np.testing.assert_allclose(first[0, 0], p / p.sum(1, keepdims=True), rtol=1e-10, atol=1e-12)


def test_it_learns_a_rule():
    """Tokens that go round: 0, 1, 2, 0 ..."""
    model = GPT(3, 8, 16, 2, 1)
    optimizer = tn.optim.AdamW(model.parameters(), lr=0.01)
    start = np.arange(3)[:, None] + np.arange(9)
    for _ in range(40):
        optimizer.zero_grad()
        model.loss(start[:, :-1] % 3, start[:, 1:] % 3)["loss"].backward()
        optimizer.step()
    assert model.sample(1, 9, (0,), temperature=0).tolist() == [[k % 3 for k in range(10)]]


def test_weights_start_small():
    model = GPT(50, 8, 64, 2, 8)
    assert model.token.weight.numpy().std() == pytest.approx(0.55 / 8, rel=0.05)
    assert model.blocks[3].linear2.weight.numpy().std() == pytest.approx(0.55 / 8 / 4, rel=0.05)
    assert not model.blocks[0].self_attn.in_proj_bias.numpy().any()


def test_errors():
    with pytest.raises(ValueError, match="GPT: sizes must be at least 1"):
        GPT(0)
    with pytest.raises(ValueError, match="num_heads: expected a divisor of embed_dim 8, got 3"):
        GPT(3, 4, 8, 3)
