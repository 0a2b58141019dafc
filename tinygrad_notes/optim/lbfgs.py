"""L-BFGS: Newton's direction from the last changes of the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, enable_grad
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer
from .options import in_range, one_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .optimizer import Params

COUNTS, VECTORS, LISTS = ("func_evals", "n_iter"), ("d", "prev_flat_grad"), ("old_dirs", "old_stps")
CURVED = 1e-10  # a change of the gradient along the step below this tells nothing about curvature


class LBFGS(Optimizer):
    r"""Limited-memory BFGS: minimizes a deterministic loss, many iterations per call of `step`.

    Formula: s = change of p, y = change of g, over the last `history_size` iterations; d = -H g with H applied by the
    two-loop recursion from H0 = (s y / y y) I; p <- p + t d, with t = `lr`, or from a line search. The first
    iteration steps by min(1, 1 / |g|_1) lr along -g.

    Args:
        params: Tensors, all of one dtype and device; one group.
        lr: step length, >= 0; with a line search its first guess.
        max_iter: iterations per call of `step`.
        max_eval: evaluations of the closure per call of `step`; default max_iter * 5 / 4.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when the loss or every parameter changes by less.
        history_size: how many changes are kept; each needs twice the memory of the parameters.
        line_search_fn: None, or 'strong_wolfe'.

    Raises:
        ValueError: an option is out of range, several groups, or parameters of several dtypes or devices.

    Source: Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization".

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([-1.0, 2.0], dtype="float64", requires_grad=True)
        >>> opt = tn.optim.LBFGS([w], line_search_fn="strong_wolfe", max_iter=100)
        >>> def closure():
        ...     opt.zero_grad()
        ...     loss = (1 - w[0])**2 + 100 * (w[1] - w[0]**2)**2
        ...     loss.backward()
        ...     return loss
        >>> opt.step(closure).item()  # the loss at the start
        104.0
        >>> w
        tensor([1.0000, 1.0000], dtype=float64, requires_grad=True)
    """

    needs_closure = True

    def __init__(
        self,
        params: Params,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        whole("max_iter", max_iter, 1)
        self._memory: dict[str, Any] = {}
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )

    def check(self, group):
        for name in ("lr", "tolerance_grad", "tolerance_change"):
            in_range(name, group[name], 0)
        for name in ("max_iter", "max_eval", "history_size"):
            whole(name, group[name], 1)
        one_of("line_search_fn", group["line_search_fn"], (None, "strong_wolfe"))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take the parameters; there is one group only.

        Raises:
            ValueError: there is a group already, or the parameters have several dtypes or devices.
        """
        if self.param_groups:
            raise ValueError("params: LBFGS has one parameter group and one set of options")
        super().add_param_group(param_group)
        kinds = {(str(p.dtype), str(p.device)) for p in self.param_groups[0]["params"]}
        if len(kinds) != 1:
            self.param_groups.clear()
            raise ValueError(f"params: LBFGS needs one dtype and device, got {sorted(kinds)}")

    # One call ----------------------------------------------------------------------
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate until a tolerance is met or the iterations or evaluations are used up.

        Args:
            closure: clears the gradients, computes the loss, calls `backward()` on it and returns it.

        Returns:
            The loss before the first iteration, as the closure returned it.

        Raises:
            TypeError: no closure, or it returns no number.
            RuntimeError: the closure leaves every parameter without a gradient.
        """
        if not callable(closure):
            raise TypeError("LBFGS.step: needs a closure that computes the loss again: def closure(): "
                            "opt.zero_grad(); loss = ...; loss.backward(); return loss")
        (group, (block,)), = self._settled()
        return _Run(self, group, block, closure).iterate()

    def prepare_recording(self) -> None:
        """Refuse: how often the loss is computed depends on its values.

        Raises:
            CannotRecord: always.
        """
        refuse_recording(self)

    # State -------------------------------------------------------------------------
    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """{first parameter: what is remembered}, as in PyTorch."""
        if not self._memory:
            return {}
        entry = dict(self._memory)
        for name in VECTORS:
            if name in entry:
                entry[name] = Tensor.wrap(entry[name])
        for name in LISTS:
            if name in entry:
                entry[name] = [Tensor.wrap(part) for part in entry[name]]
        if "ro" in entry:
            like = entry["prev_flat_grad"]
            entry["ro"] = [Tensor(value, dtype=like.dtype, device=like.device) for value in entry["ro"]]
            entry["H_diag"] = Tensor(entry["H_diag"], dtype=like.dtype, device=like.device)
            entry["al"] = [None] * self.param_groups[0]["history_size"]  # PyTorch's scratch
        return {self.param_groups[0]["params"][0]: entry}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of LBFGS over parameters of the same size; PyTorch's will do.

        Raises:
            ValueError: it is that of another optimizer, or sizes differ; nothing has changed then.
        """
        groups, entries = self._read(state_dict)
        self.param_groups[0].update(groups[0])
        self._memory = next(iter(entries.values()), {})

    def read_entry(self, entry, p, group, where):
        total = sum(q.size for q in group["params"])
        memory = {}
        for name, value in entry.items():
            if name in COUNTS:
                memory[name] = int(value)
            elif name in VECTORS or name in LISTS:
                parts = value if name in LISTS else [value]
                arrays = [Tensor(part, dtype=p.dtype, device=p.device) for part in parts]
                for array in arrays:
                    if array.shape != (total,):
                        raise ValueError(f"{where}: state {name!r}: expected shape {(total,)}, got {array.shape}")
                copies = [array.data.copy() for array in arrays]
                memory[name] = copies if name in LISTS else copies[0]
            elif name == "ro":
                memory[name] = [float(part) for part in value]
            elif name in ("t", "H_diag", "prev_loss"):
                memory[name] = float(value)
            elif name != "al":
                raise ValueError(f"{where}: LBFGS has no state {name!r}: the state_dict is that of another optimizer")
        return memory


def refuse_recording(optimizer):
    """Raise CannotRecord: steps of this optimizer are not one sequence of array functions."""
    from ..program.errors import CannotRecord

    raise CannotRecord(f"steps of {type(optimizer).__name__} cannot be recorded; "
                       "compile the loss and its gradient alone")


class _Run:
    """One call of `step`: the closure as a function of the flat parameters, and the iterations."""

    def __init__(self, optimizer, group, block, closure):
        self.group, self.block, self.closure = group, block, closure
        self.xp, self.memory = block.device.xp, optimizer._memory
        self.evaluations = 0

    def evaluate(self):
        """(loss, flat gradient) at the present parameters; the loss as the closure returns it."""
        with enable_grad():
            loss = self.closure()
        if loss is None:
            raise TypeError("LBFGS: the closure returned None; it must return the loss")
        if all(p.grad is None for p in self.block.params):
            raise RuntimeError("LBFGS: the closure left every parameter without a gradient; call backward() in it")
        self.evaluations += 1
        self.memory["func_evals"] += 1
        return loss, self.block.gradient()

    def along(self, x, d, t):
        """The `Point` at x + t d; the parameters are x again afterwards."""
        self.block.rebind(x + t * d)
        loss, g = self.evaluate()
        self.block.rebind(x)
        return Point(t, float(loss), g, self.dot(g, d))

    def dot(self, a, b):
        """The inner product as a Python number."""
        return self.xp.sum(a * b).item() if a.dtype == "float16" else self.xp.vdot(a, b).item()

    def largest(self, a):
        """The largest absolute element."""
        return self.xp.max(self.xp.abs(a)).item()

    def iterate(self):
        """The iterations of one call; the loss at its start."""
        group, memory, block = self.group, self.memory, self.block
        block.adopt()
        memory.setdefault("func_evals", 0)
        memory.setdefault("n_iter", 0)
        first, g = self.evaluate()
        loss = float(first)
        if self.largest(g) <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            memory["n_iter"] += 1
            d = self.direction(g)
            before = loss
            memory.update(d=d, prev_flat_grad=g, prev_loss=before)
            begin = memory["n_iter"] == 1
            t = group["lr"] * (min(1.0, 1.0 / self.xp.sum(self.xp.abs(g)).item()) if begin else 1)
            memory["t"] = t
            slope = self.dot(g, d)
            if slope > -group["tolerance_change"]:
                break
            if group["line_search_fn"] is not None:
                x, point = block.flat, Point(0.0, loss, g, slope)
                point, _ = strong_wolfe(lambda t, x=x, d=d: self.along(x, d, t), point, t, self.largest(d),
                                        most=group["max_eval"] - self.evaluations)
                t, loss, g = point.t, point.loss, point.gradient
                block.rebind(x + t * d)
            else:
                block.rebind(block.flat + t * d)
                if iteration != group["max_iter"]:  # after the last move nobody asks for the loss
                    loss, g = self.evaluate()
                    loss = float(loss)
            memory["t"] = t
            if (
                self.evaluations >= group["max_eval"]
                or self.largest(g) <= group["tolerance_grad"]
                or self.largest(d) * abs(t) <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        return first

    def direction(self, g):
        """-H g by the two-loop recursion, after the last change has been remembered."""
        memory = self.memory
        if memory["n_iter"] == 1:
            memory.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -g
        changes, moves, inverse = memory["old_dirs"], memory["old_stps"], memory["ro"]
        y, s = g - memory["prev_flat_grad"], memory["t"] * memory["d"]
        curvature = self.dot(y, s)
        if curvature > CURVED:
            if len(changes) == self.group["history_size"]:
                for past in (changes, moves, inverse):
                    del past[0]
            changes.append(y)
            moves.append(s)
            inverse.append(1.0 / curvature)
            memory["H_diag"] = curvature / self.dot(y, y)
        q, shares = -g, []
        for y, s, r in zip(reversed(changes), reversed(moves), reversed(inverse)):
            shares.append(self.dot(s, q) * r)
            q -= shares[-1] * y
        q *= memory["H_diag"]
        for y, s, r in zip(changes, moves, inverse):
            q += (shares.pop() - self.dot(y, q) * r) * s
        return q
