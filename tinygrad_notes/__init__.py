"""A reverse-mode autograd engine written from scratch on NumPy and CuPy, and what is built on it."""
from . import autograd, ops
from .autograd import AnomalyError, Tensor, detect_anomaly, enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .backend import *  # noqa: F403
from .ops import *  # noqa: F403


def tensor(data, dtype=None, device=None, requires_grad=False):
    """A Tensor with a copy of `data`."""
    made = Tensor(data, dtype=dtype, device=device)
    made = Tensor.wrap(made.data.copy())
    return made.requires_grad_(requires_grad)
