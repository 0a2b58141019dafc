"""What a graph keeps alive, when it lets go, and that none of it needs recursion or the garbage collector."""
import contextlib
import gc
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import elementwise, primitive
from tinygrad_notes.autograd.node import Node
from tinygrad_notes.backend import as_device

pytestmark = pytest.mark.same_on_strict
DEEP = 100_000


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


def nodes_alive():
    return sum(issubclass(type(found), Node) for found in gc.get_objects())


class Watched(np.ndarray):
    """An array that can be watched by a weak reference, as plain arrays cannot on the engine's fast path."""


# Depth ---------------------------------------------------------------------------------
def test_a_deep_chain_runs_back_and_is_freed():
    limit = sys.getrecursionlimit()
    x = leaf([1.0])
    y = x
    for _ in range(DEEP):
        y = y * 1.0
    before = nodes_alive()
    assert before >= DEEP
    y.sum().backward()
    assert x.grad.tolist() == [1.0]
    del y
    assert nodes_alive() <= before - DEEP and sys.getrecursionlimit() == limit


def test_a_deep_chain_is_freed_without_a_backward_pass():
    x = leaf([1.0])
    gc.collect()  # what earlier tests have left
    before = nodes_alive()
    y = x
    for _ in range(DEEP):
        y = tn.sin(y) + x
    del y
    assert nodes_alive() == before


def test_a_deep_chain_for_one_input_of_grad():
    x = leaf([1.0])
    y = x
    for _ in range(DEEP):
        y = y + x
    assert tn.autograd.grad(y, x)[0].tolist() == [DEEP + 1.0]


def test_a_deep_chain_twice_over():
    x = leaf([1.0])
    y = x
    for _ in range(10_000):
        y = y + x * x
    (first,) = tn.autograd.grad(y, x, create_graph=True)
    (second,) = tn.autograd.grad(first, x)
    assert first.tolist() == [20_001.0] and second.tolist() == [20_000.0]


# Flat memory ---------------------------------------------------------------------------
def train(steps, x, targets, w, v):
    for _ in range(steps):
        error = tn.tanh(x @ w) @ v - targets
        loss = (error * error).sum()
        loss.backward()
        with tn.no_grad():
            for p in (w, v):
                p.data = p.data - p.grad.data * 1e-3
                p.grad = None


def test_a_thousand_steps_leave_memory_flat(without_collector, rng):
    x, targets = tn.tensor(rng.standard_normal((16, 4))), tn.tensor(rng.standard_normal((16, 1)))
    w, v = leaf(rng.standard_normal((4, 8))), leaf(rng.standard_normal((8, 1)))
    train(50, x, targets, w, v)
    nodes, objects = nodes_alive(), len(gc.get_objects())
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        train(1000, x, targets, w, v)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert nodes_alive() == nodes
    assert len(gc.get_objects()) - objects < 20
    assert grown < 20_000, f"{grown} bytes more after 1000 steps"


USES = {
    "double backward": lambda x: tn.autograd.grad(*tn.autograd.grad(x * x * x, x, x.detach(), create_graph=True), x, x),
    "create_graph, never used": lambda x: tn.autograd.grad(tn.tanh(x).sum(), x, create_graph=True),
    "hessian": lambda x: tn.hessian(lambda x: (x * x * x).sum())(x),
    "jvp": lambda x: tn.jvp(tn.sin, x, tn.ones_like(x)),
    "jacobian forward": lambda x: tn.jacobian(tn.sin, mode="forward")(x),
    "vjp": lambda x: tn.vjp(tn.sin, x)[1](tn.ones_like(x)),
    "hvp": lambda x: tn.hvp(lambda x: tn.sin(x).sum(), x, tn.ones_like(x)),
    "checkpoint": lambda x: tn.autograd.grad(tn.autograd.checkpoint(lambda x: tn.sin(x * x), x).sum(), x),
    "checkpoint never pulled": lambda x: tn.autograd.checkpoint(lambda x: tn.sin(x * x), x),
    "hook": lambda x: (h := x * 2).register_hook(lambda g: g * 2) and h.sum().backward(),
    "retain_grad": lambda x: (h := x * 2).retain_grad() or h.sum().backward(),
    "several outputs": lambda x: sum(part.sum() for part in tn.split(x * x, 2)).backward(),
}


@pytest.mark.parametrize("use", USES)
def test_nothing_waits_for_the_collector(use, without_collector):
    run, x = USES[use], leaf([0.5, 0.25, -1.0, 2.0])
    for _ in range(3):
        run(x)
    gc.collect()
    before = nodes_alive()
    for _ in range(5):
        run(x)
    assert nodes_alive() == before


def test_an_error_in_backward_leaves_no_cycle(without_collector):
    broken = elementwise("test_memory_broken", lambda xp, x: x * 1, x=lambda g: 1 / 0)
    x = leaf([1.0])

    def run():
        with contextlib.suppress(ZeroDivisionError):
            broken(tn.exp(x)).sum().backward()
    run()
    before = nodes_alive()
    for _ in range(5):
        run()
    assert nodes_alive() == before


# Retention -----------------------------------------------------------------------------
def kept_by(tensor):
    """The arrays that the graph of a tensor holds."""
    return tn.autograd.saved_tensors_report(tensor).rows


RULES = {
    "nothing": ({"x": lambda g: g}, set()),
    "the input": ({"x": lambda g, x: g * x}, {"x"}),
    "the output": ({"x": lambda g, out: g * out}, {"out"}),
    "both": ({"x": lambda g, x, out: g * out / x}, {"x", "out"}),
}


@pytest.mark.parametrize("reads", RULES)
def test_exactly_what_rules_read_is_kept(reads):
    rules, expected = RULES[reads]
    op = elementwise(f"test_keep_{'_'.join(reads.split())}", lambda xp, x: xp.exp(x), **rules)
    assert {row.role for row in kept_by(op(leaf([1.0, 2.0])))} == expected


def test_a_shape_is_kept_without_its_array():
    total = primitive("test_keep_shape", lambda xp, x: xp.sum(x), kind="reduce",
                      x=lambda xp, g, x_shape: xp.broadcast_to(g, x_shape))
    y = total(leaf(np.ones((3, 4))))
    assert not kept_by(y) and y.node.saved[0] == (3, 4)


def test_only_the_rules_that_will_run_decide():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    assert {row.role for row in kept_by(x * y)} == {"x", "y"}
    assert {row.role for row in kept_by(x * y.detach())} == {"y"}
    assert {row.role for row in kept_by(x.detach() * y)} == {"x"}


def owner(array):
    """Something that can be weakly referenced and lives as long as the memory of a CPU array."""
    memory = np.frombuffer(bytearray(array.nbytes), array.dtype).reshape(array.shape)
    memory[...] = array
    return memory.view(Watched)


def test_what_no_rule_reads_is_released_at_once():
    with as_device("cpu"):
        x = leaf([1.0, 2.0])
        h = tn.Tensor.wrap(owner(np.array([1.0, 2.0])))
        h.requires_grad_()
        gone = weakref.ref(h.data)
        y = h + x         # reads neither
        z = (h * 2.0) + x  # reads the 2.0 alone
        assert gone() is not None
        h.data = np.array([5.0, 6.0])
        assert gone() is None
        (y + z).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0] and h.grad.tolist() == [3.0, 3.0]


def test_what_a_rule_reads_stays_until_backward_has_passed():
    with as_device("cpu"):
        h = tn.Tensor.wrap(owner(np.array([1.0, 2.0]))).requires_grad_()
        kept = weakref.ref(h.data)
        y = (h * h).sum()
        h.data = np.array([5.0, 6.0])
        assert kept() is not None
        y.backward()
        assert kept() is None
        assert h.grad.tolist() == [2.0, 4.0], "the gradient is that of the values used, not of the new ones"


def test_the_graph_is_released_while_the_pass_moves_on():
    """When the first operation's rule runs, the last operation's saved values are gone already."""
    seen = []
    first = elementwise("test_first", lambda xp, x: x * 1, x=lambda g: seen.append(last.saved) or g)
    y = tn.exp(first(leaf([1.0, 2.0])))
    last = y.node
    assert last.saved[1] is y.data
    y.sum().backward()
    assert seen == [None]


def test_a_detached_result_holds_no_graph():
    x = leaf([1.0, 2.0])
    before = nodes_alive()
    kept = [(tn.exp(x) * k).sum().detach() for k in range(10)]
    numbers = [(tn.exp(x) * k).sum().item() for k in range(10)]
    assert nodes_alive() == before and len(kept) == len(numbers)
