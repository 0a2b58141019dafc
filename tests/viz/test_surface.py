"""The loss around the weights: right values at right places, and a model that is left as it was."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.viz.contour import contours

pytestmark = pytest.mark.same_on_strict


class Bowl(tn.nn.Module):
    """loss = (w1 - 1)^2 + 10 (w2 + 2)^2, of a weight (1, 2); and a bias that matters not."""

    def __init__(self):
        super().__init__()
        self.weight = tn.nn.Parameter(tn.tensor([[3.0, 1.0]], dtype="float64"))
        self.bias = tn.nn.Parameter(tn.zeros(3))

    def loss(self, x):
        goal = tn.tensor([[1.0, -2.0]], dtype="float64")
        return (tn.tensor([1.0, 10.0], dtype="float64") * (self.weight - goal)**2).sum() * x.mean()


def state(*w):
    return {"weight": tn.tensor([list(w)], dtype="float64"), "bias": tn.zeros(3)}


def test_values_are_the_loss_at_the_points_of_the_grid():
    directions = [{"weight": tn.tensor([[1.0, 0.0]], dtype="float64")},
                  {"weight": tn.tensor([[0.0, 1.0]], dtype="float64")}]
    data = [tn.ones(2, dtype="float64"), 4 * tn.ones(1, dtype="float64")]  # a mean of 2 over examples
    found = tn.viz.loss_surface(Bowl(), data, directions=directions, span=2.0, steps=5, path=[state(5.0, 2.0)])
    a, b = np.meshgrid(found.x, found.y)
    np.testing.assert_allclose(found.values, 2 * ((3 + a - 1)**2 + 10 * (1 + b + 2)**2), rtol=1e-12)
    np.testing.assert_allclose(found.path, [[2.0, 1.0]], rtol=1e-12)
    assert found.explained is None and list(found.x) == [-2, -1, 0, 1, 2]


def test_the_plane_of_a_path_is_found_and_the_path_lies_in_it(rng):
    """States w + c (2, 1) + d (-1, 2): two directions explain all, and coordinates keep the distances."""
    steps = rng.normal(size=(6, 2)) * [5, 1]
    moves = steps @ np.array([[2.0, 1.0], [-1.0, 2.0]])
    path = [state(3 + a, 1 + b) for a, b in moves]
    found = tn.viz.loss_surface(Bowl(), [tn.ones(1, dtype="float64")], directions="pca", path=path, steps=3)
    assert sum(found.explained) == pytest.approx(1) and found.explained[0] > found.explained[1]
    apart = lambda p: np.linalg.norm(p[:, None] - p[None], axis=-1)
    np.testing.assert_allclose(apart(found.path), apart(moves), rtol=1e-9, atol=1e-9)
    assert (found.x[0] < found.path[:, 0]).all() and (found.path[:, 0] < found.x[-1]).all()
    assert found.svg().count("<circle") == 6


def test_random_directions_have_filters_as_long_as_those_of_the_weights():
    from tinygrad_notes.viz.surface import _directions
    model = tn.nn.Conv2d(3, 5, 2)
    weights = {name: p.detach() for name, p in model.named_parameters()}
    first, second, _ = _directions("random", weights, None, seed=3)
    assert set(first) == {"weight"}
    length = lambda t: np.sqrt((t.numpy()**2).sum((1, 2, 3)))
    np.testing.assert_allclose(length(first["weight"]), length(weights["weight"]), rtol=1e-5)
    assert (first["weight"].numpy() != second["weight"].numpy()).all()


class Noisy(tn.nn.Module):
    """Draws random numbers, has a norm with buffers, and dropout."""

    def __init__(self):
        super().__init__()
        self.body = tn.nn.Sequential(tn.nn.Linear(2, 6), tn.nn.BatchNorm1d(6), tn.nn.Dropout(0.5), tn.nn.Linear(6, 1))

    def loss(self, x):
        return {"loss": ((self.body(x + 0.1 * tn.normal(x.shape)) - 1)**2).mean(), "other": tn.ones(())}


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_and_the_random_stream_are_left_as_they_were(fails):
    model, x = Noisy(), tn.randn(9, 2)
    opt = tn.optim.Adam(model.parameters(), lr=0.1)
    model.loss(x)["loss"].backward()
    opt.step()
    arrays = {name: p.data for name, p in model.named_parameters()}
    before = {name: t.numpy().copy() for name, t in model.state_dict().items()}
    stream = tn.default_generator.get_state()
    modes = [module.training for module in model.modules()]

    def loss(model, x):
        if fails:
            raise RuntimeError("no")
        return model.loss(x)
    if fails:
        with pytest.raises(RuntimeError, match="no"):
            tn.viz.loss_surface(model, [x], loss, steps=3)
    else:
        first, again = (tn.viz.loss_surface(model, [x], steps=3) for _ in range(2))
        np.testing.assert_array_equal(first.values, again.values)
        assert first.svg() == again.svg()
    assert all(p.data is arrays[name] for name, p in model.named_parameters())
    for name, t in model.state_dict().items():
        np.testing.assert_array_equal(t.numpy(), before[name])
    assert modes == [module.training for module in model.modules()]
    np.testing.assert_array_equal(tn.default_generator.get_state(), stream)


def test_training_goes_on_with_the_same_bits_after_a_surface():
    def run(look):
        tn.manual_seed(1)
        model, x = Noisy(), tn.randn(9, 2)
        opt = tn.optim.Adam(model.parameters(), lr=0.1)
        for k in range(4):
            opt.zero_grad()
            model.loss(x)["loss"].backward()
            opt.step()
            if look and k == 1:
                tn.viz.loss_surface(model, [x], steps=3)
        return {name: t.numpy() for name, t in model.state_dict().items()}
    plain, seen = run(False), run(True)
    assert all((plain[name] == seen[name]).all() for name in plain)


def test_snapshots_are_the_path(rng):
    model = Bowl()
    snapshots = tn.train.Snapshots(every=2, keep=3)
    trainer = tn.train.Trainer(model, [tn.ones(1, dtype="float64")] * 3, tn.optim.SGD(model.parameters(), lr=0.01),
                               callbacks=[snapshots])
    trainer.fit(3)
    assert snapshots.steps == [0, 2, 4, 6, 8, 9]
    np.testing.assert_array_equal(snapshots.states[0]["weight"].numpy(), [[3.0, 1.0]])
    np.testing.assert_array_equal(snapshots.states[-1]["weight"].numpy(), model.weight.numpy())
    trainer.fit(5)
    assert len(snapshots.states) <= 7 and snapshots.steps[-1] == 15 and snapshots.steps == sorted(snapshots.steps)
    with pytest.raises(ValueError, match="keep: expected an int >= 2"):
        tn.train.Snapshots(keep=1)


def test_snapshots_do_not_hide_why_a_run_never_began():
    class Fails(tn.train.Callback):
        def begin(self, trainer):
            raise RuntimeError("no room")
    model = Bowl()
    trainer = tn.train.Trainer(model, [tn.ones(1, dtype="float64")], tn.optim.SGD(model.parameters(), lr=0.01),
                               callbacks=[Fails(), tn.train.Snapshots()])
    with pytest.raises(RuntimeError, match="no room"):
        trainer.fit(1)


# Contours ---------------------------------------------------------------------------------
def test_a_circle_is_one_closed_line():
    y, x = np.mgrid[-1:1:41j, -1:1:41j]
    line, = contours(np.hypot(x, y), 0.7)
    assert line[0] == line[-1] and len(line) == len(set(line)) + 1
    away = [np.hypot(-1 + i / 20, -1 + j / 20) for i, j in line]
    np.testing.assert_allclose(away, 0.7, atol=2e-3)


def test_lines_end_at_the_border_and_saddles_do_not_cross():
    y, x = np.mgrid[-1:1:10j, -1:1:10j]
    line, = contours(x + 0 * y, 0.05)
    assert {line[0][0], line[-1][0]} == {0.0, 9.0} and len(line) == 10
    assert len(contours(x * y, 1e-3)) == 2 and len(contours(x * y, -1e-3)) == 2
    holes = np.hypot(x, y)
    holes[0, 0] = np.nan
    assert contours(holes, 0.5) and contours(holes, 9.0) == []


@pytest.mark.parametrize(("options", "kind", "message"), [
    ({"steps": 1}, ValueError, "steps: expected an int >= 2"), ({"span": 0}, ValueError, "span: expected a number > 0"),
    ({"directions": "pca"}, ValueError, "path: directions='pca' needs"),
    ({"directions": "up"}, ValueError, "expected 'random', 'pca' or two dicts"),
    ({"directions": [{"w": tn.ones(1)}, {}]}, ValueError, "directions\\[0\\]: 'w' of shape \\(1,\\) is no parameter"),
    ({"path": [{}]}, ValueError, "path\\[0\\]: expected 'weight' of shape \\(1, 2\\), got nothing"),
    ({"path": [state(3.0, 1.0)] * 3, "directions": "pca"}, ValueError, "do not span a plane"),
    ({"data": []}, ValueError, "data: it has no batch"),
    ({"loss": lambda m, x: tn.tensor(float("nan"))}, ValueError, "finite at no point"),
    ({"loss": lambda m, x: tn.tensor(-1.0), "log": True}, ValueError, "has no logarithm"),
    ({"model": tn.nn.Linear(1, 1)}, TypeError, "Linear has no method loss"),
])
def test_what_does_not_fit_is_refused(options, kind, message):
    options = {"model": Bowl(), "data": [tn.ones(1, dtype="float64")], "steps": 2, **options}
    with pytest.raises(kind, match=message):
        tn.viz.loss_surface(options.pop("model"), options.pop("data"), options.pop("loss", None), **options)
