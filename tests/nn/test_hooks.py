"""Functions hung on modules: before and after forward, and in the backward pass."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn


def test_forward_hooks_see_and_replace():
    layer, seen = nn.Linear(2, 2), []
    pre = layer.register_forward_pre_hook(lambda m, inputs: (inputs[0] * 2,))
    post = layer.register_forward_hook(lambda m, inputs, out: seen.append((m, inputs[0].numpy().copy())) or out + 1)
    x = tn.ones((1, 2))
    out = layer(x)
    np.testing.assert_allclose(out.numpy(), layer.forward(2 * x).numpy() + 1)
    assert seen[0][0] is layer and seen[0][1].tolist() == [[2.0, 2.0]]
    pre.remove()
    post.remove()
    post.remove()
    np.testing.assert_array_equal(layer(x).numpy(), layer.forward(x).numpy())


def test_hooks_with_keyword_arguments_and_order():
    class Scaled(nn.Module):
        def forward(self, x, scale=1):
            return x * scale
    net, order = Scaled(), []
    net.register_forward_pre_hook(lambda m, i: order.append("second"))
    net.register_forward_pre_hook(lambda m, i: order.append("first"), prepend=True)
    net.register_forward_pre_hook(lambda m, i, options: (i, {"scale": options["scale"] + 1}), with_kwargs=True)
    with net.register_forward_hook(lambda m, i, options, out: order.append(options["scale"]), with_kwargs=True):
        assert net(tn.tensor(2.0), scale=2).item() == 6
    assert order == ["first", "second", 3]
    assert net(tn.tensor(2.0), scale=4).item() == 10 and order[3:] == ["first", "second"]


def test_backward_hook_sees_both_ends():
    layer, seen = nn.Linear(3, 2).double(), []
    layer.register_full_backward_hook(lambda m, gin, gout: seen.append((gin, gout)))
    x = tn.randn(4, 3, dtype=tn.float64, requires_grad=True)
    g = np.random.default_rng(0).standard_normal((4, 2))
    layer(x).backward(tn.tensor(g))
    (gin,), (gout,) = seen[0]
    np.testing.assert_allclose(gout.numpy(), g)
    np.testing.assert_allclose(gin.numpy(), g @ layer.weight.numpy(), rtol=1e-12)
    np.testing.assert_allclose(x.grad.numpy(), gin.numpy())
    np.testing.assert_allclose(layer.weight.grad.numpy(), g.T @ x.numpy(), rtol=1e-12)


def test_backward_hook_without_tracked_inputs():
    layer, seen = nn.Linear(3, 2), []
    layer.register_full_backward_hook(lambda m, gin, gout: seen.append((gin, gout[0].shape)))
    layer(tn.ones((4, 3))).sum().backward()
    assert seen == [((None,), (4, 2))]


def test_backward_hook_replaces_gradients_of_all_inputs_together():
    pair = nn.Bilinear(2, 3, 1)
    pair.register_full_backward_hook(lambda m, gin, gout: tuple(0 * g for g in gin))
    x, y = tn.randn(4, 2, requires_grad=True), tn.randn(4, 3, requires_grad=True)
    pair(x, y).sum().backward()
    assert not x.grad.numpy().any() and not y.grad.numpy().any() and pair.weight.grad.numpy().any()
    pair.register_full_backward_hook(lambda m, gin, gout: gin[:1])
    with pytest.raises(ValueError, match="returned 1 gradients for 2 inputs"):
        pair(x, y).sum().backward()


def test_backward_hook_in_a_recorded_pass():
    square = nn.Identity()
    square.forward = lambda x: x * x * x
    seen = []
    square.register_full_backward_hook(lambda m, gin, gout: seen.append(gin[0]))
    x = tn.tensor(2.0, dtype=tn.float64, requires_grad=True)
    (g,) = tn.autograd.grad(square(x), x, create_graph=True)
    (h,) = tn.autograd.grad(g, x)
    assert g.item() == 12 and h.item() == 12 and seen[0].item() == 12


def test_modules_without_hooks_hold_none():
    layer = nn.Linear(2, 2)
    assert "_hooks" not in vars(layer)
    handle = layer.register_forward_hook(lambda m, i, o: None)
    assert "_hooks" in vars(layer) and nn.Linear(2, 2)._hooks is None
    handle.remove()
    assert "_hooks" not in vars(layer)


def test_a_backward_pre_hook_sees_and_replaces_gradients_of_the_outputs():
    layer, seen = nn.Linear(3, 2).double(), []
    layer.register_full_backward_pre_hook(lambda m, gout: seen.append(gout[0].numpy().copy()) or (gout[0] * 10,))
    layer.register_full_backward_hook(lambda m, gin, gout: seen.append(gout[0].numpy().copy()))
    x = tn.randn(4, 3, dtype=tn.float64, requires_grad=True)
    g = np.random.default_rng(0).standard_normal((4, 2))
    layer(x).backward(tn.tensor(g))
    np.testing.assert_allclose(seen[0], g)
    np.testing.assert_allclose(seen[1], 10 * g, err_msg="the other hooks see the new one")
    np.testing.assert_allclose(x.grad.numpy(), 10 * g @ layer.weight.numpy(), rtol=1e-12)
    np.testing.assert_allclose(layer.weight.grad.numpy(), 10 * g.T @ x.numpy(), rtol=1e-12)
    layer.register_full_backward_pre_hook(lambda m, gout: (gout[0], gout[0]))
    with pytest.raises(ValueError, match="backward pre-hook of Linear: returned 2 gradients for 1 outputs"):
        layer(x).sum().backward()


def test_a_backward_pre_hook_in_a_recorded_pass():
    cube = nn.Identity()
    cube.forward = lambda x: x * x * x
    cube.register_full_backward_pre_hook(lambda m, gout: gout[0] * 2)
    x = tn.tensor(2.0, dtype=tn.float64, requires_grad=True)
    (g,) = tn.autograd.grad(cube(x), x, create_graph=True)
    (h,) = tn.autograd.grad(g, x)
    assert g.item() == 24 and h.item() == 24


def test_hooks_around_saving():
    net, order = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)), []
    net.register_state_dict_pre_hook(lambda m, prefix, keep: order.append(("before", prefix, keep)))
    net[1].register_state_dict_post_hook(lambda m, state, prefix, _: order.append((prefix, prefix + "bias" in state)))
    handle = net.register_state_dict_post_hook(lambda m, state, prefix, _: state.pop(prefix + "0.bias"))
    with pytest.raises(RuntimeError, match="state_dict hook of Sequential: expected None"):
        net.state_dict()
    handle.remove()
    order.clear()

    def stamp(module, state, prefix, _):
        state[prefix + "stamp"] = tn.tensor(1)
    net.register_state_dict_post_hook(stamp)
    state = net.state_dict(prefix="net.", keep_vars=True)
    assert order == [("before", "net.", True), ("net.1.", True)] and list(state)[-1] == "net.stamp"
    given = {"other": 1}
    assert net.state_dict(destination=given) is given and list(given)[:2] == ["other", "0.weight"]


def test_hooks_around_loading():
    net, seen = nn.Sequential(nn.Linear(1, 1)), []

    def rename(module, state, prefix, _, strict, missing, unexpected, errors):
        state[prefix + "weight"] = state.pop(prefix + "w")
    handle = net[0].register_load_state_dict_pre_hook(rename)
    net.register_load_state_dict_post_hook(lambda m, keys: seen.append((m, *keys)))
    given = {"0.w": [[5.0]], "0.bias": [1.0]}
    net.load_state_dict(given)
    assert net[0].weight.item() == 5 and "0.w" in given and seen == [(net, [], [])]
    handle.remove()
    with pytest.raises(RuntimeError, match="missing keys: '0.weight'"):
        net.load_state_dict(given)
    assert len(seen) == 1
    net.load_state_dict({"0.bias": [2.0]}, strict=False)
    assert seen[1] == (net, ["0.weight"], [])
    refusal = net.register_load_state_dict_pre_hook(lambda *given: given[-1].append("not today"))
    with refusal, pytest.raises(RuntimeError, match="not today"):
        net.load_state_dict({"0.weight": [[7.0]], "0.bias": [7.0]})
    assert net[0].bias.item() == 2, "nothing was changed"
    assert "_state_hooks" in vars(net) and "_state_hooks" not in vars(net[0])
