"""Optimizers around another one: SAM looks at the gradient nearby, Lookahead follows from behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, enable_grad
from .lbfgs import LBFGS, refuse_recording
from .optimizer import Optimizer, copied
from .options import in_range, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Wrapper(Optimizer):
    """What optimizers around another one share: the groups, options and state are those of `base`.

    Args:
        base: the optimizer that makes the updates.

    Raises:
        TypeError: `base` is not an Optimizer.
    """

    def __init__(self, base: Optimizer) -> None:
        if not isinstance(base, Optimizer):
            raise TypeError(f"base: expected an Optimizer such as SGD(params, lr=0.1), got {type(base).__name__}")
        if isinstance(base, LBFGS):
            raise TypeError(f"base: {type(self).__name__} cannot wrap LBFGS, which computes the loss many times a step")
        self.base = base

    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The groups of the base."""
        return self.base.param_groups

    @property
    def defaults(self) -> dict[str, Any]:  # type: ignore[override]
        """The options of the base."""
        return self.base.defaults

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """The state of the base."""
        return self.base.state

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters to the base."""
        self.base.add_param_group(param_group)

    def prepare_recording(self) -> None:
        """Refuse: what these optimizers do differs from step to step.

        Raises:
            CannotRecord: always.
        """
        refuse_recording(self)

    def __getstate__(self):
        return dict(self.__dict__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base!r})"


class SAM(Wrapper):
    r"""Sharpness-aware minimization: a step with the gradient of the worst point nearby.

    Formula: e = rho g / |g|, the worst of |e| <= rho to first order; then the base steps from p with the gradient at
    p + e. With `adaptive` (ASAM): e = rho p^2 g / ||p| g|, the worst of |e / p| <= rho. Norms are over all parameters.

    The loss is computed twice per step. Either give `step` a closure, or write both passes out:

        loss(model(x)).backward(); opt.first_step(zero_grad=True)
        loss(model(x)).backward(); opt.second_step(zero_grad=True)

    Layers that gather statistics, such as batch norm, see both passes.

    Args:
        base: the optimizer that steps, such as SGD(params, lr=0.1).
        rho: radius of the neighbourhood, >= 0.
        adaptive: measure the radius in units of each parameter.

    Raises:
        TypeError: `base` is not an Optimizer.
        ValueError: `rho` is out of range.

    Source: Foret et al. 2021, "Sharpness-aware minimization for efficiently improving generalization"; Kwon et al. 2021
        (ASAM).

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([0.0, 3.0], requires_grad=True)
        >>> opt = tn.optim.SAM(tn.optim.SGD([w], lr=0.1), rho=1.0)
        >>> def closure():
        ...     loss = (w * w).sum()
        ...     loss.backward()
        ...     return loss
        >>> opt.step(closure).item()
        9.0
        >>> w  # the gradient was that at (0, 4)
        tensor([0.0000, 2.2000], requires_grad=True)
    """

    needs_closure = True

    def __init__(self, base: Optimizer, rho: float = 0.05, adaptive: bool = False) -> None:
        super().__init__(base)
        in_range("rho", rho, 0)
        self.rho, self.adaptive = rho, adaptive
        self._left: list[tuple[Any, Any]] | None = None  # (block, its flat parameters) while away from them

    def first_step(self, zero_grad: bool = False) -> None:
        """Move to the worst point nearby; the gradients are those where the parameters are now.

        Args:
            zero_grad: forget the gradients afterwards.

        Raises:
            RuntimeError: the parameters are there already.
        """
        if self._left is not None:
            raise RuntimeError("SAM.first_step: called twice; second_step comes next")
        found = [(block, block.gradient()) for _, blocks in self.base._settled() for block in blocks]
        moves, square = [], 0.0
        for block, g in found:
            block.adopt()
            xp = block.device.xp
            weighted = xp.abs(block.flat) * g if self.adaptive else g
            square = square + xp.sum(xp.square(weighted, dtype=xp.float64)).item()
            moves.append(xp.abs(block.flat) * weighted if self.adaptive else g)
        self._left = [(block, block.flat) for block, _ in found]
        if square > 0:
            for (block, flat), move in zip(self._left, moves):
                block.rebind(flat + (self.rho / square**0.5) * move)
        if zero_grad:
            self.zero_grad()

    def second_step(self, zero_grad: bool = False) -> None:
        """Move back, and let the base step with the gradients found in between.

        Args:
            zero_grad: forget the gradients afterwards.

        Raises:
            RuntimeError: `first_step` was not called before.
        """
        if self._left is None:
            raise RuntimeError("SAM.second_step: first_step and a backward pass come first")
        for block, flat in self._left:
            block.rebind(flat)
        self._left = None
        self.base.step()
        if zero_grad:
            self.zero_grad()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Both passes.

        Args:
            closure: computes the loss, calls `backward()` on it and returns it; gradients are cleared before.

        Returns:
            The loss at the parameters, from the first pass.

        Raises:
            TypeError: no closure.
        """
        if not callable(closure):
            raise TypeError("SAM.step: needs a closure that computes the loss, calls backward() and returns the loss; "
                            "or call first_step() and second_step() with a backward pass before each")
        with enable_grad():
            self.zero_grad()
            loss = closure()
            self.first_step(zero_grad=True)
            closure()
        self.second_step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """That of the base, in PyTorch's layout, and the options of SAM as "sam"."""
        return {**self.base.state_dict(), "sam": {"rho": self.rho, "adaptive": self.adaptive}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of SAM, or of its base alone."""
        self.base.load_state_dict(state_dict)
        own = state_dict.get("sam", {})
        self.rho, self.adaptive = own.get("rho", self.rho), own.get("adaptive", self.adaptive)


class Lookahead(Wrapper):
    r"""Slow weights that move a share of the way to where `k` steps of the base have led.

    Formula: after every k steps of the base: s <- s + alpha (p - s), p <- s; at first s = p.

    Args:
        base: the optimizer that makes the steps.
        k: steps of the base between two moves, an int >= 1.
        alpha: share of the way, in [0, 1].

    Raises:
        TypeError: `base` is not an Optimizer.
        ValueError: an option is out of range.

    Source: Zhang et al. 2019, "Lookahead optimizer: k steps forward, 1 step back", algorithm 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0], requires_grad=True)
        >>> opt = tn.optim.Lookahead(tn.optim.SGD([w], lr=0.25), k=2, alpha=0.5)
        >>> for _ in range(2):
        ...     opt.zero_grad(); (w * w).sum().backward(); opt.step()
        >>> w  # two steps lead to 0.25, half the way there is 0.625
        tensor([0.6250], requires_grad=True)
    """

    def __init__(self, base: Optimizer, k: int = 5, alpha: float = 0.5) -> None:
        super().__init__(base)
        whole("k", k, 1)
        in_range("alpha", alpha, 0, 1)
        self.k, self.alpha, self.count = k, alpha, 0
        self._slow: dict[Tensor, Any] = {}

    @property
    def needs_closure(self) -> bool:  # type: ignore[override]
        """Whether `step` of the base needs a closure."""
        return self.base.needs_closure

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """A step of the base, and after every `k` of them a move of the slow weights.

        Args:
            closure: as for the base.

        Returns:
            What the base returned.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        for p in params:
            if p not in self._slow:
                self._slow[p] = p.data.copy()
        loss = self.base.step(closure)
        self.count += 1
        if self.count % self.k == 0:
            for p in params:
                slow = self._slow[p]
                slow += self.alpha * (p.data - slow)
                p.data = slow.copy()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """That of the base, in PyTorch's layout, and the slow weights and options as "lookahead"."""
        numbers = {p: k for k, p in enumerate(p for group in self.param_groups for p in group["params"])}
        slow = {numbers[p]: Tensor.wrap(array) for p, array in self._slow.items()}
        own = {"k": self.k, "alpha": self.alpha, "count": self.count, "slow": copied(slow)}
        return {**self.base.state_dict(), "lookahead": own}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of Lookahead, or of its base alone.

        Raises:
            ValueError: as for the base, or a slow weight has another shape than its parameter; nothing has changed.
        """
        own = state_dict.get("lookahead", {})
        params = [p for group in self.param_groups for p in group["params"]]
        slow = {}
        for number, value in own.get("slow", {}).items():
            p = params[int(number)]
            slow[p] = Tensor(value, dtype=p.dtype, device=p.device).data.copy()
            if slow[p].shape != p.shape:
                raise ValueError(f"slow weight {number}: expected shape {p.shape}, got {slow[p].shape}")
        self.base.load_state_dict(state_dict)
        self._slow, self.count = slow, own.get("count", 0)
        self.k, self.alpha = own.get("k", self.k), own.get("alpha", self.alpha)
