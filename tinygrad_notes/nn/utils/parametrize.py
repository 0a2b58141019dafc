"""A parameter as a function of another: what a layer uses is computed from what the optimizer changes.

A parametrized layer has a class of its own, made once per class and set of names, in which these names are properties.
What it holds is under `parametrizations.<name>`: the functions, and `original` (or `original0`, `original1`, ...).
"""
from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING

from ...autograd import Tensor, no_grad
from ..container import ModuleDict, ModuleList
from ..module import BUFFER, PARAMETER, UNSAVED, Module
from ..parameter import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
           "type_before_parametrizations"]

_cached: dict[tuple[int, str], Tensor] | None = None  # values of this block of `cached`


@contextmanager
def cached() -> Iterator[None]:
    """Inside the block every parametrized tensor is computed once, at its first use.

    Useful where a layer is called several times with the same parameters, as in a recurrent network. Parameters that
    change inside the block are not seen.

    Yields:
        Nothing.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.parametrizations.weight_norm(tn.nn.Linear(2, 3))
        >>> with tn.nn.utils.parametrize.cached():
        ...     layer.weight is layer.weight
        True
        >>> layer.weight is layer.weight
        False
    """
    global _cached
    before = _cached
    _cached = {} if before is None else before
    try:
        yield
    finally:
        _cached = before


class ParametrizationList(ModuleList):
    """The functions that make one tensor, and the tensor or tensors they make it of.

    Formula: out = f_n(... f_2(f_1(original))), or f_1(original0, original1, ...).

    Args:
        modules: the functions, at least one; those that have a `right_inverse` are used to set the tensor.
        original: the tensor as it is now.
        unsafe: do not check that shape and dtype stay.

    Raises:
        ValueError: there is no function, or shape or dtype change.
        TypeError: a function or its `right_inverse` does not return Tensors.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.parametrizations.weight_norm(tn.nn.Linear(2, 3))
        >>> [name for name, _ in layer.parametrizations.weight.named_parameters()]
        ['original0', 'original1']
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList: expected at least one parametrization")
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            source = self._inverted(original)
            sources = [source] if isinstance(source, Tensor) else list(source)
            for k, part in enumerate(sources):
                _check_tensor(part, f"right_inverse of {type(modules[0]).__name__}, output {k}")
            self.is_tensor, self.ntensors = isinstance(source, Tensor), len(sources)
            if not unsafe:
                if self.is_tensor and source.dtype != original.dtype:
                    raise ValueError(f"right_inverse: expected dtype {original.dtype}, got {source.dtype}; unsafe=True "
                                     "allows it")
                _check_like(self._made(sources), original, "the parametrized tensor")
        if self.is_tensor:  # the same object, so that an optimizer that knows it goes on
            original.data = source.data if source is original else source.data.copy()
            _register(self, "original", original)
        else:
            for k, part in enumerate(sources):
                wanted = isinstance(original, Parameter)
                fresh = Tensor.wrap(part.data.copy())
                _register(self, f"original{k}", Parameter(fresh, original.requires_grad) if wanted else fresh)

    def _inverted(self, value):
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                with suppress(NotImplementedError):
                    value = module.right_inverse(value)
        if not isinstance(value, (Tensor, Sequence)):
            raise TypeError(f"right_inverse: expected a Tensor or a sequence of Tensors, got {type(value).__name__}")
        return value

    def _originals(self):
        return [self.original] if self.is_tensor else [getattr(self, f"original{k}") for k in range(self.ntensors)]

    def _made(self, originals):
        first, *others = self
        value = first(*originals)
        for module in others:
            value = module(value)
        return value

    def forward(self) -> Tensor:
        """The tensor."""
        return self._made(self._originals())

    def right_inverse(self, value: Tensor) -> None:
        """Give the originals values from which `value` is made.

        Raises:
            RuntimeError: a function has no `right_inverse`.
            ValueError: shape or dtype differ from those of the originals.
        """
        for module in self:
            if not hasattr(module, "right_inverse"):
                raise RuntimeError(f"{type(module).__name__} has no right_inverse: the tensor it makes cannot be set")
        with no_grad():
            for module in reversed(list(self)):
                value = module.right_inverse(value)
            parts = [value] if self.is_tensor else list(value)
            originals = self._originals()
            if len(parts) != len(originals):
                raise ValueError(f"right_inverse: expected {len(originals)} tensors, got {len(parts)}")
            for part, original in zip(parts, originals):
                _check_tensor(part, "right_inverse")
                _check_like(part, original, "right_inverse")
            for part, original in zip(parts, originals):
                original.data = part.data.copy()


def _register(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _check_tensor(value, what):
    if not isinstance(value, Tensor):
        raise TypeError(f"{what}: expected a Tensor, got {type(value).__name__}")


def _check_like(value, like, what):
    _check_tensor(value, what)
    if value.shape != like.shape or value.dtype != like.dtype:
        raise ValueError(f"{what}: expected {like.dtype} of shape {like.shape}, got {value.dtype} of shape "
                         f"{value.shape}; unsafe=True allows it")


# Classes in which some attributes are computed -------------------------------------------------------
@cache
def _parametrized(cls, names):
    """The subclass of `cls` in which `names` are made by `parametrizations`."""
    def attribute(name):
        def get(self):
            functions = self.parametrizations[name]
            if _cached is None:
                return functions()
            key = (id(functions), name)
            if key not in _cached:
                _cached[key] = functions()
            return _cached[key]
        return property(get, lambda self, value: self.parametrizations[name].right_inverse(value))

    def set_attribute(self, name, value):
        if name in names:
            object.__setattr__(self, name, value)
        else:
            cls.__setattr__(self, name, value)
    members = {**{name: attribute(name) for name in names}, "__setattr__": set_attribute, "_unparametrized": cls,
               "__module__": cls.__module__, "__doc__": cls.__doc__}
    return type(f"Parametrized{cls.__name__}", (cls,), members)


def type_before_parametrizations(module: Module) -> type:
    """The class that a layer had before something of it was parametrized.

    Args:
        module: any Module.

    Returns:
        A class.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.parametrizations.weight_norm(tn.nn.Linear(2, 3))
        >>> type(layer).__name__, tn.nn.utils.parametrize.type_before_parametrizations(layer).__name__
        ('ParametrizedLinear', 'Linear')
    """
    return getattr(type(module), "_unparametrized", type(module))


def _lists(module):
    """{name: ParametrizationList}"""
    return module.__dict__["parametrizations"]


def _names(module):
    return tuple(_lists(module)) if is_parametrized(module) else ()


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether something of a module, or the tensor of this name, is parametrized.

    Args:
        module: any Module; modules inside it do not count.
        tensor_name: the name of a tensor, or None for any.

    Returns:
        A bool.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.parametrizations.weight_norm(tn.nn.Linear(2, 3))
        >>> tn.nn.utils.parametrize.is_parametrized(layer, "bias")
        False
    """
    found = module.__dict__.get("parametrizations")
    if not isinstance(found, ModuleDict) or not hasattr(type(module), "_unparametrized"):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *,
                             unsafe: bool = False) -> Module:
    """Let a tensor of a module be a function of what the optimizer changes.

    Formula: module.<name> = parametrization(module.parametrizations.<name>.original). Registering another one puts it
        behind those that are there.

    Args:
        module: whose tensor it is.
        tensor_name: name of a parameter or buffer of it.
        parametrization: a Module that takes and returns a Tensor. Its `right_inverse(value)`, where it has one, gives
            an original (or a tuple of several, which are then the inputs) from which `value` is made; it is used now,
            so that the tensor keeps its value, and at assignments.
        unsafe: do not check that shape and dtype stay.

    Returns:
        The module, whose class now is `Parametrized<class>`.

    Raises:
        ValueError: there is no such parameter or buffer, or shape or dtype would change (without `unsafe`); nothing was
            changed then.
        TypeError: a parametrization is no Module, or does not return a Tensor.

    Source: Lezcano-Casado 2019, "Trivializations for gradient-based optimization on manifolds".

    Example:
        >>> import tinygrad_notes as tn
        >>> class Symmetric(tn.nn.Module):
        ...     def forward(self, x):
        ...         return x.triu() + x.triu(k=1).mT
        >>> layer = tn.nn.Linear(3, 3)
        >>> layer = tn.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
        >>> tn.allclose(layer.weight, layer.weight.mT)
        True
    """
    if not isinstance(parametrization, Module):
        raise TypeError(f"parametrization: expected a Module, got {type(parametrization).__name__}")
    if is_parametrized(module, tensor_name):
        found = _lists(module)[tensor_name]
        if not unsafe:
            _check_stays(parametrization, getattr(module, tensor_name))
        found.append(parametrization)
        found.unsafe = found.unsafe or unsafe
        return module
    roles = (PARAMETER, BUFFER, UNSAVED)
    if module._roles.get(tensor_name) not in roles or module.__dict__[tensor_name] is None:
        there = ", ".join(name for name, _ in module._members(*roles))
        raise ValueError(f"tensor_name: {type(module).__name__} has no parameter or buffer {tensor_name!r}; it has "
                         f"{there or 'none'}")
    names, base = _names(module), type_before_parametrizations(module)
    functions = ParametrizationList([parametrization], module.__dict__[tensor_name], unsafe)
    delattr(module, tensor_name)
    if not names:
        module.register_module("parametrizations", ModuleDict())
    _lists(module)[tensor_name] = functions
    _lists(module).train(module.training)
    module.__class__ = _parametrized(base, (*names, tensor_name))
    return module


def _check_stays(parametrization, present):
    """Raise unless the parametrization and its right inverse keep shape and dtype."""
    with no_grad():
        made = parametrization(present)
        _check_like(made, present, f"parametrization {type(parametrization).__name__}")
        if hasattr(parametrization, "right_inverse"):
            try:
                back = parametrization.right_inverse(made)
            except NotImplementedError:
                return
            _check_like(back, present, f"right_inverse of {type(parametrization).__name__}")


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a tensor of a module an ordinary parameter or buffer again.

    Args:
        module: whose tensor it is.
        tensor_name: its name.
        leave_parametrized: keep the value that the functions make; False: that of the original.

    Returns:
        The module, of its old class if nothing else of it is parametrized.

    Raises:
        ValueError: the tensor is not parametrized, or is made of several and shall not keep its value.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.parametrizations.weight_norm(tn.nn.Linear(2, 3))
        >>> tn.nn.utils.parametrize.remove_parametrizations(layer, "weight")
        Linear(in_features=2, out_features=3, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"tensor_name: {type(module).__name__} has no parametrization of {tensor_name!r}; it has "
                         f"{', '.join(_names(module)) or 'none'}")
    functions = _lists(module)[tensor_name]
    if not functions.is_tensor and not leave_parametrized:
        raise ValueError(f"leave_parametrized: {tensor_name!r} is made of {functions.ntensors} tensors, so it "
                         "must keep the value they make")
    with no_grad():
        made = functions()
    if functions.is_tensor:
        tensor = functions.original
        if leave_parametrized:
            tensor.data = made.data.copy() if made.data is not tensor.data else made.data
    else:
        trained = any(t.requires_grad for t in functions._originals())
        tensor = Parameter(made, trained) if isinstance(functions._originals()[0], Parameter) else made
    base = type_before_parametrizations(module)
    names = tuple(name for name in _names(module) if name != tensor_name)
    module.__class__ = _parametrized(base, names) if names else base
    del _lists(module)[tensor_name]
    if not names:
        delattr(module, "parametrizations")
    _register(module, tensor_name, tensor)
    return module
