"""What all optimizers share: parameter groups, state, and updates over flat buffers.

The parameters of a group live in one flat array each (per dtype and device), their `data` being views
of it; so does the state. One step is then a handful of array calls per piece that fits into the cache,
whatever the number of parameters. An optimizer writes `update` for such a piece and nothing else.
"""

from __future__ import annotations

import math
from sys import getrefcount
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, enable_grad
from ..autograd.mode import mode
from ..backend import device_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Params = Iterable[Tensor | dict[str, Any]]

PIECE = 1 << 15  # elements per call: parameter, gradient and state of a piece stay in the cache
REQUIRED = object()
IGNORED = ("foreach", "fused", "capturable")  # PyTorch's hints on how to loop: there is one way here


class Optimizer:
    """Base of all optimizers.

    Args:
        params: an iterable of Tensors, or of dicts with `params` and options of that group.
        defaults: the options of groups that do not set their own.

    Raises:
        ValueError: no parameters, one given twice, or an option out of its range.
        TypeError: a parameter is not a leaf Tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> class SignDescent(tn.optim.Optimizer):
        ...     def __init__(self, params, lr):
        ...         super().__init__(params, {"lr": lr})
        ...     def update(self, xp, p, g, state, t, group):
        ...         p -= group["lr"] * xp.sign(g)
        >>> w = tn.tensor([1.0, -3.0], requires_grad=True)
        >>> opt = SignDescent([w], lr=0.5)
        >>> (w * w).sum().backward(); opt.step(); w.tolist()
        [0.5, -2.5]
    """

    states: tuple[str, ...] = ()  # names of the state arrays, each like the parameter and zero at first
    blocked: bool = True  # `update` may be given a piece of the flat buffer at a time

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._blocks: dict[int, list[Block]] = {}  # index of a group -> its blocks
        self._pending: dict[Tensor, dict[str, Any]] = {}  # parameter -> (step, state) loaded before its block was made
        given: list[Any] = [params] if isinstance(params, Tensor) else list(params)
        if not given:
            raise ValueError("params: the optimizer got no parameters")
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)

    # One step ----------------------------------------------------------------------
    def update(self, xp: Any, p: Any, g: Any, state: dict[str, Any], t: int, group: dict[str, Any]) -> None:
        """Change the flat piece `p` in place.

        Args:
            xp: the array functions.
            p, g: parameters and gradients, 1-D.
            state: {name: array}, like `p`, to be changed in place.
            t: the number of this step, from 1.
            group: the options of the group.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for options out of range."""

    def states_for(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the state arrays that a group with these options needs."""
        return self.states

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: a function that computes the loss again and returns it; called first.

        Returns:
            What the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if mode.tape is not None:
            self._recorded.step(mode.tape)
            return loss
        for index, group in enumerate(self.param_groups):
            self.check(group)
            for block in self._blocks_of(index):
                block.step(self, group)
        return loss

    # Inside a recorded computation -----------------------------------------------------
    def prepare_recording(self) -> None:
        """Lay the parameters out in flat buffers."""
        for index in range(len(self.param_groups)):
            for block in self._blocks_of(index):
                block._adopt()

    def begin_recording(self, recording: Any, path: str) -> Any:
        """Take part in a recording: see `recorded.RecordedOptimizer`."""
        from .recorded import RecordedOptimizer

        return RecordedOptimizer(self, recording, path)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients (or set them to zero)."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad = Tensor.wrap(p.device.xp.zeros_like(p.grad.data))

    # Groups and state ----------------------------------------------------------------
    def add_param_group(self, group: dict[str, Any]) -> None:
        """Add parameters with options of their own.

        Raises:
            ValueError: an option is missing, unknown or out of range, or a parameter is in another group.
            TypeError: a parameter is not a leaf Tensor.
        """
        group = dict(group)
        params = group["params"]
        group["params"] = params = [params] if isinstance(params, Tensor) else list(params)
        unknown = set(group) - set(self.defaults) - {"params", "name", "initial_lr", "param_names"}
        if unknown:
            raise ValueError(
                f"{type(self).__name__}: unknown options {sorted(unknown)}; known are {sorted(self.defaults)}"
            )
        for key, value in self.defaults.items():
            if group.setdefault(key, value) is REQUIRED:
                raise ValueError(f"{type(self).__name__}: {key} is required")
        self.check(group)
        seen = {id(p) for other in self.param_groups for p in other["params"]}
        for k, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise TypeError(f"params[{k}]: expected a Tensor, got {type(p).__name__}")
            if p.node is not None:
                raise TypeError(f"params[{k}]: only leaves are optimized, this is the result of {p.node.name}")
            if id(p) in seen:
                raise ValueError(f"params[{k}], shape {p.shape}: given twice")
            seen.add(id(p))
        self.param_groups.append(group)

    def _blocks_of(self, index):
        group = self.param_groups[index]
        names = self.states_for(group)
        blocks = self._blocks.get(index)
        if (
            blocks is None
            or any(not block.fits(names) for block in blocks)
            or sum(len(block.params) for block in blocks) != len(group["params"])
        ):
            for p, entry in self.state.items():
                self._pending[p] = entry
            kinds = {}
            for p in group["params"]:
                kinds.setdefault((p.dtype, p.device), []).append(p)
            blocks = self._blocks[index] = [Block(params, names, self._pending) for params in kinds.values()]
        return blocks

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """{parameter: {"step": ..., name: Tensor}} of the parameters that have been updated."""
        found = {p: entry for p, entry in self._pending.items() if entry}
        for blocks in self._blocks.values():
            for block in blocks:
                found.update(block.entries())
        return found

    def state_dict(self) -> dict[str, Any]:
        """Everything but the parameters, in PyTorch's layout: `state` by number, `param_groups`.

        Returns:
            {"state": {number: {name: Tensor}}, "param_groups": [{option: value, "params": [numbers]}]}
        """
        numbers: dict[Tensor, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                numbers[p] = len(numbers)
            groups.append(
                {**{k: v for k, v in group.items() if k != "params"}, "params": [numbers[p] for p in group["params"]]}
            )
        state = {
            numbers[p]: {
                k: Tensor.wrap(v.data.copy()) if isinstance(v, Tensor) else v for k, v in self._shown(entry).items()
            }
            for p, entry in self.state.items()
            if p in numbers
        }
        return {"state": {k: v for k, v in sorted(state.items()) if v}, "param_groups": groups}

    def _shown(self, entry):
        return entry

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of the same optimizer over parameters of the same shapes.

        Raises:
            ValueError: groups, numbers of parameters, or shapes differ; nothing has changed then.
        """
        groups = state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ValueError(f"state_dict has {len(groups)} parameter groups, the optimizer {len(self.param_groups)}")
        by_number: dict[int, Tensor] = {}
        for k, (mine, theirs) in enumerate(zip(self.param_groups, groups)):
            if len(mine["params"]) != len(theirs["params"]):
                raise ValueError(
                    f"group {k}: state_dict has {len(theirs['params'])} parameters, the optimizer {len(mine['params'])}"
                )
            by_number.update(zip(theirs["params"], mine["params"]))
        loaded = {}
        for number, entry in state_dict["state"].items():
            p = by_number[int(number)]
            values: dict[str, Any] = {}
            for name, value in entry.items():
                if name == "step":
                    values[name] = int(float(value))
                    continue
                if value is None:
                    continue
                value = Tensor(value, dtype=p.dtype, device=p.device)
                if value.shape != p.shape:
                    raise ValueError(
                        f"state {name!r} of parameter {number}: expected shape {p.shape}, got {value.shape}"
                    )
                values[name] = value
            values.setdefault("step", 1)
            loaded[p] = values
        for mine, theirs in zip(self.param_groups, groups):
            mine.update(
                {
                    k: tuple(v) if isinstance(v, list) else v
                    for k, v in theirs.items()
                    if k != "params" and k not in IGNORED
                }
            )
        self._blocks = {}
        self._pending = loaded

    def __repr__(self) -> str:
        lines = []
        for k, group in enumerate(self.param_groups):
            count = sum(p.size for p in group["params"])
            lines.append(f"group {k}: {len(group['params'])} tensors, {count:,} parameters")
            lines += [f"    {key}: {value}" for key, value in sorted(group.items()) if key != "params"]
        return f"{type(self).__name__} (\n" + "\n".join(f"    {line}" for line in lines) + "\n)"


class Block:
    """The parameters of one dtype and device of a group, flat, with their state."""

    def __init__(self, params, names, pending):
        self.params = params
        self.device = params[0].device
        xp = self.device.xp
        sizes = [p.size for p in params]
        self.offsets = [0]
        for n in sizes:
            self.offsets.append(self.offsets[-1] + n)
        self.flat = xp.concat([xp.reshape(p.data, (-1,)) for p in params])
        self.state = {name: xp.zeros_like(self.flat) for name in names}
        self.steps = [0] * len(params)
        self.scratch = None
        self.views = []
        self._rebind()
        for k, p in enumerate(params):
            entry = pending.pop(p, None)
            if entry:
                self.steps[k] = entry["step"]
                for name in names:
                    if name in entry:
                        self._part(self.state[name], k)[...] = xp.reshape(entry[name].data, (-1,))

    def _part(self, flat, k):
        return flat[self.offsets[k] : self.offsets[k + 1]]

    def _rebind(self):
        """Make every parameter a view of the flat buffer."""
        xp = self.device.xp
        self.views = [xp.reshape(self._part(self.flat, k), p.shape) for k, p in enumerate(self.params)]
        for p, view in zip(self.params, self.views):
            p.data = view

    def fits(self, names):
        """Whether parameters and state names are still those this block was made for."""
        return tuple(names) == tuple(self.state) and all(
            p.data is view
            or (p.data.dtype == view.dtype and p.data.shape == view.shape and device_of(p.data) is self.device)
            for p, view in zip(self.params, self.views)
        )

    def entries(self):
        """The state of each updated parameter, as views in its shape."""
        xp = self.device.xp
        return {
            p: {
                "step": self.steps[k],
                **{name: Tensor.wrap(xp.reshape(self._part(flat, k), p.shape)) for name, flat in self.state.items()},
            }
            for k, p in enumerate(self.params)
            if self.steps[k]
        }

    def step(self, optimizer, group):
        """Update the parameters that have a gradient."""
        self._adopt()
        for first, last, t in self._runs():
            self.advance(first, last)
            for start, stop, g in self._gradients(first, last):
                self._update(optimizer, group, start, stop, g, t)

    def advance(self, first, last, by=1):
        """Count a step of some parameters."""
        for k in range(first, last):
            self.steps[k] += by

    def _adopt(self):
        """Take over values that were assigned from outside, and leave the old ones to graphs that still need them."""
        for k, (p, view) in enumerate(zip(self.params, self.views)):
            if p.data is not view:
                self._part(self.flat, k)[...] = self.device.xp.reshape(p.data, (-1,))
                p.data = view
        # References to the flat array: this object's, one per view, and getrefcount's own argument. More means
        # that a pending graph or the user looks at the present values: they keep theirs, we go on with a copy.
        held = getrefcount(getattr(self.flat, "_host", self.flat)) > len(self.views) + 2
        if held or any(getrefcount(view) > 4 for view in self.views):
            self.flat = self.flat.copy()
            self._rebind()

    def _runs(self):
        """Neighbouring parameters that have gradients and the same step number: (first, last, step)."""
        runs, k, n = [], 0, len(self.params)
        while k < n:
            if self.params[k].grad is None:
                k += 1
                continue
            first, t = k, self.steps[k]
            while k < n and self.params[k].grad is not None and self.steps[k] == t:
                k += 1
            runs.append((first, k, t + 1))
        return runs

    def _gradients(self, first, last):
        """Flat gradients of parameters first..last: a large one as it is, small neighbours joined."""
        xp, k = self.device.xp, first
        while k < last:
            start = k
            small = []
            while k < last and self.params[k].size < PIECE:
                small.append(self._gradient(k))
                k += 1
            if small:
                yield self.offsets[start], self.offsets[k], small[0] if len(small) == 1 else xp.concat(small)
            else:
                yield self.offsets[k], self.offsets[k + 1], self._gradient(k)
                k += 1

    def _gradient(self, k):
        p = self.params[k]
        g = p.grad.data
        if g.shape != p.shape:
            raise ValueError(f"gradient of a parameter: expected shape {p.shape}, got {g.shape}")
        if g.dtype != self.flat.dtype:
            g = self.device.xp.astype(g, self.flat.dtype)
        return self.device.xp.reshape(g, (-1,))

    def _update(self, optimizer, group, start, stop, g, t):
        xp, states = self.device.xp, self.state
        piece = PIECE if optimizer.blocked and self.device.name != "cuda" else max(stop - start, 1)
        maximize = group.get("maximize", False)
        for a in range(start, stop, piece):
            b = min(a + piece, stop)
            part = g[a - start : b - start]
            if maximize:
                part = -part
            optimizer.update(xp, self.flat[a:b], part, {name: flat[a:b] for name, flat in states.items()}, t, group)


def in_range(name, value, low, high=math.inf, low_open=False, high_open=False):
    """Raise ValueError unless `value` is a number between the limits."""
    ok = isinstance(value, (int, float)) and not math.isnan(value) and math.isfinite(value)
    ok = ok and (value > low if low_open else value >= low) and (value < high if high_open else value <= high)
    if not ok:
        left, right = "(" if low_open else "[", ")" if high_open or high == math.inf else "]"
        raise ValueError(f"{name}: expected a number in {left}{low}, {high}{right}, got {value!r}")


def without_hints(name, hints):
    """Check that keyword arguments left over are PyTorch's loop hints, which have no meaning here."""
    for key in hints:
        if key == "differentiable" and not hints[key]:
            continue
        if key not in IGNORED:
            raise TypeError(f"{name}: unexpected argument {key!r}")
