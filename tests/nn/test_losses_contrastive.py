"""Contrastive losses against loops, and what raises."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)
A, B, OTHERS = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3)), RNG.standard_normal((5, 3))


def cosine(x, y):
    return x @ y / np.sqrt(x @ x * (y @ y))


def naive(query, own, candidates, temperature):
    """-log of the share of the own partner among all candidates."""
    scores = [np.exp(cosine(query, k) / temperature) for k in candidates]
    return -np.log(np.exp(cosine(query, own) / temperature) / sum(scores))


def test_info_nce():
    among = [naive(q, k, B, 0.2) for q, k in zip(A, B)]
    np.testing.assert_allclose(F.info_nce(A, B, temperature=0.2, reduction="none").numpy(), among, rtol=1e-10)
    given = [naive(q, k, [k, *OTHERS], 0.2) for q, k in zip(A, B)]
    found = F.info_nce(A, B, OTHERS, 0.2, "none")
    np.testing.assert_allclose(found.numpy(), given, rtol=1e-10)
    assert nn.InfoNCELoss(0.2)(A, B, OTHERS).item() == pytest.approx(np.mean(given))
    for check in (tn.gradcheck, tn.gradgradcheck):
        assert check(lambda *x: F.info_nce(*x, 0.2, "none"), [tn.tensor(x) for x in (A, B, OTHERS)], fast_mode=True)


def test_nt_xent():
    z = np.concatenate([A, B])
    each = [naive(z[i], z[(i + 4) % 8], [z[k] for k in range(8) if k != i], 0.5) for i in range(8)]
    np.testing.assert_allclose(F.nt_xent(A, B, reduction="none").numpy(), each, rtol=1e-10)
    assert nn.NTXentLoss()(A, B).item() == pytest.approx(np.mean(each))
    for check in (tn.gradcheck, tn.gradgradcheck):
        assert check(lambda x, y: F.nt_xent(x, y, reduction="none"), (tn.tensor(A), tn.tensor(B)), fast_mode=True)


@pytest.mark.parametrize("call, message", [
    (lambda: F.info_nce(A, B[:3]), "query and positive must have equal shapes"),
    (lambda: F.info_nce(A, B, OTHERS[:, :2]), r"negatives: expected shape \(M, 3\)"),
    (lambda: F.nt_xent(A[0], B[0]), r"first: expected shape \(N, D\)"),
    (lambda: F.nt_xent(A[:0], B[:0]), "mean over an empty batch"),
    (lambda: nn.NTXentLoss(0.0), "temperature: expected a finite number > 0"),
    (lambda: nn.InfoNCELoss(reduction="all"), "reduction: expected one of"),
])
def test_what_raises(call, message):
    with pytest.raises(ValueError, match=message):
        call()
