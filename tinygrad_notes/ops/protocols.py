"""What lets other libraries use a Tensor: NumPy's functions, the Array API namespace, DLPack.

`np.sin(tensor)` is `tn.sin(tensor)`: recorded, on its device. A NumPy function that we have no operation
for raises and names `.detach().numpy()`; none drops a gradient silently.
"""
import sys
from functools import cache

import numpy as np

from ..autograd import Tensor
from ..backend import as_device
from .inplace import recorded

__all__ = []

API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")

# NumPy's ufuncs that have another name here; all others are looked up by their own.
UFUNCS = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh", "conjugate": "conj", "degrees": "rad2deg",
    "fabs": "abs", "invert": "bitwise_invert", "left_shift": "bitwise_left_shift", "power": "pow", "radians": "deg2rad",
    "rint": "round", "right_shift": "bitwise_right_shift",
}
REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all",
              "logical_or": "any"}
ACCUMULATIONS = {"add": "cumulative_sum", "multiply": "cumulative_prod"}

# NumPy's other functions with their parameters: `x` goes by position, `x*` by keyword, `x*y` by keyword y,
# `x-` is not supported and must be left at its default. After `=` our name, if it is another.
FUNCTIONS = """
all(x, axis*, out-, keepdims*, where-)
amax(x, axis*, out-, keepdims*, initial-, where-)
amin(x, axis*, out-, keepdims*, initial-, where-)
angle(x, deg-)
any(x, axis*, out-, keepdims*, where-)
argmax(x, axis*, out-, keepdims*)
argmin(x, axis*, out-, keepdims*)
argsort(x, axis*, kind-, order-, stable-)
argwhere(x)
around(x, decimals*, out-) = round
array_split(x, indices, axis*)
astype(x, dtype, copy*, device*)
bincount(x, weights*, minlength*)
broadcast_to(x, shape, subok-)
clip(x, a_min*min, a_max*max, out-, min*, max*)
concatenate(x, axis*, out-, dtype-, casting-) = concat
copy(x, order-, subok-)
count_nonzero(x, axis*, keepdims*)
cross(x, y, axisa-, axisb-, axisc-, axis*)
cumprod(x, axis*, dtype*, out-)
cumsum(x, axis*, dtype*, out-)
cumulative_prod(x, axis*, dtype*, out-, include_initial*)
cumulative_sum(x, axis*, dtype*, out-, include_initial*)
diag(x, k*)
diagonal(x, offset*, axis1*, axis2*)
diff(x, n*, axis*, prepend*, append*)
dot(x, y, out-)
dstack(x, dtype-, casting-)
empty_like(x, dtype*, order-, subok-, shape-, device*)
expand_dims(x, axis*)
fix(x, out-)
flip(x, axis*)
full_like(x, fill_value, dtype*, order-, subok-, shape-, device*)
hstack(x, dtype-, casting-)
i0(x)
imag(x)
inner(x, y)
isclose(x, y, rtol*, atol*, equal_nan*)
isin(x, y, assume_unique-, invert*)
isneginf(x, out-)
isposinf(x, out-)
isreal(x)
kron(x, y)
matrix_transpose(x)
max(x, axis*, out-, keepdims*, initial-, where-)
mean(x, axis*, dtype*, out-, keepdims*, where-)
median(x, axis*, out-, overwrite_input-, keepdims*)
min(x, axis*, out-, keepdims*, initial-, where-)
moveaxis(x, source, destination)
nan_to_num(x, copy-, nan*, posinf*, neginf*)
nanmean(x, axis*, dtype-, out-, keepdims*, where-)
nansum(x, axis*, dtype*, out-, keepdims*, initial-, where-)
nonzero(x)
ones_like(x, dtype*, order-, subok-, shape-, device*)
outer(x, y, out-)
prod(x, axis*, dtype*, out-, keepdims*, initial-, where-)
quantile(x, q, axis*, out-, overwrite_input-, method*, keepdims*)
ravel(x, order-)
real(x)
repeat(x, repeats, axis*)
reshape(x, shape, order-, newshape-, copy*)
roll(x, shift, axis*)
rot90(x, k*, axes*)
round(x, decimals*, out-)
searchsorted(x, v, side*, sorter*)
sinc(x)
sort(x, axis*, kind-, order-, stable-)
split(x, indices, axis*)
squeeze(x, axis*)
stack(x, axis*, out-, dtype-, casting-)
std(x, axis*, dtype-, out-, ddof*correction, keepdims*, where-, mean-, correction*)
sum(x, axis*, dtype*, out-, keepdims*, initial-, where-)
swapaxes(x, axis1, axis2)
take_along_axis(x, indices, axis*)
tensordot(x, y, axes*)
tile(x, reps)
trace(x, offset*, axis1*, axis2*, dtype*, out-)
tril(x, k*)
triu(x, k*)
unique_all(x)
unique_counts(x)
unique_inverse(x)
unique_values(x)
unstack(x, axis*)
var(x, axis*, dtype-, out-, ddof*correction, keepdims*, where-, mean-, correction*)
vdot(x, y)
vstack(x, dtype-, casting-)
zeros_like(x, dtype*, order-, subok-, shape-, device*)
linalg.cholesky(x, upper*)
linalg.cross(x, y, axis*)
linalg.det(x)
linalg.diagonal(x, offset*)
linalg.eigh(x, UPLO-)
linalg.eigvalsh(x, UPLO-)
linalg.inv(x)
linalg.lstsq(x, y, rcond*)
linalg.matmul(x, y)
linalg.matrix_norm(x, keepdims*, ord*)
linalg.matrix_power(x, n)
linalg.matrix_rank(x, tol-, hermitian-, rtol*)
linalg.matrix_transpose(x)
linalg.outer(x, y)
linalg.pinv(x, rcond-, hermitian-, rtol*)
linalg.qr(x, mode*)
linalg.slogdet(x)
linalg.solve(x, y)
linalg.svd(x, full_matrices*, compute_uv-, hermitian-)
linalg.svdvals(x)
linalg.tensordot(x, y, axes*)
linalg.trace(x, offset*, dtype*)
linalg.vecdot(x, y, axis*)
linalg.vector_norm(x, axis*, keepdims*, ord*)
fft.fft(x, n*, axis*, norm*, out-)
fft.ifft(x, n*, axis*, norm*, out-)
fft.rfft(x, n*, axis*, norm*, out-)
fft.irfft(x, n*, axis*, norm*, out-)
fft.fftn(x, s*, axes*, norm*, out-)
fft.ifftn(x, s*, axes*, norm*, out-)
fft.rfftn(x, s*, axes*, norm*, out-)
fft.irfftn(x, s*, axes*, norm*, out-)
fft.hfft(x, n*, axis*, norm*, out-)
fft.ihfft(x, n*, axis*, norm*, out-)
fft.fftshift(x, axes*)
fft.ifftshift(x, axes*)
"""
_DEFAULTS = (None, "C", "K", "A", "raise", "same_kind", False)

# Functions whose axis None means all elements in one row, and the default of their axis.
FLAT = {"cumsum": None, "cumprod": None, "repeat": None, "sort": -1, "argsort": -1}

# What NumPy calls the parameters that go by position here.
OTHER_NAMES = frozenset(("a", "b", "m", "v", "arr", "ary", "array", "arrays", "tup", "element", "test_elements", "A",
                         "x1", "x2", "seq", "indices_or_sections"))

# Functions that answer with Python values about arrays: NumPy's own, on the host.
QUESTIONS = frozenset(("shape", "ndim", "size", "shares_memory", "may_share_memory", "iscomplexobj", "isrealobj",
                       "array_repr", "array_str", "array2string", "array_equal", "array_equiv", "allclose", "can_cast",
                       "result_type"))


def _ours(name):
    """The public function of a dotted name, or None."""
    found = sys.modules[__package__]
    for part in name.split("."):
        found = vars(found).get(part, None) if found is not None else None
    return found if callable(found) else None


@cache
def _signatures():
    """NumPy's name -> (our function's name, [(parameter, by keyword as, supported)])."""
    table = {}
    for line in FUNCTIONS.strip().splitlines():
        left, _, target = line.partition(" = ")
        name, _, rest = left.rstrip(")").partition("(")
        parameters = []
        for word in rest.split(", "):
            if word.endswith("-"):
                parameters.append((word[:-1], None, False))
            else:
                parameter, star, other = word.partition("*")
                parameters.append((parameter, (other or parameter) if star else None, True))
        table[name] = (target or name, parameters)
    return table


def _refuse(name, why="tinygrad_notes has no such operation"):
    return TypeError(f"np.{name} of a Tensor: {why}, and NumPy's result would have no gradient. "
                     "If that is what you want, pass x.detach().numpy()")


def _is_default(value):
    """Whether an argument that we do not support says nothing: compared by identity, it may be an array."""
    return value is np._NoValue or any(value is default for default in _DEFAULTS)


# NumPy's universal functions ---------------------------------------------------------
def array_ufunc(self, ufunc, method, *inputs, out=None, **options):
    """`np.add(x, y)` and its methods `reduce`, `accumulate`, `outer`, for inputs of which one is a Tensor."""
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    given = [key for key, value in options.items()
             if key not in ("axis", "keepdims", "dtype") and not _is_default(value) and value is not True]
    if given:
        raise _refuse(name, f"the argument {given[0]} is not supported")
    result = _apply_ufunc(ufunc.__name__, method, name, inputs, options)
    if out is None:
        return result
    return _write_out(name, out[0] if len(out) == 1 else None, result)


def _apply_ufunc(ufunc, method, name, inputs, options):
    axis, keepdims, dtype = options.get("axis", 0), bool(options.get("keepdims")), options.get("dtype")
    if method == "reduce" and ufunc in REDUCTIONS:
        more = {"dtype": dtype} if dtype is not None and ufunc in ("add", "multiply") else {}
        return _ours(REDUCTIONS[ufunc])(inputs[0], axis=axis, keepdims=keepdims, **more)
    if method == "accumulate" and ufunc in ACCUMULATIONS:
        return _ours(ACCUMULATIONS[ufunc])(inputs[0], axis=axis, dtype=dtype)
    if method not in ("__call__", "outer") or dtype is not None:
        raise _refuse(name, "the argument dtype is not supported" if dtype is not None else f"{name} is not supported")
    if ufunc == "divmod":
        return _ours("floor_divide")(*inputs), _ours("remainder")(*inputs)
    function = _ours(UFUNCS.get(ufunc, ufunc))
    if function is None:
        raise _refuse(name)
    if method == "outer":
        first, second = (x if isinstance(x, Tensor) else Tensor(x) for x in inputs)
        return function(first.reshape(first.shape + (1,) * second.ndim), second)
    if ufunc in ("matmul", "vecdot") and "axis" in options:
        return function(*inputs, axis=axis)
    return function(*inputs)


def _write_out(name, out, result):
    """Write an untracked result into an array that the caller owns."""
    if isinstance(out, Tensor):
        return out.copy_(result)
    if not isinstance(out, np.ndarray) or not isinstance(result, Tensor):
        raise _refuse(name, "the argument out is not supported here")
    if result.requires_grad:
        raise _refuse(name, "the result is to be written into a NumPy array")
    if not np.can_cast(result.dtype, out.dtype, "same_kind"):
        raise TypeError(f"np.{name}: the result is {result.dtype} and cannot be written into a {out.dtype} array")
    out[...] = result.device.to_numpy(result.data)
    return out


# NumPy's other functions ---------------------------------------------------------------
def array_function(self, function, types, args, kwargs):
    """`np.sum(x)`, `np.concatenate([x, y])` and all others that are no ufunc."""
    module = (getattr(function, "__module__", None) or "numpy").removeprefix("numpy").lstrip(".")
    name = f"{module}.{function.__name__}" if module in ("linalg", "fft") else function.__name__
    if name in QUESTIONS:
        return function(*_lowered(args), **_lowered(kwargs))
    if name in SPECIAL:
        return SPECIAL[name](*args, **kwargs)
    target, parameters = _signatures().get(name, (None, None))
    ours = target and _ours(target)
    if not ours:
        raise _refuse(name)
    if len(args) > len(parameters):
        raise _refuse(name, f"{len(args)} positional arguments are not supported")
    given = {parameter: value for (parameter, _, _), value in zip(parameters, args)}
    known = {parameter: (keyword, supported) for parameter, keyword, supported in parameters}
    by_name = {_alias(key, known, given): value for key, value in kwargs.items()}
    unknown = [key for key in by_name if key not in known]
    if unknown:
        raise _refuse(name, f"the argument {unknown[0]} is not supported")
    positional, keywords = [], {}
    for parameter, value in {**given, **by_name}.items():
        keyword, supported = known[parameter]
        if not supported:
            if not _is_default(value):
                raise _refuse(name, f"the argument {parameter} is not supported")
        elif keyword is None:
            positional.append(value)
        elif value is not np._NoValue:
            keywords[keyword] = value
    keywords = {key: value for key, value in keywords.items() if value is not None or key in ("axis", "min", "max")}
    if name in FLAT and keywords.get("axis", FLAT[name]) is None:
        positional[0], keywords["axis"] = _ours("ravel")(positional[0]), 0
    result = ours(*positional, **keywords)
    if module == "fft" and recorded(*positional) and not result.requires_grad:
        raise _refuse(name, "complex results carry no gradient")
    return result


def _alias(key, known, given):
    """The table's name for a parameter that NumPy calls `key`: arrays have many names there."""
    if key in known or key not in OTHER_NAMES:
        return key
    for parameter in known:
        if parameter not in given:
            given[parameter] = None
            return parameter
    return key


def _lowered(value):
    if isinstance(value, Tensor):
        return value.detach().numpy()
    if isinstance(value, (tuple, list)):
        return type(value)(_lowered(part) for part in value)
    if isinstance(value, dict):
        return {key: _lowered(part) for key, part in value.items()}
    return value


def _where(condition, x=None, y=None, /):
    if x is None and y is None:
        return _ours("nonzero")(condition)
    return _ours("where")(condition, x, y)


def _take(a, indices, axis=None, out=None, mode="raise"):
    if out is not None or mode != "raise":
        raise _refuse("take", "the arguments out and mode are not supported")
    return _ours("take")(_ours("ravel")(a) if axis is None else a, indices, axis=0 if axis is None else axis)


def _transpose(a, axes=None):
    return _ours("transpose")(a) if axes is None else _ours("permute_dims")(a, axes)


def _einsum(subscripts, *operands, out=None, optimize=False):
    if out is not None:
        raise _refuse("einsum", "the argument out is not supported")
    return _ours("einsum")(subscripts, *operands)


def _pad(array, pad_width, mode="constant", constant_values=0):
    return _ours("pad")(array, pad_width, mode, constant_values=constant_values)


def _ptp(a, axis=None, out=None, keepdims=False):
    if out is not None:
        raise _refuse("ptp", "the argument out is not supported")
    keepdims = keepdims is True
    return _ours("max")(a, axis=axis, keepdims=keepdims) - _ours("min")(a, axis=axis, keepdims=keepdims)


def _unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True):
    if axis is not None:
        raise _refuse("unique", "the argument axis is not supported")
    if equal_nan and ar.dtype.kind in "fc" and bool(_ours("isnan")(ar).any()):
        raise _refuse("unique", "it holds NaN, and equal_nan=True is not supported")
    every = _ours("unique_all")(ar)
    wanted = (True, return_index, return_inverse, return_counts)
    found = tuple(part for part, want in zip(every, wanted) if want)
    return found if len(found) > 1 else found[0]


def _several(name):
    def function(*arrays):
        return _ours(name)(*arrays)
    return function


def _meshgrid(*arrays, copy=True, sparse=False, indexing="xy"):
    if sparse:
        raise _refuse("meshgrid", "the argument sparse is not supported")
    return _ours("meshgrid")(*arrays, indexing=indexing)


def _norm(x, ord=None, axis=None, keepdims=False):
    linalg = sys.modules[__package__].linalg
    if ord is None:
        ord = 2
        axis = axis if axis is not None else tuple(range(x.ndim))
        return linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
    if isinstance(axis, tuple) and len(axis) == 2 or axis is None and x.ndim == 2:
        if axis is not None:
            x = _ours("moveaxis")(x, axis, (-2, -1))
        norm = linalg.matrix_norm(x, ord=ord)
        return _ours("expand_dims")(norm, axis=axis or (0, 1)) if keepdims else norm
    return linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


SPECIAL = {
    "where": _where, "take": _take, "transpose": _transpose, "permute_dims": _transpose, "einsum": _einsum, "pad": _pad,
    "ptp": _ptp, "unique": _unique, "meshgrid": _meshgrid, "linalg.norm": _norm,
    **{name: _several(name) for name in ("broadcast_arrays", "atleast_1d", "atleast_2d", "atleast_3d")},
}


def contains(self, value):
    """`value in x`: whether any element equals it."""
    return bool(_ours("any")(self == value))


# The Array API and DLPack -------------------------------------------------------------------
def array_namespace(self, *, api_version=None):
    """The module whose functions work on this tensor: `tinygrad_notes`.

    Raises:
        ValueError: the version of the standard is not supported.
    """
    if api_version is not None and api_version not in API_VERSIONS:
        raise ValueError(f"api_version: {api_version!r} is not supported; use one of {', '.join(API_VERSIONS)}")
    return sys.modules["tinygrad_notes"]


def to_device(self, device, /, *, stream=None):
    """The tensor on another device; itself if it is there."""
    if stream is not None:
        raise ValueError(f"to_device: stream is {stream!r}; streams are not supported")
    return self.to(device=as_device(device))


_DLPACK_EXT = 12  # kDLExtDev: memory that only its own library reads


def dlpack(self, *, stream=None, max_version=None, dl_device=None, copy=None):
    """The tensor as a DLPack capsule that shares its memory.

    Raises:
        BufferError: a gradient is wanted for the tensor, or its memory cannot be shared that way.
    """
    if self.requires_grad:
        raise BufferError("__dlpack__: this tensor requires a gradient, which would be lost; export x.detach()")
    array = self.data
    if self.device == "strict":
        if dl_device is None or tuple(dl_device)[0] != 1:
            raise BufferError("__dlpack__: the memory of device strict is not shared; move the tensor with .to('cpu')")
        array, copy = self.device.to_numpy(array), True if copy is None else copy
    return array.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


def dlpack_device(self):
    """(device type, device id) of DLPack: 1 for the CPU, 2 for CUDA."""
    return (_DLPACK_EXT, 0) if self.device == "strict" else self.data.__dlpack_device__()


def bind():
    """Give Tensor its protocols."""
    Tensor.__contains__ = contains
    Tensor.__array_ufunc__ = array_ufunc
    Tensor.__array_function__ = array_function
    Tensor.__array_namespace__ = array_namespace
    Tensor.__dlpack__ = dlpack
    Tensor.__dlpack_device__ = dlpack_device
    Tensor.to_device = to_device
