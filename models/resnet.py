"""Residual networks: each block adds what it computes to what went in.

    N examples   C channels   H, W height and width   K classes   D features

    h <- h + f(h); where sizes change, h <- S h + f(h) with an affine S (a convolution of one pixel)

A gradient reaches every block along the sum, whatever the others do: without it the gradients of deep networks with
respect to their inputs are like white noise (they "shatter").
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor
from ..nn import (
    AdaptiveAvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Linear,
    MaxPool2d,
    Module,
    ModuleList,
    ReLU,
    Sequential,
    init,
)
from .classifier import Classifier
from .cnn import images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike


def _conv(n, m, size, stride=1, **home):
    return Conv2d(n, m, size, stride, padding=size // 2, bias=False, **home)


class BasicBlock(Module):
    """Two convolutions of 3 x 3 and the sum with the input.

    Formula: out = relu(S x + BN(conv(relu(BN(conv(x)))))), S the identity, or `downsample`.

    Args:
        inplanes: channels of the input.
        planes: channels of the output.
        stride: of the first convolution.
        downsample: S where sizes change, a Module; None: the identity.
        device, dtype: of the parameters.

    Source: He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition", figure 5; UDL 11.5.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.BasicBlock(4, 4)(tn.ones((2, 4, 8, 8))).shape
        (2, 4, 8, 8)
    """

    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: Module | None = None, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        home: Any = {"device": device, "dtype": dtype}
        self.conv1, self.bn1 = _conv(inplanes, planes, 3, stride, **home), BatchNorm2d(planes, **home)
        self.relu = ReLU()
        self.conv2, self.bn2 = _conv(planes, planes, 3, **home), BatchNorm2d(planes, **home)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, planes, H / stride, W / stride)."""
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(Module):
    """Convolutions of 1 x 1 to fewer channels, 3 x 3, and 1 x 1 to four times as many, and the sum with the input.

    Formula: out = relu(S x + BN(conv_1(relu(BN(conv_3(relu(BN(conv_1(x)))))))), S the identity, or `downsample`.

    Args:
        inplanes: channels of the input.
        planes: channels in the middle; the output has four times as many.
        stride: of the 3 x 3 convolution, as in torchvision (the paper has it in the first).
        downsample: S where sizes change, a Module; None: the identity.
        device, dtype: of the parameters.

    Source: He, Zhang, Ren & Sun 2016, figure 5; UDL 11.5.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.Bottleneck(16, 4)(tn.ones((2, 16, 8, 8))).shape
        (2, 16, 8, 8)
    """

    expansion = 4

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: Module | None = None, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        home: Any = {"device": device, "dtype": dtype}
        self.conv1, self.bn1 = _conv(inplanes, planes, 1, **home), BatchNorm2d(planes, **home)
        self.conv2, self.bn2 = _conv(planes, planes, 3, stride, **home), BatchNorm2d(planes, **home)
        self.conv3, self.bn3 = _conv(planes, 4 * planes, 1, **home), BatchNorm2d(4 * planes, **home)
        self.relu = ReLU()
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 4 planes, H / stride, W / stride)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(out)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(Classifier):
    """A residual network for images; parameters have torchvision's names and shapes.

    Formula: a first convolution; four stages of blocks, each but the first with half as many pixels and twice as many
        channels; the mean over pixels; scores.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: blocks in each stage; fewer than four stages may be given for small images.
        num_classes: K.
        in_channels: C.
        width: channels of the first stage.
        small: for images of few pixels: the first convolution is 3 x 3 without stride, and nothing is pooled behind it.
        shape: (C, H, W), if images also come as rows.
        device, dtype: of the parameters.

    Raises:
        ValueError: a stage has no block.

    Source: He, Zhang, Ren & Sun 2016, table 1; weights begin as in He et al. 2015 (fan-out).

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.ResNet(tn.models.BasicBlock, (1, 1), 10, in_channels=1, width=8, small=True)
        >>> model(tn.ones((2, 1, 8, 8))).shape
        (2, 10)
    """

    def __init__(self, block: Any = BasicBlock, layers: Sequence[int] = (2, 2, 2, 2), num_classes: int = 1000, *,
                 in_channels: int = 3, width: int = 64, small: bool = False, shape: Sequence[int] | None = None,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if not layers or min(layers) < 1:
            raise ValueError(f"layers: expected at least one block in each stage, got {tuple(layers)}")
        home: Any = {"device": device, "dtype": dtype}
        self.shape, self.small = shape, small
        self.conv1 = Conv2d(in_channels, width, 3, padding=1, bias=False, **home) if small else \
            Conv2d(in_channels, width, 7, 2, padding=3, bias=False, **home)
        self.bn1, self.relu = BatchNorm2d(width, **home), ReLU()
        self.maxpool: Any = None if small else MaxPool2d(3, 2, padding=1)
        planes, channels, self.stages = width, width, len(layers)
        for k, count in enumerate(layers, 1):
            blocks = []
            for j in range(count):
                stride = 2 if k > 1 and j == 0 else 1
                shortcut = None
                if stride > 1 or channels != planes * block.expansion:
                    shortcut = Sequential(_conv(channels, planes * block.expansion, 1, stride, **home),
                                          BatchNorm2d(planes * block.expansion, **home))
                blocks.append(block(channels, planes, stride, shortcut, **home))
                channels = planes * block.expansion
            setattr(self, f"layer{k}", Sequential(*blocks))
            planes *= 2
        self.avgpool = AdaptiveAvgPool2d(1)
        self.fc = Linear(channels, num_classes, **home)
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: ArrayLike) -> Tensor:
        """Scores (logits, nats) of all classes: (N, C, H, W) -> (N, K)."""
        x = as_tensor(x, like=self.fc.weight)
        h = images(x, self.shape or x.shape[1:], self.fc.weight)
        h = self.relu(self.bn1(self.conv1(h)))
        if not self.small:
            h = self.maxpool(h)
        for k in range(1, self.stages + 1):
            h = getattr(self, f"layer{k}")(h)
        return self.fc(ops.reshape(self.avgpool(h), (h.shape[0], -1)))  # (N, C, 1, 1) -> (N, C)


def _made(block, layers):
    def make(num_classes: int = 1000, **options: Any) -> ResNet:
        return ResNet(block, layers, num_classes, **options)
    depth = 2 + sum(layers) * (2 if block is BasicBlock else 3)
    make.__name__ = make.__qualname__ = f"resnet{depth}"
    make.__doc__ = f"""A `ResNet` of {depth} layers: {block.__name__}s {layers}, options as there.

    Args:
        num_classes: K.
        **options: `in_channels`, `width`, `small`, `shape`, `device`, `dtype` of `ResNet`.

    Returns:
        A `ResNet` with new weights.

    Source: He, Zhang, Ren & Sun 2016, table 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.resnet{depth}(10, in_channels=1, width=8, small=True)(tn.ones((2, 1, 16, 16))).shape
        (2, 10)
    """
    return make


resnet18, resnet34 = _made(BasicBlock, (2, 2, 2, 2)), _made(BasicBlock, (3, 4, 6, 3))
resnet50, resnet101 = _made(Bottleneck, (3, 4, 6, 3)), _made(Bottleneck, (3, 4, 23, 3))
resnet152 = _made(Bottleneck, (3, 8, 36, 3))


class ResidualMLP(Classifier):
    """A deep perceptron with sums around its layers.

    Formula: h^0 = W_0 x + b_0, h^(k+1) = h^k + b_k + W_k relu(BN(h^k)), scores = b + W relu(h^last); BN with `norm`.
        With He's weights each sum doubles the variance; behind a normalization it grows by one unit per block instead.

    Args:
        data_dim: numbers per example.
        classes: K.
        width: D, units of a layer.
        blocks: how many sums.
        norm: batch normalization in front of each relu.
        residual: False to leave the sums out: h^(k+1) = b_k + W_k relu(h^k).
        device, dtype: of the parameters.

    Raises:
        ValueError: `blocks` is below 1.

    Source: UDL 11.3 and 11.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.ResidualMLP(40, 10, width=16, blocks=3)(tn.ones((5, 40))).shape
        (5, 10)
    """

    def __init__(self, data_dim: int, classes: int, width: int = 100, blocks: int = 5, norm: bool = True,
                 residual: bool = True, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if blocks < 1:
            raise ValueError(f"blocks: expected at least 1, got {blocks}")
        home: Any = {"device": device, "dtype": dtype}
        self.first = Linear(data_dim, width, **home)
        self.norms = ModuleList([BatchNorm1d(width, **home) for _ in range(blocks if norm else 0)])
        self.layers = ModuleList([Linear(width, width, **home) for _ in range(blocks)])
        self.last = Linear(width, classes, **home)
        self.residual = residual
        for layer in self.layers:
            init.kaiming_normal_(layer.weight)
            init.zeros_(layer.bias)

    def states(self, h: Tensor) -> list[Tensor]:
        """h and what it becomes from block to block, each (N, D)."""
        found = [h]
        for k, layer in enumerate(self.layers):
            change = layer(ops.relu(self.norms[k](h) if len(self.norms) else h))
            h = h + change if self.residual else change
            found.append(h)
        return found

    def forward(self, x: ArrayLike) -> Tensor:
        """Scores (logits, nats) of all classes, (N, data_dim) -> (N, K)."""
        return self.last(ops.relu(self.states(self.first(as_tensor(x)))[-1]))
