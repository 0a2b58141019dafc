"""Averaged weights beside an optimizer and its schedule: what PyTorch gets in the same run."""
import numpy as np
import pytest

import tinygrad_notes as tn

torch = pytest.importorskip("torch")


def train(library, swa, weights, x, y, average):
    model = library.nn.Sequential(library.nn.Linear(3, 4), library.nn.Tanh(), library.nn.Linear(4, 1))
    model = model.to(library.float64)
    model.load_state_dict({name: library.tensor(w) for name, w in weights.items()})
    opt = library.optim.Adam(model.parameters(), lr=0.05)
    averaged = swa.AveragedModel(model, avg_fn=swa.get_ema_avg_fn(0.8) if average == "ema" else None)
    schedule = swa.SWALR(opt, 0.01, anneal_epochs=4)
    x, y = library.tensor(x), library.tensor(y)
    for step in range(12):
        opt.zero_grad()
        ((model(x) - y) ** 2).mean().backward()
        opt.step()
        if step >= 3:
            averaged.update_parameters(model)
            schedule.step()
    return {name: np.asarray(p.detach()) for name, p in averaged.module.state_dict().items()}


@pytest.mark.parametrize("average", ["mean", "ema"])
@pytest.mark.same_on_strict
def test_the_same_averages(average, rng):
    shapes = {"0.weight": (4, 3), "0.bias": (4,), "2.weight": (1, 4), "2.bias": (1,)}
    weights = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 1))
    ours = train(tn, tn.optim.swa_utils, weights, x, y, average)
    theirs = train(torch, torch.optim.swa_utils, weights, x, y, average)
    for name in shapes:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-12)
