"""Functions that look at, or change, the gradient of one Tensor while the backward pass runs."""
from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from typing import Self

_number = count().__next__


class Handle:
    """Takes a hook off again: `handle.remove()`, or the end of a `with handle:` block."""

    __slots__ = ("_table", "_key")

    def __init__(self, table, hook):
        self._table, self._key = table, _number()
        table[self._key] = hook

    def remove(self) -> None:
        """Take the hook off; a second time does nothing."""
        self._table.pop(self._key, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.remove()


class LeafHooks:
    """The hooks of a leaf: on its gradient, and after that was added to `.grad`."""

    __slots__ = ("gradient", "accumulated")

    def __init__(self):
        self.gradient, self.accumulated = {}, {}


class Hooked:
    """What a Tensor offers to watch its gradient."""

    __slots__ = ()

    @property
    def grad_fn(self):
        """The node that made this tensor, None for a leaf."""
        return self.node

    @property
    def retains_grad(self):
        """Whether `.grad` of this result of an operation is filled by a backward pass."""
        return self.node is not None and "retain" in (self.node.extra or ())

    def retain_grad(self):
        """Fill `.grad` of this result of an operation too; leaves always have theirs.

        Raises:
            RuntimeError: the tensor does not require a gradient.

        Example:
            >>> import tinygrad_notes as tn
            >>> x = tn.tensor(3.0, requires_grad=True)
            >>> y = x * x
            >>> y.retain_grad()
            >>> (2 * y).backward(); y.grad
            tensor(2.)
        """
        self._wants_gradient("retain_grad")
        if self.node is not None:
            _extra(self.node)["retain"] = ref(self)

    def register_hook(self, hook):
        """Call `hook(gradient)` once per backward pass, with the whole gradient of this tensor.

        Hooks run in the order in which they were registered, on a leaf before its `.grad` changes.

        Args:
            hook: a function of one Tensor, the gradient. It returns None, or a Tensor of the same shape
                that takes the gradient's place for everything behind.

        Returns:
            A handle with `remove()`.

        Raises:
            TypeError: `hook` is not callable.
            RuntimeError: the tensor does not require a gradient.

        Example:
            >>> import tinygrad_notes as tn
            >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
            >>> handle = x.register_hook(lambda g: 10 * g)
            >>> x.sum().backward(); x.grad
            tensor([10., 10.])
            >>> handle.remove()
        """
        self._wants_gradient("register_hook")
        table = _of_leaf(self).gradient if self.node is None else _extra(self.node).setdefault("hooks", {})
        return Handle(table, _callable("register_hook", hook))

    def register_post_accumulate_grad_hook(self, hook):
        """Call `hook(tensor)` each time after `backward()` has added to the `.grad` of this leaf.

        Args:
            hook: a function of the leaf; its return value is ignored.

        Returns:
            A handle with `remove()`.

        Raises:
            TypeError: `hook` is not callable.
            RuntimeError: the tensor does not require a gradient, or is not a leaf.

        Example:
            >>> import tinygrad_notes as tn
            >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
            >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
            >>> x.sum().backward()
            tensor([1., 1.])
        """
        self._wants_gradient("register_post_accumulate_grad_hook")
        if self.node is not None:
            raise RuntimeError(f"register_post_accumulate_grad_hook: the tensor is the result of {self.node.name}; "
                               "only leaves accumulate a gradient. Use register_hook")
        return Handle(_of_leaf(self).accumulated, _callable("register_post_accumulate_grad_hook", hook))

    def _wants_gradient(self, what):
        if not self.requires_grad:
            raise RuntimeError(f"{what}: this tensor, shape {self.shape}, does not require a gradient")


def _extra(node):
    if node.extra is None:
        node.extra = {}
    return node.extra


def _of_leaf(leaf):
    found = getattr(leaf, "_hooks", None)
    if found is None:
        found = leaf._hooks = LeafHooks()
    return found


def _callable(what, hook):
    if not callable(hook):
        raise TypeError(f"{what}: expected a function, got {type(hook).__name__}")
    return hook
