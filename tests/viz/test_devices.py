"""Graphs on the device of the run: behind the wall, values, statistics and the gradient check must go through it."""
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn


@pytest.mark.parametrize("order", [0, 1, 2])
def test_graphs_are_drawn_on_every_device(order):
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 2))
    g = tn.graph(model, tn.normal((5, 4)), order=order, check=order == 1)
    assert {n.device for n in g.nodes} == {tn.current_device().name}
    assert all(n.stats for n in g.nodes if n.role == "operation" and n.label != "moments" and n.shape)
    assert g.svg() and g.json() and (order != 1 or any(n.check for n in g.nodes))
    assert tn.graph(tn.sin(tn.ones(2, requires_grad=True))).with_backward().text()
