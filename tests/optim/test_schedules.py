"""Schedules against their formulas; warm-ups; state on disk; what is refused."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn

S = tn.optim.lr_scheduler


def optimizer(lr=0.8, **options):
    return tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=lr, momentum=0.9, **options)


def rates(opt, schedule, n):
    seen = []
    for _ in range(n):
        seen.append(opt.param_groups[0]["lr"])
        opt.step()
        schedule.step()
    return np.array(seen)


FORMULAS = [
    (lambda o: S.StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3)),
    (lambda o: S.MultiStepLR(o, [2, 5, 5], 0.5), lambda t: 0.5 ** ((t >= 2) + 2 * (t >= 5))),
    (lambda o: S.ConstantLR(o, 0.25, 6), lambda t: 1.0 if t >= 6 else 0.25),
    (lambda o: S.LinearLR(o, 0.2, 0.9, 8), lambda t: 0.2 + 0.7 * min(t, 8) / 8),
    (lambda o: S.ExponentialLR(o, 0.9), lambda t: 0.9**t),
    (lambda o: S.PolynomialLR(o, 12, 2.0), lambda t: (1 - min(t, 12) / 12) ** 2),
    (lambda o: S.CosineAnnealingLR(o, 7), lambda t: (1 + math.cos(math.pi * t / 7)) / 2),
    (lambda o: S.InverseTimeLR(o, 10), lambda t: 1 / (1 + t / 10)),
    (lambda o: S.InverseSqrtLR(o, 4), lambda t: min((t + 1) / 4, math.sqrt(4 / (t + 1)))),
    (lambda o: S.InverseSqrtLR(o), lambda t: 1 / math.sqrt(t + 1)),
]


@pytest.mark.parametrize(("make", "factor"), FORMULAS)
def test_steps_follow_the_formula_and_so_does_a_jump(make, factor):
    opt = optimizer()
    schedule = make(opt)
    np.testing.assert_allclose(rates(opt, schedule, 40), [0.8 * factor(t) for t in range(40)], rtol=1e-12, atol=1e-14)
    for t in (3, 25, 0):
        schedule.step(t)
        assert opt.param_groups[0]["lr"] == pytest.approx(0.8 * factor(t), rel=1e-12, abs=1e-14)


@pytest.mark.row("S0-07")
def test_inverse_time_schedule_halves_the_rate_at_its_time():
    opt = optimizer(0.5)
    found = rates(opt, S.InverseTimeLR(opt, T=10), 31)
    assert found[0] == 0.5 and found[10] == pytest.approx(0.25) and found[30] == pytest.approx(0.125)


@pytest.mark.parametrize("after", [
    None, lambda o: S.CosineAnnealingLR(o, 10), lambda o: S.InverseTimeLR(o, 3),
    lambda o: S.ChainedScheduler([S.ExponentialLR(o, 0.9), S.StepLR(o, 2)]),
    lambda o: S.SequentialLR(o, [S.ConstantLR(o, 0.5, 9), S.ExponentialLR(o, 0.5)], [4])])
def test_a_warm_up_and_then_anything_from_its_beginning(after):
    alone = optimizer()
    expected = rates(alone, after(alone), 20) if after else np.full(20, 0.8)
    opt = optimizer()
    schedule = S.WarmupLR(opt, 5, after and after(opt))
    found = rates(opt, schedule, 25)
    np.testing.assert_allclose(found[:5], 0.8 * (0.2 + 0.8 * np.arange(5) / 5), rtol=1e-12)
    np.testing.assert_allclose(found[5:], expected, rtol=1e-12)


@pytest.mark.parametrize("make", [
    lambda o: S.MultiStepLR(o, [3, 9]), lambda o: S.OneCycleLR(o, 0.5, 40), lambda o: S.CyclicLR(o, 0.1, 0.5, 4),
    lambda o: S.WarmupLR(o, 5, S.CosineAnnealingWarmRestarts(o, 4, 2)), lambda o: S.ReduceLROnPlateau(o, patience=2),
    lambda o: S.ChainedScheduler([S.LambdaLR(o, lambda t: 0.9**t), S.SWALR(o, 0.1)])])
def test_a_saved_schedule_continues(make, tmp_path):
    a = optimizer()
    one = make(a)

    def steps(opt, schedule, n):
        seen = []
        for k in range(n):
            schedule.step(*([1.0 + k % 3] if isinstance(schedule, S.ReduceLROnPlateau) else []))
            seen.append((opt.param_groups[0]["lr"], opt.param_groups[0]["momentum"]))
        return seen

    steps(a, one, 7)
    tn.save({"optimizer": a.state_dict(), "schedule": one.state_dict()}, tmp_path / "state.safetensors")
    state = tn.load(tmp_path / "state.safetensors")
    b = optimizer()
    two = make(b)
    b.load_state_dict(state["optimizer"])
    two.load_state_dict(state["schedule"])
    assert steps(b, two, 20) == steps(a, one, 20)


def test_momentum_moves_against_the_rate():
    opt = optimizer()
    schedule = S.CyclicLR(opt, 0.1, 0.5, 4, base_momentum=0.7, max_momentum=0.95)
    for _ in range(16):
        group = opt.param_groups[0]
        height = (group["lr"] - 0.1) / 0.4
        assert group["momentum"] == pytest.approx(0.95 - 0.25 * height)
        schedule.step()


def test_a_nan_is_no_improvement():
    opt = optimizer()
    schedule = S.ReduceLROnPlateau(opt, factor=0.5, patience=1)
    for value in (1.0, float("nan"), float("nan")):
        schedule.step(value)
    assert opt.param_groups[0]["lr"] == 0.4 and schedule.best == 1.0


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda o: S.StepLR(0.1, 3), TypeError, "optimizer: expected an Optimizer, got float"),
    (lambda o: S.CyclicLR(None, 0.1, 0.5), TypeError, "expected an Optimizer, got NoneType"),
    (lambda o: S.OneCycleLR([o], 0.1, 10), TypeError, "expected an Optimizer, got list"),
    (lambda o: S.ReduceLROnPlateau("sgd"), TypeError, "expected an Optimizer, got str"),
    (lambda o: S.SWALR(3, 0.1), TypeError, "expected an Optimizer, got int"),
    (lambda o: S.LambdaLR(o, 0.9), TypeError, "lr_lambda: expected a function of the step number, got float"),
    (lambda o: S.LambdaLR(o, [abs, abs]), ValueError, "lr_lambda: expected one function or 1"),
    (lambda o: S.StepLR(o, 0), ValueError, "step_size"),
    (lambda o: S.ExponentialLR(o, float("nan")), ValueError, "gamma"),
    (lambda o: S.LinearLR(o, 0.0), ValueError, "start_factor"),
    (lambda o: S.PolynomialLR(o, 0), ValueError, "total_iters"),
    (lambda o: S.CosineAnnealingLR(o, 0), ValueError, "T_max"),
    (lambda o: S.CosineAnnealingWarmRestarts(o, 2.5), ValueError, "T_0: expected an int >= 1, got 2.5"),
    (lambda o: S.CyclicLR(o, 0.1, 0.5, mode="triangle"), ValueError, "did you mean 'triangular'"),
    (lambda o: S.CyclicLR(o, 0.1, [0.5, 0.6]), ValueError, "max_lr: expected one number or 1"),
    (lambda o: S.CyclicLR(tn.optim.Adagrad(o.param_groups[0]["params"]), 0.1, 1), ValueError, "neither momentum nor"),
    (lambda o: S.OneCycleLR(o, 0.1), ValueError, "total_steps: give it"),
    (lambda o: S.OneCycleLR(o, 0.1, 10, anneal_strategy="cosine"), ValueError, "anneal_strategy: expected one of"),
    (lambda o: S.SWALR(o, 0.1, anneal_epochs=-1), ValueError, "anneal_epochs"),
    (lambda o: S.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor"),
    (lambda o: S.ReduceLROnPlateau(o, "minimum"), ValueError, "did you mean 'min'"),
    (lambda o: S.ChainedScheduler([]), ValueError, "at least one"),
    (lambda o: S.ChainedScheduler([S.StepLR(o, 2), S.StepLR(optimizer(), 2)]), ValueError, "all must schedule"),
    (lambda o: S.ChainedScheduler([S.ReduceLROnPlateau(o)]), ValueError, "needs a measure at every step"),
    (lambda o: S.SequentialLR(o, [S.StepLR(o, 2)], [3]), ValueError, "milestones: expected 0 for 1 schedules, got 1"),
    (lambda o: S.SequentialLR(o, [S.StepLR(o, 2)] * 3, [3, 2]), ValueError, "expected them in order"),
    (lambda o: S.SequentialLR(o, [3], []), TypeError, r"schedulers\[0\]: expected a schedule, got int"),
    (lambda o: S.WarmupLR(o, 0), ValueError, "warmup_steps"),
    (lambda o: S.StepLR(o, 2, last_epoch=3), KeyError, "group 0 has no 'initial_lr'"),
])
def test_bad_options(make, error, text):
    with pytest.raises(error, match=text):
        make(optimizer())


def test_a_state_of_another_schedule_is_refused():
    opt = optimizer()
    with pytest.raises(ValueError, match="lacks 'step_size', 'gamma' of StepLR"):
        S.StepLR(opt, 2).load_state_dict(S.LambdaLR(opt, abs).state_dict())
    with pytest.raises(ValueError, match="the states of 2 schedules"):
        S.WarmupLR(opt, 2, S.StepLR(opt, 2)).load_state_dict(S.StepLR(opt, 2).state_dict())


def test_groups_must_not_change_under_a_schedule():
    opt = optimizer()
    schedule = S.ExponentialLR(opt, 0.5)
    opt.add_param_group({"params": [tn.tensor([2.0], requires_grad=True)]})
    with pytest.raises(ValueError, match="made for 1 parameter groups, the optimizer has 2 now"):
        schedule.step()


def test_one_cycle_ends():
    opt = optimizer()
    schedule = S.OneCycleLR(opt, 0.5, total_steps=5)
    for _ in range(5):
        schedule.step()
    with pytest.raises(ValueError, match="step 6 of a one-cycle schedule of 5 steps"):
        schedule.step()
