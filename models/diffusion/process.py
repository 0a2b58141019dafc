"""The forward process of diffusion, and what it says about the way back.

    x_0  data   x_t  data with noise, t = 1 ... T   e  standard normal noise   a_t = 1 - beta_t   abar_t = a_1 ... a_t

    q(x_t | x_0) = N(sqrt(abar_t) x_0, (1 - abar_t) I)
    q(x_(t-1) | x_t, x_0) = N(m_t(x_t, x_0), v_t I)
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from ... import ops
from ...autograd import as_tensor

if TYPE_CHECKING:
    from ...autograd import Tensor
    from ...typing import ArrayLike


class Process:
    """A schedule of noise and the closed forms that follow from it.

    Formula: abar_t = prod_{s<=t} (1 - beta_s), abar_0 = 1.

    Args:
        beta: (T,), from 0 to below 1.

    Fields:
        beta, alpha, alpha_bar: float64 on the CPU; `alpha_bar` has T + 1 elements, the first is 1.

    Raises:
        ValueError: `beta` is no vector of such numbers.

    Source: Ho, Jain & Abbeel 2020, equations 2 to 7; the notes, page 58; here with a bar over alpha where it is meant.

    Example:
        >>> import tinygrad_notes as tn
        >>> process = tn.models.diffusion.Process(tn.models.diffusion.linear_schedule(10))
        >>> process.noised(tn.ones((2, 3)), tn.tensor([1, 10]), tn.zeros((2, 3))).shape
        (2, 3)
    """

    def __init__(self, beta: ArrayLike) -> None:
        found = ops.as_tensor(beta, dtype="float64", device="cpu")
        if found.ndim != 1 or not len(found) or not bool(ops.all((found >= 0) & (found < 1))):
            raise ValueError(f"beta: expected T numbers from 0 to below 1, got shape {found.shape}")
        self.beta, self.alpha = found, 1 - found
        one = ops.ones((1,), dtype="float64", device="cpu")
        self.alpha_bar = ops.concat([one, ops.cumprod(1 - found, axis=0)])

    def __len__(self) -> int:
        """T."""
        return len(self.beta)

    def left(self, t: ArrayLike, like: Tensor) -> Tensor:
        """abar_t at each t, shaped to multiply `like`: (N,) -> (N, 1, ...)."""
        at = as_tensor(t).to("cpu")
        found = ops.astype(ops.take(self.alpha_bar, ops.reshape(at, (-1,)), axis=0), like.dtype).to(like.device)
        return ops.reshape(found, (-1, *[1] * (like.ndim - 1)))

    def noised(self, x0: Tensor, t: ArrayLike, noise: Tensor) -> Tensor:
        """x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) e; t: ints (N,) from 0 to T."""
        left = self.left(t, x0)
        return ops.sqrt(left) * x0 + ops.sqrt(1 - left) * noise

    def cleaned(self, xt: Tensor, t: ArrayLike, noise: Tensor) -> Tensor:
        """The x_0 that gives x_t with this noise: (x_t - sqrt(1 - abar_t) e) / sqrt(abar_t)."""
        left = self.left(t, xt)
        return (xt - ops.sqrt(1 - left) * noise) / ops.sqrt(left)

    def posterior(self, t: int, earlier: int | None = None) -> tuple[float, float, float]:
        """How x_s (s = `earlier`, by default t - 1) is distributed given x_t and x_0: N(a x_t + b x_0, v I).

        Formula: with r = abar_t / abar_s: a = sqrt(r) (1 - abar_s) / (1 - abar_t),
            b = sqrt(abar_s) (1 - r) / (1 - abar_t), v = (1 - r) (1 - abar_s) / (1 - abar_t).

        Args:
            t: 1 to T.
            earlier: 0 to t - 1.

        Returns:
            (a, b, v) as floats.
        """
        before, now = float(self.alpha_bar[t - 1 if earlier is None else earlier]), float(self.alpha_bar[t])
        ratio = now / before
        rest = 1 - now
        if rest == 0.0:
            return 1.0, 0.0, 0.0
        return ratio**0.5 * (1 - before) / rest, before**0.5 * (1 - ratio) / rest, (1 - ratio) * (1 - before) / rest
