"""Distances and similarities."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((5, 4, 3)), RNG.standard_normal((5, 4, 3))


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cosine(dim):
    wanted = (A * B).sum(dim) / np.linalg.norm(A, axis=dim) / np.linalg.norm(B, axis=dim)
    np.testing.assert_allclose(nn.CosineSimilarity(dim)(tn.tensor(A), tn.tensor(B)).numpy(), wanted, rtol=1e-12)
    x = [tn.tensor(A, requires_grad=True), tn.tensor(B, requires_grad=True)]
    assert tn.gradcheck(lambda a, b: F.cosine_similarity(a, b, dim), x, fast_mode=True)
    assert tn.gradgradcheck(lambda a, b: F.cosine_similarity(a, b, dim), x, fast_mode=True)


def test_cosine_of_the_zero_vector_has_a_finite_gradient():
    x = tn.zeros((1, 3), requires_grad=True)
    F.cosine_similarity(x, tn.ones((1, 3))).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("keepdim", [True, False])
def test_distance(p, keepdim):
    wanted = (
        np.linalg.norm(A - B + 1e-6, p, axis=-1, keepdims=keepdim)
        if p >= 1
        else (abs(A - B + 1e-6) ** p).sum(-1, keepdims=keepdim) ** (1 / p)
    )
    np.testing.assert_allclose(
        nn.PairwiseDistance(p, keepdim=keepdim)(tn.tensor(A), tn.tensor(B)).numpy(), wanted, rtol=1e-12
    )
    x = [tn.tensor(A, requires_grad=True), tn.tensor(B, requires_grad=True)]
    assert tn.gradcheck(lambda a, b: F.pairwise_distance(a, b, p), x, fast_mode=True)


@pytest.mark.parametrize("p", [-1.0, 0.0, 1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize(p, dim):
    np.testing.assert_allclose(
        F.normalize(tn.tensor(A), p, dim).numpy(), A / np.linalg.norm(A, p, axis=dim, keepdims=True), rtol=1e-12
    )
    x = tn.tensor(A, requires_grad=True)
    assert tn.gradcheck(lambda a: F.normalize(a, p, dim), x, fast_mode=True)
    assert tn.gradgradcheck(lambda a: F.normalize(a, p, dim), x, fast_mode=True) or p == 0
    zero = tn.zeros((2, 3), requires_grad=True)
    F.normalize(zero, p, 1).sum().backward()
    assert np.isfinite(zero.grad.numpy()).all()


def test_a_vector_that_is_broadcast_has_the_norm_of_all_its_elements():
    x, y = np.random.default_rng(0).standard_normal((2, 3)), np.array([[2.0, -1.0, 0.5]])
    wide = np.broadcast_to(y, x.shape)
    expected = (x * wide).sum(0) / np.sqrt((x * x).sum(0) * (wide * wide).sum(0))
    np.testing.assert_allclose(F.cosine_similarity(tn.tensor(x), tn.tensor(y), dim=0).numpy(), expected, rtol=1e-12)
