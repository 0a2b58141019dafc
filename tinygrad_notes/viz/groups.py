"""Which nodes belong together: calls of modules, and stretches that come again and again."""
from __future__ import annotations

from dataclasses import replace

from .model import GraphGroup

PERIOD = 24  # longest stretch of neighbours that is looked for again
LEAVES = ("parameter", "input", "constant", "state")


class Groups:
    """The tree of module calls.

    Args:
        modules: {Module: path}.
    """

    def __init__(self, modules):
        self.classes = {path: type(module).__name__ for module, path in modules.items()}
        self.known, self.groups = {}, []

    def find(self, calls):
        """The number of the group of the innermost of some nested calls (path, count), made where it is new."""
        parent = -1
        for k in range(len(calls)):
            key = calls[:k + 1]
            if key not in self.known:
                self.known[key] = len(self.groups)
                path, count = calls[k]
                name = path if count == 1 else f"{path} (call {count})"
                self.groups.append(GraphGroup(len(self.groups), parent, name, self.classes.get(path, ""),
                                              first=len(self.groups)))
            parent = self.known[key]
        return parent

    def place(self, graph):
        """The graph with its groups, leaves put beside their only users, and repetitions found."""
        graph.groups = list(self.groups)
        _place_leaves(graph)
        find_repetitions(graph)
        return graph


def chain(groups, number):
    """The groups around a place, outermost first."""
    found = []
    while number >= 0:
        found.append(number)
        number = groups[number].parent
    return found[::-1]


def _place_leaves(graph):
    """A leaf belongs to the innermost group that holds all that read it, forward."""
    readers: dict[int, list] = {}
    for e in graph.edges:
        if e.kind == "data" and graph.nodes[e[1]].layer == "forward":
            readers.setdefault(e[0], []).append(e[1])
    for n in graph.nodes:
        if n.role not in LEAVES or n.number not in readers or n.layer != "forward":
            continue
        chains = [chain(graph.groups, graph.nodes[r].group) for r in readers[n.number]]
        common = -1
        for step in zip(*chains):
            if len(set(step)) > 1:
                break
            common = step[0]
        if common >= 0 and n.role != "input":
            graph.nodes[n.number] = replace(n, group=common)


def find_repetitions(graph):
    """Find equal neighbours in every group; note which group stands for them, and node by node which node does."""
    _Finder(graph).run()


class _Finder:
    def __init__(self, graph):
        self.graph, self.twins = graph, {}
        self.sources = [[] for _ in graph.nodes]
        self.readers = [[] for _ in graph.nodes]
        for e in graph.edges:
            if e.kind == "data" and graph.nodes[e[1]].layer == "forward":
                self.sources[e[1]].append((e[0], e.slot))
                self.readers[e[0]].append(e[1])
        self.signatures = {}

    def run(self):
        graph = self.graph
        queue = [-1]
        for parent in queue:  # grows while it is walked: outer groups first
            items = self._items(parent)
            for start, period, count in _runs([self._signature(item) for item in items], items):
                self._fold(parent, items, start, period, count)
            queue += [g.number for g in graph.groups if g.parent == parent and g.first == g.number]
        graph.facts.twins.update(self.twins)
        twins_of_gradients(graph)

    def _items(self, parent):
        """The groups and operations directly inside a group, in the order of computation."""
        first: dict[int, int] = {}
        self.inside = self._nodes_by_group()
        for g in self.graph.groups:
            if g.parent == parent and self.inside.get(g.number):
                first[-g.number - 1] = self.inside[g.number][0]
        for n in self.graph.nodes:
            if n.group == parent and n.layer == "forward" and n.role not in (*LEAVES, "output"):
                first[n.number] = n.number
        return sorted(first, key=lambda item: first[item])

    def _nodes_by_group(self):
        """{group: all forward operations inside, then the leaves}."""
        found: dict[int, list] = {}
        for n in self.graph.nodes:
            if n.layer == "forward" and n.role != "output":
                for g in chain(self.graph.groups, n.group):
                    found.setdefault(g, []).append(n.number)
        return {g: [k for k in members if self.graph.nodes[k].role not in LEAVES]
                + [k for k in members if self.graph.nodes[k].role in LEAVES] for g, members in found.items()}

    def _members(self, items, leaves=LEAVES):
        """The nodes of some items: operations in order, then leaves that nothing else reads."""
        found = []
        for item in items:
            found += self.inside[-item - 1] if item < 0 else [item]
        held = set(found)
        for k in list(found):
            for source, _ in self.sources[k]:
                if source not in held and self.graph.nodes[source].role in leaves \
                        and all(r in held for r in self.readers[source]):
                    held.add(source)
                    found.append(source)
        return found

    def _signature(self, item):
        if item not in self.signatures:
            name = self.graph.groups[-item - 1].label if item < 0 else ""
            members = self.inside[-item - 1] if item < 0 else [item]
            self.signatures[item] = (name, self._form(members))
        return self.signatures[item]

    def _form(self, members):
        """What some nodes are and how they are tied to each other."""
        place = {k: i for i, k in enumerate(members)}
        form = []
        for k in members:
            n = self.graph.nodes[k]
            label = n.label if n.role == "operation" else ""
            form.append((label, n.role, n.kind, n.shape, n.dtype, n.note,
                         tuple((place.get(s, -1), slot) for s, slot in self.sources[k])))
        return tuple(form)

    def _fold(self, parent, items, start, period, count):
        chunks = [items[start + k * period:start + (k + 1) * period] for k in range(count)]
        for leaves in (LEAVES, ("parameter", "constant")):  # the first may read an input where others read a result
            members = [self._members(chunk, leaves) for chunk in chunks]
            form = self._form(members[0])
            equal = 1
            while equal < count and self._form(members[equal]) == form:
                equal += 1
            if equal > 1:
                break
        if equal < 2 or not _worth(equal, chunks[0]):
            return
        single = period == 1 and items[start] < 0
        numbers = [-chunk[0] - 1 for chunk in chunks[:equal]] if single else [
            self._grouped(parent, chunk, nodes) for chunk, nodes in zip(chunks[:equal], members)]
        groups = self.graph.groups
        groups[numbers[0]] = replace(groups[numbers[0]], count=equal)
        for number in numbers[1:]:
            groups[number] = replace(groups[number], first=numbers[0])
        for nodes in members[1:equal]:
            self.twins.update(zip(nodes, members[0]))

    def _grouped(self, parent, chunk, members):
        """A new group around neighbours."""
        graph = self.graph
        number = len(graph.groups)
        names = [graph.groups[-i - 1].name if i < 0 else graph.nodes[i].label for i in chunk]
        label = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        graph.groups.append(GraphGroup(number, parent, label, "", "repeat", first=number))
        for item in chunk:
            if item < 0:
                graph.groups[-item - 1] = replace(graph.groups[-item - 1], parent=number)
        for k in members:
            if graph.nodes[k].group == parent:
                graph.nodes[k] = replace(graph.nodes[k], group=number)
        return number


def _worth(count, chunk):
    if any(item < 0 for item in chunk):
        return count >= 2
    return count >= 3 and count * len(chunk) >= 9


def _runs(signatures, items):
    """(start, period, count) of stretches that come several times in a row, longest cover first from the left."""
    ids: dict = {}
    row = [ids.setdefault(s, len(ids)) for s in signatures]
    found, i = [], 0
    while i < len(row):
        best = (0, 0, 0)
        for period in range(1, min(PERIOD, (len(row) - i) // 2) + 1):
            if row[i] != row[i + period]:
                continue
            k = period
            while i + k < len(row) and row[i + k] == row[i + k - period]:
                k += 1
            count = k // period
            if count >= 2 and _worth(count, items[i:i + period]) and count * period > best[0]:
                best = (count * period, period, count)
        if best[0]:
            found.append((i, best[1], best[2]))
            i += best[0]
        else:
            i += 1
    return found


def twins_of_gradients(graph):
    """What is drawn beside a node has its twin beside the node's twin."""
    twins = graph.facts.twins
    places: dict = {}
    keys = {}
    for n in graph.nodes:
        if n.anchor is not None:
            kind = "gradient" if n.role == "gradient" else n.label
            count = places.setdefault((n.anchor, n.layer, kind), [])
            keys[n.number] = (n.layer, kind, len(count))
            count.append(n.number)
    for number, (layer, kind, k) in keys.items():
        anchor = twins.get(graph.nodes[number].anchor)
        if anchor is not None:
            same = places.get((anchor, layer, kind), [])
            if k < len(same):
                twins[number] = same[k]
