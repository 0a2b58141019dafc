"""MADE and Glow against enumeration; RealNVP step by step beside PyTorch; two moons."""
import itertools
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.models.flows.common import stirred
from tinygrad_notes.models import flows, loss_of_parameters, recipes

F64 = {"dtype": "float64"}


def test_the_probabilities_of_all_binary_rows_add_to_one_and_samples_follow_them():
    made = stirred(flows.MADE(3, (8,), **F64), 0.5)
    rows = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
    p = np.exp(made.log_prob(tn.tensor(rows)).numpy())
    assert p.sum() == pytest.approx(1, abs=1e-12)
    counts = np.bincount(made.sample(4000).numpy().astype(int) @ [4, 2, 1], minlength=8)
    assert (np.abs(counts - 4000 * p) < 5 * np.sqrt(4000 * p)).all()


def test_a_gaussian_masked_network_is_one_layer_of_an_autoregressive_flow():
    made = stirred(flows.MADE(3, (8,), "gaussian", **F64), 0.3)
    x = tn.randn((5, 3), **F64)
    out = made.network(x)
    z = (x - out[..., 0]) * tn.exp(-out[..., 1])
    wanted = -0.5 * (z * z).sum(axis=1) - 1.5 * math.log(2 * math.pi) - out[..., 1].sum(axis=1)
    np.testing.assert_allclose(made.log_prob(x).numpy(), wanted.numpy(), rtol=1e-12)
    drawn = made.sample(20000).numpy()[:, 0]
    mean, log_std = made.network(x)[0, 0].tolist()
    assert drawn.mean() == pytest.approx(mean, abs=0.05) and drawn.std() == pytest.approx(math.exp(log_std), rel=0.03)


@pytest.mark.parametrize("make", [lambda: flows.MADE(3, (4,), **F64), lambda: flows.MADE(3, (4,), "gaussian", **F64),
                                  lambda: flows.Glow((1, 4, 4), 3, 1, 1, 2, **F64)])
def test_the_gradients_of_the_losses_are_those_of_finite_differences(make):
    model = stirred(make(), 0.1)
    x = tn.uniform((2, 16) if isinstance(model, flows.Glow) else (2, 3), **F64)
    loss, parameters = loss_of_parameters(model, (x,))
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=1).verdict == "CORRECT"


@pytest.mark.row("S0-T50")
def test_a_fresh_glow_needs_log_levels_bits_less_what_the_logit_gives():
    """With all parameters at their start the density is that of the logit alone, known in closed form."""
    glow = flows.Glow((1, 4, 4), levels=5, stages=1, steps=1, hidden=2, **F64)
    with tn.no_grad():
        for p in glow.parameters():
            if p.ndim == 2:  # the lower and upper factors
                p[...] = 0.0
    x = tn.floor(tn.uniform((3, 16), **F64) * 5) / 4
    noise = tn.uniform((3, 16), dtype="float32", generator=tn.Generator(7)).numpy().astype(float)
    y = (4 * x.numpy() + noise) / 5
    squeezed = 0.05 + 0.9 * y
    z = np.log(squeezed / (1 - squeezed))
    log_p = -0.5 * z**2 - 0.5 * np.log(2 * np.pi) + np.log(0.9) - np.log(squeezed) - np.log(1 - squeezed) - np.log(5)
    found = glow.eval().loss(x, tn.Generator(7))
    assert found["loss"].item() == pytest.approx(-log_p.sum(1).mean(), rel=1e-12)
    assert found["bits"].item() == pytest.approx(-log_p.mean() / np.log(2), rel=1e-12)
    drawn = glow.sample(5)
    assert drawn.shape == (5, 1, 4, 4) and set(np.unique(drawn.numpy())) <= {0, 0.25, 0.5, 0.75, 1}


def test_samples_and_codes_record_nothing_and_the_first_batch_sets_the_scales():
    flow = flows.RealNVP(2, 2, (4,))
    x = 5 + 3 * tn.randn((200, 2))
    flow.train()
    flow.loss(x)
    z = flow.layers[0].to_latent(x)[0].numpy()
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(z.std(0), 1, atol=1e-2)
    before = flow.layers[0].mean.tolist()
    flow.loss(x + 100)
    assert flow.layers[0].mean.tolist() == before and flow.training
    drawn = flow.sample(4)
    assert not drawn.requires_grad
    assert flow.sample(2, tn.Generator(1)).tolist() == flow.sample(2, tn.Generator(1)).tolist()


# PyTorch ------------------------------------------------------------------------------
def twin_loss(torch, p, x, couplings):
    """RealNVP in plain PyTorch on the same parameters."""
    total = torch.zeros(len(x), dtype=torch.float64)
    for k in range(couplings):
        norm, layer = f"layers.{2 * k}.", f"layers.{2 * k + 1}.network."
        x = (x - p[norm + "mean"]) * torch.exp(-p[norm + "log_scale"])
        total = total - p[norm + "log_scale"].sum()
        a, b = (x[:, 1:], x[:, :1]) if k % 2 else (x[:, :1], x[:, 1:])
        h = a
        for name in ("0", "2"):
            h = torch.tanh(torch.nn.functional.linear(h, p[f"{layer}{name}.weight"], p[f"{layer}{name}.bias"]))
        out = torch.nn.functional.linear(h, p[layer + "4.weight"], p[layer + "4.bias"])
        s = 3 * torch.tanh(out[:, :1] / 3)
        b = (b - out[:, 1:]) * torch.exp(-s)
        total = total - s[:, 0]
        x = torch.cat([b, a] if k % 2 else [a, b], 1)
    return -(total - 0.5 * (x * x).sum(1) - math.log(2 * math.pi)).mean()


@pytest.mark.same_on_strict
def test_realnvp_and_a_pytorch_twin_take_the_same_50_steps():
    torch = pytest.importorskip("torch")
    flow = flows.RealNVP(2, 4, (16, 16), **F64)
    x = tn.data.two_moons(500, generator=0, dtype="float64")[0]
    flow.loss(x)  # sets the scales
    p = {key: torch.tensor(value.numpy()).requires_grad_("initialized" not in key)
         for key, value in flow.state_dict().items()}
    ours = tn.optim.Adam(flow.parameters(), lr=1e-3)
    theirs = torch.optim.Adam([value for value in p.values() if value.requires_grad], lr=1e-3)
    for k in range(50):
        batch = x[10 * k:10 * k + 50]
        for optimizer in (ours, theirs):
            optimizer.zero_grad()
        found, wanted = flow.loss(batch)["loss"], twin_loss(torch, p, torch.tensor(batch.numpy()), 4)
        assert found.item() == pytest.approx(wanted.item(), rel=1e-8)
        found.backward()
        wanted.backward()
        ours.step()
        theirs.step()


@pytest.mark.slow
@pytest.mark.row("S0-T54")
def test_a_spline_flow_of_two_moons_is_half_a_nat_below_a_normal_density():
    """The same as `tinygrad-notes train flow`, shorter."""
    recipe, source = recipes.find("flow"), tn.data.find("moons")
    model = recipe.build(source, "float32", "cpu")
    loader = tn.data.DataLoader(recipe.inputs(source.train), recipe.batch_size, shuffle=True, generator=0)
    tn.train.fit(model, loader, recipe.optimizers(model, recipe.lr), 15)
    _, numbers = recipe.report(model, source, {})
    assert numbers["nll"] < numbers["gaussian_nll"] - 0.5
