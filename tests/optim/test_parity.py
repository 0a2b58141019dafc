"""Every optimizer and schedule takes the path that PyTorch's takes, in float64."""

import numpy as np
import pytest

import tinygrad_notes as tn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.same_on_strict

CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-3}),
    ("Adam", {"lr": 0.1, "maximize": True}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
    ("Adamax", {"lr": 0.1}),
    ("Adamax", {"lr": 0.1, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 6e-3, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.1}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RMSprop", {"lr": 0.05}),
    ("RMSprop", {"lr": 0.05, "centered": True, "momentum": 0.5, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.3}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "weight_decay": 0.1}),
    ("Rprop", {"lr": 0.01}),
    ("Rprop", {"lr": 0.01, "etas": (0.4, 1.5), "step_sizes": (1e-3, 0.5)}),
    ("ASGD", {"lr": 0.1}),
    ("ASGD", {"lr": 0.1, "t0": 5, "weight_decay": 0.1}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.3, "weight_decay": 0.1, "d": 2.0, "eps": (1e-6, 1e-2), "maximize": True}),
]
SMALL = [(3, 4), (4,), (2, 2, 2), ()]
SHAPES = [*SMALL, (200, 170)]  # the last one is longer than one piece


def tolerance(name):
    """Tight, but for the two optimizers whose scalars PyTorch keeps in float32."""
    return {"rtol": 1e-6, "atol": 1e-6} if name in ("NAdam", "ASGD") else {"rtol": 1e-9, "atol": 1e-11}


def problem(rng, shapes=SHAPES):
    """Weights, and the data of a loss that bends in every coordinate."""
    return [rng.standard_normal(s) for s in shapes], [rng.standard_normal(s) for s in shapes]


def our_loss(params, targets, step):
    total = 0.0
    for p, t in zip(params, targets):
        d = p - tn.asarray(t) * (1 + 0.1 * step)
        total = total + (d * d).sum() + tn.sin(p * 3).sum()
    return total


def their_loss(params, targets, step):
    total = 0.0
    for p, t in zip(params, targets):
        d = p - torch.tensor(t) * (1 + 0.1 * step)
        total = total + (d * d).sum() + torch.sin(p * 3).sum()
    return total


def run(make_ours, make_theirs, rng, steps=12, skip=(), shapes=SHAPES):
    weights, targets = problem(rng, shapes)
    ours = [tn.tensor(w, requires_grad=True) for w in weights]
    theirs = [torch.tensor(w, requires_grad=True) for w in weights]
    a, b = make_ours(ours), make_theirs(theirs)
    for step in range(steps):
        a.zero_grad()
        b.zero_grad()
        our_loss(ours, targets, step).backward()
        their_loss(theirs, targets, step).backward()
        if step in skip:
            ours[1].grad = theirs[1].grad = None
        a.step()
        b.step()
    return a, b, ours, theirs


@pytest.mark.parametrize(("name", "options"), CASES, ids=lambda v: str(v))
def test_same_path(name, options, rng):
    _, _, ours, theirs = run(
        lambda p: getattr(tn.optim, name)(p, **options), lambda p: getattr(torch.optim, name)(p, **options), rng
    )
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), **tolerance(name))


@pytest.mark.parametrize(("name", "options"), [CASES[1], CASES[5], CASES[17]], ids=lambda v: str(v))
def test_a_missing_gradient_skips_that_parameter(name, options, rng):
    _, _, ours, theirs = run(
        lambda p: getattr(tn.optim, name)(p, **options),
        lambda p: getattr(torch.optim, name)(p, **options),
        rng,
        skip=(0, 3, 4),
    )
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("name", "options"), CASES, ids=lambda v: str(v))
def test_state_dict_has_pytorchs_layout(name, options, rng):
    a, b, _, _ = run(
        lambda p: getattr(tn.optim, name)(p, **options),
        lambda p: getattr(torch.optim, name)(p, **options),
        rng,
        steps=3,
        shapes=SMALL,
    )
    mine, reference = a.state_dict(), b.state_dict()
    assert mine["param_groups"] == reference["param_groups"]
    assert list(mine["state"]) == list(reference["state"])
    for number, entry in reference["state"].items():
        assert set(mine["state"][number]) == set(entry)
        for key, value in entry.items():
            found = mine["state"][number][key]
            assert found.shape == value.shape
            np.testing.assert_allclose(found.numpy(), value.numpy(), **tolerance(name))


def as_torch(state):
    """A state of ours as PyTorch would have loaded it from a file."""
    if isinstance(state, tn.Tensor):
        return torch.tensor(state.numpy().copy())
    if isinstance(state, dict):
        return {key: as_torch(value) for key, value in state.items()}
    return [as_torch(value) for value in state] if isinstance(state, list) else state


@pytest.mark.parametrize(("name", "options"), CASES, ids=lambda v: str(v))
def test_each_continues_from_the_others_state(name, options, rng):
    ours, theirs = getattr(tn.optim, name), getattr(torch.optim, name)
    weights, targets = problem(rng, SMALL)

    def descend(opt, params, loss, steps):
        for step in steps:
            opt.zero_grad()
            loss(params, targets, step).backward()
            opt.step()

    def fresh(values, kind):
        if kind is theirs:
            params = [torch.tensor(np.array(v), requires_grad=True) for v in values]
        else:
            params = [tn.tensor(np.array(v), requires_grad=True) for v in values]
        return kind(params, **options), params

    whole, p = fresh(weights, theirs)
    descend(whole, p, their_loss, range(6))
    mine, q = fresh([v.detach().numpy() for v in p], ours)
    mine.load_state_dict(whole.state_dict())
    descend(mine, q, our_loss, range(6, 12))
    back, r = fresh([v.numpy() for v in q], theirs)
    back.load_state_dict(as_torch(mine.state_dict()))
    descend(back, r, their_loss, range(12, 18))
    descend(whole, p, their_loss, range(6, 18))
    for v, w in zip(r, p):
        np.testing.assert_allclose(v.detach().numpy(), w.detach().numpy(), **tolerance(name))


def rosenbrock(w):
    return (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()


@pytest.mark.parametrize("options", [
    {"lr": 1e-3}, {"line_search_fn": "strong_wolfe"}, {"line_search_fn": "strong_wolfe", "lr": 5.0, "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_eval": 5}, {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-2}])
def test_lbfgs_evaluates_as_often_and_each_continues_from_the_others_state(options):
    start = np.array([-1.2, 1.0, 0.3, 0.5])

    def make(module, tensor, values):
        w = tensor(np.array(values), requires_grad=True)
        opt = module.LBFGS([w], **options)

        def closure():
            opt.zero_grad()
            loss = rosenbrock(w)
            loss.backward()
            return loss

        return w, opt, closure

    def same(v, w):
        np.testing.assert_allclose(v.detach().numpy(), w.detach().numpy(), rtol=1e-7)

    w, whole, closure = make(torch.optim, torch.tensor, start)
    v, mine, ours = make(tn.optim, tn.tensor, start)
    for _ in range(2):
        assert mine.step(ours).item() == pytest.approx(whole.step(closure).item(), rel=1e-9)
        same(v, w)
        for key in ("func_evals", "n_iter"):
            assert mine.state_dict()["state"][0][key] == whole.state_dict()["state"][0][key]
        assert set(mine.state_dict()["state"][0]) == set(whole.state_dict()["state"][0])
    v, mine, ours = make(tn.optim, tn.tensor, w.detach().numpy())
    mine.load_state_dict(whole.state_dict())
    mine.step(ours)
    u, back, theirs = make(torch.optim, torch.tensor, v.numpy())
    back.load_state_dict(as_torch(mine.state_dict()))
    back.step(theirs)
    for _ in range(2):
        whole.step(closure)
    same(u, w)


@pytest.mark.parametrize("options", [
    {}, {"nesterov": False, "momentum": 0.8}, {"adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.3}, {"ns_steps": 3},
    {"ns_coefficients": (3.4, -4.7, 2.0)}])
@pytest.mark.parametrize("rounded", [True, False])
def test_muon(options, rounded, rng, monkeypatch):
    if not rounded:
        monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.clone())
    shapes = [(3, 4), (4, 3), (5, 1), (8, 8)]
    start, g = ([rng.standard_normal(s) for s in shapes] for _ in range(2))
    ours, theirs = [tn.tensor(s, requires_grad=True) for s in start], [torch.tensor(s) for s in start]
    a = tn.optim.Muon(ours, lr=0.1, **options, ns_dtype="bfloat16" if rounded else None)
    b = torch.optim.Muon(theirs, lr=0.1, **options)
    for k in range(5):
        for p, q, x in zip(ours, theirs, g):
            p.grad, q.grad = tn.tensor(x * np.cos(k)), torch.tensor(x * np.cos(k))
        a.step()
        b.step()
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-3 if rounded else 1e-9, atol=1e-3 if rounded else 0)


def test_groups_with_their_own_options(rng):
    def groups(params):
        return [{"params": params[:2], "lr": 0.2}, {"params": params[2:], "momentum": 0.5}]

    _, _, ours, theirs = run(
        lambda p: tn.optim.SGD(groups(p), lr=0.1, momentum=0.9),
        lambda p: torch.optim.SGD(groups(p), lr=0.1, momentum=0.9),
        rng,
    )
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-9, atol=1e-11)
