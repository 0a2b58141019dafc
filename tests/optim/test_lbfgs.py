"""L-BFGS: it minimizes, its line search keeps what it promises, and state continues; against SciPy and by hand."""
import numpy as np
import pytest
from scipy.optimize import minimize

import tinygrad_notes as tn
from tinygrad_notes.optim.line_search import Point, cubic_minimum, strong_wolfe


def rosenbrock(w):
    return (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()


def problem(loss, start, **options):
    w = tn.tensor(start, requires_grad=True)
    opt = tn.optim.LBFGS([w], **options)
    calls = []

    def closure():
        opt.zero_grad()
        value = loss(w)
        value.backward()
        calls.append(value.item())
        return value

    return w, opt, closure, calls


def test_it_reaches_the_minimum_that_scipy_finds(rng):
    a, b = rng.standard_normal((30, 6)), rng.standard_normal(30)

    def loss(w):
        return tn.nn.functional.softplus(-tn.asarray(a) @ w * tn.asarray(np.sign(b))).sum() + 0.1 * (w * w).sum()

    w, opt, closure, calls = problem(loss, np.zeros(6), line_search_fn="strong_wolfe", max_iter=200)
    first = opt.step(closure)
    assert first.item() == calls[0]
    known = minimize(lambda v: np.logaddexp(0, -a @ v * np.sign(b)).sum() + 0.1 * v @ v, np.zeros(6), tol=1e-10)
    np.testing.assert_allclose(w.numpy(), known.x, atol=1e-5)
    assert len(calls) < 30


def test_the_minimum_of_a_quadratic_in_as_many_iterations_as_it_has_dimensions(rng):
    root = rng.standard_normal((5, 5))
    h, b = root @ root.T + np.eye(5), rng.standard_normal(5)
    w, opt, closure, _ = problem(lambda w: 0.5 * w @ tn.asarray(h) @ w - tn.asarray(b) @ w, np.zeros(5),
                                 line_search_fn="strong_wolfe", max_iter=60, tolerance_change=0, tolerance_grad=1e-9)
    opt.step(closure)
    np.testing.assert_allclose(w.numpy(), np.linalg.solve(h, b), rtol=1e-7)


def test_limits_and_counts():
    w, opt, closure, calls = problem(rosenbrock, np.array([-1.2, 1.0]), max_iter=5, lr=1e-3)
    opt.step(closure)
    assert len(calls) == opt.state[w]["func_evals"] == 5  # the loss after the last move is not asked for
    assert opt.state[w]["n_iter"] == 5
    w, opt, closure, calls = problem(rosenbrock, np.array([-1.2, 1.0]), max_eval=7, line_search_fn="strong_wolfe")
    opt.step(closure)
    assert len(calls) <= 8
    w, opt, closure, calls = problem(rosenbrock, np.array([1.0, 1.0]))
    opt.step(closure)
    assert len(calls) == 1 and "d" not in opt.state[w]  # at the minimum nothing moves
    w, opt, closure, _ = problem(rosenbrock, np.array([-1.2, 1.0]), history_size=3, max_iter=15, lr=1e-3)
    opt.step(closure)
    assert len(opt.state[w]["old_dirs"]) <= 3


def test_first_step_follows_the_gradient_scaled_by_its_size():
    w, opt, closure, _ = problem(lambda w: (w * w * tn.tensor([1.0, 10.0])).sum(), np.array([1.0, 1.0]), max_iter=1)
    opt.step(closure)
    np.testing.assert_allclose(w.numpy(), np.array([1.0, 1.0]) - np.array([2.0, 20.0]) / 22, rtol=1e-12)


def line(function, slope):
    """A function of one variable as the line search sees it."""
    return lambda t: Point(t, function(t), None, slope(t))


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize(("function", "slope"), [
    (lambda t: (t - 2) ** 2, lambda t: 2 * (t - 2)),
    (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),  # Moré & Thuente 1994, function 1
    (lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4, lambda t: 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3),
    (lambda t: np.cos(3 * t) - t + 0.2 * t * t, lambda t: -3 * np.sin(3 * t) - 1 + 0.4 * t),
])
def test_strong_wolfe_conditions_hold(function, slope, first):
    evaluate = line(function, slope)
    start, calls = evaluate(0.0), []
    point, used = strong_wolfe(lambda t: calls.append(t) or evaluate(t), start, first, 1.0)
    assert used == len(calls)
    assert point.loss <= start.loss + 1e-4 * point.t * start.slope
    assert abs(point.slope) <= 0.9 * abs(start.slope)


def test_line_search_comes_back_from_where_the_loss_is_not_a_number():
    evaluate = line(lambda t: (t - 0.5) ** 2 if t < 1 else float("nan"),
                    lambda t: 2 * (t - 0.5) if t < 1 else float("nan"))
    point, _ = strong_wolfe(evaluate, evaluate(0.0), 8.0, 1.0)
    assert point.loss < 0.25


def test_cubic_minimum(rng):
    for _ in range(50):
        a, b, c = rng.standard_normal(3)
        c -= 2
        cubic, slope = np.poly1d([a, b, c, 0]), np.poly1d([3 * a, 2 * b, c])
        roots = np.roots([3 * a, 2 * b, c])
        least = [r.real for r in roots if abs(r.imag) < 1e-12 and 6 * a * r.real + 2 * b > 0]
        t = cubic_minimum(*(Point(t, cubic(t), None, slope(t)) for t in (0.0, 1.0)), -9, 9)
        if least and -9 < least[0] < 9:
            assert t == pytest.approx(least[0], rel=1e-6, abs=1e-9)
        assert -9 <= t <= 9
    assert cubic_minimum(Point(0.0, 0.0, None, -1.0), Point(0.0, 0.0, None, -1.0), 0, 4) == 2


def test_a_loaded_state_continues_bit_for_bit(tmp_path):
    options = {"line_search_fn": "strong_wolfe", "max_iter": 4}
    w, opt, closure, _ = problem(rosenbrock, np.array([-1.2, 1.0, 0.5]), **options)
    opt.step(closure)
    v, other, again, _ = problem(rosenbrock, w.numpy().copy(), **options)
    tn.save(opt.state_dict(), tmp_path / "state.safetensors")
    other.load_state_dict(tn.load(tmp_path / "state.safetensors"))
    for _ in range(3):
        opt.step(closure)
        other.step(again)
        assert np.array_equal(w.numpy(), v.numpy())


def test_a_graph_of_before_keeps_its_values():
    w, opt, closure, _ = problem(lambda w: ((w - 1) ** 2).sum(), np.array([3.0, 5.0]), max_iter=2)
    pending = (w**3).sum()
    opt.step(closure)
    w.grad = None
    pending.backward()
    np.testing.assert_allclose(w.grad.numpy(), 3 * np.array([9.0, 25.0]))


def test_what_a_closure_must_be():
    w, opt, closure, _ = problem(rosenbrock, np.array([-1.2, 1.0]))
    with pytest.raises(TypeError, match="needs a closure"):
        opt.step()
    with pytest.raises(TypeError, match="must return the loss"):
        opt.step(lambda: closure() and None)
    w.grad = None
    with pytest.raises(RuntimeError, match=r"call backward\(\) in it"):
        opt.step(lambda: rosenbrock(w))
    with pytest.raises(ValueError, match="another optimizer"):
        opt.load_state_dict({"state": {0: {"exp_avg": w}}, "param_groups": opt.state_dict()["param_groups"]})
    with pytest.raises(ValueError, match=r"state 'd': expected shape \(2,\), got \(3,\)"):
        opt.load_state_dict({"state": {0: {"d": tn.zeros(3)}}, "param_groups": opt.state_dict()["param_groups"]})
