"""Coupling layers: one half of the numbers moves, by parameters that a network reads off the other half."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import no_grad
from ...nn import MLP, Module, Tanh
from .base import Bijection, Flow, checked, summed
from .elementwise import Additive, Affine
from .linear import ActNorm
from .spline import Spline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...autograd import Tensor
    from ...typing import ArrayLike, DeviceLike, DTypeLike


class Coupling(Bijection):
    """One half stays and tells the other half how to move, so any network will do and none is inverted.

    Formula: x = (a, b); z = (a, f(b; theta(a))); log |det dz/dx| = sum_i log df(b_i)/db_i.

    Args:
        features: D, or the channels of an image; the first D // 2 are one half.
        transform: how a number moves: `Additive`, `Affine`, `Spline`, ...
        hidden: widths of the hidden layers of the network (tanh, so that all derivatives exist; last layer zero).
        swap: whether the second half stays instead.
        network: another network than that: from the D_a numbers that stay, (N, D_a) or (N, D_a, H, W), to
            `transform.size` numbers for each of the others, (N, D_b size) or (N, D_b size, H, W).
        device, dtype: of the parameters.

    Raises:
        ValueError: there are fewer than two features.

    Source: the notes, section 7.3.2; Dinh, Krueger & Bengio 2015; Dinh, Sohl-Dickstein & Bengio 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.Coupling(2, tn.models.flows.Spline(bins=4))
        >>> tn.models.flows.check_bijection(layer, tn.randn((4, 2))).verdict
        'CORRECT'
    """

    def __init__(self, features: int, transform: Any = None, hidden: Sequence[int] = (64, 64), swap: bool = False, *,
                 network: Module | None = None, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if features < 2:
            raise ValueError(f"{type(self).__name__}: features: expected at least 2, one to stay and one to move, "
                             f"got {features}")
        self.features, self.swap = features, swap
        self.transform = Affine() if transform is None else transform
        first = features // 2
        stay, move = (features - first, first) if swap else (first, features - first)
        if network is None:
            network = MLP([stay, *hidden, move * self.transform.size], Tanh, device=device, dtype=dtype)
            start_at_zero(network[-1])
        self.network = network

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """The moving half through `transform.to_latent`."""
        return self._moved(x, self.transform.to_latent)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """The moving half through `transform.to_data`."""
        return self._moved(z, self.transform.to_data)

    def _moved(self, x, move):
        x = checked(type(self).__name__, x, self.features, (2, 4))
        first = self.features // 2
        a, b = x[:, :first], x[:, first:]
        if self.swap:
            a, b = b, a
        theta = self.network(a)
        theta = ops.reshape(theta, (b.shape[0], b.shape[1], self.transform.size, *b.shape[2:]))
        moved, log_slope = move(b, ops.moveaxis(theta, 2, -1))  # theta: (N, D_b, size, ...) -> (N, D_b, ..., size)
        return ops.concat([moved, a] if self.swap else [a, moved], axis=1), summed(log_slope)

    def extra_repr(self) -> str:
        """Sizes and kind."""
        return f"{self.features}, {type(self.transform).__name__}, swap={self.swap}"


class NICE(Flow):
    """Additive couplings and one scale per number at the end.

    Formula: couplings b' = b - m(a), alternating halves; then z = (x - m) exp(-s). log |det dz/dx| = -sum_i s_i.

    Args:
        features: D >= 2.
        couplings: how many.
        hidden: widths of the hidden layers of their networks.
        device, dtype: of the parameters.

    Source: Dinh, Krueger & Bengio 2015, "NICE: non-linear independent components estimation".

    Example:
        >>> import tinygrad_notes as tn
        >>> flow = tn.models.flows.NICE(2, couplings=4)
        >>> flow.sample(3).shape
        (3, 2)
    """

    def __init__(self, features: int, couplings: int = 4, hidden: Sequence[int] = (64, 64), *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        layers: list[Bijection] = [Coupling(features, Additive(), hidden, bool(k % 2), **home)
                                   for k in range(couplings)]
        super().__init__([*layers, ActNorm(features, **home)], features)


class RealNVP(Flow):
    """Affine couplings with alternating halves, each after an `ActNorm`.

    Formula: b' = (b - t(a)) exp(-s(a)); log |det dz/dx| = -sum s(a) over all couplings.

    Args:
        features: D >= 2.
        couplings: how many.
        hidden: widths of the hidden layers of their networks.
        limit: the largest |s| there can be, see `Affine`.
        device, dtype: of the parameters.

    Source: Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using Real NVP"; normalization as in Glow.

    Example:
        >>> import tinygrad_notes as tn
        >>> flow = tn.models.flows.RealNVP(2)
        >>> x = tn.data.two_moons(64, generator=0)[0]
        >>> flow.loss(x)["loss"].shape, flow.sample(3).shape
        ((), (3, 2))
    """

    def __init__(self, features: int, couplings: int = 8, hidden: Sequence[int] = (64, 64), limit: float = 3.0, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(normalized_couplings(features, Affine(limit), couplings, hidden, device, dtype), features)


class SplineFlow(Flow):
    """Couplings that move each number along a spline, alternating halves, each after an `ActNorm`.

    Formula: b' = spline(b; theta(a)); log |det dz/dx| = sum of the log-slopes.

    Args:
        features: D >= 2.
        couplings: how many.
        hidden: widths of the hidden layers of their networks.
        bins, bound: of the splines, see `Spline`.
        device, dtype: of the parameters.

    Source: Durkan, Bekasov, Murray & Papamakarios 2019, "Neural spline flows".

    Example:
        >>> import tinygrad_notes as tn
        >>> flow = tn.models.flows.SplineFlow(2, couplings=2)
        >>> flow.log_prob(tn.zeros((5, 2))).shape
        (5,)
    """

    def __init__(self, features: int, couplings: int = 4, hidden: Sequence[int] = (64, 64), bins: int = 8,
                 bound: float = 4.0, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        layers = normalized_couplings(features, Spline(bins, bound), couplings, hidden, device, dtype)
        super().__init__(layers, features)


def normalized_couplings(features, transform, couplings, hidden, device, dtype):
    """Pairs of `ActNorm` and `Coupling`, alternating halves.

    Raises:
        ValueError: `couplings` is below 1.
    """
    if couplings < 1:
        raise ValueError(f"couplings: expected at least 1, got {couplings}")
    home: dict[str, Any] = {"device": device, "dtype": dtype}
    layers: list[Bijection] = []
    for k in range(couplings):
        layers += [ActNorm(features, **home), Coupling(features, transform, hidden, bool(k % 2), **home)]
    return layers


def start_at_zero(layer):
    """Weights and bias zero: what comes out is zero, and the flow starts at the identity."""
    with no_grad():
        layer.weight[...] = 0.0
        layer.bias[...] = 0.0
