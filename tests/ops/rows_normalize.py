"""Rows of the operations behind the normalization layers."""
import numpy as np

from tests.ops.table import Row, normal, uniform


def standard(x, axes, eps):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def groups(x, n, eps):
    return standard(x.reshape(x.shape[0], n, -1), (2,), eps).reshape(x.shape)


def affine(x, w, b):
    column = (1, -1) + (1,) * (x.ndim - 2)
    return x * w.reshape(column) + b.reshape(column)


def response(x, size, alpha, beta, k):
    out, n = np.empty_like(x), x.shape[1]
    for c in range(n):
        around = x[:, max(0, c - size // 2):min(n, c + (size - 1) // 2 + 1)]
        out[:, c] = x[:, c] / (k + alpha / size * (around**2).sum(1)) ** beta
    return out


def running(rng):
    """x (3, 4, 2), running mean and variance, weight and bias."""
    return (*normal((3, 4, 2), (4,))(rng), *uniform(0.5, 2, (4,))(rng), *normal((4,), (4,))(rng))


ROWS = [
    Row("nn.functional.layer_norm", normal((3, 4, 5)), lambda x: standard(x, (1, 2), 0.1),
        lambda tn, x: tn.nn.functional.layer_norm(x, (4, 5), eps=0.1)),
    Row("nn.functional.layer_norm", normal((3, 4, 5), (4, 5), (4, 5)), lambda x, w, b: standard(x, (1, 2), 0.1) * w + b,
        lambda tn, x, w, b: tn.nn.functional.layer_norm(x, (4, 5), w, b, eps=0.1), label="affine"),
    Row("nn.functional.rms_norm", normal((3, 5)), lambda x: x / np.sqrt((x * x).mean(1, keepdims=True) + 0.1),
        lambda tn, x: tn.nn.functional.rms_norm(x, 5, eps=0.1)),
    Row("nn.functional.rms_norm", normal((2, 3, 5), (5,)),
        lambda x, w: x / np.sqrt((x * x).mean(2, keepdims=True) + 0.1) * w,
        lambda tn, x, w: tn.nn.functional.rms_norm(x, 5, w, eps=0.1), label="weight"),
    Row("nn.functional.batch_norm", normal((6, 4)), lambda x: standard(x, (0,), 0.1),
        lambda tn, x: tn.nn.functional.batch_norm(x, None, None, training=True, eps=0.1)),
    Row("nn.functional.batch_norm", normal((3, 4, 2, 3), (4,), (4,)),
        lambda x, w, b: affine(standard(x, (0, 2, 3), 0.1), w, b),
        lambda tn, x, w, b: tn.nn.functional.batch_norm(x, None, None, w, b, training=True, eps=0.1), label="affine"),
    Row("nn.functional.batch_norm", running, lambda x, m, v, w, b: affine(affine(x, v**0, -m), w * (v + 0.1)**-0.5, b),
        lambda tn, x, m, v, w, b: tn.nn.functional.batch_norm(x, m, v, w, b, eps=0.1), label="evaluation"),
    Row("nn.functional.instance_norm", normal((3, 4, 5), (4,), (4,)),
        lambda x, w, b: affine(standard(x, (2,), .1), w, b),
        lambda tn, x, w, b: tn.nn.functional.instance_norm(x, None, None, w, b, eps=0.1)),
    Row("nn.functional.group_norm", normal((3, 4, 5), (4,), (4,)), lambda x, w, b: affine(groups(x, 2, .1), w, b),
        lambda tn, x, w, b: tn.nn.functional.group_norm(x, 2, w, b, eps=0.1)),
    Row("nn.functional.group_norm", normal((3, 6)), lambda x: groups(x, 3, .1),
        lambda tn, x: tn.nn.functional.group_norm(x, 3, eps=0.1), label="no places"),
    *[Row("nn.functional.local_response_norm", normal((2, 5, 3)), lambda x, n=n: response(x, n, 0.7, 0.6, 1.2),
          lambda tn, x, n=n: tn.nn.functional.local_response_norm(x, n, 0.7, 0.6, 1.2), label=f"size {n}")
      for n in (1, 2, 3, 12)],
]
