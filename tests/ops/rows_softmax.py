"""Rows of softmax and its logarithms."""
import numpy as np
import scipy.special

from tests.ops.table import Row, normal


def logits(scale, *shape):
    return lambda rng: (scale * rng.standard_normal(shape),)


def over(name, reference, inputs=None, axes=(-1, 0, (0, 2), None), **fields):
    return [Row(name, inputs or normal((2, 3, 4)), lambda x, a=a: reference(x, axis=a),
                lambda tn, x, a=a: getattr(tn, name)(x, axis=a), label=f"axis={a}", **fields) for a in axes]


def softmin(x, axis=-1):
    return scipy.special.softmax(-x, axis=axis)


ROWS = [
    *over("softmax", scipy.special.softmax),
    *over("log_softmax", scipy.special.log_softmax),
    *over("logsumexp", scipy.special.logsumexp),
    Row("logsumexp", normal((2, 3)), lambda x: scipy.special.logsumexp(x, axis=1, keepdims=True),
        lambda tn, x: tn.logsumexp(x, 1, keepdims=True), label="keepdims"),
    *[Row(name, logits(300, 3, 4), lambda x, name=name: getattr(scipy.special, name)(x, axis=1),
          lambda tn, x, name=name: getattr(tn, name)(x, 1), label="far apart", order=1)
      for name in ("softmax", "log_softmax", "logsumexp")],
    Row("softmin", normal((3, 4)), softmin),
    Row("softmax", normal((0, 3)), lambda x: x, label="of nothing"),
    Row("log_softmax", normal((3, 0)), lambda x: x, label="of nothing"),
    Row("softmax", lambda rng: (rng.integers(0, 4, (3, 4)),), lambda x: scipy.special.softmax(x, -1).astype("float32"),
        order=0, label="int", tolerance=1e-6),
    Row("logsumexp", normal((0, 3)), lambda x: np.full(3, -np.inf), lambda tn, x: tn.logsumexp(x, 0), order=0,
        label="of nothing"),
    Row("logsumexp", lambda rng: (np.array([[-np.inf, -np.inf], [np.inf, 0.0], [np.nan, 1.0], [-np.inf, 2.0]]),),
        lambda x: np.array([-np.inf, np.inf, np.nan, 2.0]), lambda tn, x: tn.logsumexp(x, 1), order=0,
        label="infinite"),
]
