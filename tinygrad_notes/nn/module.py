"""Module: parameters, buffers and other modules under names, and a `forward` that computes with them."""
from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..autograd.mode import mode as engine_mode
from ..backend import Device, as_device, to_dtype
from . import state
from .hooks import Hooked, call_with_hooks
from .parameter import Buffer, Parameter
from .selection import freeze

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import ParamSpec, Protocol, Self, TypeVar

    from ..typing import DeviceLike, DTypeLike
    from .state import Keys
    from .summary import Summary

    Inputs = ParamSpec("Inputs")
    Output = TypeVar("Output", covariant=True)

    class HasForward(Protocol[Inputs, Output]):
        """What is called as its `forward` says."""

        def forward(self, *inputs: Inputs.args, **options: Inputs.kwargs) -> Output:
            """Compute the output."""

PARAMETER, BUFFER, UNSAVED, MODULE = "parameter", "buffer", "buffer that is not saved", "module"


class Module(Hooked):
    """Base of all layers and models: assign parameters and layers in `__init__`, compute in `forward`.

    A `Parameter`, `Buffer` or `Module` assigned to an attribute is registered under that name. The values are
    ordinary attributes; `_roles` says which names are registered, and as what.

    Raises:
        AttributeError: something is registered before `super().__init__()` has run.

    Example:
        >>> import tinygrad_notes as tn
        >>> class Line(tn.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.slope = tn.nn.Parameter(2.0)
        ...     def forward(self, x):
        ...         return self.slope * x
        >>> Line()(tn.tensor(3.0)).item()
        6.0
    """

    training: bool = True
    _roles: dict[str, str]

    def __init__(self) -> None:
        self.__dict__["_roles"] = {}

    # Calling ------------------------------------------------------------------------
    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute the output; every module defines its own."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    if TYPE_CHECKING:
        def __call__(self: HasForward[Inputs, Output], *inputs: Inputs.args, **options: Inputs.kwargs) -> Output:
            """Compute the output, with the hooks."""
    else:
        def __call__(self, *inputs, **options):
            if self._hooks is None:
                return self.forward(*inputs, **options)
            return call_with_hooks(self, inputs, options)

    # Registration -------------------------------------------------------------------
    def __setattr__(self, name, value):
        if isinstance(value, Parameter):
            self._register(name, PARAMETER, value)
        elif isinstance(value, Module):
            self._register(name, MODULE, value)
        elif isinstance(value, Buffer):
            self._register(name, BUFFER if getattr(value, "persistent", True) else UNSAVED, value)
        else:
            role = self.__dict__.get("_roles", {}).get(name)
            if role in (PARAMETER, MODULE) and value is not None:
                wanted = "nn.Parameter" if role == PARAMETER else "Module"
                raise TypeError(f"{type(self).__name__}.{name}: it is a {role}; expected {wanted} or None, got "
                                f"{type(value).__name__}")
            if role is not None and role != MODULE and value is not None and not isinstance(value, Tensor):
                raise TypeError(f"{type(self).__name__}.{name}: it is a {role}; expected a Tensor or None, got "
                                f"{type(value).__name__}")
            if not isinstance(value, Tensor):
                engine_mode.changes[0] += 1  # a compiled function may have read the old value
            object.__setattr__(self, name, value)

    def __delattr__(self, name):
        super().__delattr__(name)
        self._roles.pop(name, None)

    def _register(self, name, role, value):
        roles = self.__dict__.get("_roles")
        if roles is None:
            raise AttributeError(f"{type(self).__name__}.{name}: call super().__init__() before assigning a {role}")
        if role == MODULE and value is not None and any(inner is self for inner in value.modules()):
            raise ValueError(f"{type(self).__name__}.{name}: a module cannot be inside itself")
        if roles.get(name) != role:
            roles.pop(name, None)
            roles[name] = role
        self.__dict__[name] = value

    def _register_new(self, name, role, value, kind):
        if not isinstance(name, str):
            raise TypeError(f"name: expected a str, got {type(name).__name__}")
        if not name or "." in name:
            raise KeyError(f"name: expected a name without '.', got {name!r}")
        if hasattr(self, name) and name not in self.__dict__.get("_roles", {}):
            raise KeyError(f"name: {type(self).__name__} already has an attribute {name!r}")
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name}: expected {kind.__name__} or None, got {type(value).__name__}")
        self._register(name, role, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or None to keep the name for one.

        Raises:
            KeyError: the name is empty, has a dot, or is an attribute already.
            TypeError: `param` is neither a Parameter nor None.
        """
        self._register_new(name, PARAMETER, param, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a Tensor that is state but no parameter, such as a running mean.

        Args:
            name: the attribute's name.
            tensor: a Tensor, or None.
            persistent: whether it is part of `state_dict`.

        Raises:
            KeyError: the name is empty, has a dot, or is an attribute already.
            TypeError: `tensor` is neither a Tensor nor None.
        """
        self._register_new(name, BUFFER if persistent else UNSAVED, tensor, Tensor)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name, or None to keep the name for one.

        Raises:
            KeyError: the name is empty, has a dot, or is an attribute already.
            TypeError: `module` is neither a Module nor None.
        """
        self._register_new(name, MODULE, module, Module)

    add_module = register_module

    # Looking through it ---------------------------------------------------------------
    def _members(self, *roles):
        """(name, value) of what is registered here in one of these roles."""
        values = self.__dict__
        return [(name, values[name]) for name, role in self._roles.items()
                if role in roles and values[name] is not None]

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of the modules directly inside, each module once."""
        seen = set()
        for name, module in self._members(MODULE):
            if module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly inside."""
        return (module for _, module in self.named_children())

    def named_modules(self, memo: set[Module] | None = None, prefix: str = "",
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """(path, module) of this module and all inside it, outer before inner; each once, or under every path."""
        seen = set() if memo is None else memo
        stack = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if remove_duplicate:
                if module in seen:
                    continue
                seen.add(module)
            yield path, module
            dot = path + "." if path else ""
            stack.extend((dot + name, child) for name, child in reversed(module._members(MODULE)))

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, each once."""
        return (module for _, module in self.named_modules())

    def _named_tensors(self, roles, prefix, recurse, remove_duplicate):
        seen = set()
        inside = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in inside:
            dot = path + "." if path else ""
            for name, tensor in module._members(*roles):
                if remove_duplicate:
                    if tensor in seen:
                        continue
                    seen.add(tensor)
                yield dot + name, tensor

    def named_parameters(self, prefix: str = "", recurse: bool = True,
                         remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter) of all parameters; a shared one once, unless `remove_duplicate=False`."""
        return self._named_tensors((PARAMETER,), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, a shared one once."""
        return (tensor for _, tensor in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True,
                      remove_duplicate: bool = True) -> Iterator[tuple[str, Tensor]]:
        """(path, buffer) of all buffers, saved or not."""
        return self._named_tensors((BUFFER, UNSAVED), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        return (tensor for _, tensor in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as 'encoder.0'; '' is this module.

        Raises:
            AttributeError: there is no such module; the message lists those there are.
        """
        found = self
        for k, name in enumerate(target.split(".") if target else []):
            inside = dict(found._members(MODULE))
            if name not in inside:
                at = ".".join(target.split(".")[:k])
                raise AttributeError(f"{target!r}: {type(found).__name__} at {at!r} has no module {name!r}; it has "
                                     f"{', '.join(inside) or 'none'}")
            found = inside[name]
        return found

    def _get_tensor(self, target, *roles):
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        inside = dict(module._members(*roles))
        if name not in inside:
            raise AttributeError(f"{target!r}: {type(module).__name__} has no {roles[0]} {name!r}; it has "
                                 f"{', '.join(inside) or 'none'}")
        return inside[name]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as 'encoder.0.weight'.

        Raises:
            AttributeError: there is no such parameter.
        """
        return self._get_tensor(target, PARAMETER)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as 'norm.running_mean'.

        Raises:
            AttributeError: there is no such buffer.
        """
        return self._get_tensor(target, BUFFER, UNSAVED)

    def count_params(self, trainable: bool = False) -> int:
        """How many numbers its parameters hold, shared ones once; with `trainable`, those that want a gradient."""
        return sum(p.size for p in self.parameters() if p.requires_grad or not trainable)

    def summary(self, *inputs: Any, **options: Any) -> Summary:
        """A table of the layers: output shapes and parameter counts; see `nn.summary`."""
        from .summary import summary
        return summary(self, *inputs, **options)

    def graph(self, *inputs: Any, **options: Any) -> Any:
        """The computation graph of one call and of its backward pass, as a picture; see `tinygrad_notes.graph`."""
        from importlib import import_module  # pictures are built on modules, not modules on pictures
        return import_module("tinygrad_notes.viz").graph(self, *inputs, **options)

    # State ----------------------------------------------------------------------------
    def _state(self):
        """(key, tensor) of all that is saved: parameters first, then buffers, module by module."""
        for path, module in self.named_modules(remove_duplicate=False):
            dot = path + "." if path else ""
            for role in (PARAMETER, BUFFER):
                for name, tensor in module._members(role):
                    yield dot + name, tensor

    def state_dict(self, *, destination: dict[str, Tensor] | None = None, prefix: str = "",
                   keep_vars: bool = False) -> dict[str, Tensor]:
        """{path: Tensor} of all parameters and saved buffers, in PyTorch's order and layout.

        Args:
            destination: a dict to fill and return, in place of a new one.
            prefix: put before every key, as it is.
            keep_vars: return the parameters themselves, not detached Tensors of the same memory.
        """
        return state.save(self, {} if destination is None else destination, prefix, keep_vars)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Keys:
        """Take over the values of a `state_dict`; every key is checked before anything changes.

        Args:
            state_dict: {path: values}; values are Tensors, NumPy arrays, or anything with `__dlpack__`.
            strict: raise for missing and for unexpected keys.
            assign: take dtype and device of the given values too, instead of keeping those of the module.

        Returns:
            (missing_keys, unexpected_keys)

        Raises:
            RuntimeError: keys are missing or unexpected (with `strict`), or shapes differ; all are listed.
            TypeError: `state_dict` is no mapping.
        """
        return state.load(self, state_dict, strict, assign)

    # Modes ----------------------------------------------------------------------------
    def train(self, mode: bool = True) -> Self:
        """Switch this module and all inside to training (or, with False, evaluation); returns it.

        Raises:
            ValueError: `mode` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"mode: expected True or False, got {mode!r}")
        engine_mode.changes[0] += 1
        for module in self.modules():
            module.__dict__["training"] = mode
        return self

    def eval(self) -> Self:
        """Switch this module and all inside to evaluation: dropout passes on, norms use running values."""
        return self.train(False)

    @contextmanager
    def evaluating(self) -> Iterator[Self]:
        """Evaluation inside the block; afterwards every module is in the mode it had.

        Example:
            >>> import tinygrad_notes as tn
            >>> layer = tn.nn.Dropout()
            >>> with layer.evaluating():
            ...     layer.training
            False
            >>> layer.training
            True
        """
        before = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            yield self
        finally:
            engine_mode.changes[0] += 1
            for module, mode in before:
                module.__dict__["training"] = mode

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Want (or no longer want) gradients for all parameters; returns the module."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def freeze(self, *patterns: str) -> Self:
        """Want no gradients for the parameters whose paths fit, and forget those there are: optimizers pass them by.

        Batch norms go on updating their running averages; `eval()` stops that.

        Args:
            *patterns: paths, as 'encoder.0.weight', with * and ? as in file names; or of a module, for all inside.
                Without any: all parameters.

        Raises:
            ValueError: a pattern fits no parameter; nothing was changed then.

        Example:
            >>> import tinygrad_notes as tn
            >>> net = tn.nn.MLP([2, 4, 1]).freeze("0", "*.bias")
            >>> [name for name, p in net.named_parameters() if p.requires_grad]
            ['2.weight']
        """
        freeze(self, patterns, False)
        return self

    def unfreeze(self, *patterns: str) -> Self:
        """Want gradients again for the parameters whose paths fit; see `freeze`.

        Raises:
            ValueError: a pattern fits no parameter; nothing was changed then.
        """
        freeze(self, patterns, True)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set those that exist to zero."""
        for p in self.parameters():
            if set_to_none or p.grad is None:
                p.grad = None
            else:
                p.grad = Tensor.wrap(p.device.xp.zeros_like(p.grad.data))

    # Where it lives -------------------------------------------------------------------
    def to(self, *args: Any, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> Self:
        """Move parameters and buffers to a device, floating ones to a dtype too; returns the module.

        Args:
            *args: a device, a dtype, a Tensor to be like, or device and dtype.
            device: 'cpu', 'strict', 'cuda' or a Device.
            dtype: a floating dtype; integer and bool buffers keep theirs.

        Raises:
            TypeError: `dtype` is not floating, or an argument is none of these.

        Example:
            >>> import tinygrad_notes as tn
            >>> tn.nn.Linear(2, 1).to(tn.float64).weight.dtype
            dtype('float64')
        """
        for given in args:
            if isinstance(given, Tensor):
                device, dtype = given.device, given.dtype
            elif isinstance(given, Device) or given in ("cpu", "strict", "cuda", "cuda:0"):
                device = given
            else:
                dtype = given
        home, kind = None if device is None else as_device(device), to_dtype(dtype)
        if kind is not None and kind.kind != "f":
            raise TypeError(f"dtype: a module moves to floating dtypes only, got {kind}")
        return self._apply(lambda t: Tensor(t, dtype=kind if t.dtype.kind == "f" else None, device=home))

    def _apply(self, change):
        """Give each parameter (with its gradient) and buffer the array of `change(tensor)`."""
        seen = set()
        for module in self.modules():
            for _, tensor in module._members(PARAMETER, BUFFER, UNSAVED):
                if tensor not in seen:
                    seen.add(tensor)
                    tensor.data = change(tensor).data
                    if tensor.grad is not None:
                        tensor.grad = change(tensor.grad)
        return self

    def float(self) -> Self:
        """All floating parameters and buffers to float32."""
        return self.to(dtype="float32")

    def double(self) -> Self:
        """All floating parameters and buffers to float64."""
        return self.to(dtype="float64")

    def half(self) -> Self:
        """All floating parameters and buffers to float16."""
        return self.to(dtype="float16")

    def cpu(self) -> Self:
        """Move to the CPU."""
        return self.to("cpu")

    def cuda(self) -> Self:
        """Move to the GPU."""
        return self.to("cuda")

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn(module)` for every module inside, inner before outer, then for this one; returns it."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # How it reads ---------------------------------------------------------------------
    def extra_repr(self) -> str:
        """The text between the parentheses of this module's repr: its settings."""
        return ""

    def __repr__(self) -> str:
        return self._repr()

    def _repr(self):
        settings = self.extra_repr()
        rows = [f"({name}): {module!r}" for name, module in self._members(MODULE)]
        return block(type(self).__name__, settings, rows)

    def __dir__(self):
        return sorted({*super().__dir__(), *self._roles})


def block(name, settings, rows):
    """`name(settings)`, or with rows one indented line for each."""
    if not rows:
        return f"{name}({settings})"
    lines = settings.split("\n") if settings else []
    body = "\n".join([*lines, *rows]).replace("\n", "\n  ")
    return f"{name}(\n  {body}\n)"

