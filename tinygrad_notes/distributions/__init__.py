"""Probability distributions with PyTorch's names and arguments: densities, draws, divergences, all differentiable.

    import tinygrad_notes as tn
    d = tn.distributions
    z = d.Normal(mu, sigma).rsample(generator=tn.Generator(0))

Draws come from an explicit `Generator` (default: the one of `tn.manual_seed`) and are the same on every device. Those
of `rsample` are differentiable in the parameters, gamma, beta, Dirichlet and Student's t by implicit
reparameterization.
"""
from . import constraints as constraints
from . import transforms as transforms
from .categorical import *  # noqa: F403
from .circular import *  # noqa: F403
from .discrete import *  # noqa: F403
from .distribution import *  # noqa: F403
from .estimators import *  # noqa: F403
from .gamma import *  # noqa: F403
from .kl import *  # noqa: F403
from .location_scale import *  # noqa: F403
from .multivariate import *  # noqa: F403
from .registry import *  # noqa: F403
from .relaxed import *  # noqa: F403
from .tails import *  # noqa: F403
from .transform import *  # noqa: F403
from .transform_structure import *  # noqa: F403
from .transformed import *  # noqa: F403
from .unit import *  # noqa: F403
