"""Gaps filled, sequences turned round, patches read, states that remember: the other models of sequences."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import BERT, RNNLanguageModel, Seq2Seq, ViT


def descend(model, batches, lr=3e-3):
    optimizer = tn.optim.AdamW(model.parameters(), lr=lr)
    for batch in batches:
        optimizer.zero_grad()
        found = model.loss(*batch)
        found["loss"].backward()
        optimizer.step()
    return found


def fixed(loss):
    """The loss with its random draws the same each time."""
    def run():
        tn.manual_seed(0)
        return loss()["loss"]
    return run


TOKENS = np.array([[0, 2, 1, 1, 2], [1, 0, 0, 2, 2]])


@pytest.mark.parametrize("make", [
    lambda: (BERT(3, 5, 4, 2, 1, 0.2, 0.5, dtype=tn.float64), (TOKENS,)),
    lambda: (Seq2Seq(3, 4, 4, 2, 1, dtype=tn.float64), (TOKENS, TOKENS[:, :3])),
    lambda: (ViT((1, 4, 4), 3, 2, 4, 2, 1, 0.2, dtype=tn.float64), (np.eye(16)[:4], [0, 2, 1, 1])),
    lambda: (RNNLanguageModel(3, 3, 4, dtype=tn.float64), (TOKENS, TOKENS[::-1].copy())),
    lambda: (RNNLanguageModel(3, 3, 3, 2, "gru", 0.2, dtype=tn.float64), (TOKENS, TOKENS[::-1].copy())),
], ids=["bert", "seq2seq", "vit", "lstm", "gru"])
def test_gradients(make):
    model, batch = make()
    assert tn.testing.check_module(model, fixed(lambda: model.loss(*batch)), directions=1, elements=0)


# BERT ---------------------------------------------------------------------------------
@pytest.mark.row("S0-T30")
@pytest.mark.same_on_strict
def test_what_a_rule_decides_is_restored(rng):
    """Tokens that count up from anywhere, mod 5: the neighbours of a hidden one say what it is."""
    model = BERT(5, 8, 32, 2, 1)
    batches = [((rng.integers(0, 5, (32, 1)) + np.arange(8)) % 5,) for _ in range(220)]
    descend(model, batches, 5e-3)
    whole = (np.arange(5)[:, None] + np.arange(8)) % 5
    for place in range(8):
        shown = whole.copy()
        shown[:, place] = model.mask
        assert model.predict(shown)[:, place].tolist() == whole[:, place].tolist()
    model.eval()
    assert model.loss(whole, generator=tn.Generator(0))["loss"].item() < 0.15


def test_places_are_hidden_as_often_as_they_should():
    model, tokens = BERT(50, 100, 4, 2, 1), np.full((200, 100), 7)
    shown, chosen = (t.numpy() for t in model.hide(tokens, tn.Generator(0)))
    assert chosen.mean() == pytest.approx(0.15, abs=0.01) and (shown[~chosen] == 7).all()
    assert (shown[chosen] == 50).mean() == pytest.approx(0.8, abs=0.03)
    assert (shown[chosen] == 7).mean() == pytest.approx(0.1 + 0.1 / 50, abs=0.03)
    assert model.hide([[1]], tn.Generator(0))[1].numpy().all()


def test_every_place_counts_only_where_it_was_chosen():
    model, tokens = BERT(3, 5, 4, 2, 1, dtype=tn.float64).eval(), tn.tensor(TOKENS)
    shown, chosen = model.hide(tokens, tn.Generator(1))
    log_p = tn.ops.log_softmax(model(shown), axis=-1).numpy()
    expected = -np.mean([log_p[i, j, TOKENS[i, j]] for i, j in np.argwhere(chosen.numpy())])
    assert model.loss(tokens, generator=tn.Generator(1))["loss"].item() == pytest.approx(expected, rel=1e-12)


# Encoder and decoder --------------------------------------------------------------------
@pytest.mark.row("S0-T30")
@pytest.mark.slow
def test_sequences_are_turned_round(rng):
    model = Seq2Seq(8, 8, 32, 2, 1)
    sources = [rng.integers(0, 8, (64, 6)) for _ in range(700)]
    descend(model, [(s, s[:, ::-1].copy()) for s in sources], 3e-3)
    new = rng.integers(0, 8, (100, 6))
    assert (model.predict(new, 6).numpy() == new[:, ::-1]).mean() >= 0.99


def test_the_target_is_written_from_left_to_right():
    model = Seq2Seq(3, 3, 8, 2, 1, dtype=tn.float64).eval()
    a, b = (model(TOKENS, target).numpy() for target in (TOKENS, np.where(np.arange(5) < 2, TOKENS, 0)))
    np.testing.assert_allclose(a[:, :3], b[:, :3], rtol=1e-12)
    written = model.predict(TOKENS, 4).numpy()
    assert written.tolist() == model(TOKENS, np.concatenate([written, written[:, :1]], 1)).numpy()[:, :4].argmax(
        -1).tolist()


# Images -----------------------------------------------------------------------------------
@pytest.mark.row("S0-T31")
def test_patches_are_a_convolution_and_an_affine_map_of_each(rng):
    model, x = ViT((2, 6, 4), 3, 2, 8, 2, 1, dtype=tn.float64), rng.normal(size=(3, 2, 6, 4))
    pieces = x.reshape(3, 2, 3, 2, 2, 2).transpose(0, 2, 4, 1, 3, 5).reshape(3, 6, 8)  # (N, T, C P P)
    expected = pieces @ model.patches.weight.numpy().reshape(8, 8).T + model.patches.bias.numpy()
    np.testing.assert_allclose(model.tokens(x).numpy(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.row("S0-T31")
@pytest.mark.same_on_strict
def test_a_vision_transformer_learns(rng):
    x, y = tn.data.digits.load()[0].tensors
    rows = [rng.integers(0, len(y), 64) for _ in range(60)]
    model = ViT((1, 8, 8), 10, 4, 32, 2, 1, 0.0)
    descend(model, [(x[r], y[r]) for r in rows], 5e-3)
    assert model.accuracy(*tn.data.digits.load()[1].tensors) > 0.7  # chance is 0.1


# Recurrent ----------------------------------------------------------------------------------
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_steps_equal_the_whole_sequence(cell):
    model, tokens = RNNLanguageModel(3, 3, 4, 2, cell, dtype=tn.float64).eval(), tn.tensor(TOKENS)
    with tn.no_grad():
        whole, decoder = model(tokens).numpy(), model.decoder()
        for t in range(5):
            np.testing.assert_allclose(decoder.step(tokens[:, t:t + 1]).numpy(), whole[:, t], rtol=1e-12)
        decoder.reorder(tn.tensor([1]))
        last = decoder.step(tn.tensor([[1]])).numpy()
        full = np.concatenate([TOKENS[1:], [[1]]], 1)
        np.testing.assert_allclose(last, model(full).numpy()[:, -1], rtol=1e-12)
    assert model.search([0], 3, 27)[1].numpy().max() <= 0


@pytest.mark.parametrize(("make", "message"), [
    (lambda: BERT(0), "BERT: sizes must be at least 1"), (lambda: BERT(3, share=0), "share: expected"),
    (lambda: BERT(3, 2, 4, 2, 1)(TOKENS), r"at most 2 in a sequence \(the context\), got 5"),
    (lambda: Seq2Seq(0, 3), "Seq2Seq: sizes"), (lambda: ViT((1, 8, 8), patch=3), "patch: expected a divisor"),
    (lambda: RNNLanguageModel(3, cell="tape"), "cell: expected one of lstm, gru, rnn, got 'tape'"),
])
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
