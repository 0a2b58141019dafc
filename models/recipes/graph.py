"""Graph networks at the command line: nodes of one graph, of which a few have labels."""
from typing import Literal

from ...data import TensorDataset
from ...viz import network
from ..gnn import GCN
from ..graphs import GAT, GraphSAGE, OnGraph
from .classes import PLOTS
from .recipe import Recipe


def _numbers(data):
    """(number, class) of each node; the rows of the adjacency matrix are with the graph."""
    return TensorDataset(data.tensors[2], data.tensors[1])


def _build(source, dtype, device, *, layer: Literal["gcn", "sage", "gat"] = "gcn", hidden: tuple = (16,),
           dropout: float = 0.0):
    kind = {"gcn": GCN, "sage": GraphSAGE, "gat": GAT}[layer]
    model = kind(source.graph.num_nodes, source.classes, hidden, dropout=dropout, device=device, dtype=dtype)
    return OnGraph(model, source.graph)


def report(model, source, averages):
    """The share of nodes without a label whose class is right."""
    rows, y = _numbers(source.test).tensors
    right = int((model.predict(rows) == y).sum())
    text = f"held out: {100 * right / len(y):.2f}% of {len(y)} nodes without a label right, {len(y) - right} wrong"
    return text, {"wrong": len(y) - right, "nodes": len(y), **averages}


def pictures(model, source):
    """The graph with the predicted classes; wrong ones have a ring."""
    found = model.predict()
    return {"samples": network(source.graph, found.tolist(), f"{source.name}: predicted classes",
                                        wrong=(found != source.graph.y).tolist())}


RECIPES = (
    Recipe("gcn", "a graph network that classifies nodes of which few have labels", _build, _numbers, report, pictures,
           data="karate", epochs=100, batch_size=64, lr=0.02, plots=PLOTS, kinds=("nodes",)),
)
