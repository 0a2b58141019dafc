"""Weight norm and spectral norm of the older kind: a hook computes the weight before every call of the layer."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import Tensor
from ..module import Module
from ..parameter import Parameter
from .parametrizations import _SpectralNorm, norm_except, output_axis

if TYPE_CHECKING:
    from typing import TypeVar

    Layer = TypeVar("Layer", bound=Module)

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


class Computed:
    """Sets an attribute of a layer before each call.

    A subclass says in `take` where the values are kept from now on, in `parts` under which names, the parameter that
    is learned first, and in `compute` what the attribute is.
    """

    def __init__(self, module, name):
        self.name = name
        weight = module._roles.get(name) and getattr(module, name)
        if not isinstance(weight, Parameter):
            raise ValueError(f"name: {type(module).__name__} has no parameter {name!r}")
        delattr(module, name)
        self.take(module, weight)
        self(module, ())
        self.handle = module.register_forward_pre_hook(self)

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute(module))

    def compute_now(self, module):
        """Bring the attribute up to date before it is kept, where that does not change the values in use."""


class _WeightHook(Computed):
    def __init__(self, module, name, dim):
        self.dim = -1 if dim is None else dim
        super().__init__(module, name)

    def take(self, module, weight):
        wanted = weight.requires_grad
        module.register_parameter(f"{self.name}_g", Parameter(norm_except(weight.detach(), self.dim), wanted))
        module.register_parameter(f"{self.name}_v", weight)

    def compute(self, module):
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / norm_except(v, self.dim))

    def parts(self):
        return f"{self.name}_v", f"{self.name}_g"


class _SpectralHook(Computed):
    def __init__(self, module, name, n_power_iterations, eps, dim):
        self.settings = n_power_iterations, dim, eps
        super().__init__(module, name)

    def take(self, module, weight):
        self.norm = _SpectralNorm(weight, *self.settings).eval()
        module.register_parameter(f"{self.name}_orig", weight)
        for key in ("u", "v"):
            module.register_buffer(f"{self.name}_{key}", getattr(self.norm, f"_{key}"))

    def compute(self, module):
        norm, weight = self.norm, getattr(module, f"{self.name}_orig")
        norm._u, norm._v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        if module.training:
            norm.iterate(norm.matrix(weight), norm.n_power_iterations, v_first=True)
            setattr(module, f"{self.name}_u", norm._u)
            setattr(module, f"{self.name}_v", norm._v)
        return norm(weight)

    def parts(self):
        return f"{self.name}_orig", f"{self.name}_u", f"{self.name}_v"


def hook_on(module, name, kind):
    """The hook of a kind that computes the attribute of this name, or None."""
    hooks = [hook for hook, _ in (module._hooks or {}).get("pre", {}).values()]
    return next((hook for hook in hooks if isinstance(hook, kind) and hook.name == name), None)


def removed(module, name, kind, what):
    """The module with an ordinary parameter again, of the value that the attribute has."""
    hook = hook_on(module, name, kind)
    if hook is None:
        raise ValueError(f"{what} of {name!r} not found in {type(module).__name__}")
    hook.compute_now(module)
    weight, wanted = Tensor.wrap(getattr(module, name).data.copy()), getattr(module, hook.parts()[0]).requires_grad
    hook.handle.remove()
    for part in (*hook.parts(), name):
        delattr(module, part)
    module.register_parameter(name, Parameter(weight, wanted))
    return module


def weight_norm(module: Layer, name: str = "weight", dim: int | None = 0) -> Layer:
    """Let a weight be given by its lengths `<name>_g` and its direction `<name>_v`.

    Formula: w = g v / |v|, the norm over all axes but `dim`. `nn.utils.parametrizations.weight_norm` is the newer form.

    Args:
        module: the layer.
        name: of the parameter.
        dim: the axis along which there is a length for each index; None (or -1): one length for all.

    Returns:
        The layer.

    Raises:
        ValueError: there is no such parameter.

    Source: Salimans and Kingma 2016, equation 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> list(tn.nn.utils.weight_norm(tn.nn.Linear(2, 3)).state_dict())
        ['bias', 'weight_g', 'weight_v']
    """
    _WeightHook(module, name, dim)
    return module


def remove_weight_norm(module: Layer, name: str = "weight") -> Layer:
    """Make a weight an ordinary parameter again, with the value that it has.

    Args:
        module: the layer.
        name: of the parameter.

    Returns:
        The layer.

    Raises:
        ValueError: it has no weight norm.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.weight_norm(tn.nn.Linear(2, 3))
        >>> list(tn.nn.utils.remove_weight_norm(layer).state_dict())
        ['bias', 'weight']
    """
    return removed(module, name, _WeightHook, "weight_norm")


def spectral_norm(module: Layer, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Layer:
    """Divide a weight by its largest singular value; `<name>_orig` is what is learned.

    Formula: w = W / (u^T W v), see `nn.utils.parametrizations.spectral_norm`, the newer form.

    Args:
        module, name, n_power_iterations, eps, dim: as there.

    Returns:
        The layer.

    Raises:
        ValueError: there is no such parameter, or no step.

    Source: Miyato et al. 2018, algorithm 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> list(tn.nn.utils.spectral_norm(tn.nn.Linear(2, 3)).state_dict())
        ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    _SpectralHook(module, name, n_power_iterations, eps, output_axis(module) if dim is None else dim)
    return module


def remove_spectral_norm(module: Layer, name: str = "weight") -> Layer:
    """Make a weight an ordinary parameter again, with the value that it has.

    Args:
        module: the layer.
        name: of the parameter.

    Returns:
        The layer.

    Raises:
        ValueError: it has no spectral norm.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.spectral_norm(tn.nn.Linear(2, 3))
        >>> list(tn.nn.utils.remove_spectral_norm(layer).state_dict())
        ['bias', 'weight']
    """
    return removed(module, name, _SpectralHook, "spectral_norm")
