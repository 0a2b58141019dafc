"""Functions that users hang on a module: before forward, after it, and in the backward pass."""
from itertools import count

from ..autograd import Tensor
from ..autograd.primitive import joint
from ..backend import device_of

_next = count().__next__


class Handle:
    """Takes a hook off again: `handle.remove()`, or at the end of a `with handle:` block."""

    def __init__(self, module, kind, hook, prepend=False):
        if module._hooks is None:
            module.__dict__["_hooks"] = {"pre": {}, "forward": {}, "backward": {}}
        self._module, self._table, self._key = module, module._hooks[kind], _next()
        self._table[self._key] = hook
        if prepend:
            for key in [k for k in self._table if k != self._key]:
                self._table[key] = self._table.pop(key)

    def remove(self) -> None:
        """Take the hook off; a second time does nothing."""
        self._table.pop(self._key, None)
        if self._module._hooks is not None and not any(self._module._hooks.values()):
            del self._module.__dict__["_hooks"]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()


def call_with_hooks(module, inputs, options):
    """`module.forward` with everything that hangs on the module."""
    hooks = module._hooks
    for hook, with_options in list(hooks["pre"].values()):
        changed = hook(module, inputs, options) if with_options else hook(module, inputs)
        if with_options and changed is not None:
            inputs, options = changed
        elif changed is not None:
            inputs = changed if isinstance(changed, tuple) else (changed,)
    backward = _Backward(module, list(hooks["backward"].values())) if hooks["backward"] else None
    if backward:
        inputs = backward.at_inputs(inputs)
    output = module.forward(*inputs, **options)
    if backward:
        output = backward.at_outputs(output)
    for hook, with_options in list(hooks["forward"].values()):
        changed = hook(module, inputs, options, output) if with_options else hook(module, inputs, output)
        if changed is not None:
            output = changed
    return output


# All inputs (or outputs) of a module pass through one node, so that their gradients arrive together.
_gate = joint("module_gate", lambda xp, *tensors, visit: tensors, lambda g, visit: visit(g), kind="view", outputs=0)


class _Backward:
    """Collects the gradients at both ends of one call of a module and shows them to its backward hooks."""

    def __init__(self, module, hooks):
        self.module, self.hooks = module, hooks
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
        self.grad_output = tuple([_shown(g) for g in gradients])
        if not self.inner:
            self.call((None,) * self.width)
        return gradients

    def seen_inputs(self, gradients):
        grad_input = [None] * self.width
        for i, g in zip(self.positions, gradients):
            grad_input[i] = _shown(g)
        grad_input = self.call(tuple(grad_input))
        changed = [grad_input[i] for i in self.positions]
        return tuple([new.data if isinstance(new, Tensor) and not isinstance(old, Tensor) else new
                      for new, old in zip(changed, gradients)])

    def call(self, grad_input):
        for hook, _ in self.hooks:
            changed = hook(self.module, grad_input, self.grad_output)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                if len(changed) != len(grad_input):
                    raise ValueError(f"backward hook of {type(self.module).__name__}: returned {len(changed)} "
                                     f"gradients for {len(grad_input)} inputs")
                grad_input = changed
        return grad_input


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
