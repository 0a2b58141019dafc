"""A recurrent language model: what comes next, from a state that has read all before.

    N sequences   T tokens   V tokens there are   E features of a token   H of the state

    s_t = cell(token(x_t), s_(t-1)),   p(x_(t+1) | x_1, ..., x_t) = softmax(W h_t + b)
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor
from ..nn import GRU, LSTM, RNN, Dropout, Embedding, Linear
from .gpt import LanguageModel

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike

CELLS: dict[str, Any] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


class RNNLanguageModel(LanguageModel):
    """An LSTM, GRU or plain recurrent network over tokens.

    Formula: loss = -mean_t log softmax(W h_t + b)_{x_(t+1)}.

    Args:
        vocab_size: V.
        d_embed: E.
        d_hidden: H.
        layers: recurrent layers.
        cell: 'lstm', 'gru' or 'rnn'.
        dropout: probability of a zero in training: of embeddings, between layers, and of what comes out.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1, or `cell` is unknown.

    Source: Mikolov et al. 2010, "Recurrent neural network based language model"; LSTM: Hochreiter & Schmidhuber 1997.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.RNNLanguageModel(vocab_size=20, d_embed=8, d_hidden=16)
        >>> model(tn.tensor([[3, 1, 4]])).shape, model.sample(2, 5).shape
        ((1, 3, 20), (2, 6))
    """

    def __init__(self, vocab_size: int, d_embed: int = 128, d_hidden: int = 256, layers: int = 1, cell: str = "lstm",
                 dropout: float = 0.0, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if vocab_size < 1:
            raise ValueError(f"vocab_size: expected at least 1, got {vocab_size}")
        if cell not in CELLS:
            raise ValueError(f"cell: expected one of {', '.join(CELLS)}, got {cell!r}")
        home: Any = {"device": device, "dtype": dtype}
        self.vocab_size, self.cell = vocab_size, cell
        self.token = Embedding(vocab_size, d_embed, **home)
        self.dropout = Dropout(dropout)
        self.recurrent = CELLS[cell](d_embed, d_hidden, layers, batch_first=True,
                                     dropout=dropout if layers > 1 else 0.0, **home)
        self.head = Linear(d_hidden, vocab_size, **home)

    def run(self, tokens: ArrayLike, state: Any = None) -> tuple[Tensor, Any]:
        """Scores (N, T, V), and the state behind the last token; `state`: the one before the first."""
        h, state = self.recurrent(self.dropout(self.token(as_tensor(tokens))), state)
        return self.head(self.dropout(h)), state

    def forward(self, tokens: ArrayLike) -> Tensor:
        """Scores (logits, nats) of the token behind each place: (N, T) -> (N, T, V)."""
        return self.run(tokens)[0]

    def decoder(self) -> StateDecoder:
        """For `models.decode`: the state is kept."""
        return StateDecoder(self)


class StateDecoder:
    """Decoding of an `RNNLanguageModel`, step by step.

    Args:
        model: with `run(tokens, state)`.
    """

    def __init__(self, model: RNNLanguageModel) -> None:
        self.model, self.state = model, None

    def step(self, tokens: Tensor) -> Tensor:
        """Scores (N, V) of what follows behind (N, S) more tokens."""
        scores, self.state = self.model.run(tokens, self.state)
        return scores[:, -1]

    def reorder(self, rows: Tensor) -> None:
        """Go on with these sequences."""
        if self.state is not None:
            parts = self.state if isinstance(self.state, tuple) else (self.state,)
            taken = tuple(ops.take(part, rows, axis=1) for part in parts)  # (layers, N, H)
            self.state = taken if isinstance(self.state, tuple) else taken[0]
