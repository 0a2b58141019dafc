"""Denoising diffusion: a network learns the noise in noisy data; taking it off step by step makes new data."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import as_tensor, no_grad
from ...backend.names import unknown
from ...nn import Module
from ..noise import standard_normal
from .process import Process
from .schedules import SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike


class DDPM(Module):
    """A denoising diffusion model around any network that reads noise.

    Formula: loss = E |e - e_theta(sqrt(abar_t) x_0 + sqrt(1 - abar_t) e, t)|^2 per number, t ~ U{1 ... T}, e ~ N(0, I).
        Sampling (`sample`): x_T ~ N(0, I); for t = T ... 1
        x_(t-1) = (x_t - beta_t / sqrt(1 - abar_t) e_theta(x_t, t)) / sqrt(a_t) + sigma_t z, z ~ N(0, I), 0 at t = 1.

    Args:
        network: a Module, `network(x, s)` or `network(x, s, label)` -> noise of the shape of x, with s = t / T, (N,).
        shape: of one example: an int D or a tuple.
        steps: T.
        schedule: 'linear' (of 1000 steps; with fewer of them beta is larger, so that as little of the data is left),
            'cosine', 'constant', or (T,) numbers beta.
        variance: sigma_t^2: 'beta' or 'posterior' (beta_t (1 - abar_(t-1)) / (1 - abar_t)).
        unlabelled: with classes, the share of labels hidden from the network in training, which guidance needs.
        unit: the data are from 0 to 1, as images are: they are worked on from -1 to 1, and what a step of sampling
            takes for x_0 is kept within that.

    Raises:
        ValueError: an option is unknown or out of range.

    Source: Ho, Jain & Abbeel 2020, algorithms 1 and 2; the notes, page 58 (with abar where the notes write a);
        guidance: Ho & Salimans 2022, "Classifier-free diffusion guidance".

    Example:
        >>> import tinygrad_notes as tn
        >>> diffusion = tn.models.diffusion
        >>> ddpm = diffusion.DDPM(diffusion.MLPDenoiser(2, hidden=16), 2, steps=20)
        >>> x = tn.data.two_moons(10, generator=0)[0]
        >>> list(ddpm.loss(x)), ddpm.sample(4).shape, ddpm.sample_ddim(4, 5).shape
        (['loss'], (4, 2), (4, 2))
    """

    def __init__(self, network: Module, shape: int | Sequence[int], steps: int = 100, schedule: Any = "linear",
                 variance: str = "posterior", unlabelled: float = 0.15, unit: bool = False) -> None:
        super().__init__()
        if variance not in ("beta", "posterior"):
            raise ValueError(f"variance: expected 'beta' or 'posterior', got {variance!r}")
        if not 0 <= unlabelled <= 1:
            raise ValueError(f"unlabelled: expected a share from 0 to 1, got {unlabelled!r}")
        self.shape: tuple[int, ...] = (shape,) if isinstance(shape, int) else tuple(shape)
        self.network, self.variance, self.unlabelled, self.unit = network, variance, unlabelled, unit
        self.process = Process(_beta(schedule, steps))

    @property
    def classes(self) -> int:
        """How many classes the network can be told, 0 for none."""
        return getattr(self.network, "classes", 0)

    def noise(self, x: Tensor, t: ArrayLike, label: ArrayLike | None = None, guidance: float = 0.0) -> Tensor:
        """The noise in x_t, as the network says.

        Formula: with guidance w: (1 + w) e_theta(x, t, label) - w e_theta(x, t, not told).

        Args:
            x: (N, ...).
            t: ints (N,) from 1 to T, or one for all.
            label: classes (N,).
            guidance: w; 0: none.
        """
        t = ops.broadcast_to(ops.astype(as_tensor(t), x.dtype).to(x.device), (x.shape[0],))
        s = t / len(self.process)
        if label is None:
            return self.network(x, s)
        found = self.network(x, s, label)
        return (1 + guidance) * found - guidance * self.network(x, s) if guidance else found

    def loss(self, x: ArrayLike, label: ArrayLike | None = None,
             generator: Generator | None = None) -> dict[str, Tensor]:
        """The mean squared error of the noise.

        Args:
            x: (N, ...), examples, also as rows (N, D).
            label: classes (N,), for a network with classes.
            generator: the stream of times and noise.

        Returns:
            {"loss"}, a 0-d Tensor.
        """
        x = ops.reshape(as_tensor(x), (-1, *self.shape))
        x = 2 * x - 1 if self.unit else x
        n = x.shape[0]
        home: dict[str, Any] = {"generator": generator, "device": x.device}
        t = ops.randint(1, len(self.process) + 1, (n,), **home)
        noise = ops.astype(ops.normal(x.shape, dtype="float32", **home), x.dtype)
        if label is not None and self.unlabelled:
            hidden = ops.uniform((n,), dtype="float32", **home) < self.unlabelled
            label = ops.where(hidden, self.classes, as_tensor(label))
        error = self.noise(self.process.noised(x, t, noise), t, label) - noise
        return {"loss": ops.mean(error * error)}

    def sample(self, n: int, label: ArrayLike | None = None, guidance: float = 0.0,
               generator: Generator | None = None) -> Tensor:
        """`n` new examples by all T steps, (n, ...), without recording.

        Args:
            n: how many.
            label: their classes (n,), or one for all.
            guidance: w: how far to go beyond what the class asks for.
            generator: the stream to draw from.
        """
        with no_grad(), self.evaluating():
            x, label = self._start(n, label, generator)
            for t in range(len(self.process), 0, -1):
                beta, left = float(self.process.beta[t - 1]), float(self.process.alpha_bar[t])
                x = (x - beta / (1 - left)**0.5 * self._kept(x, t, label, guidance)) / (1 - beta)**0.5
                if t > 1:
                    spread = beta if self.variance == "beta" else self.process.posterior(t)[2]
                    x = x + spread**0.5 * self._normal(x.shape, generator)
            return self._finished(x)

    def sample_ddim(self, n: int, steps: int = 20, eta: float = 0.0, label: ArrayLike | None = None,
                    guidance: float = 0.0, generator: Generator | None = None) -> Tensor:
        """`n` new examples in a few long steps, (n, ...), without recording.

        Formula: x_0 = (x_t - sqrt(1 - abar_t) e) / sqrt(abar_t), e = e_theta(x_t, t);
            x_s = sqrt(abar_s) x_0 + sqrt(1 - abar_s - sigma^2) e + sigma z for the next time s < t of the chosen ones,
            sigma^2 = eta^2 (1 - abar_s) / (1 - abar_t) (1 - abar_t / abar_s).

        Args:
            n: how many.
            steps: how many of the T times are used, evenly spread.
            eta: 0: the noise of the start decides everything; 1: as much noise as the posterior has.
            label, guidance, generator: as in `sample`.

        Raises:
            ValueError: `steps` is not from 1 to T, or `eta` is negative.

        Source: Song, Meng & Ermon 2021, "Denoising diffusion implicit models", equation 12; the notes, section 9.
        """
        if not 1 <= steps <= len(self.process) or eta < 0:
            raise ValueError(f"sample_ddim: expected 1 <= steps <= {len(self.process)} and eta >= 0, got {steps}, "
                             f"{eta}")
        times = [round(k * len(self.process) / steps) for k in range(steps, -1, -1)]
        with no_grad(), self.evaluating():
            x, label = self._start(n, label, generator)
            for t, s in zip(times, times[1:]):
                now, before = float(self.process.alpha_bar[t]), float(self.process.alpha_bar[s])
                e = self._kept(x, t, label, guidance)
                clean = (x - (1 - now)**0.5 * e) / now**0.5
                spread = eta**2 * self.process.posterior(t, s)[2]
                x = before**0.5 * clean + max(1 - before - spread, 0.0)**0.5 * e
                if spread:
                    x = x + spread**0.5 * self._normal(x.shape, generator)
            return self._finished(x)

    def _kept(self, x, t, label, guidance):
        """The noise in x_t such that x_0 stays within the range of the data, where that is known."""
        e = self.noise(x, t, label, guidance)
        if not self.unit:
            return e
        left = float(self.process.alpha_bar[t])
        clean = ops.clip((x - (1 - left)**0.5 * e) / left**0.5, -1.0, 1.0)
        return (x - left**0.5 * clean) / (1 - left)**0.5

    def _finished(self, x):
        return ops.clip(0.5 * (x + 1), 0.0, 1.0) if self.unit else x

    def _start(self, n, label, generator):
        x = self._normal((n, *self.shape), generator)
        if label is not None:
            label = ops.broadcast_to(as_tensor(label).to(x.device), (n,))
        return x, label

    def _normal(self, shape, generator):
        return standard_normal(shape, next(self.parameters()), generator)

    def extra_repr(self) -> str:
        """Sizes and kind."""
        return f"shape={self.shape}, steps={len(self.process)}, variance={self.variance!r}"


def _beta(schedule, steps):
    """The numbers beta that `schedule` stands for."""
    if not isinstance(schedule, str):
        return schedule
    if schedule not in SCHEDULES:
        raise ValueError(unknown("schedule", schedule, SCHEDULES))
    if schedule == "linear" and steps >= 1:
        return SCHEDULES["linear"](steps, min(0.1 / steps, 0.5), min(20.0 / steps, 0.5))
    return SCHEDULES[schedule](steps)
