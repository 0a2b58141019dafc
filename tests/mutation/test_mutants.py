"""Break a rule, and see that the table notices: a sample in every run, all of them with -m slow."""
import numpy as np
import pytest

from tests.mutation.mutants import in_place, mutants, rows_by_rule
from tests.ops.drive import active_of, inputs_of
from tests.ops.numeric import check_gradients

pytestmark = pytest.mark.host_only

# Changes that no gradient of the table can show, each with its reason.
UNSEEN = {
    "pick.x: sign of the result": "the engine hands the parts of a bundle on without this rule",
    "to_device.x: sign of the result": "rows run on one device",
    "copysign.x: * became / in g * (xp.sign(x) * xp.sign(out))": "x / 1 is x * 1",
    "log_base.x: right factor dropped in g * (x != 0)": "differs at a base of 0 alone: tests of pow",
    "log_base.x: * became / in g * (x != 0)": "differs at a base of 0 alone: tests of pow",
    "nan_to_num.x: right factor dropped in g * xp.isfinite(x)": "differs at NaN alone, where there is no slope",
    "nan_to_num.x: * became / in g * xp.isfinite(x)": "differs at NaN alone, where there is no slope",
}


def noticed(mutant):
    """Whether the gradient test of some row fails with this rule."""
    with in_place(mutant), np.errstate(all="ignore"):
        for order, row in rows_by_rule()[mutant.operation, mutant.input][:40]:
            arrays = inputs_of(row)
            try:
                check_gradients(row, arrays, active_of(row, arrays), order)
            except Exception:
                return True
    return False


def survivors(sample):
    rules = rows_by_rule()
    return [m.id for m in sample if (m.operation, m.input) in rules and m.id not in UNSEEN and not noticed(m)]


def test_there_are_mutants_of_most_rules():
    assert len(mutants()) > 300
    assert len({m.operation for m in mutants()}) > 100


def test_a_sample_of_mutants_is_noticed():
    sample = [mutants()[k] for k in np.random.default_rng(0).permutation(len(mutants()))[:30]]
    assert not survivors(sample)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_mutant_is_noticed():
    alive = survivors(mutants())
    print(f"{len(mutants()) - len(alive)} of {len(mutants())} mutants noticed")
    assert not alive, "\n".join(alive)


def test_no_exception_is_stale():
    assert set(UNSEEN) <= {m.id for m in mutants()}


def test_the_right_rule_is_put_back():
    mutant = next(m for m in mutants() if m.operation == "sin")
    row = rows_by_rule()["sin", "x"][0][1]
    arrays = inputs_of(row)
    assert noticed(mutant)
    check_gradients(row, arrays, active_of(row, arrays), 1)
