"""What one output of a stack of windows sees, how many there are, and whether a function commutes with a shift."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import no_grad
from ..backend.windows import output_size
from ..ops import abs, max
from .functional.common import per_axis
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..autograd import Tensor

__all__ = ["conv_output_size", "equivariance_error", "receptive_field"]


def conv_output_size(size: int | Sequence[int], kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
                     padding: int | Sequence[int] = 0,
                     dilation: int | Sequence[int] = 1) -> int | tuple[int, ...]:
    """How many elements a convolution or a pooling layer leaves along an axis.

    Formula: floor((size + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1.

    Args:
        size: elements that go in: an int, or one per axis.
        kernel_size, stride, padding, dilation: of the layer; an int, or one per axis.

    Returns:
        An int, or a tuple like `size`.

    Raises:
        ValueError: an option is out of range, or the kernel reaches beyond the padded input.

    Source: the notes, section 3.3; Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.conv_output_size(40, 5, stride=2, padding=1)
        19
        >>> tn.nn.conv_output_size((28, 28), 5)
        (24, 24)
    """
    axes = len(size) if isinstance(size, (tuple, list)) else 1
    given = [per_axis(name, value, axes, low) for name, value, low in (
        ("size", size, 0), ("kernel_size", kernel_size, 1), ("stride", stride, 1), ("padding", padding, 0),
        ("dilation", dilation, 1))]
    found = tuple([output_size(n, k, s, p, p, d) for n, k, s, p, d in zip(*given)])
    if min(found) < 1:
        raise ValueError(f"kernel_size={kernel_size} with dilation={dilation} reaches beyond size={size} with "
                         f"padding={padding}")
    return found if isinstance(size, (tuple, list)) else found[0]


def receptive_field(layers: Module | Iterable[Module | tuple]) -> int | tuple[int, ...]:
    """How many elements of the input, along each axis, one output of a chain of layers can see.

    Formula: r = 1 + sum over layers l of (k_l - 1) d_l times the product of the strides before l; dilation d = 1 means
        that there is no gap.

    Args:
        layers: a Module whose layers follow each other in the order in which they were registered, or an iterable
            of Modules or of tuples (kernel_size, stride, dilation), of which stride and dilation may be left out. Of
            modules those count that have a `kernel_size`: convolutions and pooling, not their transposes.

    Returns:
        An int for layers over one axis, else a tuple.

    Raises:
        ValueError: there is no layer with a kernel, layers have different numbers of axes, or one is a transpose.

    Source: the notes, section 3.3; Prince 2023, "Understanding deep learning", section 10.2.5.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.receptive_field([(3, 2), (3, 2), (3, 2)])
        15
        >>> tn.nn.receptive_field(tn.nn.Sequential(tn.nn.Conv2d(1, 2, 3), tn.nn.ReLU(), tn.nn.Conv2d(2, 2, (3, 5))))
        (5, 7)
    """
    rows = []
    for layer in [layers] if isinstance(layers, Module) else layers:
        if isinstance(layer, Module):
            rows += [_window(module) for module in layer.modules() if hasattr(module, "kernel_size")]
        else:
            rows.append((*layer, *(1, 1)[len(layer) - 1:]))
    if not rows:
        raise ValueError("layers: none of them has a kernel")
    sizes = {len(value) for row in rows for value in row if isinstance(value, (tuple, list)) and len(value) > 1}
    if len(sizes) > 1:
        raise ValueError(f"layers: expected kernels over one number of axes, got {sorted(sizes)}")
    axes = sizes.pop() if sizes else 1
    field, jump = [1] * axes, [1] * axes
    for k, (kernel, stride, dilation) in enumerate(rows):
        named = (("kernel_size", kernel), ("stride", stride), ("dilation", dilation))
        options = [per_axis(f"layer {k}: {name}", value, axes, 1) for name, value in named]
        for axis, (n, s, d) in enumerate(zip(*options)):
            field[axis] += (n - 1) * d * jump[axis]
            jump[axis] *= s
    return field[0] if axes == 1 else tuple(field)


def _window(module):
    if getattr(module, "transposed", False):
        raise ValueError(f"layers: {type(module).__name__} spreads its input: a receptive field is that of windows")
    stride = getattr(module, "stride", 1)
    return module.kernel_size, module.kernel_size if stride is None else stride, getattr(module, "dilation", 1)


def equivariance_error(function: Callable[[Tensor], Tensor], transform: Callable[[Tensor], Tensor], x: Tensor,
                       transform_output: Callable[[Tensor], Tensor] | None = None) -> float:
    """How far a function is from commuting with a transformation.

    Formula: max |f(t(x)) - t'(f(x))|; zero if f is equivariant, and for t' the identity if it is invariant.

    Args:
        function: f, a Module or any function of a Tensor.
        transform: t, of the input.
        x: the input.
        transform_output: t', of the output; default: `transform`.

    Returns:
        A float.

    Raises:
        ValueError: the two sides have different shapes.

    Source: the notes, section 3.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.Conv1d(1, 2, 3, padding=1, padding_mode="circular")
        >>> shift = lambda t: tn.roll(t, 2, axis=-1)
        >>> tn.nn.equivariance_error(layer, shift, tn.randn(1, 1, 10)) < 1e-6
        True
    """
    with no_grad():
        one, other = function(transform(x)), (transform_output or transform)(function(x))
        if one.shape != other.shape:
            raise ValueError(f"f(t(x)) has shape {one.shape}, t(f(x)) has {other.shape}")
        return max(abs(one - other)).item()
