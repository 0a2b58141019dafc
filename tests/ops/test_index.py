"""Any key that NumPy accepts: the same elements, a view where NumPy gives one, the gradient, the write."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_notes as tn


@st.composite
def keys(draw):
    """A shape, and a key of random parts that may or may not fit it."""
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=0, max_size=4)))
    lengths = draw(st.sampled_from([(2,), (1,), (3, 1), (1, 2), (0,), ()]))
    parts, axis = [], 0
    for kind in draw(st.lists(st.sampled_from("isssnaabeft"), min_size=0, max_size=5)):
        n = shape[axis] if axis < len(shape) else 1
        if kind == "i":
            parts.append(draw(st.integers(-n, max(n - 1, 0))))
        elif kind == "s":
            bound = st.none() | st.integers(-5, 5)
            parts.append(slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, -1, -2]))))
        elif kind == "n":
            parts.append(None)
        elif kind == "a":
            size = int(np.prod(lengths))
            parts.append(np.array(draw(st.lists(st.integers(-n, max(n - 1, 0)), min_size=size, max_size=size)),
                                  dtype=np.int64).reshape(lengths))
        elif kind == "b":
            rank = draw(st.integers(0, 2))
            sizes = shape[axis:axis + rank]
            mask = draw(st.lists(st.booleans(), min_size=int(np.prod(sizes)), max_size=int(np.prod(sizes))))
            parts.append(np.array(mask, dtype=bool).reshape(sizes))
            axis += len(sizes) - 1
        elif kind == "e" and not any(part is Ellipsis for part in parts):
            parts.append(Ellipsis)
            axis = max(axis, len(shape) - draw(st.integers(0, 2)) - 1)
        else:
            parts.append(kind == "t")
        axis += kind in "isabe"
    if len(parts) == 1 and draw(st.booleans()):
        return shape, parts[0]
    return shape, tuple(parts)


def as_ours(key, how):
    """The same key with its arrays as arrays, Tensors or lists."""
    if isinstance(key, tuple):
        return tuple(as_ours(part, how) for part in key)
    if not isinstance(key, np.ndarray) or how == "array":
        return key
    if how == "tensor" or not key.ndim or not key.size:
        return tn.tensor(key)
    return key.tolist()


@settings(max_examples=400, deadline=None)
@given(keys(), st.sampled_from(["array", "tensor", "list"]))
def test_any_key(drawn, how):
    shape, key = drawn
    x = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    t = tn.tensor(x, requires_grad=True)
    try:
        expected = x[key]
    except IndexError:
        with pytest.raises(IndexError):
            t[as_ours(key, how)]
        return
    ours = as_ours(key, how)
    out = t[ours]
    assert out.shape == np.shape(expected)
    np.testing.assert_array_equal(out.detach().numpy(), expected)

    u = np.random.default_rng(0).standard_normal(out.shape)
    (g,) = tn.autograd.grad(out, t, tn.tensor(u), create_graph=True)
    total = np.zeros(shape)
    np.add.at(total, key, u)
    np.testing.assert_allclose(g.numpy(), total, atol=1e-14)

    put = tn.index_put(t, ours, tn.tensor(u), accumulate=True)
    np.testing.assert_allclose(put.detach().numpy(), x + total, atol=1e-14)

    written, w = x.copy(), tn.tensor(x)
    written[key] = 7.0
    w[ours] = 7.0
    np.testing.assert_array_equal(w.numpy(), written)


@settings(max_examples=200, deadline=None)
@given(keys(), st.integers(0, 2**32 - 1))
def test_writing_and_its_gradients(drawn, seed):
    shape, key = drawn
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    try:
        selected = x[key]
    except IndexError:
        return
    v = rng.standard_normal(np.shape(selected))
    t, value = tn.tensor(x, requires_grad=True), tn.tensor(v, requires_grad=True)
    out = tn.index_put(t, key, value)
    expected = x.copy()
    expected[key] = v
    np.testing.assert_array_equal(out.detach().numpy(), expected)

    u = rng.standard_normal(shape)
    gx, gv = tn.autograd.grad(out, [t, value], tn.tensor(u))
    cleared = u.copy()
    cleared[key] = 0.0
    np.testing.assert_array_equal(gx.numpy(), cleared)
    source = np.full(shape, -1)  # which element of the value each place was written from
    source[key] = np.arange(v.size).reshape(v.shape)
    pulled = np.zeros(v.size)
    pulled[source[source >= 0]] = u[source >= 0]
    np.testing.assert_array_equal(gv.numpy(), pulled.reshape(v.shape))


@pytest.mark.parametrize("key", [0, (1, 2), slice(None, None, -1), (..., 1), None, (slice(1, 2), None), (0, ..., 0)],
                         ids=str)
def test_basic_keys_give_views(key):
    x = tn.zeros((3, 4))
    view = x[key]
    view += 1
    assert float(x.sum()) == view.size


def test_advanced_keys_give_copies():
    x = tn.zeros((3, 4))
    for key in ([0, 1], x == 0, (slice(None), [0])):
        part = x[key]
        part += 1
    assert float(x.sum()) == 0


@pytest.mark.parametrize("key, message", [
    (5, r"index 5 .*axis 0.*size 3"), ((0, -9), r"index -9 .*axis 1.*size 4"), ([1, 7], r"index 7 .*axis 0.*size 3"),
    ((slice(None), [4]), r"index 4 .*axis 1.*size 4"), ((0, 0, 0), "too many indices.*2.*3"), (1.5, r"key\[0\] is 1.5"),
    ((0, "a"), r"key\[1\] is 'a'"), (np.array([0.5]), "float64"), (np.ones((2, 2), bool), "boolean index.*3.*2"),
    (([0, 1], [0, 1, 2]), r"\(2,\)[^)]*\(3,\)"),
])
def test_errors_name_axis_index_and_size(key, message):
    with pytest.raises(IndexError, match=message):
        tn.zeros((3, 4))[key]
    with pytest.raises(IndexError, match=message):
        tn.zeros((3, 4))[key] = 1.0


def test_a_whole_axis_read_backwards_beside_an_index_array():
    x, u = np.zeros((3, 4)), np.arange(6.0).reshape(3, 2)
    t = tn.tensor(x, requires_grad=True)
    (g,) = tn.autograd.grad(t[::-1, [1, 1]], t, tn.tensor(u))
    np.add.at(x, (slice(None, None, -1), [1, 1]), u)
    np.testing.assert_array_equal(g.numpy(), x)


def test_narrow_indices_of_long_axes():
    x = tn.arange(1000)
    for dtype in ("int8", "uint8"):
        assert x[tn.tensor([100, 3], dtype=dtype)].tolist() == [100, 3]
        with pytest.raises(IndexError, match="index 100 .*axis 0.*size 100"):
            tn.take(x[:100], tn.tensor([100], dtype=dtype))
    target = tn.tensor([250, 255], dtype="uint8")
    assert tn.nn.functional.one_hot(target, 1000).sum().item() == 2


def test_of_repeated_writes_the_last_stays():
    rng = np.random.default_rng(3)
    for key in ([1, 0, 1, 1], (slice(None), [2, 2, 0]), ([0, 1, 0], slice(None, None, -1)),
                ([0, 2, -3, 0], [1, 1, 1, 1])):
        x = rng.standard_normal((3, 4))
        value = rng.standard_normal(x[key].shape)
        put, given = tn.index_put(tn.tensor(x), key, tn.tensor(value)), tn.tensor(x)
        given[key] = tn.tensor(value)
        x[key] = value
        np.testing.assert_array_equal(put.numpy(), x)
        np.testing.assert_array_equal(given.numpy(), x)


def test_indices_of_every_integer_dtype():
    x = tn.arange(6)
    for dtype in ("int8", "uint8", "int32", "uint32", "int64", "uint64"):
        index = tn.tensor([5, 0], dtype=dtype)
        assert x[index].tolist() == [5, 0]
        assert tn.take(x, index).tolist() == [5, 0]
        assert tn.take_along_axis(x, index).tolist() == [5, 0]
        y = tn.ones(6, requires_grad=True)
        (y[index] * tn.tensor([2.0, 3.0])).sum().backward()
        assert y.grad.tolist() == [3, 0, 0, 0, 0, 2]


@pytest.mark.parametrize("call", [
    lambda x: tn.take(x, [4]), lambda x: tn.take_along_axis(x, [-5]), lambda x: tn.gather(x, 0, [4]),
    lambda x: tn.index_add(x, 0, [4], [1.0]), lambda x: tn.index_put(x, [4], 1.0), lambda x: tn.scatter(x, 0, [4], 1.0),
    lambda x: tn.scatter_add(x, 0, [4], [1.0]), lambda x: tn.put_along_axis(x, [9], 1.0),
    lambda x: tn.scatter_reduce(x, 0, [4], [1.0], "amax"), lambda x: tn.segment_sum(x, [0, 1, 2, 3], 3),
    lambda x: tn.segment_max(x, [0, 1, 2, -1], 3), lambda x: tn.segment_mean(x, [0, 1, 2, 9], 3),
    lambda x: tn.segment_prod(x, [0, 1, 2, 9], 3), lambda x: tn.index_put(x, [4], 1.0, accumulate=True),
])
def test_out_of_range_raises_everywhere(call):
    with pytest.raises(IndexError, match="-1|-5|3|4|9"):
        call(tn.ones(4))


@pytest.mark.parametrize("call, message", [
    (lambda x: tn.take_along_axis(x, [0]), "x has 2 axes and indices 1"),
    (lambda x: tn.gather(x, 0, [[0, 0, 0, 0]]), r"exceeds x, shape \(2, 3\)"),
    (lambda x: tn.index_add(x, 0, [0], tn.ones((2, 3))), r"source has shape \(2, 3\), expected \(1, 3\)"),
    (lambda x: tn.index_put(x, 0, tn.ones(2), accumulate=True), r"\(2,\) does not broadcast to \(3,\)"),
    (lambda x: tn.scatter_reduce(x, 0, [[0]], 1.0, "max"), "'amax'"),
    (lambda x: tn.topk(x, 4), r"k=4 is outside \[0, 3\]"),
    (lambda x: tn.kthvalue(x, 0), r"k=0 is outside \[1, 3\]"), (lambda x: tn.segment_sum(x, [0], 3), "one id per row"),
    (lambda x: tn.segment_sum(x, [0, 1], -3), "num_segments is -3"), (lambda x: tn.searchsorted(x, 1.0), "one axis"),
    (lambda x: tn.searchsorted(x[0], 1.0, side="up"), "side is 'up'"),
    (lambda x: tn.bincount(tn.tensor([-1])), "holds -1"),
    (lambda x: tn.masked_scatter(x, x > 0, [1.0]), "source has 1 elements, mask selects 6"),
])
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(tn.ones((2, 3)))


def test_bad_dtypes_are_named():
    x = tn.ones(3)
    for call in (lambda: tn.take(x, [0.5]), lambda: tn.gather(x, 0, x), lambda: tn.index_add(x, 0, x, x)):
        with pytest.raises(IndexError, match="float32; indices are integers"):
            call()
    for call in (lambda: tn.masked_select(x, [1, 0, 1]), lambda: tn.masked_scatter(x, [1, 0, 1], x)):
        with pytest.raises(TypeError, match="mask has dtype int64, expected bool"):
            call()


def test_sums_are_the_same_in_every_run(rng):
    x = tn.tensor(rng.standard_normal((500, 8)).astype(np.float32))
    ids = rng.integers(0, 9, 500)
    first = tn.segment_sum(x, ids, 9).tolist()
    assert all(tn.segment_sum(x, ids, 9).tolist() == first for _ in range(3))
    wide = tn.segment_sum(tn.tensor(rng.standard_normal((500, 8)).astype(np.float16)), ids, 9)
    assert wide.dtype == tn.float16


def test_integers_are_summed_exactly():
    x = tn.tensor(np.full((700, 4), 2**53 + 1))
    assert tn.segment_sum(x, np.zeros(700, int), 1)[0, 0].item() == 700 * (2**53 + 1)
