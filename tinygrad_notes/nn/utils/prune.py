"""Weights set to zero and kept there: by size, at random, or by a mask, as PyTorch does it.

A pruned layer learns `<name>_orig`; `<name>_mask`, a buffer, says what is kept; the product of both is computed before
every call.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ...autograd import Tensor, as_tensor
from ...ops import argsort, concat, index_put, ones_like, rand, reshape
from ..functional.common import number
from ..module import Module
from .reparametrize import Computed, hook_on, removed

if TYPE_CHECKING:
    from typing import TypeVar

    from ...backend import Generator
    from ...typing import ArrayLike

    Layer = TypeVar("Layer", bound=Module)

__all__ = ["custom_from_mask", "global_unstructured", "is_pruned", "l1_unstructured", "magnitude_mask",
           "random_unstructured", "remove"]


class _Masked(Computed):
    def __init__(self, module, name, mask):
        self.mask = mask
        super().__init__(module, name)

    def take(self, module, weight):
        module.register_parameter(f"{self.name}_orig", weight)
        module.register_buffer(f"{self.name}_mask", self.mask)
        del self.mask

    def compute(self, module):
        return getattr(module, f"{self.name}_orig") * getattr(module, f"{self.name}_mask")

    def compute_now(self, module):
        self(module, ())

    def parts(self):
        return f"{self.name}_orig", f"{self.name}_mask"


def _how_many(amount, size):
    """How many of `size` elements an amount is: a whole number of them, or a share."""
    if isinstance(amount, int) and not isinstance(amount, bool):
        if not 0 <= amount <= size:
            raise ValueError(f"amount: expected at most {size} elements, as many as there are, got {amount}")
        return amount
    return round(number("amount", amount, 0, high=1) * size)


def _without(scores, kept, amount):
    """A mask that keeps what `kept` does (1 or 0), but for an amount of those with the smallest scores."""
    shape, scores, kept = scores.shape, reshape(scores, (-1,)), reshape(kept, (-1,))
    left = int(kept.sum().item())
    order = argsort(scores, stable=True)
    order = order[argsort(1 - kept[order], stable=True)]  # those still kept come first
    mask = index_put(kept, order[:_how_many(amount, left)], 0.0)
    return reshape(mask, shape)


def magnitude_mask(weights: ArrayLike, amount: float) -> Tensor:
    """A mask without the smallest weights.

    Formula: out = 0 for the `amount` elements of smallest |w|, of equal ones the first; 1 for all others.

    Args:
        weights: any shape.
        amount: a share of the elements in [0, 1], or how many, an int.

    Returns:
        A Tensor of ones and zeros of the shape and dtype of `weights`.

    Raises:
        ValueError: the amount is out of range.

    Source: Frankle and Carbin 2019, "The lottery ticket hypothesis"; the notes, section on double descent.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.utils.prune.magnitude_mask([5.0, 6.0, 0.0, 1.0, 7.0], 0.4)
        tensor([1., 1., 0., 0., 1.])
    """
    weights = as_tensor(weights).detach()
    return _without(abs(weights), ones_like(weights), amount)


def _present(module, name):
    """(weight, mask) as they are; without a mask, ones."""
    if hook_on(module, name, _Masked) is not None:
        return getattr(module, f"{name}_orig").detach(), getattr(module, f"{name}_mask")
    weight = module._roles.get(name) and getattr(module, name)
    if not isinstance(weight, Tensor):
        raise ValueError(f"name: {type(module).__name__} has no parameter {name!r}")
    return weight.detach(), ones_like(weight.detach())


def _put(module, name, mask):
    if hook_on(module, name, _Masked) is None:
        _Masked(module, name, mask)
    else:
        setattr(module, f"{name}_mask", mask)
        hook_on(module, name, _Masked)(module, ())
    return module


def l1_unstructured(module: Layer, name: str, amount: float) -> Layer:
    """Set the smallest of the weights that are left to zero.

    Args:
        module: the layer.
        name: of the parameter.
        amount: a share of what is left in [0, 1], or how many, an int.

    Returns:
        The layer.

    Raises:
        ValueError: there is no such parameter, or the amount is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.prune.l1_unstructured(tn.nn.Linear(4, 5), "weight", 0.3)
        >>> (layer.weight == 0).sum().item(), list(layer.state_dict())
        (6, ['bias', 'weight_orig', 'weight_mask'])
    """
    weight, mask = _present(module, name)
    return _put(module, name, _without(abs(weight), mask, amount))


def random_unstructured(module: Layer, name: str, amount: float, generator: Generator | None = None) -> Layer:
    """Set some of the weights that are left to zero, chosen at random.

    Args:
        module: the layer.
        name: of the parameter.
        amount: a share of what is left in [0, 1], or how many, an int.
        generator: where the numbers come from.

    Returns:
        The layer.

    Raises:
        ValueError: there is no such parameter, or the amount is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.prune.random_unstructured(tn.nn.Linear(4, 5), "weight", 7)
        >>> (layer.weight == 0).sum().item()
        7
    """
    weight, mask = _present(module, name)
    scores = rand(*weight.shape, generator=generator, dtype=weight.dtype, device=weight.device)
    return _put(module, name, _without(scores, mask, amount))


def custom_from_mask(module: Layer, name: str, mask: ArrayLike) -> Layer:
    """Keep only the weights where a mask is one, of those that are left.

    Args:
        module: the layer.
        name: of the parameter.
        mask: ones and zeros, of the shape of the parameter.

    Returns:
        The layer.

    Raises:
        ValueError: there is no such parameter, or the mask has another shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.prune.custom_from_mask(tn.nn.Linear(2, 1), "weight", [[1.0, 0.0]])
        >>> layer.weight[0, 1].item() == 0
        True
    """
    weight, present = _present(module, name)
    mask = as_tensor(mask, like=weight).astype(weight.dtype)
    if mask.shape != weight.shape:
        raise ValueError(f"mask: expected shape {weight.shape}, got {mask.shape}")
    return _put(module, name, present * mask)


def global_unstructured(parameters: Iterable[tuple[Module, str]], amount: float,
                        score: Callable[[Tensor], Tensor] = abs) -> None:
    """Set the smallest of the weights of several layers to zero, compared with each other.

    Args:
        parameters: (layer, name of the parameter) pairs.
        amount: a share of what is left of all in [0, 1], or how many, an int.
        score: what is compared; the size by default.

    Raises:
        ValueError: there is no pair, no such parameter, or the amount is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> net = tn.nn.MLP([2, 4, 1])
        >>> tn.nn.utils.prune.global_unstructured([(net[0], "weight"), (net[2], "weight")], 0.5)
        >>> sum((layer.weight == 0).sum().item() for layer in (net[0], net[2]))
        6
    """
    pairs = list(parameters)
    if not pairs:
        raise ValueError("parameters: expected at least one (layer, name) pair")
    present = [_present(module, name) for module, name in pairs]
    scores = concat([reshape(score(weight), (-1,)) for weight, _ in present])
    mask, start = _without(scores, concat([reshape(m, (-1,)) for _, m in present]), amount), 0
    for (module, name), (weight, _) in zip(pairs, present):
        _put(module, name, reshape(mask[start:start + weight.size], weight.shape))
        start += weight.size


def remove(module: Layer, name: str) -> Layer:
    """Make a pruned weight an ordinary parameter again; what is zero stays zero for now.

    Args:
        module: the layer.
        name: of the parameter.

    Returns:
        The layer.

    Raises:
        ValueError: it is not pruned.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.prune.l1_unstructured(tn.nn.Linear(4, 5), "weight", 0.3)
        >>> list(tn.nn.utils.prune.remove(layer, "weight").state_dict())
        ['bias', 'weight']
    """
    return removed(module, name, _Masked, "pruning")


def is_pruned(module: Module) -> bool:
    """Whether some weight of a module or of one inside is pruned.

    Args:
        module: any Module.

    Returns:
        A bool.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.utils.prune.is_pruned(tn.nn.Linear(1, 1))
        False
    """
    return any(isinstance(hook, _Masked) for m in module.modules()
               for hook, _ in (m._hooks or {}).get("pre", {}).values())
