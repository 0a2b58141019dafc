"""Looking at a loss and its descent: curvature, step sizes, noise, gradient flow, the tangent kernel."""

from .curvature import hessian_extremes, lambda_max, lanczos, max_stable_step
from .descent import PLCertificate, descent_bound, descent_steps, pl_constant, pl_ratio
from .flow import gradient_flow, implicit_gd_loss, implicit_sgd_loss, integrate, modified_flow
from .kernel import tangent_kernel
from .noise import ema_total_weight, ema_weights, sgd_noise_scale, stationary_variance
from .parameters import loss_of_module, raveled

__all__ = [
    "PLCertificate", "descent_bound", "descent_steps", "ema_total_weight", "ema_weights", "gradient_flow",
    "hessian_extremes", "implicit_gd_loss", "implicit_sgd_loss", "integrate", "lambda_max", "lanczos", "loss_of_module",
    "max_stable_step", "modified_flow", "pl_constant", "pl_ratio", "raveled", "sgd_noise_scale", "stationary_variance",
    "tangent_kernel",
]
