"""How much arithmetic an operation is: one table, by operation where the count is known exactly, else by kind.

The convention: every addition, multiplication, division, comparison or elementary function (exp, tanh, ...) of one
element is one operation. So

- contractions count 2 for each product that is summed (a multiplication and an addition): `matmul` of (N, K) and (K, M)
  is 2 N K M, `linear` and `conv` count their offset in addition; exact;
- elementwise operations count 1 per element of the result, whatever the function; a fused one such as `gelu` too;
- reductions count 1 per element of the input; what passes several times over it (softmax, variance, normalization) is
  in the table; moving elements (views, gather, concat) counts 0; sorting n elements n log2 n comparisons;
- random numbers count 1 each; factorizations the leading term of their textbook count.

A multiply-add unit does 2 of these at once: halve the number for "MACs".
"""
from __future__ import annotations

import math
from math import prod
from typing import TYPE_CHECKING, Any

from ..autograd.plan import PRIMITIVES, Primitive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .program import Program, Scope

    Shape = tuple[int, ...]

__all__ = ["flops", "flops_of_scope"]


# Contractions -------------------------------------------------------------------------------------
def _einsum(inputs, outputs, attrs):
    sizes = {}
    for labels, shape in zip((attrs["xs"], attrs["ys"]), inputs):
        for label, n in zip(labels, shape):
            sizes[label] = max(n, sizes.get(label, 1))
    summed = set(sizes) - set(attrs["zs"])
    return (2 if summed else 1) * prod(sizes.values())


def _linear(inputs, outputs, attrs):
    x, w, b = (*inputs, None)[:3]
    return 2 * prod(outputs[0]) * x[-1] + (0 if b is None else prod(outputs[0]))


def _conv(inputs, outputs, attrs):
    out = prod(outputs[0])
    return 2 * out * prod(inputs[1][1:]) + (out if len(inputs) > 2 and inputs[2] is not None else 0)


def _conv_input(inputs, outputs, attrs):  # y (N, out, ...), w (out, in / groups, ...)
    return 2 * prod(inputs[0]) * prod(inputs[1][1:])


def _conv_weight(inputs, outputs, attrs):  # x (N, in, ...), y (N, out, ...) -> (out, in / groups, ...)
    return 2 * prod(inputs[1]) * prod(outputs[0][1:])


def _cdist(inputs, outputs, attrs):
    return (3 * inputs[0][-1] + 1) * prod(outputs[0])


def _sparse(inputs, outputs, attrs):
    return 2 * _entries(attrs) * prod(outputs[0][1:])


def _sparse_weight(inputs, outputs, attrs):  # x (M, D), y (N, D) -> one number per entry
    return 2 * _entries(attrs) * prod(inputs[0][1:])


def _entries(attrs):
    places = attrs["places"] if "places" in attrs else attrs["entries"].places
    return places.rows.shape[0]


def _scan(per_gate, *weights):
    """A recurrent layer: each of S rows meets the weights (inputs at these places) once; `per_gate` per element."""
    def count(inputs, outputs, attrs):
        met = sum(prod(inputs[k]) for k in weights if k < len(inputs) and inputs[k] is not None)
        return 2 * inputs[0][0] * met + per_gate * prod(inputs[0])
    return count


def _attention(inputs, outputs, attrs):
    (*lead, queries, width), keys, values = inputs[0], inputs[1][-2], inputs[2][-1]
    pairs = prod(lead) * queries * keys
    seen = 0.5 if attrs.get("causal") else 1
    return round(seen * pairs * (2 * width + 2 * values + 5))


def _attention_of_parts(inputs, outputs, attrs):  # query, key and value side by side: (3, ..., L, E)
    return _attention([inputs[0][1:]] * 3, outputs, attrs)


def _resample(inputs, outputs, attrs):
    """Two taps along each axis that changes its size."""
    return 4 * prod(outputs[0]) * sum(1 for resize in attrs["resizes"] if resize is not None)


# Reductions that pass several times, windows -----------------------------------------------------------
def _times(n):
    return lambda inputs, outputs, attrs: n * prod(inputs[0])


def _standardize(inputs, outputs, attrs):
    _, mean, _, weight, bias = inputs
    return prod(inputs[0]) * (1 + sum(part is not None for part in (mean, weight, bias)))


def _windows(inputs, outputs, attrs):
    return prod(outputs[0]) * prod([span.kernel for span in attrs["spans"]])


def _spread_windows(inputs, outputs, attrs):
    return prod(inputs[0]) * prod([span.kernel for span in attrs["spans"]])


def _sort(inputs, outputs, attrs):
    shape = inputs[0]
    n = shape[attrs.get("axis") or 0] if shape else 1
    return round(prod(shape) * math.log2(max(2, n)))


# Linear algebra: (..., m, n) matrices --------------------------------------------------------------------
def _matrices(leading):
    def count(inputs, outputs, attrs):
        *batch, m, n = inputs[0]
        columns = inputs[1][-1] if len(inputs) > 1 and inputs[1] is not None and len(inputs[1]) > 1 else 1
        return round(prod(batch) * leading(max(m, n), min(m, n), columns))
    return count


def _fourier(inputs, outputs, attrs):
    shape = max(inputs[0], outputs[0], key=prod)
    axes = (attrs["axis"],) if "axis" in attrs else attrs.get("axes") or range(len(shape))
    n = prod([shape[a] for a in axes])
    return round(5 * prod(shape) * math.log2(max(2, n)))


# Opaque operations that move elements without arithmetic. `checkpoint` is what runs inside it.
MOVES = frozenset(("checkpoint", "clone", "to_device", "concat", "stack", "tril", "triu", "astype", "astype_whole"))
_LU = _matrices(lambda m, n, k: 2 / 3 * n**3)
# Operations whose count is not that of their kind.
TABLE: dict[str, Callable[..., int]] = {
    "matmul": lambda inputs, outputs, attrs: 2 * prod(outputs[0]) * inputs[0][-1],
    "vecdot": lambda inputs, outputs, attrs: 2 * prod(outputs[0]) * inputs[0][attrs["axis"]],
    "einsum_pair": _einsum, "linear": _linear, "conv": _conv, "conv_bias": _conv, "conv_input": _conv_input,
    "conv_weight": _conv_weight, "cdist": _cdist, "cross": lambda inputs, outputs, attrs: 3 * prod(outputs[0]),
    "sparse_product": _sparse, "weighted_product": _sparse, "weighted_product_dx": _sparse,
    "weighted_product_dw": _sparse_weight,
    "rnn_scan": _scan(2, 2), "lstm_scan": _scan(4, 3, 4), "gru_scan": _scan(4, 2), "attention": _attention,
    "attention_of_parts": _attention_of_parts,
    "resample_axes": _resample, "resample_back": _resample,
    "var": _times(4), "std": _times(4), "moments": _times(4), "mean_of_squares": _times(2), "norm": _times(2),
    "softmax": _times(5), "log_softmax": _times(5), "logsumexp": _times(4), "normalized": _times(5),
    "segment_softmax": _times(5), "mean_square": _times(3), "standardize": _standardize, "standardize_pull": _times(8),
    "scale_channels": _times(2), "sums_of_channels": _times(3), "turn_pairs": _times(3), "linear_scan": _times(2),
    "difference": _times(1), "max_windows": _windows, "sum_windows": _windows, "window_values": _windows,
    "spread_windows": _spread_windows, "segment_sum": _times(1), "segment_extreme": _times(1), "bincount": _times(1),
    "fold_columns": _times(1), "put_windows": _times(1), "index_transpose": _times(1), "take_transpose": _times(1),
    "window_total": lambda inputs, outputs, attrs: prod(inputs[0]) * (attrs["before"] + attrs["after"]),
    "fft.fft": _fourier, "fft.ifft": _fourier, "fft.rfft": _fourier, "fft.irfft": _fourier, "fft.hfft": _fourier,
    "fft.ihfft": _fourier, "fft.fftn": _fourier, "fft.ifftn": _fourier,
    "det": _LU, "slogdet": _LU, "cofactor": _LU, "inv": _matrices(lambda m, n, k: 2 * n**3),
    "solve": _matrices(lambda m, n, k: 2 / 3 * n**3 + 2 * n * n * k),
    "solve_triangular": _matrices(lambda m, n, k: n * n * k), "cholesky": _matrices(lambda m, n, k: n**3 / 3),
    "qr": _matrices(lambda m, n, k: 2 * m * n * n - 2 / 3 * n**3),
    "svd": _matrices(lambda m, n, k: 14 * m * n * n + 8 * n**3),
    "svdvals": _matrices(lambda m, n, k: 4 * m * n * n - 4 / 3 * n**3),
    "pinv": _matrices(lambda m, n, k: 16 * m * n * n + 8 * n**3), "eigh": _matrices(lambda m, n, k: 9 * n**3),
    "eigvalsh": _matrices(lambda m, n, k: 4 / 3 * n**3), "eig": _matrices(lambda m, n, k: 25 * n**3),
    "eigvals": _matrices(lambda m, n, k: 10 * n**3), "matrix_exp": _matrices(lambda m, n, k: 20 * n**3),
}


def flops(primitive: Primitive | str, input_shapes: Sequence[Shape | None], output_shapes: Sequence[Shape],
          attrs: Mapping[str, Any] | None = None) -> int:
    """How many arithmetic operations a call of one operation is; see the top of this file for what counts.

    Args:
        primitive: the operation or its name; one that is unknown counts as elementwise.
        input_shapes: per input its shape; None for one that is left out.
        output_shapes: per output its shape.
        attrs: the keyword parameters.

    Returns:
        An int.

    Example:
        >>> from tinygrad_notes.program.flops import flops
        >>> flops("matmul", [(2, 3), (3, 4)], [(2, 4)]), flops("exp", [(5,)], [(5,)])
        (48, 5)
    """
    op = PRIMITIVES.get(primitive) if isinstance(primitive, str) else primitive
    name = op.name if op is not None else str(primitive)
    counted = TABLE.get(name)
    if counted is not None:
        return int(counted([None if s is None else tuple(s) for s in input_shapes], output_shapes, attrs or {}))
    kind = op.kind if op is not None else "elementwise"
    if kind in ("view", "gather") or name in MOVES:
        return 0
    if kind == "reduce":
        return sum(prod(shape) for shape in input_shapes[:1] if shape is not None)
    if kind == "sort":
        return _sort(input_shapes, output_shapes, attrs or {})
    if kind == "contraction":
        return 2 * max(prod(shape) for shape in (*input_shapes, *output_shapes) if shape is not None)
    return sum(prod(shape) for shape in output_shapes)


def flops_of_scope(program: Program, scope: Scope) -> int:
    """How many arithmetic operations one forward scope of a recorded computation is.

    Args:
        program: the computation.
        scope: of phase "forward".

    Returns:
        An int.
    """
    return flops(scope.name, [getattr(value, "shape", None) for value in scope.inputs],
                 [value.shape for value in scope.outputs if value is not None], scope.attrs)
