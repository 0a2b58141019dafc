"""PyTorch's words for the functions of `fft` and `linalg`: `dim`, `keepdim`, `atol`, `driver` and further positions."""
from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor
from ..ops.axes import one_axis
from .words import spelled

if TYPE_CHECKING:
    from collections.abc import Callable

DRIVERS = (None, "gels", "gelsy", "gelsd", "gelss")


def relative(x: Any, atol: Any, rtol: Any) -> Any:
    """What two tolerances come to, relative to the largest singular value: max(atol, rtol s_1) / s_1."""
    if atol is None or not x.size:
        return rtol
    largest = ops.max(ops.linalg.svdvals(x.detach()), axis=-1)
    absolute = ops.where(largest > 0, as_tensor(atol, like=x) / ops.where(largest > 0, largest, 1), 0)
    return absolute if rtol is None else ops.maximum(absolute, rtol)


def symmetric(x: Any) -> Any:
    """The symmetric matrix whose lower triangle is that of `x`."""
    lower = ops.tril(x, k=-1)
    return ops.tril(x) + ops.matrix_transpose(lower)


def _tolerant(name: str) -> Callable[..., Any]:
    plain = getattr(ops.linalg, name)

    @functools.wraps(plain)
    def call(x: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None,
             tol: Any = None) -> Any:
        x = as_tensor(x)
        if name == "matrix_rank" and rcond is not None:  # there it is the second position, and absolute
            atol, rcond = rcond, None
        atol = tol if atol is None else atol
        rtol = relative(x, atol, rcond if rtol is None else rtol)
        if name == "pinv":
            return plain(x, rtol=rtol, hermitian=hermitian)
        return plain(symmetric(x) if hermitian else x, rtol=rtol)
    return call


def _lstsq(a: Any, b: Any, rcond: Any = None, *, rtol: Any = None, driver: str | None = None) -> Any:
    if driver not in DRIVERS:
        raise ValueError(f"lstsq: driver: expected one of {', '.join(map(repr, DRIVERS))}, got {driver!r}")
    return PLAIN["lstsq"](a, b, rtol=rcond if rtol is None else rtol)


def _diagonal(x: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    x = as_tensor(x)
    if (dim1, dim2) == (-2, -1):
        return PLAIN["diagonal"](x, offset=offset)
    return ops.diagonal(x, offset, one_axis("diagonal", dim1, x.ndim), one_axis("diagonal", dim2, x.ndim))


PLAIN = {name: getattr(ops.linalg, name) for name in ("lstsq", "diagonal")}


def bind() -> None:
    """Let the functions of `fft` and `linalg` understand PyTorch's words."""
    one, several = {"dim": "axis"}, {"dim": "axes"}
    for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
        setattr(ops.fft, name, spelled(getattr(ops.fft, name), one))
    for name in ("fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2", "fftshift", "ifftshift"):
        if hasattr(ops.fft, name):
            setattr(ops.fft, name, spelled(getattr(ops.fft, name), several))
    both = {"dim": "axis", "keepdim": "keepdims"}
    for name in ("norm", "vector_norm", "cross", "vecdot"):
        setattr(ops.linalg, name, spelled(getattr(ops.linalg, name), both))
    ops.linalg.matrix_norm = spelled(ops.linalg.matrix_norm, both, ("ord", "axis", "keepdims"))
    ops.linalg.tensorsolve = spelled(ops.linalg.tensorsolve, {"dims": "axes"}, ("axes",))
    ops.linalg.pinv, ops.linalg.matrix_rank = _tolerant("pinv"), _tolerant("matrix_rank")
    ops.linalg.lstsq = functools.wraps(PLAIN["lstsq"])(_lstsq)
    ops.linalg.diagonal = functools.wraps(PLAIN["diagonal"])(_diagonal)
