"""Gates and competing units: as modules, winners, where the gradient goes, and what raises."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["GLU", "SwiGLU", "GEGLU", "ReGLU", "Sparsemax"])
def test_modules_take_an_axis(name):
    x = tn.tensor(RNG.standard_normal((4, 3)))
    found = getattr(nn, name)(dim=0)(x)
    np.testing.assert_array_equal(found.numpy(), getattr(F, name.lower())(x, 0).numpy())
    np.testing.assert_array_equal(found.numpy().T, getattr(nn, name)()(x.T).numpy())
    assert repr(getattr(nn, name)()) == f"{name}(dim=-1)"


@pytest.mark.row("S1-46")
@pytest.mark.parametrize("k", [0, 1, 3, 8, 0.3])
def test_exactly_k_winners(k):
    """Also among equal ones; the gradient passes through the winners alone."""
    for x in (RNG.standard_normal((20, 8)) + 5, np.ones((2, 8))):
        x = tn.tensor(x, requires_grad=True)
        out = nn.KWTA(k)(x)
        count = k if isinstance(k, int) else 3  # 0.3 of 8, rounded up
        assert ((out.numpy() != 0).sum(1) == count).all()
        g = RNG.uniform(1, 2, x.shape)
        out.backward(tn.tensor(g))
        np.testing.assert_array_equal(x.grad.numpy(), np.where(out.numpy() != 0, g, 0))
        losers = np.where(out.numpy() == 0, x.numpy(), -np.inf).max(1)
        assert (np.where(out.numpy() != 0, x.numpy(), np.inf).min(1) >= losers).all()


def test_maxout_is_convex_piecewise_affine():
    tn.manual_seed(0)
    layer = nn.Maxout(3, 2, pieces=4, dtype="float64")
    x = RNG.standard_normal((5, 3))
    weight, bias = layer.weight.numpy().reshape(2, 4, 3), layer.bias.numpy().reshape(2, 4)
    expected = (np.einsum("jki,ni->njk", weight, x) + bias).max(-1)
    np.testing.assert_allclose(layer(tn.tensor(x)).numpy(), expected, rtol=1e-12)
    assert {k: v.shape for k, v in layer.state_dict().items()} == {"weight": (8, 3), "bias": (8,)}
    assert tn.testing.check_module(layer, lambda: (layer(tn.tensor(x)) ** 2).sum())


def test_sparsemax_gives_probabilities_and_zeros():
    out = F.sparsemax(tn.tensor(3 * RNG.standard_normal((50, 10)))).numpy()
    np.testing.assert_allclose(out.sum(1), 1, rtol=1e-12)
    assert (out >= 0).all() and (out == 0).mean() > 0.5
    np.testing.assert_allclose(F.sparsemax(tn.zeros((2, 4))).numpy(), 0.25)


@pytest.mark.parametrize("call, message, error", [
    (lambda x: F.swiglu(x), "swiglu: expected an even size along axis -1, got shape", ValueError),
    (lambda x: F.geglu(x, 2), "geglu: dim 2 is out of range", IndexError),
    (lambda x: F.kwta(x, 4), r"k: expected an integer in \[0, 3\] or a share in \(0, 1\), got 4", ValueError),
    (lambda x: F.kwta(x, 1.5), "k: expected an integer", ValueError),
    (lambda x: nn.KWTA(-1), "k: expected an integer", ValueError),
    (lambda x: F.kwta(x, 1, 5), "kwta: dim 5 is out of range", IndexError),
    (lambda x: F.maxout(x, 2), "pieces: expected an integer > 0 that divides the size 3 of axis -1, got 2", ValueError),
    (lambda x: nn.Maxout(3, 2, pieces=0), "pieces: expected an integer > 0, got 0", ValueError),
    (lambda x: F.sparsemax(x[:, :0]), "sparsemax: nothing along axis -1", ValueError),
])
def test_what_raises(call, message, error):
    with pytest.raises(error, match=message):
        call(tn.ones((2, 3)))
