"""How a language model writes: drawing token after token, or searching for the most probable sequence.

    N sequences   V tokens there are   T length   K beams

A model that can be decoded has a method `decoder()`, which returns an object with

    step(tokens):    (N, S) tokens that come next -> (N, V) scores of the token after them,
    reorder(rows):   go on with the sequences `rows` (M,) in place of those so far.

Such an object keeps what it needs of earlier steps: keys and values in a transformer, the state of a recurrent network.
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike


def restrict(logits: ArrayLike, temperature: float = 1.0, top_k: int | None = None,
             top_p: float | None = None) -> Tensor:
    """Scores in which what is not to be drawn is -inf: the probabilities are their softmax.

    Formula: s <- s / temperature; then all but the `top_k` largest go; then, of those left in falling order, all behind
        the first whose probabilities add up to at least `top_p` (the nucleus).

    Args:
        logits: (..., V), nats.
        temperature: > 0; below 1 the probable become more so.
        top_k: how many tokens may be drawn, >= 1; None: all.
        top_p: probability that the nucleus has at least, 0 < p <= 1; None: 1.

    Returns:
        (..., V).

    Raises:
        ValueError: an option is out of range.

    Source: top-k: Fan, Lewis & Dauphin 2018, "Hierarchical neural story generation"; nucleus: Holtzman et al. 2020,
        "The curious case of neural text degeneration"; UDL 12.7.

    Example:
        >>> import tinygrad_notes as tn
        >>> scores = tn.log(tn.tensor([0.5, 0.3, 0.15, 0.05]))
        >>> tn.softmax(tn.models.decode.restrict(scores, top_k=2))
        tensor([0.6250, 0.3750, 0.0000, 0.0000])
        >>> tn.softmax(tn.models.decode.restrict(scores, top_p=0.9))
        tensor([0.5263, 0.3158, 0.1579, 0.0000])
    """
    logits = as_tensor(logits)
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature: expected a number > 0, got {temperature!r}")
    if top_k is not None and (isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1):
        raise ValueError(f"top_k: expected an int >= 1 or None, got {top_k!r}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p: expected a number above 0 and at most 1, got {top_p!r}")
    logits = logits / temperature
    count = logits.shape[-1]
    if (top_k is None or top_k >= count) and top_p is None:
        return logits
    order = ops.argsort(logits, axis=-1, descending=True)
    sorted_ = ops.take_along_axis(logits, order, axis=-1)
    keep = ops.arange(count, device=logits.device) < (count if top_k is None else top_k)
    if top_p is not None:
        p = ops.softmax(ops.where(keep, sorted_, -math.inf), axis=-1)
        keep = ops.logical_and(keep, ops.cumsum(p, axis=-1) - p < top_p)  # what comes before is not yet enough
    kept = ops.where(keep, sorted_, -math.inf)
    return ops.take_along_axis(kept, ops.argsort(order, axis=-1), axis=-1)


def draw(model: Any, prompt: ArrayLike, length: int, temperature: float = 1.0, top_k: int | None = None,
         top_p: float | None = None, stop: int | None = None, generator: Generator | None = None) -> Tensor:
    """Write on: one token after the other, drawn from what the model says, or with temperature 0 the most probable one.

    Formula: t_{i+1} ~ softmax(restrict(scores(t_1, ..., t_i))).

    Args:
        model: with a method `decoder()`.
        prompt: integers (N, S), S >= 1.
        length: how many tokens to add.
        temperature, top_k, top_p: as in `restrict`; temperature 0 is greedy.
        stop: a token behind which only itself follows; where all sequences have it, nothing more is drawn.
        generator: the stream of the draws.

    Returns:
        (N, S + length) or shorter: the prompt and what was written.

    Raises:
        ValueError: an option is out of range, or the prompt is empty.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.GPT(5, 8, d_model=4, heads=1, layers=1)
        >>> tn.models.decode.draw(model, [[0, 1]], 4).shape
        (1, 6)
    """
    tokens = _prompt(prompt)
    with no_grad(), model.evaluating():
        decoder, new = model.decoder(), tokens
        ended = ops.zeros(tokens.shape[:1], dtype="bool", device=tokens.device)
        for _ in range(length):
            scores = decoder.step(new)
            if temperature == 0:
                drawn = ops.argmax(scores, axis=-1)
            else:
                p = ops.softmax(restrict(scores, temperature, top_k, top_p), axis=-1)
                drawn = ops.multinomial(p, 1, generator=generator)[:, 0]
            if stop is not None:
                drawn = ops.where(ended, stop, drawn)
                ended = drawn == stop
            new = ops.astype(drawn, tokens.dtype)[:, None]
            tokens = ops.concat([tokens, new], axis=1)
            if stop is not None and bool(ops.all(ended)):
                break
    return tokens


def beam_search(model: Any, prompt: ArrayLike, length: int, beams: int,
                stop: int | None = None) -> tuple[Tensor, Tensor]:
    """The most probable continuations, among those whose beginnings were among the K most probable of their length.

    Formula: of all K V continuations of the K best sequences of i tokens, the K best of i + 1, by sum of log p. With
        K >= V^(length - 1) nothing is lost, and the best of all is found.

    Args:
        model: with a method `decoder()`.
        prompt: integers (S,), S >= 1.
        length: how many tokens to add.
        beams: K >= 1.
        stop: a token behind which only itself follows, at no cost.

    Returns:
        Sequences (M, S + length), M <= K, the best first, and their log p given the prompt (M,), nats.

    Raises:
        ValueError: the prompt is empty, or `beams` < 1.

    Source: UDL 12.7.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.GPT(5, 8, d_model=4, heads=1, layers=1)
        >>> tokens, score = tn.models.decode.beam_search(model, [0, 1], 3, beams=4)
        >>> tokens.shape, score.shape
        ((4, 5), (4,))
    """
    if isinstance(beams, bool) or not isinstance(beams, int) or beams < 1:
        raise ValueError(f"beams: expected an int >= 1, got {beams!r}")
    tokens = _prompt(prompt, 1)[None, :]
    with no_grad(), model.evaluating():
        decoder, new = model.decoder(), tokens
        total = ops.zeros((1,), device=tokens.device)
        for _ in range(length):
            log_p = ops.log_softmax(decoder.step(new), axis=-1)  # (K, V)
            count = log_p.shape[-1]
            if stop is not None:
                only = ops.where(ops.arange(count, device=tokens.device) == stop, 0.0, -math.inf)
                log_p = ops.where((tokens[:, -1] == stop)[:, None], only, log_p)
            every = ops.reshape(total[:, None] + log_p, (-1,))  # (K, V) -> (K V,)
            possible = int(ops.sum(ops.isfinite(every)))
            total, best = ops.topk(every, max(1, min(beams, possible)))
            rows, new = best // count, ops.astype(best % count, tokens.dtype)[:, None]
            decoder.reorder(rows)
            tokens = ops.concat([ops.take(tokens, rows, axis=0), new], axis=1)
    return tokens, total


def _prompt(prompt, axes=2):
    prompt = as_tensor(prompt)
    if prompt.ndim != axes or prompt.shape[-1] < 1 or prompt.dtype.kind not in "iu":
        shape = "(N, S)" if axes == 2 else "(S,)"
        raise ValueError(f"prompt: expected integers {shape} with S >= 1, got {prompt.dtype} of shape {prompt.shape}")
    return prompt
