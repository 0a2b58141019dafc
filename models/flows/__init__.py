"""Normalizing flows: bijections between data and latent codes, one idea per file.

    x  data   z  latent code, z ~ N(0, I)   D numbers each

    log p(x) = log N(z(x); 0, I) + log |det dz/dx|        to train: codes of data, `to_latent`
    x = x(z), z ~ N(0, I)                                 to sample: data of codes, `to_data`

A layer is of use where both directions and the determinant are cheap, and each file is one way to have that:

    base, check                 the two directions, chains, densities; all of it checked against full Jacobians
    elementwise, spline         single numbers: affine, piecewise linear, rational-quadratic
    linear                      matrices in factors
    bend                        planar and radial layers: one direction stretched, or one point
    coupling                    one half moves by what the other says: triangular Jacobians
    made, autoregressive        each number moves by what those before it say: MAF to train fast, IAF to sample fast
    residual                    x + g(x), g shortens distances: fixed points back, a series for the determinant
    ode, continuous             as many layers as a solver wants: dx/dt = v(x, t), and the divergence of v
    multiscale                  images: pixels become channels, and half of them is let go at each scale
"""
from .autoregressive import IAF, MAF, MaskedAutoregressive
from .base import Bijection, Chain, Flow, Inverse
from .bend import Planar, Radial
from .check import BijectionError, BijectionResult, check_bijection
from .continuous import ContinuousFlow, ContinuousLayer, Velocity
from .coupling import NICE, Coupling, RealNVP, SplineFlow
from .elementwise import Additive, Affine, LeakyReLU, Logit, Permutation, PiecewiseLinear
from .linear import ActNorm, LinearPLU
from .made import MADE, MaskedLinear, MaskedMLP
from .multiscale import Glow, MultiScale, Squeeze
from .ode import odeint, odeint_adjoint
from .residual import Contraction, IResNet, IRevNet, ResidualFlow, fixed_point, logdet_series
from .spline import Spline

__all__ = [
    "ActNorm", "Additive", "Affine", "Bijection", "BijectionError", "BijectionResult", "Chain", "ContinuousFlow",
    "ContinuousLayer", "Contraction", "Coupling", "Flow", "Glow", "IAF", "IResNet", "IRevNet", "Inverse", "LeakyReLU",
    "LinearPLU", "Logit", "MADE", "MAF", "MaskedAutoregressive", "MaskedLinear", "MaskedMLP", "MultiScale", "NICE",
    "Permutation", "PiecewiseLinear", "Planar", "Radial", "RealNVP", "ResidualFlow", "Spline", "SplineFlow",
    "Squeeze", "Velocity", "check_bijection", "fixed_point", "logdet_series", "odeint", "odeint_adjoint",
]
