"""Looking at a loss and its descent: curvature, step sizes, noise, gradient flow, the tangent kernel; least squares in
closed form, the risk of estimators, and why many dimensions are hard to fill.
"""

from .curvature import hessian_extremes, lambda_max, lanczos, max_stable_step
from .descent import PLCertificate, descent_bound, descent_steps, pl_constant, pl_ratio
from .dimension import ball_volume, bins_per_point, distance_ratio, shell_fraction
from .flow import gradient_flow, implicit_gd_loss, implicit_sgd_loss, integrate, modified_flow
from .kernel import tangent_kernel
from .least_squares import (
    dropout_penalty,
    early_stop_filter,
    ols,
    ols_risk,
    ridge,
    ridge_filter,
    ridge_like_early_stop,
)
from .noise import ema_total_weight, ema_weights, sgd_noise_scale, stationary_variance
from .parameters import loss_of_module, raveled
from .risk import risk, shrunken_bayes_risk, shrunken_max_risk, shrunken_risk, smoother_bias_variance

__all__ = [
    "PLCertificate", "ball_volume", "bins_per_point", "descent_bound", "descent_steps", "distance_ratio",
    "dropout_penalty", "early_stop_filter", "ema_total_weight", "ema_weights", "gradient_flow", "hessian_extremes",
    "implicit_gd_loss", "implicit_sgd_loss", "integrate", "lambda_max", "lanczos", "loss_of_module", "max_stable_step",
    "modified_flow", "ols", "ols_risk", "pl_constant", "pl_ratio", "raveled", "ridge", "ridge_filter",
    "ridge_like_early_stop", "risk", "sgd_noise_scale", "shell_fraction", "shrunken_bayes_risk", "shrunken_max_risk",
    "shrunken_risk", "smoother_bias_variance", "stationary_variance", "tangent_kernel",
]
