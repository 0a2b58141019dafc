"""Tensors from numbers, shapes and other libraries: values, dtypes, devices, memory, and what is refused."""
import numpy as np
import pytest

import tinygrad_notes as tn

DTYPES = ["bool", "int8", "int64", "uint8", "float16", "float32", "float64", "complex64"]


def host(t):
    return t.device.to_numpy(t.data)


def equal(t, array, dtype=None):
    """Values and dtype are exactly those of the NumPy array."""
    expected = np.asarray(array)
    np.testing.assert_array_equal(host(t), expected.astype(dtype or expected.dtype))
    assert t.dtype == (dtype or expected.dtype)
    assert t.device == tn.current_device()


@pytest.mark.parametrize("data, dtype", [
    (True, "bool"), (3, "int64"), (2.5, "float32"), (1j, "complex64"), ([[1, 2], [3, 4]], "int64"),
    ([1, 2.5], "float32"), ([True, False], "bool"), ((), "float32"), ([[]], "float32"),
])
def test_python_numbers_get_the_default_dtypes(data, dtype):
    equal(tn.tensor(data), np.array(data), dtype)
    equal(tn.asarray(data), np.array(data), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_keep_their_dtype(dtype):
    array = np.array([[1, 0], [2, 3]]).astype(dtype)
    equal(tn.tensor(array), array)
    equal(tn.asarray(array), array)
    equal(tn.as_tensor(array, dtype="float64") if dtype != "complex64" else tn.as_tensor(array, dtype="complex128"),
          array, "float64" if dtype != "complex64" else "complex128")


def test_tensor_copies_and_asarray_shares():
    array = np.array([1.0, 2.0])
    with tn.as_device("cpu"):
        copied, shared, taken = tn.tensor(array), tn.asarray(array), tn.from_numpy(array)
        array[0] = 7
        assert copied.tolist() == [1, 2] and shared.tolist() == [7, 2] and taken.tolist() == [7, 2]
        assert not np.shares_memory(tn.asarray(array, copy=True).data, array)
        x = tn.tensor([1.0])
        assert tn.asarray(x) is x and tn.asarray(x, copy=False) is x
        assert not np.shares_memory(tn.asarray(x, copy=True).data, x.data)
        assert not np.shares_memory(tn.tensor(x).data, x.data)


def test_asarray_with_copy_false_raises_before_it_copies():
    array = np.array([1.0, 2.0])
    with tn.as_device("cpu"):
        assert np.shares_memory(tn.asarray(array, copy=False).data, array)
    for obj, kw in [([1, 2], {}), (array, {"dtype": "float32"}), (tn.tensor([1.0]), {"dtype": "float64"}), (3, {}),
                    (array, {"device": "strict"}), (tn.zeros(2, device="cpu"), {"device": "strict"})]:
        with pytest.raises(ValueError, match="copy=False"):
            tn.asarray(obj, copy=False, **kw)


def test_asarray_keeps_the_graph():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = tn.asarray(x * 2, dtype="float64")
    y.sum().backward()
    assert x.grad.tolist() == [2, 2] and x.grad.dtype == "float32"


def test_data_that_is_no_number():
    for data in ("text", [[1], [1, 2]], [object()], np.array(["a"]), {"a": 1}):
        with pytest.raises(TypeError):
            tn.tensor(data)
    with pytest.raises(TypeError, match="expected a numpy.ndarray, got list"):
        tn.from_numpy([1.0])
    with pytest.raises(TypeError, match="float32"):
        tn.tensor([1.0], dtype="text")
    with pytest.raises(TypeError, match="int64"):
        tn.tensor([1], requires_grad=True)


@pytest.mark.parametrize("name", ["zeros", "ones", "empty"])
@pytest.mark.parametrize("dtype", [None, *DTYPES])
def test_filled_with_one_number(name, dtype):
    for shape in [(), (3,), (2, 0), (2, 3)]:
        made = getattr(tn, name)(shape, dtype=dtype)
        assert made.shape == shape and made.dtype == (dtype or "float32")
        if name != "empty":
            equal(made, getattr(np, name)(shape, dtype=dtype or "float32"))
    assert getattr(tn, name)(2, 3).shape == (2, 3) and getattr(tn, name)(4).shape == (4,)


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "empty_like", "full_like"])
def test_like_another(name):
    x = tn.tensor(np.arange(6, dtype="float64").reshape(2, 3), requires_grad=True)
    args = (5,) if name == "full_like" else ()
    for dtype in [None, "int64", "float32"]:
        made = getattr(tn, name)(x, *args, dtype=dtype)
        assert made.shape == (2, 3) and made.dtype == (dtype or "float64") and made.device == x.device
        assert not made.requires_grad
        if name != "empty_like":
            equal(made, getattr(np, name)(host(x), *args, dtype=dtype))
    assert getattr(tn, name)(x, *args, requires_grad=True).requires_grad
    assert getattr(tn, name)(x, *args, device="strict").device == "strict"
    assert getattr(tn, name)(np.zeros(3), *args).dtype == "float64"


@pytest.mark.parametrize("value, dtype", [(True, "bool"), (3, "int64"), (2.5, "float32"), (1j, "complex64")])
def test_full(value, dtype):
    equal(tn.full((2, 1), value), np.full((2, 1), value), dtype)
    equal(tn.full((2,), value, dtype="complex128"), np.full((2,), value, dtype="complex128"))
    equal(tn.full(3, tn.tensor(value)), np.full(3, value), dtype)


@pytest.mark.parametrize("args", [
    (5,), (0,), (2, 7), (2, 7, 3), (7, 2, -2), (2, 2), (5, 2), (0.0, 1.0, 0.25), (1.5,), (-3, 3, 1.5), (0, 1, 0.1),
])
def test_arange(args):
    expected = np.arange(*args)
    equal(tn.arange(*args), expected, "int64" if expected.dtype.kind == "i" else "float32")
    equal(tn.arange(*args, dtype="float64"), np.arange(*args, dtype="float64"))
    equal(tn.arange(*[tn.tensor(a, dtype="float64") for a in args], dtype="float64"), np.arange(*map(float, args)))


def test_arange_refuses_a_step_of_zero():
    with pytest.raises(ValueError, match="step must not be 0"):
        tn.arange(0, 5, 0)


@pytest.mark.parametrize("num", [0, 1, 2, 50])
@pytest.mark.parametrize("endpoint", [True, False])
def test_linspace(num, endpoint):
    equal(tn.linspace(-1, 2.5, num, endpoint=endpoint), np.linspace(-1, 2.5, num, endpoint=endpoint), "float32")
    equal(tn.linspace(3, 1, num, endpoint=endpoint, dtype="float64"), np.linspace(3, 1, num, endpoint=endpoint))
    equal(tn.linspace(0j, 2j, num, endpoint=endpoint), np.linspace(0j, 2j, num, endpoint=endpoint), "complex64")
    equal(tn.logspace(-1, 2, num, base=2, endpoint=endpoint, dtype="float64"),
          np.logspace(-1, 2, num, base=2, endpoint=endpoint))


def test_linspace_reaches_its_ends_exactly():
    made = host(tn.linspace(0.1, 0.7, 1001))
    assert made[0] == np.float32(0.1) and made[-1] == np.float32(0.7)
    with pytest.raises(ValueError, match="num"):
        tn.linspace(0, 1, -1)


@pytest.mark.parametrize("k", [-2, 0, 1, 5])
def test_eye(k):
    equal(tn.eye(3, k=k), np.eye(3, k=k), "float32")
    equal(tn.eye(2, 4, k=k, dtype="int64"), np.eye(2, 4, k=k, dtype="int64"))


def test_requires_grad_keyword():
    for made in [tn.zeros(2, requires_grad=True), tn.full((1,), 2.0, requires_grad=True), tn.eye(2, requires_grad=True),
                 tn.arange(2.0, requires_grad=True), tn.linspace(0, 1, 2, requires_grad=True),
                 tn.asarray([1.0], requires_grad=True)]:
        (made * made).sum().backward()
        np.testing.assert_array_equal(host(made.grad), 2 * host(made))
    with pytest.raises(TypeError, match="int64"):
        tn.arange(3, requires_grad=True)


@pytest.mark.parametrize("make", [
    lambda s: tn.zeros(s), lambda s: tn.ones(s), lambda s: tn.empty(s), lambda s: tn.full(s, 1), lambda s: tn.normal(s),
], ids=["zeros", "ones", "empty", "full", "normal"])
def test_bad_shapes(make):
    with pytest.raises(ValueError, match="negative size"):
        make((2, -1))
    for shape in [(2.5,), "ab", (None,)]:
        with pytest.raises(TypeError, match="shape"):
            make(shape)


def test_device_keyword_and_default():
    for device in ("cpu", "strict"):
        with tn.as_device(device):
            for made in [tn.zeros(1), tn.ones(1), tn.empty(1), tn.full((1,), 2), tn.arange(2), tn.linspace(0, 1, 2),
                         tn.eye(2), tn.tensor([1]), tn.asarray([1]), tn.randn(2), tn.randint(0, 4, (2,)),
                         tn.permutation(3), tn.choice(3, (2,)), tn.bernoulli(0.5, (2,))]:
                assert made.device == device
    assert tn.zeros(1, device="strict").device == "strict" and tn.arange(2, device="cpu").device == "cpu"
    with pytest.raises(ValueError, match="tpu"):
        tn.zeros(1, device="tpu")


def test_dlpack_shares_memory():
    array = np.arange(4, dtype="float32")
    taken = tn.from_dlpack(array)
    assert taken.device == "cpu" and np.shares_memory(taken.data, array)
    assert not np.shares_memory(tn.from_dlpack(array, copy=True).data, array)
    assert tn.from_dlpack(array, device="strict").device == "strict"
    with pytest.raises(ValueError, match="copy=False"):
        tn.from_dlpack(array, device="strict", copy=False)
    with pytest.raises(TypeError, match="__dlpack__"):
        tn.from_dlpack([1, 2])


def test_dlpack_from_torch():
    torch = pytest.importorskip("torch")
    source = torch.arange(3.0)
    taken = tn.from_dlpack(source)
    source[0] = 9
    assert taken.tolist() == [9, 1, 2] and taken.dtype == "float32"
    assert tn.tensor(torch.tensor([[1, 2]])).tolist() == [[1, 2]]


def test_large_integers_stay_exact():
    """NumPy makes float64 of a list with integers on both sides of 2^63."""
    large = 2**63 + 1
    assert tn.tensor([[large, 1], [2, 3]], dtype=tn.uint64).tolist() == [[large, 1], [2, 3]]
    assert tn.tensor(large, dtype=tn.uint64).item() == large
