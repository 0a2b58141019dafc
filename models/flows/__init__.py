"""Normalizing flows: bijections between data and latent codes, one idea per file."""
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
