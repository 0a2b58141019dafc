"""The engine: Tensor, operations with their rules, the backward pass, derivatives of functions."""
from .anomaly import AnomalyError, detect_anomaly
from .backward import backward, grad
from .checkpoint import checkpoint
from .mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .plan import PRIMITIVES
from .primitive import adjoint, elementwise, joint, primitive, trilinear
from .saved import saved_tensors_report
from .tensor import Tensor, as_tensor
from .transforms import hessian, hvp, jacobian, jvp, value_and_grad, vjp

__all__ = [
    "AnomalyError", "PRIMITIVES", "Tensor", "adjoint", "as_tensor", "backward", "checkpoint", "detect_anomaly",
    "elementwise", "enable_grad", "grad", "hessian", "hvp", "is_grad_enabled", "jacobian", "joint", "jvp", "no_grad",
    "primitive", "saved_tensors_report", "set_grad_enabled", "trilinear", "value_and_grad", "vjp",
]
