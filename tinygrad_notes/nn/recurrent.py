"""Recurrent layers over sequences: RNN, LSTM, GRU. Their cells, one step each, are in `recurrent_cells`.

    T times   N sequences   F input size   H hidden size   P size of the output (H, or proj_size)
    L layers   D directions (1, or 2 if bidirectional)
"""
from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, as_tensor
from ..ops import concat, expand_dims, linear, permute_dims, reshape, squeeze, stack, take, unstack, zeros
from ..ops.packed import last_rows
from ..ops.recurrent import gru_scan, lstm_scan, rnn_scan
from . import functional as F
from .functional.common import number
from .init import uniform_
from .linear import new_parameter, size
from .module import Module
from .utils.rnn import PackedSequence

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import DeviceLike, DTypeLike
    from .parameter import Parameter

    States = Tensor | tuple[Tensor, Tensor]

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class RNNBase(Module):
    """What RNN, LSTM and GRU share: their parameters, and the walk through layers and directions.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size: F, size of an input vector.
        hidden_size: H, size of the state.
        num_layers: L, layers on top of each other.
        bias: whether there are b_ih and b_hh.
        batch_first: sequences are (N, T, ...), not (T, N, ...).
        dropout: probability of a zero in what one layer gives the next, while training.
        bidirectional: a second set of layers runs backwards; outputs are joined.
        proj_size: P, for an LSTM whose output is a projection of its state; 0: none.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is out of range, `mode` is unknown, `dropout` is no probability, or `proj_size` is not less
            than `hidden_size` or is given to another layer than LSTM.
        TypeError: `bias`, `batch_first` or `bidirectional` is no bool.

    Example:
        >>> import tinygrad_notes as tn
        >>> list(tn.nn.RNNBase("GRU", 3, 4, bias=False).state_dict())
        ['weight_ih_l0', 'weight_hh_l0']
    """

    def __init__(self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if mode not in GATES:
            raise ValueError(f"mode: expected one of {', '.join(GATES)}, got {mode!r}")
        for name, flag in (("bias", bias), ("batch_first", batch_first), ("bidirectional", bidirectional)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name}: expected True or False, got {flag!r}")
        self.mode, self.bias, self.batch_first, self.bidirectional = mode, bias, batch_first, bidirectional
        self.input_size, self.hidden_size = size("input_size", input_size, 1), size("hidden_size", hidden_size, 1)
        self.num_layers, self.dropout = size("num_layers", num_layers, 1), number("dropout", dropout, 0, high=1)
        self.proj_size = size("proj_size", proj_size)
        if self.dropout and self.num_layers == 1:
            warnings.warn(f"dropout={dropout} has no effect: it acts between layers, and num_layers is 1", stacklevel=3)
        if self.proj_size and (mode != "LSTM" or self.proj_size >= self.hidden_size):
            raise ValueError(f"proj_size: expected 0, or for an LSTM a number less than hidden_size {hidden_size}, got "
                             f"{proj_size} for {mode}")
        directions = ["", "_reverse"] if bidirectional else [""]
        output = self.proj_size or self.hidden_size
        self._names = []
        for k in range(self.num_layers):
            for direction in directions:
                tail = f"_l{k}{direction}"
                gates = GATES[mode] * self.hidden_size
                below = self.input_size if k == 0 else output * len(directions)
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, below), "weight_hh": (gates, output)}
                shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)} if bias else {}
                shapes |= {"weight_hr": (self.proj_size, self.hidden_size)} if self.proj_size else {}
                for name, shape in shapes.items():
                    self.register_parameter(name + tail, new_parameter(shape, device, dtype))
                self._names.append([name + tail for name in shapes])
        self.reset_parameters()

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._names]

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew, uniform between -k and k with k = 1 / sqrt(hidden_size)."""
        for p in self.parameters():
            uniform_(p, -self.hidden_size**-0.5, self.hidden_size**-0.5, generator)

    def flatten_parameters(self) -> None:
        """Does nothing; there for programs that call it."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        packed = isinstance(input, PackedSequence)
        rows, sizes, batched = self._packed(input) if packed else self._rows(input)
        first = self._first(hx, sizes[0], batched, rows)
        if packed and input.sorted_indices is not None:
            first = [None if s is None else take(s, input.sorted_indices, axis=1) for s in first]
        rows, last = self._layers(rows, sizes, first)
        out: Any
        if packed:
            if input.unsorted_indices is not None:
                last = [take(s, input.unsorted_indices, axis=1) for s in last]
            out = PackedSequence(rows, *input[1:])
        else:
            out = reshape(rows, (len(sizes), sizes[0], rows.shape[1]))  # (T*N, P) -> (T, N, P)
            if not batched:
                out, last = squeeze(out, axis=1), [squeeze(s, axis=1) for s in last]
            elif self.batch_first:
                out = permute_dims(out, (1, 0, 2))
        return out, tuple(last) if self.mode == "LSTM" else last[0]

    def _packed(self, input):
        if input.data.ndim != 2:
            raise ValueError(f"{type(self).__name__}: input: expected packed rows (S, {self.input_size}), got shape "
                             f"{input.data.shape}")
        return self._checked(input.data), tuple(input.batch_sizes.tolist()), True

    def _rows(self, input):
        """The input as rows (T*N, F), the number of sequences at each time, and whether there was an axis N."""
        input = as_tensor(input)
        if input.ndim not in (2, 3):
            raise ValueError(f"{type(self).__name__}: input: expected 2 axes (T, F) or 3 axes (T, N, F), got shape "
                             f"{input.shape}")
        self._checked(input)
        batched = input.ndim == 3
        if not batched:
            return input, self._sizes(*input.shape[:1], 1), False
        if self.batch_first:
            input = permute_dims(input, (1, 0, 2))
        t, n, f = input.shape
        return reshape(input, (t * n, f)), self._sizes(t, n), True

    def _sizes(self, t, n):
        if not t:
            raise ValueError(f"{type(self).__name__}: input: expected at least one time, got a sequence of length 0")
        return (n,) * t

    def _checked(self, input):
        if input.shape[-1] != self.input_size:
            raise ValueError(f"{type(self).__name__}: input: expected a last axis of input_size {self.input_size}, got "
                             f"shape {input.shape}")
        return self._of_dtype("input", input)

    def _of_dtype(self, name, x):
        wanted = self.weight_ih_l0.dtype
        if x.dtype != wanted:
            raise TypeError(f"{type(self).__name__}: {name}: expected dtype {wanted}, that of the parameters, got "
                            f"{x.dtype}")
        return x

    def _first(self, hx, n, batched, rows):
        """The initial states, each (L*D, N, size) or None."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        sizes = [self.proj_size or self.hidden_size]
        names = ["hx"]
        if self.mode == "LSTM":
            sizes.append(self.hidden_size)
            names = ["hx[0]", "hx[1]"]
            if hx is not None and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
                raise TypeError(f"LSTM: hx: expected two states (h, c), got {type(hx).__name__}")
        if hx is None:
            return [None] * len(sizes)
        first = []
        for name, state, width in zip(names, hx if self.mode == "LSTM" else [hx], sizes):
            state = self._of_dtype(name, as_tensor(state, like=rows))
            shape = (count, n, width) if batched else (count, width)
            if state.shape != shape:
                raise ValueError(f"{type(self).__name__}: {name}: expected shape {shape}: layers times directions, "
                                 f"{'sequences, ' if batched else ''}size; got {state.shape}")
            first.append(state if batched else expand_dims(state, axis=1))
        return first

    def _layers(self, rows, sizes, first):
        """The output rows of the last layer, and the last states, each (L*D, N, size)."""
        directions = (False, True) if self.bidirectional else (False,)
        begin = [[None] * len(self._names) if s is None else unstack(s, axis=0) for s in first]
        last, k = [], 0
        for layer in range(self.num_layers):
            outputs = []
            for reverse in directions:
                states = self._scan(rows, sizes, reverse, [s[k] for s in begin], self.all_weights[k])
                outputs.append(states[0])
                last.append([_last(s, sizes, reverse) for s in states])
                k += 1
            rows = concat(outputs, axis=1) if len(outputs) > 1 else outputs[0]
            if self.dropout and layer < self.num_layers - 1:
                rows = F.dropout(rows, self.dropout, self.training)
        return rows, [stack(s, axis=0) for s in zip(*last)]

    def _scan(self, rows, sizes, reverse, begin, weights):
        """All states of one layer in one direction: rows (S, P), and for an LSTM the cells (S, H)."""
        w_ih, w_hh, *rest = weights
        b_ih, b_hh, *rest = rest if self.bias else (None, None, *rest)
        widths = (w_hh.shape[1], self.hidden_size)
        begin = [zeros((sizes[0], width), dtype=rows.dtype, device=rows.device) if s is None else s
                 for s, width in zip(begin, widths)]
        if self.mode == "GRU":
            return gru_scan(linear(rows, w_ih, b_ih), *begin, w_hh, b_hh, sizes=sizes, reverse=reverse)[:1]
        x = linear(rows, w_ih, b_ih + b_hh if self.bias else None)
        if self.mode == "LSTM":
            return lstm_scan(x, *begin, w_hh, rest[0] if rest else None, sizes=sizes, reverse=reverse)[:2]
        return (rnn_scan(x, *begin, w_hh, nonlinearity=self.mode[4:].lower(), sizes=sizes, reverse=reverse),)

    def extra_repr(self) -> str:
        shown = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0,
                 "bidirectional": False}
        parts = [f"{name}={getattr(self, name)}" for name, usual in shown.items() if getattr(self, name) != usual]
        return ", ".join([str(self.input_size), str(self.hidden_size), *parts])


def _last(states, sizes, reverse):
    """The state of each sequence after its last step."""
    n = sizes[0]
    if reverse:
        return states[:n]
    return states[states.shape[0] - n:] if n == sizes[-1] else take(states, last_rows(sizes, states.device), axis=0)


class RNN(RNNBase):
    """A recurrent layer: each state is an affine map of input and state before, through tanh or ReLU.

    Formula: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).

    All derivatives, of any order, are right: `create_graph=True` through time works.

    Args:
        input_size: F, size of an input vector.
        hidden_size: H, size of the state.
        num_layers: layers on top of each other.
        nonlinearity: "tanh" or "relu".
        bias: whether there are b_ih and b_hh.
        batch_first: sequences are (N, T, F), not (T, N, F).
        dropout: probability of a zero in what one layer gives the next, while training.
        bidirectional: a second set of layers runs backwards; outputs are joined.
        device, dtype: of the parameters.

    Attributes:
        weight_ih_l0: (H, F), in further layers (H, D*H).
        weight_hh_l0: (H, H).
        bias_ih_l0, bias_hh_l0: (H,).
        weight_ih_l0_reverse, ...: the same for the other direction.

    The call takes the input (T, N, F), (T, F) for one sequence, or a `PackedSequence`, and `hx`, the first states
    (L*D, N, H) or None for zeros. It returns the states of the last layer (T, N, D*H), and the last states (L*D, N, H).

    Raises:
        ValueError: a size is out of range or `nonlinearity` unknown; at the call: shapes do not fit.
        TypeError: at the call: input or state have another dtype than the parameters.

    Source: Elman 1990, "Finding structure in time".

    Example:
        >>> import tinygrad_notes as tn
        >>> out, h = tn.nn.RNN(3, 4, bidirectional=True)(tn.zeros((5, 2, 3)))
        >>> out.shape, h.shape
        ((5, 2, 8), (2, 2, 4))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
                 bias: bool = True, batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity: expected 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, 0, device, dtype)
        self.nonlinearity = nonlinearity

    if TYPE_CHECKING:
        def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
            """The states of the last layer, and the last states."""


class LSTM(RNNBase):
    """Long short-term memory: a recurrent layer whose cell is written, kept and read through gates.

    Formula: i = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi), f and o likewise;
        g = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg);
        c_t = f c_{t-1} + i g; h_t = o tanh(c_t), or W_hr (o tanh(c_t)) with `proj_size`.

    All derivatives, of any order, are right: `create_graph=True` through time works.

    Args:
        input_size: F, size of an input vector.
        hidden_size: H, size of the cell.
        num_layers: layers on top of each other.
        bias: whether there are b_ih and b_hh.
        batch_first: sequences are (N, T, F), not (T, N, F).
        dropout: probability of a zero in what one layer gives the next, while training.
        bidirectional: a second set of layers runs backwards; outputs are joined.
        proj_size: P, size of a projected output, less than H; 0: none, P = H.
        device, dtype: of the parameters.

    Attributes:
        weight_ih_l0: (4H, F), the gates i, f, g, o one below the other; in further layers (4H, D*P).
        weight_hh_l0: (4H, P).
        bias_ih_l0, bias_hh_l0: (4H,).
        weight_hr_l0: (P, H), with `proj_size`.
        weight_ih_l0_reverse, ...: the same for the other direction.

    The call takes the input (T, N, F), (T, F) for one sequence, or a `PackedSequence`, and `hx`, the first states h
    (L*D, N, P) and c (L*D, N, H), or None for zeros. It returns the outputs of the last layer (T, N, D*P), and the
    last states (h, c).

    Raises:
        ValueError: a size is out of range; at the call: shapes do not fit.
        TypeError: at the call: input or state have another dtype than the parameters, or `hx` is no pair.

    Source: Hochreiter and Schmidhuber 1997, "Long short-term memory"; Sak, Senior and Beaufays 2014 for the
        projection.

    Example:
        >>> import tinygrad_notes as tn
        >>> out, (h, c) = tn.nn.LSTM(3, 4, num_layers=2, proj_size=2)(tn.zeros((5, 7, 3)))
        >>> out.shape, h.shape, c.shape
        ((5, 7, 2), (2, 7, 2), (2, 7, 4))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__("LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                         proj_size, device, dtype)

    if TYPE_CHECKING:
        def forward(self, input: Any, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Any, tuple[Tensor, Tensor]]:
            """The outputs of the last layer, and the last states (h, c)."""


class GRU(RNNBase):
    """A gated recurrent unit: the new state is a mixture of the old one and a proposal.

    Formula: r = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr), z likewise;
        n = tanh(W_in x_t + b_in + r (W_hn h_{t-1} + b_hn)); h_t = (1 - z) n + z h_{t-1}.

    All derivatives, of any order, are right: `create_graph=True` through time works. As in PyTorch, r multiplies
    after the product with W_hn; the paper has it before.

    Args:
        input_size: F, size of an input vector.
        hidden_size: H, size of the state.
        num_layers: layers on top of each other.
        bias: whether there are b_ih and b_hh.
        batch_first: sequences are (N, T, F), not (T, N, F).
        dropout: probability of a zero in what one layer gives the next, while training.
        bidirectional: a second set of layers runs backwards; outputs are joined.
        device, dtype: of the parameters.

    Attributes:
        weight_ih_l0: (3H, F), the gates r, z, n one below the other; in further layers (3H, D*H).
        weight_hh_l0: (3H, H).
        bias_ih_l0, bias_hh_l0: (3H,).
        weight_ih_l0_reverse, ...: the same for the other direction.

    The call takes the input (T, N, F), (T, F) for one sequence, or a `PackedSequence`, and `hx`, the first states
    (L*D, N, H) or None for zeros. It returns the states of the last layer (T, N, D*H), and the last states (L*D, N, H).

    Raises:
        ValueError: a size is out of range; at the call: shapes do not fit.
        TypeError: at the call: input or state have another dtype than the parameters.

    Source: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder", equations 5 to 8.

    Example:
        >>> import tinygrad_notes as tn
        >>> out, h = tn.nn.GRU(3, 4, batch_first=True)(tn.zeros((2, 5, 3)))
        >>> out.shape, h.shape
        ((2, 5, 4), (1, 2, 4))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__("GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0,
                         device, dtype)

    if TYPE_CHECKING:
        def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
            """The states of the last layer, and the last states."""
