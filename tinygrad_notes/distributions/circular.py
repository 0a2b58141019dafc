"""A distribution of angles: VonMises."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..autograd import Tensor, no_grad
from ..ops import cos, i0e, i1e, log
from ..ops.draws import von_mises
from . import constraints
from .distribution import Distribution

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["VonMises"]


class VonMises(Distribution):
    """The von Mises distribution of angles: nearly normal where it is narrow, uniform on the circle where it is wide.

    Formula: density exp(concentration cos(x - loc)) / (2 pi I_0(concentration)).

    Args:
        loc: the mean direction, in radians.
        concentration: about one over the variance, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `concentration` is not positive, or the shapes do not broadcast.

    Source: Best and Fisher 1979, "Efficient simulation of the von Mises distribution", for the draws.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.VonMises(0.0, 1.0).log_prob(tn.tensor(0.0))
        tensor(-1.0738)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc: ArrayLike, concentration: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(loc=loc, concentration=concentration), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean direction."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular variance, 1 - I_1(concentration) / I_0(concentration)."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        """Angles in [-pi, pi)."""
        with no_grad():
            return von_mises(self.loc, self.concentration, self._extended_shape(sample_shape), generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        apart = cos(self._value(value) - self.loc) - 1
        return self.concentration * apart - math.log(2 * math.pi) - log(i0e(self.concentration))

    def entropy(self) -> Tensor:
        k = self.concentration
        return math.log(2 * math.pi) + log(i0e(k)) + k * (1 - i1e(k) / i0e(k))
