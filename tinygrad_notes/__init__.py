"""A reverse-mode autograd engine written from scratch on NumPy and CuPy, and what is built on it.

    import tinygrad_notes as tn

Array functions follow the Python Array API standard, layers and optimizers follow PyTorch.
"""
import typing as _typing
from importlib import import_module as _import_module

from . import autograd as autograd
from . import ops as ops
from . import special as special
from .array_api import *  # noqa: F403
from .array_api import namespace_info as __array_namespace_info__  # noqa: F401
from .autograd import AnomalyError as AnomalyError
from .autograd import Tensor as Tensor
from .autograd import detect_anomaly as detect_anomaly
from .autograd import enable_grad as enable_grad
from .autograd import hessian as hessian
from .autograd import hvp as hvp
from .autograd import is_grad_enabled as is_grad_enabled
from .autograd import jacobian as jacobian
from .autograd import jvp as jvp
from .autograd import no_grad as no_grad
from .autograd import set_grad_enabled as set_grad_enabled
from .autograd import value_and_grad as value_and_grad
from .autograd import vjp as vjp
from .autograd.transforms import grad as grad
from .backend import *  # noqa: F403
from .ops import *  # noqa: F403
from .pytorch import *  # type: ignore[assignment]  # noqa: F403
from .pytorch.dtypes import *  # noqa: F403

__version__ = "0.1.0"
__array_api_version__ = "2024.12"

# Parts that are imported when first asked for: name -> module, or (module, attribute).
_LAZY = {
    "analysis": "analysis",
    "nn": "nn", "optim": "optim", "data": "data", "train": "train", "testing": "testing", "viz": "viz",
    "distributions": "distributions",
    "models": "models", "program": "program", "typing": "typing",
    "gradcheck": ("testing", "gradcheck"), "gradgradcheck": ("testing", "gradgradcheck"),
    "save": ("train", "save"), "load": ("train", "load"), "graph": ("viz", "graph"), "profile": ("viz", "profile"),
    "compile": ("program", "compile"), "onnx": "program.onnx", "func": "func", "utils": "utils",
    # PyTorch has these at the top level too.
    **{name: ("nn.functional", name) for name in (
        "adaptive_avg_pool1d", "adaptive_max_pool1d", "alpha_dropout", "avg_pool1d", "batch_norm", "bilinear",
        "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
        "cosine_similarity", "dropout", "embedding", "feature_alpha_dropout", "group_norm", "instance_norm",
        "layer_norm", "max_pool1d", "max_pool2d", "max_pool3d", "pairwise_distance", "pdist", "pixel_shuffle",
        "pixel_unshuffle", "rms_norm")},
}


if _typing.TYPE_CHECKING:
    from . import analysis as analysis
    from . import data as data
    from . import distributions as distributions
    from . import func as func
    from . import models as models  # type: ignore[attr-defined]  # elsewhere in the repository
    from . import nn as nn
    from . import optim as optim
    from . import program as program
    from . import testing as testing
    from . import train as train
    from . import typing as typing
    from . import utils as utils
    from . import viz as viz
    from .program import compile as compile
    from .program import onnx as onnx
    from .testing.gradcheck import gradcheck as gradcheck
    from .testing.gradcheck import gradgradcheck as gradgradcheck
    from .train import load as load
    from .train import save as save
    from .viz.graph import graph as graph
    from .viz.profiled import profile as profile
else:
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
