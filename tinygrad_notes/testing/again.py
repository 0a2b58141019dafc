"""How much of a gradient is rounding: the same gradient again, where rounding falls otherwise."""
import numpy as np

from .stencil import EPSILON

LAST = 16 * EPSILON  # a relative change in the last digits
FACTORS = (0.37, 0.61, 0.83)
COARSE = 2.0 ** -27  # of what float32 is off, which rounds 2^29 times as coarsely, a quarter of the digits is believed


def jittered(arrays, amount, rng):
    """The arrays with random relative changes of up to this size, and of half of it at least."""
    return [x * (1 + amount * rng.choice((-1.0, 1.0), np.shape(x)) * rng.uniform(0.5, 1.0, np.shape(x)))
            for x in arrays]


class Again:
    """Gradients of a `Problem` that would all be the same but for rounding; made when they are asked for."""

    def __init__(self, problem, rng):
        self.problem, self.rng = problem, rng
        self.pulls = None

    def make(self):
        """Gradients at the point, at three points that differ in the last digits, and in float32 (or None)."""
        if self.pulls is None:
            bases = [leaf.base for leaf in self.problem.leaves]
            near = [self.problem.analytic(arrays=jittered(bases, LAST, self.rng)) for _ in range(3)]
            try:
                coarse = self.problem.analytic(arrays=[b.astype(np.float32) for b in bases])
            except Exception:  # a second opinion, which not every function can give
                coarse = None
            self.pulls = self.problem.analytic(), near, coarse
        return self.pulls

    def spread(self, value, *cotangents):
        """What `value(pull, *cotangents)`, linear in the first cotangent, is in other roundings.

        Returns:
            Its values near the point, and the largest difference that any of the changes makes.
        """
        here, near, coarse = self.make()
        at = value(here, *cotangents)
        others = [value(pull, *jittered(cotangents, LAST, self.rng)) for pull in near]
        seen = [abs(b - at) for b in others]
        seen += [abs(value(here, c * cotangents[0], *cotangents[1:]) / c - at) for c in FACTORS]
        if coarse is not None:
            seen.append(np.nan_to_num(COARSE * abs(value(coarse, *cotangents) - at), posinf=0.0))
        return others, max(seen)
