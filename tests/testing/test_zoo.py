"""The gradient check checked: it catches every wrong rule of the zoo and never calls a right one wrong."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.testing import zoo
from tinygrad_notes.testing import CORRECT, WRONG

pytestmark = pytest.mark.same_on_strict


def results(animals):
    """(name, result) of every animal."""
    for name, order, fn, inputs in animals:
        check = tn.gradcheck if order == 1 else tn.gradgradcheck
        with np.errstate(all="ignore"):
            yield name, check(fn, inputs(np.random.default_rng(7)), raise_exception=False)


def test_every_wrong_rule_is_caught():
    missed = {name: result.report() for name, result in results(zoo.WRONG) if result.verdict != WRONG}
    print(f"wrong rules caught: {len(zoo.WRONG) - len(missed)} of {len(zoo.WRONG)}")
    assert not missed, "\n".join(f"{name}: {report}" for name, report in missed.items())


def test_no_right_rule_is_called_wrong():
    verdicts = dict(results(zoo.HARD))
    alarms = {name: result.report() for name, result in verdicts.items() if result.verdict == WRONG}
    sure = sum(result.verdict == CORRECT for result in verdicts.values())
    print(f"right rules called wrong: {len(alarms)} of {len(verdicts)}; {sure} confirmed, "
          f"{len(verdicts) - sure - len(alarms)} left open")
    assert not alarms, "\n".join(f"{name}: {report}" for name, report in alarms.items())
    assert sure >= 35, f"only {sure} hard cases are confirmed"


def test_the_zoo_is_large_enough():
    names = [animal[0] for animal in zoo.WRONG + zoo.HARD]
    assert len(set(names)) == len(names)
    assert len(zoo.WRONG) >= 40
    assert len(zoo.HARD) >= 40
