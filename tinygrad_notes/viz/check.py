"""A gradient check laid over a graph: every operation checked alone, with the inputs it really had."""
from __future__ import annotations

from dataclasses import replace

from ..autograd.plan import ALIAS, PICK
from ..backend import default_generator
from ..testing.checker import Options
from ..testing.gradcheck import check
from ..testing.locate import NODES, PER_OPERATION, _alone, _name
from ..testing.problem import Function
from ..testing.verdict import INCONCLUSIVE, REASONS

EVERY = 200  # elements of the inputs of one operation up to which every one is checked; then random directions


def lay_over(graph, scopes):
    """Put a verdict on every operation of the forward pass, and on the gradient rules that it judges.

    Args:
        graph: its nodes are replaced.
        scopes: {number of a node: its scope}, whose values kept their arrays.
    """
    times: dict = {}
    verdicts: dict[int, tuple] = {}
    for number, scope in scopes.items():
        if scope.phase != "forward" or scope.plan is None or scope.plan in (PICK, ALIAS) or len(verdicts) >= NODES:
            continue
        signature = (scope.name, scope.plan.active, repr(scope.attrs), tuple(getattr(v, "shape", None)
                                                                            for v in scope.inputs))
        times[signature] = times.get(signature, 0) + 1
        if times[signature] <= PER_OPERATION:
            verdicts[number] = _judged(scope)
    for k, n in enumerate(graph.nodes):
        found = verdicts.get(n.number if n.of is None else n.of)
        if found is not None:
            graph.nodes[k] = replace(n, check=found)
    wrong = [k for k, (verdict, _) in verdicts.items() if verdict == "WRONG"]
    for k in wrong:
        n = graph.nodes[k]
        graph.facts.notes.insert(0, ("wrong gradient", f"{n.label}: {verdicts[k][1]}"
                                     + (f", at {n.site}" if n.site else ""), (k,)))
    left = sum(times.values()) - len(verdicts)
    graph.facts.legend = (*graph.facts.legend, f"gradient check: {len(verdicts)} operations checked, {len(wrong)} wrong"
                          + (f", {left} equal ones not checked again" if left else ""))


def _judged(scope):
    """(verdict, words) for one operation."""
    state = default_generator.get_state()
    arrays = [v.host if v is not None else plain
              for v, plain in zip(scope.inputs, (*scope.plain, *[None] * len(scope.inputs)))]
    try:
        alone = Function(*_alone(scope.plan, arrays, scope.attrs or {}))
        for leaf, i in zip(alone.leaves, scope.plan.wanted):
            leaf.path = _name(scope.plan.primitive, i)
        few = sum(leaf.base.size for leaf in alone.leaves) <= EVERY
        result = check(alone, Options(fast_mode=None if few else True))
    except Exception as error:  # no judgement is possible: said, never hidden
        return INCONCLUSIVE, f"the operation cannot be run alone: {type(error).__name__}: {error}"
    finally:
        default_generator.set_state(state)
    return result.verdict, _words(result)


def _words(result):
    worst = result.worst
    told = str(worst) if worst is not None else f"largest relative error {result.error:.1e}"
    if result.verdict == INCONCLUSIVE and result.reasons:
        told += "; " + "; ".join(REASONS.get(reason, reason) for reason in result.reasons)
    if result.guess:
        told += f"; looks like: {result.guess}"
    return told
