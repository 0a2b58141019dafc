"""Rules that end training early."""
import math

import pytest

import tinygrad_notes as tn
from tinygrad_notes.train import EarlyStopping, RelativeChange, Stopping


def stops_at(rule, values):
    """Index of the first value at which the rule says stop, or None."""
    return next((k for k, value in enumerate(values) if rule.update(value)), None)


@pytest.mark.row("S0-13")
@pytest.mark.parametrize(("losses", "tol", "patience", "index"), [
    ([10.0, 9.95], 0.01, 1, 1),                      # 0.5% is within 1%
    ([10.0, 9.0, 8.0, 7.95, 1.0], 0.01, 1, 3),
    ([10.0, 9.9], 0.01, 1, 1),                       # exactly the tolerance counts
    ([10.0, 9.89], 0.01, 1, None),
    ([10.0, 10.05, 9.0], 0.01, 1, 1),                # a small rise is a small change too
    ([10.0, 9.99, 9.0, 8.99, 8.98], 0.01, 2, 4),     # twice in a row
    ([5.0, 5.0], 0.0, 1, 1),
    ([0.0, 0.0], 0.01, 1, 1),
    ([0.001], 100.0, 1, None),                       # never on the first
    ([math.inf, math.nan, 1.0], 0.01, 1, None),
])
def test_relative_change_stops_at_the_right_index(losses, tol, patience, index):
    assert stops_at(RelativeChange(tol, patience), losses) == index


@pytest.mark.parametrize(("values", "options", "index", "best"), [
    ([3, 2, 2.5, 2.4, 2.3], {"patience": 3}, 4, 2), ([3, 2, 2.5, 1.9, 2.3], {"patience": 3}, None, 4),
    ([1, 1, 1], {"patience": 2}, 2, 1), ([3, 2.96, 2.93, 2.85], {"patience": 2, "min_delta": 0.1}, 2, 1),
    ([0.5, 0.7, 0.6, 0.6], {"patience": 2, "mode": "max"}, 3, 2), ([math.nan, 2, math.nan, 3], {"patience": 2}, 3, 2),
    ([1, 2], {"patience": 1}, 1, 1),
])
def test_early_stopping_waits_its_patience(values, options, index, best):
    rule = EarlyStopping(**options)
    assert stops_at(rule, values) == index
    assert rule.best_epoch == best


def test_the_best_parameters_come_back():
    model = tn.nn.Linear(2, 1)
    rule = EarlyStopping(patience=2)
    for value in (3.0, 1.0, 2.0, 2.0):
        model.weight.data[...] = value
        rule.update(value, model)
    rule.finish(model)
    assert model.weight.tolist() == [[1.0, 1.0]]
    keep = EarlyStopping(patience=2, restore_best=False)
    keep.update(1.0, model)
    model.weight.data[...] = 9
    keep.finish(model)
    assert model.weight.tolist() == [[9.0, 9.0]]


@pytest.mark.parametrize("make", [lambda: EarlyStopping(patience=3), lambda: RelativeChange(0.1, 3)])
def test_a_rule_continues_from_its_state(make, tmp_path):
    values = [5.0, 4.0, 4.1, 3.9, 4.0, 4.0, 4.0, 4.0]
    straight, first, second = make(), make(), make()
    expected = [straight.update(v) for v in values]
    found = [first.update(v) for v in values[:4]]
    tn.save(first.state_dict(), tmp_path / "rule")
    second.load_state_dict(tn.load(tmp_path / "rule"))
    assert found + [second.update(v) for v in values[4:]] == expected
    assert any(expected)


@pytest.mark.parametrize(("rule", "options", "message"), [
    (EarlyStopping, {"patience": 0}, "patience"), (EarlyStopping, {"mode": "least"}, "mode"),
    (EarlyStopping, {"min_delta": -1}, "min_delta"), (RelativeChange, {"tol": -1}, "tol"),
    (RelativeChange, {"tol": math.nan}, "tol"), (RelativeChange, {"patience": 1.5}, "patience"),
])
def test_options_out_of_range_are_refused(rule, options, message):
    with pytest.raises(ValueError, match=message):
        rule(**options)


def test_the_base_rule_defines_nothing():
    with pytest.raises(NotImplementedError):
        Stopping("loss").update(1.0)
