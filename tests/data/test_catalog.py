"""Data sets by name."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import CATALOG, find

pytestmark = pytest.mark.same_on_strict


@pytest.mark.parametrize(("name", "shape", "sizes"), [
    ("digits", (8, 8), (1438, 359)), ("mnist1d", (40,), (4000, 1000)),
])
def test_a_source_says_what_a_program_must_know(name, shape, sizes):
    source = find(name, "float64", "strict")
    assert (source.name, source.shape, source.classes) == (name, shape, 10)
    assert (len(source.train), len(source.test)) == sizes
    x, y = source.train.tensors
    assert x.dtype == tn.float64 and str(x.device) == "strict" and x.shape[1] == tn.zeros(shape).size
    assert int(y.min()) == 0 and int(y.max()) == 9
    assert source.unit == (float(x.min()) >= 0 and float(x.max()) <= 1)


@pytest.mark.parametrize(("name", "classes"), [
    ("moons", 2), ("rings", 3), ("gaussians8", 8), ("spiral", 2), ("checkerboard", 8),
])
def test_points_are_the_same_each_time_and_other_ones_are_held_out(name, classes):
    source, again = find(name), find(name)
    assert (source.kind, source.shape, source.classes) == ("points", (2,), classes)
    (x, y), (held, _) = source.train.tensors, source.test.tensors
    assert x.shape == held.shape == (4000, 2) and int(y.max()) == classes - 1
    assert x.tolist() == again.train.tensors[0].tolist() != held.tolist()


@pytest.mark.parametrize(("name", "kind", "x", "y"), [
    ("line", "curve", (1,), ()), ("sine", "curve", (1,), ()), ("shapes", "mask", (1, 24, 24), (24, 24)),
    ("reversals", "pairs", (8,), (8,)),
])
def test_other_examples_are_held_out(name, kind, x, y):
    source = find(name, "float64")
    assert source.kind == kind
    for part in (source.train, source.test):
        assert tuple(t.shape[1:] for t in part.tensors) == (x, y)
    n = min(len(source.train), 8)
    assert not np.array_equal(*(part.tensors[1][:n].numpy() for part in (source.train, source.test)))
    assert kind == "pairs" or source.train.tensors[0].dtype == tn.float64


def test_the_line_comes_without_its_column_of_ones():
    x, y = find("line").test.tensors
    assert np.polyfit(x[:, 0].numpy(), y.numpy(), 1) == pytest.approx([3, 1], abs=0.3)


def test_networks_are_as_many_of_each_kind():
    source = find("networks")
    assert source.classes == 3 and np.bincount(source.test.batch(slice(None))[1].numpy()).tolist() == [100] * 3


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="did you mean 'mnist1d'"):
        find("mnist-1d")
    for name in CATALOG:
        with pytest.raises(ValueError, match=name):
            find("nothing of the kind")
    with pytest.raises(FileNotFoundError, match="train-images"):
        find("mnist:/nowhere")
