"""Graph networks at the command line: nodes of one graph, of which a few have labels, or whole graphs."""
from typing import Literal

from ...autograd import no_grad
from ...data import TensorDataset
from ...viz import heatmap, network, panels
from ..gnn import GCN, GIN
from ..graphs import GAT, MPNN, GraphSAGE, OnGraph
from .classes import PLOTS, confusion
from .recipe import Recipe
from .sequence import warm_then_cosine


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



def _begun_as_means(model, source, beside_edges, beside_nodes):
    """The model, its weights next to sums divided by how many are summed on average: scores then begin near 0."""
    graph, y = source.train.batch(slice(None))
    with no_grad():
        for layers, count in ((beside_edges, graph.num_edges / graph.num_nodes), (beside_nodes,
                                                                                  graph.num_nodes / len(y))):
            for layer in layers:
                layer.weight.data = (layer.weight / count).data
    return model


def _build_gin(source, dtype, device, *, hidden: tuple = (32, 32)):
    model = GIN(source.shape[0], source.classes, hidden, device=device, dtype=dtype)
    return _begun_as_means(model, source, [layer.nn[-1] for layer in model.layers], model.heads)


def _build_mpnn(source, dtype, device, *, width: int = 32, layers: int = 2):
    model = MPNN(source.shape[0], source.classes, width, layers, device=device, dtype=dtype)
    return _begun_as_means(model, source, [layer.says[-1] for layer in model.rounds], [model.readout[0]])


def report_graphs(model, source, averages):
    """The share of held-out graphs whose class is right."""
    graph, y = source.test.batch(slice(None))
    right = int((model.predict(graph) == y).sum())
    text = f"held out: {100 * right / len(y):.2f}% of {len(y)} graphs right, {len(y) - right} wrong"
    return text, {"wrong": len(y) - right, "graphs": len(y), **averages}


def pictures_graphs(model, source):
    """Some held-out graphs with their classes and the answers, and how often each class is taken for each other."""
    graph, y = source.test.batch(slice(None))
    found, y = model.predict(graph).tolist(), y.tolist()
    drawn = [network(source.test[k][0], title=f"class {y[k]}, read as {found[k]}", width=300, height=260)
             for k in range(min(6, len(y)))]
    table = confusion(y, found, source.classes)
    return {"samples": panels(drawn), "confusion": heatmap(table, "answers to held-out graphs", "answer", "class")}


def _whole(name, summary, build, epochs, lr):
    return Recipe(name, summary, build, lambda data: data, report_graphs, pictures_graphs, data="networks",
                  epochs=epochs, batch_size=30, lr=lr, schedule=warm_then_cosine, plots=PLOTS, kinds=("graphs",))


RECIPES = (
    Recipe("gcn", "a graph network that classifies nodes of which few have labels", _build, _numbers, report, pictures,
           data="karate", epochs=100, batch_size=64, lr=0.02, plots=PLOTS, kinds=("nodes",)),
    _whole("gin", "a graph network that classifies whole graphs, by sums over neighbours", _build_gin, 40,
           1e-2),
    _whole("mpnn", "a graph network that classifies whole graphs, by messages along edges", _build_mpnn, 20,
           3e-3),
)
