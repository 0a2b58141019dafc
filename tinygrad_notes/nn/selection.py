"""Parameters chosen by name: frozen, thawed, or sorted into groups for an optimizer."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeAlias

from .functional.common import number

if TYPE_CHECKING:
    from .module import Module
    from .parameter import Parameter

__all__ = ["ParameterGroups", "decay_groups", "is_bias_or_norm", "parameter_groups"]

Rule: TypeAlias = "str | Iterable[str] | Callable[[str, Parameter, Module], bool]"


def fits(name, pattern):
    """Whether a path fits a pattern such as 'encoder.*.weight', or lies inside the module of that path."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, pattern + ".*")


def matching(module, patterns):
    """(name, parameter) of the parameters that fit one of the patterns; of all without any.

    Raises:
        ValueError: a pattern fits none.
        TypeError: a pattern is no str.
    """
    named = list(module.named_parameters(remove_duplicate=False))
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"pattern: expected a str such as 'encoder.*', got {type(pattern).__name__}")
        if not any(fits(name, pattern) for name, _ in named):
            raise ValueError(f"pattern {pattern!r} fits no parameter of {type(module).__name__}; it has "
                             f"{', '.join(name for name, _ in named) or 'none'}")
    return [(name, p) for name, p in named if not patterns or any(fits(name, pattern) for pattern in patterns)]


def freeze(module, patterns, wanted):
    """Want gradients for the parameters that fit, or no longer; those that are there are forgotten then."""
    for _, p in matching(module, patterns):
        p.requires_grad_(wanted)
        if not wanted:
            p.grad = None


# Groups for an optimizer ------------------------------------------------------------------------
class ParameterGroups(list):
    """Parameter groups as optimizers take them; prints which parameter is in which group.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.decay_groups(tn.nn.MLP([2, 4, 1]), 0.1)
        decay (weight_decay=0.1): 2 parameters, 12 numbers
          0.weight (4, 2)
          2.weight (1, 4)
        no_decay (weight_decay=0.0): 2 parameters, 5 numbers
          0.bias (4,)
          2.bias (1,)
    """

    def __repr__(self) -> str:
        lines = []
        for k, group in enumerate(self):
            options = ", ".join(f"{key}={value}" for key, value in group.items()
                                if key not in ("params", "param_names", "name"))
            count, total = len(group["params"]), sum(p.size for p in group["params"])
            lines.append(f"{group.get('name', k)}{f' ({options})' if options else ''}: {count} "
                         f"parameter{'' if count == 1 else 's'}, {total:,} numbers")
            for name, p in zip(group["param_names"], group["params"]):
                lines.append(f"  {name} {p.shape}{'' if p.requires_grad else ', frozen'}")
        return "\n".join(lines)


def parameter_groups(module: Module, *rules: tuple[Rule, dict[str, Any]], **rest: Any) -> ParameterGroups:
    """Sort the parameters of a module into groups with options of their own.

    Args:
        module: whose parameters; a shared one counts once, under its first name.
        *rules: (choice, options) pairs; a parameter belongs to the first that chooses it. A choice is a pattern of
            names such as 'encoder.*', several patterns, or a function of name, parameter and the module that holds it.
        **rest: options of the group of all others.

    Returns:
        A list of groups for an optimizer, without empty ones; as text it says which parameter is where.

    Raises:
        ValueError: a pattern fits no parameter.
        TypeError: a choice is none of these, or options are no dict.

    Example:
        >>> import tinygrad_notes as tn
        >>> net = tn.nn.MLP([2, 4, 1])
        >>> tn.nn.parameter_groups(net, ("2", {"lr": 0.1, "name": "head"}), lr=0.01)
        head (lr=0.1): 2 parameters, 5 numbers
          2.weight (1, 4)
          2.bias (1,)
        rest (lr=0.01): 2 parameters, 12 numbers
          0.weight (4, 2)
          0.bias (4,)
    """
    choices = [_choice(module, rule) for rule in rules]
    groups: list[dict[str, Any]] = [{"name": str(k), **options} for k, (_, options) in enumerate(choices)]
    groups.append({"name": "rest", **rest})
    for group in groups:
        group.update(params=[], param_names=[])
    seen = set()
    for path, owner in module.named_modules():
        for key, p in owner.named_parameters(recurse=False):
            name = f"{path}.{key}" if path else key
            if p in seen:
                continue
            seen.add(p)
            place = next((k for k, (chooses, _) in enumerate(choices) if chooses(name, p, owner)), -1)
            groups[place]["params"].append(p)
            groups[place]["param_names"].append(name)
    return ParameterGroups(group for group in groups if group["params"])


def _choice(module, rule):
    if not isinstance(rule, tuple) or len(rule) != 2 or not isinstance(rule[1], dict):
        raise TypeError(f"rule: expected a pair (choice, options), options a dict, got {rule!r}")
    choice, options = rule
    if callable(choice):
        return choice, options
    patterns = (choice,) if isinstance(choice, str) else tuple(choice)
    matching(module, patterns)
    return (lambda name, p, owner: any(fits(name, pattern) for pattern in patterns)), options


def is_bias_or_norm(name: str, parameter: Parameter, owner: Module) -> bool:
    """Whether a parameter is an offset, or belongs to a normalization layer: what weight decay leaves alone.

    Args:
        name: its path.
        parameter: itself.
        owner: the module that holds it.

    Returns:
        A bool.

    Example:
        >>> import tinygrad_notes as tn
        >>> norm = tn.nn.LayerNorm(3)
        >>> tn.nn.is_bias_or_norm("norm.weight", norm.weight, norm)
        True
    """
    return "Norm" in type(owner).__name__ or any("bias" in part for part in name.split("."))


def decay_groups(module: Module, weight_decay: float, no_decay: Rule = is_bias_or_norm,
                 **options: Any) -> ParameterGroups:
    """Two groups, with weight decay and without: biases and normalization layers are not pulled to zero.

    Args:
        module: whose parameters.
        weight_decay: of the first group, >= 0.
        no_decay: what belongs to the second: see `parameter_groups`.
        **options: of both groups.

    Returns:
        A list of groups for an optimizer; as text it says which parameter is where.

    Raises:
        ValueError: `weight_decay` is negative, or a pattern fits no parameter.

    Example:
        >>> import tinygrad_notes as tn
        >>> optimizer = tn.optim.AdamW(tn.nn.decay_groups(tn.nn.MLP([2, 4, 1]), 0.1), lr=0.01)
        >>> [group["weight_decay"] for group in optimizer.param_groups]
        [0.1, 0.0]
    """
    decay = number("weight_decay", weight_decay, 0)
    groups = parameter_groups(module, (no_decay, {"name": "no_decay", "weight_decay": 0.0, **options}),
                              **{"name": "decay", "weight_decay": decay, **options})
    return ParameterGroups(reversed(groups))
