"""SAM and Lookahead: their formulas by hand, the two ways to write SAM, state."""
import numpy as np
import pytest

import tinygrad_notes as tn


def closure_of(opt, w, loss):
    def closure():
        opt.zero_grad()
        value = loss(w)
        value.backward()
        return value
    return closure


def bowl(w):
    return (tn.tensor([1.0, 5.0, 0.2], dtype="float64") * w * w).sum() + tn.sin(w).sum()


def slope(x):
    return 2 * np.array([1.0, 5.0, 0.2]) * x + np.cos(x)


@pytest.mark.row("S1-67")
def test_sharpness_aware_minimization_ends_in_a_cycle_of_known_size():
    lr, curvature, rho = 0.1, 2.0, 0.05
    w = tn.tensor([1.0], dtype="float64", requires_grad=True)
    opt = tn.optim.SAM(tn.optim.SGD([w], lr=lr), rho=rho)
    closure = closure_of(opt, w, lambda w: (0.5 * curvature * w * w).sum())
    for _ in range(300):
        opt.step(closure)
    size = lr * curvature * rho / (2 - lr * curvature)
    assert size == pytest.approx(0.00555556, abs=1e-8)
    before = w.item()
    opt.step(closure)
    assert abs(before) == pytest.approx(size, rel=1e-10) and w.item() == pytest.approx(-before, rel=1e-10)


@pytest.mark.parametrize("adaptive", [False, True])
def test_a_step_of_sam_by_hand(adaptive, rng):
    start = rng.standard_normal(3)
    w = tn.tensor(start, requires_grad=True)
    opt = tn.optim.SAM(tn.optim.SGD([w], lr=0.1), rho=0.3, adaptive=adaptive)
    assert opt.step(closure_of(opt, w, bowl)).item() == pytest.approx(bowl(tn.tensor(start)).item())
    g, scale = slope(start), np.abs(start) if adaptive else 1.0
    away = 0.3 * scale**2 * g / np.linalg.norm(scale * g)
    np.testing.assert_allclose(w.numpy(), start - 0.1 * slope(start + away), rtol=1e-12)


def test_the_norm_is_over_all_groups_and_both_forms_agree(rng):
    start = [rng.standard_normal((2, 3)), rng.standard_normal(4)]
    ends = []
    for form in ("closure", "two steps"):
        ws = [tn.tensor(s, requires_grad=True) for s in start]
        opt = tn.optim.SAM(tn.optim.SGD([{"params": ws[:1]}, {"params": ws[1:], "lr": 0.3}], lr=0.1, momentum=0.9), 0.5)

        def loss(ws=ws):
            return (ws[0] ** 4).sum() + (ws[1] ** 2).sum() * ws[0].sum()

        for _ in range(3):
            if form == "closure":
                opt.step(lambda loss=loss: (value := loss()).backward() or value)
            else:
                loss().backward()
                opt.first_step(zero_grad=True)
                loss().backward()
                opt.second_step(zero_grad=True)
        ends.append([w.numpy().copy() for w in ws])
    for a, b in zip(*ends):
        assert np.array_equal(a, b)
    g = [4 * start[0] ** 3 + (start[1] ** 2).sum(), 2 * start[1] * start[0].sum()]
    ws = [tn.tensor(s, requires_grad=True) for s in start]
    opt = tn.optim.SAM(tn.optim.SGD(ws, lr=0.1), 0.5)
    ((ws[0] ** 4).sum() + (ws[1] ** 2).sum() * ws[0].sum()).backward()
    opt.first_step()
    norm = np.sqrt((g[0] ** 2).sum() + (g[1] ** 2).sum())
    for w, s, part in zip(ws, start, g):
        np.testing.assert_allclose(w.numpy() - s, 0.5 * part / norm, rtol=1e-10)


def test_sam_stays_where_the_gradient_vanishes():
    w = tn.tensor([0.0], requires_grad=True)
    opt = tn.optim.SAM(tn.optim.SGD([w], lr=0.1), rho=0.5)
    opt.step(closure_of(opt, w, lambda w: (w * w).sum()))
    assert w.item() == 0.0


def test_sam_called_in_the_wrong_order():
    w = tn.tensor([1.0], requires_grad=True)
    opt = tn.optim.SAM(tn.optim.SGD([w], lr=0.1))
    with pytest.raises(TypeError, match="needs a closure"):
        opt.step()
    with pytest.raises(RuntimeError, match="first_step and a backward pass come first"):
        opt.second_step()
    (w * w).sum().backward()
    opt.first_step()
    with pytest.raises(RuntimeError, match="called twice"):
        opt.first_step()


def test_lookahead_by_hand(rng):
    start = rng.standard_normal(3)
    w = tn.tensor(start, requires_grad=True)
    opt = tn.optim.Lookahead(tn.optim.SGD([w], lr=0.05), k=3, alpha=0.4)
    fast, slow = start.copy(), start.copy()
    for step in range(1, 11):
        opt.step(closure_of(opt, w, bowl))
        fast = fast - 0.05 * slope(fast)
        if step % 3 == 0:
            slow = slow + 0.4 * (fast - slow)
            fast = slow
        np.testing.assert_allclose(w.numpy(), fast, rtol=1e-12)


@pytest.mark.parametrize("wrap", [lambda base: tn.optim.SAM(base, 0.1), lambda base: tn.optim.Lookahead(base, 3, 0.4)])
def test_a_loaded_state_continues_bit_for_bit(wrap, tmp_path, rng):
    start = rng.standard_normal(3)
    w = tn.tensor(start, requires_grad=True)
    opt = wrap(tn.optim.Adam([w], lr=0.1))
    for _ in range(4):
        opt.step(closure_of(opt, w, bowl))
    tn.save(opt.state_dict(), tmp_path / "state.safetensors")
    v = tn.tensor(w.numpy().copy(), requires_grad=True)
    other = wrap(tn.optim.Adam([v], lr=0.7))
    other.load_state_dict(tn.load(tmp_path / "state.safetensors"))
    for _ in range(5):
        opt.step(closure_of(opt, w, bowl))
        other.step(closure_of(other, v, bowl))
        assert np.array_equal(w.numpy(), v.numpy())


def test_a_schedule_sets_the_rates_of_the_base():
    w = tn.tensor([1.0], requires_grad=True)
    base = tn.optim.SGD([w], lr=0.8)
    schedule = tn.optim.lr_scheduler.ExponentialLR(tn.optim.Lookahead(base), 0.5)
    schedule.step()
    assert base.param_groups[0]["lr"] == 0.4
