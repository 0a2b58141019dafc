"""Python numbers that differ from run to run: learning rates, step counts, and what is computed from them.

A `Scalar` stands for such a number while a computation is recorded. Arithmetic on it makes new ones; a question such as
`if decay:` is answered with the present value, and the answer becomes a condition (a guard) of the recording.
"""
import operator

from .errors import CannotRecord


class Scalar:
    """A number that a program computes anew for every run.

    Fields:
        value: what it is during the recording.
        compute: `compute(*numbers)` for the values of `parts`.
        parts: the Scalars and numbers it is computed from.
        tape: the recorder.
        index: its place in `program.scalars`.
    """

    __slots__ = ("value", "compute", "parts", "tape", "index")

    def __init__(self, tape, compute, parts=()):
        self.tape, self.compute, self.parts = tape, compute, parts
        self.value = compute(*[p.value if isinstance(p, Scalar) else p for p in parts])
        self.index = len(tape.program.scalars)
        tape.program.scalars.append(self)

    def __bool__(self):
        return self.tape.answer(bool, self)

    def _refuse(self):
        raise CannotRecord(f"the number {self.value!r} changes from run to run and cannot become a plain Python number "
                           "while a computation is recorded; use arithmetic operators on it")

    __float__ = __int__ = __index__ = _refuse
    __hash__ = object.__hash__

    def __repr__(self):
        return f"Scalar({self.value!r})"


def _binary(function):
    def method(self, other):
        if not isinstance(other, (int, float, Scalar)):
            return NotImplemented
        return Scalar(self.tape, function, (self, other))

    def reflected(self, other):
        if not isinstance(other, (int, float, Scalar)):
            return NotImplemented
        return Scalar(self.tape, function, (other, self))
    return method, reflected


def _unary(function):
    return lambda self: Scalar(self.tape, function, (self,))


def _question(function):
    return lambda self, other: self.tape.answer(function, self, other)


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    _method, _reflected = _binary(getattr(operator, _name))
    setattr(Scalar, f"__{_name}__", _method)
    setattr(Scalar, f"__r{_name}__", _reflected)
for _name in ("neg", "abs", "pos"):
    setattr(Scalar, f"__{_name}__", _unary(getattr(operator, _name)))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Scalar, f"__{_name}__", _question(getattr(operator, _name)))


def evaluate(scalars):
    """The present values of a program's scalars, in order."""
    values = []
    for scalar in scalars:
        values.append(scalar.compute(*[values[p.index] if isinstance(p, Scalar) else p for p in scalar.parts]))
    return values
