"""The range test: its rates, where it stops, what it suggests, and that nothing is left of it."""
import copy
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import DataLoader, TensorDataset, two_moons
from tinygrad_notes.train import LRSearch, find_lr


def everything():
    """A model with dropout and a buffer, a shuffling loader, an optimizer in mid-run with two groups."""
    tn.manual_seed(7)
    x, y = two_moons(90, generator=1)
    model = tn.nn.Sequential(tn.nn.Linear(2, 16), tn.nn.BatchNorm1d(16), tn.nn.Tanh(), tn.nn.Dropout(0.3),
                             tn.nn.Linear(16, 2))
    loader = DataLoader(TensorDataset(x, y), 20, shuffle=True)
    params = list(model.parameters())
    opt = tn.optim.Adam([{"params": params[:2], "lr": 0.03}, {"params": params[2:]}], lr=0.01)
    return model, loader, opt


def loss(model, x, y):
    return tn.nn.functional.cross_entropy(model(x + 0.01 * tn.normal(x.shape)), y)


def train(model, loader, opt, epochs):
    seen = []
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad()
            value = loss(model, x, y)
            value.backward()
            opt.step()
            seen.append(value.item())
    return seen


def test_a_search_leaves_no_trace():
    model, loader, opt = everything()
    train(model, loader, opt, 1)
    model.eval()
    rest = iter(loader)
    next(rest)
    before = copy.deepcopy((model.state_dict(), repr(opt), [p.grad.numpy().copy() for p in model.parameters()]))
    found = find_lr(model, loader, opt, loss=loss, steps=40, end=100.0)
    assert len(found.rates) > 10
    after = model.state_dict(), repr(opt), [p.grad.numpy() for p in model.parameters()]
    for name in before[0]:
        assert np.array_equal(before[0][name].numpy(), after[0][name].numpy()), name
    assert before[1] == after[1] and all(map(np.array_equal, before[2], after[2]))
    assert not model.training and loader.position == 1
    model.train()
    with_search = train(model, loader, opt, 3)
    model, loader, opt = everything()
    train(model, loader, opt, 1)
    next(iter(loader))
    loader.load_state_dict(loader.state_dict())  # go on in the epoch, as after the search
    assert train(model, loader, opt, 3) == with_search


def test_nothing_is_left_after_an_error_either():
    model, loader, opt = everything()
    before = model[0].weight.numpy().copy(), repr(opt)
    calls = []

    def failing(model, x, y):
        calls.append(1)
        if len(calls) == 5:
            raise RuntimeError("no more")
        return loss(model, x, y)

    with pytest.raises(RuntimeError, match="no more"):
        find_lr(model, loader, opt, loss=failing)
    assert np.array_equal(model[0].weight.numpy(), before[0]) and repr(opt) == before[1]


@pytest.mark.parametrize(("mode", "expected"), [
    ("exp", np.geomspace(1e-6, 1e-3, 7)), ("linear", np.linspace(1e-6, 1e-3, 7))])
def test_rates_of_the_steps(mode, expected):
    model, loader, opt = everything()
    seen = []
    plain = opt.step
    opt.step = lambda: seen.append([group["lr"] for group in opt.param_groups]) or plain()
    found = find_lr(model, loader, opt, loss=loss, start=1e-6, end=1e-3, steps=7, mode=mode)
    np.testing.assert_allclose(found.rates, expected, rtol=1e-12)
    np.testing.assert_allclose(seen, np.stack([expected, expected / 3], 1), rtol=1e-12)  # groups keep their proportions
    assert found.stopped == ""


def quadratic(curvature, **options):
    model = tn.nn.Linear(1, 1, bias=False).to("float64")
    with tn.no_grad():
        model.weight[...] = 1.0
    opt = tn.optim.SGD(model.parameters(), lr=1.0)
    x = tn.ones((1, 1), dtype="float64")
    return find_lr(model, [(x,)], opt, loss=lambda model, x: (0.5 * curvature * model(x) ** 2).sum(), **options)


def test_the_suggestion_lies_below_the_limit_of_stability():
    for curvature in (0.1, 1.0, 30.0):
        found = quadratic(curvature, start=1e-4, end=1e4, steps=150, smooth=0.5)
        assert found.stopped.startswith("diverged at rate")
        assert 0.01 / curvature < found.suggestion() < 2 / curvature < found.rates[-1]
        assert found.suggestion("minimum") < 2 / curvature


def test_the_average_is_free_of_its_beginning():
    found = quadratic(1.0, start=1e-4, end=1e-2, steps=20, smooth=0.8)
    weights = [[0.8 ** (k - j) for j in range(k + 1)] for k in range(20)]
    expected = [np.dot(w, found.losses[:len(w)]) / np.sum(w) for w in weights]
    np.testing.assert_allclose(found.smoothed, expected, rtol=1e-12)


def test_it_stops_where_the_loss_is_not_finite():
    model, loader, opt = everything()
    calls = []

    def bad(model, x, y):
        calls.append(1)
        return loss(model, x, y) * (float("nan") if len(calls) == 9 else 1.0)

    found = find_lr(model, loader, opt, loss=bad)
    assert len(found.rates) == 8 and found.stopped.startswith("the loss was nan at rate")


def test_optimizers_that_compute_the_loss_themselves():
    model, loader, opt = everything()
    found = find_lr(model, loader, tn.optim.SAM(opt), loss=loss, steps=10)
    assert len(found.losses) == 10


def test_the_picture():
    found = quadratic(1.0, start=1e-3, end=10.0, steps=50)
    text = found.plot().svg()
    ElementTree.fromstring(text)
    assert f"suggestion {found.suggestion():.2g}" in text and "0.01" in text
    ElementTree.fromstring(LRSearch([1e-3, 1e-2], [1.0, 2.0], [1.0, 2.0]).plot().svg())


def test_a_bar_counts_the_steps(capsys):
    quadratic(1.0, start=1e-3, end=1e-2, steps=5, progress=True)
    assert "5/5" in capsys.readouterr().err


@pytest.mark.parametrize(("options", "text"), [
    ({"start": 0.0}, "start, end: expected 0 < start < end"), ({"start": 1.0, "end": 0.1}, "start, end"),
    ({"steps": 2}, "steps: expected an int >= 3, got 2"), ({"mode": "log"}, "mode: expected 'exp' or 'linear'"),
    ({"smooth": 1.0}, "smooth"), ({"diverged": 0}, "diverged")])
def test_bad_options(options, text):
    with pytest.raises(ValueError, match=text):
        quadratic(1.0, **options)


def test_what_cannot_be_suggested():
    with pytest.raises(ValueError, match="needs 3 steps, there are 2"):
        LRSearch([1, 2], [1, 2], [1, 2]).suggestion()
    with pytest.raises(ValueError, match="the loss never fell"):
        LRSearch([1, 2, 3], [1, 2, 3], [1, 2, 3]).suggestion()
    with pytest.raises(ValueError, match="expected 'steepest' or 'minimum', got 'valley'"):
        LRSearch([1, 2, 3], [3, 2, 1], [3, 2, 1]).suggestion("valley")
    with pytest.raises(TypeError, match="has no method loss"):
        find_lr(tn.nn.Linear(1, 1), [1], None)
