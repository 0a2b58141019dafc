"""Weights set to zero and kept there."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn.utils import prune

RNG = np.random.default_rng(0)


@pytest.mark.row("S1-60")
def test_magnitude_mask():
    assert prune.magnitude_mask([5, 6.0, 0, 1, 7], 0.4).tolist() == [1, 1, 0, 0, 1]
    w = RNG.standard_normal((7, 9))
    for amount, zeros in ((0.0, 0), (0.5, 32), (1.0, 63), (5, 5)):
        mask = prune.magnitude_mask(w, amount).numpy()
        assert mask.dtype == w.dtype and (mask == 0).sum() == zeros
        assert not zeros or zeros == 63 or abs(w[mask == 0]).max() < abs(w[mask == 1]).min()
    assert prune.magnitude_mask(np.zeros(4), 0.5).tolist() == [0, 0, 1, 1], "of equal ones the first"
    tiny = np.float32([3e-9, 1e-9, 1.0])
    assert prune.magnitude_mask(tiny, 1).tolist() == [1, 0, 1], "not lost beside a large one"


def test_pruned_weights_stay_zero_while_the_others_learn():
    layer = nn.Linear(4, 5)
    weight = layer.weight.numpy().copy()
    prune.l1_unstructured(layer, "weight", 0.5)
    zero = layer.weight.numpy() == 0
    assert zero.sum() == 10 and list(layer.state_dict()) == ["bias", "weight_orig", "weight_mask"]
    assert prune.is_pruned(nn.Sequential(layer)) and not prune.is_pruned(nn.Linear(1, 1))
    optimizer = tn.optim.SGD(layer.parameters(), lr=0.1)
    layer(tn.randn(3, 4)).sum().backward()
    assert not layer.weight_orig.grad.numpy()[zero].any()
    optimizer.step()
    layer(tn.randn(3, 4))
    np.testing.assert_array_equal(layer.weight.numpy() == 0, zero)
    assert not np.array_equal(layer.weight.numpy()[~zero], weight[~zero])
    optimizer.step()  # values that no call has seen yet
    prune.remove(layer, "weight")
    assert (layer.weight.numpy() == 0).sum() == 10 and layer._hooks is None and layer.weight.requires_grad
    with pytest.raises(ValueError, match="pruning of 'weight' not found"):
        prune.remove(layer, "weight")


def test_amounts_are_of_what_is_left():
    layer = nn.Linear(10, 10)
    for amount, zeros in ((0.5, 50), (0.5, 75), (5, 80)):
        prune.l1_unstructured(layer, "weight", amount)
        assert (layer.weight.numpy() == 0).sum() == zeros
    prune.random_unstructured(layer, "weight", 0.25, tn.Generator(0))
    assert (layer.weight.numpy() == 0).sum() == 85
    prune.custom_from_mask(layer, "weight", np.tril(np.ones((10, 10))))
    assert not np.triu(layer.weight.numpy(), 1).any()
    left = int(layer.weight_mask.sum().item())
    with pytest.raises(ValueError, match=f"at most {left} elements"):
        prune.l1_unstructured(layer, "weight", left + 1)
    prune.l1_unstructured(layer, "weight", left)
    assert not layer.weight.numpy().any()


def test_weights_of_several_layers_together():
    net = nn.MLP([3, 6, 2])
    nn.init.uniform_(net[2].weight, 50, 100)
    prune.global_unstructured([(net[0], "weight"), (net[2], "weight")], 0.5)
    assert (net[0].weight.numpy() == 0).sum() == 15 and net[2].weight.numpy().all()
    prune.global_unstructured([(net[0], "weight"), (net[2], "weight")], 5)
    assert (net[0].weight.numpy() == 0).sum() == 18 and (net[2].weight.numpy() == 0).sum() == 2


@pytest.mark.parametrize("call, match", [
    (lambda m: prune.l1_unstructured(m, "gain", 0.5), "no parameter 'gain'"),
    (lambda m: prune.l1_unstructured(m, "weight", 1.5), "amount"),
    (lambda m: prune.l1_unstructured(m, "weight", -1), "amount"),
    (lambda m: prune.custom_from_mask(m, "weight", [1.0]), r"mask: expected shape \(3, 2\), got \(1,\)"),
    (lambda m: prune.global_unstructured([], 0.5), "at least one"),
])
def test_what_is_refused(call, match):
    layer = nn.Linear(2, 3)
    with pytest.raises(ValueError, match=match):
        call(layer)
    assert list(layer.state_dict()) == ["weight", "bias"]


def test_same_as_pytorch():
    torch = pytest.importorskip("torch")
    import torch.nn.utils.prune as theirs
    a, b = nn.Linear(5, 7).double(), torch.nn.Linear(5, 7).double()
    a.load_state_dict({key: value.numpy() for key, value in b.state_dict().items()})
    for amount in (0.3, 0.4, 3):
        prune.l1_unstructured(a, "weight", amount)
        theirs.l1_unstructured(b, "weight", amount)
        assert list(a.state_dict()) == list(b.state_dict())
        np.testing.assert_array_equal(a.weight.numpy(), b.weight.detach().numpy())
