"""What all optimizers share: parameter groups, state, and how both are saved and loaded.

The parameters of a group live in one flat array each (per dtype and device), their `data` being views
of it; so does the state (`block.py`). One step is then a handful of array calls per piece that fits into
the cache, whatever the number of parameters. An optimizer writes `update` for such a piece and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, enable_grad
from ..autograd.mode import mode
from .block import Block, Kept
from .options import nearest, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Params = Iterable[Tensor | tuple[str, Tensor] | dict[str, Any]]

REQUIRED = object()
LABELS = ("params", "name", "param_names")
SCHEDULED = ("initial_lr", "max_lr", "min_lr", "swa_lr", "max_momentum", "base_momentum")  # schedules write these
HINTS = ("foreach", "capturable", "differentiable", "fused")  # PyTorch's words on how to loop: there is one way here


class Optimizer:
    """Base of all optimizers.

    Args:
        params: an iterable of Tensors, of pairs (name, Tensor), or of dicts with `params` and options of that group.
        defaults: the options of groups that do not set their own.
        differentiable: must be False; it is here because PyTorch has it.

    Raises:
        ValueError: no parameters, one given twice, one that is no leaf, or an option that is unknown or out of range.
        TypeError: `params` is a single Tensor or a set, or holds something that is no Tensor.
        NotImplementedError: `differentiable` is asked for.

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
    whole: bool = False  # `update` is given one parameter at a time, in its shape, and not pieces of the flat array
    steering: tuple[str, ...] = ()  # whole numbers among the options that decide what is computed
    needs_closure: bool = False  # `step` computes the loss itself, once or more
    hints: dict[str, Any] = {}  # those of PyTorch's hints that its optimizer of this name writes into a state_dict
    own: dict[str, Any] = {}  # options that PyTorch lacks, and the value at which they are not written

    def __init__(self, params: Params, defaults: dict[str, Any], differentiable: bool = False) -> None:
        if differentiable:
            raise NotImplementedError(
                f"{type(self).__name__}: differentiable=True; updates are not recorded. To differentiate through "
                "training steps, write them with tn.grad(..., create_graph=True) and tn.nn.functional_call"
            )
        if isinstance(params, Tensor):
            raise TypeError(f"params: expected an iterable of Tensors or dicts, got a Tensor of shape {params.shape}; "
                            "put it into a list")
        self.defaults = {key: number(key, value) for key, value in defaults.items()}
        self.param_groups: list[dict[str, Any]] = []
        self._blocks: dict[int, list[Block]] = {}  # index of a group -> its blocks
        self._pending: dict[Tensor, Kept] = {}  # what was loaded, until its block is made
        given: list[Any] = list(_ordered(params))
        if not given:
            raise ValueError("params: the optimizer got no parameters")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    # What an optimizer defines -------------------------------------------------------
    def update(self, xp: Any, p: Any, g: Any, state: dict[str, Any], t: int, group: dict[str, Any]) -> None:
        """Change the parameters `p` in place, and write to nothing else but `state`: pieces of the flat array come
        one by one or, if they are many, at once on several threads.

        Args:
            xp: the array functions.
            p, g: parameters and gradients, 1-D; with `whole`, those of one parameter.
            state: {name: array}, like `p`, to be changed in place; and the numbers of `numbers_at`.
            t: the number of this step, from 1.
            group: the options of the group.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for options out of range."""

    def states_for(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the state arrays that a group with these options needs."""
        return self.states

    def state_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """The shape of a state array for a parameter of this shape; None if that parameter has none."""
        return shape

    def numbers_for(self, group: dict[str, Any]) -> dict[str, float]:
        """Plain numbers that are kept for each parameter, with their first values."""
        return {}

    def numbers_at(
        self, numbers: dict[str, float], t: int, group: dict[str, Any]
    ) -> tuple[dict[str, float], dict[str, float]]:
        """The numbers that step `t` uses, and those to be kept after it."""
        return numbers, numbers

    # One step ----------------------------------------------------------------------
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
        for group, blocks in self._settled():
            for block in blocks:
                block.step(self, group)
        return loss

    # Inside a recorded computation -----------------------------------------------------
    def prepare_recording(self) -> None:
        """Lay the parameters out in flat buffers."""
        for _, blocks in self._settled():
            for block in blocks:
                block.adopt()

    def begin_recording(self, recording: Any, path: str) -> Any:
        """Take part in a recording: see `recorded.RecordedOptimizer`."""
        from .recorded import RecordedOptimizer

        return RecordedOptimizer(self, recording, path)

    def _settled(self):
        """(group, its blocks) of all groups, options checked before anything is changed."""
        for group in self.param_groups:
            for key, value in group.items():
                if isinstance(value, Tensor):
                    group[key] = number(key, value)
            self.check(group)
        return [(group, self._blocks_of(k)) for k, group in enumerate(self.param_groups)]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients (or set them to zero)."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                else:
                    p.grad = Tensor.wrap(p.device.xp.zeros_like(p.grad.data))

    # Groups ----------------------------------------------------------------------------
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own.

        Args:
            param_group: {"params": Tensors or (name, Tensor) pairs, option: value ...}.

        Raises:
            ValueError: an option is missing, unknown or out of range; a parameter is no leaf or is there already.
            TypeError: a parameter is not a Tensor.
        """
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(f"param_group: expected a dict with the key 'params', got {type(param_group).__name__}")
        group = {key: value if key in LABELS else number(key, value) for key, value in param_group.items()}
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(_ordered(params))
        group["params"], names = _without_names(params)
        if names:
            group["param_names"] = names
        self._check_known(group)
        for key, value in self.defaults.items():
            if group.setdefault(key, value) is REQUIRED:
                raise ValueError(f"{type(self).__name__}: {key} is required")
        self.check(group)
        self._check_params(group)
        self.param_groups.append(group)

    def _check_known(self, group):
        known = set(self.defaults)
        for key in group:
            if key not in known and key not in LABELS and key not in SCHEDULED and key not in HINTS:
                raise ValueError(f"{type(self).__name__}: unknown option {key!r} of a parameter group"
                                 f"{nearest(key, known) or '; known are ' + ', '.join(sorted(known))}")

    def _check_params(self, group):
        seen = {id(p) for other in self.param_groups for p in other["params"]}
        for k, p in enumerate(group["params"]):
            if not isinstance(p, Tensor):
                raise TypeError(f"params[{k}]: expected a Tensor, got {type(p).__name__}")
            if p.node is not None:
                raise ValueError(f"params[{k}]: only leaves are optimized, this is the result of {p.node.name}")
            if id(p) in seen:
                raise ValueError(f"params[{k}], shape {p.shape}: given twice")
            seen.add(id(p))
        if self.param_groups and ("param_names" in group) != ("param_names" in self.param_groups[0]):
            raise ValueError("params: either all parameter groups have names for their parameters or none has")

    def _blocks_of(self, index):
        group = self.param_groups[index]
        blocks = self._blocks.get(index)
        if (
            blocks is None
            or any(not block.fits(self, group) for block in blocks)
            or sum(len(block.params) for block in blocks) != len(group["params"])
        ):
            self._pending.update(self._kept())
            kinds: dict[Any, list[Tensor]] = {}
            for p in group["params"]:
                kinds.setdefault((p.dtype, p.device), []).append(p)
            blocks = self._blocks[index] = [Block(self, group, params, self._pending) for params in kinds.values()]
        return blocks

    # State -------------------------------------------------------------------------------
    def _kept(self):
        """{parameter: Kept} of the parameters that have been updated."""
        found = dict(self._pending)
        for blocks in self._blocks.values():
            for block in blocks:
                found.update(block.kept())
        return found

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:
        """{parameter: {"step": Tensor, name: Tensor}} of the parameters that have been updated."""
        return {p: entry for p, kept in self._kept().items() if (entry := self.write_entry(kept))}

    def write_entry(self, kept: Kept) -> dict[str, Any]:
        """The entry of a parameter in `state`, as PyTorch has it."""
        numbers = {name: _scalar(value, "float64") for name, value in kept.numbers.items()}
        return {"step": _scalar(kept.step, "float32"), **numbers, **kept.arrays}

    def read_entry(self, entry: Mapping[str, Any], p: Tensor, group: dict[str, Any], where: str) -> Kept | None:
        """The opposite of `write_entry`; None for an entry that says nothing.

        Raises:
            ValueError: a name or a shape is not that of this optimizer.
        """
        first = self.numbers_for(group)
        names = {name: shape for name in self.states_for(group)
                 if (shape := self.state_shape(name, p.shape)) is not None}
        numbers, arrays = dict(first), {}
        for name, value in entry.items():
            if name == "step" or value is None:
                continue
            if name in first:
                numbers[name] = float(value)
            elif name in names:
                arrays[name] = Tensor(value, dtype=p.dtype, device=p.device)
                if arrays[name].shape != names[name]:
                    raise ValueError(f"{where}: state {name!r}: expected shape {names[name]}, got {arrays[name].shape}")
            elif name not in self.states_unused(group):
                raise ValueError(f"{where}: {type(self).__name__} has no state {name!r}; it has "
                                 f"{', '.join(['step', *first, *names])}: the state_dict is that of another optimizer")
        if not arrays and "step" not in entry:
            return None
        if missing := [name for name in names if name not in arrays]:
            raise ValueError(f"{where}: state {', '.join(missing)} of {type(self).__name__} is missing")
        return Kept(int(float(entry.get("step", 1))), arrays, numbers)

    def states_unused(self, group: dict[str, Any]) -> tuple[str, ...]:
        """State arrays that other options would need; a state_dict may hold them."""
        return ()

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
            options = {
                key: value for key, value in group.items()
                if key not in ("params", *HINTS) and not (key in self.own and value == self.own[key])
            }
            groups.append({**options, **self.hints, "params": [numbers[p] for p in group["params"]]})
        state = {numbers[p]: copied(entry) for p, entry in self.state.items() if p in numbers}
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of the same optimizer over parameters of the same shapes; PyTorch's will do.

        Raises:
            ValueError: groups, numbers of parameters, options, state or shapes are not those of this optimizer;
                nothing has changed then.
        """
        groups, entries = self._read(state_dict)
        for mine, theirs in zip(self.param_groups, groups):
            mine.update(theirs)
        self._blocks, self._pending = {}, entries

    def _read(self, state_dict):
        """(options of the groups, {parameter: Kept}) that a state_dict stands for."""
        for key in ("state", "param_groups"):
            if not hasattr(state_dict, "keys") or key not in state_dict:
                raise ValueError(f"state_dict: expected a dict with 'state' and 'param_groups', {key!r} is missing")
        groups = state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ValueError(f"state_dict has {len(groups)} parameter groups, the optimizer {len(self.param_groups)}")
        found, by_number = [], {}
        for k, (mine, theirs) in enumerate(zip(self.param_groups, groups)):
            if len(mine["params"]) != len(theirs["params"]):
                raise ValueError(
                    f"group {k}: state_dict has {len(theirs['params'])} parameters, the optimizer {len(mine['params'])}"
                )
            options = self._read_options(theirs, k)
            self.check(mine | options)
            by_number.update(zip(theirs["params"], ((p, mine | options) for p in mine["params"])))
            found.append(options)
        entries = {}
        for key, entry in state_dict["state"].items():
            if int(key) not in by_number:
                raise ValueError(f"state_dict has state for parameter {key}, which is in no group")
            p, group = by_number[int(key)]
            kept = self.read_entry(entry, p, group, f"parameter {key}")
            if kept is not None:
                entries[p] = kept
        return found, entries

    def _read_options(self, theirs, k):
        """The options of a saved group; those it lacks and may lack have their plain value."""
        options = {
            key: value if key in LABELS else tuple(value) if isinstance(value, list) else number(key, value)
            for key, value in theirs.items() if key != "params" and key not in HINTS
        }
        for key, value in self.defaults.items():
            if key not in options:
                optional = key in self.own or value is None or isinstance(value, bool)
                if not optional:
                    raise ValueError(f"group {k}: the state_dict lacks {key!r} of {type(self).__name__}; it has "
                                     f"{', '.join(sorted(options))}: it is that of another optimizer")
                options[key] = self.own.get(key, value)
        return options

    def __getstate__(self):
        return {**self.__dict__, "_blocks": {}, "_pending": self._kept()}  # a copy makes flat buffers of its own

    def __repr__(self) -> str:
        lines = []
        for k, group in enumerate(self.param_groups):
            count = sum(p.size for p in group["params"])
            lines.append(f"group {k}: {len(group['params'])} tensors, {count:,} parameters")
            lines += [f"    {key}: {value}" for key, value in sorted(group.items())
                      if key not in ("params", "param_names")]
        return f"{type(self).__name__} (\n" + "\n".join(f"    {line}" for line in lines) + "\n)"


def copied(value):
    """A copy of nested dicts and lists of Tensors."""
    if isinstance(value, Tensor):
        return Tensor.wrap(value.data.copy())
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value


def _scalar(value, dtype):
    return Tensor(float(value), dtype=dtype, device="cpu")


def _ordered(params):
    if isinstance(params, (set, frozenset)):
        raise TypeError("params: a set has no order that lasts from run to run; give a list")
    try:
        return iter(params)
    except TypeError:
        raise TypeError(f"params: expected an iterable of Tensors or dicts, got {type(params).__name__}") from None


def _without_names(params):
    """(Tensors, names or nothing) of a list of Tensors or of (name, Tensor) pairs."""
    pairs = [p for p in params if isinstance(p, tuple) and len(p) == 2]
    if not pairs:
        return params, []
    if len(pairs) != len(params):
        raise ValueError(f"params: {len(params) - len(pairs)} of {len(params)} parameters have no name; "
                         "name all of them or none")
    return [p for _, p in pairs], [name for name, _ in pairs]
