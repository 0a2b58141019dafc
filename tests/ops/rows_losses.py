"""Rows of the operations behind the losses."""
import itertools

import numpy as np
import scipy.special

from tests.ops.table import Row, normal


def logits_and_labels(n, classes):
    return lambda rng: (rng.standard_normal((n, classes)), rng.integers(0, classes, n))


def probabilities(rng):
    return rng.uniform(0.05, 0.95, (3, 4)), rng.uniform(0.05, 0.95, (3, 4))


def entropy(x, labels):
    return -scipy.special.log_softmax(x, 1)[np.arange(len(labels)), labels]


def binary(p, y):
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def huber(x, y):
    d = abs(x - y)
    return np.where(d < 0.8, d * d / 2, 0.8 * (d - 0.4))


def spell(path, blank=0):
    """A path with repeats merged and blanks removed."""
    merged = [a for k, a in enumerate(path) if k == 0 or path[k - 1] != a]
    return [a for a in merged if a != blank]


def log_softmax(x):
    return scipy.special.log_softmax(x, -1)


def ctc(logp, targets, steps, sizes):
    """Minus the logarithm of the summed probability of every path that spells the target."""
    found = []
    for n, (t, size) in enumerate(zip(steps, sizes)):
        paths = itertools.product(range(logp.shape[2]), repeat=t)
        fits = [logp[range(t), n, path].sum() for path in paths if spell(path) == list(targets[n, :size])]
        found.append(-scipy.special.logsumexp(fits) if fits else np.inf)
    return np.array(found)


def sequences(rng):
    logp = log_softmax(rng.standard_normal((4, 5, 3)))
    targets = np.array([[1, 1], [2, 1], [1, 2], [2, 2], [1, 1]])
    return logp, targets, np.array([4, 4, 3, 2, 4]), np.array([2, 1, 2, 0, 2])


ROWS = [
    *[Row("nn.functional.cross_entropy", logits_and_labels(5, classes), lambda x, t, r=reduce: r(entropy(x, t)),
          lambda tn, x, t, how=how: tn.nn.functional.cross_entropy(x, t, reduction=how),
          label=f"{classes} classes, {how}")
      for classes in (4, 40) for how, reduce in (("none", np.array), ("sum", np.sum), ("mean", np.mean))],
    Row("nn.functional.cross_entropy", logits_and_labels(700, 60), lambda x, t: entropy(x, t).mean(), label="blocks"),
    Row("nn.functional.cross_entropy", lambda rng: (1e3 * rng.standard_normal((4, 3)), rng.integers(0, 3, 4)),
        lambda x, t: entropy(x, t).mean(), order=1, label="far apart"),
    Row("nn.functional.nll_loss", logits_and_labels(5, 4), lambda x, t: -x[np.arange(5), t].mean()),
    *[Row(f"nn.functional.{name}", logits_and_labels(5, 4), lambda x, t, f=reference: f(x, t) ** 2,
          lambda tn, x, t, name=name: tn.square(getattr(tn.nn.functional, name)(x, t, reduction="none")),
          label="squared")
      for name, reference in (("cross_entropy", entropy), ("nll_loss", lambda x, t: x[np.arange(5), t]))],
    Row("nn.functional.mse_loss", normal((3, 4), (3, 4)), lambda x, y: ((x - y) ** 2).mean()),
    Row("nn.functional.mse_loss", normal((), ()), lambda x, y: (x - y) ** 2, label="0-d"),
    Row("nn.functional.huber_loss", normal((3, 4), (3, 4)), huber,
        lambda tn, x, y: tn.nn.functional.huber_loss(x, y, "none", 0.8)),
    Row("nn.functional.binary_cross_entropy", probabilities, binary,
        lambda tn, p, y: tn.nn.functional.binary_cross_entropy(p, y, reduction="none")),
    Row("nn.functional.binary_cross_entropy_with_logits",
        lambda rng: (rng.standard_normal((3, 4)), rng.uniform(size=(3, 4))),
        lambda x, y: binary(1 / (1 + np.exp(-x)), y),
        lambda tn, x, y: tn.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none")),
    Row("nn.functional.binary_cross_entropy_with_logits",
        lambda rng: (np.array([-1e4, 0.0, 1e4]), np.array([1.0, 0.5, 1.0])),
        lambda x, y: np.array([1e4, np.log(2), 0]),
        lambda tn, x, y: tn.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none"), order=1,
        label="far out"),
    Row("nn.functional.ctc_loss", sequences, lambda x, *arrays: ctc(log_softmax(x), *arrays),
        lambda tn, x, *arrays: tn.nn.functional.ctc_loss(tn.log_softmax(x, axis=-1), *arrays, reduction="none"),
        label="none"),
    Row("nn.functional.ctc_loss", sequences,
        lambda x, *arrays: (ctc(log_softmax(x), *arrays) / np.maximum(arrays[-1], 1)).mean() ** 2,
        lambda tn, x, *arrays: tn.nn.functional.ctc_loss(tn.log_softmax(x, axis=-1), *arrays) ** 2,
        label="mean, squared"),
]
