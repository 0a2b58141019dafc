"""The engine: Tensor, operations with their rules, the backward pass, derivatives of functions."""
from .anomaly import AnomalyError, detect_anomaly
from .backward import backward, grad
from .mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .primitive import PRIMITIVES, adjoint, elementwise, joint, primitive, trilinear
from .tensor import Tensor, as_tensor

__all__ = [
    "AnomalyError", "PRIMITIVES", "Tensor", "adjoint", "as_tensor", "backward", "detect_anomaly", "elementwise",
    "enable_grad", "grad", "is_grad_enabled", "joint", "no_grad", "primitive", "set_grad_enabled", "trilinear",
]
