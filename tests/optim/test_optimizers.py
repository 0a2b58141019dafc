"""Optimizers against the algorithm boxes and the numbers of the notes; flat buffers, state, bad options."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd.write import base_of


def quadratic(weights):
    """Gradients of 1/2 sum of squares, put on the parameters by hand."""
    for w in weights:
        w.grad = tn.tensor(w.numpy().copy())


def test_parameters_are_views_of_one_buffer(rng):
    params = [tn.tensor(rng.standard_normal(s), requires_grad=True) for s in [(3, 2), (4,), (1, 1)]]
    before = [p.numpy().copy() for p in params]
    opt = tn.optim.SGD(params, lr=0.1)
    quadratic(params)
    opt.step()
    base = base_of(params[0].data)
    assert all(base_of(p.data) is base for p in params)
    for p, b in zip(params, before):
        np.testing.assert_allclose(p.numpy(), 0.9 * b, rtol=1e-14)


@pytest.mark.parametrize("shape", [(3, 2), (4,), ()])
def test_the_buffer_is_copied_only_where_somebody_looks_at_it(shape, rng):
    params = [tn.tensor(rng.standard_normal(shape), requires_grad=True) for _ in range(3)]
    opt = tn.optim.Adam(params, lr=0.1)

    def buffer_after_a_step():
        quadratic(params)
        opt.step()
        return id(base_of(params[0].data))

    first = buffer_after_a_step()
    assert buffer_after_a_step() == first and buffer_after_a_step() == first
    loss = (params[1] ** 2).sum()
    second = buffer_after_a_step()
    assert second != first
    del loss
    assert buffer_after_a_step() == second
    kept = params[2].data
    assert buffer_after_a_step() != second
    del kept


def test_any_number_of_threads_gives_the_same_bits(rng):
    start, ends, before = rng.standard_normal(300_007).astype("float32"), [], tn.get_num_threads()
    try:
        for threads in (1, 3):
            tn.set_num_threads(threads)
            w = tn.tensor(start, requires_grad=True)
            opt = tn.optim.AdamW([w], lr=0.1)
            for _ in range(3):
                quadratic([w])
                opt.step()
            ends.append(w.numpy().copy())
    finally:
        tn.set_num_threads(before)
    assert np.array_equal(*ends)


def test_values_assigned_between_steps_are_taken_over():
    w = tn.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    opt = tn.optim.SGD([w], lr=0.5, momentum=0.5)
    quadratic([w])
    opt.step()
    w.data = w.device.from_numpy(np.array([10.0, 20.0]))
    w.grad = tn.tensor(np.array([1.0, 1.0]))
    opt.step()
    # momentum buffer: (1, 2) then 0.5 * (1, 2) + (1, 1)
    np.testing.assert_allclose(w.numpy(), [10 - 0.5 * 1.5, 20 - 0.5 * 2.0])


def test_a_pending_graph_keeps_the_values_it_was_computed_with():
    w = tn.tensor([3.0], dtype="float64", requires_grad=True)
    opt = tn.optim.SGD([w], lr=0.1)
    w.grad = tn.tensor(np.array([1.0]))
    opt.step()
    loss = (w * w).sum()
    w.grad = tn.tensor(np.array([1.0]))
    opt.step()
    assert w.item() == pytest.approx(2.8)
    w.grad = None
    loss.backward()
    assert w.grad.item() == pytest.approx(2 * 2.9)


def test_second_order_through_values_from_before_a_step():
    w = tn.tensor([3.0], dtype="float64", requires_grad=True)
    opt = tn.optim.SGD([w], lr=0.1)
    quadratic([w])
    opt.step()
    loss = (w**3).sum()
    quadratic([w])
    opt.step()
    (first,) = tn.autograd.grad(loss, [w], create_graph=True)
    (second,) = tn.autograd.grad(first.sum(), [w])
    assert first.item() == pytest.approx(3 * 2.7**2)
    assert second.item() == pytest.approx(6 * 2.7)


@pytest.mark.row("S0-19")
@pytest.mark.parametrize(("gamma", "gain"), [(0.999, 3.16228), (0.99, 1.0)])
def test_first_step_of_adam_without_correction(gamma, gain):
    w = tn.tensor([1.0, -2.0], dtype="float64", requires_grad=True)
    opt = tn.optim.Adam([w], lr=0.1, betas=(0.9, gamma), eps=1e-12, bias_correction=False)
    w.grad = tn.tensor(np.array([0.3, -7.0]))
    opt.step()
    np.testing.assert_allclose(w.numpy(), [1 - 0.1 * gain, -2 + 0.1 * gain], rtol=1e-6)


@pytest.mark.row("S0-21")
def test_first_step_of_adam_is_the_sign():
    w = tn.tensor([1.0, -2.0], dtype="float64", requires_grad=True)
    opt = tn.optim.Adam([w], lr=0.1)
    w.grad = tn.tensor(np.array([5.0, -70.0]))
    opt.step()
    np.testing.assert_allclose(w.numpy(), [0.9, -1.9], rtol=1e-8)


def udl_6_5(p):
    """UDL notebook 6.5: 1 - exp(-2 p1^2) exp(-(p0 - 0.7)^2 / 8)."""
    return 1 - tn.exp(-2 * p[1] ** 2) * tn.exp(-((p[0] - 0.7) ** 2) / 8.0)


def descend(opt, w, loss, steps):
    for _ in range(steps):
        opt.zero_grad()
        loss(w).backward()
        opt.step()
    return w.numpy(), loss(w).item()


@pytest.mark.row("S0-21")
def test_adam_on_the_surface_of_udl_6_5():
    w = tn.tensor([-0.7, -0.9], dtype="float64", requires_grad=True)
    path, loss = descend(tn.optim.Adam([w], lr=0.05, betas=(0.9, 0.99), eps=1e-20), w, udl_6_5, 60)
    np.testing.assert_allclose(path, [0.667073, 0.029500], atol=1e-6)
    assert loss == pytest.approx(1.87429e-3, rel=1e-5)


@pytest.mark.row("S0-22")
@pytest.mark.parametrize(("gamma", "end"), [(0.99, (0.748403, -0.006842)), (0.999, (0.666974, -0.013509))])
def test_adam_without_correction_ends_elsewhere(gamma, end):
    w = tn.tensor([-0.7, -0.9], dtype="float64", requires_grad=True)
    opt = tn.optim.Adam([w], lr=0.05, betas=(0.9, gamma), eps=1e-19, bias_correction=False)
    path, _ = descend(opt, w, udl_6_5, 60)
    np.testing.assert_allclose(path, end, atol=1e-6)


@pytest.mark.row("S0-17")
def test_normalized_gradient_bounces():
    w = tn.tensor([-0.7, -0.9], dtype="float64", requires_grad=True)
    opt = tn.optim.NormalizedGD([w], lr=0.08, eps=1e-20)
    path, _ = descend(opt, w, udl_6_5, 39)
    np.testing.assert_allclose(path, [0.66, -0.02], atol=1e-12)
    path, _ = descend(opt, w, udl_6_5, 1)
    np.testing.assert_allclose(path, [0.74, 0.06], atol=1e-12)
    path, _ = descend(opt, w, udl_6_5, 1)
    np.testing.assert_allclose(path, [0.66, -0.02], atol=1e-12)


@pytest.mark.row("S0-17")
@pytest.mark.parametrize(("lr", "steps", "end"), [(0.08, 200, (0.668404, 0.0)), (1.0, 40, (0.696131, 0.194839))])
def test_gradient_descent_on_the_same_surface(lr, steps, end):
    w = tn.tensor([-0.7, -0.9], dtype="float64", requires_grad=True)
    path, _ = descend(tn.optim.SGD([w], lr=lr), w, udl_6_5, steps)
    np.testing.assert_allclose(path, end, atol=1e-6)


@pytest.mark.row("S0-10")
def test_ema_momentum_is_plain_momentum_with_a_smaller_step(rng):
    start, beta, alpha = rng.standard_normal(5), 0.9, 0.3
    a, b = (tn.tensor(start, requires_grad=True) for _ in range(2))
    one = tn.optim.SGD([a], lr=alpha, momentum=beta, ema=True)
    two = tn.optim.SGD([b], lr=alpha * (1 - beta), momentum=beta)
    for _ in range(100):
        descend(one, a, lambda w: (w * w * tn.asarray(np.arange(1.0, 6.0))).sum(), 1)
        descend(two, b, lambda w: (w * w * tn.asarray(np.arange(1.0, 6.0))).sum(), 1)
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.row("S0-12")
def test_momentum_starts_at_zero():
    w = tn.tensor([1.0], dtype="float64", requires_grad=True)
    opt = tn.optim.SGD([w], lr=0.5, momentum=0.9, ema=True)
    quadratic([w])
    opt.step()
    assert w.item() == pytest.approx(1 - 0.5 * 0.1)


@pytest.mark.row("S0-14")
@pytest.mark.parametrize(
    ("options", "alpha", "steps"),
    [
        ({}, 0.05, 581),
        ({"momentum": 0.9}, 0.05, 410),
        ({"momentum": 0.9, "nesterov": True}, 0.05, 432),
        ({"momentum": 0.9}, 0.1, 249),
        ({"momentum": 0.9, "nesterov": True}, 0.1, 198),
        ({"momentum": 0.9}, 0.3, 248),
        ({"momentum": 0.9, "nesterov": True}, 0.3, 166),
    ],
)
def test_steps_to_the_minimum_of_the_regression(options, alpha, steps):
    # Eigenvalues of the Hessian of the notes' regression; the path of theta, not of the point looked ahead to.
    h = tn.tensor(np.array([0.470036, 25.529964]))
    w = tn.tensor([1.0, 1.0], dtype="float64", requires_grad=True)
    opt = tn.optim.SGD([w], lr=alpha, **options, ema=bool(options))
    for step in range(1, 700):  # noqa: B007 (the last step is the result)
        opt.zero_grad()
        (0.5 * h * w * w).sum().backward()
        opt.step()
        theta = w.numpy()
        if options.get("nesterov"):
            theta = theta + alpha * 0.9 * opt.state[w]["momentum_buffer"].numpy()
        if np.abs(theta).max() < 1e-6:
            break
    assert step == steps


@pytest.mark.row("S0-14")
def test_plain_gradient_descent_diverges_beyond_its_limit():
    h = tn.tensor(np.array([0.470036, 25.529964]))
    w = tn.tensor([1.0, 1.0], dtype="float64", requires_grad=True)
    path, _ = descend(tn.optim.SGD([w], lr=0.1), w, lambda w: (0.5 * h * w * w).sum(), 100)
    assert np.abs(path).max() > 1e6


@pytest.mark.row("S0-15")
def test_the_wrong_sign_of_the_look_ahead_diverges():
    lam, beta, alpha = 25.529964, 0.9, 0.05

    def radius(sign):
        # theta' = theta - alpha m', m' = beta m + (1 - beta) lam (theta + sign alpha beta m)
        row_m = np.array([(1 - beta) * lam, beta + sign * (1 - beta) * lam * alpha * (beta if sign < 0 else 1)])
        step = np.array([[1, 0], [0, 0]]) + np.array([[-alpha], [1]]) * row_m
        return np.abs(np.linalg.eigvals(step)).max()

    assert radius(-1) == pytest.approx(0.88607, abs=1e-5)
    assert radius(+1) == pytest.approx(1.01373, abs=1e-5)
    w = tn.tensor([1.0], dtype="float64", requires_grad=True)
    opt = tn.optim.SGD([w], lr=alpha, momentum=beta, nesterov=True, ema=True)
    path, _ = descend(opt, w, lambda w: (0.5 * lam * w * w).sum(), 400)
    assert abs(path[0]) < 1e-15


@pytest.mark.row("S0-72")
def test_weight_decay_is_a_shrink_for_sgd_and_not_for_adam(rng):
    start, g = rng.standard_normal(4), rng.standard_normal(4)
    a = tn.tensor(start, requires_grad=True)
    a.grad = tn.tensor(g)
    tn.optim.SGD([a], lr=0.1, weight_decay=0.3).step()
    np.testing.assert_allclose(a.numpy(), (1 - 0.1 * 0.3) * start - 0.1 * g, rtol=1e-15)
    b, c = (tn.tensor(start, requires_grad=True) for _ in range(2))
    adam, adamw = tn.optim.Adam([b], lr=0.1, weight_decay=0.3), tn.optim.AdamW([c], lr=0.1, weight_decay=0.3)
    for _ in range(10):
        for w, opt in ((b, adam), (c, adamw)):
            w.grad = tn.tensor(g)
            opt.step()
    assert np.abs(b.numpy() - c.numpy()).max() > 1e-3


@pytest.mark.row("S1-73")
def test_where_the_epsilon_of_adam_stands():
    for inside, gain in ((False, 0.990099), (True, 0.0099995)):
        w = tn.tensor([0.0], dtype="float64", requires_grad=True)
        w.grad = tn.tensor(np.array([1e-6]))
        tn.optim.Adam([w], lr=1.0, eps=1e-8, eps_inside=inside).step()
        assert -w.item() == pytest.approx(gain, rel=1e-5)


@pytest.mark.row("S1-72")
def test_first_step_of_rmsprop():
    w = tn.tensor([0.0, 0.0], dtype="float64", requires_grad=True)
    w.grad = tn.tensor(np.array([4.0, -0.5]))
    tn.optim.RMSprop([w], lr=0.1, alpha=0.9, eps=1e-16, eps_inside=True).step()
    np.testing.assert_allclose(w.numpy(), [-0.1 / 0.1**0.5, 0.1 / 0.1**0.5], rtol=1e-12)


@pytest.mark.row("S1-69")
def test_momentum_sums_what_agrees_and_cancels_what_alternates():
    beta, lr = 0.9, 0.1
    for signs, size in ((lambda k: 1.0, lr / (1 - beta)), (lambda k: (-1.0) ** k, lr / (1 + beta))):
        w = tn.tensor([0.0], dtype="float64", requires_grad=True)
        opt = tn.optim.SGD([w], lr=lr, momentum=beta)
        for k in range(400):
            before = w.item()
            w.grad = tn.tensor(np.array([signs(k)]))
            opt.step()
        assert abs(w.item() - before) == pytest.approx(size, rel=1e-9)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: tn.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        lambda p: tn.optim.Adam(p, amsgrad=True),
        lambda p: tn.optim.RMSprop(p, centered=True, momentum=0.3),
        lambda p: tn.optim.NAdam(p),
        lambda p: tn.optim.Rprop(p),
    ],
)
def test_a_loaded_state_continues_bit_for_bit(make, rng):
    start = [rng.standard_normal((3, 2)).astype("float32"), rng.standard_normal(5).astype("float32")]

    def steps(params, opt, first, last):
        for k in range(first, last):
            for j, p in enumerate(params):
                p.grad = tn.tensor(np.cos(p.numpy() * (k + 1) + j))
            opt.step()

    whole = [tn.tensor(w, requires_grad=True) for w in start]
    steps(whole, make(whole), 0, 9)
    first = [tn.tensor(w, requires_grad=True) for w in start]
    opt = make(first)
    steps(first, opt, 0, 4)
    second = [tn.tensor(p.numpy(), requires_grad=True) for p in first]
    resumed = make(second)
    resumed.load_state_dict(opt.state_dict())
    steps(second, resumed, 4, 9)
    for a, b in zip(whole, second):
        assert np.array_equal(a.numpy(), b.numpy())


def test_a_state_of_other_shapes_is_refused_and_changes_nothing():
    w, v = tn.tensor([1.0, 2.0], requires_grad=True), tn.tensor([1.0, 2.0, 3.0], requires_grad=True)
    a, b = tn.optim.Adam([w], lr=0.5), tn.optim.Adam([v], lr=0.25)
    quadratic([w])
    a.step()
    with pytest.raises(ValueError, match=r"expected shape \(3,\), got \(2,\)"):
        b.load_state_dict(a.state_dict())
    assert b.param_groups[0]["lr"] == 0.25
    assert b.state_dict()["state"] == {}


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda w: tn.optim.SGD([w], lr=-1), ValueError, r"lr: expected a number in \[0, inf\), got -1"),
        (lambda w: tn.optim.SGD([w], lr=float("nan")), ValueError, "lr"),
        (lambda w: tn.optim.Adam([w], betas=(0.9, 1.0)), ValueError, r"betas\[1\]"),
        (lambda w: tn.optim.SGD([w], lr=0.1, nesterov=True), ValueError, "nesterov"),
        (lambda w: tn.optim.SGD([], lr=0.1), ValueError, "no parameters"),
        (lambda w: tn.optim.SGD([w, w], lr=0.1), ValueError, "given twice"),
        (lambda w: tn.optim.SGD([w * 2], lr=0.1), ValueError, "only leaves"),
        (lambda w: tn.optim.SGD(w, lr=0.1), TypeError, "put it into a list"),
        (lambda w: tn.optim.SGD({w}, lr=0.1), TypeError, "a set has no order"),
        (lambda w: tn.optim.SGD(3, lr=0.1), TypeError, "expected an iterable of Tensors or dicts, got int"),
        (lambda w: tn.optim.SGD([("w", w), tn.zeros(1)]), ValueError, "1 of 2 parameters have no name"),
        (lambda w: tn.optim.SGD([{"params": [w]}, {"params": [("v", tn.zeros(1))]}]), ValueError, "or none has"),
        (lambda w: tn.optim.SGD([w], lr=tn.tensor([0.1, 0.2])), ValueError, "lr: expected one number, got Tensor"),
        (lambda w: tn.optim.Adam([w], differentiable=True), NotImplementedError, "updates are not recorded"),
        (lambda w: tn.optim.SGD([1.0], lr=0.1), TypeError, "expected a Tensor, got float"),
        (lambda w: tn.optim.Adam([w], momentum=0.9), TypeError, "unexpected keyword argument 'momentum'"),
        (lambda w: tn.optim.Adam([{"params": [w], "momentum": 0.9}]), ValueError, "unknown option 'momentum'"),
        (lambda w: tn.optim.Adam([{"params": [w], "weight_decai": 0.9}]), ValueError, "did you mean 'weight_decay'"),
        (lambda w: tn.optim.Muon([w]), ValueError, r"Muon is for matrices, this parameter has shape \(1,\)"),
        (lambda w: tn.optim.Muon([w], adjust_lr_fn="orginal"), ValueError, "did you mean 'original'"),
        (lambda w: tn.optim.Muon([w], ns_steps=100), ValueError, "ns_steps"),
        (lambda w: tn.optim.Adafactor([w], d=0.5), ValueError, r"d: expected a number in \[1, inf\)"),
        (lambda w: tn.optim.Adafactor([w], beta2_decay=0.5), ValueError, "beta2_decay"),
        (lambda w: tn.optim.LBFGS([w], max_iter=0), ValueError, "max_iter: expected an int >= 1, got 0"),
        (lambda w: tn.optim.LBFGS([w], line_search_fn="strong_wolf"), ValueError, "did you mean 'strong_wolfe'"),
        (lambda w: tn.optim.LBFGS([{"params": [w]}, {"params": [tn.zeros(1)]}]), ValueError, "one parameter group"),
        (lambda w: tn.optim.LBFGS([w, tn.zeros(1, dtype="float64")]), ValueError, "one dtype and device"),
        (lambda w: tn.optim.SAM([w], tn.optim.SGD), TypeError, "base: expected an Optimizer"),
        (lambda w: tn.optim.SAM(tn.optim.SGD([w]), rho=-1), ValueError, "rho"),
        (lambda w: tn.optim.Lookahead(tn.optim.LBFGS([w])), TypeError, "cannot wrap LBFGS"),
        (lambda w: tn.optim.Lookahead(tn.optim.SGD([w]), k=0), ValueError, "k: expected an int >= 1"),
    ],
)
def test_bad_options(make, error, text):
    with pytest.raises(error, match=text):
        make(tn.tensor([1.0], requires_grad=True))


def test_a_closure_is_evaluated_and_its_loss_returned():
    w = tn.tensor([2.0], requires_grad=True)
    opt = tn.optim.SGD([w], lr=0.25)

    def closure():
        opt.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with tn.no_grad():
        assert opt.step(closure).item() == 4.0
    assert w.item() == 1.0
