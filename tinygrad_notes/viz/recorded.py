"""The graph of a recording: forward pass, gradient rules over it, second derivatives, updates.

A scope of the recording becomes a node. Which cotangent goes where follows from the forward pass: the rules of an
operation hand gradients to whatever made its inputs. So an edge back is known even where a rule hands on the very array
it got, as that of an addition does.
"""
from __future__ import annotations

from ..autograd.plan import PRIMITIVES
from ..autograd.tensor import Tensor
from ..autograd.tree import unflatten
from ..program.flops import flops_of_scope
from ..program.functions import FORWARD
from .cotangents import Cotangents, Draft
from .groups import Groups
from .model import UPDATE, Facts, Graph, GraphEdge, GraphNode, layer_name
from .statistics import statistics
from .words import arithmetic, note, number_of, parameter_paths, paths_in, site_of


class FromRecording(Cotangents):
    """Builds the graph of one recording.

    Args:
        recording: a `program.Recording` that kept its arrays.
        names: {name: Tensor} for leaves.
        arguments: names of the leaves of the arguments.
        title: what was drawn.
        timed: whether the scopes were timed.
        check: whether each operation's gradient rule is checked.
    """

    def __init__(self, recording, names=None, arguments=(), title="", timed=False, check=False):
        self.check = check
        self.it, self.program, self.title, self.timed = recording, recording.program, title, timed
        self.names = {id(t): name for name, t in (names or {}).items()}
        self.drafts, self.makers, self.by_scope, self.within = [], {}, {}, {}
        self.linked = set()      # forward scopes whose inputs are linked
        self.leaves, self.gradients = {}, {}
        self.parents = {s.parent for s in self.program.scopes}
        self.known_statistics = {}
        self.owned = {array.value: t for t, array in recording.owned.items()}
        self.tensors = {v: slot.tensor for v, slot in recording.slots.items() if hasattr(slot, "tensor")}
        self.arguments = dict(zip(self.program.inputs, arguments))
        self.paths = parameter_paths(recording.reach.modules)
        self.runs = {}           # number of a backward pass -> order of its derivatives
        self.hidden = self._parts_of_buffers()

    def graph(self):
        """The `Graph`."""
        self._walk()
        self._cotangents()
        self._outputs()
        return self._finished()

    # Forward ------------------------------------------------------------------------------
    def _walk(self):
        """A draft for every scope, in the order in which they ran, and who made which value."""
        scopes, begun = self.program.scopes, 0
        last_made = self._ends_of_rules()
        for time, instruction in enumerate(self.program.instructions):
            begun = self._begin(begun, instruction.scope + 1, time)
            if instruction in self.hidden:
                continue
            if instruction.scope >= 0:
                draft = self._draft(self._owner(scopes[instruction.scope]), time)
            else:
                draft = self._loose(instruction, time)
            scope = draft.scope
            late = scope is not None and scope.phase == "backward" and time > last_made.get(scope.index, -1)
            if not late:
                self._read(draft, instruction)
                if scope is None or scope.phase != "forward":
                    draft.more["flops"] = draft.more.get("flops", 0) + arithmetic(instruction)
            for value in instruction.made:
                self.makers[value] = draft
                if scope is not None and not late:
                    self.within[self._rules_of(scope), value] = draft
        self._begin(begun, len(scopes), len(self.program.instructions))

    def _begin(self, first, stop, time):
        """Scopes that start now; one without instructions hands on what it was given."""
        for index in range(first, stop):
            scope = self.program.scopes[index]
            if self._owner(scope) is not scope or index in self.by_scope:
                continue
            draft = self._draft(scope, time - 0.5)
            if scope.phase == "forward":
                for position, value in enumerate(scope.inputs):
                    if value is not None:
                        self._link(draft, value, self._slot(scope, position))
            for value in scope.outputs or ():
                if value is not None and (value.source is None or value.source.scope != index) \
                        and scope.phase == "forward" and not self._inner(index):
                    self.makers[value] = draft
        return max(first, stop)

    def _inner(self, index):
        """Whether operations were recorded inside a scope."""
        return index in self.parents

    def _owner(self, scope):
        """The scope that is drawn: a forward one whole, inside a set of rules the outermost operation."""
        chain, scopes = [scope], self.program.scopes
        while chain[-1].parent >= 0:
            chain.append(scopes[chain[-1].parent])
        found = chain[-1]
        if found.phase == "backward":
            found = next((s for s in reversed(chain) if s.phase == "forward"), found)
        return found

    def _rules_of(self, scope):
        """Index of the backward scope around a scope, or its own."""
        while scope.phase != "backward" and scope.parent >= 0:
            scope = self.program.scopes[scope.parent]
        return scope.index

    def _draft(self, scope, time):
        found = self.by_scope.get(scope.index)
        if found is not None:
            return found
        return self._new(scope, time, hidden=scope.phase == "backward" and self._inner(scope.index))

    def _new(self, scope, time, hidden):
        draft = Draft(scope.name, "operation", time, kind=scope.kind, note=note(scope), module=scope.module)
        draft.scope, self.by_scope[scope.index] = scope, draft
        if scope.phase == UPDATE:
            draft.order, draft.more["kind"] = None, UPDATE
        draft.value = next((v for v in scope.outputs or () if v is not None), None)
        draft.more["tracked"] = scope.phase != "forward" or scope.plan is not None
        if scope.phase == "forward":
            draft.more["flops"] = flops_of_scope(self.program, scope)
        if scope.phase == "backward":
            order = 1 + self._order_of(scope.of)
            self.runs[scope.run] = max(self.runs.get(scope.run, 1), order)
            draft.of = self.by_scope.get(scope.of)
        if not hidden:
            self.drafts.append(draft)
        return draft

    def _order_of(self, index):
        draft = self.by_scope.get(index)
        return 0 if draft is None else self._order(draft)

    def _order(self, draft):
        if draft.scope is not None:
            scope = self.program.scopes[self._rules_of(draft.scope)]
            if scope.phase == "backward":
                return self.runs.get(scope.run, 1)
        return draft.order or 0

    def _loose(self, instruction, time):
        """A draft for an array function outside of all operations."""
        label = {"draw": "random numbers", "getitem": "index", "setitem": "put"}.get(instruction.name, instruction.name)
        op = PRIMITIVES.get(instruction.name)
        draft = Draft(label.removeprefix(FORWARD), "operation", time,
                      kind="random" if instruction.name == "draw" else op.kind if op else "opaque", tracked=False)
        draft.value = instruction.made[0] if instruction.made else None
        self.drafts.append(draft)
        return draft

    def _read(self, draft, instruction):
        scope = draft.scope
        if scope is not None and scope.phase == "forward" and instruction.scope == scope.index \
                and scope.index not in self.linked:
            self.linked.add(scope.index)
            for position, value in enumerate(scope.inputs):
                if value is not None:
                    self._link(draft, value, self._slot(scope, position))
        given = {v for v in (scope.inputs if scope is not None else ()) if v is not None}
        for value in instruction.inputs:
            if not hasattr(value, "shape") or not hasattr(value, "role"):
                continue  # a Python number that is read anew in every run
            maker = self.makers.get(value)
            if maker is draft or value in given:
                continue
            self._link(draft, value, "")

    def _link(self, draft, value, slot):
        source = self.makers.get(value) or self._leaf(value)
        if source is None or source is draft:
            return
        scope = draft.scope
        kind = "data"
        rules = scope is not None and self.program.scopes[self._rules_of(scope)].phase == "backward"
        if rules and self._order(source) < self._order(draft):
            kind = "saved"
        if draft.order is not None and not rules and source.order is not None:
            draft.order = max(draft.order or 0, self._order(source))
        more = {"value": value, "slot": slot}
        draft.reads.setdefault((source, kind, slot or (f"%{value.number}" if draft.order is None else "")), more)

    def _slot(self, scope, position):
        op = PRIMITIVES.get(scope.name)
        inputs = op.inputs if op is not None else ()
        return inputs[position] if position < len(inputs) else f"#{position}"

    def _leaf(self, value):
        found = self.leaves.get(value)
        if found is not None or value.role == "computed" and value not in self.owned:
            return found
        tensor = self._tensor_of(value)
        name = self._name_of(tensor)
        parameter = isinstance(tensor, Tensor) and type(tensor) is not Tensor and tensor.requires_grad
        if value.role == "input":
            role, name = "input", self.arguments.get(value) or value.name
        elif value.role == "constant" and tensor is None:
            role, name = "constant", number_of(value)
        else:
            role = "parameter" if parameter else "input" if tensor is not None and tensor.requires_grad else "state"
            name = name or value.name or "state"
        draft = Draft(name, role, -1, tracked=bool(getattr(tensor, "requires_grad", False)) or role == "input")
        draft.value, self.leaves[value] = value, draft
        self.drafts.append(draft)
        return draft

    def _tensor_of(self, value):
        return self.owned[value] if value in self.owned else self.tensors.get(value)

    def _name_of(self, tensor):
        if tensor is None:
            return None
        return self.names.get(id(tensor)) or self.paths.get(id(tensor)) or self.it.reach.tensors.get(tensor)

    def _parts_of_buffers(self):
        """Instructions that cut parameters out of the flat buffer of an optimizer: those are leaves here."""
        found = set()
        for value in self.owned:
            while value.source is not None and value.source.scope < 0:
                found.add(value.source)
                value = value.source.inputs[0]
        return found

    def _ends_of_rules(self):
        """{backward scope: time at which its rules had made all gradients}: later the engine fits and adds them."""
        last, scopes = {}, self.program.scopes
        for time, instruction in enumerate(self.program.instructions):
            if instruction.scope >= 0 and scopes[instruction.scope].phase == "backward":
                made = {v for v in scopes[instruction.scope].outputs if v is not None}
                if made & set(instruction.made):
                    last[instruction.scope] = time
        return last

    # The whole --------------------------------------------------------------------------------
    def _outputs(self):
        outputs = self.program.outputs
        named = self._names_of_outputs()
        gradients = {d.value: d for d in self.gradients.values() if d.value is not None}
        for draft in self.drafts:
            if draft.order is None:  # an update reads gradients, not what made them
                for key in [k for k, more in draft.reads.items() if more["value"] in gradients]:
                    more = draft.reads.pop(key)
                    draft.reads[gradients[more["value"]], "data", key[2]] = more
        self._leaves_of_updates()
        for k, value in enumerate(outputs):
            source = self.makers.get(value) or self._leaf(value)
            if source is None:
                continue
            draft = Draft(named[k], "output", source.time + 0.25)
            draft.value, draft.order = value, self._order(source)
            draft.anchor = self._ground(source) if draft.order else None
            draft.reads[source, "data", ""] = {"value": value, "slot": ""}
            self.drafts.append(draft)
        for state, value in self.program.updates.items():
            source, before = self.makers.get(value), self.leaves.get(state)
            if source is None or source.scope is not None and source.scope.phase == UPDATE:
                continue
            name = before.label if before is not None else state.name
            draft = Draft(f"new {name}", "state", source.time + 0.25)
            draft.value, draft.order = value, None
            draft.reads[source, "data", ""] = {"value": value, "slot": ""}
            self.drafts.append(draft)

    def _leaves_of_updates(self):
        """What only updates read, such as the state of an optimizer, belongs to their layer."""
        readers: dict = {}
        for draft in self.drafts:
            for source, _, _ in draft.reads:
                readers.setdefault(source, set()).add(draft.order is None)
        for leaf in self.leaves.values():
            if readers.get(leaf) == {True}:
                leaf.order = None

    def _names_of_outputs(self):
        """The outputs by their keys in what the function returned."""
        leaves = self.it.leaves
        paths = {k: path for path, k in paths_in("output", unflatten(self.it.structure, list(range(len(leaves)))))}
        return [paths[k].removeprefix("output.") for k, leaf in enumerate(leaves) if hasattr(leaf, "role")]

    def _finished(self):
        for draft in self.drafts:
            if draft.role == "gradient":
                draft.time = max((source.time for source, _, _ in draft.reads), default=draft.time) + 0.125
        for draft in self.drafts:
            if draft.role == "sum" and draft.time > 10**8:
                draft.time = max((source.time for source, _, _ in draft.reads), default=0) + 0.0625
        late = max((d.time for d in self.drafts if d.time < 10**8), default=0)
        drafts = sorted(self._used(), key=lambda d: min(d.time, late + 1))
        number = {draft: k for k, draft in enumerate(drafts)}
        groups = Groups(self.it.reach.modules)
        nodes = [self._node(draft, number, groups) for draft in drafts]
        edges = []
        for draft in drafts:
            for (source, kind, _), more in draft.reads.items():
                if source not in number:
                    continue
                value, flowing = more["value"], kind == "gradient"
                stats = self._statistics(value) if flowing else None
                edges.append(GraphEdge(number[source], number[draft], kind, more["slot"],
                                       more.get("formula", ""), stats, value.shape if value is not None else None))
        facts = Facts(self.title, len(self.runs))
        graph = groups.place(Graph(nodes, edges, (), facts))
        self._remember(graph, drafts)
        return graph

    def _used(self):
        """Drafts that something is connected to."""
        read = {source for d in self.drafts for source, _, _ in d.reads}
        return [d for d in self.drafts if d.reads or d in read]

    def _node(self, draft, number, groups):
        value, scope, more = draft.value, draft.scope, draft.more
        order = None if draft.order is None else self._order(draft)
        layer = UPDATE if order is None else layer_name(order)
        site, code = site_of(scope.site if scope is not None else None)
        anchor = self._ground(draft) if layer not in ("forward", UPDATE) else None
        calls = scope.calls if scope is not None and layer == "forward" else ()
        return GraphNode(
            number[draft], draft.label, draft.role, more.get("kind", ""), value.shape if value is not None else (),
            str(value.dtype) if value is not None else "", more.get("note", ""), layer, more.get("module", ""),
            groups.find(calls), number.get(draft.of), number.get(anchor) if anchor is not draft else None,
            self.program.device, site, code, self._statistics(value), more.get("flops", 0),
            value.nbytes if value is not None else 0, tracked=more.get("tracked", True),
            seconds=scope.seconds if self.timed and scope is not None else None)

    def _statistics(self, value):
        if value is None or value.host is None:
            return None
        if value not in self.known_statistics:
            self.known_statistics[value] = statistics(value.host)
        return self.known_statistics[value]

    def _remember(self, graph, drafts):
        """Memory, and what is not well, which need values."""
        from .health import examine
        from .memory import measure

        values = {k: draft.value for k, draft in enumerate(drafts)}
        scopes = {k: draft.scope for k, draft in enumerate(drafts) if draft.scope is not None}
        self.scopes_by_node = {k: set() for k in scopes}
        number = {scope.index: k for k, scope in scopes.items()}
        for scope in self.program.scopes:
            owner = self._owner(scope).index
            if owner in number:
                self.scopes_by_node[number[owner]].add(scope.index)
        measure(graph, self.program, scopes, set(self.owned))
        examine(graph, values, self._unused(drafts))
        if self.check:
            from .check import lay_over

            lay_over(graph, scopes)

    def _unused(self, drafts):
        """Names of parameters that the function reaches and does not read."""
        drawn = {id(self._tensor_of(d.value)) for d in drafts}
        return [self._name_of(t) for t in self.it.reach.tensors
                if type(t) is not Tensor and t.requires_grad and t.node is None and id(t) not in drawn]
