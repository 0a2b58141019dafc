"""A transformer that says what comes next: the language model of the GPT family.

    N sequences   T tokens, at most the context   V tokens there are   D features

    h^0_t = token(x_t) + place_t,   h^(l+1) = block_l(h^l) (places see themselves and earlier ones),
    p(x_{t+1} | x_1, ..., x_t) = softmax(LN(h^L_t) W^T),   W the table of tokens itself
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import Dropout, Embedding, KVCache, LayerNorm, Module, ModuleList, TransformerBlock, init
from ..nn import functional as F
from .classifier import cross_entropy_and_accuracy
from .decode import beam_search, draw

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class LanguageModel(Module):
    """What models of sequences share: the loss of the next token, and writing. They define `forward` and `decoder`.

    Source: the notes, chapter 4; UDL 12.7.

    Example:
        >>> import tinygrad_notes as tn
        >>> issubclass(tn.models.GPT, tn.models.LanguageModel)
        True
    """

    vocab_size: int

    def loss(self, tokens: ArrayLike, targets: ArrayLike) -> dict[str, Tensor]:
        """How surprised the model is by the next token, mean over all places.

        Formula: -mean log p(target_t | tokens_1, ..., tokens_t).

        Args:
            tokens: integers (N, T).
            targets: integers (N, T), each the token behind that of its place.

        Returns:
            {"loss"} in nats per token, {"accuracy"} the share of places whose most probable token is the right one.
        """
        scores, targets = self(tokens), as_tensor(targets)
        return cross_entropy_and_accuracy(ops.reshape(scores, (-1, self.vocab_size)), ops.reshape(targets, (-1,)))

    def log_prob(self, tokens: ArrayLike) -> Tensor:
        """log p of all tokens but the first, given it: (N, T) -> (N,), nats."""
        tokens = as_tensor(tokens)
        log_p = ops.log_softmax(self(tokens[:, :-1]), axis=-1)
        return ops.sum(ops.take_along_axis(log_p, tokens[:, 1:, None], axis=-1)[:, :, 0], axis=-1)

    def predict(self, tokens: ArrayLike) -> Tensor:
        """The most probable next token behind each sequence, (N, T) -> (N,)."""
        with no_grad(), self.evaluating():
            return ops.argmax(self(tokens)[:, -1], axis=-1)

    def sample(self, n: int = 1, length: int = 100, prompt: ArrayLike = (0,), temperature: float = 1.0,
               top_k: int | None = None, top_p: float | None = None, generator: Generator | None = None) -> Tensor:
        """Write n sequences, each a prompt (S,) and `length` tokens drawn one by one; see `decode.draw`.

        Returns:
            Integers (n, S + length).
        """
        like = next(self.parameters())
        prompt = as_tensor(prompt, like=like)
        return draw(self, ops.broadcast_to(prompt[None, :], (n, prompt.shape[0])), length, temperature, top_k, top_p,
                    generator=generator)

    def search(self, prompt: ArrayLike, length: int, beams: int = 4) -> tuple[Tensor, Tensor]:
        """The most probable continuations of a prompt (S,) that a beam finds; see `decode.beam_search`."""
        return beam_search(self, as_tensor(prompt, like=next(self.parameters())), length, beams)


class GPT(LanguageModel):
    """A stack of causal transformer blocks over tokens, which shares one table for reading and writing tokens.

    Formula: loss = -mean_t log softmax(LN(h^L_t) W^T)_{x_{t+1}}.

    Args:
        vocab_size: V.
        context: T, the longest sequence it reads at once.
        d_model: D.
        heads: attention heads, a divisor of D.
        layers: L.
        dropout: probability of a zero in training: of embeddings, attention weights and both branches.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1, or heads do not divide D; at the call: a sequence is longer than the context.

    Source: Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3 (weights of
        branches begin smaller by sqrt(2 L)); UDL 12.7.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.GPT(vocab_size=20, context=8, d_model=16, heads=2, layers=2)
        >>> model(tn.tensor([[3, 1, 4]])).shape, model.sample(2, 5).shape
        ((1, 3, 20), (2, 6))
    """

    def __init__(self, vocab_size: int, context: int = 128, d_model: int = 128, heads: int = 4, layers: int = 4,
                 dropout: float = 0.0, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if min(vocab_size, context, layers) < 1:
            raise ValueError(f"GPT: sizes must be at least 1, got vocab_size {vocab_size}, context {context}, layers "
                             f"{layers}")
        home: Any = {"device": device, "dtype": dtype}
        self.vocab_size, self.context = vocab_size, context
        self.token = Embedding(vocab_size, d_model, **home)
        self.place = Embedding(context, d_model, **home)
        self.dropout = Dropout(dropout)
        self.blocks = ModuleList([TransformerBlock(d_model, heads, dropout=dropout, **home) for _ in range(layers)])
        self.norm = LayerNorm(d_model, **home)
        start_like_gpt2(self, d_model, layers)

    def forward(self, tokens: ArrayLike, caches: list[KVCache] | None = None) -> Tensor:
        """Scores (logits, nats) of the token behind each place: (N, T) -> (N, T, V).

        Args:
            tokens: integers (N, T).
            caches: a `KVCache` per block, of the tokens that came before.
        """
        tokens = as_tensor(tokens)
        past = caches[0].length if caches else 0
        end = past + tokens.shape[-1]
        if end > self.context:
            raise ValueError(f"tokens: expected at most {self.context} in a sequence (the context), got {end}")
        h = self.dropout(self.token(tokens) + self.place.weight[past:end])
        for k, block in enumerate(self.blocks):
            h = block(h, cache=caches[k] if caches else None)
        return F.linear(self.norm(h), self.token.weight)

    def decoder(self) -> CachedDecoder:
        """For `models.decode`: keys and values of earlier tokens are kept, not computed again."""
        return CachedDecoder(self)

    def attention(self, tokens: ArrayLike) -> list[Tensor]:
        """How much each place looks at each other: one table (N, heads, T, T) per block, rows add up to 1."""
        with no_grad(), self.evaluating():
            tokens = as_tensor(tokens)
            h, tables = self.token(tokens) + self.place.weight[:tokens.shape[-1]], []
            mask = F.causal_mask(tokens.shape[-1], dtype=h.dtype, device=h.device)
            for block in self.blocks:
                x = block.norm1(h)
                tables.append(block.self_attn(x, x, x, attn_mask=mask, average_attn_weights=False)[1])
                h = block(h)
        return tables

    def extra_repr(self) -> str:
        """Sizes."""
        return f"vocab_size={self.vocab_size}, context={self.context}"


def start_like_gpt2(model: Module, width: int, layers: int) -> None:
    """Draw weights as GPT-2 does: normal with deviation s = 0.55 / sqrt(D), behind a branch s / sqrt(2 layers).

    At the width of GPT-2, D = 768, s is its 0.02. Offsets become 0.
    """
    deviation = 0.55 / math.sqrt(width)
    for name, p in model.named_parameters():
        if name.endswith("bias"):
            init.zeros_(p)
        elif p.ndim >= 2:
            branch = name.endswith(("out_proj.weight", "linear2.weight"))
            init.normal_(p, 0.0, deviation / math.sqrt(2 * layers) if branch else deviation)


class CachedDecoder:
    """Decoding of a `GPT` with its keys and values at hand.

    Places are numbered from the start of the window, so where the context is full, the later half of it is read anew.

    Args:
        model: with `context`, `blocks`, and `forward(tokens, caches)`.
    """

    def __init__(self, model: GPT) -> None:
        self.model = model
        self.caches = [KVCache() for _ in model.blocks]
        self.seen: Tensor | None = None  # all tokens in the window

    def step(self, tokens: Tensor) -> Tensor:
        """Scores (N, V) of what follows behind (N, S) more tokens."""
        self.seen = tokens if self.seen is None else ops.concat([self.seen, tokens], axis=1)
        if self.seen.shape[1] > self.model.context:
            self.seen = tokens = self.seen[:, -max(1, self.model.context // 2):]
            for cache in self.caches:
                cache.reset()
        return self.model(tokens, self.caches)[:, -1]

    def reorder(self, rows: Tensor) -> None:
        """Go on with these sequences."""
        if self.seen is not None:
            self.seen = ops.take(self.seen, rows, axis=0)
        for cache in self.caches:
            cache.reorder(rows)
