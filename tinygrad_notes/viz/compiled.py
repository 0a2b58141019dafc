"""The graph of what `compile` makes of a function: the operations that are left, and which of them run in one loop."""
from __future__ import annotations

from dataclasses import replace

from ..program.kernels import Loop
from ..program.run import executor
from .model import Facts, Graph, GraphEdge, GraphGroup, renumbered


def as_compiled(graph: Graph, recording, scopes: dict[int, set[int]], options: dict) -> Graph:
    """The graph without the operations that the passes take away; what runs in one kernel is one group.

    Args:
        graph: of the recording.
        recording: what was recorded.
        scopes: {number of a node: the scopes of the recording that it shows}.
        options: of the executor.
    """
    program = recording.program
    extra = [v for v in recording.gradients.values() if v is not None]
    extra += [v for _, v in (*recording.argument_updates, *recording.argument_gradients)]
    run = executor(program, list(dict.fromkeys(extra)), **options)
    fusion = getattr(run, "fusion", None)
    if fusion is None:  # runs as it was recorded
        return graph
    kernels: dict[int, list[int]] = {}  # scope -> the kernels in which its instructions run
    loops = {}
    for kernel in fusion.kernels:
        members = kernel.members if isinstance(kernel, Loop) else [kernel.instruction]
        loops[kernel.index] = len(members) if isinstance(kernel, Loop) else 0
        for instruction in members:
            kernels.setdefault(instruction.scope, []).append(kernel.index)
    left = {i.scope for i in run.program.instructions}
    had = {i.scope for i in program.instructions}
    used = {n: sorted({k for s in mine for k in kernels.get(s, ())}) for n, mine in scopes.items()}
    gone = {n for n, mine in scopes.items() if mine & had and not mine & left}
    edges = _around(graph, gone)
    groups, group_of = _groups(graph, used, loops)
    nodes = []
    for n in graph.nodes:
        if n.number in gone:
            continue
        mine = used.get(n.number, [])
        nodes.append(replace(n, kernel=", ".join(map(str, mine)), group=group_of.get(n.number, -1)))
    counts = (f"compiled: {len(program.instructions)} instructions became {len(run.program.instructions)}, "
              f"in {len(fusion.kernels)} kernels; arena {run.memory.size / 1024:.1f} KiB")
    facts = Facts(graph.facts.title + " compiled", graph.facts.passes, graph.facts.held, None, [], {}, (counts,))
    return renumbered(nodes, edges, groups, facts)


def _groups(graph, used, loops):
    """A group for every loop that holds several operations of the forward pass; modules do not bound loops."""
    groups: list[GraphGroup] = []
    group_of: dict[int, int] = {}
    for kernel, length in loops.items():
        members = [n for n, mine in used.items() if mine == [kernel] and graph.nodes[n].layer == "forward"]
        if length and len(members) > 1:
            group_of.update(dict.fromkeys(members, len(groups)))
            groups.append(GraphGroup(len(groups), -1, f"kernel {kernel}", "one loop", "kernel", first=len(groups)))
    return groups, group_of


def _around(graph, gone):
    """The edges, led past the nodes that are gone."""
    edges: list[GraphEdge] = []
    through: dict[int, list[GraphEdge]] = {}  # node that is gone -> the edges that end there
    for e in sorted(graph.edges, key=lambda e: (e[1], e[0])):
        sources = [e]
        if e[0] in gone:
            kind = "gradient" if e.kind == "gradient" else "data"
            sources = [e.moved(s[0], e[1], formula="") for s in through.get(e[0], ()) if s.kind == kind]
        for moved in sources:
            (through.setdefault(e[1], []) if e[1] in gone else edges).append(moved)
    return list({(e[0], e[1], e.kind, e.slot): e for e in edges}.values())
