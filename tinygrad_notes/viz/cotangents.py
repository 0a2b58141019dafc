"""Which cotangent goes where in a recording: edges back, where they add up, and the gradients of leaves."""
from __future__ import annotations

from .formula import formula
from .words import is_recorded, number_of


class Draft:
    """A node while the graph is built: what will be a `GraphNode`, and what it reads."""

    def __init__(self, label, role, time, **more):
        self.label, self.role, self.time = label, role, time
        self.more = more
        self.value = None        # the value that its box shows
        self.order = 0           # of the derivative it belongs to; None for updates
        self.anchor = None       # the forward draft beside which it is drawn
        self.of = None
        self.scope = None
        self.reads = {}          # (draft, kind, slot) -> GraphEdge fields


class Cotangents:
    """The part of `FromRecording` that draws gradients; it works on the drafts of the forward pass."""

    def _cotangents(self):
        """Edges along which gradients go back, their rules, and where they add up."""
        scopes = self.program.scopes
        arrivals = {}  # (run, draft of a forward node) -> [(giving draft, formula, value)]
        for scope in scopes:
            if scope.phase != "backward" or scope.of < 0 or scope.index not in self.by_scope:
                continue  # a pass inside a rule (checkpoint) is part of that rule
            forward = scopes[scope.of]
            maker_of = self.by_scope.get(forward.index)
            for position, value in enumerate(scope.outputs):
                if value is None or position >= len(forward.inputs) or forward.inputs[position] is None:
                    continue
                target = self._made_before(forward, position, maker_of)
                giver = self.within.get((scope.index, value)) or self.by_scope.get(scope.index)
                if target is None or giver is None:
                    continue
                rule = formula(forward.plan.primitive, position) if forward.plan else ""
                arrivals.setdefault((scope.run, target), []).append((giver, rule, value, self._slot(forward, position)))
        rules = {(s.run, self.by_scope.get(s.of)): s for s in scopes
                 if s.phase == "backward" and s.index in self.by_scope}
        for (run, target), given in arrivals.items():
            self._arrive(run, target, given, rules.get((run, target)))
        self._seeds(rules, arrivals)

    def _made_before(self, forward, position, draft):
        """What made an input of a forward scope, at the time it ran."""
        value, slot = forward.inputs[position], self._slot(forward, position)
        if draft is None:
            return None
        for (source, _, name), more in draft.reads.items():
            if name == slot and more["value"] is value:
                return source
        return next((source for (source, _, _), more in draft.reads.items() if more["value"] is value), None)

    def _arrive(self, run, target, given, scope):
        """Cotangents reach the rules of `target`, or a leaf."""
        if scope is not None:
            total = next((v for v in scope.inputs if v is not None), None)
            receiver, entry = self.by_scope[scope.index], total
        elif target.role in ("parameter", "input", "state"):
            receiver = self._gradient(run, target)
            if receiver.value is None and len(given) == 1:
                receiver.value = given[0][2]
            total = entry = receiver.value
        else:
            return
        inner = scope is not None and self._inner(scope.index)
        if len(given) > 1 and not inner:
            plus = Draft("+", "sum", receiver.time - 0.25, kind="sum", module=receiver.more.get("module", ""))
            plus.order, plus.anchor, plus.value = self.runs.get(run, 1), self._ground(target), total
            self.drafts.append(plus)
            receiver.reads[plus, "gradient", ""] = {"value": entry, "slot": ""}
            receiver = plus
        if inner:
            self._enter(scope, given)
            return
        for giver, rule, value, slot in given:
            if giver is not receiver:
                key = (giver, "gradient", slot)
                while key in receiver.reads:
                    key = (*key[:2], key[2] + "'")
                receiver.reads[key] = {"value": value, "formula": rule, "slot": slot}

    def _enter(self, scope, given):
        """Inside rules that were recorded as operations, whoever reads the cotangent gets the edges."""
        one = given[0] if len(given) == 1 else None
        for draft in self.drafts:
            if draft.scope is None or self._rules_of(draft.scope) != scope.index:
                continue
            for key in [k for k, more in draft.reads.items() if more["value"] in scope.inputs]:
                more = draft.reads.pop(key)
                if one is not None:
                    source, more = one[0], {**more, "formula": one[1]}
                else:
                    source = self.makers.get(more["value"]) or key[0]
                if source is not draft:
                    draft.reads[source, "gradient", key[2]] = more

    def _gradient(self, run, leaf):
        found = self.gradients.get((run, leaf))
        if found is None:
            runs = self.runs.get(run, 1)
            found = Draft(("∂" * runs) + leaf.label, "gradient", 10**9)
            found.order, found.anchor = runs, leaf
            self.gradients[run, leaf] = found
            self.drafts.append(found)
            found.value = self.it.gradients.get(self._tensor_of(leaf.value))
            recorded = [k for k, argument in enumerate(self.it.arguments) if is_recorded(argument)]
            input_of = dict(zip(recorded, self.program.inputs))
            for k, value in self.it.argument_gradients:
                if input_of.get(k) is leaf.value:
                    found.value = value
        return found

    def _seeds(self, rules, arrivals):
        """The cotangent with which a pass begins goes to the rules of the output."""
        for (run, target), scope in rules.items():
            if (run, target) in arrivals or target is None:
                continue
            receiver = self.by_scope[scope.index]
            for value in dict.fromkeys(v for v in scope.inputs if v is not None):
                source = self.makers.get(value) or self._leaf(value)
                if source is None:
                    continue
                if source.role in ("operation", "constant") and source.scope is None:
                    source.label, source.role = f"∂{target.label} = {number_of(value, 'seed')}", "constant"
                    source.order, source.anchor, source.more["kind"] = self.runs.get(run, 1), self._ground(target), ""
                if self._inner(scope.index):
                    self._enter(scope, [(source, "", value, "")])
                elif source is not receiver:
                    receiver.reads[source, "gradient", ""] = {"value": value, "slot": ""}

    def _ground(self, draft):
        """The forward draft beside which a draft is drawn."""
        seen = 0
        while draft is not None and seen < 9:
            seen += 1
            if draft.anchor is not None:
                draft = draft.anchor
            elif draft.of is not None:
                draft = draft.of
            elif draft.scope is not None and draft.scope.phase == "forward" and draft.scope.parent >= 0:
                rules = self.program.scopes[self._rules_of(draft.scope)]
                draft = self.by_scope.get(rules.of) if rules.phase == "backward" else None
            else:
                return draft
        return draft
