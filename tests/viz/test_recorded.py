"""Graphs of functions, modules and training steps: layers, rules, values, modules, repetitions, limits."""
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.viz.nets import Deep
from tinygrad_notes import nn
from tinygrad_notes.viz import Graph

pytestmark = pytest.mark.same_on_strict


def product(x, y):
    return tn.sum(tn.sin(x) * y + x)


def edges(graph, kind):
    """{(label of the giver, label of the receiver): formula}."""
    return {(graph.nodes[e[0]].label, graph.nodes[e[1]].label): e.formula for e in graph.edges if e.kind == kind}


# The backward pass over the forward pass -------------------------------------------------------------
def test_gradient_rules_stand_on_the_edges_in_the_words_of_the_table():
    g = tn.graph(product, tn.ones(3), tn.ones(3))
    found = edges(g, "gradient")
    assert found["sin", "+"] == "g * cos(x)" and found["multiply", "sin"] == "g * y"
    assert found["multiply", "∂y"] == "g * x" and found["add", "multiply"] == found["add", "+"] == "g"
    assert ("+", "∂x") in found
    assert [n.layer for n in g.nodes] == ["forward"] * 7 + ["backward"] * (len(g.nodes) - 7)


def test_cotangents_have_the_statistics_of_the_numbers_that_flow():
    x, y = np.array([0.0, 1.0, 2.0], np.float32), np.array([1.0, -2.0, 0.0], np.float32)
    g = tn.graph(product, tn.tensor(x), tn.tensor(y))
    e = next(e for e in g.edges if e.kind == "gradient" and e.formula == "g * cos(x)")
    flowing = y * np.cos(x)
    assert e.stats["mean"] == pytest.approx(flowing.mean(), rel=1e-4)
    assert e.stats["std"] == pytest.approx(flowing.std(), rel=1e-4)
    assert e.stats["zeros"] == pytest.approx(1 / 3, rel=1e-4)
    total = next(n for n in g.nodes if n.label == "∂x")
    assert total.stats["max"] == pytest.approx((flowing + 1).max(), rel=1e-4)


def test_every_gradient_node_stands_beside_its_forward_node():
    g = tn.graph(product, tn.ones(3), tn.ones(3))
    for n in g.nodes:
        if n.layer == "backward":
            host = g.nodes[n.anchor]
            assert host.layer == "forward"
            assert n.role in ("sum", "constant") or host.label in (n.label, n.label.removeprefix("∂"))


def test_second_derivatives_are_a_third_layer():
    g = tn.graph(lambda x: tn.sum(tn.sin(x)), tn.ones(2), order=2)
    assert {n.layer for n in g.nodes} == {"forward", "backward", "second order"}
    found = edges(g, "gradient")
    assert found["cos", "∂∂x"] == "-g * sin(x)"
    assert any(n.label == "cos" and n.layer == "backward" for n in g.nodes)


def test_a_training_step_shows_forward_backward_and_update():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    opt = tn.optim.Adam(model.parameters(), lr=0.1)

    def step(x, y):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss

    before = {k: v.numpy().copy() for k, v in model.state_dict().items()}
    g = tn.graph(step, tn.ones((5, 4)), tn.tensor([0, 1, 0, 1, 1]))
    assert {n.layer for n in g.nodes} == {"forward", "backward", "update"}
    update = next(n for n in g.nodes if n.label == "Adam")
    sources = {g.nodes[e[0]].label for e in g.edges_into(update.number)}
    assert {"∂model.0.weight", "∂model.0.bias", "∂model.2.weight", "∂model.2.bias"} <= sources
    assert {n.label for n in g.nodes if n.role == "parameter"} == {f"model.{k}.{w}" for k in (0, 2)
                                                                  for w in ("weight", "bias")}
    assert all((v.numpy() == before[k]).all() for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters()) and not opt.state_dict()["state"]


def test_drawing_changes_no_number():
    def run(draws):
        tn.manual_seed(3)
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
        opt = tn.optim.SGD(model.parameters(), lr=0.1)
        x = tn.normal((6, 4))
        for _ in range(2):
            if draws:
                model.graph(x)
            opt.zero_grad()
            model(x).sum().backward()
            opt.step()
        return [v.numpy() for v in model.state_dict().values()]
    for a, b in zip(run(False), run(True), strict=True):
        np.testing.assert_array_equal(a, b)


# What a node knows -----------------------------------------------------------------------------------
def test_nodes_know_module_line_arithmetic_and_memory():
    model = Deep(2)
    g = model.graph(tn.ones((3, 6)))
    n = next(n for n in g.nodes if n.label == "linear" and n.layer == "forward")
    assert n.module == "blocks.0.a" and n.flops == 2 * 3 * 6 * 6 + 3 * 6 and n.bytes == 3 * 6 * 4
    assert n.device == tn.current_device().name or n.device == "cpu"
    tanh = next(n for n in g.nodes if n.label == "tanh" and n.layer == "forward")
    assert tanh.site.startswith("nets.py:") and "self.norm(tn.tanh(self.a(x)))" in tanh.code
    assert tanh.held == 3 * 6 * 4
    assert g.facts.peak[0] >= g.facts.held > 0
    assert [grp.name for grp in g.groups if grp.label == "Linear"] == ["blocks.0.a", "blocks.1.a", "head"]


def test_timed_graphs_know_seconds():
    g = tn.graph(product, tn.ones(3), tn.ones(3), timed=True)
    assert all(n.seconds > 0 for n in g.nodes if n.label in ("sin", "multiply"))
    assert all(n.seconds is None for n in tn.graph(product, tn.ones(3), tn.ones(3)).nodes)


def test_statistics_of_values():
    with np.errstate(all="ignore"):
        g = tn.graph(lambda x: tn.log(x) * 1, tn.tensor([0.0, -1.0, 1.0, 1.0]), order=0)
    s = next(n for n in g.nodes if n.label == "log").stats
    assert (s["nan"], s["inf"], s["zeros"]) == (1, 1, 0.5) and s["mean"] == s["max"] == 0.0


# Size mastered -----------------------------------------------------------------------------------------
def test_equal_blocks_are_folded_and_counted():
    g = Deep(5).graph(tn.ones((3, 6)))
    assert [(grp.name, grp.count) for grp in g.groups if grp.count > 1] == [("blocks.0", 5)]
    folded = g.fold()
    assert [n.label for n in folded.nodes if n.role == "operation" and n.layer == "forward"] == [
        "linear", "tanh", "moments", "standardize", "add", "linear"]
    assert "[blocks.0: Block]  x5" in folded.text()


def test_different_blocks_are_not_folded():
    model = Deep(3)
    model.blocks[1].a = nn.Linear(6, 6, bias=False)
    g = model.graph(tn.ones((3, 6)))
    assert not [grp for grp in g.groups if grp.count > 1]


def test_a_loop_without_modules_is_folded():
    def loop(x):
        for _ in range(40):
            x = tn.sin(x) * 2 + 1
        return x
    g = tn.graph(loop, tn.ones(2), order=0)
    assert [grp.count for grp in g.groups if grp.count > 1] == [40]
    assert len(g.nodes) == 122 and len(g.fold().nodes) == 5


def test_collapse_by_depth():
    g = Deep(3).graph(tn.ones((3, 6)))
    shut = g.collapse(0, fold=False)
    assert [n.label for n in shut.nodes if n.layer == "forward" and n.role == "group"] == [
        "blocks.0", "blocks.1", "blocks.2", "head"]
    assert sum(n.flops for n in shut.nodes) == sum(n.flops for n in g.nodes)
    folded = [n.label for n in g.collapse(0).nodes if n.role == "group" and n.layer == "forward"]
    assert folded == ["blocks.0 ×3", "head"]
    with pytest.raises(ValueError, match="depth"):
        g.collapse(-1)


def test_around_a_node_and_layers_and_search():
    g = tn.graph(product, tn.ones(3), tn.ones(3))
    near = g.around(g.find("sin")[0].number, 1)
    assert {n.label for n in near.nodes if n.layer == "forward"} == {"x", "sin", "multiply"}
    assert len(g.around("sin", 0).nodes) == 1
    assert {n.layer for n in g.only("forward").nodes} == {"forward"}
    assert [n.number for n in g.find("FORWARD multiply")] == [n.number for n in g.nodes if n.label == "multiply"][:1]
    with pytest.raises(ValueError, match="did you mean 'sin'"):
        g.around("sinn")
    with pytest.raises(ValueError, match="no layer 'sideways'"):
        g.only("sideways")


# A Tensor's tape ------------------------------------------------------------------------------------------
def test_the_backward_pass_of_a_tape_is_that_which_runs():
    x, y = tn.ones(3, requires_grad=True), tn.ones(3, requires_grad=True)
    tape = tn.graph(product(x, y), {"x": x, "y": y}).with_backward()
    run = tn.graph(product, x, y)
    assert edges(tape, "gradient").items() >= {k: v for k, v in edges(run, "gradient").items() if v}.items()
    with pytest.raises(ValueError, match="has a backward pass"):
        tape.with_backward()


# Health -----------------------------------------------------------------------------------------------------
def kinds(graph):
    return {kind: text for kind, text, _ in graph.health()}


def test_the_first_nan_is_found():
    with np.errstate(all="ignore"):
        g = tn.graph(lambda x: tn.exp(tn.log(x)) * 2, tn.tensor([-1.0, 2.0]))
    assert "made by log" in kinds(g)["not finite"] and "first NaN or inf" in g.find("log")[0].marks


def test_where_a_gradient_is_cut_off():
    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.u, self.z = (nn.Parameter(tn.ones(2)) for _ in range(3))

        def forward(self, x):
            return (x * self.u * tn.sin(self.w).detach()).sum()

    told = [text for kind, text, _ in Cut().graph(tn.ones(2)).health() if kind == "no gradient"]
    assert any(t.startswith("w: cut off between sin and multiply") for t in told)
    assert any(t.startswith("z: nothing reads") for t in told) and len(told) == 2


def test_vanishing_and_exploding_gradients():
    def net(scale):
        model = nn.Sequential(*[nn.Linear(8, 8, bias=False) for _ in range(8)])
        with tn.no_grad():
            for p in model.parameters():
                p.data[...] = scale * np.eye(8)
        return kinds(model.graph(tn.ones((4, 8))))
    assert "vanish" in net(0.1)["vanishing"] and "explode" in net(10.0)["exploding"]
    assert not {"vanishing", "exploding"} & set(net(1.0))


def test_dead_units():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    with tn.no_grad():
        model[0].weight.data[...] = 0
        model[0].bias.data[...] = np.array([1, -1, -1, -1])
    assert kinds(model.graph(tn.ones((6, 4))))["dead units"].startswith("3 of 4 units of relu")


# Gradient check ---------------------------------------------------------------------------------------------
def test_a_gradient_check_is_laid_over():
    bad = tn.autograd.elementwise("drawn_bad_sin", lambda xp, x: xp.sin(x), x=lambda xp, g, x: -g * xp.cos(x))
    g = tn.graph(lambda x: bad(x) * tn.relu(x) + tn.exp(x), tn.tensor([0.0, 1.0, 2.0]), check=True)
    verdicts = {(n.label, n.layer): n.check[0] for n in g.nodes if n.check}
    for layer in ("forward", "backward"):
        assert verdicts["drawn_bad_sin", layer] == "WRONG" and verdicts["exp", layer] == "CORRECT"
        assert verdicts["relu", layer] == "INCONCLUSIVE"
    wrong = g.find("drawn_bad_sin")[0]
    assert "ratio -1" in wrong.check[1] and "wrong sign" in wrong.check[1]
    assert kinds(g)["wrong gradient"].startswith("drawn_bad_sin")
    assert "✗" in g.svg() and "✓" in g.svg() and "cannot tell" in g.svg()


# Bytes, limits ------------------------------------------------------------------------------------------------
SCRIPT = """
import sys, hashlib
import tinygrad_notes as tn
from tinygrad_notes import nn
tn.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
g = model.graph(tn.ones((3, 4)))
for how in (g.svg, g.html, g.dot, g.text, g.json, g.mermaid, g.tikz, g.fold().svg, g.collapse(0).svg):
    print(hashlib.sha256(how().encode()).hexdigest())
"""


def test_the_same_program_gives_the_same_bytes_in_every_process():
    found = []
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TINYGRAD_NOTES_DEVICE": "cpu"}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
        found.append(done.stdout)
    assert found[0] == found[1] and len(found[0].split()) == 9


def test_limits_are_said():
    with pytest.raises(TypeError, match="expected a Tensor, a sequence of Tensors or a function, got int"):
        tn.graph(3)
    with pytest.raises(ValueError, match="order: expected 0, 1 or 2"):
        tn.graph(product, tn.ones(2), tn.ones(2), order=3)
    with pytest.raises(ValueError, match="nothing to draw"):
        tn.graph(lambda: 3)
    with pytest.raises(ValueError, match="nothing to draw"), tn.no_grad():
        tn.graph(product(tn.ones(2, requires_grad=True), tn.ones(2)))
    with pytest.raises(TypeError, match="no further arguments"):
        tn.graph(product(tn.ones(2, requires_grad=True), tn.ones(2)), tn.ones(2))


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    g = tn.graph(product, tn.ones(3), tn.ones(3))
    with pytest.raises(OSError, match="cannot be written"):
        g.save(tmp_path / "no" / "a.svg")
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(OSError, match="cannot be written"):
        g.save(tmp_path / "a.svg")
    assert [p.name for p in tmp_path.iterdir()] == ["a.svg"]


def test_names_of_modules_are_text_everywhere():
    name = "<script>alert(1)</script>"
    model = nn.Sequential()
    model.add_module(name, nn.Linear(2, 2))
    g = model.graph(tn.ones((1, 2)))
    for text in (g.svg(), g.html(), g.mermaid()):
        assert "<script>alert" not in text
    assert name in json.loads(g.json())["groups"][1]["name"]
    assert isinstance(g, Graph)


def test_a_pass_from_several_outputs_is_one_and_a_checkpoint_is_drawn():
    g = tn.graph(nn.LSTM(3, 4), tn.normal((5, 2, 3)))
    assert g.facts.passes == 1 and sum(n.role == "gradient" for n in g.nodes) == 4
    g = tn.graph(lambda x: tn.autograd.checkpoint(lambda z: tn.sin(tn.exp(z)), x).sum(), tn.ones(3))
    assert [n.label for n in g.nodes if n.layer == "forward"] == ["x", "exp", "sin", "sum", "output"]


def test_two_passes_of_one_step_are_told_apart():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)

    def step(x):
        first(x).square().sum().backward()
        loss = second(first(x).detach()).square().sum()
        loss.backward()
        return loss
    g = tn.graph(step, tn.ones((3, 2)))
    assert g.facts.passes == 2 and {n.layer for n in g.nodes} == {"forward", "backward"}
    assert sorted(n.label for n in g.nodes if n.role == "gradient") == ["∂first.bias", "∂first.weight", "∂second.bias",
                                                                       "∂second.weight"]
