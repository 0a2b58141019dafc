"""The training loop: what it computes, and that a run in pieces ends bit for bit where a whole one does."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import DataLoader, TensorDataset, two_moons
from tinygrad_notes.train import CheckpointError, EarlyStopping, NonFiniteLoss, RelativeChange, Trainer, fit


def squares(model, x, y):
    return ((model(x) - y)**2).mean()


class Noisy(tn.nn.Module):
    """A classifier that draws random numbers in two ways, and has a buffer, so that all kinds of state matter."""

    def __init__(self):
        super().__init__()
        self.body = tn.nn.Sequential(tn.nn.Linear(2, 16), tn.nn.Tanh(), tn.nn.Dropout(0.3), tn.nn.Linear(16, 2))
        self.register_buffer("seen", tn.zeros(()))

    def loss(self, x, y):
        if self.training:
            self.seen.data[...] += 1
        logits = self.body(x + 0.1 * tn.normal(x.shape))
        with tn.no_grad():
            accuracy = (tn.argmax(logits, axis=1) == y).astype(tn.float32).mean()
        return {"loss": tn.nn.functional.cross_entropy(logits, y), "accuracy": accuracy}


def noisy_run():
    """A trainer with everything that has a state."""
    tn.manual_seed(7)
    x, y = two_moons(90, generator=1)
    model = Noisy()
    optimizer = tn.optim.Adam(model.parameters(), lr=0.01)
    return Trainer(
        model, DataLoader(TensorDataset(x, y), 20, shuffle=True), optimizer, valid=DataLoader(TensorDataset(x, y), 64),
        scheduler=tn.optim.lr_scheduler.InverseTimeLR(optimizer, 5), stop=EarlyStopping(patience=50))


def stop_after(trainer, step):
    """Interrupt the trainer when it has done `step` steps, the way a signal would: from outside, at any point."""
    inner = trainer.loss

    def loss(model, *batch):
        if trainer.step + 1 == step and model.training:
            trainer.interrupt("test")
        return inner(model, *batch)
    trainer.loss = loss


@pytest.mark.parametrize("pieces", [[3], [5], [7, 8, 14], [1], [10, 19], list(range(1, 20))])
def test_a_run_in_pieces_ends_bit_for_bit_where_a_whole_one_does(tmp_path, pieces):
    """5 steps per epoch: 5 and 10 stop at the end of one, the others in the middle."""
    whole = noisy_run()
    whole.fit(4, checkpoint=tmp_path / "whole")
    assert whole.step == 20

    file = tmp_path / "pieces"
    for k, step in enumerate(pieces):
        part = noisy_run()
        if k:
            tn.manual_seed(k + 1000)  # whatever the new process drew must not matter
            part.load(file)
        stop_after(part, step)
        part.fit(4, checkpoint=file)
        assert part.interrupted == "test" and part.step == step
    last = noisy_run()
    last.load(file)
    last.fit(4, checkpoint=file)
    assert file.read_bytes() == (tmp_path / "whole").read_bytes()
    assert last.history.rows == whole.history.rows


def test_more_epochs_later_equal_as_many_at_once(tmp_path):
    noisy_run().fit(5, checkpoint=tmp_path / "whole")
    noisy_run().fit(2, checkpoint=tmp_path / "part")
    second = noisy_run()
    second.load(tmp_path / "part")
    second.fit(5, checkpoint=tmp_path / "part")
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "part").read_bytes()


def test_a_full_batch_step_is_the_step_by_hand(rng):
    X, y = tn.data.line(50, generator=rng, dtype=tn.float64)
    model = tn.nn.Linear(2, 1, bias=False, dtype=tn.float64)
    w = model.weight.numpy().copy()
    fit(model, [(X, y)], tn.optim.SGD(model.parameters(), lr=0.05), 3, loss=squares)
    Xn, yn = X.numpy(), y.numpy()
    for _ in range(3):
        w = w - 0.05 * 2 / 50 * (Xn @ w.T - yn).T @ Xn
    np.testing.assert_allclose(model.weight.numpy(), w, rtol=1e-12)


def test_history_holds_the_means_over_examples_not_over_batches():
    """A model that does not move: batches of 3, 3 and 1."""
    data = TensorDataset(tn.tensor([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [100.0]]), tn.zeros((7, 1)))
    model = tn.nn.Linear(1, 1, bias=False)
    model.weight.data[...] = 1.0
    history = fit(model, DataLoader(data, 3), tn.optim.SGD(model.parameters(), lr=0.0), 2, loss=squares,
                  valid=DataLoader(data, 2))
    expected = (sum(k * k for k in range(1, 7)) + 100**2) / 7
    assert history["loss"] == pytest.approx([expected] * 2) and history["valid_loss"] == pytest.approx([expected] * 2)
    assert history["step"] == [3, 6] and history["epoch"] == [1, 2] and history["lr"] == [0.0, 0.0]


def test_validation_is_in_evaluation_mode_and_leaves_no_gradient():
    modes = []

    def loss(model, x):
        modes.append((model.training, tn.is_grad_enabled()))
        return (model(x)**2).mean()

    model = tn.nn.Dropout(0.5)
    weight = tn.tensor([1.0], requires_grad=True)
    fit(model, [(tn.ones((2, 2)) * weight,)], tn.optim.SGD([weight], lr=0.1), 1, loss=loss, valid=[tn.ones((2, 2))])
    assert modes == [(True, True), (False, False)]
    assert model.training


def test_held_out_data_may_be_looked_at_less_often():
    model = tn.nn.Linear(1, 1)
    batches = [(tn.ones((2, 1)), tn.ones((2, 1)))]
    history = fit(model, batches, tn.optim.SGD(model.parameters(), lr=0.1), 5, loss=squares, valid=batches,
                  valid_every=2)
    assert [k for k, row in enumerate(history, 1) if "valid_loss" in row] == [2, 4]
    assert history.curve("valid_loss")[0] == [2, 4]


def test_rules_end_the_run_and_the_best_parameters_are_restored():
    X, y = tn.data.line(100, generator=0)
    model = tn.nn.Linear(2, 1, bias=False)
    trainer = Trainer(model, [(X, y)], tn.optim.SGD(model.parameters(), lr=0.05), loss=squares,
                      stop=RelativeChange(0.01))
    losses = trainer.fit(500)["loss"]
    changes = [abs(b - a) / a for a, b in zip(losses, losses[1:])]
    assert changes[-1] <= 0.01 and all(change > 0.01 for change in changes[:-1])
    assert "changed by at most 0.01" in trainer.finished
    before = trainer.epoch
    trainer.fit(600)
    assert trainer.epoch == before, "a finished run must not go on"


def test_a_diverging_run_keeps_the_best_epoch():
    X, y = tn.data.line(100, generator=0)
    model = tn.nn.Linear(2, 1, bias=False)
    trainer = Trainer(model, [(X, y)], tn.optim.SGD(model.parameters(), lr=0.09), loss=squares, valid=[(X, y)],
                      stop=EarlyStopping(patience=3))
    history = trainer.fit(100)
    assert trainer.epoch < 100
    assert trainer.evaluate([(X, y)])["loss"] == pytest.approx(min(history["valid_loss"]), rel=1e-6)


def test_plateau_schedules_get_the_loss_on_held_out_data():
    model = tn.nn.Linear(1, 1)
    optimizer = tn.optim.SGD(model.parameters(), lr=0.1)
    schedule = tn.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    one = [(tn.ones((1, 1)), tn.ones((1, 1)))]
    history = fit(model, one, optimizer, 6, loss=lambda m, x, y: 0 * squares(m, x, y) + 1, valid=one,
                  scheduler=schedule)
    assert history["lr"] == [0.1, 0.1, 0.1, 0.05, 0.05, 0.025]


def test_a_loss_that_is_not_finite_ends_the_run_before_the_step():
    model = tn.nn.Linear(2, 1)
    before = model.weight.numpy().copy()
    with pytest.raises(NonFiniteLoss, match=r"the loss is nan at step 1, epoch 1"):
        fit(model, [(tn.full((1, 2), float("nan")), tn.ones((1, 1)))], tn.optim.SGD(model.parameters(), lr=1.0), 1,
            loss=squares)
    assert (model.weight.numpy() == before).all()


def test_callbacks_get_each_row():
    rows = []
    model = tn.nn.Linear(1, 1)
    fit(model, [(tn.ones((1, 1)), tn.ones((1, 1)))], tn.optim.SGD(model.parameters(), lr=0.1), 2, loss=squares,
        callbacks=[lambda trainer, row: rows.append((trainer.epoch, row["epoch"]))])
    assert rows == [(1, 1), (2, 2)]


def test_a_loader_without_state_is_interrupted_between_epochs():
    one = (tn.ones((1, 1)), tn.ones((1, 1)))
    model = tn.nn.Linear(1, 1)
    trainer = Trainer(model, [one, one, one], tn.optim.SGD(model.parameters(), lr=0.1), loss=squares)
    stop_after(trainer, 2)
    trainer.fit(5)
    assert (trainer.step, trainer.epoch) == (3, 1)


@pytest.mark.parametrize(("result", "error", "message"), [
    (1.0, TypeError, "got float"), ({"kl": 1}, TypeError, "a dict of kl"), (tn.ones(3), ValueError, r"shape \(3,\)"),
])
def test_what_is_no_loss_is_refused(result, error, message):
    model = tn.nn.Linear(1, 1)
    with pytest.raises(error, match=message):
        fit(model, [tn.ones((1, 1))], tn.optim.SGD(model.parameters(), lr=0.1), 1, loss=lambda *_: result)


def test_bad_arguments_are_refused():
    model = tn.nn.Linear(1, 1)
    optimizer = tn.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(TypeError, match="Linear has no method loss"):
        Trainer(model, [1], optimizer)
    with pytest.raises(ValueError, match="no batch"):
        Trainer(model, [], optimizer, loss=squares)
    for epochs in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="epochs: expected an int >= 1"):
            Trainer(model, [1], optimizer, loss=squares).fit(epochs)


def test_a_state_of_something_else_is_refused_and_changes_nothing(tmp_path):
    run = noisy_run()
    run.fit(1, checkpoint=tmp_path / "run")
    fresh = noisy_run()
    before = fresh.model.state_dict()["body.0.weight"].numpy().copy()
    tn.save({"w": tn.ones(3)}, tmp_path / "other")
    with pytest.raises(CheckpointError, match="other: this is not the saved state of a training run"):
        fresh.load(tmp_path / "other")
    state = tn.load(tmp_path / "run")
    for change, message in [({"scheduler": None}, "no scheduler"), ({"loader": None}, "no loader"),
                            ({"stop": []}, "0 rules")]:
        with pytest.raises(CheckpointError, match=message):
            fresh.load_state_dict({**state, **change})
    with pytest.raises(CheckpointError, match="lacks step"):
        fresh.load_state_dict({k: v for k, v in state.items() if k != "step"})
    with pytest.raises(RuntimeError, match="nothing was changed"):
        fresh.load_state_dict({**state, "model": {}})
    assert (fresh.model.body[0].weight.numpy() == before).all() and fresh.step == 0


# Parts trained in turns -----------------------------------------------------------------
class Duel(tn.nn.Module):
    """One part learns what the other, slower one has drawn; both have their own optimizer."""

    def __init__(self):
        super().__init__()
        self.first, self.second = tn.nn.Linear(2, 3), tn.nn.Linear(3, 1)

    def loss(self, x, y):
        return (self.second(tn.tanh(self.first(x + 0.1 * tn.normal(x.shape)))) ** 2).mean()

    def update(self, trainer, x, y):
        found = {"loss": trainer.descend("first", self.loss(x, y) - 1.0)}
        if trainer.step % 3 == 2:
            found["second"] = trainer.descend("second", -self.loss(x, y))
        return found


def duel():
    tn.manual_seed(3)
    x, y = two_moons(90, generator=1)
    model = Duel()
    optimizers = {"first": tn.optim.Adam(model.first.parameters(), lr=0.01),
                  "second": tn.optim.RMSprop(model.second.parameters(), lr=0.01)}
    schedules = [tn.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=7) for o in optimizers.values()]
    return Trainer(model, DataLoader(TensorDataset(x, y), 20, shuffle=True), optimizers, scheduler=schedules,
                   scheduler_per="step", update=lambda trainer, batch: model.update(trainer, *batch))


@pytest.mark.parametrize("step", [3, 5, 7])
def test_several_optimizers_and_schedules_go_on_bit_for_bit(tmp_path, step):
    whole = duel()
    whole.fit(3, checkpoint=tmp_path / "whole")
    assert {"loss", "second"} <= set(whole.history.columns)
    part = duel()
    inner = part.update

    def update(trainer, batch):
        if trainer.step + 1 == step:
            trainer.interrupt("test")
        return inner(trainer, batch)
    part.update = update
    part.fit(3, checkpoint=tmp_path / "part")
    assert part.step == step
    tn.manual_seed(99)
    last = duel()
    last.load(tmp_path / "part")
    last.fit(3, checkpoint=tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == (tmp_path / "whole").read_bytes()


def test_descend_moves_the_parameters_of_one_optimizer_alone():
    trainer = duel()
    batch = next(iter(trainer.loader))
    before = {name: p.numpy().copy() for name, p in trainer.model.named_parameters()}
    trainer.descend("second", trainer.model.loss(*batch))
    for name, p in trainer.model.named_parameters():
        assert np.array_equal(p.numpy(), before[name]) == name.startswith("first"), name
        assert (p.grad is None) == name.startswith("first")
    with pytest.raises(NonFiniteLoss):
        trainer.descend("first", trainer.model.loss(*batch) * float("inf"))


def test_bad_updates_are_refused(tmp_path):
    trainer = duel()
    with pytest.raises(TypeError, match=r"2 optimizers \(first, second\) need a function update"):
        Trainer(trainer.model, trainer.loader, trainer.optimizer)
    with pytest.raises(TypeError, match="accumulate: with a function update"):
        Trainer(trainer.model, trainer.loader, trainer.optimizer, update=trainer.update, accumulate=2)
    other = Trainer(trainer.model, trainer.loader, trainer.optimizer, update=lambda trainer, batch: {"cost": 1.0})
    with pytest.raises(TypeError, match="update: expected a dict with the number 'loss', got one of cost"):
        other.fit(1)
    trainer.save(tmp_path / "state")
    single = Trainer(trainer.model, trainer.loader, trainer.optimizer["first"], scheduler=trainer.scheduler[0])
    with pytest.raises(CheckpointError, match="other optimizers"):
        single.load(tmp_path / "state")
