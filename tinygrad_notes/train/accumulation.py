"""Gradients of several small batches as the gradient of one large batch."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import Tensor

if TYPE_CHECKING:
    from ..optim import Optimizer


class Accumulation:
    """Adds up the gradients of micro-batches, and steps when there are enough of them.

    Formula: with the loss of a micro-batch a mean over its n_k examples, the gradient is sum_k n_k g_k / sum_k n_k:
    that of the mean over all examples, whatever the sizes, the last and uneven one included. With a loss that is a
    sum, it is sum_k g_k.

    Args:
        optimizer: what steps. Gradients are cleared before the first micro-batch of each step.
        every: micro-batches per step, an int >= 1.
        reduction: 'mean' or 'sum': what the losses are over the examples of a micro-batch.

    Attributes:
        pending: micro-batches since the last step.

    Raises:
        ValueError: an option is out of range.
        TypeError: the optimizer computes the loss itself (LBFGS, SAM).

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([0.0], requires_grad=True)
        >>> accumulation = tn.train.Accumulation(tn.optim.SGD([w], lr=0.5), every=2)
        >>> for x in (tn.tensor([1.0, 2.0, 3.0]), tn.tensor([6.0])):
        ...     stepped = accumulation.backward(((w - x)**2).mean(), count=len(x))
        >>> stepped, w  # at the mean of all four
        (True, tensor([3.], requires_grad=True))
    """

    def __init__(self, optimizer: Optimizer, every: int, reduction: str = "mean") -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"every: expected an int >= 1, got {every!r}")
        if reduction not in ("mean", "sum"):
            raise ValueError(f"reduction: expected 'mean' or 'sum', got {reduction!r}")
        if getattr(optimizer, "needs_closure", False):
            raise TypeError(f"optimizer: {type(optimizer).__name__} computes the loss itself; accumulate in a closure")
        self.optimizer, self.every, self.reduction = optimizer, every, reduction
        self.pending, self._weight = 0, 0.0

    def backward(self, loss: Tensor, count: float = 1) -> bool:
        """Add the gradient of one micro-batch; step if it was the last of `every`.

        Args:
            loss: its loss, one number.
            count: how many examples it is the mean of; not used for sums.

        Returns:
            Whether the optimizer stepped.

        Raises:
            ValueError: `count` is not positive.
        """
        if not count > 0:
            raise ValueError(f"count: expected a number > 0, got {count!r}")
        if self.pending == 0:
            self.optimizer.zero_grad()
        scaled = self.reduction == "mean" and self.every > 1
        loss.backward(Tensor(count, dtype=loss.dtype, device=loss.device).reshape(loss.shape) if scaled else None)
        self.pending += 1
        self._weight += count if scaled else 0
        return self.pending >= self.every and self.step()

    def step(self) -> bool:
        """Step with the micro-batches there are: at the end of the data, where fewer are left.

        Returns:
            Whether there were any.
        """
        if self.pending == 0:
            return False
        if self._weight:
            for group in self.optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.grad = Tensor.wrap(p.grad.data / self._weight)
        self.reset()
        self.optimizer.step()
        return True

    def reset(self) -> None:
        """Forget the micro-batches since the last step."""
        self.pending, self._weight = 0, 0.0
