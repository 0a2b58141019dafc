"""The table of a model."""
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn


def test_shapes_and_counts():
    net = nn.Sequential(nn.Linear(3, 5), nn.Dropout(0.5), nn.Sequential(nn.ReLU(), nn.Linear(5, 2)))
    net[0].requires_grad_(False)
    net[1].eval()
    table = net.summary((7, 3))
    assert table.rows == [("", "Sequential", (7, 2), 0), ("0", "Linear", (7, 5), 20), ("1", "Dropout", (7, 5), 0),
                          ("2", "Sequential", (7, 2), 0), ("2.0", "ReLU", (7, 5), 0), ("2.1", "Linear", (7, 2), 12)]
    assert table.parameters == 32 and table.trainable == 12 and table.bytes == 128
    text = str(table)
    assert "Parameters: 32 (12 trainable, 20 frozen)" in text and "\n    1: Linear  " in text
    assert net.training and not net[1].training


def test_without_inputs_and_with_tensors():
    net = nn.Bilinear(2, 3, 4)
    assert nn.summary(net).rows == [("", "Bilinear", None, 28)]
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
