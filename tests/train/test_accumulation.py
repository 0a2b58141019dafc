"""Micro-batches make the step that one large batch makes: means and sums, uneven parts, in the trainer."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import DataLoader, TensorDataset
from tinygrad_notes.train import Accumulation, Trainer


def model_and_data(rng):
    tn.manual_seed(3)
    model = tn.nn.Sequential(tn.nn.Linear(4, 6), tn.nn.Tanh(), tn.nn.Linear(6, 3)).to("float64")
    return model, tn.tensor(rng.standard_normal((23, 4))), tn.tensor(rng.integers(0, 3, 23))


def step_of(sizes, reduction, make=lambda p: tn.optim.Adam(p, lr=0.1)):
    model, x, y = model_and_data(np.random.default_rng(0))
    opt = make(model.parameters())
    accumulation = Accumulation(opt, len(sizes), reduction)
    ends = np.cumsum([0, *sizes])
    for a, b in zip(ends, ends[1:]):
        loss = tn.nn.functional.cross_entropy(model(x[a:b]), y[a:b], reduction=reduction)
        stepped = accumulation.backward(loss, count=int(b - a))
    assert stepped and accumulation.pending == 0
    return [p.numpy().copy() for p in model.parameters()]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("sizes", [(12, 11), (5, 5, 5, 5, 3), (1, 22), (1,) * 23])
def test_parts_of_any_size_make_the_step_of_the_whole(sizes, reduction):
    for a, b in zip(step_of((23,), reduction), step_of(sizes, reduction)):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_one_micro_batch_per_step_changes_no_bit():
    model, x, y = model_and_data(np.random.default_rng(0))
    opt = tn.optim.Adam(model.parameters(), lr=0.1)
    tn.nn.functional.cross_entropy(model(x), y).backward()
    opt.step()
    for p, q in zip(model.parameters(), step_of((23,), "mean")):
        assert np.array_equal(p.numpy(), q)


def test_what_is_left_makes_a_step_of_its_own():
    w = tn.tensor([0.0], dtype="float64", requires_grad=True)
    accumulation = Accumulation(tn.optim.SGD([w], lr=0.5), every=3)
    assert not accumulation.step()
    w.grad = tn.tensor(np.array([100.0]))  # from something else: cleared
    for x in ([2.0, 4.0], [9.0]):
        assert not accumulation.backward(((w - tn.tensor(x, dtype="float64")) ** 2).mean(), count=len(x))
    assert accumulation.pending == 2 and accumulation.step()
    assert w.item() == pytest.approx(5.0)  # the mean of 2, 4, 9


def test_a_trainer_that_accumulates_takes_the_path_of_large_batches():
    paths = []
    for batch, every in ((8, 1), (2, 4)):
        model, x, y = model_and_data(np.random.default_rng(0))
        loader = DataLoader(TensorDataset(x, y), batch)
        trainer = Trainer(model, loader, tn.optim.Adam(model.parameters(), lr=0.05), accumulate=every,
                          loss=lambda model, x, y: tn.nn.functional.cross_entropy(model(x), y))
        history = trainer.fit(3)
        paths.append((history["loss"], [p.numpy() for p in model.parameters()]))
    np.testing.assert_allclose(paths[0][0], paths[1][0], rtol=1e-10)  # 23 examples: the last of an epoch is uneven
    for a, b in zip(paths[0][1], paths[1][1]):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13)


def test_an_interrupted_trainer_ends_between_two_steps():
    model, x, y = model_and_data(np.random.default_rng(0))
    trainer = Trainer(model, DataLoader(TensorDataset(x, y), 2), tn.optim.SGD(model.parameters(), lr=0.1), accumulate=4,
                      loss=lambda model, x, y: tn.nn.functional.cross_entropy(model(x), y))
    trainer.loss = lambda model, *batch, inner=trainer.loss: trainer.interrupt() or inner(model, *batch)
    trainer.fit(2)
    assert trainer.step == 4


@pytest.mark.parametrize("make", [
    lambda p: tn.optim.LBFGS(p, max_iter=5, line_search_fn="strong_wolfe"),
    lambda p: tn.optim.SAM(tn.optim.SGD(p, lr=0.1))])
def test_a_trainer_with_an_optimizer_that_computes_the_loss_itself(make):
    model, x, y = model_and_data(np.random.default_rng(0))
    opt = make(model.parameters())
    history = tn.train.fit(model, [(x, y)], opt, 5,
                           loss=lambda model, x, y: tn.nn.functional.cross_entropy(model(x), y))
    assert history["loss"][-1] < history["loss"][0]
    with pytest.raises(TypeError, match="computes the loss itself"):
        Trainer(model, [(x, y)], opt, loss=lambda model, x, y: model(x).sum(), accumulate=2)


def test_a_schedule_per_step_counts_steps_of_the_optimizer():
    model, x, y = model_and_data(np.random.default_rng(0))
    opt = tn.optim.SGD(model.parameters(), lr=0.1)
    trainer = Trainer(model, DataLoader(TensorDataset(x, y), 2), opt, accumulate=5, scheduler_per="step",
                      scheduler=tn.optim.lr_scheduler.ExponentialLR(opt, 0.5),
                      loss=lambda model, x, y: tn.nn.functional.cross_entropy(model(x), y))
    trainer.fit(2)
    assert opt.param_groups[0]["lr"] == 0.1 * 0.5**6  # 12 batches make 3 steps an epoch
    with pytest.raises(ValueError, match="scheduler_per: expected 'epoch' or 'step', got 'batch'"):
        Trainer(model, [(x, y)], opt, loss=lambda model, x, y: model(x).sum(), scheduler_per="batch")


@pytest.mark.parametrize(("arguments", "text"), [
    ({"every": 0}, "every: expected an int >= 1, got 0"), ({"every": 2.0}, "every"),
    ({"every": 2, "reduction": "none"}, "reduction: expected 'mean' or 'sum', got 'none'")])
def test_bad_options(arguments, text):
    w = tn.tensor([0.0], requires_grad=True)
    with pytest.raises(ValueError, match=text):
        Accumulation(tn.optim.SGD([w]), **arguments)


def test_a_count_must_be_positive():
    w = tn.tensor([0.0], requires_grad=True)
    with pytest.raises(ValueError, match="count: expected a number > 0, got 0"):
        Accumulation(tn.optim.SGD([w]), 2).backward((w * w).sum(), count=0)
