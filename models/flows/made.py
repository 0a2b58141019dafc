"""Masked networks: output i reads only inputs that come before i, so that one pass gives every conditional."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import as_tensor, no_grad
from ...nn import Buffer, Linear, Module, Sequential, Tanh
from ...nn import functional as F
from ..noise import standard_normal, standard_uniform
from .base import LOG_2PI, checked
from .coupling import start_at_zero

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike

LIKELIHOODS = {"bernoulli": 1, "gaussian": 2}  # numbers per conditional


class MaskedLinear(Linear):
    """An affine layer some of whose weights are zero and stay zero.

    Formula: y = (mask * W) x + b.

    Args:
        mask: (out_features, in_features) of zeros and ones.
        device, dtype: of the parameters.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.MaskedLinear([[1.0, 0.0]])
        >>> bool(layer(tn.tensor([[1.0, 2.0]])) == layer(tn.tensor([[1.0, 5.0]])))
        True
    """

    def __init__(self, mask: ArrayLike, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        mask = as_tensor(mask)
        super().__init__(mask.shape[1], mask.shape[0], device=device, dtype=dtype)
        self.mask = Buffer(ops.astype(mask, self.weight.dtype).to(self.weight.device))

    def forward(self, input: ArrayLike) -> Tensor:
        """(..., in_features) -> (..., out_features)."""
        return F.linear(as_tensor(input), self.weight * self.mask, self.bias)


class MaskedMLP(Sequential):
    """A perceptron whose output for feature i depends only on the features before i.

    Formula: unit k of a hidden layer has a number m(k), unit k' of the next sees it where m(k') >= m(k); the outputs of
        feature i see units with m(k) < i. The Jacobian of outputs by inputs is strictly lower triangular.

    Args:
        features: D.
        outputs: numbers per feature; the output has shape (N, D, outputs).
        hidden: widths of the hidden layers (tanh).
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1.

    Source: Germain, Gregor, Murray & Larochelle 2015, "MADE: masked autoencoder for distribution estimation".

    Example:
        >>> import tinygrad_notes as tn
        >>> network = tn.models.flows.MaskedMLP(3, 1, (8,))
        >>> J = tn.jacobian(lambda x: network(x[None])[0, :, 0])(tn.ones((3,)))
        >>> float(abs(tn.triu(J)).max())
        0.0
    """

    def __init__(self, features: int, outputs: int = 1, hidden: Sequence[int] = (64, 64), *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        hidden = tuple(hidden)
        if min((features, outputs, *hidden)) < 1:
            raise ValueError(f"MaskedMLP: sizes must be at least 1, got {features}, {outputs}, {hidden}")
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        before = ops.arange(1, features + 1)
        layers: list[Module] = []
        for width in hidden:
            numbers = ops.arange(width) % max(1, features - 1) + 1
            layers += [MaskedLinear(numbers[:, None] >= before, **home), Tanh()]
            before = numbers
        mine = ops.repeat(ops.arange(1, features + 1), outputs)
        super().__init__(*layers, MaskedLinear(mine[:, None] > before, **home))
        self.outputs = outputs

    def forward(self, input: ArrayLike) -> Tensor:
        """(N, D) -> (N, D, outputs)."""
        out = super().forward(input)
        return ops.reshape(out, (out.shape[0], -1, self.outputs))  # (N, D * outputs) -> (N, D, outputs)


class MADE(Module):
    """A density as a product of conditionals, all of them from one pass of one network.

    Formula: log p(x) = sum_i log p(x_i | x_1 ... x_(i-1)); each conditional is Bernoulli(sigmoid(f_i)) or
        N(m_i, exp(s_i)^2). Samples are drawn one feature after the other, D passes.

    Args:
        features: D.
        hidden: widths of the hidden layers.
        likelihood: 'bernoulli' for values from 0 to 1, 'gaussian' for real ones.
        device, dtype: of the parameters.

    Raises:
        ValueError: `likelihood` is unknown.

    Source: Germain et al. 2015, equations 2 and 11; the notes, section 7.3.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> made = tn.models.flows.MADE(3, likelihood="gaussian")
        >>> made.log_prob(tn.zeros((5, 3))).shape, made.sample(4).shape
        ((5,), (4, 3))
    """

    def __init__(self, features: int, hidden: Sequence[int] = (128, 128), likelihood: str = "bernoulli", *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if likelihood not in LIKELIHOODS:
            raise ValueError(f"likelihood: expected one of {', '.join(LIKELIHOODS)}, got {likelihood!r}")
        self.features, self.likelihood = features, likelihood
        self.network = MaskedMLP(features, LIKELIHOODS[likelihood], hidden, device=device, dtype=dtype)
        start_at_zero(self.network[-1])

    def log_prob(self, x: ArrayLike) -> Tensor:
        """log p(x) of each example in nats, (N,)."""
        x = checked("MADE", x, self.features)
        out = self.network(x)
        if self.likelihood == "bernoulli":
            return -ops.sum(F.binary_cross_entropy_with_logits(out[..., 0], x, reduction="none"), axis=1)
        error = (x - out[..., 0]) * ops.exp(-out[..., 1])
        return -ops.sum(0.5 * (error * error + LOG_2PI) + out[..., 1], axis=1)

    def loss(self, x: ArrayLike) -> dict[str, Tensor]:
        """The negative log-likelihood, mean over the batch, in nats per example: {"loss"}."""
        return {"loss": -ops.mean(self.log_prob(x))}

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """`n` new examples, (n, D), without recording."""
        like = next(self.parameters())
        draw = standard_uniform if self.likelihood == "bernoulli" else standard_normal
        with no_grad(), self.evaluating():
            noise = draw((n, self.features), like, generator)
            x = ops.zeros_like(noise)
            for i in range(self.features):
                out = self.network(x)[:, i]
                if self.likelihood == "bernoulli":
                    column = ops.astype(noise[:, i] < ops.sigmoid(out[:, 0]), like.dtype)
                else:
                    column = out[:, 0] + ops.exp(out[:, 1]) * noise[:, i]
                x[:, i] = column
            return x
