"""What users write; mypy must find nothing to say, and know the types that `assert_type` states."""
from collections.abc import Iterator
from typing import Any, assert_type

import numpy as np

import tinygrad_notes as tn
from tinygrad_notes.nn import functional as F
from tinygrad_notes.typing import ArrayLike


def making() -> list[tn.Tensor]:
    rows: list[list[float]] = [[1.0, 2.0], [3.0, 4.0]]
    x = tn.tensor(rows, requires_grad=True)
    generator = tn.Generator(0).manual_seed(1)
    mixed = [x[0, 0], 1.0]
    return [
        x, tn.tensor(3), tn.tensor(np.ones(3), dtype=tn.float64), tn.tensor([True, False]), tn.asarray((1, 2)),
        tn.tensor(mixed), tn.zeros(3), tn.zeros((2, 3), dtype="float32", device="cpu"), tn.zeros(2, 3),
        tn.ones(x.shape), tn.arange(5), tn.arange(0.0, 1.0, 0.1, dtype=np.float32), tn.eye(3), tn.full((2,), 1.5),
        tn.linspace(0, 1, 5), tn.randn(2, 3, generator=generator), tn.rand((2, 3)), tn.normal((2,), 0.0, 1.0),
        tn.randint(0, 10, (4,)), tn.from_numpy(np.zeros(2)), tn.zeros_like(x, device=tn.current_device()),
        tn.ones(np.int64(3)), tn.as_tensor(range(3)), tn.full_like(x, x[0, 0]),
    ]


def computing(x: tn.Tensor, a: np.ndarray, k: int) -> tn.Tensor:
    y = (x + 1) * 2.0 - 3 / x // 2 % 5 + x ** 2 @ x.T - (-x) + abs(x) + [1.0, 2.0] + (1 - x) + 2 ** x + x @ a
    y += 1
    y *= x
    mask = (x > 0) & ~(x == 1) | (x <= y)
    y[mask] = 0.0
    y[0, 1:, ..., None] = x[[0, 1]]
    y = y[k] + y[-1] + y[..., ::2] + y[mask] + y[None, :, 0] + y[np.arange(3)] + y[x.long()]
    for row in x:
        y = y + row
    assert_type(x.sum(), tn.Tensor)
    assert_type(x.shape, tuple[int, ...])
    assert_type(len(x), int)
    assert_type(float(x), float)
    assert_type(x.grad, tn.Tensor | None)
    assert_type(tn.topk(x, 2).indices, tn.Tensor)
    assert_type(divmod(x, 2), tuple[tn.Tensor, tn.Tensor])
    values, indices = x.topk(k)
    u, s, vh = tn.linalg.svd(x, full_matrices=False)
    low, high = tn.aminmax(x, axis=(0, 1))
    first, *rest = tn.split(x, 2, axis=-1)
    numbers: list[float] = [x.sum().item(), float(y.mean()), *x.tolist()]
    z = tn.sin(x) + tn.sum([1.0, 2.0]) + tn.max(x, axis=0, keepdims=True) + x.mean((0, 1), dtype=tn.float64)
    z = z + tn.concat([x, y], axis=1) + tn.stack((x, y)) + tn.where(x > 0, x, 0.0) + tn.einsum("ij,jk->ik", x, y)
    z = z + x.reshape(-1, 2).reshape((2, -1)).transpose(0, 1).astype(tn.float32).to("cpu").float().permute([1, 0])
    z = z + x.softmax(-1).exp().log1p().clip(0, 1).square().sqrt().tanh().view(-1).flatten().expand_dims(0).squeeze()
    z = z + tn.fft.rfft(x).real + tn.linalg.inv(x).mT + tn.cumulative_sum(x, axis=0) + tn.atleast_1d(x) + tn.pad(x, 1)
    return z + values + indices + u + s + vh + low + high + first + sum(numbers) + len(rest) + np.sum(z.numpy())


def derivatives(x: tn.Tensor) -> tn.Tensor:
    (x * x).sum().backward(retain_graph=True)
    assert x.grad is not None
    value, gradient = tn.value_and_grad(lambda w: (w * w).sum())(x)
    (inner,) = tn.autograd.grad(x.sum(), x, create_graph=True)
    _, pull = tn.vjp(tn.sin, x)
    _, tangent = tn.jvp(tn.sin, (x,), (x,))
    handle = x.register_hook(lambda g: 2 * g)
    handle.remove()
    x.detach().requires_grad_().fill_(0.0).add_(x, alpha=2).clamp_(0, 1)
    with tn.no_grad(), tn.detect_anomaly(), tn.current_device():
        x -= 0.1 * x.grad
    check = tn.gradcheck(tn.sin, (x,), rtol=1e-5)
    print(check.verdict, check.worst, check.report(), bool(check), tn.graph(value, {"x": x}).svg())
    rows = tn.jacobian(tn.sin)(x) + tn.hessian(tn.sum, argnums=0)(x)
    return tn.grad(tn.sum)(x) + rows + pull(tangent)[0] + inner + gradient


@tn.no_grad()
def accuracy(scores: tn.Tensor, labels: ArrayLike) -> float:
    return (scores.argmax(-1) == labels).float().mean().item()


my_cube = tn.autograd.elementwise("typed_cube", lambda xp, x: x * x * x, x=lambda g, x: 3 * g * x * x)
assert_type(my_cube(2.0), tn.Tensor)
assert_type(my_cube.primitive.name, Any)


class Residual(tn.nn.Module):
    def __init__(self, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.layers = tn.nn.Sequential(tn.nn.Linear(width, width), tn.nn.ReLU(), tn.nn.Dropout(dropout))
        self.scale = tn.nn.Parameter(tn.ones(width))
        self.register_buffer("seen", tn.zeros(()))

    def forward(self, x: tn.Tensor, gain: float = 1.0) -> tn.Tensor:
        return x + gain * self.scale * self.layers(x)


def training(epochs: int) -> list[float]:
    model = Residual(8)
    data = tn.data.TensorDataset(tn.randn(100, 8), tn.zeros((100,), dtype=tn.int64))
    loader = tn.data.DataLoader(data, 10, shuffle=True, generator=0)
    optimizer = tn.optim.Adam(model.parameters(), lr=1e-3, weight_decay=0.01)
    groups = tn.optim.SGD([{"params": [model.scale], "lr": 0.1}, {"params": model.layers.parameters()}], lr=0.01)
    schedule = tn.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    criterion = tn.nn.CrossEntropyLoss(label_smoothing=0.1)
    losses: list[float] = []
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            scores = model(x, gain=0.5)
            assert_type(scores, tn.Tensor)
            loss = criterion(scores, y) + F.mse_loss(scores, x) + 1e-3 * sum((p ** 2).sum() for p in model.parameters())
            assert_type(criterion(scores, [0, 1]), tn.Tensor)
            loss.backward()
            optimizer.step()
            groups.step()
            losses.append(loss.item())
        schedule.step()
        print(schedule.get_last_lr()[0], accuracy(model(x), y))
    for name, p in model.named_parameters():
        print(name, p.shape, p.grad.numpy() if p.grad is not None else None)
    model.eval().to("cpu", tn.float64).train().apply(lambda module: None).requires_grad_(False)
    model.load_state_dict(model.state_dict())
    optimizer.load_state_dict(optimizer.state_dict())
    assert_type(model.layers[0].weight, Any)
    assert_type(tn.nn.Linear(2, 3).weight, tn.nn.Parameter)
    tn.save({"model": model.state_dict(), "epoch": epochs}, "model.safetensors")
    tn.nn.init.xavier_uniform_(model.scale, gain=2.0)
    print(tn.nn.functional_call(model, {"scale": tn.ones(8)}, tn.ones((1, 8))), tn.nn.summary(model, (1, 8)))
    return losses


def pieces(model: tn.nn.Module) -> Iterator[tn.Tensor]:
    yield from model.parameters()
    for module in model.modules():
        if isinstance(module, tn.nn.Linear) and module.bias is not None:
            yield module.bias


def ready_made(x: tn.Tensor, y: tn.Tensor) -> float:
    vae, classifier = tn.models.VAE(64, latent_dim=4), tn.models.MLPClassifier(64, 10, hidden=(32,))
    mean, log_var = vae.encode(x)
    loss = vae.loss(x)["loss"] + classifier.loss(x, y)["loss"] + (mean + log_var).sum()
    loss.backward()
    return classifier.accuracy(x, y) + vae.sample(3).sum().item()


def graphs(members: tn.nn.graph.Graph) -> list[int]:
    layer = tn.nn.GATConv(34, 8, heads=2, edge_dim=None)
    ring = tn.nn.graph.Graph([0, 1, 2], [1, 2, 0], num_nodes=3, x=tn.ones((3, 34)))
    both = tn.nn.graph.batch_graphs([members.replace(y=None), ring])
    assert_type(tn.nn.GCNConv(34, 2)(tn.ones((3, 34)), ring, edge_weight=[1.0, 2.0, 3.0]), tn.Tensor)
    assert_type(both.adjacency @ tn.ones((both.num_nodes, 2)), tn.Tensor)
    pooled = tn.nn.graph.global_mean_pool(layer(tn.ones((both.num_nodes, 34)), both), both.batch)
    part = tn.nn.graph.sample_neighbours(both, [0], [5, 5], generator=tn.Generator(0))
    assert_type(part.graph.in_degree, tn.Tensor)
    return [*pooled.shape, part.nodes.shape[0], tn.Segments([0, 1], 2).num_segments]
