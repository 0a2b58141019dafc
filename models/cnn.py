"""Convolutional networks of a few layers: for images, and for signals.

    N examples   C channels   H, W height and width   T places of a signal   K classes

    image:   (conv, normalize, relu, pool) twice, then an affine hidden layer, then scores
    signal:  (conv with stride, relu) three times, then scores
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor
from ..nn import (
    BatchNorm1d,
    BatchNorm2d,
    Conv1d,
    Conv2d,
    Dropout,
    Dropout2d,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)
from .classifier import Classifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike


def images(x: ArrayLike, shape: Sequence[int], like: Tensor) -> Tensor:
    """Images (N, C, H, W) as they are, or from rows (N, C H W), in the dtype of a parameter.

    Raises:
        ValueError: the sizes are others than `shape` = (C, H, W).
    """
    x = ops.astype(as_tensor(x, like=like), like.dtype)
    if x.ndim > 1 and x.shape[1:] == tuple(shape):
        return x
    if x.ndim > 1 and math.prod(x.shape[1:]) == math.prod(shape):
        return ops.reshape(x, (-1, *shape))  # (N, C H W) -> (N, C, H, W)
    raise ValueError(f"x: expected (N, {', '.join(map(str, shape))}) or rows (N, {math.prod(shape)}), got {x.shape}")


class LeNet(Classifier):
    """Two convolutions, each with a maximum over 2 x 2 pixels behind it, and two affine layers: a reader of digits.

    Formula: h = pool(relu(conv(x))), h = pool(relu(conv(h))), scores = W_2 relu(W_1 h + b_1) + b_2; normalization
        before each relu with `norm`, dropout of whole channels behind the second convolution and of hidden units.

    Args:
        shape: (C, H, W) of the images.
        classes: K.
        channels: of the two convolutions.
        hidden: units of the affine layer.
        kernel_size: of the convolutions.
        padding: zeros around the images; an int, or "same".
        dropout: probability of a zero in training, of channels and of hidden units.
        norm: batch normalization behind the convolutions.
        device, dtype: of the parameters.

    Raises:
        ValueError: images are too small for the kernels, or a size is below 1.

    Source: LeCun et al. 1998, "Gradient-based learning applied to document recognition"; UDL notebook 10.5, which is
        LeNet((1, 28, 28), 10, (10, 20), 50, 5, 0, 0.5, norm=False): 21,840 parameters.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.LeNet((1, 8, 8), 10)
        >>> x, y = tn.data.digits.load()[0].tensors
        >>> model(x[:5]).shape, sorted(model.loss(x[:5], y[:5]))
        ((5, 10), ['accuracy', 'loss'])
    """

    def __init__(self, shape: Sequence[int] = (1, 8, 8), classes: int = 10, channels: Sequence[int] = (32, 64),
                 hidden: int = 128, kernel_size: int = 3, padding: int | str = "same", dropout: float = 0.4,
                 norm: bool = True, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        home: Any = {"device": device, "dtype": dtype}
        self.shape = tuple(shape)
        (c, h, w), (first, second) = self.shape, channels

        def block(n, m, *middle):
            return [Conv2d(n, m, kernel_size, padding=padding, **home), *middle,
                    *([BatchNorm2d(m, **home)] if norm else []), ReLU(), MaxPool2d(2)]
        self.features = Sequential(*block(c, first), *block(first, second, Dropout2d(dropout)))
        lost = 0 if padding == "same" else kernel_size - 1 - 2 * int(padding)
        h, w = (((n - lost) // 2 - lost) // 2 for n in (h, w))
        if min(h, w) < 1:
            raise ValueError(f"shape: images {self.shape} are too small for two kernels of {kernel_size} and two "
                             "poolings")
        self.head = Sequential(Flatten(), Linear(second * h * w, hidden, **home), ReLU(), Dropout(dropout),
                               Linear(hidden, classes, **home))

    def forward(self, x: ArrayLike) -> Tensor:
        """Scores (logits, nats) of all classes: (N, C, H, W), or rows (N, C H W) -> (N, K)."""
        return self.head(self.features(images(x, self.shape, self.head[-1].weight)))


class SignalConvNet(Classifier):
    """Convolutions with a stride over a signal, then one affine layer: reads MNIST-1D where a perceptron does not.

    Formula: h^0 = x, h^(k+1) = relu(conv_k(h^k)), scores = W h^last + b over all places and channels that are left.

    Args:
        length: T, places of a signal.
        classes: K.
        channels: of each convolution.
        kernel_sizes: of each convolution.
        stride: of all of them.
        padding: zeros at both ends.
        dropout: probability that an input of the affine layer is zero in training.
        norm: batch normalization behind each convolution.
        in_channels: C.
        device, dtype: of the parameters.

    Raises:
        ValueError: there is not one kernel size per convolution, or nothing is left of the signal.

    Source: Greydanus & Kobak 2024, "Scaling down deep learning with MNIST-1D" (the defaults, 5,210 parameters); UDL
        notebook 10.2 is SignalConvNet(40, 10, (15, 15, 15), (3, 3, 3), 2, 0), 2,050 parameters.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.SignalConvNet()
        >>> model(tn.zeros((5, 40))).shape, model.count_params()
        ((5, 10), 5210)
    """

    def __init__(self, length: int = 40, classes: int = 10, channels: Sequence[int] = (25, 25, 25),
                 kernel_sizes: Sequence[int] = (5, 3, 3), stride: int = 2, padding: int = 1, dropout: float = 0.0,
                 norm: bool = False, in_channels: int = 1, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        home: Any = {"device": device, "dtype": dtype}
        if len(kernel_sizes) != len(channels) or not channels:
            raise ValueError(f"kernel_sizes: expected one for each of the channels {tuple(channels)}, got "
                             f"{tuple(kernel_sizes)}")
        self.shape = (in_channels, length)
        layers: list = []
        for n, m, k in zip((in_channels, *channels), channels, kernel_sizes):
            length = (length + 2 * padding - k) // stride + 1
            layers += [Conv1d(n, m, k, stride, padding, **home), *([BatchNorm1d(m, **home)] if norm else []), ReLU()]
        if length < 1:
            raise ValueError(f"length: nothing is left of a signal of {self.shape[1]} places behind kernels of "
                             f"{tuple(kernel_sizes)} with stride {stride}")
        self.features = Sequential(*layers)
        self.head = Sequential(Flatten(), Dropout(dropout), Linear(channels[-1] * length, classes, **home))

    def forward(self, x: ArrayLike) -> Tensor:
        """Scores (logits, nats) of all classes: (N, C, T), or rows (N, C T) -> (N, K)."""
        return self.head(self.features(images(x, self.shape, self.head[-1].weight)))
