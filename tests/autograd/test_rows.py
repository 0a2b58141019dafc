"""Numbers of the notes and their books that concern derivatives."""
import numpy as np
import pytest

import tinygrad_notes as tn

# Understanding Deep Learning, problem 6.2: twelve points of a regression
UDL_X = np.array([0.03, 0.19, 0.34, 0.46, 0.78, 0.81, 1.08, 1.18, 1.39, 1.60, 1.65, 1.90])
UDL_Y = np.array([0.67, 0.85, 1.05, 1.00, 1.40, 1.50, 1.30, 1.54, 1.55, 1.68, 1.73, 1.60])


def squared_error(x, y):
    """Sum of squared errors of a line, as a function of its two parameters."""
    x, y = tn.tensor(x), tn.tensor(y)
    return lambda theta: ((theta[0] + theta[1] * x - y) ** 2).sum()


def formula(x):
    return np.array([[2 * len(x), 2 * x.sum()], [2 * x.sum(), 2 * (x * x).sum()]])


@pytest.mark.row("S0-24")
@pytest.mark.parametrize("shift", [0.0, -5.0, 3.0])
def test_hessian_of_the_squared_error(shift, rng):
    x, y = rng.standard_normal(20) + shift, rng.standard_normal(20)
    h = tn.hessian(squared_error(x, y))(tn.tensor(rng.standard_normal(2))).numpy()
    np.testing.assert_allclose(h, formula(x), rtol=1e-10)
    np.testing.assert_allclose(np.linalg.det(h), 4 * 20 ** 2 * np.var(x), rtol=1e-10)
    assert np.trace(h) > 0 and (np.linalg.eigvalsh(h) > 0).all()


@pytest.mark.row("S0-24")
def test_hessian_is_singular_for_equal_points_and_has_the_books_eigenvalues():
    theta = tn.tensor(np.array([0.3, -0.2]))
    flat = tn.hessian(squared_error(np.full(7, -1.5), np.zeros(7)))(theta).numpy()
    assert np.linalg.det(flat) == 0.0
    h = tn.hessian(squared_error(UDL_X, UDL_Y))(theta).numpy()
    np.testing.assert_allclose(np.linalg.eigvalsh(h), [3.994169, 50.030031], atol=5e-7)


@pytest.mark.row("S0-25")
def test_backward_through_the_book_s_composed_function():
    b = [tn.tensor(np.array(v), requires_grad=True) for v in (1.0, 2.0, -3.0, 0.4)]
    w = [tn.tensor(np.array(v), requires_grad=True) for v in (0.1, -0.4, 2.0, 3.0)]
    x, y = tn.tensor(np.array(2.3)), 2.0
    f0 = b[0] + w[0] * x
    f1 = b[1] + w[1] * tn.sin(f0)
    f2 = b[2] + w[2] * tn.exp(f1)
    f3 = b[3] + w[3] * tn.cos(f2)
    np.testing.assert_allclose([f.item() for f in (f0, f1, f2, f3)], [1.23, 1.623004, 7.136590, 2.372264], atol=5e-7)
    ((f3 - y) ** 2).backward()
    published = {b[3]: 0.745, w[3]: 0.489, b[2]: -1.683, w[2]: -8.530, b[1]: -17.060, w[1]: -16.079, b[0]: 2.281}
    for parameter, value in published.items():
        np.testing.assert_allclose(parameter.grad.item(), value, atol=6e-4)
    np.testing.assert_allclose(w[0].grad.item(), b[0].grad.item() * 2.3, rtol=1e-15)


def udl_network():
    """Weights and biases of problem 7.2: five hidden layers of six units, drawn from NumPy's legacy stream 0."""
    draw = np.random.RandomState(0).normal
    depth, width = 5, 6
    weights, biases = [None] * (depth + 1), [None] * (depth + 1)
    weights[0], weights[-1] = draw(size=(width, 1)), draw(size=(1, width))
    biases[0], biases[-1] = draw(size=(width, 1)), draw(size=(1, 1))
    for k in range(1, depth):
        weights[k], biases[k] = draw(size=(width, width)), draw(size=(width, 1))
    return weights, biases


def relu(x):
    return tn.where(x > 0, x, tn.zeros_like(x))


def forward(weights, biases, x):
    """Pre-activations f^k = b^k + W^k h^k and activations h^k, as lists."""
    h, pre = [x], []
    for k, (w, b) in enumerate(zip(weights, biases)):
        pre.append(b + w @ h[-1])
        if k + 1 < len(weights):
            h.append(relu(pre[-1]))
    return pre, h


@pytest.mark.row("S0-25")
def test_the_book_s_network_against_differences():
    weights, biases = udl_network()
    x = tn.tensor(np.array([[1.2]]))

    def loss(parameters):
        pre, _ = forward(*parameters, x)
        return ((pre[-1] - 20.0) ** 2).sum()
    parameters = ([tn.tensor(w) for w in weights], [tn.tensor(b) for b in biases])
    output = forward(*parameters, x)[0][-1].item()
    value, gradient = tn.value_and_grad(loss)(parameters)
    assert abs(output - 1.9066) < 1e-3 and abs(value.item() - 327.3709) < 1e-3
    for arrays, gradients in zip((weights, biases), gradient):
        for array, g in zip(arrays, gradients):
            for index in np.ndindex(*array.shape):
                kept, step, found = array[index], 1e-6, []
                for sign in (1, -1):
                    array[index] = kept + sign * step
                    found.append(loss(([tn.tensor(w) for w in weights], [tn.tensor(b) for b in biases])).item())
                array[index] = kept
                np.testing.assert_allclose(g.numpy()[index], (found[0] - found[1]) / (2 * step), rtol=1e-5, atol=1e-6)


@pytest.mark.row("S0-32")
@pytest.mark.parametrize("batch", [1, 7])
def test_backpropagation_by_hand(batch, rng):
    """delta^k = dl/df^k;  dl/db^k = sum delta^k;  dl/dW^k = delta^k h^kT;  delta^(k-1) = a'(f^(k-1)) * W^kT delta^k."""
    sizes = [3, 8, 5, 8, 2]
    weights = [tn.tensor(rng.standard_normal((n, m)), requires_grad=True) for m, n in zip(sizes, sizes[1:])]
    biases = [tn.tensor(rng.standard_normal((n, 1)), requires_grad=True) for n in sizes[1:]]
    x, y = tn.tensor(rng.standard_normal((3, batch))), tn.tensor(rng.standard_normal((2, batch)))
    pre, h = forward(weights, biases, x)
    for f in pre:
        f.retain_grad()
    ((pre[-1] - y) ** 2).sum().backward()
    delta = 2 * (pre[-1].numpy() - y.numpy())
    for k in reversed(range(len(weights))):
        np.testing.assert_allclose(pre[k].grad.numpy(), delta, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(biases[k].grad.numpy(), delta.sum(1, keepdims=True), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(weights[k].grad.numpy(), delta @ h[k].numpy().T, rtol=1e-12, atol=1e-12)
        if k:
            delta = (pre[k - 1].numpy() > 0) * (weights[k].numpy().T @ delta)


# Least squares: L(w) = |Phi w - y|^2 / 2, with gradient Phi' (Phi w - y) and Hessian Phi' Phi -----------------------
@pytest.fixture
def least_squares(rng):
    phi, y = rng.standard_normal((30, 5)), rng.standard_normal(30)

    def loss(w):
        return 0.5 * ((tn.tensor(phi) @ w - tn.tensor(y)) ** 2).sum()
    return phi, y, loss


@pytest.mark.row("S1-61")
def test_gradient_of_least_squares(least_squares, rng):
    phi, y, loss = least_squares
    w = rng.standard_normal(5)
    np.testing.assert_allclose(tn.grad(loss)(tn.tensor(w)).numpy(), phi.T @ phi @ w - phi.T @ y, rtol=1e-12)


@pytest.mark.row("S1-62")
def test_hessian_of_least_squares_is_constant(least_squares, rng):
    phi, _, loss = least_squares
    at = [tn.hessian(loss)(tn.tensor(rng.standard_normal(5))).numpy() for _ in range(2)]
    np.testing.assert_allclose(at[0], phi.T @ phi, rtol=1e-12)
    np.testing.assert_allclose(at[0], at[1], rtol=1e-12)


@pytest.mark.row("S1-63")
def test_the_longest_step_that_does_not_raise_the_loss(least_squares, rng):
    phi, _, loss = least_squares
    w = tn.tensor(rng.standard_normal(5))
    g = tn.grad(loss)(w)
    bound = (2 * (g * g).sum() / (g * tn.hvp(loss, w, g)).sum()).item()
    np.testing.assert_allclose(loss(w - bound * g).item(), loss(w).item(), rtol=1e-12)
    assert loss(w - 0.99 * bound * g).item() < loss(w).item() < loss(w - 1.01 * bound * g).item()
    assert bound >= 2 / np.linalg.eigvalsh(phi.T @ phi).max()


@pytest.mark.row("S1-64")
def test_power_iteration_on_products_finds_the_largest_curvature(least_squares, rng):
    phi, _, loss = least_squares
    _, curve = tn.vjp(tn.grad(loss), tn.tensor(rng.standard_normal(5)))
    v = tn.tensor(rng.standard_normal(5))
    for _ in range(400):
        (product,) = curve(v)
        v = product / tn.sqrt((product * product).sum())
    largest = (v * curve(v)[0]).sum().item()
    np.testing.assert_allclose(largest, np.linalg.eigvalsh(phi.T @ phi).max(), rtol=1e-12)
    for _ in range(5):
        u = tn.tensor(rng.standard_normal(5))
        assert (u * tn.hvp(loss, tn.zeros((5,), dtype="float64"), u)).sum().item() <= largest * (u * u).sum().item()


@pytest.mark.row("S1-64")
@pytest.mark.parametrize("share, final", [(0.99, 4e-46), (1.0, 3e-2), (1.01, 3e41)])
def test_descent_is_stable_up_to_two_over_the_largest_curvature(share, final):
    curvature = tn.tensor(np.array([0.5, 1.0, 2.0, 3.0, 4.0]))
    descent = tn.grad(lambda w: 0.5 * (curvature * w * w).sum())
    w = tn.tensor(np.array([0.1, 0.1, 0.1, 0.1, 3e-2]))
    for _ in range(5000):
        w = w - share * 2 / 4.0 * descent(w)
    np.testing.assert_allclose(np.abs(w.numpy()).max(), final, rtol=0.05)
