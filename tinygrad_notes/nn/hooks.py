"""Functions that users hang on a module: around forward, in the backward pass, around saving and loading."""
from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..autograd.primitive import joint
from ..backend import device_of

if TYPE_CHECKING:
    from collections.abc import Callable

_next = count().__next__


class Handle:
    """Takes a hook off again: `handle.remove()`, or at the end of a `with handle:` block."""

    def __init__(self, module, kind, hook, prepend=False, where="_hooks"):
        hooks = module.__dict__.get(where)
        if hooks is None:
            hooks = module.__dict__[where] = {}
        self._module, self._where, self._table, self._key = module, where, hooks.setdefault(kind, {}), _next()
        self._table[self._key] = hook
        if prepend:
            for key in [k for k in self._table if k != self._key]:
                self._table[key] = self._table.pop(key)

    def remove(self) -> None:
        """Take the hook off; a second time does nothing."""
        self._table.pop(self._key, None)
        hooks = self._module.__dict__.get(self._where)
        if hooks is not None and not any(hooks.values()):
            del self._module.__dict__[self._where]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()


class Hooked:
    """What can be hung on a module; a part of `Module`."""

    _hooks: dict | None = None  # most modules have none: then a call is one attribute look-up more than `forward`
    _state_hooks: dict | None = None

    # Around a call --------------------------------------------------------------------
    def register_forward_pre_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                                  with_kwargs: bool = False) -> Handle:
        """Call `hook(module, inputs)` before forward; what it returns replaces the inputs.

        Args:
            hook: with `with_kwargs`, `hook(module, inputs, options)` that returns None or (inputs, options).
            prepend: run before the hooks that are there.
            with_kwargs: the hook wants keyword arguments too.

        Returns:
            A handle with `remove()`.
        """
        return Handle(self, "pre", (hook, with_kwargs), prepend)

    def register_forward_hook(self, hook: Callable[..., Any], *, prepend: bool = False,
                              with_kwargs: bool = False) -> Handle:
        """Call `hook(module, inputs, output)` after forward; what it returns replaces the output.

        Args:
            hook: with `with_kwargs`, `hook(module, inputs, options, output)`.
            prepend: run before the hooks that are there.
            with_kwargs: the hook wants keyword arguments too.

        Returns:
            A handle with `remove()`.
        """
        return Handle(self, "forward", (hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call `hook(module, grad_output)` when the gradients of its outputs are known, before they go through it.

        Args:
            hook: gets a tuple of Tensors; a tuple (or one Tensor) that it returns replaces it.
            prepend: run before the hooks that are there.

        Returns:
            A handle with `remove()`.
        """
        return Handle(self, "backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of its inputs are known.

        Args:
            hook: gets two tuples of Tensors; a tuple it returns replaces `grad_input`.
            prepend: run before the hooks that are there.

        Returns:
            A handle with `remove()`.
        """
        return Handle(self, "backward", hook, prepend)

    # Around saving and loading ------------------------------------------------------------
    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> Handle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` of this module or one around it is taken.

        Returns:
            A handle with `remove()`.
        """
        return Handle(self, "save_pre", hook, where="_state_hooks")

    def register_state_dict_post_hook(self, hook: Callable[..., None]) -> Handle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict` is taken; it may change the dict.

        Args:
            hook: `prefix` stands before this module's keys; `local_metadata` is empty.

        Returns:
            A handle with `remove()`.
        """
        return Handle(self, "save", hook, where="_state_hooks")

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> Handle:
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`
        before a state is loaded, with a copy of the dict that it may change.

        Args:
            hook: `prefix` stands before this module's keys; texts added to `error_msgs` make the loading fail.

        Returns:
            A handle with `remove()`.
        """
        return Handle(self, "load_pre", hook, where="_state_hooks")

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> Handle:
        """Call `hook(module, keys)` after a state is loaded; `keys` has the lists `missing_keys` and `unexpected_keys`.

        Returns:
            A handle with `remove()`.
        """
        return Handle(self, "load", hook, where="_state_hooks")


def call_with_hooks(module, inputs, options):
    """`module.forward` with everything that hangs on the module."""
    hooks = module._hooks
    for hook, with_options in list(hooks.get("pre", {}).values()):
        changed = hook(module, inputs, options) if with_options else hook(module, inputs)
        if with_options and changed is not None:
            inputs, options = changed
        elif changed is not None:
            inputs = changed if isinstance(changed, tuple) else (changed,)
    before, after = (list(hooks.get(kind, {}).values()) for kind in ("backward_pre", "backward"))
    backward = _Backward(module, before, after) if before or after else None
    if backward:
        inputs = backward.at_inputs(inputs)
    output = module.forward(*inputs, **options)
    if backward:
        output = backward.at_outputs(output)
    for hook, with_options in list(hooks.get("forward", {}).values()):
        changed = hook(module, inputs, options, output) if with_options else hook(module, inputs, output)
        if changed is not None:
            output = changed
    return output


# All inputs (or outputs) of a module pass through one node, so that their gradients arrive together.
_gate = joint("module_gate", lambda xp, *tensors, visit: tensors, lambda g, visit: visit(g), kind="view", outputs=0)


class _Backward:
    """Collects the gradients at both ends of one call of a module and shows them to its backward hooks."""

    def __init__(self, module, before, after):
        self.module, self.before, self.after = module, before, after
        self.inner = False  # a gradient also arrives at the inputs: that is when the hooks are called
        self.grad_output = self.positions = self.width = None

    def at_inputs(self, inputs):
        self.positions = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
        self.width, self.inner = len(inputs), bool(self.positions)
        return _through(inputs, self.positions, self.seen_inputs)

    def at_outputs(self, output):
        outputs = output if isinstance(output, tuple) else (output,)
        positions = [i for i, y in enumerate(outputs) if isinstance(y, Tensor) and y.requires_grad]
        passed = _through(outputs, positions, self.seen_outputs)
        return passed if isinstance(output, tuple) else passed[0]

    def seen_outputs(self, gradients):
        shown = tuple([_shown(g) for g in gradients])
        for hook in self.before:
            shown = self.replaced("pre-hook", hook(self.module, shown), shown, "outputs")
        self.grad_output = shown
        if not self.inner:
            self.call((None,) * self.width)
        return _back(shown, gradients) if self.before else gradients

    def seen_inputs(self, gradients):
        grad_input = [None] * self.width
        for i, g in zip(self.positions, gradients):
            grad_input[i] = _shown(g)
        grad_input = self.call(tuple(grad_input))
        return _back([grad_input[i] for i in self.positions], gradients)

    def call(self, grad_input):
        for hook in self.after:
            grad_input = self.replaced("hook", hook(self.module, grad_input, self.grad_output), grad_input, "inputs")
        return grad_input

    def replaced(self, what, changed, present, of):
        """What a hook returned in place of `present`, as a tuple as long."""
        if changed is None:
            return present
        changed = changed if isinstance(changed, tuple) else (changed,)
        if len(changed) != len(present):
            raise ValueError(f"backward {what} of {type(self.module).__name__}: returned {len(changed)} gradients for "
                             f"{len(present)} {of}")
        return changed


def _back(tensors, gradients):
    """Tensors as raw arrays where the pass works on raw arrays."""
    return tuple([new.data if isinstance(new, Tensor) and not isinstance(old, Tensor) else new
                  for new, old in zip(tensors, gradients)])


def _through(values, positions, visit):
    if not positions:
        return values
    values = list(values)
    for i, tensor in zip(positions, _gate(*[values[i] for i in positions], visit=visit)):
        values[i] = tensor
    return tuple(values)


def _shown(g):
    """A gradient as a Tensor; a raw one is copied, since the pass may go on to add to it."""
    return g if device_of(g) is None else Tensor.wrap(g.copy())
