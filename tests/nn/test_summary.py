"""The table of a model."""
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn


def test_shapes_and_counts():
    net = nn.Sequential(nn.Linear(3, 5), nn.Dropout(0.5), nn.Sequential(nn.ReLU(), nn.Linear(5, 2)))
    net[0].requires_grad_(False)
    net[1].eval()
    table = net.summary((7, 3))
    assert [row[:4] for row in table.rows] == [
        ("", "Sequential", (7, 2), 0), ("0", "Linear", (7, 5), 20), ("1", "Dropout", (7, 5), 0),
        ("2", "Sequential", (7, 2), 0), ("2.0", "ReLU", (7, 5), 0), ("2.1", "Linear", (7, 2), 12)]
    assert table.parameters == 32 and table.trainable == 12 and table.bytes == 128
    text = str(table)
    assert "Parameters: 32 (12 trainable, 20 frozen)" in text and "\n    1: Linear  " in text
    assert net.training and not net[1].training


def test_without_inputs_and_with_tensors():
    net = nn.Bilinear(2, 3, 4)
    assert [row[:4] for row in nn.summary(net).rows] == [("", "Bilinear", None, 28)]
    assert "FLOPs" not in str(nn.summary(net))
    assert nn.summary(net, tn.ones((5, 2)), tn.ones((5, 3))).rows[0][2] == (5, 4)


def test_several_outputs_and_shared_parameters():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2, bias=False)
            self.b = nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.a(x), self.b(x)
    table = nn.summary(Two().double(), (3, 2))
    assert table.rows[0][2] == ((3, 2), (3, 2)) and table.parameters == 4 and table.bytes == 32
    assert "(3, 2), (3, 2)" in str(table)


def test_hooks_are_gone_after_an_error():
    net = nn.Linear(2, 2)
    with pytest.raises(ValueError):
        net.summary((3, 7))
    assert net._hooks is None and net.training


def test_arithmetic_and_memory():
    net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    table = net.summary((7, 3))
    assert [row.flops for row in table.rows] == [0, 2 * 7 * 15 + 35, 35, 2 * 7 * 10 + 14] and table.flops == 434
    assert table.activations == 7 * 5 * 4, "the output of the ReLU; parameters and the input are not counted"
    assert net.freeze().summary((7, 3)).activations == 0
    assert "FLOPs of one call: 434" in str(table) and "kept for the backward pass: 140 bytes" in str(table)


def test_frozen_tied_and_repeated_modules():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    net.append(net[0])
    net[1].freeze("bias")
    rows = net.summary((1, 2)).rows
    assert [row.again for row in rows] == [None, None, None, "0"] and [row.tied for row in rows][2]
    assert (rows[2].parameters, rows[2].trainable) == (6, 4) and rows[1].flops == 2 * rows[2].flops
    text = str(net.summary((1, 2)))
    assert "2: Linear (= 0)" in text and "6, 4 trainable tied" in text
    assert "6 frozen" in str(nn.Linear(2, 2).freeze().summary())


def test_depth():
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 2))), nn.Linear(2, 1))
    whole = net.summary((4, 2))
    for depth, paths in [(0, [""]), (1, ["", "0", "1"]), (2, ["", "0", "0.0", "0.1", "1"])]:
        table = net.summary((4, 2), depth=depth)
        assert [row.path for row in table.rows] == paths
        assert sum(row.parameters for row in table.rows) == table.parameters == 20
        assert sum(row.flops for row in table.rows) == table.flops == whole.flops
    with pytest.raises(ValueError, match="depth"):
        net.summary((4, 2), depth=-1)


def test_the_model_is_as_before():
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5))
    before, state = net[0].running_mean.numpy().copy(), tn.default_generator.get_state()
    net.summary((4, 2))
    assert (net[0].running_mean.numpy() == before).all() and net.training and net[0].num_batches_tracked.item() == 0
    assert str(tn.default_generator.get_state()) == str(state) and all(p.grad is None for p in net.parameters())


def test_what_cannot_be_recorded_has_shapes_at_least():
    class Host(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 3)

        def forward(self, x):
            return tn.tensor(self.inner(x).numpy() * 2)
    table = Host().summary((4, 2))
    assert [row.output_shape for row in table.rows] == [(4, 3), (4, 3)]


def test_checkpoints_count_what_runs_inside():
    class Saving(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(2, 3, bias=False)

        def forward(self, x):
            return tn.autograd.checkpoint(self.inner, x)
    assert Saving().summary((4, 2)).flops == 2 * 4 * 2 * 3
