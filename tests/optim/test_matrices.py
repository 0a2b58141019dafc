"""Muon and Adafactor against singular values and the algorithm boxes."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.optim.matrices import orthogonal

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (6, 6), (1, 4)])
def test_the_iteration_applies_its_polynomial_to_the_singular_values(shape, rng):
    u = rng.standard_normal(shape)
    left, s, right = np.linalg.svd(u, full_matrices=False)
    s = s / np.linalg.norm(s)
    a, b, c = COEFFICIENTS
    for _ in range(5):
        s = a * s + b * s**3 + c * s**5
    xp = tn.as_device().xp
    found = orthogonal(xp, tn.tensor(u).data, COEFFICIENTS, 5, 1e-7, None)
    np.testing.assert_allclose(tn.Tensor.wrap(found).numpy(), left * s @ right, rtol=1e-9, atol=1e-12)
    rounded = tn.Tensor.wrap(orthogonal(xp, tn.tensor(u).data, COEFFICIENTS, 5, 1e-7, "bfloat16")).numpy()
    assert np.linalg.svd(rounded, compute_uv=False).min() > 0.6 and np.linalg.norm(rounded, 2) < 1.3


def test_numbers_rounded_to_bfloat16():
    def rounded(values):
        return tn.Tensor.wrap(tn.as_device().xp.round_bfloat16(tn.tensor(values, dtype="float32").data)).tolist()

    step = 2.0**-7  # between numbers from 1 to 2
    assert rounded([1.0, 1 + 0.49 * step, 1 + 0.51 * step, 0.0, -3.0]) == [1.0, 1.0, 1 + step, 0.0, -3.0]
    assert rounded([1 + 0.5 * step, 1 + 1.5 * step]) == [1.0, 1 + 2 * step]  # ties to even
    assert rounded([float("inf"), -float("inf")]) == [float("inf"), -float("inf")]
    assert np.isnan(rounded([float("nan")]))[0]


@pytest.mark.parametrize(("shape", "rule", "scale"), [
    ((8, 2), None, 2.0), ((2, 8), "original", 1.0), ((8, 2), "match_rms_adamw", 0.2 * 8**0.5)])
def test_one_step_of_muon(shape, rule, scale, rng):
    start, g = rng.standard_normal(shape), rng.standard_normal(shape)
    w = tn.tensor(start, requires_grad=True)
    w.grad = tn.tensor(g)
    tn.optim.Muon([w], lr=0.1, weight_decay=0.3, momentum=0.9, adjust_lr_fn=rule, ns_dtype=None).step()
    direction = 0.1 * g + 0.9 * (0.1 * g)  # nesterov: (1 - m) g + m b, b = (1 - m) g
    left, s, right = np.linalg.svd(direction, full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(5):
        s = COEFFICIENTS[0] * s + COEFFICIENTS[1] * s**3 + COEFFICIENTS[2] * s**5
    np.testing.assert_allclose(w.numpy(), (1 - 0.03) * start - 0.1 * scale * left * s @ right, rtol=1e-9)


def by_the_box(p, g, r, c, v, t, lr=1e-2, eps=(1e-10, 1e-3), d=1.0, decay=0.0):
    """Algorithms 4 and 5 of Shazeer & Stern with means for sums, one parameter."""
    beta = 1 - t**-0.8
    rms = lambda x: np.sqrt(np.mean(x**2))
    alpha = max(eps[1], rms(p)) * min(lr, 1 / np.sqrt(t))
    p = p * (1 - lr * decay)
    if p.ndim > 1:
        r = beta * r + (1 - beta) * (g**2).mean(-1)
        c = beta * c + (1 - beta) * (g**2).mean(-2)
        second = r[..., :, None] * c[..., None, :] / r.mean(-1)[..., None, None]
    else:
        v = second = beta * v + (1 - beta) * g**2
    u = g / np.maximum(np.sqrt(second), eps[0])
    return p - alpha * u / max(1, rms(u) / d), r, c, v


@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 3), (5,), ()])
def test_steps_of_adafactor(shape, rng):
    start = rng.standard_normal(shape)
    w = tn.tensor(start, requires_grad=True)
    opt = tn.optim.Adafactor([w], lr=0.3, eps=(1e-10, 1e-3), weight_decay=0.1)
    p, r, c, v = start, 0.0, 0.0, 0.0
    for t in range(1, 6):
        g = rng.standard_normal(shape)
        w.grad = tn.tensor(g)
        opt.step()
        p, r, c, v = by_the_box(p, g, r, c, v, t, lr=0.3, decay=0.1)
        np.testing.assert_allclose(w.numpy(), p, rtol=1e-10)
    kept = opt.state[w]
    assert ("variance" in kept) == (len(shape) < 2) and ("row_var" in kept) == (len(shape) >= 2)


def test_a_matrix_optimizer_beside_another_shares_nothing(rng):
    layer = tn.nn.Linear(4, 3)
    muon, adam = tn.optim.Muon([layer.weight], lr=0.1), tn.optim.AdamW([layer.bias], lr=0.1)
    before = layer.bias.numpy().copy()
    layer(tn.ones((2, 4))).sum().backward()
    muon.step()
    assert np.array_equal(layer.bias.numpy(), before)
    adam.step()
    assert not np.array_equal(layer.bias.numpy(), before)
