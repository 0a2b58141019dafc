"""A reverse-mode autograd engine written from scratch on NumPy and CuPy, and what is built on it.

    import tinygrad_notes as tn

Array functions follow the Python Array API standard, layers and optimizers follow PyTorch.
"""
from importlib import import_module as _import_module

from . import autograd, ops
from .autograd import (
    AnomalyError, Tensor, detect_anomaly, enable_grad, hessian, hvp, is_grad_enabled, jacobian, jvp, no_grad,
    set_grad_enabled, value_and_grad, vjp,
)
from .autograd.transforms import grad
from .array_api import *  # noqa: F403
from .array_api import namespace_info as __array_namespace_info__
from .backend import *  # noqa: F403
from .ops import *  # noqa: F403

__version__ = "0.1.0"
__array_api_version__ = "2024.12"

# Parts that are imported when first asked for: name -> module, or (module, attribute).
_LAZY = {
    "nn": "nn", "optim": "optim", "data": "data", "train": "train", "testing": "testing", "viz": "viz", "models": "models",
    "program": "program",
    "gradcheck": ("testing", "gradcheck"), "gradgradcheck": ("testing", "gradgradcheck"),
    "save": ("train", "save"), "load": ("train", "load"), "graph": ("viz", "graph"),
}


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'tinygrad_notes' has no attribute {name!r}")
    where = _LAZY[name]
    module = _import_module(f".{where if isinstance(where, str) else where[0]}", __name__)
    found = module if isinstance(where, str) else getattr(module, where[1])
    globals()[name] = found
    return found


def __dir__():
    return sorted({*globals(), *_LAZY})
