"""Taking over values: `load_state_dict`, and a module called with other parameters than its own."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ..autograd import Tensor
from ..ops import stack

if TYPE_CHECKING:
    from .module import Module


class Keys(NamedTuple):
    """What `load_state_dict` returns: the keys it did not find, and those it did not know."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def save(module, destination, prefix, keep_vars):
    """The work of `Module.state_dict`."""
    hooked = _hooked(module, prefix)
    for inner, before, hooks in hooked:
        for hook in list(hooks.get("save_pre", {}).values()):
            hook(inner, before, keep_vars)
    destination.update((prefix + key, tensor if keep_vars else tensor.detach()) for key, tensor in module._state())
    for inner, before, hooks in reversed(hooked):
        for hook in list(hooks.get("save", {}).values()):
            if hook(inner, destination, before, {}) is not None:
                raise RuntimeError(f"state_dict hook of {type(inner).__name__}: expected None; change the dict it "
                                   "is given")
    return destination


def _hooked(module, prefix=""):
    """(module, prefix, hooks) of this module and those inside that have hooks around saving and loading."""
    return [(inner, f"{prefix}{path}." if path else prefix, inner._state_hooks)
            for path, inner in module.named_modules(remove_duplicate=False) if inner._state_hooks]


def load(module, state_dict, strict, assign):
    """The work of `Module.load_state_dict`."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"state_dict: expected a mapping of names to tensors, got {type(state_dict).__name__}")
    hooked, faults = _hooked(module), []
    missing, unexpected = [], []
    if hooked:
        state_dict = dict(state_dict)  # hooks may change the mapping, but not that of the caller
    for inner, prefix, hooks in hooked:
        for hook in list(hooks.get("load_pre", {}).values()):
            hook(inner, state_dict, prefix, {}, strict, missing, unexpected, faults)
    own = dict(module._state())
    missing += [key for key in own if key not in state_dict]
    unexpected += [key for key in state_dict if key not in own]
    changes = []
    if strict and missing:
        faults.append("missing keys: " + ", ".join(map(repr, missing)))
    if strict and unexpected:
        faults.append("unexpected keys: " + ", ".join(map(repr, unexpected)))
    for key in own:
        if key in state_dict:
            value, fault = _fitted(key, own[key], state_dict[key], assign)
            if fault:
                faults.append(fault)
            changes.append((own[key], value))
    if faults:
        listed = "\n    ".join(faults)
        raise RuntimeError(f"load_state_dict of {type(module).__name__}, nothing was changed:\n    {listed}")
    for tensor, value in changes:
        if hasattr(tensor, "materialize"):  # of a lazy layer: its shape is that of what is loaded
            tensor.materialize(value.shape)
        tensor.data = value
    keys = Keys(missing, unexpected)
    for inner, _, hooks in reversed(hooked):
        for hook in list(hooks.get("load", {}).values()):
            if hook(inner, keys) is not None:
                raise RuntimeError(f"load_state_dict hook of {type(inner).__name__}: expected None; change the "
                                   "lists it is given")
    return keys


def _fitted(key, tensor, value, assign):
    """(array, None) for `tensor`, or (None, what is wrong with it)."""
    try:
        given = Tensor(value, dtype=None if hasattr(value, "dtype") else tensor.dtype)
    except (TypeError, ValueError, BufferError) as error:
        return None, f"{key}: {error}"
    if given.shape != tensor.shape and not hasattr(tensor, "materialize"):
        return None, f"{key}: expected shape {tensor.shape}, got {given.shape}"
    if given.dtype.kind == "c" and tensor.dtype.kind != "c":
        return None, f"{key}: expected dtype {tensor.dtype}, got {given.dtype}"
    if assign:
        if tensor.requires_grad and given.dtype.kind != "f":
            return None, f"{key}: it wants a gradient, so expected a floating dtype, got {given.dtype}"
        return given.data, None
    return Tensor(given, dtype=tensor.dtype, device=tensor.device).data.copy(), None


@contextmanager
def replaced(module, tensors, tie_weights=True, strict=False):
    """Inside the block, the named parameters and buffers of `module` are the given Tensors.

    Raises:
        KeyError: a name is none of the module's, or with `strict` one is missing.
        ValueError: a shape differs, or two names of one tensor get different ones.
        TypeError: a value is not a Tensor.
    """
    places = {}  # tensor of the module -> every (owner, name) it is found at: tied ones are replaced together
    by_key, at = {}, []  # and the same by path, in order
    for path, owner in module.named_modules(remove_duplicate=False):
        for name, tensor in owner._members("parameter", "buffer", "buffer that is not saved"):
            places.setdefault(tensor, []).append((owner, name))
            by_key[f"{path}.{name}" if path else name] = tensor
            at.append((owner, name))
    for key, tensor in tensors.items():
        if key not in by_key:
            raise KeyError(f"{key!r}: {type(module).__name__} has no such parameter or buffer; it has "
                           f"{', '.join(by_key)}")
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{key}: expected a Tensor, got {type(tensor).__name__}")
        if tensor.shape != by_key[key].shape:
            raise ValueError(f"{key}: expected shape {by_key[key].shape}, got {tensor.shape}")
    if not tie_weights:
        places = {key: [place] for key, place in zip(by_key, at)}
    else:
        places = {key: places[tensor] for key, tensor in by_key.items()}
        chosen = {}
        for key, tensor in tensors.items():
            other = chosen.setdefault(by_key[key], key)
            if tensors[other] is not tensor:
                raise ValueError(f"{other!r} and {key!r} are one tensor of {type(module).__name__}, but were given "
                                 "different ones; tie_weights=False keeps them apart")
    if strict:
        given = {place for key in tensors for place in places[key]}
        missing = [key for key, place in zip(by_key, at) if place not in given]
        if missing:
            raise KeyError(f"strict: missing {', '.join(missing)}")
    before = [(owner, name, owner.__dict__[name]) for key in tensors for owner, name in places[key]]
    try:
        for key, tensor in tensors.items():
            for owner, name in places[key]:
                owner.__dict__[name] = tensor
        yield module
    finally:
        for owner, name, tensor in reversed(before):
            owner.__dict__[name] = tensor


def functional_call(module: Module, tensors: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]], /, *inputs: Any,
                    tie_weights: bool = True, strict: bool = False, **options: Any) -> Any:
    """Call `module` with other parameters and buffers than its own, which stay as they are.

    Formula: f(theta, x) for a module f with its parameters theta replaced.

    Args:
        module: any Module.
        tensors: {path: Tensor} for some or all names of `named_parameters` and `named_buffers`, or several such dicts.
            Gradients flow to these Tensors, which may themselves be results of recorded operations.
        *inputs: the inputs; as in PyTorch also a single tuple of them, and behind it a dict of keyword arguments.
        tie_weights: replace a tensor that the module holds under several names under all of them.
        strict: raise unless every parameter and buffer is given.
        **options: keyword arguments of `forward`.

    Returns:
        What the module returns.

    Raises:
        KeyError: a name is none of the module's, or with `strict` one is missing.
        ValueError: a shape differs, a name is in several dicts, or two names of one tensor get different ones.
        TypeError: a value is not a Tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> line = tn.nn.Linear(1, 1, bias=False)
        >>> tn.nn.functional_call(line, {"weight": tn.tensor([[3.0]])}, tn.tensor([[2.0]]))
        tensor([[6.]])
    """
    if len(inputs) == 2 and isinstance(inputs[1], dict):
        options = {**inputs[1], **options}
        inputs = inputs[0] if isinstance(inputs[0], tuple) else inputs[:1]
    elif len(inputs) == 1 and isinstance(inputs[0], tuple):
        inputs = inputs[0]
    with replaced(module, _merged(tensors), tie_weights, strict):
        return module(*inputs, **options)


def _merged(tensors):
    if isinstance(tensors, Mapping):
        return tensors
    if not isinstance(tensors, Sequence) or not all(isinstance(part, Mapping) for part in tensors):
        raise TypeError(f"tensors: expected a dict of names and Tensors, or several, got {type(tensors).__name__}")
    names = [name for part in tensors for name in part]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"tensors: in more than one of the dicts: {', '.join(twice)}")
    return {name: tensor for part in tensors for name, tensor in part.items()}


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of several models of one kind, each stacked along a new first axis.

    Args:
        models: Modules of one class, all in the same mode.

    Returns:
        ({path: parameters (M, ...)}, {path: buffers (M, ...)}); the parameters are leaves that want a gradient as those
        of the first model do.

    Raises:
        ValueError: there is no model, or they differ in class, mode, names or shapes.

    Example:
        >>> import tinygrad_notes as tn
        >>> parameters, buffers = tn.nn.stack_module_state([tn.nn.Linear(2, 3) for _ in range(4)])
        >>> parameters["weight"].shape
        (4, 3, 2)
    """
    models = list(models)
    if not models:
        raise ValueError("stack_module_state: expected at least one model")
    if len({type(m) for m in models}) > 1 or len({m.training for m in models}) > 1:
        raise ValueError("stack_module_state: expected models of one class, all in training or all in evaluation")
    result = []
    for named in ([dict(m.named_parameters()) for m in models], [dict(m.named_buffers()) for m in models]):
        shapes = [{name: t.shape for name, t in those.items()} for those in named]
        if any(other != shapes[0] for other in shapes):
            raise ValueError("stack_module_state: the models differ in the names or shapes of their tensors")
        result.append({name: stack([those[name].detach() for those in named]).requires_grad_(first.requires_grad)
                       for name, first in named[0].items()})
    return result[0], result[1]
