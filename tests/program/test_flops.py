"""Counts of arithmetic: exact for contractions, a number for every operation there is."""
from math import prod

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.ops.drive import ROWS, call, inputs_of, tensors_of
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F
from tinygrad_notes.program.flops import flops, flops_of_scope
from tinygrad_notes.program.record import record

pytestmark = pytest.mark.host_only
X = np.random.default_rng(0).standard_normal


def counted(function, *shapes):
    """{operation: count} of the forward scopes of a call."""
    found = {}
    program = record(function, tuple(tn.tensor(X(shape)) for shape in shapes), may_read=True, commit=False).program
    for scope in program.scopes:
        if scope.phase == "forward":
            found[scope.name] = found.get(scope.name, 0) + flops_of_scope(program, scope)
    return found


@pytest.mark.parametrize("function, shapes, name, count", [
    (lambda a, b: a @ b, [(3, 4), (4, 5)], "matmul", 2 * 3 * 4 * 5),
    (lambda a, b: a @ b, [(2, 3, 4), (4,)], "matmul", 2 * 2 * 3 * 4),
    (lambda a, b: a @ b, [(7, 3, 4), (7, 4, 5)], "matmul", 2 * 7 * 3 * 4 * 5),
    (F.linear, [(2, 3, 4), (5, 4), (5,)], "linear", 2 * 6 * 4 * 5 + 6 * 5),
    (F.linear, [(4,), (5, 4)], "linear", 2 * 4 * 5),
    (lambda a, b: tn.einsum("bij,bkj->bik", a, b), [(2, 3, 4), (2, 5, 4)], "einsum_pair", 2 * 2 * 3 * 5 * 4),
    (lambda a, b: tn.vecdot(a, b, axis=0), [(3, 4), (3, 4)], "vecdot", 2 * 12),
    (lambda x, w, b: F.conv2d(x, w, b, stride=2), [(2, 3, 9, 9), (4, 3, 3, 3), (4,)], "conv_bias",
     2 * 4 * 4 * 4 * (2 * 27 + 1)),
    (lambda x, w: F.conv1d(x, w, groups=3), [(2, 6, 9), (12, 2, 4)], "conv", 2 * 2 * 12 * 6 * 2 * 4),
    (lambda x: tn.exp(x), [(3, 4)], "exp", 12),
    (lambda x, y: x + y, [(3, 1), (4,)], "add", 12),
    (lambda x: x.sum(0), [(3, 4)], "sum", 12),
    (lambda x: tn.softmax(x), [(3, 4)], "softmax", 60),
    (lambda x: x.reshape(2, 6).mT, [(3, 4)], "reshape", 0),
    (lambda x: F.max_pool2d(x.requires_grad_(), 3, 2), [(1, 2, 9, 9)], "max_windows", 2 * 16 * 9),
    (lambda a, b: tn.linalg.solve(a, b), [(6, 6), (6, 2)], "solve", round(2 / 3 * 216) + 2 * 36 * 2),
])
def test_exact_counts(function, shapes, name, count):
    assert counted(function, *shapes)[name] == count


def test_gradients_of_convolutions_cost_as_much_as_they_themselves():
    x, y, w = (2, 6, 9, 9), (2, 8, 7, 7), (8, 3, 3, 3)
    attrs = {"stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1), "groups": 2}
    want = 2 * prod(y) * prod(w[1:])
    assert flops("conv", [x, w], [y], attrs) == want
    assert flops("conv_input", [y, w], [x], {**attrs, "shape": x}) == want
    assert flops("conv_weight", [x, y], [w], {**attrs, "shape": w}) == want


def test_recurrent_layers_count_their_weights():
    """Input and state meet the weights of four gates at each of 5 * 2 rows."""
    layer = nn.LSTM(4, 8).double()
    found = counted(lambda x: layer(x)[0], (5, 2, 4))
    weights = 2 * 10 * (32 * 4 + 32 * 8)
    assert weights <= found["linear"] + found["lstm_scan"] <= 1.3 * weights


def test_a_sparse_product_counts_its_entries():
    graph = nn.graph
    layer = graph.GCNConv(4, 3)
    edges = tn.tensor(np.array([[0, 1, 2, 3], [1, 2, 3, 0]]))
    found = counted(lambda x: layer(x.astype("float32"), edges), (4, 4))
    assert max(found.values()) >= 2 * 4 * 3


@pytest.mark.parametrize("row", list({row.name: row for row in ROWS}.values()), ids=lambda row: row.id)
def test_every_operation_has_a_count(row):
    """Whatever a row of the table of operations calls: a whole number, not negative, and not of another size."""
    tensors = tensors_of(inputs_of(row))
    program = record(lambda *given: call(row, given), tuple(tensors), may_read=True, commit=False).program
    for scope in program.scopes:
        if scope.phase == "forward" and None not in scope.outputs:
            count = flops_of_scope(program, scope)
            sizes = [v.size for v in (*scope.inputs, *scope.outputs) if v is not None]
            assert isinstance(count, int) and 0 <= count <= 1000 * max([1, *sizes]) ** 2, scope.name


@pytest.mark.slow  # PyTorch takes twenty seconds to import its counter
def test_same_as_pytorch():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode
    theirs = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1, bias=False), torch.nn.Flatten(),
                                 torch.nn.Linear(512, 10, bias=False))
    ours = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(512, 10, bias=False))
    with FlopCounterMode(display=False) as counter:
        theirs(torch.ones(2, 3, 8, 8))
    assert nn.summary(ours, (2, 3, 8, 8)).flops == counter.get_total_flops()
