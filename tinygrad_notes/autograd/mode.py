"""What the engine is doing in this thread: recording gradients or not, looking for anomalies or not."""
from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, TypeVar

    Decorated = TypeVar("Decorated", bound=Callable)


class _Mode(threading.local):
    grad = True      # record operations for the backward pass
    anomaly = False  # note source lines, look for the first NaN or infinity
    record = 1       # both in one number, for the hot path: 0 nothing, 1 nodes, 2 nodes with notes
    watch = None     # a function (node, arrays, out) that sees every recorded operation with its inputs
    changes = [0]    # how often a plain attribute of some module has been set, in all threads
    tape = None      # the recorder of a Program, while a computation is recorded
    rules = None     # gives for a backward pass what is called instead of its gradient rules, while they are timed
    rule = None      # the node whose gradient rule is running, while anomalies are looked for


mode = _Mode()


class Switch:
    """Sets one field of `mode` inside a `with` block or a decorated function, then restores it."""

    field: str

    def __init__(self, value: Any) -> None:
        self._value = value
        self._outer: list = []

    def __enter__(self) -> Self:
        self._outer.append(getattr(mode, self.field))
        self._set(self._value)
        return self

    def __exit__(self, *exc: Any) -> None:
        self._set(self._outer.pop())

    def _set(self, value):
        setattr(mode, self.field, value)
        mode.record = 0 if not mode.grad else 2 if mode.anomaly or mode.watch is not None else 1

    def __call__(self, function: Decorated) -> Decorated:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self._value):
                return function(*args, **kwargs)
        return wrapped  # type: ignore[return-value]


class set_grad_enabled(Switch):
    """Record operations for backward inside the block if `value`, else do not.

    Args:
        value: True to record.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([1.0], requires_grad=True)
        >>> with tn.set_grad_enabled(False):
        ...     (2 * x).requires_grad
        False
    """

    field = "grad"


class watching(Switch):
    """Inside the block, call a function of (node, arrays, out) for every operation that is recorded."""

    field = "watch"


class no_grad(set_grad_enabled):
    """Nothing computed inside is recorded: results have `requires_grad=False`.

    Args:
        value: not used; there so that a forgotten pair of parentheses is noticed.

    Raises:
        TypeError: used as `@no_grad` without parentheses.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([1.0], requires_grad=True)
        >>> with tn.no_grad():
        ...     (2 * x).requires_grad
        False
    """

    def __init__(self, value: bool = False) -> None:
        if callable(value):
            raise TypeError("no_grad: write @tn.no_grad() with parentheses")
        super().__init__(False)


class enable_grad(set_grad_enabled):
    """Record operations for backward inside the block, also within `no_grad`.

    Args:
        value: not used; there so that a forgotten pair of parentheses is noticed.

    Raises:
        TypeError: used as `@enable_grad` without parentheses.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([1.0], requires_grad=True)
        >>> with tn.no_grad(), tn.enable_grad():
        ...     (2 * x).requires_grad
        True
    """

    def __init__(self, value: bool = True) -> None:
        if callable(value):
            raise TypeError("enable_grad: write @tn.enable_grad() with parentheses")
        super().__init__(True)


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread.

    Returns:
        A bool.

    Example:
        >>> import tinygrad_notes as tn
        >>> with tn.no_grad():
        ...     tn.is_grad_enabled()
        False
    """
    return mode.grad
