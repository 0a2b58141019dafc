"""Rows of convolution and its transpose. The oracles are loops over every output, channel and kernel element."""
import itertools

import numpy as np
import scipy.linalg

from tests.ops.table import Row, normal


def each(value, axes):
    return value if isinstance(value, tuple) else (value,) * axes


def pairs(padding, kernel, dilation):
    axes = len(kernel)
    if padding == "valid":
        return [(0, 0)] * axes
    if padding == "same":
        total = [d * (k - 1) for k, d in zip(kernel, dilation)]
        return [(n // 2, n - n // 2) for n in total]
    return [(p, p) for p in each(padding, axes)]


def correlated(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution as deep learning calls it, one product at a time."""
    axes = x.ndim - 2
    stride, dilation = each(stride, axes), each(dilation, axes)
    x = np.pad(x, [(0, 0), (0, 0), *pairs(padding, w.shape[2:], dilation)])
    size = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilation)]
    y = np.zeros((len(x), len(w), *size), np.result_type(x, w))
    each_in, each_out = w.shape[1], len(w) // groups
    for n, o, *at in np.ndindex(y.shape):
        for c, *tap in np.ndindex(w.shape[1:]):
            where = tuple(i * s + t * d for i, s, t, d in zip(at, stride, tap, dilation))
            y[(n, o, *at)] += w[(o, c, *tap)] * x[(n, o // each_out * each_in + c, *where)]
    return y if b is None else y + b.reshape(-1, *[1] * axes)


def painted(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transposed convolution: every input element paints a kernel, one product at a time."""
    axes = x.ndim - 2
    stride, dilation, padding, more = (each(v, axes) for v in (stride, dilation, padding, output_padding))
    full = [(n - 1) * s + d * (k - 1) + 1 + m for n, k, s, d, m in
            zip(x.shape[2:], w.shape[2:], stride, dilation, more)]
    y = np.zeros((len(x), w.shape[1] * groups, *full), np.result_type(x, w))
    each_in, each_out = len(w) // groups, w.shape[1]
    for n, c, *at in np.ndindex(x.shape):
        for o, *tap in np.ndindex(w.shape[1:]):
            where = tuple(i * s + t * d for i, s, t, d in zip(at, stride, tap, dilation))
            y[(n, c // each_in * each_out + o, *where)] += w[(c, o, *tap)] * x[(n, c, *at)]
    y = y[(slice(None), slice(None), *[slice(p, n - p) for p, n in zip(padding, full)])]
    return y if b is None else y + b.reshape(-1, *[1] * axes)


def conv(label, x, w, bias=True, **options):
    axes = len(x) - 2
    shapes = (x, w, (w[0],)) if bias else (x, w)
    return Row(f"nn.functional.conv{axes}d", normal(*shapes), lambda *xs: correlated(*xs, **options), label=label,
               call=lambda tn, *xs: getattr(tn.nn.functional, f"conv{axes}d")(*xs, **options))


def transposed(label, x, w, bias=True, groups=1, **options):
    axes = len(x) - 2
    shapes = (x, w, (w[1] * groups,)) if bias else (x, w)
    return Row(f"nn.functional.conv_transpose{axes}d", normal(*shapes), label=label,
               oracle=lambda *xs: painted(*xs, groups=groups, **options),
               call=lambda tn, *xs: getattr(tn.nn.functional, f"conv_transpose{axes}d")(*xs, groups=groups, **options))


def windows_of(x, kernel, dilation=1, padding=0, stride=1):
    """im2col, one window at a time."""
    kernel, dilation, padding, stride = (each(v, 2) for v in (kernel, dilation, padding, stride))
    x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]])
    starts = [range(0, n - d * (k - 1), s) for n, k, d, s in zip(x.shape[2:], kernel, dilation, stride)]
    columns = [x[:, :, i:i + dilation[0] * (kernel[0] - 1) + 1:dilation[0],
                 j:j + dilation[1] * (kernel[1] - 1) + 1:dilation[1]].reshape(len(x), -1)
               for i, j in itertools.product(*starts)]
    return np.stack(columns, -1)


def put_back(y, size, kernel, **options):
    """col2im, as the transpose of the matrix of im2col."""
    channels = y.shape[1] // int(np.prod(each(kernel, 2)))
    unit = np.eye(channels * size[0] * size[1]).reshape(-1, channels, *size)
    matrix = windows_of(unit, kernel, **options).reshape(len(unit), -1)  # (C H W, columns)
    return (y.reshape(len(y), -1) @ matrix.T).reshape(len(y), channels, *size)


def unfold(label, x, *arguments, **options):
    return Row("nn.functional.unfold", normal(x), lambda x: windows_of(x, *arguments, **options), label=label,
               call=lambda tn, x: tn.nn.functional.unfold(x, *arguments, **options))


def fold(label, y, *arguments, **options):
    return Row("nn.functional.fold", normal(y), lambda y: put_back(y, *arguments, **options), label=label,
               call=lambda tn, y: tn.nn.functional.fold(y, *arguments, **options))


def sequences(name, n, m, mode):
    return Row(name, normal((n,), (m,)), lambda a, v: getattr(np, name)(a, v, mode), label=f"{mode}, {n} and {m}",
               call=lambda tn, a, v: getattr(tn, name)(a, v, mode))


def bells(a, b):
    """The closed form: densities N(0, a^2) and N(0, b^2) convolved are the density N(0, a^2 + b^2), here at 0.3."""
    var = a * a + b * b
    return np.exp(-0.3**2 / (2 * var)) / np.sqrt(2 * np.pi * var)


def convolved_bells(tn, a, b):
    def bell(width):
        return lambda x: tn.exp(-x * x / (2 * width * width)) / (width * (2 * tn.pi) ** 0.5)
    return tn.convolution_integral(bell(a), bell(b), tn.full((), 0.3, dtype=a.dtype, device=a.device), -12, 12)


def bias_gradient(tn, y):
    """The gradient of a bias for the cotangent y, as a function of y."""
    x, w, b = (tn.zeros(n, dtype=y.dtype, device=y.device) for n in ((3, 1, 4, 3), (2, 1, 1, 1), (2,)))
    out = tn.nn.functional.conv2d(x, w, b.requires_grad_())
    return tn.autograd.grad(out, b, y, create_graph=True)[0]


def matrix_of(w, size, **options):
    """Column by column: what the loop makes of each unit vector."""
    channels = w.shape[1] * options.get("groups", 1)
    unit = np.eye(channels * int(np.prod(size))).reshape(-1, channels, *size)
    return correlated(unit, w, **options).reshape(len(unit), -1).T


ROWS = [
    *[sequences(name, n, m, mode) for name in ("convolve", "correlate")
      for n, m, mode in ((5, 3, "full"), (3, 4, "full"), (5, 2, "same"), (2, 5, "same"), (6, 3, "valid"))],
    Row("convolution_integral", lambda rng: (np.array(0.9), np.array(1.4)), bells, convolved_bells, tolerance=1e-10),
    Row("linalg.toeplitz", normal((3,), (4,)), scipy.linalg.toeplitz),
    Row("linalg.toeplitz", normal((3,)), scipy.linalg.toeplitz, label="symmetric"),
    *[Row("linalg.convolution_matrix", normal((3,)), lambda a, m=mode, n=n: scipy.linalg.convolution_matrix(a, n, m),
          lambda tn, a, m=mode, n=n: tn.linalg.convolution_matrix(a, n, m), label=f"{mode}, {n}")
      for mode, n in (("full", 2), ("same", 4), ("valid", 5))],
    Row("nn.functional.conv_matrix", normal((2, 2, 3)), lambda w: matrix_of(w, (5,), stride=2, padding=1),
        lambda tn, w: tn.nn.functional.conv_matrix(w, 5, stride=2, padding=1)),
    Row("nn.functional.conv_matrix", normal((2, 1, 2, 2)), lambda w: matrix_of(w, (3, 2), groups=2),
        lambda tn, w: tn.nn.functional.conv_matrix(w, (3, 2), groups=2), label="two axes, groups"),
    conv("", (2, 2, 7), (3, 2, 3)),
    conv("stride, padding, dilation", (2, 1, 8), (2, 1, 3), stride=2, padding=3, dilation=2),
    conv("same, even kernel", (1, 2, 5), (2, 2, 4), padding="same", dilation=3),
    conv("two groups", (2, 4, 5), (2, 2, 2), groups=2, bias=False),
    conv("depthwise, two outputs each", (1, 3, 6), (6, 1, 3), groups=3, padding=1, stride=2),
    conv("one element", (2, 3, 4), (2, 3, 1)),
    conv("stride beyond the kernel", (1, 1, 8), (1, 1, 2), stride=3),
    conv("", (2, 2, 4, 5), (2, 2, 3, 2)),
    conv("all options", (1, 4, 6, 5), (4, 2, 2, 3), stride=(2, 1), padding=(1, 2), dilation=(2, 1), groups=2),
    conv("same", (1, 1, 4, 3), (2, 1, 3, 2), padding="same", bias=False),
    conv("valid", (1, 1, 3, 3), (1, 1, 2, 3), padding="valid"),
    conv("depthwise", (1, 2, 4, 4), (2, 1, 3, 3), groups=2, padding=1, bias=False),
    conv("one element, stride", (1, 2, 4, 5), (3, 2, 1, 1), stride=2),
    conv("", (1, 2, 3, 4, 3), (2, 2, 2, 2, 1)),
    conv("all options", (1, 2, 3, 4, 5), (2, 1, 2, 1, 3), stride=(1, 2, 2), padding=(0, 1, 1), dilation=(2, 1, 1),
         groups=2),
    transposed("", (2, 2, 4), (2, 3, 3)),
    transposed("all options", (1, 4, 3), (4, 1, 3), stride=3, padding=2, output_padding=2, groups=2, dilation=2),
    transposed("output padding beyond the stride", (1, 1, 3), (1, 2, 2), output_padding=2, dilation=4, bias=False),
    transposed("output padding from the border", (1, 1, 4), (1, 1, 2), output_padding=2, dilation=4, padding=1),
    transposed("", (1, 2, 3, 2), (2, 1, 2, 3), stride=2, bias=False),
    transposed("all options", (1, 2, 2, 3), (2, 2, 3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2),
               groups=2, dilation=(1, 2)),
    transposed("", (1, 2, 2, 2, 3), (2, 1, 2, 1, 2), stride=(2, 1, 1)),
    Row("nn.functional.conv2d", normal((3, 2, 4, 3)), lambda y: y.sum((0, 2, 3)), bias_gradient,
        label="gradient of the bias"),
    unfold("", (2, 2, 3, 4), 2),
    unfold("all options", (1, 2, 5, 6), (2, 3), dilation=(2, 1), padding=(1, 2), stride=(1, 2)),
    fold("", (2, 8, 6), (3, 4), 2),
    fold("all options", (1, 12, 20), (5, 6), (2, 3), dilation=(2, 1), padding=(1, 2), stride=(1, 2)),
]
