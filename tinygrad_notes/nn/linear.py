"""Affine layers and what goes with them: Linear, Bilinear, shapes, whole perceptrons."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import as_tensor
from ..backend import as_device, default_float, to_dtype
from ..ops import flatten, linear, reshape
from . import functional as F
from . import init as initializers
from .container import Sequential
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["Bilinear", "Flatten", "Identity", "Linear", "MLP", "Unflatten"]


def new_parameter(shape, device=None, dtype=None):
    """A Parameter of zeros, to be initialized."""
    return Parameter(as_tensor(as_device(device).xp.zeros(shape, dtype=to_dtype(dtype) or default_float)))


def size(name, value, low=0):
    """`value` as an int >= low.

    Raises:
        ValueError: it is not.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < low:
        raise ValueError(f"{name}: expected an int >= {low}, got {value!r}")
    return value.__index__()


class Linear(Module):
    """An affine map of the last axis.

    Formula: out = x W^T + b. By default W and b ~ U(-k, k) with k = 1 / sqrt(in_features), which is
        `kaiming_uniform_(a=sqrt(5))`: the standard deviation of W is 1 / sqrt(3 in_features). The variance of
        activations then falls to 1/6 from one ReLU layer to the next; `init="he_normal_"` keeps it.

    Args:
        in_features, out_features: sizes of the last axis before and after.
        bias: whether there is a b.
        device, dtype: of the parameters; default: the current device, float32.
        init: how W begins, instead of the default: a function of a Tensor such as `nn.init.he_normal_`, or its name;
            b is then 0.

    Attributes:
        weight: (out_features, in_features).
        bias: (out_features,), or None.

    Raises:
        ValueError: a size is negative, or `init` is unknown; at the call: the last axis of x is not in_features.

    Source: the notes, equations 1.13 and 1.14.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.Linear(3, 2)
        >>> layer
        Linear(in_features=3, out_features=2, bias=True)
        >>> layer(tn.zeros((4, 3))).shape
        (4, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None, *, init: str | Callable[..., Any] | None = None) -> None:
        super().__init__()
        self.in_features, self.out_features = size("in_features", in_features), size("out_features", out_features)
        self.init = initializer(init)
        self.weight = new_parameter((self.out_features, self.in_features), device, dtype)
        self.register_parameter("bias", new_parameter((self.out_features,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew."""
        if self.init is not None:
            self.init(self.weight)
            if self.bias is not None:
                initializers.zeros_(self.bias)
            return
        limit = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        initializers.uniform_(self.weight, -limit, limit, generator)
        if self.bias is not None:
            initializers.uniform_(self.bias, -limit, limit, generator)

    def forward(self, input: ArrayLike) -> Tensor:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def initializer(init):
    """The function meant by `init`: a function, a name of `nn.init` with or without the last underscore, or None.

    Raises:
        ValueError: the name is unknown.
    """
    if init is None or callable(init):
        return init
    found = getattr(initializers, init.rstrip("_") + "_", None) if isinstance(init, str) else None
    if found is None:
        names = sorted(name for name in vars(initializers) if name.endswith("_") and not name.startswith("_"))
        raise ValueError(f"init: expected a function or one of {', '.join(names)}, got {init!r}")
    return found


class Bilinear(Module):
    """A map linear in each of two inputs.

    Formula: out_k = sum_ij x1_i W_kij x2_j + b_k; W and b ~ U(-k, k) with k = 1 / sqrt(in1_features).

    Args:
        in1_features, in2_features: sizes of the last axis of the inputs.
        out_features: size of the last axis of the output.
        bias: whether there is a b.
        device, dtype: of the parameters.

    Attributes:
        weight: (out_features, in1_features, in2_features).
        bias: (out_features,), or None.

    Raises:
        ValueError: a size is not positive; at the call: shapes do not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Bilinear(3, 4, 2)(tn.zeros((5, 3)), tn.zeros((5, 4))).shape
        (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.in1_features, self.in2_features = size("in1_features", in1_features, 1), size("in2_features", in2_features)
        self.out_features = size("out_features", out_features)
        self.weight = new_parameter((self.out_features, self.in1_features, self.in2_features), device, dtype)
        self.register_parameter("bias", new_parameter((self.out_features,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew."""
        limit = 1 / math.sqrt(self.in1_features)
        initializers.uniform_(self.weight, -limit, limit, generator)
        if self.bias is not None:
            initializers.uniform_(self.bias, -limit, limit, generator)

    def forward(self, input1: ArrayLike, input2: ArrayLike) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
                f"out_features={self.out_features}, bias={self.bias is not None}")


class Identity(Module):
    """Returns its input; arguments of the constructor are accepted and have no effect.

    Formula: out = x.

    Args:
        *args, **kwargs: anything.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Identity()(tn.tensor([1.0]))
        tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Flatten(Module):
    """Joins neighbouring axes into one.

    Formula: (N, C, H, W) -> (N, C*H*W) by default.

    Args:
        start_dim, end_dim: first and last of the axes that are joined.

    Raises:
        IndexError: at the call, an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Flatten()(tn.zeros((2, 3, 4))).shape
        (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: ArrayLike) -> Tensor:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits one axis into several.

    Formula: (N, C*H*W) -> (N, C, H, W) for dim=1.

    Args:
        dim: the axis to split.
        unflattened_size: the sizes it becomes; one of them may be -1.

    Raises:
        ValueError: at the call, the sizes do not multiply to that of the axis.
        IndexError: at the call, there is no such axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Unflatten(1, (3, 4))(tn.zeros((2, 12))).shape
        (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: ArrayLike) -> Tensor:
        input = as_tensor(input)
        if not -input.ndim <= self.dim < input.ndim:
            raise IndexError(f"Unflatten: dim {self.dim} is out of range for a tensor with {input.ndim} axes")
        dim = self.dim % input.ndim
        known = math.prod(n for n in self.unflattened_size if n != -1)
        n, open_sizes = input.shape[dim], self.unflattened_size.count(-1)
        if open_sizes > 1 or (not known or n % known if open_sizes else n != known):
            raise ValueError(f"Unflatten: axis {dim} of shape {input.shape} does not split into "
                             f"{self.unflattened_size}")
        sizes = tuple(n // known if m == -1 else m for m in self.unflattened_size)
        return reshape(input, input.shape[:dim] + sizes + input.shape[dim + 1:])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class MLP(Sequential):
    """A multilayer perceptron: affine layers with an activation between them.

    Formula: h^0 = x, f^k = b^k + W^k h^k, h^(k+1) = a(f^k); the output is the last f.

    Args:
        sizes: widths from input to output, at least two.
        activation: a Module class (or function that makes a Module), one made for each hidden layer.
        dropout: probability of a zero after each activation; 0 adds no layer.
        bias: whether the affine layers have a bias.
        init: see `Linear`.
        device, dtype: of the parameters.

    Raises:
        ValueError: fewer than two sizes, or a number is out of range.

    Source: the notes, equations 1.13 and 1.14.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.MLP([2, 8, 1], dropout=0.1)
        MLP(
          (0): Linear(in_features=2, out_features=8, bias=True)
          (1): ReLU()
          (2): Dropout(p=0.1, inplace=False)
          (3): Linear(in_features=8, out_features=1, bias=True)
        )
    """

    def __init__(self, sizes: Sequence[int], activation: Callable[[], Module] | None = None, dropout: float = 0.0,
                 bias: bool = True, *, init: str | Callable[..., Any] | None = None, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        from .activation_pieces import ReLU
        from .dropout import Dropout
        sizes = list(sizes)
        if len(sizes) < 2:
            raise ValueError(f"sizes: expected at least two widths, got {sizes}")
        layers: list[Module] = []
        for k, (m, n) in enumerate(zip(sizes, sizes[1:])):
            layers.append(Linear(m, n, bias, device, dtype, init=init))
            if k < len(sizes) - 2:
                layers.append((activation or ReLU)())
                if dropout:
                    layers.append(Dropout(dropout))
        super().__init__(*layers)
