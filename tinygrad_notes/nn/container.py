"""Modules that hold other modules, in order or by name."""
from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from .module import MODULE, Module, block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

__all__ = ["ModuleDict", "ModuleList", "Sequential"]

Member = TypeVar("Member")


class _Ordered(Module):
    """Modules under the names '0', '1', ...: indexing, slicing and changing them as in a list."""

    _of: Callable[..., Any]  # a new one, of {name: module}

    def _names(self):
        return [name for name, role in self._roles.items() if role == MODULE]

    def _name_at(self, index):
        names = self._names()
        try:
            place = operator.index(index)
        except TypeError:
            raise TypeError(f"{type(self).__name__}: expected an int or a slice as index, got {index!r}") from None
        if not -len(names) <= place < len(names):
            raise IndexError(f"{type(self).__name__}: index {index} is out of range for {len(names)} modules")
        return names[place]

    def _refill(self, modules):
        for name in self._names():
            delattr(self, name)
        for k, module in enumerate(modules):
            self.add_module(str(k), module)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            names = self._names()[index]
            return self._of({name: getattr(self, name) for name in names})
        return getattr(self, self._name_at(index))

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        doomed = self._names()[index] if isinstance(index, slice) else [self._name_at(index)]
        kept = [(name, getattr(self, name)) for name in self._names() if name not in doomed]
        numbered = all(name == str(k) for k, name in enumerate(self._names()))
        for name in self._names():
            delattr(self, name)
        for k, (name, module) in enumerate(kept):
            self.add_module(str(k) if numbered else name, module)

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator[Any]:
        return iter([getattr(self, name) for name in self._names()])

    def __contains__(self, module: object) -> bool:
        return any(inner is module for inner in self)

    def append(self, module: Module) -> Self:
        """Add a module at the end; returns self.

        Raises:
            TypeError: it is no Module.
        """
        self.add_module(str(len(self)), _checked(module))
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before position `index`; returns self.

        Raises:
            IndexError: `index` is out of range.
            TypeError: it is no Module.
        """
        modules = list(self)
        if not -len(modules) <= index <= len(modules):
            raise IndexError(f"{type(self).__name__}.insert: index {index} is out of range for {len(modules)} modules")
        modules.insert(index if index >= 0 else index + len(modules), _checked(module))
        self._refill(modules)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end; returns self.

        Raises:
            TypeError: one of them is no Module.
        """
        for module in [_checked(module) for module in modules]:
            self.append(module)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take out the module at `index` and return it."""
        found = self[index]
        del self[index]
        return found

    def __add__(self, other: Iterable[Module]) -> Self:
        if not isinstance(other, _Ordered):
            return NotImplemented
        return type(self)._of({str(k): module for k, module in enumerate([*self, *other])})

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)


class Sequential(_Ordered):
    """Modules applied one after the other.

    Formula: f = f_n o ... o f_2 o f_1.

    Args:
        *modules: Modules, or one dict of names and Modules.

    Raises:
        TypeError: something is no Module.

    Example:
        >>> import tinygrad_notes as tn
        >>> net = tn.nn.Sequential(tn.nn.Linear(2, 3), tn.nn.ReLU())
        >>> net(tn.tensor([[1.0, 2.0]])).shape
        (1, 3)
        >>> net[1:]
        Sequential(
          (1): ReLU()
        )
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named: Iterable[tuple[str, Any]] = modules[0].items()
        else:
            named = ((str(k), module) for k, module in enumerate(modules))
        for name, module in named:
            self.add_module(name, _checked(module))

    @classmethod
    def _of(cls, named):
        return Sequential(named)

    def __mul__(self, times: int) -> Sequential:
        """The modules several times over, each time the same ones."""
        return Sequential(*list(self) * _times(times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        return self.extend(list(self) * (_times(times) - 1))

    def forward(self, input: Any) -> Any:
        values = self.__dict__
        for name, role in self._roles.items():
            if role == MODULE:
                input = values[name](input)
        return input


class ModuleList(_Ordered):
    """A list whose modules are registered; it has no forward of its own.

    Args:
        modules: an iterable of Modules.

    Raises:
        TypeError: something is no Module.

    Example:
        >>> import tinygrad_notes as tn
        >>> layers = tn.nn.ModuleList([tn.nn.Linear(2, 2) for _ in range(3)])
        >>> layers
        ModuleList(
          (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
        )
    """

    def __init__(self, modules: Iterable[Module] | None = ()) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    @classmethod
    def _of(cls, named):
        return ModuleList(named.values())

    def _repr(self):
        rows, runs = [], []
        for k, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1][1] = k
            else:
                runs.append([k, k, text])
        for first, last, text in runs:
            rows.append(f"({first}): {text}" if first == last else f"({first}-{last}): {last - first + 1} x {text}")
        return block(type(self).__name__, "", rows)


class Named(Module, Generic[Member]):
    """Registered members of one role under names: a dict. What `ModuleDict` and `ParameterDict` share."""

    _role: str
    _what: str  # the members, in messages
    _checked: Callable[[Any], Member]  # a value as a member, or TypeError
    _add_new: Callable[[str, Member], None]  # a new member

    def __getitem__(self, name: str) -> Member:
        if self._roles.get(name) != self._role:
            raise KeyError(f"{name!r}: {type(self).__name__} has {', '.join(self) or f'no {self._what}'}")
        return getattr(self, name)

    def __setitem__(self, name: str, value: Any) -> None:
        if self._roles.get(name) == self._role:
            setattr(self, name, self._checked(value))
        else:
            self._add_new(name, self._checked(value))

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def __len__(self) -> int:
        return len(self._roles)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._roles))

    def __contains__(self, name: object) -> bool:
        return name in self._roles

    def keys(self) -> list[str]:
        """The names."""
        return list(self._roles)

    def values(self) -> list[Member]:
        """The members."""
        return [getattr(self, name) for name in self._roles]

    def items(self) -> list[tuple[str, Member]]:
        """(name, member) pairs."""
        return [(name, getattr(self, name)) for name in self._roles]

    def update(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add or replace members, from a mapping or from (name, value) pairs.

        Raises:
            TypeError: `values` is neither, or something in it cannot be a member; nothing was added then.
        """
        for name, value in [(name, self._checked(value)) for name, value in _pairs(values, self._what)]:
            self[name] = value

    def pop(self, name: str) -> Member:
        """Take out a member and return it.

        Raises:
            KeyError: there is none of this name.
        """
        found = self[name]
        delattr(self, name)
        return found

    def clear(self) -> None:
        """Take out all members."""
        for name in list(self):
            del self[name]


class ModuleDict(Named[Any]):
    """A dict whose modules are registered; it has no forward of its own.

    Args:
        modules: a mapping, or an iterable of (name, Module).

    Raises:
        TypeError: something is no Module.
        KeyError: a name is empty, has a dot, or is an attribute of ModuleDict.

    Example:
        >>> import tinygrad_notes as tn
        >>> heads = tn.nn.ModuleDict({"mean": tn.nn.Linear(4, 2), "spread": tn.nn.Linear(4, 2)})
        >>> list(heads)
        ['mean', 'spread']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = ()) -> None:
        super().__init__()
        self.update(() if modules is None else modules)

    _role, _what = MODULE, "modules"

    def _checked(self, value):
        return _checked(value)

    def _add_new(self, name, value):
        self.add_module(name, value)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:  # type: ignore[override]
        """Add or replace modules, from a mapping or from (name, Module) pairs.

        Raises:
            TypeError: `modules` is neither, or something in it no Module; nothing was added then.
        """
        super().update(modules)


def _times(times):
    times = operator.index(times)
    if times < 1:
        raise ValueError(f"Sequential: expected to be repeated at least once, got {times}")
    return times


def _checked(module):
    if not isinstance(module, Module):
        raise TypeError(f"expected a Module, got {type(module).__name__}")
    return module


def _pairs(values, label):
    """The (name, value) pairs of a mapping, of a module that is like one, or of an iterable of pairs.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(values, (Mapping, Named)):
        return list(values.items())
    try:
        found = [tuple(pair) for pair in values]
    except TypeError:
        raise TypeError(f"{label}: expected a mapping or an iterable of (name, value) pairs, got "
                        f"{type(values).__name__}") from None
    for k, pair in enumerate(found):
        if len(pair) != 2 or not isinstance(pair[0], str):
            raise TypeError(f"{label}: expected (name, value) pairs, got {pair!r} at place {k}")
    return found
