"""Parameters chosen by name: frozen ones do not move, groups hold each parameter once."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.ModuleDict({"head": nn.Linear(4, 2)}))


def wanted(net):
    return [name for name, p in net.named_parameters() if p.requires_grad]


def test_freeze_by_patterns():
    net = network()
    names = [name for name, _ in net.named_parameters()]
    assert net.freeze("0", "*.bias") is net and wanted(net) == ["1.weight", "3.head.weight"]
    assert net.unfreeze("3.*") is net and wanted(net) == ["1.weight", "3.head.weight", "3.head.bias"]
    assert wanted(net.freeze()) == [] and wanted(net.unfreeze()) == names
    assert wanted(net.freeze("?.weight")) == [name for name in names if name not in ("0.weight", "1.weight")]
    for call, error, match in [(lambda: net.freeze("0", "head"), ValueError, "'head' fits no parameter of Sequential"),
                               (lambda: net.unfreeze(3), TypeError, "expected a str")]:
        before = wanted(net)
        with pytest.raises(error, match=match):
            call()
        assert wanted(net) == before


@pytest.mark.row("S0-80")
@pytest.mark.parametrize("make", [lambda p: tn.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
                                  lambda p: tn.optim.AdamW(p, lr=0.1, weight_decay=0.1)])
def test_frozen_parameters_do_not_move(make):
    """Fine-tuning: after some steps of everything the first layer is frozen: it stays to the bit, without gradient."""
    net = nn.MLP([3, 4, 2])
    optimizer = make(net.parameters())
    x, y = tn.randn(8, 3), tn.randn(8, 2)

    def steps():
        for _ in range(3):
            optimizer.zero_grad()
            ((net(x) - y) ** 2).mean().backward()
            optimizer.step()
    steps()
    net.freeze("0")
    assert net[0].weight.grad is None
    kept, head = net[0].weight.numpy().copy(), net[2].weight.numpy().copy()
    steps()
    np.testing.assert_array_equal(net[0].weight.numpy(), kept)
    assert net[0].weight.grad is None and net[0].bias.grad is None
    assert not np.array_equal(net[2].weight.numpy(), head)
    steps() if net.unfreeze("0.weight") else None
    assert not np.array_equal(net[0].weight.numpy(), kept)


def test_groups_by_rules():
    net = network()
    net[3]["tied"] = net[3]["head"]
    groups = nn.parameter_groups(net, ("3", {"lr": 0.1, "name": "head"}), (("*.bias", "1.*"), {"lr": 0.2}),
                                 (lambda name, p, owner: p.ndim > 7, {}), lr=0.01)
    assert [(g["name"], g["lr"], g["param_names"]) for g in groups] == [
        ("head", 0.1, ["3.head.weight", "3.head.bias"]), ("1", 0.2, ["0.bias", "1.weight", "1.bias"]),
        ("rest", 0.01, ["0.weight"])]
    assert groups[2]["params"] == [net[0].weight]
    text = repr(nn.parameter_groups(net.freeze("0.weight"), lr=1))
    assert "rest (lr=1): 6 parameters, 34 numbers" in text and "  0.weight (4, 3), frozen" in text
    optimizer = tn.optim.SGD(groups)
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.2, 0.01]


def test_no_decay_for_biases_and_norms():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.group = nn.LayerNorm(4), nn.GroupNorm(2, 4)
            self.attend = nn.MultiheadAttention(4, 2)
            self.rnn, self.scale = nn.LSTM(4, 4), nn.Parameter(tn.ones((4, 4)))
    groups = nn.decay_groups(Block(), 0.1, lr=0.5)
    decay, none = groups
    assert (decay["name"], decay["weight_decay"], none["weight_decay"], none["lr"]) == ("decay", 0.1, 0.0, 0.5)
    assert decay["param_names"] == ["scale", "attend.in_proj_weight", "attend.out_proj.weight", "rnn.weight_ih_l0",
                                    "rnn.weight_hh_l0"]
    assert set(none["param_names"]) == {
        "norm.weight", "norm.bias", "group.weight", "group.bias", "attend.in_proj_bias", "attend.out_proj.bias",
        "rnn.bias_ih_l0", "rnn.bias_hh_l0"}
    assert len(nn.decay_groups(nn.Linear(2, 2, bias=False), 0.1)) == 1, "no empty groups"
    assert nn.decay_groups(nn.MLP([2, 2, 2]), 0.1, no_decay="0")[1]["param_names"] == ["0.weight", "0.bias"]


@pytest.mark.parametrize("call, error, match", [
    (lambda net: nn.decay_groups(net, -1.0), ValueError, "weight_decay"),
    (lambda net: nn.parameter_groups(net, ("9.*", {})), ValueError, "fits no parameter"),
    (lambda net: nn.parameter_groups(net, "0.*"), TypeError, "expected a pair"),
    (lambda net: nn.parameter_groups(net, ("0.*", 0.1)), TypeError, "options a dict"),
])
def test_what_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call(network())
