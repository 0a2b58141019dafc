"""Every schedule gives PyTorch's rates and momenta, over its whole course, after a resumption, and by its formula."""
import copy
import math
import warnings

import numpy as np
import pytest

import tinygrad_notes as tn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.same_on_strict,
              pytest.mark.filterwarnings("ignore:Detected call of:UserWarning")]  # PyTorch's, on nested sequences

OURS, THEIRS = tn.optim.lr_scheduler, torch.optim.lr_scheduler


class Power:
    """A callable object, whose state belongs to that of the schedule."""

    def __init__(self, base):
        self.base = base

    def __call__(self, t):
        return self.base**t


SCHEDULES = {
    "lambda": lambda m, o: m.LambdaLR(o, lambda t: 1 / (1 + t)),
    "lambda per group": lambda m, o: m.LambdaLR(o, [lambda t: 0.9**t, Power(0.97)]),
    "multiplicative": lambda m, o: m.MultiplicativeLR(o, lambda t: 0.99 + 0.01 * math.sin(t)),
    "step": lambda m, o: m.StepLR(o, 7, 0.5),
    "multistep": lambda m, o: m.MultiStepLR(o, [3, 17, 17, 90], 0.5),
    "constant": lambda m, o: m.ConstantLR(o, 0.25, 13),
    "constant for no time": lambda m, o: m.ConstantLR(o, total_iters=0),
    "linear": lambda m, o: m.LinearLR(o, 0.1, total_iters=50),
    "linear down": lambda m, o: m.LinearLR(o, 1.0, 0.0, 50),
    "exponential": lambda m, o: m.ExponentialLR(o, 0.98),
    "polynomial": lambda m, o: m.PolynomialLR(o, 60, 2.0),
    "cosine": lambda m, o: m.CosineAnnealingLR(o, 30, 0.001),
    "restarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 10),
    "longer restarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 5, 3, 0.01),
    "cyclic": lambda m, o: m.CyclicLR(o, 0.01, 0.3, 11),
    "cyclic halved": lambda m, o: m.CyclicLR(o, [0.01, 0.02], [0.3, 0.2], 9, 4, mode="triangular2"),
    "cyclic range": lambda m, o: m.CyclicLR(o, 0.01, 0.3, 11, mode="exp_range", gamma=0.99, max_momentum=0.95),
    "cyclic function": lambda m, o: m.CyclicLR(o, 0.01, 0.3, 11, scale_fn=Power(0.9), scale_mode="iterations"),
    "cyclic rate alone": lambda m, o: m.CyclicLR(o, 0.01, 0.3, 11, cycle_momentum=False),
    "one cycle": lambda m, o: m.OneCycleLR(o, 0.5, 150),
    "one cycle linear": lambda m, o: m.OneCycleLR(o, [0.5, 0.2], epochs=30, steps_per_epoch=5, pct_start=0.2,
                                                 anneal_strategy="linear"),
    "one cycle of three": lambda m, o: m.OneCycleLR(o, 0.5, 150, three_phase=True, div_factor=10.0),
    "swa": lambda m, o: getattr(m, "SWALR", torch.optim.swa_utils.SWALR)(o, 0.03),
    "swa linear": lambda m, o: getattr(m, "SWALR", torch.optim.swa_utils.SWALR)(o, [0.03, 0.2], 40, "linear"),
    "sequence": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o, 0.1, total_iters=20), m.ExponentialLR(o, 0.97), m.StepLR(o, 10, 0.5)], [20, 60]),
    "sequence of cosines": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o, 0.1, total_iters=20), m.CosineAnnealingLR(o, 80), m.CosineAnnealingWarmRestarts(o, 7)],
        [20, 100]),
    "sequence of products": lambda m, o: m.SequentialLR(
        o, [m.MultiplicativeLR(o, lambda t: 0.99), m.MultiplicativeLR(o, lambda t: 0.9)], [20]),
    "sequence in a sequence": lambda m, o: m.SequentialLR(
        o, [m.SequentialLR(o, [m.LinearLR(o, 0.1), m.ExponentialLR(o, 0.99)], [20]), m.StepLR(o, 10, 0.5)], [60]),
    "chain": lambda m, o: m.ChainedScheduler(
        [m.LinearLR(o, 0.1, total_iters=13), m.CosineAnnealingLR(o, 100), m.MultiStepLR(o, [40])]),
    "plateau": lambda m, o: m.ReduceLROnPlateau(o, patience=2),
    "plateau with a pause": lambda m, o: m.ReduceLROnPlateau(o, patience=1, cooldown=3, min_lr=[0.001, 0.01]),
    "plateau upwards": lambda m, o: m.ReduceLROnPlateau(o, "max", 0.5, 3, 0.1, "abs"),
    "plateau of a share": lambda m, o: m.ReduceLROnPlateau(o, "max", 0.5, 0),
}
MEASURES = np.random.default_rng(0).standard_normal(400).cumsum()


def make(library, name):
    params = [library.tensor([v], requires_grad=True) for v in (1.0, 2.0)]
    options = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(library.optim, name)([{"params": params[:1], "lr": 0.05}, {"params": params[1:]}], lr=0.1, **options)


def now(optimizer):
    return [x for g in optimizer.param_groups for x in (float(g["lr"]), g.get("momentum") or g.get("betas", [0])[0])]


def course(optimizer, schedule, first, last):
    seen = []
    for k in range(first, last):
        seen.append(now(optimizer))
        optimizer.step()
        schedule.step(*([MEASURES[k]] if "Plateau" in type(schedule).__name__ else []))
    return np.array(seen)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_whole_course_and_exchange_of_states(name, optimizer):
    build = SCHEDULES[name]
    a, b = make(tn, optimizer), make(torch, optimizer)
    ours, theirs = build(OURS, a), build(THEIRS, b)
    np.testing.assert_allclose(course(a, ours, 0, 60), course(b, theirs, 0, 60), rtol=1e-12)
    states = [copy.deepcopy(s.state_dict()) for s in (ours, theirs)]
    assert set(states[0]) == set(states[1]) - {"_get_lr_called_within_step"}
    c, d = make(tn, optimizer), make(torch, optimizer)
    from_theirs, from_ours = build(OURS, c), build(THEIRS, d)
    c.load_state_dict(b.state_dict())
    d.load_state_dict(a.state_dict())
    from_theirs.load_state_dict(states[1])
    from_ours.load_state_dict(states[0])
    rest = course(b, theirs, 60, 140)
    for found in (course(a, ours, 60, 140), course(c, from_theirs, 60, 140), course(d, from_ours, 60, 140)):
        np.testing.assert_allclose(found, rest, rtol=1e-12)


FORMULAS = [name for name in SCHEDULES if name.split()[0] in
            ("step", "multistep", "constant", "linear", "exponential", "polynomial", "cosine", "restarts", "longer")]


@pytest.mark.parametrize("name", FORMULAS)
def test_steps_to_a_given_time(name):
    a, b = make(tn, "SGD"), make(torch, "SGD")
    ours, theirs = SCHEDULES[name](OURS, a), SCHEDULES[name](THEIRS, b)
    for t in (5, 0, 33, 100, 101):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs.step(t)
            ours.step(t)
            np.testing.assert_allclose(now(a), now(b), rtol=1e-12)
            theirs.step()
            ours.step()
        np.testing.assert_allclose(now(a), now(b), rtol=1e-12)


@pytest.mark.parametrize("last_epoch", [4, 29])
@pytest.mark.parametrize("build", [
    lambda m, o, k: m.StepLR(o, 7, 0.5, last_epoch=k), lambda m, o, k: m.ExponentialLR(o, 0.9, last_epoch=k),
    lambda m, o, k: m.LinearLR(o, 0.1, last_epoch=k), lambda m, o, k: m.PolynomialLR(o, 60, last_epoch=k),
    lambda m, o, k: m.CosineAnnealingLR(o, 40, last_epoch=k), lambda m, o, k: m.MultiStepLR(o, [3, 30], last_epoch=k),
    lambda m, o, k: m.CyclicLR(o, 0.01, 0.3, 11, last_epoch=k),
    lambda m, o, k: m.MultiplicativeLR(o, lambda t: 0.9, last_epoch=k)])
def test_resumed_at_a_step(build, last_epoch):
    found = []
    for library, module in ((tn, OURS), (torch, THEIRS)):
        optimizer = make(library, "SGD")
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        found.append(course(optimizer, build(module, optimizer, last_epoch), 0, 60))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
