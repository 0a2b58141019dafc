"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""
from collections import OrderedDict

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn


def test_sequential_composes_in_order():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = tn.randn(5, 3)
    np.testing.assert_array_equal(net(x).numpy(), net[2](net[1](net[0](x))).numpy())
    assert net[-1] is net[2] and len(net) == 3 and list(net) == [net[0], net[1], net[2]] and net[1] in net
    assert nn.Sequential()(x) is x


def test_sequential_with_names():
    net = nn.Sequential(OrderedDict(embed=nn.Linear(3, 4), act=nn.ReLU()))
    assert list(net.state_dict()) == ["embed.weight", "embed.bias"] and net.embed is net[0]
    assert repr(net[1:]) == "Sequential(\n  (act): ReLU()\n)"
    del net[0]
    assert [n for n, _ in net.named_children()] == ["act"]


def test_lists_change_like_lists():
    a, b, c, d = (nn.Linear(1, n) for n in (1, 2, 3, 4))
    net = nn.Sequential(a, b)
    assert net.append(c) is net and list(net) == [a, b, c]
    net.insert(1, d)
    assert list(net) == [a, d, b, c] and [n for n, _ in net.named_children()] == ["0", "1", "2", "3"]
    del net[0]
    assert list(net) == [d, b, c] and [n for n, _ in net.named_children()] == ["0", "1", "2"]
    assert net.pop() is c and net.pop(0) is d and list(net) == [b]
    net[0] = a
    assert list(net) == [a]
    net.extend([b, c])
    del net[1:]
    assert list(net) == [a]
    net += [d]
    assert list(net) == [a, d] and list(net + nn.ModuleList([b])) == [a, d, b]
    assert list(nn.ModuleList([a, b, c])[1:]) == [b, c]


def test_lists_say_what_is_wrong():
    net = nn.Sequential(nn.ReLU())
    with pytest.raises(IndexError, match="index 1 is out of range for 1 modules"):
        net[1]
    with pytest.raises(TypeError, match="expected an int or a slice"):
        net["0"]
    for change in (net.append, lambda m: net.insert(0, m), lambda m: nn.Sequential(m), lambda m: nn.ModuleList([m])):
        with pytest.raises(TypeError, match="expected a Module, got int"):
            change(3)
    with pytest.raises(TypeError, match="expected a Module"):
        net.extend([nn.ReLU(), 3])
    assert len(net) == 1, "nothing was added"
    with pytest.raises(IndexError, match="out of range"):
        net.insert(5, nn.ReLU())


def test_module_list_registers_and_prints():
    net = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    assert net.count_params() == 18
    net.append(nn.ReLU())
    assert repr(net) == """ModuleList(
  (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
  (3): ReLU()
)"""
    with pytest.raises(NotImplementedError):
        net(1)


def test_module_dict():
    net = nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.ReLU()})
    assert list(net) == net.keys() == ["a", "b"] and "a" in net and len(net) == 2 and net.values()[0] is net["a"]
    net["c"] = nn.Tanh()
    net["a"] = nn.Linear(2, 5)
    assert net["a"].out_features == 5 and [k for k, _ in net.items()] == ["a", "b", "c"]
    assert isinstance(net.pop("c"), nn.Tanh) and "c" not in net
    with pytest.raises(KeyError, match="ModuleDict has a, b"):
        net["z"]
    with pytest.raises(KeyError, match="already has an attribute"):
        net["keys"] = nn.ReLU()
    with pytest.raises(TypeError, match="expected a Module"):
        net.update({"x": 1})
    net.clear()
    assert len(net) == 0 and not list(net.parameters())


def test_parameter_list():
    net = nn.ParameterList([tn.zeros((2,)), nn.Parameter(tn.ones((1,)))])
    assert all(isinstance(p, nn.Parameter) for p in net) and list(net.state_dict()) == ["0", "1"]
    net.append(tn.zeros((3, 2)))
    net[0] = tn.ones((5,))
    assert net[0].shape == (5,) and net[-1].shape == (3, 2) and len(net) == 3 and len(net[1:]) == 2
    assert "(2): Parameter containing: [float32 of size 3x2]" in repr(net)
    for wrong in (3, [3], tn.zeros((2,))):
        with pytest.raises(TypeError):
            net.extend(wrong)


def test_parameter_dict():
    net = nn.ParameterDict({"left": tn.zeros((2,))})
    net["right"] = tn.ones((1,))
    assert list(net) == ["left", "right"] and net.get("none") is None and net.get("left") is net["left"]
    assert len(list(net.parameters())) == 2 and "(left): Parameter containing: [float32 of size 2]" in repr(net)
    net["left"] = tn.ones((4,))
    assert net["left"].shape == (4,) and net.values()[0] is net["left"] and dict(net.items())["right"] is net["right"]
    net.pop("right")
    del net["left"]
    assert len(net) == 0 and "left" not in net
    with pytest.raises(KeyError):
        net["left"]


def test_sequential_repeats_the_same_modules():
    a, b = nn.Linear(2, 2), nn.Tanh()
    net = nn.Sequential(a, b)
    for many in (net * 2, 2 * net):
        assert list(many) == [a, b, a, b] and many.count_params() == net.count_params() == 6
    x = tn.randn(3, 2)
    np.testing.assert_array_equal((net * 2)(x).numpy(), net(net(x)).numpy())
    net *= 2
    assert list(net) == [a, b, a, b]
    for times, error in ((0, ValueError), (1.5, TypeError)):
        with pytest.raises(error):
            net * times


def test_parameter_dict_as_a_dict():
    a, b, c = (nn.Parameter(tn.ones((n,))) for n in (1, 2, 3))
    net = nn.ParameterDict([("a", a)])
    assert net.setdefault("a", b) is a and net.setdefault("b", b) is b and list(reversed(net)) == ["b", "a"]
    both = net | {"c": c, "a": b}
    assert both["a"] is b and both["c"] is c and net["a"] is a and list({"z": c} | net) == ["z", "a", "b"]
    twin = net.copy()
    net |= {"c": c}
    assert list(net) == ["a", "b", "c"] and list(twin) == ["a", "b"] and twin["a"] is a
    assert net.popitem() == ("c", c) and len(net) == 2
    same = net.fromkeys(["x", "y"], c)
    assert same["x"] is same["y"] is c and len(list(same.parameters())) == 1
    net.clear()
    assert not len(net) and not net.state_dict()
    with pytest.raises(KeyError, match="empty"):
        net.popitem()


@pytest.mark.parametrize("make", [nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict])
def test_nothing_makes_an_empty_container(make):
    assert len(make(None)) == len(make()) == 0


@pytest.mark.parametrize("call, error, match", [
    (lambda: nn.ModuleDict(3), TypeError, "modules: expected a mapping or an iterable of .* pairs, got int"),
    (lambda: nn.ModuleDict([("a",)]), TypeError, r"expected \(name, value\) pairs, got \('a',\) at place 0"),
    (lambda: nn.ParameterDict([(1, tn.ones(1))]), TypeError, "pairs"),
    (lambda: nn.ParameterDict({"a": 1}), TypeError, "expected a Tensor, got int"),
    (lambda: nn.ParameterList([tn.ones(1)])[1], IndexError, "index 1 is out of range for 1 parameters"),
    (lambda: nn.ModuleList([nn.ReLU()])[-2], IndexError, "index -2 is out of range for 1 modules"),
    (lambda: nn.ModuleList([nn.ReLU()]).pop(3), IndexError, "out of range"),
])
def test_containers_say_what_is_wrong(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_a_failed_update_adds_nothing():
    modules, parameters = nn.ModuleDict(), nn.ParameterDict()
    with pytest.raises(TypeError):
        modules.update({"a": nn.ReLU(), "b": 3})
    with pytest.raises(TypeError):
        parameters.update([("a", tn.ones(1)), ("b", 3)])
    assert not len(modules) and not len(parameters)


def test_lists_same_as_pytorch():
    """The same changes, made to both: the same names and types in the same order."""
    torch = pytest.importorskip("torch")

    def story(nn, ones, kind):
        made = [nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.Identity()]
        net = nn.Sequential(*made) if kind == "Sequential" else nn.ModuleList(made)
        told = []

        def tell(net):
            told.append([(name, type(m).__name__) for name, m in net.named_children()])
        for change in [lambda: net.append(nn.Softplus()), lambda: net.insert(1, nn.GELU()), lambda: net.pop(2),
                       lambda: net.pop(-1), lambda: net.extend([nn.SELU(), nn.ELU()]),
                       lambda: net.__setitem__(-1, nn.Mish()), lambda: net.__delitem__(slice(0, 2)),
                       lambda: net.__delitem__(-1), lambda: net.__iadd__(type(net)()),
                       lambda: net.insert(0, nn.SiLU())]:
            change()
            tell(net)
        for part in (net[1:], net[::-1], net[:-1], net[5:], net + net[:1]):
            tell(part)
        told += [type(net[k]).__name__ for k in (0, -1)] + [len(net)]
        return told

    for kind in ("Sequential", "ModuleList"):
        assert story(nn, tn.ones, kind) == story(torch.nn, torch.ones, kind)
