"""Discrete Fourier transforms: the `fft` extension of the Array API standard 2024.12.

Results are complex, and gradients belong to real dtypes: the transforms have no rule, and a backward pass
that meets one raises. The shifts, which only move elements, have theirs.
"""
import numpy as np

from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor, to_array
from ..backend import as_device, to_dtype
from .arrange import roll

__all__ = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2",
           "rfft2", "irfft2", "fftfreq", "rfftfreq", "fftshift", "ifftshift"]

_NORMS = ("backward", "ortho", "forward")
_REAL_INPUT = ("rfft", "rfftn", "ihfft")


def _define(name):
    """The operation for NumPy's function of this name."""
    if name.endswith("n"):
        def forward(xp, x, *, s, axes, norm):
            return getattr(xp.fft, name)(x, s=s, axes=axes, norm=norm)
    else:
        def forward(xp, x, *, n, axis, norm):
            return getattr(xp.fft, name)(x, n=n, axis=axis, norm=norm)
    return primitive(f"fft.{name}", forward, kind="linalg")


_OPERATIONS = {name: _define(name) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft",
                                                "fftn", "ifftn", "rfftn", "irfftn")}


def _input(name, x, norm):
    """`x` as a Tensor of a dtype that the transform takes."""
    from .dtype import astype
    if norm not in _NORMS:
        raise ValueError(f"{name}: norm: expected 'backward', 'ortho' or 'forward', got {norm!r}")
    x = as_tensor(x)
    if x.ndim == 0:
        raise ValueError(f"{name}: x: expected at least one axis, got shape ()")
    if name in _REAL_INPUT and x.dtype.kind == "c":
        raise TypeError(f"{name}: x: expected real numbers, got {x.dtype}")
    return x if x.dtype.kind in "fc" and x.dtype.itemsize > 2 else astype(x, "float32")


def _one(name, x, n, axis, norm):
    x = _input(name, x, norm)
    if not -x.ndim <= axis < x.ndim:
        raise IndexError(f"{name}: axis {axis} is out of range for a tensor with {x.ndim} axes")
    length = n if n is not None else 2 * (x.shape[axis] - 1) if name in ("irfft", "hfft") else x.shape[axis]
    if length < 1:
        raise ValueError(f"{name}: n: expected at least one point, got {length} (shape {x.shape}, axis {axis})")
    return _OPERATIONS[name](x, n=int(length), axis=int(axis), norm=norm)


def _several(name, x, s, axes, norm):
    x = _input(name, x, norm)
    s, axes = ((value,) if isinstance(value, int) else value for value in (s, axes))
    if axes is None:
        axes = tuple(range(x.ndim)) if s is None else tuple(range(x.ndim - len(s), x.ndim))
    if any(not -x.ndim <= a < x.ndim for a in axes):
        raise IndexError(f"{name}: axes {tuple(axes)} for a tensor with {x.ndim} axes")
    axes = tuple([int(a) % x.ndim for a in axes])
    if s is None:
        s = [x.shape[a] for a in axes]
        if name == "irfftn" and s:
            s[-1] = 2 * (s[-1] - 1)
    if len(s) != len(axes) or len(set(axes)) != len(axes):
        raise ValueError(f"{name}: expected one size for each of distinct axes, got s={tuple(s)} and axes={axes}")
    if any(n < 1 for n in s):
        raise ValueError(f"{name}: s: expected at least one point along every axis, got {tuple(s)} (shape {x.shape})")
    return _OPERATIONS[name](x, s=tuple([int(n) for n in s]), axes=axes, norm=norm)


# One axis -------------------------------------------------------------------------
_DOC_ONE = """{title}

    Formula: {formula}

    Args:
        x: {dtype} tensor of at least one axis; integers become float32.
        n: number of points {points}: `x` is cut or padded with zeros at the end; default {default}.
        axis: the axis along which to transform.
        norm: where the factor 1/n stands: 'backward' (the inverse), 'forward', or 'ortho' (1/sqrt(n) in both).

    Returns:
        A {result} Tensor, along `axis` of size {size}; it carries no gradient.

    Raises:
        ValueError: `norm` is unknown, or there is no point.
        IndexError: there is no such axis.

    Source: Array API standard 2024.12, fft.{name}.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.fft.{name}(tn.tensor([1., 2., 0., 0.])).shape
        ({length},)
    """

_FORWARD = "out[k] = sum_j x[j] exp(-2 pi i j k / n)"
_INVERSE = "out[j] = 1/n sum_k x[k] exp(2 pi i j k / n)"
_ANY = "floating or complex"
_ONE = {
    "fft": ("The discrete Fourier transform.", _FORWARD, _ANY, "along the axis", "all", "complex", "n", 4),
    "ifft": ("The inverse of `fft`.", _INVERSE, _ANY, "along the axis", "all", "complex", "n", 4),
    "rfft": ("The discrete Fourier transform of real numbers: the half that is not redundant.",
             _FORWARD + ", k = 0 ... n // 2", "floating", "along the axis", "all", "complex", "n // 2 + 1", 3),
    "irfft": ("The inverse of `rfft`.", _INVERSE + ", with x[n - k] = conj(x[k])", _ANY, "of the result",
              "2 * (size - 1)", "floating", "n", 6),
    "hfft": ("The discrete Fourier transform of numbers with x[n - k] = conj(x[k]): real.", _FORWARD,
             _ANY, "of the result", "2 * (size - 1)", "floating", "n", 6),
    "ihfft": ("The inverse of `hfft`.", _INVERSE + ", k = 0 ... n // 2", "floating", "along the axis", "all", "complex",
              "n // 2 + 1", 3),
}


def _make_one(name):
    def transform(x, /, *, n=None, axis=-1, norm="backward"):
        return _one(name, x, n, axis, norm)
    words = ("title", "formula", "dtype", "points", "default", "result", "size", "length")
    transform.__doc__ = _DOC_ONE.format(name=name, **dict(zip(words, _ONE[name])))
    transform.__name__ = transform.__qualname__ = name
    return transform


fft, ifft, rfft, irfft, hfft, ihfft = (_make_one(name) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"))


# Several axes ---------------------------------------------------------------------
_DOC_SEVERAL = """{title}

    Formula: `{one}` along every axis{order}

    Args:
        x: {dtype} tensor of at least one axis; integers become float32.
        s: number of points along every axis, ints; default all of `x`{but}.
        axes: the axes, ints; default {axes}.
        norm: as in `{one}`.

    Returns:
        A {result} Tensor; it carries no gradient.

    Raises:
        ValueError: `norm` is unknown, `s` and `axes` have different lengths, or there is no point.
        IndexError: there is no such axis.

    Source: {source}

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.fft.{name}(tn.ones((4, 4))).shape
        {shape}
    """

_HALF = ", `fft` along all but the last"
_BUT = ", 2 * (size - 1) along the last axis"
_SEVERAL = {
    "fftn": ("The discrete Fourier transform along several axes.", "fft", "", _ANY, "", "complex", "(4, 4)"),
    "ifftn": ("The inverse of `fftn`.", "ifft", "", _ANY, "", "complex", "(4, 4)"),
    "rfftn": ("The discrete Fourier transform of real numbers along several axes.", "rfft", _HALF, "floating", "",
              "complex", "(4, 3)"),
    "irfftn": ("The inverse of `rfftn`.", "irfft", _HALF.replace("fft", "ifft"), _ANY, _BUT, "floating", "(4, 6)"),
}


def _make_several(name, two):
    public = name[:-1] + "2" if two else name
    if two:
        def transform(x, /, *, s=None, axes=(-2, -1), norm="backward"):
            return _several(name, x, s, axes, norm)
    else:
        def transform(x, /, *, s=None, axes=None, norm="backward"):
            return _several(name, x, s, axes, norm)
    words = ("title", "one", "order", "dtype", "but", "result", "shape")
    fields = dict(zip(words, _SEVERAL[name]), name=public, axes="the last two" if two else "all, or the last len(s)",
                  source=f"NumPy, fft.{public}." if two else f"Array API standard 2024.12, fft.{name}.")
    if two:
        fields["title"] = fields["title"].replace("several axes", "two axes").replace("n`", "2`")
    transform.__doc__ = _DOC_SEVERAL.format(**fields)
    transform.__name__ = transform.__qualname__ = public
    return transform


fftn, ifftn, rfftn, irfftn = (_make_several(name, False) for name in _SEVERAL)
fft2, ifft2, rfft2, irfft2 = (_make_several(name, True) for name in _SEVERAL)


# Frequencies ------------------------------------------------------------------------
def _frequencies(name, n, d, dtype, device):
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{name}: n: expected an int of at least 1, got {n!r}")
    dtype = to_dtype(dtype) or np.dtype("float32")
    if dtype.kind != "f":
        raise TypeError(f"{name}: dtype: expected a floating dtype, got {dtype}")
    host = getattr(np.fft, name)(int(n), d=d).astype(dtype)
    return Tensor.wrap(to_array(host, None, as_device(device)))


def fftfreq(n, /, *, d=1.0, dtype=None, device=None):
    """The frequencies of the elements of `fft`.

    Formula: out = [0, 1, ..., (n - 1) // 2, -(n // 2), ..., -1] / (d * n)

    Args:
        n: number of points.
        d: distance of two samples; the frequencies are per unit of `d`.
        dtype: floating, default float32.
        device: where the result lives.

    Returns:
        A Tensor (n,).

    Raises:
        ValueError: `n` is no positive int.
        TypeError: `dtype` is not floating.

    Source: Array API standard 2024.12, fft.fftfreq.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.fft.fftfreq(4)
        tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    return _frequencies("fftfreq", n, d, dtype, device)


def rfftfreq(n, /, *, d=1.0, dtype=None, device=None):
    """The frequencies of the elements of `rfft`.

    Formula: out = [0, 1, ..., n // 2] / (d * n)

    Args:
        n: number of points.
        d: distance of two samples; the frequencies are per unit of `d`.
        dtype: floating, default float32.
        device: where the result lives.

    Returns:
        A Tensor (n // 2 + 1,).

    Raises:
        ValueError: `n` is no positive int.
        TypeError: `dtype` is not floating.

    Source: Array API standard 2024.12, fft.rfftfreq.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.fft.rfftfreq(4)
        tensor([0.0000, 0.2500, 0.5000])
    """
    return _frequencies("rfftfreq", n, d, dtype, device)


def _shifted(name, x, axes, sign):
    x = as_tensor(x)
    axes = tuple(range(x.ndim)) if axes is None else axes if isinstance(axes, (tuple, list)) else (axes,)
    if any(not -x.ndim <= a < x.ndim for a in axes):
        raise IndexError(f"{name}: axes {tuple(axes)} for a tensor with {x.ndim} axes")
    if not axes:
        return x
    return roll(x, tuple([x.shape[a] // 2 if sign > 0 else -(x.shape[a] // 2) for a in axes]), axis=tuple(axes))


def fftshift(x, /, *, axes=None):
    """Frequency zero moved to the middle.

    Formula: out[(k + n // 2) mod n] = x[k]

    Args:
        x: any dtype.
        axes: int or ints; default all.

    Returns:
        A Tensor of the same shape.

    Raises:
        IndexError: there is no such axis.

    Source: Array API standard 2024.12, fft.fftshift.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.fft.fftshift(tn.tensor([0., 1., -2., -1.]))
        tensor([-2., -1.,  0.,  1.])
    """
    return _shifted("fftshift", x, axes, 1)


def ifftshift(x, /, *, axes=None):
    """The inverse of `fftshift`.

    Formula: out[k] = x[(k + n // 2) mod n]

    Args:
        x: any dtype.
        axes: int or ints; default all.

    Returns:
        A Tensor of the same shape.

    Raises:
        IndexError: there is no such axis.

    Source: Array API standard 2024.12, fft.ifftshift.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.fft.ifftshift(tn.tensor([-2., -1., 0., 1.]))
        tensor([ 0.,  1., -2., -1.])
    """
    return _shifted("ifftshift", x, axes, -1)
