"""The strategies give what they promise, and reach what operations tend to get wrong."""
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import tinygrad_notes as tn
from tinygrad_notes.testing import strategies as some

pytestmark = pytest.mark.same_on_strict

quick = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("wanted", [(), (0,), (2, 0, 3), (4, 4, 4)])
def test_shapes_reach_scalars_and_empty_ones(wanted):
    assert find(some.shapes(), lambda s: s == wanted) == wanted


@quick
@given(some.broadcastable(3))
def test_broadcastable_shapes_broadcast(sizes):
    np.broadcast_shapes(*sizes)


@quick
@given(some.arrays(away_from=(0.0, 1.0), distance=0.1))
def test_elements_keep_away_from_kinks(x):
    assert np.all(np.abs(x) >= 0.1 - 1e-12)
    assert np.all(np.abs(x - 1) >= 0.1 - 1e-12)
    assert np.all((x >= -3) & (x <= 3))


@quick
@given(some.arrays(shape=(3, 4), distinct=True))
def test_distinct_elements_have_no_ties(x):
    assert np.min(np.diff(np.sort(x, axis=None))) > 0.04


@pytest.mark.parametrize(("layout", "holds"), [
    ("contiguous", lambda x: x.flags.c_contiguous),
    ("fortran", lambda x: x.flags.f_contiguous and not x.flags.c_contiguous),
    ("reversed", lambda x: all(s < 0 for s in x.strides)),
    ("strided", lambda x: not x.flags.c_contiguous and not x.flags.f_contiguous),
    ("broadcast", lambda x: x.strides[0] == 0),
])
def test_layouts(layout, holds):
    assert holds(find(some.arrays(shape=(2, 3), layouts=(layout,)), lambda x: True))
    assert holds(find(some.arrays(shape=(2, 3)), holds))


@quick
@given(st.data(), some.arrays(shape=(2, 3, 2), layouts=("contiguous",)), st.sampled_from(some.LAYOUTS[:-1]))
def test_a_layout_keeps_the_values(data, x, layout):
    np.testing.assert_array_equal(some.laid_out(x, layout), x)


@quick
@given(some.dtypes(integer=True).flatmap(lambda d: st.tuples(st.just(d), some.arrays(dtype=d))))
def test_dtypes(pair):
    assert pair[1].dtype == pair[0]


@quick
@given(some.tensors(requires_grad=True, dtype=some.dtypes(integer=True)))
def test_tensors(t):
    assert isinstance(t, tn.Tensor)
    assert t.device == tn.current_device()
    assert t.requires_grad == (t.dtype.kind == "f")


@quick
@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), some.axes(n), some.many_axes(n))))
def test_axes_are_valid(drawn):
    n, one, many = drawn
    np.zeros((2,) * n).sum(axis=one)
    np.zeros((2,) * n).sum(axis=many)


@quick
@given(some.shapes(max_dims=3).flatmap(lambda s: st.tuples(st.just(s), some.index_keys(s))))
def test_index_keys_are_in_bounds(drawn):
    shape, key = drawn
    np.zeros(shape)[key]


@pytest.mark.parametrize("kind", [int, slice, list, type(None), type(Ellipsis)])
def test_index_keys_reach_every_kind(kind):
    find(some.index_keys((3, 4)), lambda key: isinstance(key, tuple) and any(isinstance(k, kind) for k in key))


def test_index_keys_reach_masks_and_avoid_them_on_request():
    find(some.index_keys((3, 4)), lambda key: isinstance(key, np.ndarray) and key.any())
    with pytest.raises(NoSuchExample):
        find(some.index_keys((3, 4), advanced=False), lambda key: isinstance(key, np.ndarray))


@settings(max_examples=25, deadline=None)
@given(some.op_inputs(2))
def test_a_check_of_an_operation_with_any_inputs(inputs):
    assert tn.gradcheck(lambda x, y: x * tn.sin(y), inputs, raise_exception=False).verdict != "WRONG"


def test_errors():
    with pytest.raises(ValueError, match=r"layouts: \['diagonal'\] are unknown"):
        find(some.arrays(layouts=("diagonal",)), lambda x: True)
    with pytest.raises(ValueError, match="no room for 12 elements"):
        find(some.arrays(shape=(12,), distinct=True, low=0.0, high=0.3), lambda x: True)


def test_without_hypothesis_the_error_says_what_to_install():
    code = ("import sys; sys.modules['hypothesis'] = None\n"
            "import tinygrad_notes as tn\n"
            "tn.gradcheck(tn.sin, 0.5)\n"
            "try: tn.testing.strategies\n"
            "except ImportError as error: print(error)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'tinygrad-notes[test]'" in done.stdout
