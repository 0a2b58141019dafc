"""A class for each place: an encoder, a decoder, and bridges between them.

    N examples   C channels   K classes   *places: (T,) of a signal, (H, W) of an image

    down:    h_k = block_k(pool(h_(k-1)))
    up:      g_k = block(concat(h_k, up(g_(k+1)))), so that what pooling lost is still there
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import (
    BatchNorm1d,
    BatchNorm2d,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    MaxPool1d,
    MaxPool2d,
    Module,
    ModuleList,
    ReLU,
    Sequential,
)
from .classifier import cross_entropy_and_accuracy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike

AXES: dict[int, Any] = {1: (Conv1d, ConvTranspose1d, BatchNorm1d, MaxPool1d),
                        2: (Conv2d, ConvTranspose2d, BatchNorm2d, MaxPool2d)}


class UNet(Module):
    """An encoder-decoder with bridges, for segmentation of images or signals.

    Formula: loss = -mean over places of log softmax(f(x)_place)_{y_place}, in nats.

    Args:
        in_channels: C.
        classes: K.
        widths: channels at each resolution, the finest first; each further one has half as many places.
        axes: 2 for images, 1 for signals.
        device, dtype: of the parameters.

    Raises:
        ValueError: `axes` is neither 1 nor 2, or there is no width; at the call: the places cannot be halved so often.

    Source: Ronneberger, Fischer & Brox 2015, "U-Net: convolutional networks for biomedical image segmentation", with
        zeros at the borders and batch normalization; UDL 10.5.4 and 11.5.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.UNet(1, 2, widths=(4, 8))
        >>> model(tn.ones((3, 1, 8, 8))).shape, model.predict(tn.ones((3, 1, 8, 8))).shape
        ((3, 2, 8, 8), (3, 8, 8))
    """

    def __init__(self, in_channels: int = 1, classes: int = 2, widths: Sequence[int] = (16, 32, 64), axes: int = 2, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if axes not in AXES:
            raise ValueError(f"axes: expected 1 or 2, got {axes!r}")
        if not widths:
            raise ValueError("widths: expected at least one")
        home: Any = {"device": device, "dtype": dtype}
        conv, transposed, norm, pool = AXES[axes]
        self.in_channels, self.axes = in_channels, axes

        def block(n, m):
            return Sequential(conv(n, m, 3, padding=1, bias=False, **home), norm(m, **home), ReLU(),
                              conv(m, m, 3, padding=1, bias=False, **home), norm(m, **home), ReLU())
        self.down = ModuleList([block(n, m) for n, m in zip((in_channels, *widths), widths)])
        self.pool = pool(2)
        coarse = list(zip(widths[:0:-1], widths[-2::-1]))  # (channels below, channels here), from the coarsest up
        self.up = ModuleList([transposed(n, m, 2, 2, **home) for n, m in coarse])
        self.merge = ModuleList([block(2 * m, m) for _, m in coarse])
        self.head = conv(widths[0], classes, 1, **home)

    def forward(self, x: ArrayLike) -> Tensor:
        """Scores (logits, nats) of all classes at each place: (N, C, *places) -> (N, K, *places)."""
        h = ops.astype(as_tensor(x, like=self.head.weight), self.head.weight.dtype)
        step = 2 ** (len(self.down) - 1)
        if h.ndim != self.axes + 2 or any(n % step for n in h.shape[2:]):
            raise ValueError(f"x: expected (N, {self.in_channels}, ...) with {self.axes} further axes, multiples of "
                             f"{step}, got {h.shape}")
        kept = []
        for k, block in enumerate(self.down):
            h = block(self.pool(h) if k else h)
            kept.append(h)
        for k, (up, merge) in enumerate(zip(self.up, self.merge)):
            h = merge(ops.concat([kept[-2 - k], up(h)], axis=1))
        return self.head(h)

    def loss(self, x: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
        """Cross-entropy and the share of places that are right, means over all places.

        Args:
            x: (N, C, *places).
            y: integers (N, *places).

        Returns:
            {"loss", "accuracy"}, 0-d Tensors; the loss in nats.
        """
        return cross_entropy_and_accuracy(self(x), as_tensor(y))

    def predict(self, x: ArrayLike) -> Tensor:
        """The most probable class of each place: (N, C, *places) -> (N, *places) of int64."""
        with no_grad(), self.evaluating():
            return ops.argmax(self(x), axis=1)


def overlap(found: ArrayLike, truth: ArrayLike, label: int = 1) -> float:
    """Intersection over union of the places with a label, over a whole batch.

    Formula: |found = label and truth = label| / |found = label or truth = label|; 1 where neither has it.

    Args:
        found, truth: integers of equal shape.
        label: which.

    Returns:
        A float from 0 to 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.overlap(tn.tensor([0, 1, 1]), tn.tensor([1, 1, 1]))
        0.6666666666666666
    """
    a, b = as_tensor(found) == label, as_tensor(truth) == label
    both, either = int(ops.sum(ops.logical_and(a, b))), int(ops.sum(ops.logical_or(a, b)))
    return both / either if either else 1.0
