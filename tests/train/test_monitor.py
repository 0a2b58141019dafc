"""Looking at a model while it trains: right numbers, and no difference to the training."""
import json

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.train.test_trainer import noisy_run, squares
from tinygrad_notes.data import DataLoader, TensorDataset
from tinygrad_notes.train import Callback, Monitor, NonFiniteLoss, Trainer
from tinygrad_notes.train.monitor import dead_share, summary, watched


@pytest.mark.parametrize("every", [None, 1, 3])
def test_a_run_that_is_watched_has_the_same_bits(every):
    plain = noisy_run()
    plain.fit(4)
    seen, monitor = noisy_run(), Monitor(every)  # both draw from the default stream
    seen.callbacks.append(monitor)
    seen.fit(4)
    assert plain.history.rows == seen.history.rows
    for key, value in plain.model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), seen.model.state_dict()[key].numpy())
    assert [row["step"] for row in monitor.rows] == {None: [1, 6, 11, 16], 1: list(range(1, 21)),
                                                     3: [1, 4, 7, 10, 13, 16, 19]}[every]


def test_a_transformer_that_is_watched_has_the_same_bits():
    """Its feed-forward part is one operation, which a hook on its first layer would take apart."""
    def losses(callbacks):
        tn.manual_seed(0)
        model = tn.nn.TransformerEncoderLayer(8, 2, 16, 0.1, "gelu", batch_first=True)
        data = [(tn.randn(4, 5, 8), tn.randn(4, 5, 8))]
        history = tn.train.fit(model, data, tn.optim.AdamW(model.parameters(), lr=0.01), 4, loss=squares,
                               callbacks=callbacks)
        return history["loss"]
    body = tn.nn.Sequential(tn.nn.Linear(4, 8), tn.nn.TransformerEncoderLayer(8, 2, 16))
    assert [path for path, _ in watched(body)] == ["0", "1"]
    assert losses([]) == losses([Monitor(1)])


def test_what_is_seen_of_a_step_is_what_happened():
    model = tn.nn.Sequential(tn.nn.Linear(3, 5, dtype="float64"), tn.nn.ReLU())
    x = tn.randn(7, 3, dtype="float64")
    before = model[0].weight.numpy().copy()
    monitor = Monitor(1, bins=10)
    Trainer(model, [(x, tn.zeros((7, 5), dtype="float64"))], tn.optim.SGD(model.parameters(), lr=0.5), loss=squares,
            callbacks=[monitor]).fit(1)
    row, = monitor.rows
    out = np.maximum(x.numpy() @ before.T + (model[0].bias.numpy() + 0.5 * model[0].bias.grad.numpy()), 0)
    seen = row["outputs"]["1"]
    assert seen["mean"] == pytest.approx(out.mean()) and seen["std"] == pytest.approx(out.std())
    assert seen["zeros"] == pytest.approx((out == 0).mean()) and sum(seen["counts"]) == out.size
    assert row["dead"]["1"] == pytest.approx((out == 0).all(0).mean())
    g = model[0].weight.grad.numpy()
    weights = row["weights"]["0.weight"]
    assert weights["norm"] == pytest.approx(np.linalg.norm(before))
    assert weights["gradient"] == pytest.approx(np.linalg.norm(g))
    assert weights["update"] == pytest.approx(0.5 * np.linalg.norm(g) / np.linalg.norm(before))
    assert (row["step"], row["epoch"], monitor.types) == (1, 1, {"0": "Linear", "1": "ReLU"})


def test_a_histogram_counts_within_four_deviations(rng):
    x = rng.normal(size=1000)
    x[0] = 40.0
    seen = summary(tn.tensor(x), 16)
    low, high = seen["range"]
    assert low == x.min() and high == pytest.approx(x.mean() + 4 * x.std()) and seen["high"] == 40.0
    np.testing.assert_array_equal(seen["counts"], np.histogram(np.clip(x, low, high), 16, (low, high))[0])
    bad = summary(tn.tensor([np.nan, 1.0, 1.0, np.inf]), 4)
    assert bad["bad"] == 2 and bad["counts"] == [2, 0, 0, 0] and bad["range"] == [1.0, 1.0]
    assert sum(summary(tn.tensor([np.nan]), 4)["counts"]) == 0


def test_dead_units_are_channels_of_images_and_elements_of_rows(rng):
    x = rng.uniform(0.5, 1, size=(4, 6, 3, 3))
    x[:, :2] = 0
    x[0, 2] = 0
    assert dead_share(tn.tensor(x)) == pytest.approx(2 / 6)
    assert dead_share(tn.tensor(x[:, :, 0, 0])) == pytest.approx(2 / 6)
    assert dead_share(tn.tensor(x[:1])) is None and dead_share(tn.tensor(1.0)) is None


def test_steps_of_several_batches_are_one_look():
    model = tn.nn.Linear(2, 1)
    data = DataLoader(TensorDataset(tn.randn(10, 2), tn.randn(10, 1)), 2)
    monitor = Monitor(1)
    trainer = Trainer(model, data, tn.optim.SGD(model.parameters(), lr=0.1), loss=squares, accumulate=2,
                      callbacks=[monitor])
    trainer.fit(1)
    assert [row["step"] for row in monitor.rows] == [2, 4, 6]  # the last step is of one batch, made after the epoch
    assert all(row["weights"]["weight"]["update"] > 0 for row in monitor.rows)


def test_old_looks_are_thinned_and_a_saved_monitor_goes_on(tmp_path):
    def run(monitor, epochs, trainer):
        trainer.callbacks = [monitor]
        trainer.fit(epochs)
        return [row["step"] for row in monitor.rows]
    monitor = Monitor(1, keep=4)
    trainer = noisy_run()
    assert run(monitor, 2, trainer) == [1, 3, 5, 7, 9]
    monitor.to_json(tmp_path / "m.json")
    again = Monitor(1, keep=4)
    again.load_state_dict(json.loads((tmp_path / "m.json").read_text()))
    assert again.rows == monitor.rows and run(again, 4, trainer) == [1, 5, 9, 13, 17]
    with pytest.raises(ValueError, match="not the saved state"):
        again.load_state_dict({})


def test_own_loops_are_watched_in_a_block_and_hooks_never_stay():
    model, monitor = tn.nn.Linear(2, 1), Monitor()
    opt = tn.optim.SGD(model.parameters(), lr=0.1)
    with monitor.watch(tn.nn.Sequential(model), 5):
        model(tn.ones((3, 2))).sum().backward()
        opt.step()
    assert monitor.rows[0]["step"] == 5 and monitor.rows[0]["outputs"]["0"]["counts"]
    with pytest.raises(ZeroDivisionError), monitor.watch(tn.nn.Sequential(model), 6):
        1 / 0  # noqa: B018
    trainer = Trainer(tn.nn.Sequential(model), [tn.ones((2, 2))], opt, callbacks=[Monitor(1)],
                      loss=lambda m, x: m(x).sum() * float("nan"))
    with pytest.raises(NonFiniteLoss):
        trainer.fit(1)
    assert model._hooks is None


def test_callbacks_are_told_of_the_end_of_a_run_that_fails():
    told = []

    class Listener(Callback):
        def begin(self, trainer):
            told.append("begin")

        def __call__(self, trainer, row):
            raise RuntimeError("stop")

        def end(self, trainer):
            told.append("end")
    trainer = noisy_run()
    trainer.callbacks.append(Listener())
    with pytest.raises(RuntimeError, match="stop"):
        trainer.fit(2)
    assert told == ["begin", "end"]


def test_pictures_and_wrong_options():
    trainer, monitor = noisy_run(), Monitor(2)
    trainer.callbacks.append(monitor)
    trainer.fit(1)
    found = monitor.pictures("ridge")
    assert {"output body.1", "gradient body.0.weight", "updates to weights", "weight norms", "dead units"} <= set(found)
    assert "(Tanh)" in found["output body.1"].svg()
    with pytest.raises(KeyError, match="known: body.0"):
        monitor.histogram("outputs", "head")
    with pytest.raises(ValueError, match="expected one of update"):
        monitor.curves("size")
    for options in ({"every": 0}, {"bins": 1}, {"keep": 1}, {"every": 1.5}):
        with pytest.raises(ValueError, match="expected an int"):
            Monitor(**options)
    trainer.callbacks = [Monitor(layers=["nowhere"])]
    with pytest.raises(ValueError, match="no module 'nowhere'; it has body"):
        trainer.fit(2)
