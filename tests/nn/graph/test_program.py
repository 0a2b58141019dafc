"""Layers in recorded programs: replays are equal to the bit, and the structure of a graph is a constant of them."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import ATTR, D, N, X, draw, graph, tensor
from tinygrad_notes import nn
from tinygrad_notes.program.compiled import compile

pytestmark = pytest.mark.host_only

LAYERS = {
    "gcn": lambda: nn.GCNConv(D, 3), "sage": lambda: nn.SAGEConv(D, 3, "max"), "gat": lambda: nn.GATConv(D, 3, heads=2),
    "gat with edges": lambda: nn.GATv2Conv(D, 3, edge_dim=3), "gin": lambda: nn.GINConv(nn.MLP([D, 3])),
    "nnconv": lambda: nn.NNConv(D, 3, nn.Linear(3, 3 * D), aggr="mean"),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_replays_equal_the_plain_step(make):
    layer, g = draw(make()), graph(edge_attr=ATTR)  # nothing is known of this graph yet

    def step(x, scale):
        layer.zero_grad()
        loss = (layer(x, g)**2 * scale).sum()
        loss.backward()
        return loss, *[p.grad for p in layer.parameters()]

    compiled = compile(step, backend="interpret")
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, scale = tensor(X + rng.standard_normal(X.shape)), tensor(rng.standard_normal((N, 1)))
        found = [t.numpy().copy() for t in compiled(x, scale)]
        for a, b in zip(found, step(x, scale)):
            np.testing.assert_array_equal(a, b.numpy())
    assert compiled.recorded == 1 and not compiled.broken


def test_what_was_found_out_while_recording_serves_plain_steps_too():
    layer, g = draw(nn.GCNConv(D, 3)), graph()
    compile(lambda x: layer(x, g), backend="interpret")(tensor(X))
    fresh = layer(tensor(X), graph())
    np.testing.assert_array_equal(layer(tensor(X), g).numpy(), fresh.numpy())


def test_learned_weights_of_edges():
    weight = nn.Parameter(tensor(np.linspace(0.5, 2, graph().num_edges)))
    layer, g = draw(nn.GCNConv(D, 3)), graph().replace(edge_weight=weight)
    optimizer = tn.optim.SGD([weight], lr=0.1)

    def step(x):
        optimizer.zero_grad()
        loss = (layer(x, g)**2).sum()
        loss.backward()
        optimizer.step()
        return loss

    kept = weight.numpy().copy()
    plain = [step(tensor(X)).item() for _ in range(4)]
    weight.data[:] = kept
    compiled = compile(step, backend="interpret")
    assert [compiled(tensor(X)).item() for _ in range(4)] == plain and plain[0] != plain[-1]
    assert compiled.recorded == 1 and not compiled.broken
