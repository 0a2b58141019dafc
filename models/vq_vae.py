"""The vector-quantized autoencoder: codes are entries of a table, so that an example becomes a few whole numbers.

    x  data, D numbers        M  codes per example        B  entries of the table, C numbers each

    encoder     z = f(x), (M, C)
    quantizer   k_m = argmin_b |z_m - e_b|,  q_m = e_(k_m)
    decoder     g(q), D numbers

The quantizer has no slope. Its gradient is passed straight through, q = z + stop(e_k - z); the table follows the codes
that choose it, by its own loss or as a moving mean; and the codes are kept near the table (commitment).
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import MLP, Buffer, Module, Parameter, SiLU

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class VectorQuantizer(Module):
    """A table of vectors, of which every input is given the nearest.

    Formula: q = z + stop(e_k - z), k = argmin_b |z - e_b|. The loss has commitment |z - stop(e_k)|^2, and without
        `decay` |stop(z) - e_k|^2 for the table. With `decay` the table is N_b <- d N_b + (1 - d) n_b,
        m_b <- d m_b + (1 - d) sum of the z that chose b, e_b = m_b / N_b, in training.

    Args:
        entries: B.
        dim: C.
        commitment: weight, >= 0.
        decay: d, from 0 to 1; 0: the table is a parameter.
        revive: entries chosen less often than this share of an even use move to a code of the batch ('decay' only).

    Raises:
        ValueError: a number is out of range.

    Source: van den Oord, Vinyals & Kavukcuoglu 2017, equations 1 to 3 and appendix A.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.VectorQuantizer(3, 1, decay=0)
        >>> layer.table.data[...] = [[0.0], [1.0], [5.0]]
        >>> q, k, loss = layer(tn.tensor([[0.9], [4.0]]))
        >>> q.tolist(), k.tolist()
        ([[1.0], [5.0]], [1, 2])
    """

    def __init__(self, entries: int, dim: int, commitment: float = 0.25, decay: float = 0.99, revive: float = 0.03, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if min(entries, dim) < 1 or commitment < 0 or not 0 <= decay < 1 or revive < 0:
            raise ValueError("VectorQuantizer: expected entries, dim >= 1, commitment, revive >= 0 and 0 <= decay < 1, "
                             f"got {entries}, {dim}, {commitment!r}, {revive!r}, {decay!r}")
        self.commitment, self.decay, self.revive = commitment, decay, revive
        table = ops.normal((entries, dim), device=device, dtype=dtype)
        self.table: Tensor
        if decay:
            self.table = Buffer(table)
            self.sums = Buffer(table.clone())
            self.counts = Buffer(ops.ones(entries, device=device, dtype=dtype))
        else:
            self.table = Parameter(table)

    def nearest(self, z: ArrayLike) -> Tensor:
        """Numbers of the nearest entries, (N, C) -> (N,) of int64."""
        with no_grad():
            z, e = as_tensor(z).detach(), self.table.detach()
            distance = ops.sum(e * e, axis=-1) - 2 * z @ e.T  # without |z|^2, the same for all
            return ops.argmin(distance, axis=-1)

    def stops(self, z: Tensor) -> dict[str, Tensor]:
        """What is behind the stops of the gradient for these codes: the choice, z, e, and e - z."""
        k = self.nearest(z)
        e = self.table.detach()[k]
        return {"k": k, "z": z.detach(), "e": e, "offset": e - z.detach()}

    def forward(self, z: ArrayLike, stops: dict[str, Tensor] | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Quantize.

        Args:
            z: (N, C).
            stops: what `stops` returned before, to be kept (for checks of gradients).

        Returns:
            q (N, C), the choice (N,), and the loss of table and commitment, a mean over the codes.
        """
        z = as_tensor(z)
        kept = stops or self.stops(z)
        loss = self.commitment * ops.mean(ops.sum(ops.square(z - kept["e"]), axis=-1))
        if not self.decay:
            loss = loss + ops.mean(ops.sum(ops.square(kept["z"] - self.table[kept["k"]]), axis=-1))
        elif self.training:
            self._follow(kept["z"], kept["k"])
        return z + kept["offset"], kept["k"], loss

    def _follow(self, z, k):
        """Move the table to the running means of the codes that chose its entries."""
        with no_grad():
            b, d = len(self.table), self.decay
            chosen = ops.astype(k[:, None] == ops.arange(b, device=z.device), z.dtype)  # (N, B)
            counts = d * self.counts + (1 - d) * ops.sum(chosen, axis=0)
            sums = d * self.sums + (1 - d) * chosen.T @ z
            idle = (counts < self.revive * len(z) / b)[:, None]
            fresh = z[ops.randint(0, len(z), (b,), device=z.device)]
            even = ops.full((b,), len(z) / b, dtype=counts.dtype, device=z.device)
            counts = ops.where(idle[:, 0], even, counts)
            sums = ops.where(idle, fresh * counts[:, None], sums)
            self.counts.data, self.sums.data = counts.data, sums.data
            self.table.data = (sums / counts[:, None]).data


class VQVAE(Module):
    """An autoencoder of M codes out of a table per example.

    Formula: loss = mean |x - g(q)|^2 + the quantizer's, see `VectorQuantizer`.

    Args:
        data_dim: D, numbers per example.
        codes: M, codes per example.
        entries: B, size of the table.
        code_dim: C, numbers per entry.
        hidden: widths of the hidden layers of the encoder; the decoder has them in reverse.
        unit: whether values are from 0 to 1 (a sigmoid at the end).
        commitment, decay: as in `VectorQuantizer`.

    Raises:
        ValueError: a size is below 1, or a number is out of range.

    Source: van den Oord, Vinyals & Kavukcuoglu 2017, "Neural discrete representation learning".

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.VQVAE(64, codes=4, entries=8, hidden=(16,))
        >>> x = tn.data.digits.load()[0].tensors[0][:5]
        >>> sorted(model.loss(x)), model.encode(x).shape, model.sample(3).shape
        (['loss', 'perplexity', 'quantization', 'reconstruction'], (5, 4), (3, 64))
    """

    def __init__(self, data_dim: int, codes: int = 8, entries: int = 32, code_dim: int = 8,
                 hidden: Sequence[int] = (256, 128), *, unit: bool = False, commitment: float = 0.25,
                 decay: float = 0.99, activation: Any = None, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        hidden = tuple(hidden)
        if min((data_dim, codes, *hidden)) < 1:
            raise ValueError(f"VQVAE: sizes must be at least 1, got {data_dim}, {codes}, {hidden}")
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.data_dim, self.codes, self.code_dim, self.unit = data_dim, codes, code_dim, unit
        self.encoder = MLP([data_dim, *hidden, codes * code_dim], activation or SiLU, **home)
        self.quantizer = VectorQuantizer(entries, code_dim, commitment, decay, **home)
        self.decoder = MLP([codes * code_dim, *hidden[::-1], data_dim], activation or SiLU, **home)
        self.used = Buffer(ops.ones((codes, entries), **home))  # how often each place had each entry, fading

    def codes_of(self, x: ArrayLike) -> Tensor:
        """z = f(x), (N, D) -> (N M, C)."""
        return ops.reshape(self.encoder(as_tensor(x)), (-1, self.code_dim))  # (N, M C) -> (N M, C)

    def encode(self, x: ArrayLike) -> Tensor:
        """The whole numbers that stand for each example, (N, D) -> (N, M) of int64; without recording."""
        with no_grad():
            return ops.reshape(self.quantizer.nearest(self.codes_of(x)), (-1, self.codes))

    def decode(self, k: ArrayLike) -> Tensor:
        """Examples from whole numbers, (N, M) -> (N, D)."""
        return self._decoded(self.quantizer.table[ops.reshape(as_tensor(k), (-1,))])

    def _decoded(self, q):
        out = self.decoder(ops.reshape(q, (-1, self.codes * self.code_dim)))  # (N M, C) -> (N, M C)
        return ops.sigmoid(out) if self.unit else out

    def stops(self, x: ArrayLike) -> dict[str, Tensor]:
        """What is behind the stops of the gradient, for `loss`: with it kept, slopes of the loss are its gradient."""
        with no_grad():
            return self.quantizer.stops(self.codes_of(x))

    def loss(self, x: ArrayLike, stops: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """The squared distance to what comes back, and the quantizer's loss; means over the batch.

        Args:
            x: (N, D).
            stops: see `stops`.

        Returns:
            {"loss", "reconstruction", "quantization", "perplexity"}; the last is e to the entropy of the entries used.
        """
        x = as_tensor(x)
        q, k, quantization = self.quantizer(self.codes_of(x), stops)
        reconstruction = ops.mean(ops.sum(ops.square(x - self._decoded(q)), axis=-1))
        with no_grad():
            entries = ops.arange(len(self.quantizer.table), device=k.device)
            chosen = ops.astype(ops.reshape(k, (-1, self.codes))[:, :, None] == entries, q.dtype)  # (N, M, B)
            share = ops.mean(chosen, axis=(0, 1))
            perplexity = ops.exp(-ops.sum(share * ops.log(share + 1e-12)))
            if self.training:
                self.used.data = (0.99 * self.used + ops.sum(chosen, axis=0)).data
        return {"loss": reconstruction + quantization, "reconstruction": reconstruction, "quantization": quantization,
                "perplexity": perplexity}

    def predict(self, x: ArrayLike) -> Tensor:
        """What comes back of x, (N, D) -> (N, D), without recording."""
        with no_grad(), self.evaluating():
            return self.decode(self.encode(x))

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """`n` new examples: each place draws an entry as often as it had it in training; (n, D), without recording.

        The places are drawn apart. A model of their joint law (a GPT over the M numbers) draws better ones: `decode`.
        """
        with no_grad(), self.evaluating():
            entries = ops.multinomial(self.used, n, replacement=True, generator=generator)  # (M, n)
            return self.decode(entries.T.to(self.used.device))

    def bits(self) -> float:
        """Bits per example: M log2 B."""
        return self.codes * math.log2(len(self.quantizer.table))

    def extra_repr(self) -> str:
        """Sizes."""
        return f"data_dim={self.data_dim}, codes={self.codes}, code_dim={self.code_dim}"
