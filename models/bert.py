"""A transformer that fills gaps: the encoder of the BERT family, trained to restore tokens that were hidden.

    N sequences   T tokens   V tokens there are   D features

    h^0_t = token(x_t) + place_t,   h^(l+1) = block_l(h^l) (every place sees all others),
    p(x_t | the other tokens) = softmax(LN(h^L_t) W^T)  at hidden places t
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import Dropout, Embedding, LayerNorm, Module, ModuleList, TransformerBlock
from ..nn import functional as F
from .gpt import start_like_gpt2

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class BERT(Module):
    """A stack of transformer blocks that see both sides, for hidden tokens.

    Formula: loss = -mean over hidden places t of log softmax(LN(h^L_t) W^T)_{x_t}. A share of the places is chosen; of
        these 80% show the token V (the mask), 10% a random one, 10% what was there.

    Args:
        vocab_size: V; one more token stands for what is hidden.
        context: the longest sequence.
        d_model: D.
        heads: attention heads, a divisor of D.
        layers: blocks.
        dropout: probability of a zero in training.
        share: of the places that are chosen, 0 < share <= 1.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1, heads do not divide D, or `share` is out of range; at the call: a sequence is
            longer than the context.

    Source: Devlin, Chang, Lee & Toutanova 2019, "BERT: pre-training of deep bidirectional transformers", section 3.1;
        UDL 12.6.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.BERT(vocab_size=20, context=8, d_model=16, heads=2, layers=1)
        >>> tokens = tn.tensor([[3, 1, 4, 1, 5]])
        >>> model(tokens).shape, model.predict(tn.tensor([[3, model.mask, 4]])).shape
        ((1, 5, 20), (1, 3))
    """

    def __init__(self, vocab_size: int, context: int = 64, d_model: int = 128, heads: int = 4, layers: int = 2,
                 dropout: float = 0.0, share: float = 0.15, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if min(vocab_size, context, layers) < 1:
            raise ValueError(f"BERT: sizes must be at least 1, got vocab_size {vocab_size}, context {context}, layers "
                             f"{layers}")
        if not 0 < share <= 1:
            raise ValueError(f"share: expected a number above 0 and at most 1, got {share!r}")
        home: Any = {"device": device, "dtype": dtype}
        self.vocab_size, self.context, self.share, self.mask = vocab_size, context, share, vocab_size
        self.token = Embedding(vocab_size + 1, d_model, **home)
        self.place = Embedding(context, d_model, **home)
        self.dropout = Dropout(dropout)
        self.blocks = ModuleList([TransformerBlock(d_model, heads, dropout=dropout, causal=False, **home)
                                  for _ in range(layers)])
        self.norm = LayerNorm(d_model, **home)
        start_like_gpt2(self, d_model, layers)

    def forward(self, tokens: ArrayLike) -> Tensor:
        """Scores (logits, nats) of what each place holds: (N, T) -> (N, T, V)."""
        tokens = as_tensor(tokens)
        if tokens.shape[-1] > self.context:
            raise ValueError(f"tokens: expected at most {self.context} in a sequence (the context), got "
                             f"{tokens.shape[-1]}")
        h = self.dropout(self.token(tokens) + self.place.weight[:tokens.shape[-1]])
        for block in self.blocks:
            h = block(h)
        return F.linear(self.norm(h), self.token.weight[:self.vocab_size])

    def hide(self, tokens: ArrayLike, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Tokens with some of them hidden, and which places were chosen; at least one, if by chance there is none.

        Args:
            tokens: integers (N, T).
            generator: the stream of the choice.

        Returns:
            (N, T) integers, (N, T) bool.
        """
        tokens = as_tensor(tokens)
        options: Any = {"generator": generator, "device": tokens.device, "dtype": "float32"}
        with no_grad():
            chosen = ops.uniform(tokens.shape, **options) < self.share
            if not bool(ops.any(chosen)):
                chosen = ops.reshape(ops.arange(tokens.size, device=tokens.device) == 0, tokens.shape)
            kind = ops.uniform(tokens.shape, **options)
            other = ops.randint(0, self.vocab_size, tokens.shape, generator=generator, device=tokens.device)
            shown = ops.where(kind < 0.8, self.mask, ops.where(kind < 0.9, ops.astype(other, tokens.dtype), tokens))
            return ops.where(chosen, shown, tokens), chosen

    def loss(self, tokens: ArrayLike, *_: Any, generator: Generator | None = None) -> dict[str, Tensor]:
        """How surprised the model is by the tokens that were hidden from it, mean over them.

        Args:
            tokens: integers (N, T); targets of a language model may follow, and are not read.
            generator: the stream of the choice of places.

        Returns:
            {"loss"} in nats per hidden token, {"accuracy"} the share of them that is restored.
        """
        tokens = as_tensor(tokens)
        shown, chosen = self.hide(tokens, generator)
        scores = self(shown)
        weight = ops.astype(chosen, scores.dtype)
        count = ops.sum(weight)
        surprise = F.cross_entropy(ops.reshape(scores, (-1, self.vocab_size)), ops.reshape(tokens, (-1,)),
                                   reduction="none")
        with no_grad():
            right = ops.astype(ops.argmax(scores, axis=-1) == tokens, scores.dtype)
            accuracy = ops.sum(right * weight) / count
        return {"loss": ops.sum(surprise * ops.reshape(weight, (-1,))) / count, "accuracy": accuracy}

    def predict(self, tokens: ArrayLike) -> Tensor:
        """The most probable token at each place, (N, T) -> (N, T): where `mask` stands, what was hidden."""
        with no_grad(), self.evaluating():
            return ops.argmax(self(tokens), axis=-1)
