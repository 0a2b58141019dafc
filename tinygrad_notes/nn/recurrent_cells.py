"""One step of a recurrent layer: RNNCell, LSTMCell, GRUCell.

    N sequences   F input size   H hidden size
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import as_tensor
from ..ops import linear, reshape, zeros
from ..ops.recurrent import gru_scan, lstm_scan, rnn_scan
from .init import uniform_
from .linear import new_parameter, size
from .module import Module

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike
    from .parameter import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class _Cell(Module):
    """What the three cells share."""

    gates: int
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Any  # a Parameter, or None
    bias_hh: Any

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size = size("input_size", input_size), size("hidden_size", hidden_size, 1)
        self.bias = bias
        rows = self.gates * self.hidden_size
        self.weight_ih = new_parameter((rows, self.input_size), device, dtype)
        self.weight_hh = new_parameter((rows, self.hidden_size), device, dtype)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, new_parameter((rows,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew, uniform between -k and k with k = 1 / sqrt(hidden_size)."""
        for p in self.parameters():
            uniform_(p, -self.hidden_size**-0.5, self.hidden_size**-0.5, generator)

    def _prepared(self, input, states):
        """The input (N, F), the states (N, H), and whether there was an axis N."""
        name = type(self).__name__
        input = self._of_dtype("input", as_tensor(input))
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ValueError(f"{name}: input: expected shape (N, {self.input_size}) or ({self.input_size},), got "
                             f"{input.shape}")
        n = input.shape[0] if input.ndim == 2 else 1
        found = []
        for label, state in states.items():
            if state is None:
                state = zeros((n, self.hidden_size), dtype=input.dtype, device=input.device)
            else:
                state = self._of_dtype(label, as_tensor(state, like=input))
                wanted = (*input.shape[:-1], self.hidden_size)
                if state.shape != wanted:
                    raise ValueError(f"{name}: {label}: expected shape {wanted}, got {state.shape}")
            found.append(reshape(state, (n, self.hidden_size)))
        return reshape(input, (n, self.input_size)), found, input.ndim == 2

    def _of_dtype(self, label, x):
        if x.dtype != self.weight_ih.dtype:
            raise TypeError(f"{type(self).__name__}: {label}: expected dtype {self.weight_ih.dtype}, that of the "
                            f"parameters, got {x.dtype}")
        return x

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """One step of an `RNN`.

    Formula: h' = tanh(W_ih x + b_ih + W_hh h + b_hh).

    Args:
        input_size: F, size of an input vector.
        hidden_size: H, size of the state.
        bias: whether there are b_ih and b_hh.
        nonlinearity: "tanh" or "relu".
        device, dtype: of the parameters.

    Attributes:
        weight_ih: (H, F).
        weight_hh: (H, H).
        bias_ih, bias_hh: (H,), or None.

    The call takes the input (N, F) or (F,), and the state (N, H) or (H,), None for zeros; it returns the new state.

    Raises:
        ValueError: a size is out of range or `nonlinearity` unknown; at the call: shapes do not fit.
        TypeError: at the call: input or state have another dtype than the parameters.

    Source: Elman 1990, "Finding structure in time".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.RNNCell(3, 4)(tn.zeros((2, 3))).shape
        (2, 4)
    """

    gates = 1

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity: expected 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: ArrayLike, hx: ArrayLike | None = None) -> Tensor:
        x, (h,), batched = self._prepared(input, {"hx": hx})
        x = linear(x, self.weight_ih, self.bias_ih + self.bias_hh if self.bias else None)
        out = rnn_scan(x, h, self.weight_hh, nonlinearity=self.nonlinearity, sizes=h.shape[:1], reverse=False)
        return out if batched else out[0]

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of an `LSTM`.

    Formula: i = sigmoid(W_ii x + b_ii + W_hi h + b_hi), f and o likewise; g = tanh(W_ig x + b_ig + W_hg h + b_hg);
        c' = f c + i g; h' = o tanh(c').

    Args:
        input_size: F, size of an input vector.
        hidden_size: H, size of the state.
        bias: whether there are b_ih and b_hh.
        device, dtype: of the parameters.

    Attributes:
        weight_ih: (4H, F), the gates i, f, g, o one below the other.
        weight_hh: (4H, H).
        bias_ih, bias_hh: (4H,), or None.

    The call takes the input (N, F) or (F,), and the states (h, c), each (N, H) or (H,), None for zeros; it returns the
    new states (h, c).

    Raises:
        ValueError: a size is out of range; at the call: shapes do not fit.
        TypeError: at the call: input or states have another dtype than the parameters, or `hx` is no pair.

    Source: Hochreiter and Schmidhuber 1997, "Long short-term memory".

    Example:
        >>> import tinygrad_notes as tn
        >>> h, c = tn.nn.LSTMCell(3, 4)(tn.zeros((2, 3)))
        >>> h.shape, c.shape
        ((2, 4), (2, 4))
    """

    gates = 4

    def forward(self, input: ArrayLike, hx: tuple[ArrayLike, ArrayLike] | None = None) -> tuple[Tensor, Tensor]:
        if hx is not None and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
            raise TypeError(f"LSTMCell: hx: expected two states (h, c), got {type(hx).__name__}")
        states: Any = hx or (None, None)
        x, (h, c), batched = self._prepared(input, {"hx[0]": states[0], "hx[1]": states[1]})
        x = linear(x, self.weight_ih, self.bias_ih + self.bias_hh if self.bias else None)
        h, c, _ = lstm_scan(x, h, c, self.weight_hh, None, sizes=h.shape[:1], reverse=False)
        return (h, c) if batched else (h[0], c[0])


class GRUCell(_Cell):
    """One step of a `GRU`.

    Formula: r = sigmoid(W_ir x + b_ir + W_hr h + b_hr), z likewise; n = tanh(W_in x + b_in + r (W_hn h + b_hn));
        h' = (1 - z) n + z h.

    Args:
        input_size: F, size of an input vector.
        hidden_size: H, size of the state.
        bias: whether there are b_ih and b_hh.
        device, dtype: of the parameters.

    Attributes:
        weight_ih: (3H, F), the gates r, z, n one below the other.
        weight_hh: (3H, H).
        bias_ih, bias_hh: (3H,), or None.

    The call takes the input (N, F) or (F,), and the state (N, H) or (H,), None for zeros; it returns the new state.

    Raises:
        ValueError: a size is out of range; at the call: shapes do not fit.
        TypeError: at the call: input or state have another dtype than the parameters.

    Source: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder", equations 5 to 8.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.GRUCell(3, 4)(tn.zeros(3)).shape
        (4,)
    """

    gates = 3

    def forward(self, input: ArrayLike, hx: ArrayLike | None = None) -> Tensor:
        x, (h,), batched = self._prepared(input, {"hx": hx})
        x = linear(x, self.weight_ih, self.bias_ih)
        out, _ = gru_scan(x, h, self.weight_hh, self.bias_hh, sizes=h.shape[:1], reverse=False)
        return out if batched else out[0]
