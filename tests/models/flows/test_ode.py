"""Differential equations against closed forms; gradients through the steps against the adjoint equation."""
import numpy as np
import pytest
import scipy.linalg

import tinygrad_notes as tn
from tests.models.flows.common import stirred
from tinygrad_notes.models import flows, loss_of_parameters

F64 = {"dtype": "float64"}


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2), ("rk4", 4)])
def test_the_error_of_a_method_falls_as_its_order_says(method, order):
    field = lambda t, y: y * np.cos(t)
    errors = [abs(flows.odeint(field, tn.tensor(1.0, **F64), 0.0, 2.0, method, steps).item() - np.exp(np.sin(2.0)))
              for steps in (20, 40)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.25)


def test_adaptive_steps_keep_their_tolerance_in_both_directions():
    A = np.array([[-0.5, 2.0], [-2.0, -0.1]])
    y = tn.tensor([[1.0, -0.5]], **F64)
    for stop in (3.0, -1.5):
        found = flows.odeint(lambda t, y: y @ tn.tensor(A.T), y, 0.0, stop, "dopri5", rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(found.numpy()[0], scipy.linalg.expm(stop * A) @ [1.0, -0.5], rtol=1e-7)
    with pytest.raises(RuntimeError, match="steps became too small at t = 1;"):
        flows.odeint(lambda t, y: y * y, tn.tensor(1.0, **F64), 0.0, 2.0, "dopri5")


class Rotation(tn.nn.Module):
    """dx/dt = A x, divergence tr A."""

    def __init__(self, A):
        super().__init__()
        self.A = tn.nn.Parameter(tn.tensor(A))

    def forward(self, t, state):
        return state[0] @ self.A.T, tn.linalg.trace(self.A) * tn.ones_like(state[1])


def test_a_continuous_flow_along_a_linear_field_is_the_matrix_exponential(rng):
    A = rng.normal(size=(3, 3))
    layer = flows.ContinuousLayer(Rotation(A), 3, steps=60)
    x = tn.tensor(rng.normal(size=(4, 3)))
    z, log_det = layer.to_latent(x)
    np.testing.assert_allclose(z.numpy(), x.numpy() @ scipy.linalg.expm(A).T, rtol=1e-6)
    np.testing.assert_allclose(log_det.numpy(), np.trace(A), rtol=1e-12)


def test_the_divergence_of_a_velocity_is_the_trace_of_its_jacobian():
    velocity = stirred(flows.Velocity(3, (5,), **F64), 0.5)
    x = tn.randn((4, 3), **F64)
    v, divergence = velocity(0.3, (x, None))
    for k in range(4):
        J = tn.jacobian(lambda row: velocity.at(0.3, row[None])[0])(x[k]).numpy()
        assert divergence[k].item() == pytest.approx(np.trace(J), rel=1e-12)


def test_the_adjoint_gradient_is_that_through_the_steps():
    flow = stirred(flows.ContinuousFlow(2, (4,), steps=8, **F64), 0.4)
    x = tn.randn((2, 2), **F64)
    grads = {}
    for adjoint in (False, True):
        flow.layers[1].adjoint = adjoint
        flow.zero_grad()
        flow.loss(x)["loss"].backward()
        grads[adjoint] = [p.grad.numpy().copy() for p in flow.parameters()]
    for a, b in zip(grads[False], grads[True]):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-6)


@pytest.mark.slow
def test_the_adjoint_equation_can_be_differentiated_again():
    """With so many steps that the error of the method (it falls with their fourth power) hides below the check."""
    flow = stirred(flows.ContinuousFlow(2, (3,), steps=40, adjoint=True, **F64), 0.4)
    loss, parameters = loss_of_parameters(flow, (tn.randn((2, 2), **F64),))
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=0, rtol=1e-4).verdict == "CORRECT"
    assert tn.gradgradcheck(loss, parameters, fast_mode=True, directions=1, elements=0, rtol=1e-3).verdict == "CORRECT"
