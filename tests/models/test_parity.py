"""The same training as in PyTorch: equal weights and batches, 50 steps in float64, the losses agree to 1e-8."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import GCN, GPT, LeNet, MLPClassifier

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.host_only]
T = torch.nn


def copied(model, names, twin):
    """Give a PyTorch module the weights of ours; `names`: pairs (ours begins with, theirs begins with)."""
    state = {k: torch.tensor(v.numpy()) for k, v in model.state_dict().items()}
    for mine, theirs in names:
        state = {theirs + k[len(mine):] if k.startswith(mine) else k: v for k, v in state.items()}
    twin.double().load_state_dict({k: v for k, v in state.items() if k in twin.state_dict()})
    return twin


def agree(model, loss, twin, twin_loss, batches, lr=0.01):
    ours, theirs = tn.optim.Adam(model.parameters(), lr=lr), torch.optim.Adam(twin.parameters(), lr=lr)
    pairs = []
    for batch in batches:
        ours.zero_grad()
        theirs.zero_grad()
        a, b = loss(*batch), twin_loss(*(torch.as_tensor(part) for part in batch))
        a.backward()
        b.backward()
        ours.step()
        theirs.step()
        pairs.append((a.item(), b.item()))
    a, b = np.array(pairs).T
    np.testing.assert_allclose(a, b, rtol=1e-8)
    assert len(pairs) == 50 and a[-5:].mean() < a[:5].mean()


def images(rng, n=50):
    y = rng.integers(0, 3, (n, 8))
    return [(rng.normal(size=(8, 64)) + 0.5 * labels[:, None] * (np.arange(64) < 20), labels) for labels in y]


def test_perceptron(rng):
    model = MLPClassifier(64, 3, (16, 8), dtype=tn.float64)
    twin = T.Sequential(T.Linear(64, 16), T.ReLU(), T.Linear(16, 8), T.ReLU(), T.Linear(8, 3))
    copied(model, [("layers.", "")], twin)
    agree(model, lambda x, y: model.loss(x, y)["loss"], twin, lambda x, y: T.functional.cross_entropy(twin(x), y),
          images(rng))


def test_convolutions(rng):
    model = LeNet((1, 8, 8), 3, (4, 6), 12, dropout=0.0, dtype=tn.float64)
    twin = T.Sequential(T.Conv2d(1, 4, 3, padding=1), T.BatchNorm2d(4), T.ReLU(), T.MaxPool2d(2),
                        T.Conv2d(4, 6, 3, padding=1), T.BatchNorm2d(6), T.ReLU(), T.MaxPool2d(2),
                        T.Flatten(), T.Linear(24, 12), T.ReLU(), T.Linear(12, 3)).double()
    mine = [v.numpy() for v in model.parameters()]
    with torch.no_grad():
        for p, value in zip(twin.parameters(), mine):
            p.copy_(torch.tensor(value))
    agree(model, lambda x, y: model.loss(x, y)["loss"], twin,
          lambda x, y: T.functional.cross_entropy(twin(x.reshape(-1, 1, 8, 8)), y), images(rng))


def test_language_model(rng):
    model = GPT(7, 6, 16, 2, 2, dtype=tn.float64)

    class Twin(T.Module):
        def __init__(self):
            super().__init__()
            self.token, self.place = T.Embedding(7, 16), T.Embedding(6, 16)
            self.blocks = T.ModuleList([T.TransformerEncoderLayer(
                16, 2, 64, 0.0, "gelu", batch_first=True, norm_first=True) for _ in range(2)])
            self.norm = T.LayerNorm(16)

        def forward(self, tokens):
            h = self.token(tokens) + self.place.weight
            mask = torch.triu(torch.full((6, 6), -torch.inf, dtype=torch.float64), 1)
            for block in self.blocks:
                h = block(h, src_mask=mask)
            return self.norm(h) @ self.token.weight.T
    twin = copied(model, [], Twin())
    starts = rng.integers(0, 7, (50, 8, 1))
    batches = [((s + np.arange(6)) % 7, (s + np.arange(1, 7)) % 7) for s in starts]
    agree(model, lambda x, y: model.loss(x, y)["loss"], twin,
          lambda x, y: T.functional.cross_entropy(twin(x).reshape(-1, 7), y.reshape(-1)), batches, 3e-3)


def test_graph_convolutions():
    club = tn.data.karate_club(dtype=tn.float64)
    model = GCN(34, 2, (8,), dtype=tn.float64)
    joined = tn.nn.graph.to_dense_adjacency(club, tn.float64).numpy() + np.eye(34)
    scale = joined.sum(1) ** -0.5
    A = torch.tensor(scale[:, None] * joined * scale)
    weights = [torch.tensor(p.numpy(), requires_grad=True) for p in model.parameters()]
    names = [name for name, _ in model.named_parameters()]

    class Twin(T.Module):
        def __init__(self):
            super().__init__()
            self.list = T.ParameterList([T.Parameter(w.detach().clone()) for w in weights])

        def forward(self):
            h = torch.eye(34, dtype=torch.float64)
            for k in range(2):
                p = {n.split(".", 2)[2]: w for n, w in zip(names, self.list) if n.startswith(f"layers.{k}.")}
                bias = p.pop("bias")
                w = next(iter(p.values()))
                h = A @ (h @ (w.T if w.shape[1] == h.shape[1] else w)) + bias
                h = torch.relu(h) if k == 0 else h
            return h
    twin, rows = Twin(), [0, 33]
    batches = [(np.array([0, 1]),)] * 50
    agree(model, lambda y: model.loss(club.x, club, club.y, rows)["loss"], twin,
          lambda y: T.functional.cross_entropy(twin()[rows], y), batches)
