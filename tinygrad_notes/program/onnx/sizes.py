"""Sizes that are not known: the same computation is recorded at several sizes, and what differs is a formula.

With symbols s, t, ... every integer of a program is taken as a polynomial that is linear in each of them,
n = a + b s + c t + d s t, such as the rows B T of a flattened batch of sequences. Its coefficients follow from the
programs at all corners (s or s + 1, t or t + 1); one more program at other sizes is the proof.
"""
from itertools import product

import numpy as np

from ..program import Ref, Value
from ..scalars import Scalar


class Size(int):
    """An integer of the first program that depends on symbols.

    Fields:
        terms: {names of the symbols that are multiplied: coefficient}; () is the constant.
    """

    def __new__(cls, value, terms):
        size = super().__new__(cls, value)
        size.terms = terms
        return size

    def at(self, sizes):
        """The integer for other sizes, {symbol: size}."""
        total = 0
        for names, factor in self.terms.items():
            for name in names:
                factor *= sizes[name]
            total += factor
        return total


class Differs(Exception):
    """Two programs are not the same computation at different sizes."""


def corners(symbols):
    """The sizes at which a computation is recorded: all corners, the first one first, and last those of the proof."""
    found = [dict(zip(symbols, [n + step for n, step in zip(symbols.values(), steps)]))
             for steps in product((0, 1), repeat=len(symbols))]
    return [*found, {name: n + 2 + k for k, (name, n) in enumerate(symbols.items())}]


def joined(programs, symbols):
    """The first program, with a `Size` in place of each integer that differs.

    Args:
        programs: recorded at `corners(symbols)`.
        symbols: {name: size in the first program}.

    Raises:
        Differs: they are not the same computation.
    """
    first, join = programs[0], _Join(symbols)
    if len({tuple([i.name for i in p.instructions]) for p in programs}) != 1:
        raise Differs("other array functions are called at other sizes")
    numbers = [{} for _ in programs]  # value -> its place, the same in all programs
    for known, program in zip(numbers, programs):
        for value in (*program.inputs, *program.states):
            known[value] = len(known)
    for same in zip(*[p.instructions for p in programs]):
        join.where = f"{same[0].name} -> {[v.shape for v in same[0].made]}"
        places = [[known.get(x, x.host if isinstance(x, Value) else x) for x in i.inputs]
                  for known, i in zip(numbers, same)]
        for xs in zip(*places):
            join.inputs(xs)
        same[0].args = join.tree([i.args for i in same])
        same[0].kwargs = join.tree([i.kwargs for i in same])
        for values in zip(*[i.outputs for i in same]):
            if values[0] is not None:
                values[0].shape = join.tree([v.shape for v in values])
            for known, value in zip(numbers, values):
                known[value] = len(known)
    for values in zip(*[[*p.inputs, *p.outputs] for p in programs]):
        values[0].shape = join.tree([tuple(map(int, v.shape)) for v in values])
    return first


class _Join:
    """Makes one of the static arguments of equal instructions of several programs."""

    def __init__(self, symbols):
        self.symbols, self.corners, self.where = symbols, corners(symbols), ""

    def inputs(self, xs):
        """Inputs must be the same value, or equal constants."""
        if isinstance(xs[0], (int, Scalar)):
            if any(x is not xs[0] and x != xs[0] for x in xs):
                raise Differs(f"{self.where} reads another value at other sizes")
        elif any(x.shape != xs[0].shape or not np.array_equal(x, xs[0], equal_nan=x.dtype.kind == "f") for x in xs):
            raise Differs(f"{self.where} reads a constant array that depends on the size: "
                          f"shapes {', '.join(str(x.shape) for x in xs)}")

    def tree(self, trees):
        """One tree of several that differ in integers."""
        first = trees[0]
        if isinstance(first, (tuple, list)):
            if any(type(t) is not type(first) or len(t) != len(first) for t in trees):
                raise Differs(f"{self.where} has other arguments at other sizes")
            parts = [self.tree(list(same)) for same in zip(*trees)]
            return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
        if isinstance(first, dict):
            if any(t.keys() != first.keys() for t in trees):
                raise Differs(f"{self.where} has other arguments at other sizes")
            return {key: self.tree([t[key] for t in trees]) for key in first}
        if isinstance(first, slice):
            return slice(*[self.tree([getattr(t, end) for t in trees]) for end in ("start", "stop", "step")])
        if isinstance(first, (int, float)) and not isinstance(first, bool) and any(t != first for t in trees):
            return self.size(trees)
        if isinstance(first, (str, bool, Ref, type(None), np.dtype)) and any(t != first for t in trees):
            raise Differs(f"{self.where} has other arguments at other sizes")
        return first

    def size(self, numbers):
        """The polynomial through the corners, proved at the last sizes."""
        if any(int(n) != n for n in numbers):
            raise Differs(f"{self.where} has a number that is no polynomial of the sizes: {numbers}")
        numbers, names = [int(n) for n in numbers], list(self.symbols)
        values = dict(zip(product((0, 1), repeat=len(names)), numbers))
        around = {}  # coefficients in s - s0, t - t0, ...
        for steps in values:
            around[steps] = sum((-1) ** sum(a - b for a, b in zip(steps, below)) * values[below]
                                for below in product(*[range(a + 1) for a in steps]))
        terms = {}
        for steps, factor in around.items():  # (s - s0)(t - t0) multiplied out
            for kept in product(*[range(a + 1) for a in steps]):
                key, more = tuple([n for n, k in zip(names, kept) if k]), factor
                for name, a, k in zip(names, steps, kept):
                    more *= -self.symbols[name] if a and not k else 1
                terms[key] = terms.get(key, 0) + more
        size = Size(numbers[0], {key: n for key, n in terms.items() if n})
        if size.at(self.corners[-1]) != numbers[-1]:
            raise Differs(f"{self.where} has a size that is no polynomial of the symbols: {numbers}")
        return size
