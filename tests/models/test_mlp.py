"""The classifier against its formula, and its gradient against finite differences."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import MLPClassifier, loss_of_parameters


def test_loss_and_answers_are_those_of_the_formula(rng):
    model = MLPClassifier(4, 3, (5,), dtype=tn.float64)
    x, y = rng.normal(size=(9, 4)), rng.integers(0, 3, 9)
    state = {k: v.numpy() for k, v in model.state_dict().items()}
    h = np.maximum(x @ state["layers.0.weight"].T + state["layers.0.bias"], 0)
    f = h @ state["layers.2.weight"].T + state["layers.2.bias"]
    p = np.exp(f) / np.exp(f).sum(1, keepdims=True)
    parts = model.loss(tn.tensor(x), tn.tensor(y))
    assert parts["loss"].item() == pytest.approx(-np.log(p[np.arange(9), y]).mean(), rel=1e-12)
    assert parts["accuracy"].item() == pytest.approx((f.argmax(1) == y).mean())
    np.testing.assert_allclose(model.probabilities(tn.tensor(x)).numpy(), p, rtol=1e-12)
    assert model.predict(tn.tensor(x)).tolist() == f.argmax(1).tolist()
    assert model.accuracy(tn.tensor(x), tn.tensor(y)) == pytest.approx((f.argmax(1) == y).mean())


def test_the_gradient_is_that_of_finite_differences(rng):
    model = MLPClassifier(4, 3, (5,))
    batch = tn.tensor(rng.normal(size=(6, 4)).astype(np.float32)), tn.tensor(rng.integers(0, 3, 6))
    loss, parameters = loss_of_parameters(model, batch)
    result = tn.gradcheck(loss, parameters)
    assert result.verdict == "CORRECT" and result.error < 1e-6


def test_weights_start_with_the_variance_that_keeps_activations_alive():
    model = MLPClassifier(200, 10, (300,))
    assert model.layers[0].weight.numpy().var() == pytest.approx(2 / 200, rel=0.05)


def test_dropout_is_off_when_it_answers():
    model = MLPClassifier(4, 3, (50,), dropout=0.5)
    x = tn.normal((5, 4))
    assert model.training
    assert model.probabilities(x).tolist() == model.probabilities(x).tolist()
    assert model(x).tolist() != model(x).tolist()


def test_the_loss_of_the_parameters_leaves_the_model_as_it_was():
    model = MLPClassifier(4, 3, (5,), dropout=0.5)
    batch = tn.normal((6, 4)), tn.tensor([0, 1, 2, 0, 1, 2])
    loss, parameters = loss_of_parameters(model, batch)
    before = [p.tolist() for p in parameters]
    doubled = loss(*[2 * p for p in parameters])
    assert [p.tolist() for p in model.parameters()] == before and model.training
    assert doubled.item() != loss(*parameters).item() == loss(*parameters).item()


@pytest.mark.parametrize("sizes", [(0, 3, (5,)), (4, 0, (5,)), (4, 3, (0,))])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="at least 1"):
        MLPClassifier(*sizes)
