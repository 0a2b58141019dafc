"""How much memory a recorded computation needs: what is held for the backward pass, and the peak."""
from __future__ import annotations

from dataclasses import replace


def measure(graph, program, scopes, owned):
    """Write into the nodes what each holds for the backward pass and what lives when it has run; the peak into facts.

    Args:
        graph: the graph; its nodes are replaced.
        program: the recorded computation.
        scopes: {number of a node: its scope}.
        owned: values that are parameters in an optimizer's buffer.
    """
    held_by: dict = {}
    for number, scope in scopes.items():
        for value in scope.saved if scope.phase == "forward" else ():
            base = _base(value)
            if base.role == "computed" and base not in owned and value not in owned:
                held_by.setdefault(base, number)
    held: dict[int, int] = {}
    for value, number in held_by.items():
        held[number] = held.get(number, 0) + value.nbytes
    made, last = _lives(program)
    until = _ends_of_rules(program)
    for scope in program.scopes:
        if scope.phase == "forward":
            for base in map(_base, scope.saved):
                if base in made:  # until its rules have run; to the end if they never do
                    last[base] = max(last[base], until.get(scope.index, len(program.instructions) - 1))
    live = _live(program, made, last)
    most = _most(program, live)
    for k, n in enumerate(graph.nodes):
        scope = scopes.get(n.number)
        live_then = most.get(scope.index) if scope is not None else None
        graph.nodes[k] = replace(n, held=held.get(n.number, 0), live=live_then)
    graph.facts.held = sum(held.values())
    timed = [(n.live, -n.number) for n in graph.nodes if n.live is not None]
    if timed:
        graph.facts.peak = (max(timed)[0], -max(timed)[1])


def _base(value):
    """The value whose memory another one lies in; a gradient handed to its leaf is not copied outside of recordings."""
    while True:
        source = value.source
        if value.alias is not None:
            value = value.alias
        elif source is not None and source.name == "copy" and hasattr(source.inputs[0], "role") \
                and source.inputs[0].role == "computed":
            value = source.inputs[0]
        else:
            return value


def _lives(program):
    """{value: instruction that makes it}, {value: last instruction that reads it or a view of it}."""
    made, last = {}, {}
    for time, instruction in enumerate(program.instructions):
        for value in instruction.inputs:
            if hasattr(value, "role"):
                base = _base(value)
                if base in made:
                    last[base] = time
        for value in instruction.made:
            if value.role == "computed" and _base(value) is value:
                made[value] = last[value] = time
    for value in program.results():
        base = _base(value)
        if base in made:
            last[base] = len(program.instructions) - 1
    return made, last


def _live(program, made, last):
    """Bytes of computed values that are in memory after each instruction."""
    change = [0] * (len(program.instructions) + 1)
    for value, time in made.items():
        change[time] += value.nbytes
        change[last[value] + 1] -= value.nbytes
    live, total = [], 0
    for step in change[:-1]:
        total += step
        live.append(total)
    return live


def _most(program, live):
    """{scope: the most bytes in memory while it runs}."""
    found: dict[int, int] = {}
    for time, instruction in enumerate(program.instructions):
        index = instruction.scope
        while index >= 0:
            found[index] = max(found.get(index, 0), live[time])
            index = program.scopes[index].parent
    return found


def _ends_of_rules(program):
    """{forward scope: last instruction of its gradient rules}."""
    found: dict[int, int] = {}
    for time, instruction in enumerate(program.instructions):
        index = instruction.scope
        while index >= 0:
            if program.scopes[index].phase == "backward":
                found[program.scopes[index].of] = time
            index = program.scopes[index].parent
    return found
