"""The plain NumPy way to run a program: what is written where it belongs, and what stays in the cache."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.program import trace
from tinygrad_notes.program.kernels import Loop
from tinygrad_notes.program.passes import optimize
from tinygrad_notes.program.run.loops import BLOCK

pytestmark = pytest.mark.host_only


def compiled(fn, *args):
    """The executor of `fn`, which has run twice, and its last result."""
    step = tn.compile(fn, backend="numpy")
    step(*args)
    result = step(*args)
    return next(iter(step._known.values()))[0].executor, result


def test_states_of_an_optimizer_are_written_in_place():
    """Although the loss assumes that labels are in range, after which a run may be given up."""
    model = tn.nn.Linear(5, 3)
    optimizer = tn.optim.Adam(model.parameters())
    x, y = tn.randn(4, 5), tn.asarray(np.array([0, 2, 1, 1]))

    def step():
        optimizer.zero_grad()
        loss = tn.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss
    executor, _ = compiled(step)
    names = {i.name for i in executor.program.instructions}
    written = {state.name.partition(".")[2] for state in executor.memory.direct.values()}
    assert "assume" in names and written == {"parameters", "exp_avg", "exp_avg_sq"}


def test_products_and_sums_are_single_ufuncs_with_a_place_for_their_result():
    x = tn.randn(3 * BLOCK)
    executor, found = compiled(lambda x: x * x + x * 2.0, x)
    calls = [call for lists in executor.steps[0].known.values() for some in lists for call in some]
    assert calls and all(isinstance(function, np.ufunc) for function, _ in calls)
    np.testing.assert_allclose(found.numpy(), x.numpy() * x.numpy() + x.numpy() * 2, rtol=1e-6)


def test_a_loop_ends_at_a_sum_over_a_long_row():
    x = tn.randn(5 * BLOCK)

    def shares(x):
        y = tn.exp(x)
        return y / tn.sum(y)
    executor, found = compiled(shares, x)
    loops = [k for k in executor.fusion.kernels if isinstance(k, Loop)]
    assert all(math.prod(k.sizes[a] for a in k.inner or ()) <= 2 * BLOCK for k in loops)
    e = np.exp(x.numpy().astype(float))
    np.testing.assert_allclose(found.numpy(), e / e.sum(), rtol=1e-5)


def test_bounds_that_nothing_exceeds_are_left_out():
    def run(x):
        return tn.clip(x * 2, -1000, math.inf) + 1
    x = tn.tensor([math.nan, math.inf, -math.inf, 3.0])
    program = trace(run, (x,))
    assert "minimum" not in {i.name for i in optimize(program).instructions}
    np.testing.assert_array_equal(program(x).numpy(), [math.nan, math.inf, -999, 7])
