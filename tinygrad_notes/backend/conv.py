"""The kernels of convolution, and which way of computing it is taken. Nothing else in the package knows how.

x (N, C, *S), w (O, C / groups, *K), y (N, O, *out); `g` is the `Windows` that tells where they meet. Results on the CPU
are channels-last in memory: (N, C, *S) views of (N, *S, C), a layout that elementwise functions keep.
"""
import numpy as np

from . import conv_depthwise, conv_gemm, conv_groups, conv_tiles, windows
from .kernels import kernel

FAST = (np.float32, np.float64)  # data types with fast products; others are computed the plain way


def way(g, dtype):
    """The module whose functions suit these sizes best, and how many groups are joined before it is called."""
    if conv_depthwise.suits(g):
        return conv_depthwise, 1
    m = conv_groups.count(g)
    return conv_tiles if conv_tiles.suits(conv_groups.wider(g, m), dtype) else conv_gemm, m


def _prepared(*arrays):
    """The arrays in the data type to compute in, and that of the result; float16 is computed in float32."""
    dtype = np.result_type(*arrays)
    wide = np.dtype(np.float32) if dtype == np.float16 else dtype
    return [a.astype(wide, copy=False) for a in arrays], dtype


@kernel
def conv_forward(xp, x, w, b, g):
    """y[n, o, p] = b[o] + sum over c, t of w[o, c, t] x[n, c, p stride + t dilation - padding]; `b` may be None."""
    if not isinstance(x, np.ndarray):
        return windows.plain_forward(xp, x, w, b, g)
    given, dtype = _prepared(*(a for a in (x, w, b) if a is not None))
    if given[0].dtype not in FAST or not _any(g):
        return windows.plain_forward(xp, *given, *[None] * (3 - len(given)), g).astype(dtype, copy=False)
    x, w, b = (*given, None)[:3]
    found, m = way(g, x.dtype)
    if m > 1:
        w, g = conv_groups.joined(w, g, m), conv_groups.wider(g, m)
    return found.forward(x, w, b, g).astype(dtype, copy=False)


@kernel
def conv_to_input(xp, y, w, g):
    """The transpose of `conv_forward` in x."""
    if not isinstance(y, np.ndarray):
        return windows.plain_to_input(xp, y, w, g)
    (y, w), dtype = _prepared(y, w)
    if y.dtype not in FAST or not _any(g):
        return windows.plain_to_input(xp, y, w, g).astype(dtype, copy=False)
    found, m = way(g, y.dtype)
    if m > 1:
        w, g = conv_groups.joined(w, g, m), conv_groups.wider(g, m)
    if found is conv_tiles and not conv_tiles.suits_to_input(g):
        found = conv_gemm
    return found.to_input(y, w, g).astype(dtype, copy=False)


@kernel
def conv_to_weight(xp, x, y, g):
    """The transpose of `conv_forward` in w."""
    if not isinstance(x, np.ndarray):
        return windows.plain_to_weight(xp, x, y, g)
    (x, y), dtype = _prepared(x, y)
    if x.dtype not in FAST or not _any(g):
        return windows.plain_to_weight(xp, x, y, g).astype(dtype, copy=False)
    found, m = way(g, x.dtype)
    if m == 1:
        return found.to_weight(x, y, g).astype(dtype, copy=False)
    return conv_groups.parted(found.to_weight(x, y, conv_groups.wider(g, m)), g, m).astype(dtype, copy=False)


def _any(g):
    return g.batch and g.channels and g.outputs


@kernel(inline=True)
def channel_sum(xp, y):
    """(N, C, *S) -> (C,): first over each sample, then over the samples, which keeps rounding errors small."""
    if isinstance(y, np.ndarray) and (moved := np.moveaxis(y, 1, -1)).flags.c_contiguous and y.size:
        return moved.reshape(y.shape[0], -1, y.shape[1]).sum(1).sum(0)
    return xp.sum(y, axis=(0, *range(2, y.ndim)))
