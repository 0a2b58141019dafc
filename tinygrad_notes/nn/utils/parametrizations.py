"""Parametrizations in use: direction and length apart, spectral norm one, orthogonal."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import Tensor, no_grad
from ...ops import concat, eye, flatten, moveaxis, norm, randn, sum, vecdot, zeros
from ...ops import linalg as la
from .. import functional as F
from ..linear import size
from ..module import Module
from .parametrize import register_parametrization

if TYPE_CHECKING:
    from typing import TypeVar

    Layer = TypeVar("Layer", bound=Module)

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor_of(module, name):
    found = getattr(module, name, None)
    if not isinstance(found, Tensor):
        raise ValueError(f"name: {type(module).__name__} has no parameter or buffer {name!r}")
    return found


# Length and direction -----------------------------------------------------------------------------
def norm_except(weight, dim):
    """The norm over all axes but one, which are kept with size 1; over all of them, without any, for dim -1."""
    if dim == -1:
        return norm(weight)
    return norm(weight, 2, tuple(a for a in range(weight.ndim) if a != dim), keepdims=True)


class _WeightNorm(Module):
    def __init__(self, dim=0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return weight_v * (weight_g / norm_except(weight_v, self.dim))

    def right_inverse(self, weight):
        """(lengths, weight)"""
        return norm_except(weight, self.dim), weight


def weight_norm(module: Layer, name: str = "weight", dim: int | None = 0) -> Layer:
    """Let a weight be given by its lengths and its direction.

    Formula: w = g v / |v|, the norm over all axes but `dim`.

    Args:
        module: the layer.
        name: of the parameter.
        dim: the axis along which there is a length for each index; None (or -1): one length for all.

    Returns:
        The layer; its parameters now are `parametrizations.<name>.original0` (g) and `original1` (v).

    Raises:
        ValueError: there is no such parameter, or no such axis.

    Source: Salimans and Kingma 2016, equation 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.parametrizations.weight_norm(tn.nn.Linear(20, 40))
        >>> layer.parametrizations.weight.original0.shape, layer.parametrizations.weight.original1.shape
        ((40, 1), (40, 20))
    """
    weight = _tensor_of(module, name)
    if dim is not None and not -1 <= dim < weight.ndim:
        raise ValueError(f"dim: expected None or an axis of the weight, of shape {weight.shape}, got {dim}")
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    old = f"{name}_g", f"{name}_v"

    def from_older_state(module, state_dict, prefix, *_):
        for k, key in enumerate(old):
            if prefix + key in state_dict:
                state_dict[f"{prefix}parametrizations.{name}.original{k}"] = state_dict.pop(prefix + key)
    module.register_load_state_dict_pre_hook(from_older_state)
    return module


# Spectral norm ---------------------------------------------------------------------------------------
class _SpectralNorm(Module):
    def __init__(self, weight, n_power_iterations=1, dim=0, eps=1e-12):
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(f"dim: {dim} is out of range for a weight of shape {weight.shape}")
        self.dim, self.eps = dim % weight.ndim, eps
        self.n_power_iterations = size("n_power_iterations", n_power_iterations, 1)
        if weight.ndim > 1:
            matrix = self.matrix(weight.detach())
            for name, n in zip(("_u", "_v"), matrix.shape):
                start = randn(n, dtype=matrix.dtype, device=matrix.device)
                self.register_buffer(name, F.normalize(start, dim=0, eps=eps))
            self.iterate(matrix, 15)

    def matrix(self, weight):
        """(rows along `dim`, all other axes)"""
        return flatten(moveaxis(weight, self.dim, 0), 1)

    def iterate(self, matrix, times, v_first=False):
        """Some steps of power iteration towards the first singular vectors; u and then v, or the other way round."""
        with no_grad():
            matrix, u, v = matrix.detach(), self._u, self._v
            for _ in range(times):
                if v_first:
                    v = F.normalize(u @ matrix, dim=0, eps=self.eps)
                u = F.normalize(matrix @ v, dim=0, eps=self.eps)
                if not v_first:
                    v = F.normalize(u @ matrix, dim=0, eps=self.eps)
            self._u, self._v = u, v

    def forward(self, weight):
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self.matrix(weight)
        if self.training:
            self.iterate(matrix, self.n_power_iterations)
        return weight / vecdot(self._u, matrix @ self._v)

    def right_inverse(self, value):
        """The value itself."""
        return value


def spectral_norm(module: Layer, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Layer:
    """Divide a weight by its largest singular value, so that the layer stretches no vector.

    Formula: w = W / (u^T W v) with W as a matrix (rows along `dim`), and u, v nearly its first singular vectors: each
        use in training takes `n_power_iterations` steps u <- W v, v <- W^T u, normalized. They count as constants.

    Args:
        module: the layer.
        name: of the parameter.
        n_power_iterations: steps per use in training.
        eps: smallest norm.
        dim: the axis of the output; None: 0, and 1 for transposed convolutions.

    Returns:
        The layer; its parameter now is `parametrizations.<name>.original`, u and v are buffers beside it.

    Raises:
        ValueError: there is no such parameter, or no step.
        IndexError: there is no such axis.

    Source: Miyato et al. 2018, algorithm 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.parametrizations.spectral_norm(tn.nn.Linear(20, 40), n_power_iterations=20)
        >>> round(tn.linalg.matrix_norm(layer.weight, ord=2).item(), 2)
        1.0
    """
    weight = _tensor_of(module, name)
    if dim is None:
        dim = output_axis(module)
    register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
    return module


def output_axis(module):
    """The axis of a layer's weight along which its outputs are: 1 for transposed convolutions, else 0."""
    return 1 if any(cls.__name__.startswith("ConvTranspose") for cls in type(module).__mro__) else 0


# Orthogonal ------------------------------------------------------------------------------------------
MAPS = ("matrix_exp", "cayley", "householder")


class _Orthogonal(Module):
    def __init__(self, weight, orthogonal_map, use_trivialization=True):
        super().__init__()
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x):
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            reflectors = x.tril(k=-1)
            q = reflected(reflectors, 2 / (1 + sum(reflectors * reflectors, axis=-2)))
            q = q * la.diagonal(x).detach().sign()[..., None, :]  # not learned
        else:
            lower = x.tril()
            if n != k:  # (n, k) -> (n, n)
                lower = concat([lower, zeros((*x.shape[:-2], n, n - k), dtype=x.dtype, device=x.device)], axis=-1)
            skew = lower - lower.mT
            if self.orthogonal_map == "matrix_exp":
                q = la.matrix_exp(skew)
            else:
                one = eye(n, dtype=x.dtype, device=x.device)
                q = la.solve(one - skew / 2, one + skew / 2)
            q = q[..., :k]
        if self.use_trivialization:
            q = self.base @ q
        return q.mT if wide else q

    def right_inverse(self, q):
        """What `q`, or the orthogonal matrix next to it, is made of."""
        if q.shape != self.shape:
            raise ValueError(f"orthogonal: expected shape {self.shape}, got {q.shape}")
        wide = q.shape[-2] < q.shape[-1]
        tall = (q.mT if wide else q).detach()
        n, k = tall.shape[-2:]
        if not self.use_trivialization:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(f"orthogonal: with the map {self.orthogonal_map!r} and without "
                                          "trivialization the weight cannot be set")
            x = reflectors_of(tall)
            return x.mT if wide else x
        if n == k and _is_orthogonal(tall):
            self.base = tall.copy()
        else:
            more = randn(*tall.shape[:-1], n - k, dtype=tall.dtype, device=tall.device)
            self.base = _made_orthogonal(concat([tall, more], axis=-1))
        return zeros(q.shape, dtype=q.dtype, device=q.device) - eye(*q.shape[-2:], dtype=q.dtype, device=q.device)


def reflected(v, tau):
    """The first columns of H_1 ... H_k, H_i = I - tau_i v_i v_i^T; v (..., n, k) still lacks the ones on its diagonal.

    With T^-1 = diag(1 / tau) + strict upper triangle of V^T V, the product is I - V T V^T.
    """
    n, k = v.shape[-2:]
    v = v + eye(n, k, dtype=v.dtype, device=v.device)
    inner = (v.mT @ v).triu(k=1) + eye(k, dtype=v.dtype, device=v.device) / tau[..., None, :]
    return eye(n, k, dtype=v.dtype, device=v.device) - v @ la.solve(inner, v[..., :k, :].mT)


def reflectors_of(q):
    """The x from which the Householder map makes the orthogonal factor of `q`: reflectors below a diagonal of signs."""
    rest, columns = q, []
    n, k = q.shape[-2:]
    for j in range(k):
        below = rest[..., j:, j]
        length, head = norm(below, 2, -1, keepdims=True), below[..., :1]
        sign = (head >= 0).astype(q.dtype) * -2 + 1  # away from the head, so that nothing cancels
        v = concat([head * 0 + 1, below[..., 1:] / (head - sign * length)], axis=-1)
        tau = 2 / sum(v * v, axis=-1, keepdims=True)
        moved = rest[..., j:, :] - (tau * v)[..., None] * (v[..., None, :] @ rest[..., j:, :])
        rest = concat([rest[..., :j, :], moved], axis=-2)
        top = zeros((*q.shape[:-2], j), dtype=q.dtype, device=q.device)
        columns.append(concat([top, sign, v[..., 1:]], axis=-1)[..., None])
    return concat(columns, axis=-1)


def _is_orthogonal(q):
    n = q.shape[-1]
    one = eye(n, dtype=q.dtype, device=q.device)
    return (abs(q.mT @ q - one) <= 10 * n * float(q.device.xp.finfo(q.dtype).eps)).all().item()


def _made_orthogonal(a):
    """The factor Q of a = Q R with a positive diagonal of R."""
    q, r = la.qr(a)
    return q * la.diagonal(r).sign()[..., None, :]


def orthogonal(module: Layer, name: str = "weight", orthogonal_map: str | None = None, *,
               use_trivialization: bool = True) -> Layer:
    """Let a weight be an orthogonal matrix, or have orthonormal rows or columns.

    Formula: w = base Q(x) with Q(x) = exp(A) ("matrix_exp") or (I - A/2)^-1 (I + A/2) ("cayley"), both with
        A = lower(x) - lower(x)^T; or a product of reflections given by the columns of lower(x) ("householder").

    Args:
        module: the layer.
        name: of the parameter, (..., n, k).
        orthogonal_map: Q; None: "matrix_exp" for square matrices, else "householder".
        use_trivialization: multiply by a fixed base, the matrix next to the weight as it is; without, base is 1.

    Returns:
        The layer; its parameter now is `parametrizations.<name>.original`, the base a buffer beside it.

    Raises:
        ValueError: there is no such parameter, it has less than two axes, or the map is unknown.

    Source: Lezcano-Casado 2019, "Trivializations for gradient-based optimization on manifolds".

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.utils.parametrizations.orthogonal(tn.nn.Linear(20, 40))
        >>> tn.allclose(layer.weight.mT @ layer.weight, tn.eye(20), atol=1e-5)
        True
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"orthogonal: expected a weight with at least two axes, got shape {weight.shape}")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(f"orthogonal_map: expected one of {', '.join(map(repr, MAPS))}, got {orthogonal_map!r}")
    register_parametrization(module, name, _Orthogonal(weight, orthogonal_map, use_trivialization), unsafe=True)
    return module
