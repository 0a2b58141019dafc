"""Array functions that are no functions of single elements, as ONNX nodes: one form for each, by its name.

A form gets the graph `g`, the instruction `i` and the arguments of the array function, arrays as values; it returns the
name of its result, or a list of names. `None`: this call has no form.

    N batch   C channels   S sizes of an image   K sizes of a kernel
"""
from math import prod

import numpy as np

from ...backend import as_device
from .elementwise import operand
from .sizes import Size

FORMS: dict = {}


def form(function):
    """Register a form under its name (without a trailing underscore)."""
    FORMS[function.__name__.rstrip("_")] = function
    return function


# Views and copies -----------------------------------------------------------------------
@form
def cast(g, i, x, dtype=None):
    return g.cast(x, i.outputs[0].dtype)


@form
def reshape(g, i, x, shape=None):
    return g.reshape(x, i.outputs[0].shape)


@form
def permute(g, i, x, axes):
    return g.node("Transpose", x, perm=list(axes))


@form
def broadcast(g, i, x, shape):
    return g.node("Expand", x, g.sizes(shape))


@form
def slice_(g, i, x, starts, stops, steps):
    return g.slice(x, starts, stops, steps, x.shape)


@form
def full(g, i, shape, value, dtype=None):
    return g.node("Expand", g.number(value, i.outputs[0].dtype), g.sizes(shape))


def _filled(value):
    def apply(g, i, *args, **kwargs):
        out = i.outputs[0]
        return g.node("Expand", g.number(args[1] if value is None else value, out.dtype), g.sizes(out.shape))
    return apply


for _name, _value in (("empty_like", 0), ("zeros_like", 0), ("ones_like", 1), ("full_like", None)):
    FORMS[_name] = _filled(_value)


@form
def concat(g, i, *parts, axis):
    return g.node("Concat", *parts, axis=axis)


@form
def write(g, i, x, part, starts, stops, steps):
    """What is left of `x` before and behind the slice, axis by axis, around the part."""
    shape = x.shape
    if any(step != 1 for step in steps):
        if any(isinstance(n, Size) for n in (*shape, *starts, *stops, *steps)):
            return None
        grid = np.meshgrid(*[np.arange(*t) for t in zip(starts, stops, steps)], indexing="ij")
        return g.node("ScatterND", x, g.constant(np.stack(grid, axis=-1), np.int64), part)
    whole = g.name(x)

    def around(rest, axis):
        """`rest` is `x` cut to the slice along all axes before `axis`."""
        if axis == len(shape):
            return g.name(part)
        start, stop, n = starts[axis], stops[axis], shape[axis]
        if start == 0 and stop == n:
            return around(rest, axis + 1)

        def cut(a, b):
            ends = g.size(b) if b != n else g.constant([np.iinfo(np.int64).max], np.int64)
            return g.node("Slice", rest, g.size(a), ends, g.constant([axis], np.int64))
        middle = around(cut(start, stop), axis + 1)
        pieces = ([cut(0, start)] if start else []) + [middle] + ([cut(stop, n)] if stop != n else [])
        return g.node("Concat", *pieces, axis=axis)
    return around(whole, 0)


@form
def take(g, i, x, indices, axis):
    return g.node("Gather", x, indices, axis=axis)


@form
def take_lines(g, i, x, indices, axis):
    return g.node("GatherElements", x, indices, axis=axis)


@form
def assume(g, i, x, expected):
    """What was assumed of the values of the example; not checked again."""
    return g.name(x)


# Reductions -------------------------------------------------------------------------------
def _reduction(op):
    def apply(g, i, x, axes):
        return g.node(op, x, g.constant(list(axes), np.int64), keepdims=0)
    return apply


for _name, _op in (("sum", "ReduceSum"), ("prod", "ReduceProd"), ("max", "ReduceMax"), ("min", "ReduceMin")):
    FORMS[_name] = _reduction(_op)


def _truth(op):
    def apply(g, i, x, axes):
        found = g.node(op, g.cast(x, np.int32), g.constant(list(axes), np.int64), keepdims=0)
        return g.cast(found, np.bool_)
    return apply


FORMS["all"], FORMS["any"] = _truth("ReduceMin"), _truth("ReduceMax")


def _place(op):
    def apply(g, i, x, axis=None, keepdims=False, **more):
        if more:
            return None
        if axis is None:
            if keepdims:
                return None
            x, axis = g.reshape(x, (-1,)), 0
        return g.node(op, x, axis=axis, keepdims=int(keepdims))
    return apply


FORMS["argmax"], FORMS["argmin"] = _place("ArgMax"), _place("ArgMin")


@form
def cumulative_sum(g, i, x, axis=None, dtype=None, **more):
    if more or axis is None and len(x.shape) != 1:
        return None
    return g.node("CumSum", operand(g, x, i.outputs[0].dtype), g.constant(axis or 0, np.int64))


def _sorted(g, x, k, axis, largest):
    return g.node("TopK", x, g.size(k), axis=axis, largest=int(largest), outputs=(True, True))


def sort_(g, i, x, axis=-1, descending=False, **more):
    """Sorted values; NaN may come in another place than here."""
    return _sorted(g, x, x.shape[axis], axis, descending)[0]


FORMS["forward.sort"] = sort_
FORMS["forward.argsort"] = lambda g, i, x, axis=-1, descending=False, **more: _sorted(
    g, x, x.shape[axis], axis, descending)[1]
FORMS["forward.largest"] = lambda g, i, x, k, axis, largest: _sorted(g, x, k, axis, largest)[1]


# Products ---------------------------------------------------------------------------------
@form
def matmul(g, i, x, y, transpose_x=False, transpose_y=False):
    def turned(x, turn):
        n = len(x.shape)
        return g.node("Transpose", x, perm=[*range(n - 2), n - 1, n - 2]) if turn else x
    return g.node("MatMul", turned(x, transpose_x), turned(y, transpose_y))


@form
def csr_product(g, i, x, start, index, values, kept=None):
    """Rows of neighbours, weighted, added to the rows they belong to."""
    if start.host is None or index.host is None:
        return None
    counts = np.diff(np.asarray(start.host))
    rows = np.repeat(np.arange(len(counts)), counts).reshape(-1, 1)
    each = g.node("Gather", x, g.constant(index.host, np.int64), axis=0)
    each = g.node("Mul", each, g.reshape(values, (-1, 1)))
    out = i.outputs[0]
    zero = g.node("Expand", g.number(0, out.dtype), g.sizes(out.shape))
    return g.node("ScatterND", zero, g.constant(rows, np.int64), each, reduction="add")


@form
def squared_distances(g, i, x, y):
    n, m = len(x.shape), len(y.shape)
    apart = g.node("Sub", g.node("Unsqueeze", x, g.constant([n - 1], np.int64)),
                   g.node("Unsqueeze", y, g.constant([m - 2], np.int64)))
    return g.node("ReduceSum", g.node("Mul", apart, apart), g.constant([-1], np.int64), keepdims=0)


@form
def attention_forward(g, i, query, key, value, mask, seed, causal, scale, dropout):
    """softmax(q k^T scale + mask) v; the logarithms of the sums and the weights are not given."""
    if dropout:
        return None
    dtype, n = query.dtype, len(key.shape)
    scores = g.node("MatMul", g.node("Mul", query, g.number(scale, dtype)),
                    g.node("Transpose", key, perm=[*range(n - 2), n - 1, n - 2]))
    if mask is not None and mask.dtype.kind == "b":
        scores = g.node("Where", mask, scores, g.number(-np.inf, dtype))
    elif mask is not None:
        scores = g.node("Add", scores, mask)
    if causal is not None:
        rows, columns = query.shape[-2], key.shape[-2]
        if isinstance(rows, Size) or isinstance(columns, Size):
            return None
        seen = np.tri(rows, columns, causal, dtype=bool)
        scores = g.node("Where", g.constant(seen), scores, g.number(-np.inf, dtype))
    return [g.node("MatMul", g.node("Softmax", scores, axis=-1), value), None, None]


# Images -----------------------------------------------------------------------------------
def _pads(padding):
    return [before for before, _ in padding] + [after for _, after in padding]


@form
def conv_forward(g, i, x, w, b, geometry):
    return g.node("Conv", x, w, *([] if b is None else [b]), kernel_shape=list(geometry.kernel),
                  strides=list(geometry.stride), dilations=list(geometry.dilation), group=geometry.groups,
                  pads=_pads(geometry.padding))


@form
def conv_to_input(g, i, y, w, geometry):
    extent = [d * (k - 1) + 1 for k, d in zip(geometry.kernel, geometry.dilation)]
    more = [n - (s * (o - 1) + e - sum(p)) for n, s, o, e, p in
            zip(geometry.size, geometry.stride, geometry.out, extent, geometry.padding)]
    return g.node("ConvTranspose", y, w, kernel_shape=list(geometry.kernel), strides=list(geometry.stride),
                  dilations=list(geometry.dilation), group=geometry.groups, pads=_pads(geometry.padding),
                  output_padding=more)


def _as_images(g, x, spatial, wanted=2):
    """`x` with its leading axes as (N, C), or as one and a channel: (N, 1)."""
    lead = x.shape[:len(x.shape) - spatial]
    if len(lead) == wanted == 2:
        return x
    return g.reshape(x, (_rows(lead), 1, *x.shape[len(lead):]))


def _rows(lead):
    return Size(prod(lead), {}) if any(isinstance(n, Size) for n in lead) else prod(lead)


def _spans(spans):
    """The windows as arguments of a node, with what reaches over the end as padding; None for uneven ones."""
    if any(not hasattr(s, "stride") for s in spans):
        return None
    after = [max(0, (s.out - 1) * s.stride - s.before + s.dilation * (s.kernel - 1) + 1 - s.size) for s in spans]
    return {"kernel_shape": [s.kernel for s in spans], "strides": [s.stride for s in spans],
            "dilations": [s.dilation for s in spans], "pads": [s.before for s in spans] + after}


@form
def window_max(g, i, x, spans, numbered):
    attrs = _spans(spans)
    if numbered:
        return None
    if attrs is None:
        return _uneven(g, x, spans, "ReduceMax")
    return g.reshape(g.node("MaxPool", _as_images(g, x, len(spans)), **attrs), i.outputs[0].shape)


def _uneven(g, x, spans, op):
    """Windows of different lengths, axis by axis."""
    made, lead = g.name(x), len(x.shape) - len(spans)
    for axis, span in enumerate(spans, lead):
        bounds = [(o * span.size // span.out, -(-(o + 1) * span.size // span.out)) for o in range(span.out)] \
            if not hasattr(span, "stride") else \
            [(max(0, o * span.stride - span.before), min(span.size, o * span.stride - span.before + span.kernel))
             for o in range(span.out)]
        if getattr(span, "dilation", 1) != 1:
            return None
        at = g.constant([axis], np.int64)
        made = g.node("Concat", *[g.node(op, g.node("Slice", made, g.size(a), g.size(b), at), at, keepdims=1)
                                  for a, b in bounds], axis=axis)
    return made


@form
def window_sum(g, i, x, spans):
    attrs = _spans(spans)
    if attrs is None:
        return _uneven(g, x, spans, "ReduceSum")
    ones = g.constant(np.ones((1, 1, *attrs["kernel_shape"])), x.dtype)
    return g.reshape(g.node("Conv", _as_images(g, x, len(spans), 0), ones, **attrs), i.outputs[0].shape)


@form
def window_spread(g, i, y, spans):
    attrs = _spans(spans)
    if attrs is None:
        return None
    more = [max(0, s.size + s.before - ((s.out - 1) * s.stride + s.dilation * (s.kernel - 1) + 1)) for s in spans]
    ones = g.constant(np.ones((1, 1, *attrs["kernel_shape"])), y.dtype)
    made = g.node("ConvTranspose", _as_images(g, y, len(spans), 0), ones, output_padding=more, **attrs)
    return g.reshape(made, i.outputs[0].shape)


@form
def resample(g, i, x, resizes, transposed):
    """Each axis times the matrix that resamples it."""
    xp, made, lead = as_device("cpu").xp, g.name(x), len(x.shape) - len(resizes)
    for axis, r in enumerate(resizes, lead):
        if r is None:
            continue
        n = r.out if transposed else r.size
        matrix = g.constant(xp.resample(np.eye(n, dtype=x.dtype), (r,), transposed))
        order = list(range(len(x.shape)))
        order[axis], order[-1] = order[-1], order[axis]
        last = axis == len(order) - 1
        made = made if last else g.node("Transpose", made, perm=order)
        made = g.node("MatMul", made, matrix)
        made = made if last else g.node("Transpose", made, perm=order)
    return made


def _unfolding(x, geometry):
    """The kernel that copies every element of a window into a channel of its own: (taps, 1, *K)."""
    return np.eye(geometry.taps).reshape(geometry.taps, 1, *geometry.kernel).astype(x.dtype)


def _window_attrs(geometry):
    return {"kernel_shape": list(geometry.kernel), "strides": list(geometry.stride),
            "dilations": list(geometry.dilation), "pads": _pads(geometry.padding)}


@form
def unfold_windows(g, i, x, geometry):
    made = g.node("Conv", _as_images(g, x, len(geometry.size), 0), g.constant(_unfolding(x, geometry)),
                  **_window_attrs(geometry))
    return g.reshape(made, i.outputs[0].shape)


@form
def fold_windows(g, i, y, geometry):
    rows = _rows(y.shape[:2])
    columns = g.reshape(y, (rows, geometry.taps, *geometry.out))
    more = [n - (s * (o - 1) + e - sum(p)) for n, s, o, e, p in
            zip(geometry.size, geometry.stride, geometry.out, geometry.extent, geometry.padding)]
    made = g.node("ConvTranspose", columns, g.constant(_unfolding(y, geometry)), output_padding=more,
                  **_window_attrs(geometry))
    return g.reshape(made, i.outputs[0].shape)


# Sequences --------------------------------------------------------------------------------
@form
def lstm_scan(g, i, x, h, c, w, p, sizes, reverse):
    """Step after step as a `Scan`, for sequences of one length; the gates are not given."""
    if len(set(sizes)) != 1:
        return None
    onnx, helper, dtype = g.onnx, g.onnx.helper, x.dtype
    n, width, out_width = sizes[0], c.shape[1], h.shape[1]
    recurrent = g.node("Transpose", w, perm=[1, 0])
    project = None if p is None else g.node("Transpose", p, perm=[1, 0])
    rows = g.reshape(x, (len(sizes), n, 4 * width))
    inner = type(g)(onnx, {}, {})
    inner._used |= g._used
    inner.prefix = g.prefix + "step/"
    gates = inner.node("Add", inner.node("MatMul", "h_in", recurrent), "x_in")
    a, f, now, o = inner.node("Split", gates, axis=1, num_outputs=4, outputs=(True,) * 4)
    cell = inner.node("Add", inner.node("Mul", inner.node("Sigmoid", f), "c_in"),
                      inner.node("Mul", inner.node("Sigmoid", a), inner.node("Tanh", now)))
    state = inner.node("Mul", inner.node("Sigmoid", o), inner.node("Tanh", cell))
    state = state if project is None else inner.node("MatMul", state, project)
    ends = [inner.node("Identity", v) for v in (state, cell, state, cell)]
    g._used |= inner._used
    kind = g.kind(dtype)

    def info(name, columns):
        return helper.make_tensor_value_info(name, kind, (None, columns))
    body = helper.make_graph(
        inner.nodes, "step", [info("h_in", out_width), info("c_in", width), info("x_in", 4 * width)],
        [info(e, m) for e, m in zip(ends, (out_width, width, out_width, width))])
    way = int(bool(reverse))
    made = g.node("Scan", h, c, rows, body=body, num_scan_inputs=1, scan_input_directions=[way],
                  scan_output_directions=[way, way], outputs=(True,) * 4)
    return [g.reshape(made[2], i.outputs[0].shape), g.reshape(made[3], i.outputs[1].shape), None]


FORMS["forward.lstm_scan"] = lstm_scan
