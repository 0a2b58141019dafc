"""Every flow: both directions, both log-determinants, the integral of the density, gradients of the loss."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.models.flows.common import small, stirred
from tinygrad_notes.models import flows, loss_of_parameters
from tinygrad_notes.models.flows import BijectionError, check_bijection

F64 = {"dtype": "float64"}
INVERTED = sorted(set(small()) - {"series"})  # a truncated series is no log-determinant


def exact(name, flow):
    """The flow, with steps enough to undo what a solver did."""
    if name == "continuous":
        flow.layers[1].options["steps"] = 12
    return flow


@pytest.mark.row("S0-T54", "S0-T55", "S0-T56", "S0-T57")
@pytest.mark.parametrize("name", INVERTED)
def test_the_directions_are_inverse_and_the_log_determinants_those_of_full_jacobians(name):
    result = check_bijection(exact(name, stirred(small(3)[name])), tn.randn((4, 3), **F64))
    assert result.error < (1e-7 if name == "continuous" else 1e-10)


@pytest.mark.same_on_strict
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "continuous"))
                                  for name in INVERTED])
def test_the_density_in_the_plane_integrates_to_one(name):
    result = check_bijection(exact(name, stirred(small(2)[name])), tn.randn((2, 2), **F64))
    assert result.mass == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("layer", [
    flows.Planar(1, **F64), flows.Radial(1, **F64), flows.ActNorm(1, **F64), flows.LinearPLU(1, **F64),
    flows.MaskedAutoregressive(1, flows.Spline(4), (3,), **F64), flows.IResNet(1, (4,), **F64)],
    ids=lambda layer: type(layer).__name__)
def test_the_density_on_a_line_integrates_to_one(layer):
    assert check_bijection(stirred(layer, 0.4), tn.randn((3, 1), **F64)).mass == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("layer", [flows.Logit(), flows.Permutation([2, 0, 1]), flows.LeakyReLU(), flows.Inverse(
    flows.LinearPLU(3, **F64)), flows.IRevNet(3, (4,), **F64)], ids=lambda layer: type(layer).__name__)
def test_layers_that_are_part_of_no_small_flow(layer):
    assert check_bijection(stirred(layer), tn.uniform((4, 3), **F64)).error < 1e-12


@pytest.mark.parametrize("name", sorted(small()))
def test_the_gradient_of_the_loss_is_that_of_finite_differences(name):
    loss, parameters = loss_of_parameters(stirred(small()[name]), (tn.randn((3, 2), **F64),))
    result = tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=1)
    assert result.verdict == "CORRECT" and result.error < 1e-6


@pytest.mark.parametrize("name", ["residual", "series", "planar", "RealNVP"])
def test_and_so_is_the_second_derivative(name):
    loss, parameters = loss_of_parameters(stirred(small()[name]), (tn.randn((2, 2), **F64),))
    assert tn.gradgradcheck(loss, parameters, fast_mode=True, directions=1, elements=0).verdict == "CORRECT"


@pytest.mark.parametrize("name", ["planar", "radial", "IAF", "residual", "spline"])
def test_gradients_flow_through_the_inverse_too(name):
    flow = stirred(small()[name])
    z = tn.randn((2, 2), **F64)
    names, values = zip(*flow.named_parameters())

    def out(z, *parameters):
        with tn.nn.state.replaced(flow, dict(zip(names, parameters))), flow.evaluating():
            return flow.to_data(z)
    assert tn.gradcheck(out, (z, *values), fast_mode=True, directions=1, elements=0).verdict == "CORRECT"


def test_the_inverse_of_a_planar_layer_is_right_to_the_third_order():
    layer = stirred(flows.Planar(2, **F64))
    cube = tn.grad(lambda x: tn.grad(lambda y: (layer.to_data(layer.to_latent(y)[0])[0]**3).sum())(x).sum())
    x = tn.randn((3, 2), **F64)
    np.testing.assert_allclose(tn.grad(lambda x: cube(x).sum())(x).numpy(), 6 * np.ones((3, 2)), rtol=1e-7)


class Wrong(flows.Bijection):
    """A scale by 2 with a fault."""

    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    def to_latent(self, x):
        x = tn.ops.as_tensor(x)
        log_det = x.shape[1] * math.log(2) * tn.ones((len(x),), **F64)
        if self.fault == "batch":
            return 2 * x - x.mean(axis=0), log_det
        return 2 * x, -log_det if self.fault == "sign" else log_det

    def to_data(self, z):
        return z / 2 + (0.1 if self.fault == "inverse" else 0), -z.shape[1] * math.log(2) * tn.ones((len(z),), **F64)


@pytest.mark.parametrize(("fault", "told"), [
    ("sign", "log |det dz/dx| against the Jacobian: WRONG"), ("inverse", "data -> latent -> data: WRONG"),
    ("batch", "alone is mapped as in a batch: WRONG"),
])
def test_faults_are_found_and_named(fault, told):
    x = tn.randn((4, 2), **F64)
    assert check_bijection(Wrong(""), x)
    result = check_bijection(Wrong(fault), x, raise_exception=False)
    assert not result and told in result.report() and result.verdict == "WRONG"
    with pytest.raises(BijectionError, match="WRONG"):
        check_bijection(Wrong(fault), x)


def test_a_density_that_does_not_integrate_to_one_is_found():
    """Both log-determinants too small by the same: only the integral and the Jacobian can tell."""
    layer = Wrong("")
    layer.to_latent = lambda x: (2 * x, tn.zeros((len(x),), **F64))
    result = check_bijection(layer, tn.randn((4, 2), **F64), raise_exception=False)
    assert result.mass == pytest.approx(0.25, rel=1e-2)


@pytest.mark.parametrize("make", [
    lambda: flows.Coupling(1), lambda: flows.Planar(0), lambda: flows.Affine(0), lambda: flows.Spline(1),
    lambda: flows.Logit(0.5), lambda: flows.Permutation([0, 0]), lambda: flows.IResNet(2, contraction=1.0),
    lambda: flows.IResNet(2, log_det="guess"), lambda: flows.LeakyReLU(-1), lambda: flows.Glow((1, 6, 6)),
    lambda: flows.RealNVP(2, 0), lambda: flows.MAF(2, 0), lambda: flows.Flow([], 0),
    lambda: flows.MADE(3, likelihood="?"),
    lambda: flows.LinearPLU(2).to_latent(tn.ones((3, 5))), lambda: flows.Squeeze().to_latent(tn.ones((1, 1, 3, 4))),
    lambda: flows.odeint(lambda t, y: y, 1.0, 0, 1, method="rk5"),
    lambda: flows.odeint(lambda t, y: y, 1.0, 0, 1, steps=0),
    lambda: check_bijection(flows.LeakyReLU(), tn.ones((3,))), lambda: flows.PiecewiseLinear(0),
    lambda: flows.MultiScale([], (2,)), lambda: flows.MaskedMLP(0),
])
def test_bad_settings_and_shapes_are_refused(make):
    with pytest.raises(ValueError):
        make()
