"""Straight lines through the point at which gradients are checked."""
from dataclasses import dataclass

import numpy as np

from .stencil import EPSILON


@dataclass
class Line:
    """A straight line through the point: per leaf the step of each element, and the scale of one unit of it.

    Fields:
        moves: {leaf number: step array} (full size), or {leaf number: (flat index, step)} for one element.
        scale: the length that the first steps are fractions of.
        smallest: a second, smaller scale to try, or None.
    """

    moves: dict
    scale: float
    smallest: float | None = None

    def at(self, bases):
        """The function t -> (arrays, how far the line really moved)."""
        def move(t):
            arrays, moved = list(bases), t
            for k, step in self.moves.items():
                arrays[k] = bases[k].copy()
                if isinstance(step, tuple):
                    before = arrays[k].flat[step[0]]
                    arrays[k].flat[step[0]] = before + t * step[1]
                    moved = (arrays[k].flat[step[0]] - before) / step[1]
                else:
                    arrays[k] += t * step
            return arrays, moved
        return move

    @property
    def rounding(self):
        """How much of a unit step rounding of the inputs may lose; of one element the real step is known."""
        return 0.0 if any(isinstance(step, tuple) for step in self.moves.values()) else EPSILON

    @property
    def size(self):
        """The length that a step of 1 in units of `scale` moves an element."""
        return max(self.scale * (abs(s[1]) if isinstance(s, tuple) else rms(s)) for s in self.moves.values())

    def dot(self, gradients):
        """The slope along the line that these gradients say."""
        with np.errstate(all="ignore"):
            return float(sum(gradients[k].flat[s[0]] * s[1] if isinstance(s, tuple) else np.sum(gradients[k] * s)
                             for k, s in self.moves.items()))


def rms(x):
    with np.errstate(all="ignore"):
        top = float(np.max(np.abs(x), initial=0.0))
        return top * float(np.sqrt(np.mean(np.square(x / top)))) if top and np.isfinite(top) else top


def power_of_two(x):
    return np.ldexp(1.0, np.frexp(x)[1] - 1)
