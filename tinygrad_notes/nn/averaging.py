"""Averages of a model's parameters over the steps of its training: exponential moving averages, and plain means."""
from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from ..autograd import Tensor, as_tensor, no_grad
from ..backend import int64
from ..ops import zeros
from .batchnorm import _BatchNorm
from .functional.common import number
from .module import Module

if TYPE_CHECKING:
    from ..typing import DeviceLike

__all__ = ["AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
           "update_bn"]

Average: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
MultiAverage: TypeAlias = Callable[[list[Tensor], list[Tensor], Tensor], None]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """How an exponential moving average takes one more value in.

    Formula: a <- decay a + (1 - decay) p.

    Args:
        decay: in [0, 1].

    Returns:
        A function of the average, the new value and the number of values so far, which returns the new average.

    Raises:
        ValueError: `decay` is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.averaging.get_ema_avg_fn(0.5)(tn.tensor(0.0), tn.tensor(4.0), 1)
        tensor(2.)
    """
    decay = number("decay", decay, 0, high=1)

    def ema_update(ema_param, current_param, num_averaged):
        with no_grad():
            return decay * ema_param + (1 - decay) * current_param
    return ema_update


def get_swa_avg_fn() -> Average:
    """How a plain mean takes one more value in.

    Formula: a <- a + (p - a) / (n + 1).

    Returns:
        A function of the mean, the new value and the number n of values so far, which returns the new mean.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.averaging.get_swa_avg_fn()(tn.tensor(0.0), tn.tensor(4.0), 1)
        tensor(2.)
    """
    def swa_update(averaged_param, current_param, num_averaged):
        with no_grad():
            return averaged_param + (current_param - averaged_param) / (num_averaged + 1)
    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """`get_ema_avg_fn` for lists of Tensors, in place.

    Formula: a <- decay a + (1 - decay) p.

    Args:
        decay: in [0, 1].

    Returns:
        A function of the averages, the new values and the number of values so far; it changes the averages.

    Raises:
        ValueError: `decay` is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> a = [tn.tensor(0.0)]
        >>> tn.nn.averaging.get_ema_multi_avg_fn(0.5)(a, [tn.tensor(4.0)], 1); a
        [tensor(2.)]
    """
    return _all(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> MultiAverage:
    """`get_swa_avg_fn` for lists of Tensors, in place.

    Formula: a <- a + (p - a) / (n + 1).

    Returns:
        A function of the means, the new values and the number n of values so far; it changes the means.

    Example:
        >>> import tinygrad_notes as tn
        >>> a = [tn.tensor(0.0)]
        >>> tn.nn.averaging.get_swa_multi_avg_fn()(a, [tn.tensor(4.0)], 1); a
        [tensor(2.)]
    """
    return _all(get_swa_avg_fn())


def _all(update):
    def update_all(averaged, current, num_averaged):
        for a, p in zip(averaged, current, strict=True):
            _set(a, update(a, p, num_averaged))
    return update_all


def _set(tensor, values):
    """New values, in the dtype and on the device of the tensor; pending graphs keep the old ones."""
    tensor.data = Tensor(values, dtype=tensor.dtype, device=tensor.device).data


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of those that the model has had.

    Formula: after the first `update_parameters` a = p, then a <- avg_fn(a, p, n); by default the mean of all.

    Args:
        model: the model; it is copied.
        device: where the copy lives; None: where the model does.
        avg_fn: `avg_fn(average, value, n)` returns the new average of one tensor, n values having been seen.
        multi_avg_fn: `multi_avg_fn(averages, values, n)` changes all averages.
        use_buffers: average floating buffers too (running averages of a batch norm); without, they are copied. Buffers
            of whole numbers are always copied.

    Attributes:
        module: the averaged copy.
        n_averaged: how many values have been seen, a buffer.

    Raises:
        ValueError: both functions are given; at an update: another model.

    Source: Polyak and Juditsky 1992; Izmailov et al. 2018, "Averaging weights leads to wider optima".

    Example:
        >>> import tinygrad_notes as tn
        >>> net = tn.nn.Linear(1, 1)
        >>> ema = tn.nn.averaging.AveragedModel(net, multi_avg_fn=tn.nn.averaging.get_ema_multi_avg_fn(0.9))
        >>> ema.update_parameters(net)
        >>> ema.n_averaged.item(), list(ema.state_dict())
        (1, ['n_averaged', 'module.weight', 'module.bias'])
    """

    n_averaged: Tensor

    def __init__(self, model: Module, device: DeviceLike | None = None, avg_fn: Average | None = None,
                 multi_avg_fn: MultiAverage | None = None, use_buffers: bool = False) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: expected avg_fn or multi_avg_fn, got both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device=device)
        self.register_buffer("n_averaged", zeros((), dtype=int64, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *inputs: Any, **options: Any) -> Any:
        return self.module(*inputs, **options)

    def update_parameters(self, model: Module) -> None:
        """Take the present parameters of a model into the average.

        Raises:
            ValueError: it has other parameters or buffers than the one that was copied; nothing was changed then.
        """
        averaged = self._pairs(dict(self.module.named_parameters()), dict(model.named_parameters()))
        buffers = self._pairs(dict(self.module.named_buffers()), dict(model.named_buffers()))
        copied: list[tuple[Tensor, Tensor]] = []
        for a, p in buffers:
            (averaged if self.use_buffers and a.dtype.kind == "f" else copied).append((a, p))
        with no_grad():
            self._average([a for a, _ in averaged], [p.detach().to(a.device) for a, p in averaged])
            for a, p in copied:
                _set(a, p.detach().copy())
            _set(self.n_averaged, self.n_averaged + 1)

    def _pairs(self, own, theirs):
        wrong = [name for name in {**own, **theirs}
                 if name not in own or name not in theirs or own[name].shape != theirs[name].shape]
        if wrong:
            raise ValueError(f"update_parameters: the model is not like the one that was copied: {', '.join(wrong)}")
        return [(own[name], theirs[name]) for name in own]

    def _average(self, averages, values):
        if not self.n_averaged.item():
            for a, p in zip(averages, values):
                _set(a, p.copy())
        elif self.multi_avg_fn is not None:
            self.multi_avg_fn(averages, values, self.n_averaged)
        else:
            update = self.avg_fn or get_swa_avg_fn()
            for a, p in zip(averages, values):
                _set(a, update(a.detach(), p, self.n_averaged))


def update_bn(loader: Iterable[Any], model: Module, device: DeviceLike | None = None) -> None:
    """Compute the running averages of batch norms anew, as plain means over all batches of some data.

    An averaged model needs this: its parameters were never in use while running averages were taken.

    Args:
        loader: batches; of a tuple or list, the first element is what the model is called with.
        model: the model, whose modes are as before afterwards.
        device: where batches are moved to.

    Raises:
        ValueError: `loader` has no batch; nothing was changed then.

    Example:
        >>> import tinygrad_notes as tn
        >>> net = tn.nn.Sequential(tn.nn.BatchNorm1d(1))
        >>> tn.nn.averaging.update_bn([tn.tensor([[1.0], [3.0]])], net); net[0].running_mean
        tensor([2.])
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    if not norms:
        return
    batches = iter(loader)
    try:
        batch = next(batches)
    except StopIteration:
        raise ValueError("update_bn: the loader has no batch") from None
    before = [(module, module.training) for module in model.modules()]
    momenta = [norm.momentum for norm in norms]
    model.train()
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        with no_grad():
            while batch is not None:
                inputs = as_tensor(batch[0] if isinstance(batch, (tuple, list)) else batch)
                model(inputs if device is None else inputs.to(device))
                batch = next(batches, None)
    finally:
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
        for module, mode in before:
            module.training = mode
