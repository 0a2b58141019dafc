"""The rows of the notes about flows: their formulas, and the numbers of the book's notebooks."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.models.flows.common import stirred
from tinygrad_notes.models import flows

F64 = {"dtype": "float64"}
PHI = [0.2, 0.1, 0.4, 0.05, 0.25]


class Book(flows.Bijection):
    """Notebook 16.1: x = (1 - p) (6 sig(1.5 (z - 0.25)) - 3) + p z, p = z^2 / 9."""

    def to_data(self, z):
        with tn.enable_grad():
            z = z.detach().requires_grad_(True)
            p = z * z / 9
            x = (1 - p) * (6 * tn.sigmoid(1.5 * (z - 0.25)) - 3) + p * z
            slope = tn.autograd.grad(x.sum(), z)[0]
        return x.detach(), tn.log(tn.abs(slope))[:, 0]


@pytest.mark.row("S0-T51")
def test_change_of_variables_reproduces_the_book():
    z = tn.tensor(np.arange(-3, 3, 0.01))[:, None]  # the grid of the notebook
    x, log_det = Book().to_data(z)
    density = tn.exp(-0.5 * z[:, 0]**2 - 0.5 * math.log(2 * math.pi) - log_det)
    assert float(tn.exp(log_det).min()) == pytest.approx(0.228364, abs=1e-6)
    assert float(density.max()) == pytest.approx(0.418427, abs=1e-6)
    assert float(tn.trapezoid(density, x[:, 0])) == pytest.approx(0.99726, abs=1e-5)


@pytest.mark.row("S0-T51")
def test_the_sigmoid_of_a_normal_number_is_logit_normal(rng):
    x = rng.uniform(0.02, 0.98, (50, 1))
    flow = flows.Flow([flows.Logit(0.0)], 1)
    wanted = np.exp(-0.5 * np.log(x / (1 - x))**2) / np.sqrt(2 * np.pi) / (x * (1 - x))
    np.testing.assert_allclose(flow.log_prob(tn.tensor(x)).numpy(), np.log(wanted[:, 0]), rtol=1e-12)


@pytest.mark.row("S0-T52")
def test_the_log_determinant_of_a_linear_flow_is_that_of_its_matrix():
    layer = stirred(flows.LinearPLU(6, **F64), 0.5)
    x = tn.randn((5, 6), **F64)
    z, log_det = layer.to_latent(x)
    _, wanted = np.linalg.slogdet(layer.weight().numpy())
    np.testing.assert_allclose(log_det.numpy(), wanted, rtol=1e-12)
    np.testing.assert_allclose(z.numpy(), x.numpy() @ layer.weight().numpy().T + layer.bias.numpy(), rtol=1e-12)
    np.testing.assert_allclose(layer.to_data(z)[0].numpy(), x.numpy(), atol=1e-12)
    images = tn.randn((2, 6, 3, 4), **F64)
    z, log_det = layer.to_latent(images)
    np.testing.assert_allclose(log_det.numpy(), 12 * wanted, rtol=1e-12)
    bias = layer.bias.numpy()[:, None, None]
    np.testing.assert_allclose(z.numpy(), np.einsum("ij,njhw->nihw", layer.weight().numpy(), images.numpy()) + bias)
    np.testing.assert_allclose(layer.to_data(z)[0].numpy(), images.numpy(), atol=1e-12)


@pytest.mark.row("S0-T53")
def test_a_piecewise_linear_map_is_the_corrected_formula():
    line, theta = flows.PiecewiseLinear(5), tn.log(tn.tensor(PHI, **F64))
    h = np.linspace(0, 1, 401)[:-1]
    z, log_slope = line.to_latent(tn.tensor(h), theta * tn.ones((400, 1), **F64))
    b = np.floor(5 * h).astype(int)
    wanted = np.array([sum(PHI[:k]) + (5 * x - k) * PHI[k] for k, x in zip(b, h)])
    np.testing.assert_allclose(z.numpy(), wanted, atol=1e-15)
    np.testing.assert_allclose(log_slope.numpy(), np.log(5 * np.array(PHI)[b]), rtol=1e-12)
    assert z.numpy()[0] == 0 and (np.diff(z.numpy()) > 0).all()
    assert line.to_latent(tn.tensor([1.0], **F64), theta[None])[0].item() == pytest.approx(1, abs=1e-15)
    back, opposite = line.to_data(z, theta * tn.ones((400, 1), **F64))
    np.testing.assert_allclose(back.numpy(), h, atol=1e-15)
    inside = (5 * h) % 1 > 1e-9  # at a knot rounding may choose either piece
    np.testing.assert_allclose(opposite.numpy()[inside], -log_slope.numpy()[inside], rtol=1e-12)


class BookNetwork(tn.nn.Module):
    """Notebook 16.2: phi_1 fixed, phi_d from a shallow network of h_1 ... h_(d-1), its weights drawn with seed d-1."""

    def forward(self, x):
        rows = [tn.log(tn.tensor(PHI, **F64)) * tn.ones((len(x), 1), **F64)]
        for n in (1, 2, 3):
            stream = np.random.RandomState(n)
            first, into = stream.normal(size=(10, 1)), stream.normal(size=(10, n))
            last, out = stream.normal(size=(5, 1)), stream.normal(size=(5, 10))
            hidden = tn.relu(x[:, :n] @ tn.tensor(into.T) + tn.tensor(first[:, 0]))
            rows.append(hidden @ tn.tensor(out.T) + tn.tensor(last[:, 0]))
        return tn.stack(rows, axis=1)


@pytest.mark.row("S0-T55")
def test_the_autoregressive_flow_of_the_book():
    layer = flows.MaskedAutoregressive(4, flows.PiecewiseLinear(5), network=BookNetwork())
    h = tn.tensor([[0.22, 0.41, 0.83, 0.53]], **F64)
    z, _ = layer.to_latent(h)
    np.testing.assert_allclose(z.numpy()[0], [0.21, 0.025, 0.409, 0.086], atol=5e-4)
    np.testing.assert_allclose(layer.to_data(z)[0].numpy(), h.numpy(), atol=1e-15)
    jacobian = tn.jacobian(lambda x: layer.to_latent(x)[0][0])(h).numpy()[:, 0]
    assert np.triu(jacobian, 1).tolist() == np.zeros((4, 4)).tolist()


@pytest.mark.row("S0-T55")
def test_the_jacobian_of_a_masked_network_is_strictly_triangular():
    for hidden in ((7, 5), (1,), ()):
        network = flows.MaskedMLP(4, 2, hidden, **F64)
        J = tn.jacobian(lambda x, network=network: network(x[None])[0])(tn.randn((4,), **F64)).numpy()  # (4, 2, 4)
        assert not np.triu(np.moveaxis(J, 1, 0)).any()
    wide = tn.jacobian(lambda x: flows.MaskedMLP(4, 1, (30,), **F64)(x[None])[0, :, 0])(tn.randn((4,), **F64)).numpy()
    assert (np.tril(wide, -1) != 0).sum() == 6, "every earlier feature is seen"


@pytest.mark.row("S0-T56")
def test_an_inverse_autoregressive_flow_is_the_inverse_of_a_masked_one():
    maf = stirred(flows.MAF(3, 1, (8,), **F64))
    iaf = flows.IAF(3, 1, (8,), **F64)
    iaf.load_state_dict({key.replace("layers.1.", "layers.1.layer."): value for key, value in maf.state_dict().items()})
    x = tn.randn((5, 3), **F64)
    inner, turned = maf.layers[1], iaf.layers[1]
    for there, back in ((inner.to_latent, turned.to_data), (inner.to_data, turned.to_latent)):
        for a, b in zip(there(x), back(x)):
            assert a.tolist() == b.tolist()


@pytest.mark.row("S0-T57")
def test_fixed_points_of_the_book():
    sine = lambda a, b, c: lambda z: a + b * z + c * tn.sin(15 * z)
    start = lambda z: tn.tensor(z, **F64)
    assert float(flows.fixed_point(sine(0.3, 0.5, 0.02), start(0.2))) == pytest.approx(0.6105407, abs=1e-7)
    assert float(flows.fixed_point(sine(0.7, -0.6, 0.03), start(0.9))) == pytest.approx(0.4445403, abs=1e-7)
    with pytest.raises(RuntimeError, match="is the function a contraction"):
        flows.fixed_point(sine(-0.2, 1.5, 0.1), start(0.7), steps=20)
    f4 = sine(-0.3, 0.5, 0.02)
    assert float(flows.fixed_point(lambda z: 0.8 - f4(z), start(0.2))) == pytest.approx(0.7463998, abs=1e-7)


@pytest.mark.row("S0-T57")
def test_a_contraction_stretches_no_distance(rng):
    layer = stirred(flows.IResNet(4, (8, 8), contraction=0.9, **F64), 2.0)
    x, y = (tn.tensor(3 * rng.normal(size=(200, 4))) for _ in range(2))
    stretch = tn.linalg.vector_norm(layer.branch(x) - layer.branch(y), axis=1) / tn.linalg.vector_norm(x - y, axis=1)
    assert float(stretch.max()) < 0.9


@pytest.mark.row("S0-T58")
def test_the_series_is_as_near_as_its_bound_says_and_the_estimators_are_right_on_average(rng):
    A = rng.normal(size=(4, 4))
    A *= 0.5 / np.linalg.norm(A, 2)
    _, exact = np.linalg.slogdet(np.eye(4) + A)
    x, g = tn.tensor(rng.normal(size=(1, 4))), lambda x: x @ tn.tensor(A.T)
    for n in (1, 3, 6, 12):
        error = abs(flows.logdet_series(g, x, n)[1].item() - exact)
        assert error <= 4 * 0.5**(n + 1) / ((n + 1) * 0.5)
    many = tn.tensor(rng.normal(size=(4000, 4)))
    probes = tn.randn((1, 4000, 4), **F64)
    found = flows.logdet_series(g, many, 30, probes)[1].numpy()
    assert abs(found.mean() - exact) < 4 * found.std() / np.sqrt(len(found))


@pytest.mark.row("S0-T58")
def test_the_roulette_has_no_bias():
    layer = flows.IResNet(2, (4,), log_det="roulette", terms=2, probes=0, **F64)
    x = tn.randn((1, 2), **F64)
    found = np.array([layer.to_latent(x)[1].item() for _ in range(225)])
    layer.log_det = "exact"
    assert abs(found.mean() - layer.to_latent(x)[1].item()) < 4 * found.std() / 15
    layer.log_det, layer.terms = "series", 2
    assert abs(layer.to_latent(x)[1].item() - found.mean()) > 4 * found.std() / 15, "two terms alone have one"


@pytest.mark.row("S0-T59")
def test_a_multi_scale_flow_is_invertible_and_its_log_likelihoods_add():
    glow = stirred(flows.Glow((1, 4, 4), 5, steps=1, hidden=3, **F64), 0.1)
    x = tn.uniform((2, 1, 4, 4), **F64)
    assert flows.check_bijection(glow, x).error < 1e-12
    scales = stirred(flows.MultiScale([flows.LinearPLU(4, **F64), flows.LinearPLU(2, **F64)], (4,)))
    x = tn.randn((3, 4), **F64)
    whole = flows.Flow([scales], 4).log_prob(x)
    first, log_det = scales.stages[0].to_latent(x)
    rest = flows.Flow([scales.stages[1]], 2).log_prob(first[:, :2])
    parts = flows.base.log_normal(first[:, 2:]) + log_det + rest
    np.testing.assert_allclose(whole.numpy(), parts.numpy(), rtol=1e-12)


@pytest.mark.row("S0-T60")
def test_an_affine_flow_finds_the_normal_density_of_its_data():
    data = 3 + 2 * tn.randn((4000, 1))
    flow = flows.Flow([flows.LinearPLU(1)], 1)
    flow.layers[0].lower.requires_grad_(False)
    flow.layers[0].upper.requires_grad_(False)
    loader = tn.data.DataLoader(tn.data.TensorDataset(data), 500, shuffle=True, generator=0)
    tn.train.fit(flow, loader, tn.optim.Adam(flow.parameters(), lr=0.05), 25)
    weight, bias = flow.layers[0].weight().item(), flow.layers[0].bias.item()
    assert -bias / weight == pytest.approx(3, rel=0.03) and 1 / weight == pytest.approx(2, rel=0.03)
    found = flow.loss(data)["loss"].item()
    assert found == pytest.approx(2.1121, abs=0.03), "the entropy of the density"


@pytest.mark.row("S0-T60")
def test_reverse_divergence_of_an_affine_flow_is_that_of_two_normal_densities():
    flow = flows.Flow([flows.LinearPLU(1, **F64)], 1)
    flow.load_state_dict({**flow.state_dict(), "layers.0.log_diagonal": [0.3], "layers.0.bias": [0.4]})
    scale, mean = math.exp(-0.3), -0.4 * math.exp(-0.3)  # x = (z - b) exp(-d)
    target = tn.distributions.Normal(tn.tensor(3.0, **F64), 2.0)
    found = flow.reverse_kl(lambda x: target.log_prob(x)[:, 0], 200000)
    wanted = tn.distributions.kl_divergence(tn.distributions.Normal(tn.tensor(mean, **F64), scale), target)
    assert found.item() == pytest.approx(wanted.item(), abs=0.02)
