"""Derivatives by central differences, for the table."""
import numpy as np

import tinygrad_notes as tn
from tests.ops.drive import call, cotangents, host, tensors_of, tracked


def check_gradients(row, arrays, active, order):
    """Compare the gradients of order 1 or 2 with central differences in random directions."""
    us = None

    def scalar(moved):
        """<u, f(x)>, or <v, grad <u, f(x)>>: the function that is differentiated once more."""
        nonlocal us
        tensors = tensors_of(moved, active)
        ends = tracked(call(row, tensors))
        wanted = [tensors[i] for i in active]
        weights = cotangents(ends)
        if order == 2:
            first = tn.autograd.grad(ends, wanted, weights, create_graph=True, allow_unused=True)
            ends = tracked([g for g in first if g is not None])
            weights = cotangents(ends, seed=2)
            if not ends:
                return 0.0, [np.zeros(t.shape) for t in wanted]
        value = sum(float(np.sum(host(t) * host(u))) for t, u in zip(ends, weights))
        gradients = tn.autograd.grad(ends, wanted, weights, allow_unused=True)
        return value, [np.zeros(t.shape) if g is None else host(g) for g, t in zip(gradients, wanted)]

    _, analytic = scalar(arrays)
    rng = np.random.default_rng(3)
    for _ in range(4):
        steps = {i: rng.choice([-1.0, 1.0], arrays[i].shape) * np.maximum(np.abs(arrays[i]), 0.1) for i in active}
        slope = sum(float(np.sum(g * steps[i])) for g, i in zip(analytic, active))
        found = []
        for h in (1e-4, 5e-5):
            ahead = [a + h * steps[i] if i in steps else a for i, a in enumerate(arrays)]
            behind = [a - h * steps[i] if i in steps else a for i, a in enumerate(arrays)]
            found.append((scalar(ahead)[0] - scalar(behind)[0]) / (2 * h))
        numeric = (4 * found[1] - found[0]) / 3
        size = max(abs(slope), abs(numeric), sum(float(np.sum(np.abs(g * steps[i]))) for g, i in zip(analytic, active)))
        assert abs(slope - numeric) <= 1e-6 * size + 1e-8, f"order {order}: analytic {slope}, numeric {numeric}"
