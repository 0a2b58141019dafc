"""Rows of the operations behind the normalization layers."""
import numpy as np

from tests.ops.table import Row, normal


def standard(x, axes, eps):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


ROWS = [
    Row("nn.functional.layer_norm", normal((3, 4, 5)), lambda x: standard(x, (1, 2), 0.1),
        lambda tn, x: tn.nn.functional.layer_norm(x, (4, 5), eps=0.1)),
    Row("nn.functional.rms_norm", normal((3, 5)), lambda x: x / np.sqrt((x * x).mean(1, keepdims=True) + 0.1),
        lambda tn, x: tn.nn.functional.rms_norm(x, 5, eps=0.1)),
    Row("nn.functional.batch_norm", normal((6, 4)), lambda x: standard(x, (0,), 0.1),
        lambda tn, x: tn.nn.functional.batch_norm(x, None, None, training=True, eps=0.1)),
]
