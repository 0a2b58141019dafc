"""`compile`: a function that is recorded once per kind of call and replayed as an optimized program."""
from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

from ..autograd.mode import mode
from ..autograd.tensor import Tensor
from ..backend import current_device, device_of
from ..backend.names import unknown
from .derivative import Derivative
from .errors import CannotRecord, Outdated
from .explain import explain
from .native.compiler import compiler
from .passes import PASSES
from .record import record
from .replay import Replay
from .run import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable


class Compiled:
    """What `compile` returns: is called like the function, replays what it recorded.

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

    def explain(self) -> str:
        """What was recorded and made of it, kind of call by kind of call: passes, kernels, bytes, programs."""
        lines = [f"{getattr(self.fn, '__qualname__', self.fn)}: {self.recorded} recorded"
                 + ("; runs uncompiled" if self.broken else "")]
        for replays in self._known.values():
            for replay in replays:
                lines += ["", *explain(replay.program, replay.executor)]
        return "\n".join(lines)

    def clear(self) -> None:
        """Forget all recordings; the next call records anew."""
        self._known.clear()
        self.recorded, self.broken = 0, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["fn"], name)

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else functools.partial(self, owner)

    def _record(self, key, args, kwargs):
        if self.recorded >= self.variants:
            self._give_up(f"it was called in more than {self.variants} ways (shapes, dtypes, Python arguments, modes)")
            return self.fn(*args, **kwargs)
        try:
            derivative = Derivative()
            recording = record(self.fn, args, kwargs, finish=derivative if mode.grad else None,
                               commit=lambda it: not derivative.outputs,
                               coarse=current_device().name == "cpu" and (
                                   self.options["backend"] == "numpy" or compiler() is None))
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


def compile(fn: Callable[..., Any] | None = None, *, variants: int = 8, backend: str = "auto",
            threads: int | None = None, skip: tuple[str, ...] = ()) -> Any:
    """A function that is recorded when it is first called and replayed as an optimized program afterwards.

    Anything may be inside: forward, `backward()`, an optimizer's step, dropout, running statistics, second derivatives.
    The first call runs the function as it is and writes down every array function; later calls run loops in which many
    of them are one, without a tape and mostly without Python. Parameters, buffers, optimizer state, learning rates,
    step counts and random numbers are state: they change as they would have, and may be changed between calls. Results
    are those of the function, bit for bit where no sum is added in another order.

    A call of another kind (shapes, dtypes, modes, plain Python arguments, numbers that the function reads from modules,
    closures or globals) is recorded anew. Python's own effects, such as printing, happen while recording only. A
    function that asks for values (`if loss > 1`, `.item()`) cannot be repeated: it warns once, names the line, and runs
    uncompiled.

    Args:
        fn: the function; without it, a decorator with these options is returned.
        variants: how many kinds of calls are recorded before the others run uncompiled, with a warning.
        backend: "auto": C where there is a C compiler, else NumPy; on the device cuda kernels launched as a CUDA graph.
            Or "c", "numpy", "cuda", "interpret" (one array function after the other).
        threads: how many threads share large loops; default `tn.get_num_threads()`.
        skip: passes to leave out: "simplify", "fold", "common", "layout", "dead", "fuse".

    Returns:
        A `Compiled`, which is called as `fn` is; `explain()` says what was made of it.

    Raises:
        TypeError: `fn` is not callable.
        ValueError: an option is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> @tn.compile
        ... def f(x):
        ...     return tn.sum(x * x)
        >>> f(tn.zeros(3)), f(tn.ones(3))
        (tensor(0.), tensor(3.))
        >>> f.recorded
        1
    """
    if fn is None:
        return functools.partial(compile, variants=variants, backend=backend, threads=threads, skip=skip)
    if not callable(fn):
        raise TypeError(f"compile: expected a function, got {type(fn).__name__}")
    if backend not in BACKENDS:
        raise ValueError(unknown("backend", backend, BACKENDS))
    for name in skip:
        if name not in (*PASSES, "fuse") or name == "normal":
            raise ValueError(unknown("skip", name, sorted({*PASSES, "fuse"} - {"normal"})))
    return Compiled(fn, variants, {"backend": backend, "threads": threads, "skip": tuple(skip)})
