"""Whole training steps, made twice from the same seed: one runs plainly, the other recorded."""
import numpy as np

import tinygrad_notes as tn

nn, F = tn.nn, tn.nn.functional


class Work:
    """A model, what changes in a step, and the step.

    Fields:
        step: a function of tensors that returns a tensor or a tuple of them.
        batches: arrays for successive calls.
        modules, optimizers: whose state is compared.
    """

    def __init__(self, step, batches, modules=(), optimizers=(), tensors=()):
        self.step, self.batches = step, batches
        self.modules, self.optimizers, self.tensors = modules, optimizers, tensors

    def state(self):
        """Everything that a step may change, by name."""
        found = {}
        for k, module in enumerate(self.modules):
            found.update({f"{k}.{name}": t for name, t in module.state_dict().items()})
            found.update({f"{k}.{name}.grad": p.grad for name, p in module.named_parameters()})
        for k, optimizer in enumerate(self.optimizers):
            for number, entry in optimizer.state_dict()["state"].items():
                found.update({f"optimizer {k}.{number}.{name}": t for name, t in entry.items()})
        found.update({f"tensor {k}": t for k, t in enumerate(self.tensors)})
        return {name: np.asarray(t.numpy() if isinstance(t, tn.Tensor) else t) for name, t in found.items()
                if t is not None}


def data(*shapes, classes=None, n=4):
    """Arrays for `n` calls."""
    rng = np.random.default_rng(0)
    batches = []
    for _ in range(n):
        arrays = [rng.standard_normal(shape).astype("float32") for shape in shapes]
        batches.append((*arrays, rng.integers(0, classes, shapes[0][0])) if classes else tuple(arrays))
    return batches


def classifier(optimizer=lambda p: tn.optim.AdamW(p, lr=1e-2)):
    """A step with dropout, two kinds of normalization, cross-entropy and an optimizer."""
    model = nn.Sequential(nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 8),
                          nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3))
    opt = optimizer(model.parameters())

    def step(x, y):
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss
    return Work(step, data((5, 4), classes=3), [model], [opt])


def gradients_only():
    """Forward and backward without an optimizer: gradients are left behind, and add up."""
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))

    def step(x):
        loss = tn.mean(model(x) ** 2)
        loss.backward()
        return loss
    return Work(step, data((5, 4)), [model])


def by_hand():
    """Gradient descent written out, with a weight that has no module."""
    w = tn.randn(4, 2, requires_grad=True)

    def step(x):
        w.grad = None
        loss = tn.sum(tn.sin(x @ w))
        loss.backward()
        with tn.no_grad():
            w.sub_(w.grad * 0.1)
        return loss, w.detach() * 2
    return Work(step, data((3, 4)), tensors=[w])


def penalty():
    """A step whose loss holds a gradient: second derivatives."""
    critic = nn.Sequential(nn.Linear(2, 8), nn.Softplus(), nn.Linear(8, 1))
    opt = tn.optim.RMSprop(critic.parameters(), lr=1e-2)

    def step(real, fake):
        opt.zero_grad()
        mixed = (real * 0.3 + fake * 0.7).detach().requires_grad_()
        (g,) = tn.autograd.grad(tn.sum(critic(mixed)), [mixed], create_graph=True)
        loss = tn.mean(critic(fake)) - tn.mean(critic(real)) + 10 * tn.mean((tn.sqrt(tn.sum(g * g, axis=1)) - 1) ** 2)
        loss.backward()
        opt.step()
        return loss
    return Work(step, data((6, 2), (6, 2)), [critic], [opt])


def noise():
    """Random draws of several kinds, and a running value kept in an attribute."""
    class Averaging(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("average", tn.zeros(3))

        def forward(self, x):
            noisy = x + tn.randn(*x.shape) * tn.bernoulli(0.5, x.shape) + tn.rand(3) + tn.randint(0, 3, (3,))
            self.average = 0.9 * self.average + 0.1 * tn.mean(noisy.detach(), axis=0)
            return noisy - self.average
    model = Averaging()
    return Work(lambda x: tn.sum(model(x) ** 2, axis=1), data((5, 3)), [model])


WORKS = {"classifier": classifier, "gradients only": gradients_only, "by hand": by_hand, "penalty": penalty,
         "noise": noise}
