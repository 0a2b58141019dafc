"""Modules that hold parameters, in order or by name."""
from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, overload

from ..autograd import Tensor
from .container import Named
from .module import PARAMETER, Module, block
from .parameter import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

__all__ = ["ParameterDict", "ParameterList"]


class ParameterList(Module):
    """A list whose Parameters are registered; other Tensors become Parameters.

    Args:
        values: an iterable of Tensors.

    Raises:
        TypeError: something is no Tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> weights = tn.nn.ParameterList([tn.zeros((2, 2)), tn.zeros((2,))])
        >>> [name for name, _ in weights.named_parameters()]
        ['0', '1']
    """

    def __init__(self, values: Iterable[Tensor] | None = ()) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    @overload
    def __getitem__(self, index: int) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> ParameterList: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return ParameterList(list(self)[index])
        return getattr(self, self._name_at(index))

    def __setitem__(self, index: int, value: Tensor) -> None:
        setattr(self, self._name_at(index), _parameter(value))

    def _name_at(self, index):
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"ParameterList: index {index} is out of range for {len(self)} parameters")
        return list(self._roles)[place]

    def __len__(self) -> int:
        return len(self._roles)

    def __iter__(self) -> Iterator[Parameter]:
        return iter([getattr(self, name) for name in self._roles])

    def append(self, value: Tensor) -> Self:
        """Add a parameter at the end; returns self."""
        self.register_parameter(str(len(self)), _parameter(value))
        return self

    def extend(self, values: Iterable[Tensor]) -> Self:
        """Add several parameters at the end; returns self."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"values: expected an iterable of Tensors, got {type(values).__name__}")
        for value in [_parameter(value) for value in values]:
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Tensor]) -> Self:
        return self.extend(values)

    def _repr(self):
        return block("ParameterList", "", [_parameter_row(k, p) for k, p in enumerate(self)])


class ParameterDict(Named[Parameter]):
    """A dict whose Parameters are registered; other Tensors become Parameters.

    Args:
        values: a mapping, or an iterable of (name, Tensor).

    Raises:
        TypeError: something is no Tensor.
        KeyError: a name is empty, has a dot, or is an attribute of ParameterDict.

    Example:
        >>> import tinygrad_notes as tn
        >>> scales = tn.nn.ParameterDict({"left": tn.zeros((1,))})
        >>> scales["left"].requires_grad
        True
    """

    def __init__(self, values: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = ()) -> None:
        super().__init__()
        self.update(() if values is None else values)

    _role, _what = PARAMETER, "parameters"

    def _checked(self, value):
        return _parameter(value)

    def _add_new(self, name, value):
        self.register_parameter(name, value)

    def get(self, name: str, default: Any = None) -> Any:
        """The parameter of this name, or `default`."""
        return self.__dict__[name] if name in self else default

    def setdefault(self, name: str, default: Tensor | None = None) -> Any:
        """The parameter of this name; if there is none, `default`, which is added first.

        Raises:
            TypeError: it would be added and is no Tensor.
        """
        if name not in self:
            self[name] = default
        return self[name]

    def popitem(self) -> tuple[str, Parameter]:
        """Take out the parameter added last and return its name and itself.

        Raises:
            KeyError: there is none.
        """
        if not len(self):
            raise KeyError("popitem: the ParameterDict is empty")
        name = list(self._roles)[-1]
        return name, self.pop(name)

    def copy(self) -> ParameterDict:
        """A new ParameterDict of the same parameters."""
        return ParameterDict(self.items())

    def fromkeys(self, names: Iterable[str], default: Tensor) -> ParameterDict:
        """A new ParameterDict in which all these names have one and the same parameter.

        Raises:
            TypeError: `default` is no Tensor.
        """
        shared = _parameter(default)
        return ParameterDict((name, shared) for name in names)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._roles))

    def __or__(self, other: Mapping[str, Tensor]) -> ParameterDict:
        made = self.copy()
        made.update(other)
        return made

    def __ror__(self, other: Mapping[str, Tensor]) -> ParameterDict:
        made = ParameterDict(other)
        made.update(self.items())
        return made

    def __ior__(self, other: Mapping[str, Tensor]) -> Self:
        self.update(other)
        return self

    def _repr(self):
        return block("ParameterDict", "", [_parameter_row(name, p) for name, p in self.items()])


def _parameter_row(name, p):
    shape = "x".join(map(str, p.shape)) or "scalar"
    return f"({name}): Parameter containing: [{p.dtype} of size {shape}]"


def _parameter(value):
    if not isinstance(value, Tensor):
        raise TypeError(f"expected a Tensor, got {type(value).__name__}")
    return value if isinstance(value, Parameter) else Parameter(value)
