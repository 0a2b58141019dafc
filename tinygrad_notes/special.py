"""Special functions, by the names of `torch.special` and `scipy.special`."""
from . import ops as _ops
from . import pytorch as _pytorch
from .ops.special import *  # noqa: F403
from .ops.special import __all__ as _own

# Another name here : the function.
_NAMES = {
    **{name: name for name in (
        "betainc", "betaincinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaincinv", "log1p", "logit",
        "logsumexp", "round", "sinc", "xlogy", "xlog1py", "multigammaln", "polygamma", "digamma", "softmax",
        "log_softmax")},
    "psi": "digamma", "modified_bessel_i0": "i0", "modified_bessel_i1": "i1", "modified_bessel_k0": "k0",
    "modified_bessel_k1": "k1", "scaled_modified_bessel_k0": "k0e", "scaled_modified_bessel_k1": "k1e",
}
globals().update({name: vars(_pytorch).get(target) or getattr(_ops, target) for name, target in _NAMES.items()})

__all__ = sorted({*_own, *_NAMES})
