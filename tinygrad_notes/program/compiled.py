"""`compile`: a function that is recorded once per kind of call and replayed as an optimized program."""
from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

from ..autograd.mode import mode
from ..autograd.tensor import Tensor
from ..backend import current_device, device_of
from .derivative import Derivative
from .errors import CannotRecord, Outdated
from .record import record
from .replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable


class Compiled:
    """What `compile` returns: calls like the function, replays what it recorded.

    Fields:
        fn: the function.
        variants: how many kinds of calls are recorded before others run uncompiled.
        recorded: how many were.
        broken: whether it runs uncompiled from now on.
    """

    def __init__(self, fn, variants=8, options=None):
        self.fn, self.variants, self.options = fn, variants, options or {}
        self._known: dict[Any, list[Replay]] = {}
        self.recorded, self.broken = 0, False
        functools.update_wrapper(self, fn)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.broken or mode.tape is not None or mode.anomaly:
            return self.fn(*args, **kwargs)
        key = (mode.grad, current_device().name, *[_kind(a) for a in args], *[(k, _kind(v)) for k, v in kwargs.items()])
        for replay in self._known.get(key, ()):
            if replay.holds():
                try:
                    return replay(args, kwargs)
                except Outdated:
                    continue
        return self._record(key, args, kwargs)

    def _record(self, key, args, kwargs):
        if self.recorded >= self.variants:
            self._give_up(f"it was called in more than {self.variants} ways (shapes, dtypes, Python arguments, modes)")
            return self.fn(*args, **kwargs)
        try:
            derivative = Derivative()
            recording = record(self.fn, args, kwargs, finish=derivative if mode.grad else None,
                               commit=lambda it: not derivative.outputs)
            replay = Replay(self.fn, recording, derivative, **self.options)
        except CannotRecord as error:
            result = self.fn(*args, **kwargs)
            self._give_up(str(error))
            return result
        self.recorded += 1
        self._known.setdefault(key, []).insert(0, replay)
        return replay(args, kwargs) if derivative.outputs else recording.result

    def _give_up(self, why):
        self.broken = True
        warnings.warn(f"compile: {self.fn!r} runs uncompiled from now on: {why}", RuntimeWarning, stacklevel=4)


def _kind(value):
    """What a recording assumes of an argument: hashable, equal for arguments that may share a program."""
    if isinstance(value, Tensor):
        data = value.data
        return data.shape, data.dtype, data.__class__, value.requires_grad
    if value.__class__ in (tuple, list):
        return value.__class__, *[_kind(part) for part in value]
    if value.__class__ is dict:
        return dict, *[(k, _kind(v)) for k, v in value.items()]
    if device_of(value) is not None:
        return value.shape, value.dtype, value.__class__
    try:
        hash(value)
    except TypeError:
        return type(value), id(value)
    return type(value), value


def compile(fn: Callable[..., Any] | None = None, *, variants: int = 8, **options: Any) -> Any:
    """Record `fn` when it is first called and replay it as an optimized program afterwards."""
    if fn is None:
        return functools.partial(compile, variants=variants, **options)
    return Compiled(fn, variants, options)
