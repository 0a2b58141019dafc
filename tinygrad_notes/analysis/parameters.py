"""Parameters as one vector, and the loss of a module as a function of its parameters."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor
from ..autograd.tree import flatten, unflatten
from ..nn.state import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..nn import Module


def raveled(params: Any) -> tuple[Tensor, Callable[[Tensor], Any]]:
    """Nested dicts, lists and tuples of Tensors as one vector.

    Args:
        params: a Tensor or numbers, or containers of them.

    Returns:
        (vector, restore): a Tensor (n,), and the function from such a vector back to the structure of `params`.

    Raises:
        ValueError: there are no numbers in it.

    Example:
        >>> import tinygrad_notes as tn
        >>> vector, restore = tn.analysis.raveled({"w": tn.ones((1, 2)), "b": 3.0})
        >>> vector, restore(2 * vector)
        (tensor([1., 1., 3.]), {'w': tensor([[2., 2.]]), 'b': tensor(6.)})
    """
    leaves, structure = flatten(params)
    tensors = [as_tensor(leaf).detach() for leaf in leaves]
    if not sum(t.size for t in tensors):
        raise ValueError("params: there is no number in them")
    vector = ops.concat([t.reshape((-1,)) for t in tensors])

    def restore(flat):
        parts, start = [], 0
        for t in tensors:
            parts.append(flat[start : start + t.size].reshape(t.shape))
            start += t.size
        return unflatten(structure, parts)

    return vector, restore


def of_vector(loss, params):
    """(the loss as a function of one vector, the vector of `params`, the way back)."""
    if not callable(loss):
        raise TypeError(f"loss: expected a function of the parameters, got {type(loss).__name__}")
    vector, restore = raveled(params)
    return (lambda flat: loss(restore(flat))), vector, restore


def loss_of_module(module: Module, loss: Callable[[Any], Any]) -> tuple[Callable[[Any], Tensor], dict[str, Tensor]]:
    """The loss of a module as a function of its parameters, for the functions here and for `tn.grad`, `tn.hvp`.

    Args:
        module: any Module.
        loss: a function of the module, `loss(module)`, that returns a number.

    Returns:
        (function, params): function({path: Tensor}) is the loss with these parameters; params are the present ones.

    Example:
        >>> import tinygrad_notes as tn
        >>> line = tn.nn.Linear(1, 1, bias=False)
        >>> x, y = tn.tensor([[1.0], [2.0]]), tn.tensor([[3.0], [5.0]])
        >>> function, params = tn.analysis.loss_of_module(line, lambda m: ((m(x) - y)**2).sum())
        >>> round(tn.analysis.lambda_max(function, params), 4)  # 2 (1 + 4)
        10.0
    """
    params = {name: p.detach() for name, p in module.named_parameters()}

    def function(values):
        with replaced(module, values):
            return loss(module)
    return function, params
