"""Parts that are written into arrays and read again: the passes look through, and no number changes."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.program import trace
from tinygrad_notes.program.passes import optimize

pytestmark = pytest.mark.host_only


@pytest.mark.parametrize("seed", range(12))
def test_random_writes_and_reads(seed):
    """Regions that meet, hold each other, lie apart and cover the whole."""
    rng = np.random.default_rng(seed)
    shape = (6, 5)

    def region():
        axes = [slice(*sorted(rng.choice(n + 1, 2, replace=False).tolist())) for n in shape]
        return tuple(a if rng.random() < 0.6 else slice(None) for a in axes)
    regions = [(region(), region()) for _ in range(8)] + [((slice(k, k + 2),), (slice(k, k + 1),)) for k in (2, 0, 4)]

    def run(x):
        y, read = x * 1, []
        for written, seen in regions:
            y[written] = x[written] * (len(read) + 2)
            read.append(tn.sum(y[seen]) + y[seen][:1, :1])
        return [y * 1, *read]
    x = tn.randn(*shape)
    for a, b in zip(trace(run, (x,))(x), run(x), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-5)


def test_steps_of_a_recurrent_layer_leave_no_copies_of_their_buffers():
    program = optimize(trace(tn.nn.GRU(5, 3), (tn.randn(4, 2, 5),)))
    names = [i.name for i in program.instructions]
    assert names.count("write") <= 1 and len(names) < 130
