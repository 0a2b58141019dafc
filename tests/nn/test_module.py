"""Module: registration, walks, state, modes, moves, and what goes wrong."""

import copy
import gc

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.scale = nn.Parameter(tn.ones((4,)))
        self.register_buffer("count", tn.zeros((1,)))
        self.register_buffer("cache", tn.zeros((2,)), persistent=False)
        self.inner = nn.Sequential(nn.ReLU(), nn.Linear(4, 2, bias=False))

    def forward(self, x):
        return self.inner(self.first(x) * self.scale)


def tied():
    net = nn.Module()
    net.a, net.b = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    net.b.weight = net.a.weight
    return net


def test_names_come_in_pytorchs_order():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == ["scale", "first.weight", "first.bias", "inner.1.weight"]
    assert [n for n, _ in net.named_buffers()] == ["count", "cache"]
    assert list(net.state_dict()) == ["scale", "count", "first.weight", "first.bias", "inner.1.weight"]
    assert [n for n, _ in net.named_children()] == ["first", "inner"]
    assert [n for n, _ in net.named_modules()] == ["", "first", "inner", "inner.0", "inner.1"]
    assert [n for n, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert [n for n, _ in net.named_parameters(prefix="model")][0] == "model.scale"


def test_get_by_path():
    net = Net()
    assert net.get_submodule("inner.1") is net.inner[1] and net.get_submodule("") is net
    assert net.get_parameter("inner.1.weight") is net.inner[1].weight
    assert net.get_buffer("count") is net.count
    with pytest.raises(AttributeError, match="no module '7'; it has 0, 1"):
        net.get_submodule("inner.7")
    with pytest.raises(AttributeError, match="no parameter 'count'; it has scale"):
        net.get_parameter("count")


def test_shared_parameters_count_once():
    net = tied()
    assert len(list(net.parameters())) == 1 and net.count_params() == 9
    assert [n for n, _ in net.named_parameters(remove_duplicate=False)] == ["a.weight", "b.weight"]
    assert list(net.state_dict()) == ["a.weight", "b.weight"]
    net.a.weight.requires_grad_(False)
    assert net.count_params(trainable=True) == 0


def test_a_module_used_twice_counts_once():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, layer)
    assert [n for n, _ in net.named_modules()] == ["", "0"]
    assert [n for n, _ in net.named_modules(remove_duplicate=False)] == ["", "0", "1"]
    assert len(net) == 2 and net.count_params() == 6


def test_assignment_before_init_is_explained():
    class Early(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(tn.zeros((1,)))

    with pytest.raises(AttributeError, match=r"Early\.weight: call super\(\)\.__init__\(\) before"):
        Early()


def test_what_may_replace_what():
    net = Net()
    with pytest.raises(TypeError, match=r"Net\.scale: it is a parameter; expected nn\.Parameter or None, got Tensor"):
        net.scale = tn.zeros((4,))
    with pytest.raises(TypeError, match=r"Net\.first: it is a module"):
        net.first = tn.zeros((4,))
    with pytest.raises(TypeError, match=r"Net\.count: it is a buffer"):
        net.count = 3.0
    net.count = tn.ones((1,))
    assert net.count.item() == 1 and "count" in net.state_dict()
    net.scale = None
    assert "scale" not in net.state_dict()
    net.scale = nn.Parameter(tn.ones((4,)))
    net.count = nn.Parameter(tn.ones((1,)))
    assert dict(net.named_parameters())["count"] is net.count and not [
        n for n, _ in net.named_buffers() if n == "count"
    ]
    del net.count
    assert not hasattr(net, "count") and "count" not in net.state_dict()
    net.plain = tn.zeros((2,))
    assert "plain" not in net.state_dict()


def test_registration_checks_names_and_kinds():
    net = Net()
    for name, error in [("a.b", KeyError), ("", KeyError), ("forward", KeyError), (3, TypeError)]:
        with pytest.raises(error, match="name"):
            net.register_buffer(name, tn.zeros((1,)))
    with pytest.raises(TypeError, match="expected Parameter or None, got Tensor"):
        net.register_parameter("extra", tn.zeros((1,)))
    with pytest.raises(TypeError, match="expected Module or None, got int"):
        net.add_module("extra", 3)
    net.register_parameter("late", None)
    assert net.late is None and "late" not in dict(net.named_parameters())


def test_a_module_cannot_contain_itself():
    net = Net()
    with pytest.raises(ValueError, match="cannot be inside itself"):
        net.first.parent = net
    assert [n for n, _ in net.first.named_modules()] == [""]


def test_buffer_class_registers_itself():
    net = nn.Module()
    net.saved, net.unsaved = nn.Buffer(tn.zeros((2,))), nn.Buffer(tn.zeros((2,)), persistent=False)
    assert list(net.state_dict()) == ["saved"] and len(list(net.buffers())) == 2


# State --------------------------------------------------------------------------------
def test_state_goes_round():
    one, two = Net(), Net()
    x = tn.randn(5, 3)
    assert not np.allclose(one(x).numpy(), two(x).numpy())
    missing, unexpected = two.load_state_dict(one.state_dict())
    assert not missing and not unexpected
    np.testing.assert_array_equal(one(x).numpy(), two(x).numpy())
    one.first.weight.data[...] = 0
    assert two.first.weight.numpy().any(), "the two must not share memory"


def test_state_accepts_arrays_of_other_kinds():
    net = nn.Linear(3, 2)
    state = {"weight": np.arange(6.0).reshape(2, 3), "bias": [1.0, 2.0]}
    net.load_state_dict(state)
    assert net.weight.dtype == tn.float32 and net.weight.numpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    net.load_state_dict(state, assign=True)
    assert net.weight.dtype == tn.float64 and net.weight.requires_grad
    net.double().load_state_dict({**state, "bias": [0.1, 0.2]})
    assert net.bias.numpy().tolist() == [0.1, 0.2], "lists are read in the precision of the module"
    with pytest.raises(RuntimeError, match="weight: expected dtype float64, got complex128"):
        net.load_state_dict({**state, "weight": np.ones((2, 3), complex)})
    with pytest.raises(RuntimeError, match="weight: data: nested lists of unequal lengths"):
        net.load_state_dict({**state, "weight": [[1.0], [1.0, 2.0]]})


def test_everything_wrong_is_reported_and_nothing_changes():
    net = Net()
    before = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    state = {k: np.full(v.shape, 7.0) for k, v in before.items()}
    del state["count"]
    state["first.weight"], state["inner.1.weight"], state["extra"] = np.zeros((4, 9)), np.zeros((1,)), np.zeros((1,))
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    for part in (
        "missing keys: 'count'",
        "unexpected keys: 'extra'",
        "first.weight: expected shape (4, 3), got (4, 9)",
        "inner.1.weight: expected shape (2, 4), got (1,)",
    ):
        assert part in str(error.value)
    for k, v in net.state_dict().items():
        np.testing.assert_array_equal(v.numpy(), before[k])
    state["first.weight"], state["inner.1.weight"] = np.ones((4, 3)), np.ones((2, 4))
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert missing == ["count"] and unexpected == ["extra"] and net.scale.numpy().tolist() == [7.0] * 4
    with pytest.raises(TypeError, match="expected a mapping"):
        net.load_state_dict([1, 2])


def test_state_loads_while_a_graph_is_pending():
    layer = nn.Linear(2, 1, bias=False)
    layer.weight.data[...] = 1
    x = tn.tensor([[2.0, 3.0]], requires_grad=True)
    y = (layer(x) ** 2).sum()
    layer.load_state_dict({"weight": np.zeros((1, 2))})
    y.backward()
    assert x.grad.numpy().tolist() == [[10.0, 10.0]], "the graph keeps the values it was computed with"


def test_state_as_variables():
    net = Net()
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    assert list(net.state_dict(prefix="a."))[0] == "a.scale"


def test_safetensors_files_load(tmp_path):
    from safetensors.numpy import load_file, save_file

    one, two = Net(), Net()
    save_file({k: v.numpy().copy() for k, v in one.state_dict().items()}, tmp_path / "net.safetensors")
    two.load_state_dict(load_file(tmp_path / "net.safetensors"))
    np.testing.assert_array_equal(one.first.weight.numpy(), two.first.weight.numpy())


# Modes --------------------------------------------------------------------------------
def test_modes():
    net = Net()
    assert all(m.training for m in net.modules())
    net.eval()
    assert not any(m.training for m in net.modules())
    net.train()
    net.inner.eval()
    with net.evaluating() as same:
        assert same is net and not any(m.training for m in net.modules())
    assert net.training and net.first.training and not net.inner.training and not net.inner[0].training
    with pytest.raises(ValueError, match="mode: expected True or False, got 1"):
        net.train(1)


def test_modes_are_restored_after_an_error():
    net = Net()
    with pytest.raises(KeyError), net.evaluating():
        raise KeyError
    assert net.training


def test_requires_grad_and_zero_grad():
    net = Net()
    net(tn.randn(2, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(not p.grad.numpy().any() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(tn.randn(2, 3)).requires_grad


def test_apply_goes_inside_out_in_order():
    net, seen = Net(), []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Linear", "Sequential", "Net"]


def test_moves():
    net = Net()
    net.register_buffer("steps", tn.tensor([3]))
    net(tn.randn(2, 3)).sum().backward()
    first = net.first.weight
    assert net.double() is net and net.first.weight is first, "parameters stay the same objects"
    assert first.dtype == first.grad.dtype == net.count.dtype == tn.float64 and net.steps.dtype == tn.int64
    assert net.half().scale.dtype == tn.float16 and net.float().scale.dtype == tn.float32
    net.to("strict", tn.float64)
    assert first.device == "strict" and first.dtype == tn.float64 and net.steps.device == "strict"
    assert net(tn.ones((1, 3), dtype=tn.float64, device="strict")).device == "strict"
    assert net.cpu().count.device == "cpu"
    assert net.to(tn.zeros((1,), dtype=tn.float32, device="cpu")).scale.dtype == tn.float32
    assert net.to(dtype=tn.float64, device="strict").scale.device == "strict"
    for wrong, error in [(tn.int32, TypeError), ("nowhere", TypeError)]:
        with pytest.raises(error):
            net.to(wrong)
    assert net.scale.dtype == tn.float64


def test_tied_weights_stay_tied_when_moved():
    net = tied().double()
    assert net.a.weight is net.b.weight and net.a.weight.dtype == tn.float64


def test_copies_are_independent():
    net = Net()
    net.count = tn.ones((1,))
    other = copy.deepcopy(net)
    assert isinstance(other.scale, nn.Parameter) and other.scale.requires_grad
    other.scale.data[...] = 5
    assert net.scale.numpy().tolist() == [1.0] * 4 and list(other.state_dict()) == list(net.state_dict())
    shared = copy.deepcopy(tied())
    assert shared.a.weight is shared.b.weight


def test_missing_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module defines no forward"):
        nn.Module()(1)


def test_models_are_freed_without_the_collector():
    import weakref

    gc.disable()
    try:
        net = Net()
        watched = weakref.ref(net)
        net(tn.randn(2, 3)).sum().backward()
        del net
        assert watched() is None
    finally:
        gc.enable()


def test_repr():
    assert (
        repr(Net())
        == """Net(
  (first): Linear(in_features=3, out_features=4, bias=True)
  (inner): Sequential(
    (0): ReLU()
    (1): Linear(in_features=4, out_features=2, bias=False)
  )
)"""
    )
    assert {"scale", "first", "count"} <= set(dir(Net()))


# Called with other parameters -----------------------------------------------------------
def test_functional_call_replaces_and_restores():
    net = Net()
    before = dict(net.named_parameters())
    new = {"scale": tn.zeros((4,), requires_grad=True)}
    out = nn.functional_call(net, new, tn.randn(2, 3))
    assert not out.numpy().any() and all(p is before[n] for n, p in net.named_parameters())
    out.sum().backward()
    assert new["scale"].grad is not None and net.scale.grad is None
    pair = nn.Bilinear(2, 3, 1)
    x, y = tn.randn(4, 2), tn.randn(4, 3)
    np.testing.assert_array_equal(
        nn.functional_call(pair, {}, (x, y)).numpy(), nn.functional_call(pair, {}, x, y).numpy()
    )


def test_functional_call_replaces_tied_weights_together():
    net = tied()
    net.forward = lambda x: net.b(net.a(x))
    out = nn.functional_call(net, {"a.weight": 2 * tn.eye(3)}, tn.ones((1, 3)))
    assert out.numpy().tolist() == [[4.0, 4.0, 4.0]]


def test_functional_call_says_what_is_wrong():
    net = Net()
    for tensors, error in [
        ({"nothing": tn.zeros((1,))}, KeyError),
        ({"scale": tn.zeros((5,))}, ValueError),
        ({"scale": [1, 2, 3, 4]}, TypeError),
    ]:
        with pytest.raises(error):
            nn.functional_call(net, tensors, tn.randn(2, 3))
    with pytest.raises(ValueError):  # an error inside forward also restores the parameters
        nn.functional_call(net, {"scale": tn.zeros((4,))}, tn.randn(2, 7))
    assert isinstance(net.scale, nn.Parameter)


def test_a_step_of_gradient_descent_can_be_differentiated():
    line = nn.Linear(1, 1, bias=False).double()
    line.weight.data[...] = 3
    x, y, rate = tn.tensor([[2.0]], dtype=tn.float64), tn.tensor([[1.0]], dtype=tn.float64), 0.1
    params = dict(line.named_parameters())
    loss = ((nn.functional_call(line, params, x) - y) ** 2).sum()
    (g,) = tn.autograd.grad(loss, list(params.values()), create_graph=True)
    after = ((nn.functional_call(line, {"weight": line.weight - rate * g}, x) - y) ** 2).sum()
    after.backward()
    # w' = w - rate 2 x (w x - y), d/dw (w' x - y)^2 = 2 (w' x - y) x (1 - 2 rate x^2)
    w1 = 3 - rate * 2 * 2 * 5
    assert line.weight.grad.item() == pytest.approx(2 * (2 * w1 - 1) * 2 * (1 - 2 * rate * 4), rel=1e-12)


def test_functional_call_ties_or_not():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x, scale=1.0):
            return self.b(self.a(x)) * scale
    net, x, new = Tied(), tn.randn(3, 2), 3 * tn.eye(2)
    np.testing.assert_allclose(nn.functional_call(net, {"b.weight": new}, x).numpy(), 9 * x.numpy(), rtol=1e-6)
    apart = nn.functional_call(net, {"b.weight": new}, x, tie_weights=False)
    np.testing.assert_allclose(apart.numpy(), 3 * net.a(x).numpy(), rtol=1e-6)
    both = {"a.weight": new, "b.weight": 2 * new}
    with pytest.raises(ValueError, match="'a.weight' and 'b.weight' are one tensor of Tied"):
        nn.functional_call(net, both, x)
    out = nn.functional_call(net, both, x, tie_weights=False)
    np.testing.assert_allclose(out.numpy(), 18 * x.numpy(), rtol=1e-6)
    np.testing.assert_allclose(nn.functional_call(net, [{"a.weight": new}, {}], (x,), {"scale": 2.0}).numpy(),
                               18 * x.numpy(), rtol=1e-6)
    assert nn.functional_call(net, {"a.weight": new}, x, strict=True).shape == (3, 2)
    for tensors, error, match in [(({"a.weight": new}, {"a.weight": new}), ValueError, "in more than one .*: a.weight"),
                                  (3, TypeError, "expected a dict"), ([3], TypeError, "expected a dict")]:
        with pytest.raises(error, match=match):
            nn.functional_call(net, tensors, x)
    with pytest.raises(KeyError, match="strict: missing bias"):
        nn.functional_call(nn.Linear(2, 2), {"weight": new}, x, strict=True)
    assert net.a.weight is net.b.weight


def test_functional_call_updates_the_buffers_it_is_given():
    norm = nn.BatchNorm1d(2)
    given = {name: b.copy() for name, b in norm.named_buffers()}
    nn.functional_call(norm, given, tn.randn(4, 2))
    assert given["num_batches_tracked"].item() == 1 and given["running_mean"].numpy().any()
    assert norm.num_batches_tracked.item() == 0 and not norm.running_mean.numpy().any()


def test_states_of_several_models_stacked():
    models = [nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)) for _ in range(4)]
    parameters, buffers = nn.stack_module_state(models)
    assert list(parameters) == [name for name, _ in models[0].named_parameters()]
    np.testing.assert_array_equal(parameters["0.weight"][2].numpy(), models[2][0].weight.numpy())
    assert parameters["0.bias"].requires_grad and parameters["0.bias"].is_leaf
    assert buffers["1.running_mean"].shape == (4, 3)
    for wrong in ([], [nn.Linear(1, 2), nn.Linear(2, 1)], [nn.ReLU(), nn.Tanh()], [models[0], nn.Sequential().eval()]):
        with pytest.raises(ValueError, match="stack_module_state"):
            nn.stack_module_state(wrong)
