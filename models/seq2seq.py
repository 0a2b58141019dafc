"""An encoder reads one sequence, a decoder writes another: translation.

    N pairs   S tokens of the source   T tokens of the target   V, W tokens there are   D features

    m = encoder(source),   p(y_t | y_1, ..., y_(t-1), source) = softmax(decoder(begin, y_1, ..., y_(t-1); m)_t U^T)
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import Embedding, Linear, Module, PositionalEncoding, Transformer
from ..nn import functional as F
from .classifier import cross_entropy_and_accuracy

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class Seq2Seq(Module):
    """A transformer with encoder and decoder, for pairs of sequences.

    Formula: loss = -mean over t of log p(y_t | y_1, ..., y_(t-1), source).

    Args:
        source_vocab: V.
        target_vocab: W; one more token begins every target.
        d_model: D.
        heads: attention heads, a divisor of D.
        layers: of the encoder, and of the decoder.
        dropout: probability of a zero in training.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1, or heads do not divide D.

    Source: Vaswani et al. 2017, "Attention is all you need"; UDL 12.8.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.Seq2Seq(10, 10, d_model=16, heads=2, layers=1)
        >>> source = tn.tensor([[3, 1, 4]])
        >>> model(source, source).shape, model.predict(source, 5).shape
        ((1, 3, 10), (1, 5))
    """

    def __init__(self, source_vocab: int, target_vocab: int, d_model: int = 64, heads: int = 4, layers: int = 2,
                 dropout: float = 0.0, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if min(source_vocab, target_vocab, layers) < 1:
            raise ValueError(f"Seq2Seq: sizes must be at least 1, got {source_vocab}, {target_vocab}, {layers}")
        home: Any = {"device": device, "dtype": dtype}
        self.source_vocab, self.target_vocab, self.begin = source_vocab, target_vocab, target_vocab
        self.source = Embedding(source_vocab, d_model, **home)
        self.target = Embedding(target_vocab + 1, d_model, **home)
        self.places = PositionalEncoding(d_model, batch_first=True)
        self.transformer = Transformer(d_model, heads, layers, layers, 4 * d_model, dropout, batch_first=True,
                                       norm_first=True, **home)
        self.head = Linear(d_model, target_vocab, **home)

    def encode(self, source: ArrayLike) -> Tensor:
        """What the encoder makes of a source, (N, S) -> (N, S, D)."""
        return self.transformer.encoder(self.places(self.source(as_tensor(source))))

    def decode(self, seen: ArrayLike, memory: Tensor) -> Tensor:
        """Scores of what follows each token that was written, (N, T), (N, S, D) -> (N, T, W)."""
        seen = as_tensor(seen)
        h = self.places(self.target(seen))
        mask = F.causal_mask(seen.shape[1], dtype=h.dtype, device=h.device)
        return self.head(self.transformer.decoder(h, memory, tgt_mask=mask, tgt_is_causal=True))

    def forward(self, source: ArrayLike, target: ArrayLike) -> Tensor:
        """Scores (logits, nats) of each token of the target, given those before it: (N, S), (N, T) -> (N, T, W)."""
        target = as_tensor(target)
        begin = ops.full((target.shape[0], 1), self.begin, dtype=target.dtype, device=target.device)
        return self.decode(ops.concat([begin, target[:, :-1]], axis=1), self.encode(source))

    def loss(self, source: ArrayLike, target: ArrayLike) -> dict[str, Tensor]:
        """How surprised the model is by the target, mean over its tokens.

        Args:
            source: integers (N, S).
            target: integers (N, T).

        Returns:
            {"loss"} in nats per token, {"accuracy"} the share of tokens whose most probable value is right.
        """
        scores, target = self(source, target), as_tensor(target)
        return cross_entropy_and_accuracy(ops.reshape(scores, (-1, self.target_vocab)), ops.reshape(target, (-1,)))

    def predict(self, source: ArrayLike, length: int) -> Tensor:
        """Write a target of this length, the most probable token each time: (N, S) -> (N, length)."""
        with no_grad(), self.evaluating():
            source = as_tensor(source)
            memory = self.encode(source)
            seen = ops.full((source.shape[0], 1), self.begin, dtype=source.dtype, device=source.device)
            for _ in range(length):
                new = ops.argmax(self.decode(seen, memory)[:, -1], axis=-1)
                seen = ops.concat([seen, ops.astype(new, seen.dtype)[:, None]], axis=1)
            return seen[:, 1:]
