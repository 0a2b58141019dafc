"""A Tensor in the hands of NumPy, DLPack consumers, the Array API, copy and print."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.ops import protocols

X = np.array([[0.5, 0.25, 0.75], [0.125, 0.9, 0.3]])
on_cpu = pytest.mark.skipif(tn.current_device() != "cpu", reason="shares memory with the host")


def leaf(values=X):
    return tn.tensor(values, requires_grad=True)


def host(result):
    """The result with every Tensor as a NumPy array."""
    if isinstance(result, (tuple, list)):
        return [host(part) for part in result]
    return result.detach().numpy() if isinstance(result, tn.Tensor) else result


def tensors(result):
    return [t for part in result for t in tensors(part)] if isinstance(result, (tuple, list)) else [result]


DIFFERENTIABLE = {
    "sin": lambda x: np.sin(x),
    "arctan": lambda x: np.arctan(x),
    "power": lambda x: np.power(x, 3),
    "absolute": lambda x: np.absolute(x),
    "degrees": lambda x: np.degrees(x),
    "maximum": lambda x: np.maximum(x, 0.5),
    "divmod": lambda x: np.divmod(x, 0.2),
    "add.reduce": lambda x: np.add.reduce(x),
    "multiply.reduce": lambda x: np.multiply.reduce(x, axis=1),
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=None),
    "add.reduce keepdims": lambda x: np.add.reduce(x, axis=(0, 1), keepdims=True),
    "add.accumulate": lambda x: np.add.accumulate(x),
    "multiply.outer": lambda x: np.multiply.outer(x[0], x[1]),
    "matmul": lambda x: np.matmul(x, x.T),
    "sum": lambda x: np.sum(x, axis=0),
    "sum a=": lambda x: np.sum(a=x, keepdims=True),
    "mean": lambda x: np.mean(x, 1),
    "max": lambda x: np.max(x, axis=1),
    "min": lambda x: np.min(x),
    "prod": lambda x: np.prod(x),
    "var": lambda x: np.var(x, ddof=1),
    "std": lambda x: np.std(x, axis=1),
    "median": lambda x: np.median(x, axis=1),
    "ptp": lambda x: np.ptp(x, axis=0),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "cumsum flat": lambda x: np.cumsum(x),
    "cumprod": lambda x: np.cumprod(x, 0),
    "diff": lambda x: np.diff(x),
    "concatenate": lambda x: np.concatenate([x, x]),
    "concatenate axis": lambda x: np.concatenate((x, x), axis=1),
    "stack": lambda x: np.stack([x, x], axis=-1),
    "vstack": lambda x: np.vstack([x, x]),
    "hstack": lambda x: np.hstack([x, x]),
    "split": lambda x: np.split(x, 3, axis=1),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "ravel": lambda x: np.ravel(x),
    "transpose": lambda x: np.transpose(x),
    "transpose axes": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "squeeze": lambda x: np.squeeze(x[:, None]),
    "flip": lambda x: np.flip(x, 0),
    "roll": lambda x: np.roll(x, 1, axis=1),
    "tile": lambda x: np.tile(x, (2, 1)),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "repeat flat": lambda x: np.repeat(x, 2),
    "pad": lambda x: np.pad(x, 1),
    "pad value": lambda x: np.pad(x, ((0, 1), (1, 0)), constant_values=2.0),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3)),
    "clip": lambda x: np.clip(x, 0.2, 0.6),
    "clip one side": lambda x: np.clip(x, None, 0.6),
    "where": lambda x: np.where(x > 0.4, x, 0),
    "take": lambda x: np.take(x, [0, 2], axis=1),
    "take flat": lambda x: np.take(x, [0, 5, 5]),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[2], [0]]), 1),
    "sort": lambda x: np.sort(x),
    "sort flat": lambda x: np.sort(x, axis=None),
    "diagonal": lambda x: np.diagonal(x),
    "trace": lambda x: np.trace(x),
    "tril": lambda x: np.tril(x),
    "triu": lambda x: np.triu(x, 1),
    "dot": lambda x: np.dot(x, x.T),
    "inner": lambda x: np.inner(x, x),
    "outer": lambda x: np.outer(x[0], x[1]),
    "tensordot": lambda x: np.tensordot(x, x, axes=2),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "kron": lambda x: np.kron(x, x),
    "cross": lambda x: np.cross(x[0], x[1]),
    "nan_to_num": lambda x: np.nan_to_num(x),
    "real": lambda x: np.real(x),
    "sinc": lambda x: np.sinc(x),
    "meshgrid": lambda x: np.meshgrid(x[0], x[1]),
    "atleast_3d": lambda x: np.atleast_3d(x),
    "linalg.norm": lambda x: np.linalg.norm(x),
    "linalg.norm axis": lambda x: np.linalg.norm(x, axis=1),
    "linalg.norm ord": lambda x: np.linalg.norm(x, 1, axis=0),
    "linalg.norm matrix": lambda x: np.linalg.norm(x, "nuc"),
    "linalg.inv": lambda x: np.linalg.inv(x[:, :2]),
    "linalg.det": lambda x: np.linalg.det(x[:, :2]),
    "linalg.solve": lambda x: np.linalg.solve(x[:, :2], x),
    "linalg.svdvals": lambda x: np.linalg.svdvals(x),
    "copy": lambda x: np.copy(x),
    "astype": lambda x: np.astype(x, np.float32),
    "round": lambda x: np.round(x, 1),
    "around": lambda x: np.around(x),
    "rot90": lambda x: np.rot90(x),
}
PLAIN = {
    "argmax": lambda x: np.argmax(x, axis=1),
    "argsort": lambda x: np.argsort(x),
    "isnan": lambda x: np.isnan(x),
    "all": lambda x: np.all(x > 0),
    "any": lambda x: np.any(x > 1, axis=1),
    "nonzero": lambda x: np.nonzero(x > 0.4),
    "where condition": lambda x: np.where(x > 0.4),
    "count_nonzero": lambda x: np.count_nonzero(x),
    "unique": lambda x: np.unique(x),
    "unique counts": lambda x: np.unique(x, return_counts=True),
    "isin": lambda x: np.isin(x, [0.5]),
    "searchsorted": lambda x: np.searchsorted([0.2, 0.6], x),
    "greater": lambda x: np.greater(x, 0.4),
    "zeros_like": lambda x: np.zeros_like(x),
    "isclose": lambda x: np.isclose(x, 0.5),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_numpy_function_is_recorded(name):
    function = DIFFERENTIABLE[name]
    x = leaf()
    result, expected = function(x), function(X)
    assert all(type(t) is tn.Tensor and t.requires_grad and t.device == x.device for t in tensors(result)), result
    for found, want in zip(tensors(host(result)), tensors(expected)):
        np.testing.assert_allclose(found, want, rtol=1e-12 if want.dtype == np.float64 else 1e-6)


@pytest.mark.parametrize("name", PLAIN)
def test_numpy_function_without_gradient(name):
    result, expected = PLAIN[name](leaf()), PLAIN[name](X)
    for t, want in zip(tensors(result), tensors(expected)):
        assert type(t) is tn.Tensor
        np.testing.assert_array_equal(host(t), want)


def test_gradient_through_numpy():
    x = leaf()
    np.sum(np.concatenate([np.sin(x), np.square(x)]) * 2.0).backward()
    np.testing.assert_allclose(x.grad.tolist(), 2 * np.cos(X) + 4 * X)


@on_cpu
def test_array_meets_tensor():
    x = leaf()
    for result in (X + x, X * x, X @ x.T, X - x, X / x, X**x, np.add(X, x), np.float64(2) * x, X[0, 0] + x):
        assert type(result) is tn.Tensor and result.requires_grad
    np.testing.assert_allclose(host(X - x), 0.0)
    np.testing.assert_allclose(host(np.float64(2) * x), 2 * X)
    assert np.greater(X, x).tolist() == [[False] * 3] * 2
    assert np.array_equal(X, x) and np.allclose(x, X) and np.shape(x) == (2, 3) and np.ndim(x) == 2


REFUSED = {
    "spacing": lambda x: np.spacing(x),
    "histogram": lambda x: np.histogram(x),
    "interp": lambda x: np.interp(x, [0], [1]),
    "sum where": lambda x: np.sum(x, where=X > 0.4),
    "sum initial": lambda x: np.sum(x, initial=2.0),
    "add where": lambda x: np.add(x, x, where=X > 0.4),
    "sin dtype": lambda x: np.sin(x, dtype=np.float32),
    "add.at": lambda x: np.add.at(x, 0, 1),
    "add.reduceat": lambda x: np.add.reduceat(x, [0]),
    "subtract.reduce": lambda x: np.subtract.reduce(x),
    "save": lambda x: np.save("/dev/null", x),
    "out": lambda x: np.sin(x, out=np.zeros((2, 3))),
    "einsum out": lambda x: np.einsum("ij->i", x, out=np.zeros(2)),
    "unique axis": lambda x: np.unique(x, axis=0),
    "unique nan": lambda x: np.unique(x * np.nan),
    "sparse": lambda x: np.meshgrid(x[0], sparse=True),
    "mode": lambda x: np.take(x, [9], mode="wrap"),
    "order": lambda x: np.reshape(x, (3, 2), order="F"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_we_lack_is_refused_by_name(name):
    with pytest.raises(
        TypeError,
        match=r"np\."
        + name.split()[0]
        .replace("out", "sin")
        .replace("sparse", "meshgrid")
        .replace("mode", "take")
        .replace("order", "reshape")
        + r".*\.detach\(\)\.numpy\(\)",
    ):
        REFUSED[name](leaf())


def test_every_ufunc_is_ours_or_refused():
    works = 0
    for name in sorted(n for n in dir(np) if isinstance(getattr(np, n), np.ufunc)):
        ufunc = getattr(np, name)
        arrays = [X[:2, :2]] * ufunc.nin
        tried = [tn.tensor(a) for a in arrays]
        try:
            with np.errstate(all="ignore"):
                expected = ufunc(*arrays)
        except TypeError:  # integers or dates alone
            arrays = [np.array([[5, 3], [2, 7]])] * ufunc.nin
            tried = [tn.tensor(a) for a in arrays]
            try:
                expected = ufunc(*arrays)
            except TypeError:
                continue
        try:
            with np.errstate(all="ignore"):
                result = ufunc(*tried)
        except TypeError as error:
            assert "detach().numpy()" in str(error), f"{name}: {error}"
            continue
        works += 1
        for found, want in zip(tensors(host(result)), tensors(expected)):
            np.testing.assert_allclose(found, want, rtol=1e-12, err_msg=name)
    assert works > 75


def test_every_line_of_the_table_exists():
    for name, (target, parameters) in protocols._signatures().items():
        found = np
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is not None:
            assert callable(found) and protocols._ours(target), name
            assert len({p for p, _, _ in parameters}) == len(parameters)


@on_cpu
def test_writing_into_a_numpy_array():
    total = np.zeros((2, 3))
    total += tn.tensor(X)
    np.testing.assert_array_equal(total, X)
    with pytest.raises(TypeError, match="np.add.*NumPy array"):
        total += leaf()
    np.testing.assert_array_equal(total, X)
    with pytest.raises(TypeError, match="int64"):
        np.add(tn.tensor(X), 1, out=np.zeros((2, 3), dtype=np.int64))


# Out of the graph ---------------------------------------------------------------------
def test_asarray_is_detached():
    x = leaf()
    assert type(np.asarray(x)) is np.ndarray
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    assert np.array(x, copy=True).flags.writeable
    with pytest.raises(ValueError, match="copy=False"):
        x.__array__(np.float32, copy=False)


@on_cpu
def test_dlpack_shares_memory():
    x = tn.tensor(X)
    view = np.from_dlpack(x)
    x[0, 0] = 7.0
    assert view[0, 0] == 7.0
    source = np.arange(4.0)
    y = tn.from_dlpack(source)
    source[0] = 9.0
    assert y[0].item() == 9.0
    assert x.__dlpack_device__() == (1, 0)


@on_cpu
def test_dlpack_with_torch():
    torch = pytest.importorskip("torch")
    x = tn.tensor(X)
    theirs = torch.from_dlpack(x)
    theirs[0, 0] = 5.0
    assert x[0, 0].item() == 5.0
    back = tn.from_dlpack(theirs)
    assert back.dtype == tn.float64 and back.shape == (2, 3)


def test_dlpack_refuses_to_drop_a_gradient():
    with pytest.raises(BufferError, match="requires a gradient.*detach"):
        leaf().__dlpack__()


def test_dlpack_of_the_strict_device():
    x = tn.tensor(X, device="strict")
    with pytest.raises(BufferError, match="strict"):
        x.__dlpack__()
    assert x.__dlpack_device__() == (12, 0)
    np.testing.assert_array_equal(np.from_dlpack(x, device="cpu"), X)


def test_array_namespace():
    x = leaf()
    assert x.__array_namespace__() is tn and x.__array_namespace__(api_version="2024.12") is tn
    with pytest.raises(ValueError, match="2019.*2024.12"):
        x.__array_namespace__(api_version="2019")
    info = tn.__array_namespace_info__()
    assert info.default_dtypes()["real floating"] == tn.float32
    assert set(info.dtypes(kind="bool")) == {"bool"} and "complex64" in info.dtypes(kind=("complex floating", "bool"))
    assert "cpu" in info.devices() and info.default_device() == tn.current_device()
    assert info.capabilities()["boolean indexing"] is True
    with pytest.raises(ValueError, match="kind"):
        info.dtypes(kind="text")
    assert x.to_device("cpu").device == "cpu" and (tn.pi, tn.newaxis) == (np.pi, None)


# Python's own protocols ------------------------------------------------------------------
def test_copy_and_deepcopy():
    x = leaf()
    x.grad = tn.ones((2, 3), dtype=tn.float64)
    deep = copy.deepcopy(x)
    assert deep.is_leaf and deep.requires_grad and deep is not x
    deep.grad.zero_()
    with tn.no_grad():
        deep[0, 0] = 9.0
    assert x[0, 0].item() == 0.5 and x.grad[0, 0].item() == 1.0
    shallow = copy.copy(x)
    with tn.no_grad():
        shallow[0, 0] = 3.0
    assert x[0, 0].item() == 3.0 and shallow.requires_grad and shallow.is_leaf
    with pytest.raises(RuntimeError, match="detach"):
        copy.deepcopy(x * 2)


def test_pickling_is_refused():
    with pytest.raises(TypeError, match="save"):
        pickle.dumps(leaf())


def test_python_values():
    x = tn.tensor([1.5, -2.0])
    assert float(x[0]) == 1.5 and int(x[1]) == -2 and bool(x[0]) and complex(x[0]) == 1.5
    assert f"{x[0]:.2f}" == "1.50" and f"{x}" == repr(x)
    assert x.tolist() == [1.5, -2.0] and [float(v) for v in x] == [1.5, -2.0] and len(x) == 2
    assert 1.5 in x and 7 not in x and 2 in tn.arange(6).reshape(2, 3)
    assert [10, 20, 30][tn.tensor(1)] == 20
    assert len({x, x, tn.tensor([1.5, -2.0])}) == 2
    for wrong in (lambda: bool(x), lambda: float(x), lambda: len(x[0]), lambda: iter(x[0]), lambda: [1][x[0]]):
        with pytest.raises(TypeError):
            wrong()
    assert (x == None) is False and (x != None) is True  # noqa: E711
    assert (x == tn.tensor([1.5, 0.0])).tolist() == [True, False]


VALUES = [
    np.array(3.0),
    np.array(3.14159),
    np.array(7),
    np.array(True),
    np.arange(5),
    np.array([1.0, 2.5, -3.0]),
    np.array([1.0, 2.0, -30.0]),
    np.array([1.0, np.inf, np.nan]),
    np.array([0.0, 0.0]),
    np.array([1e-5, 1.0]),
    np.array([1e5, 1.0]),
    np.array([1e9]),
    np.array([1e-3, 0.5]),
    np.linspace(-2, 2, 24).reshape(2, 3, 4),
    np.arange(2000).reshape(40, 50),
    np.linspace(-1, 1, 24000).reshape(20, 30, 40),
    np.linspace(0, 1, 26),
    np.array([1 + 2j, -0.5 - 1j]),
    np.zeros((2, 0)),
    np.array([]),
    np.array([True, False]),
    np.arange(1001),
    np.array([-0.0, 1.0]),
    np.array([[1000000, 1], [2, 3]]),
    np.array([1.5, 1e-5]),
    np.full((3, 300), 0.5),
]


@pytest.mark.parametrize("array", VALUES, ids=lambda a: f"{a.dtype}{a.shape}")
def test_values_read_as_in_torch(array):
    torch = pytest.importorskip("torch")
    array = array.astype({"f": np.float32, "c": np.complex64}.get(array.dtype.kind, array.dtype))
    assert repr(tn.tensor(array, device="cpu")) == repr(torch.tensor(array))


def test_repr_says_what_is_not_the_default():
    assert repr(tn.tensor([1.0, 2.5], device="cpu")) == "tensor([1.0000, 2.5000])"
    x = tn.tensor([1.0, 2.5], dtype=tn.float64, device="cpu", requires_grad=True)
    assert repr(x) == "tensor([1.0000, 2.5000], dtype=float64, requires_grad=True)"
    assert repr(tn.sin(x)) == "tensor([0.8415, 0.5985], dtype=float64, grad_fn=<sin>)"
    assert repr(tn.tensor([1, 2], dtype=tn.int8, device="strict")) == "tensor([1, 2], dtype=int8, device='strict')"
    assert repr(tn.zeros((0, 3), device="cpu")) == "tensor([], size=(0, 3))"
    wide = tn.tensor(np.linspace(0, 1, 8), device="cpu", requires_grad=True)
    assert repr(wide).splitlines()[-1] == "       dtype=float64, requires_grad=True)"
