"""The vector-quantized autoencoder: choice, straight-through gradient, moving table."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import VQVAE, VectorQuantizer, loss_of_parameters


def nearest(z, e):
    return ((z[:, None] - e[None])**2).sum(-1).argmin(1)


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_the_gradient_with_kept_stops_is_that_of_finite_differences(decay):
    model = VQVAE(4, 2, 3, 2, (3,), decay=decay)
    loss, parameters = loss_of_parameters(model, (tn.uniform((3, 4)),))
    assert len(parameters) == 8 + (decay == 0)
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=2, elements=2).verdict == "CORRECT"


def test_the_gradient_of_training_is_that_of_the_kept_stops():
    """`stops` changes nothing: the same numbers as the detached ones of a plain backward pass."""
    model, x = VQVAE(4, 2, 3, 2, (3,), decay=0.0, dtype=tn.float64), tn.uniform((3, 4), dtype=tn.float64)
    parameters = list(model.parameters())
    plain = tn.autograd.grad(model.loss(x)["loss"], parameters)
    kept = tn.autograd.grad(model.loss(x, stops=model.stops(x))["loss"], parameters)
    for a, b in zip(plain, kept):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_the_quantizer_by_the_book(rng):
    layer = VectorQuantizer(5, 3, commitment=0.3, decay=0, dtype=tn.float64)
    z, e, g = rng.normal(size=(20, 3)), layer.table.numpy(), rng.normal(size=(20, 3))
    given = tn.tensor(z).requires_grad_()
    q, k, loss = layer(given)
    want = nearest(z, e)
    np.testing.assert_array_equal(k.numpy(), want)
    np.testing.assert_allclose(q.detach().numpy(), e[want], atol=1e-15)
    assert loss.item() == pytest.approx(1.3 * ((z - e[want])**2).sum(1).mean(), rel=1e-12)
    to_z, to_table = tn.autograd.grad((q * tn.tensor(g)).sum() + loss, [given, layer.table])
    np.testing.assert_allclose(to_z.numpy(), g + 0.3 * 2 * (z - e[want]) / 20, rtol=1e-12)
    slope = np.zeros((5, 3))
    np.add.at(slope, want, 2 * (e[want] - z) / 20)
    np.testing.assert_allclose(to_table.numpy(), slope, rtol=1e-12, atol=1e-15)


def test_the_table_follows_the_running_means(rng):
    layer = VectorQuantizer(2, 1, decay=0.5, revive=0.0, dtype=tn.float64)
    with tn.no_grad():
        layer.table[...] = [[-1.0], [1.0]]
        layer.sums[...] = [[-1.0], [1.0]]
    z = np.array([[-2.0], [-4.0], [3.0]])
    layer(tn.tensor(z))
    np.testing.assert_allclose(layer.counts.numpy(), [0.5 + 1.0, 0.5 + 0.5])
    np.testing.assert_allclose(layer.table.numpy(), [[(-0.5 - 3.0) / 1.5], [(0.5 + 1.5) / 1.0]])
    before = layer.table.numpy().copy()
    layer.eval()
    layer(tn.tensor(z))
    np.testing.assert_array_equal(layer.table.numpy(), before)


def test_entries_that_nobody_chooses_move_to_a_code():
    layer = VectorQuantizer(4, 2, decay=0.5)
    with tn.no_grad():
        layer.table[...] = [[0, 0], [100, 100], [101, 100], [102, 100]]
    z = tn.normal((64, 2))
    for _ in range(20):
        layer(z)
    assert len(set(layer.nearest(z).tolist())) == 4


@pytest.mark.same_on_strict
def test_whole_numbers_carry_the_data(rng):
    """Four clouds need two bits: one code of four entries keeps all but their spread."""
    centers = np.array([[2.0, 0], [-2, 0], [0, 2], [0, -2]])
    x = tn.tensor((centers[rng.integers(0, 4, 400)] + 0.1 * rng.normal(size=(400, 2))).astype("f4"))
    model = VQVAE(2, 1, 4, 2, (16,), decay=0.9)
    loader = tn.data.DataLoader(tn.data.TensorDataset(x), 100, shuffle=True)
    for lr in (1e-2, 1e-3):
        tn.train.fit(model, loader, tn.optim.Adam(model.parameters(), lr=lr), 30)
    found = model.loss(x)
    assert found["reconstruction"].item() < 2 * 2 * 0.1**2 and found["perplexity"].item() > 3.9
    assert model.bits() == 2 and model.encode(x).shape == (400, 1)
    sample = model.sample(200).numpy()
    assert np.linalg.norm(sample[:, None] - centers[None], axis=2).min(1).max() < 0.3
    np.testing.assert_allclose(model.decode(model.encode(x)).detach().numpy(), model.predict(x).numpy())


@pytest.mark.parametrize(("make", "message"), [
    (lambda: VectorQuantizer(0, 2), "entries, dim >= 1"), (lambda: VectorQuantizer(2, 2, decay=1.0), "decay < 1"),
    (lambda: VQVAE(2, 0), "at least 1"),
])
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
