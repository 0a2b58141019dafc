"""What is not arrays in a compiled step: schedules go on in every run, and Python's own counting is refused aloud."""
import warnings

import numpy as np
import pytest

import tinygrad_notes as tn

nn, S = tn.nn, tn.optim.lr_scheduler

SCHEDULES = {
    "steps": lambda o: S.StepLR(o, 2),
    "exponential": lambda o: S.ExponentialLR(o, 0.9),
    "a function": lambda o: S.LambdaLR(o, lambda t: 1 / (1 + t)),
    "cosine with restarts": lambda o: S.CosineAnnealingWarmRestarts(o, 3),
    "cycles of rate and momentum": lambda o: S.CyclicLR(o, 0.01, 0.1, 2),
    "one cycle": lambda o: S.OneCycleLR(o, 0.5, total_steps=20),
    "chained": lambda o: S.ChainedScheduler([S.ConstantLR(o, 0.5, 2), S.ExponentialLR(o, 0.9)]),
    "warm-up, then cosine": lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.1, total_iters=3),
                                                         S.CosineAnnealingLR(o, 10)], [3]),
}


def training(schedule_of):
    tn.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = tn.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    schedule = schedule_of(optimizer)
    x = tn.asarray([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]])

    def step():
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss
    return step, optimizer, schedule


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_go_on(name):
    plain, optimizer, schedule = training(SCHEDULES[name])
    step, compiled_optimizer, compiled_schedule = training(SCHEDULES[name])
    step = tn.compile(step)
    for _ in range(7):
        a, b = plain().item(), step().item()
        assert b == pytest.approx(a, rel=2e-6)
        assert compiled_optimizer.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    assert not step.broken
    assert compiled_schedule.state_dict() == schedule.state_dict()


def test_a_schedule_that_looks_at_the_loss_is_refused_aloud():
    losses = []
    for compile in (lambda f: f, tn.compile):
        step, _, _ = training(lambda o: S.ConstantLR(o, 1.0, 1))
        model = nn.Linear(1, 1)
        schedule = S.ReduceLROnPlateau(tn.optim.SGD(model.parameters(), lr=1.0))

        def whole(step=step, schedule=schedule):
            loss = step()
            schedule.step(loss)
            return loss
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            function = compile(whole)
            losses.append([function().item() for _ in range(4)])
    assert function.broken
    assert losses[0] == losses[1]


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x * self.calls


def in_a_list():
    count = [0]

    def step(x):
        count[0] += 1
        return x * count[0]
    return step


def in_a_dict():
    settings = {"count": 1, "name": "x"}

    def step(x):
        settings["count"] *= 3
        return x * settings["count"]
    return step


def in_a_closure():
    count = 0

    def step(x):
        nonlocal count
        count += 2
        return x * count
    return step


@pytest.mark.parametrize("make", [in_a_list, in_a_dict, in_a_closure, Counting])
def test_counting_in_python_is_refused_and_counts_right(make):
    plain, compiled = make(), tn.compile(make())
    x = tn.asarray([1.0, 2.0])
    with pytest.warns(RuntimeWarning, match="when the function begins and .* when it ends"):
        first = compiled(x)
    np.testing.assert_array_equal(first.numpy(), plain(x).numpy())
    for _ in range(3):
        np.testing.assert_array_equal(compiled(x).numpy(), plain(x).numpy())


def test_settings_in_a_list_or_dict_are_looked_at_before_every_run():
    settings = {"factor": 2.0}
    f = tn.compile(lambda x: x * settings["factor"])
    x = tn.asarray([1.0, 2.0])
    assert f(x).tolist() == f(x).tolist() == [2.0, 4.0]
    settings["factor"] = 3.0
    assert f(x).tolist() == f(x).tolist() == [3.0, 6.0]
    assert f.recorded == 2
