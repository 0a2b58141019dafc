"""The tangent kernel: by the Jacobian, by its limit of infinite width, and what it says of training."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.analysis import tangent_kernel

X = np.array([[0.2, 1.0], [0.4, 1.0], [0.8, 1.0]])  # inputs, and a one for the bias


def of_infinite_width():
    """Two layers with ReLU, all weights standard normal, 1 / sqrt(width) on the output, a bias on the output."""
    size = np.linalg.norm(X, axis=1)
    cosine = np.clip(X @ X.T / np.outer(size, size), -1, 1)
    angle = np.arccos(cosine)
    outer = np.outer(size, size) * (np.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi)
    inner = X @ X.T * (np.pi - angle) / (2 * np.pi)
    return outer + inner + 1


def two_layers(params, x):
    hidden = tn.relu(x @ params["w"].T)  # (N, 2) -> (N, D)
    return hidden @ params["v"] / params["v"].shape[0] ** 0.5 + params["b"]


def draw(width, rng):
    return {"w": tn.asarray(rng.standard_normal((width, 2))), "v": tn.asarray(rng.standard_normal(width)),
            "b": tn.asarray(np.zeros(()))}


@pytest.mark.row("S1-76")
def test_the_limit_of_infinite_width_and_the_way_there(rng):
    limit = of_infinite_width()
    expected = [[2.04, 2.048882, 2.079238], [2.048882, 2.16, 2.260034], [2.079238, 2.260034, 2.64]]
    np.testing.assert_allclose(limit, expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.eigvalsh(limit), [0.02902, 0.254377, 6.556604], atol=1e-5)
    errors = [max(np.abs(tangent_kernel(two_layers, tn.asarray(X), params=draw(width, rng)).numpy() - limit).max()
                  for _ in range(3)) for width in (100, 1000, 10000)]
    assert errors[2] < 0.1 and errors[2] < errors[0] / 3  # about 1 / sqrt(width)


def test_a_module_with_several_outputs(rng):
    tn.manual_seed(0)
    net = tn.nn.Sequential(tn.nn.Linear(2, 5), tn.nn.Tanh(), tn.nn.Linear(5, 3)).to("float64")
    x, other = tn.asarray(rng.standard_normal((4, 2))), tn.asarray(rng.standard_normal((2, 2)))
    kernel = tangent_kernel(net, x, other).numpy()
    assert kernel.shape == (4, 3, 2, 3)

    def gradient(inputs, i, a):
        net.zero_grad()
        net(inputs)[i, a].backward()
        return np.concatenate([p.grad.numpy().ravel() for p in net.parameters()])

    for i, a, j, b in ((0, 0, 0, 0), (3, 2, 1, 0), (1, 1, 0, 2)):
        assert kernel[i, a, j, b] == pytest.approx(gradient(x, i, a) @ gradient(other, j, b), rel=1e-10)
    whole = tangent_kernel(net, x).numpy().reshape(12, 12)
    np.testing.assert_allclose(whole, whole.T, rtol=1e-12)
    assert np.linalg.eigvalsh(whole)[0] > -1e-10


def test_outputs_move_by_the_kernel(rng):
    tn.manual_seed(0)
    net = tn.nn.Sequential(tn.nn.Linear(2, 9), tn.nn.Tanh(), tn.nn.Linear(9, 1)).to("float64")
    x, y = tn.asarray(rng.standard_normal((4, 2))), tn.asarray(rng.standard_normal((4, 1)))
    kernel, before = tangent_kernel(net, x).numpy(), net(x).numpy()
    lr = 1e-6
    opt = tn.optim.SGD(net.parameters(), lr=lr)
    (0.5 * ((net(x) - y) ** 2).sum()).backward()
    opt.step()
    np.testing.assert_allclose((net(x).numpy() - before) / lr, -kernel @ (before - y.numpy()), rtol=1e-3, atol=1e-4)


def test_what_is_no_model():
    with pytest.raises(TypeError, match="expected a Module or a function of"):
        tangent_kernel(3, tn.ones((2, 2)))
