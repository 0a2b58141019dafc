"""Parameter and Buffer: Tensors that a module registers."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn


def test_parameter_wants_a_gradient_and_shares_memory():
    base = tn.zeros((2,))
    p = nn.Parameter(base)
    assert p.requires_grad and not base.requires_grad and p.is_leaf
    base.data[...] = 4
    assert p.numpy().tolist() == [4.0, 4.0]
    assert not nn.Parameter(base, requires_grad=False).requires_grad
    assert nn.Parameter(np.ones((2, 2))).dtype == tn.float64 and nn.Parameter([1.0]).dtype == tn.float32


def test_results_are_plain_tensors():
    p = nn.Parameter(tn.ones((2,)))
    for result in (p + 1, p * p, -p, p[0], p.sum(), p.detach(), tn.exp(p)):
        assert type(result) is tn.Tensor


def test_integers_cannot_be_trained():
    with pytest.raises(TypeError, match="only floating dtypes have gradients"):
        nn.Parameter([1, 2])
    assert nn.Parameter([1, 2], requires_grad=False).dtype == tn.int64


def test_repr_reads_like_pytorchs():
    text = repr(nn.Parameter([1.0, 2.0]))
    assert text.startswith("Parameter containing:\ntensor([1., 2.]") and "requires_grad=True" in text


def test_a_result_becomes_a_leaf():
    x = tn.ones((2,), requires_grad=True)
    p = nn.Parameter(x * 2)
    (p * p).sum().backward()
    assert p.grad.numpy().tolist() == [4.0, 4.0] and x.grad is None
