"""`check_bijection`: are the two directions of a flow inverse to each other, and are its log-determinants right?"""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ... import ops
from ...autograd import as_tensor, enable_grad, no_grad
from ...autograd import grad as gradient
from ...backend import Generator
from ...testing.verdict import CORRECT, WRONG
from .base import log_normal

if TYPE_CHECKING:
    from ...typing import ArrayLike
    from .base import Bijection

REACH = 6.5  # half the side of the box of latent codes
POINTS = {1: (2000, 20000), 2: (96, 192, 384)}  # cells per side, tried in turn; by dimensions


class BijectionError(RuntimeError):
    """A direction or a log-determinant is wrong. `result` holds the whole report."""

    def __init__(self, result: BijectionResult) -> None:
        super().__init__(result.report())
        self.result = result


@dataclass
class BijectionResult:
    """The outcome of `check_bijection`: true unless something is WRONG.

    Fields:
        verdict: CORRECT or WRONG.
        findings: (what was compared, error, limit) of each check; an error is relative to the size of the values, or 1.
        mass: the integral of the density, None where there are more than two dimensions.
    """

    verdict: str
    findings: list
    mass: float | None = None

    def __bool__(self) -> bool:
        return self.verdict != WRONG

    @property
    def error(self) -> float:
        """The largest error, leaving out that of the integral."""
        return max(error for what, error, _ in self.findings if what != INTEGRAL)

    def report(self) -> str:
        """The whole story in a few lines."""
        lines = [f"check_bijection: {self.verdict}"]
        for what, error, limit in self.findings:
            lines.append(f"  {what}: {CORRECT if error <= limit else WRONG}, error {error:.1e}, limit {limit:.0e}")
        return "\n".join(lines)

    __str__ = report

    def __repr__(self) -> str:
        return f"<check_bijection: {self.verdict}, error {self.error:.1e}>"


INTEGRAL = "the density integrates to 1"


def check_bijection(layer: Bijection, x: ArrayLike, *, tol: float | None = None, mass_tol: float = 1e-2,
                    mass: bool = True, raise_exception: bool = True) -> BijectionResult:
    """Compare the two directions of a bijection with each other, and its log-determinants with full Jacobians.

    Formula: to_data(to_latent(x)) = x and to_latent(to_data(z)) = z; log |det dz/dx| against that of the Jacobian, made
        of backward passes row by row; the log-determinants of the two directions are opposite; an example alone is
        mapped as in the batch; in one or two dimensions, integral of N(to_latent(x); 0, I) |det dz/dx| dx = 1, by the
        midpoint rule over the images of all codes within 6.5, on a grid that is finer where samples are.

    Args:
        layer: a Bijection; it is used in evaluation mode.
        x: (N, D) or (N, C, H, W), data where it is checked.
        tol: the largest relative error; default: 1e-8 in float64, 1e-3 in float32.
        mass_tol: the largest error of the integral.
        mass: whether to integrate at all.
        raise_exception: raise if something is WRONG; else return the result.

    Returns:
        `BijectionResult`, true unless WRONG.

    Raises:
        BijectionError: something is wrong.
        ValueError: there is no example.

    Source: the notes, section 7; Papamakarios et al. 2021, section 2.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.Planar(2, dtype="float64")
        >>> tn.models.flows.check_bijection(layer, tn.randn((3, 2), dtype="float64")).verdict
        'CORRECT'
    """
    x = as_tensor(x).detach()
    if x.ndim < 2 or x.shape[0] < 1:
        raise ValueError(f"x: expected examples (N, D) or (N, C, H, W), got shape {x.shape}")
    tol = tol if tol is not None else 1e-8 if x.dtype == "float64" else 1e-3
    with layer.evaluating():
        with no_grad():
            z, forth = layer.to_latent(x)
            again, back = layer.to_data(z)
            beside = ops.astype(ops.roll(z, 1, axis=0) * 0.9 + 0.05, z.dtype)  # codes that no example gave
            x2, back2 = layer.to_data(beside)
            z2, forth2 = layer.to_latent(x2)
            alone, forth_alone = layer.to_latent(x[:1])
        findings = [
            ("data -> latent -> data", _gap(again, x), tol), ("latent -> data -> latent", _gap(z2, beside), tol),
            ("log |det dz/dx| against the Jacobian", _gap(forth, _log_abs_det(layer.to_latent, x)), tol),
            ("log |det dx/dz| against the Jacobian", _gap(back2, _log_abs_det(layer.to_data, beside)), tol),
            ("the two log-determinants are opposite", max(_gap(forth, -back), _gap(forth2, -back2)), tol),
            ("an example alone is mapped as in a batch", max(_gap(alone, z[:1]), _gap(forth_alone, forth[:1])), tol),
        ]
        total = None
        if mass and x.ndim == 2 and x.shape[1] <= 2:
            total = _mass(layer, x, mass_tol)
            findings.append((INTEGRAL, abs(total - 1), mass_tol))
    verdict = CORRECT if all(error <= limit for _, error, limit in findings) else WRONG
    result = BijectionResult(verdict, findings, total)
    if raise_exception and not result:
        raise BijectionError(result)
    return result


def _gap(found, wanted):
    """The largest difference, relative to the largest value, or to 1; infinite where something is not finite."""
    gap = float(ops.max(ops.abs(found - wanted))) / max(1.0, float(ops.max(ops.abs(wanted))))
    return gap if gap == gap else float("inf")


def _log_abs_det(direction, x):
    """log |det| of the full Jacobian of each example, (N,)."""
    with enable_grad():
        x = x.detach().requires_grad_(True)
        out = ops.reshape(direction(x)[0], (x.shape[0], -1))  # (N, D)
        rows = [ops.reshape(gradient(ops.sum(out[:, i]), x, retain_graph=True)[0], out.shape)
                for i in range(out.shape[1])]
    return ops.linalg.slogdet(ops.stack(rows, axis=1).detach())[1]


def _mass(layer, x, tol):
    """The integral of the density over the image of all codes within REACH."""
    dim = x.shape[1]
    codes = ops.normal((4000, dim), generator=Generator(0), dtype=x.dtype, device=x.device)
    corners = ops.stack([ops.reshape(a, (-1,)) for a in ops.meshgrid(
        *[ops.linspace(-REACH, REACH, 41, dtype=x.dtype, device=x.device)] * dim, indexing="ij")], axis=1)
    with no_grad():
        reached = layer.to_data(ops.concat([codes, corners]))[0]
        for points in POINTS[dim]:
            at, cells = _grid(reached, len(codes), points)
            z, log_det = layer.to_latent(at)
            total = float(ops.sum(ops.exp(log_normal(z) + log_det) * cells))
            if abs(total - 1) <= tol / 10:
                break
    return total


def _grid(reached, draws, points):
    """Midpoints (points^D, D) and sizes (points^D,) of cells over the box of `reached`, half of whose edges are
    quantiles of its first `draws` points."""
    middles, widths = [], []
    for k in range(reached.shape[1]):
        shares = ops.linspace(0.0, 1.0, points // 2 + 1, dtype=reached.dtype, device=reached.device)
        low, high = ops.min(reached[:, k]), ops.max(reached[:, k])
        edges = ops.sort(ops.concat([ops.quantile(reached[:draws, k], shares), low + (high - low) * shares]))
        middles.append(0.5 * (edges[1:] + edges[:-1]))
        widths.append(ops.diff(edges))
    axes = [ops.reshape(a, (-1,)) for a in ops.meshgrid(*middles, indexing="ij")]
    cells = [ops.reshape(a, (-1,)) for a in ops.meshgrid(*widths, indexing="ij")]
    return ops.stack(axes, axis=1), cells[0] if len(cells) == 1 else cells[0] * cells[1]
