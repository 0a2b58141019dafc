"""Where values live: one arena whose places are used again as soon as nobody reads them any more.

Parts of a concatenation are computed in their place in the whole, and a state that is updated element by element is
written over where no later kernel reads its old value.
"""
from .kernels import Call, Loop
from .program import Value

ALIGN = 64

MAY_REFUSE = ("assume", "take", "sum_rows", "csr_product")  # kernels after which a run may be given up


class Memory:
    """The place of every value that must be in memory.

    Args:
        fusion: the kernels.
        stored: the values that must be in memory.
        outside: those whose memory is given for each run.
        in_place: states that may be written over.
        ours: whether the kernel that makes a value writes where it is told.

    Fields:
        offsets: {root: byte offset in the arena}.
        inside: {root: (root of a larger array, offset in elements)} of values that are computed in their place there.
        size: bytes of the arena.
        direct: {root: state} of values that are written over the state that they are the new value of.
    """

    def __init__(self, fusion, stored, outside, in_place=(), ours=lambda root: True):
        self.fusion, self.views, self.ours = fusion, fusion.views, ours
        self.offsets, self.inside, self.direct, self.size = {}, {}, {}, 0
        self.stored, self.outside = stored, set(outside)
        self.loose = {self.views.of(v).root for v in fusion.program.extra} - {
            self.views.of(v).root for v in (*fusion.program.outputs, *fusion.program.updates.values())}
        self.find_last_reads()
        self.write_over(in_place)
        self.join_parts()
        self.assign()

    def find_last_reads(self):
        """The kernel that reads each root last."""
        self.first, self.last = {}, {}
        for k, kernel in enumerate(self.fusion.kernels):
            for value in kernel.results:
                self.first[value] = k
                self.last.setdefault(value, k)
            for root in reads(kernel, self.views):
                self.last[root] = k
        for value in self.fusion.program.results():
            self.last[self.views.of(value).root] = len(self.fusion.kernels)

    def write_over(self, in_place):
        """States whose new value may be computed in their own memory, once nothing can refuse the run any more."""
        program, updates = self.fusion.program, self.fusion.program.updates
        returned = {self.views.of(v).root for v in (*program.outputs, *program.extra)}
        calls = [k for k in self.fusion.kernels if isinstance(k, Call)]
        refusal = max([k.index for k in calls if k.instruction.name in MAY_REFUSE], default=-1)
        for state in in_place:
            new = updates.get(state)
            if new is None or not self.views.owns(new) or new in self.direct:
                continue
            maker = self.fusion.kernels[self.first[new]] if new in self.first else None
            others = [self.views.of(v).root for s, v in updates.items() if s is not state]
            if not isinstance(maker, Loop) or self.last.get(state, -1) > maker.index or new in others:
                continue
            if new in returned or maker.index < refusal or self.last.get(new, -1) != len(self.fusion.kernels):
                continue
            if self.same_places(maker, state, new):
                self.direct[new] = state
                self.outside.discard(new)

    def same_places(self, loop, state, new):
        """Whether a loop reads a state at no other index than that at which it writes the new value."""
        if loop.inner is not None or any(i.outputs[0].shape != new.shape for i in loop.members):
            return False
        for i in loop.members:
            for x in i.inputs:
                if isinstance(x, Value) and self.views.of(x).root is state:
                    view = self.views.of(x)
                    if not view.contiguous or view.offset or view.shape != new.shape:
                        return False
        return True

    def join_parts(self):
        """Parts of a concatenation along the first axis are computed where they belong in the whole."""
        for kernel in self.fusion.kernels:
            if not isinstance(kernel, Call) or kernel.instruction.name != "concat":
                continue
            whole, attrs = kernel.instruction.outputs[0], kernel.instruction.kwargs
            if attrs.get("axis") is None or any(n != 1 for n in whole.shape[:attrs["axis"]]):
                continue
            at = 0
            for part in kernel.instruction.inputs:
                view = self.views.of(part)
                root = view.root
                free = root in self.first and root not in self.inside and root not in self.direct \
                    and (root not in self.outside or root in self.loose) and root is not whole
                if free and view.contiguous and not view.offset and root.size == part.size and self.ours(root):
                    self.inside[root] = (whole, at)
                    if root in self.outside:  # a result that lies in the whole: then the whole is one
                        self.outside.remove(root)
                        self.outside.add(whole)
                        self.last[whole] = len(self.fusion.kernels)
                at += part.size

    def is_there(self, root, whole, at):
        """Whether a part of a concatenation is computed at its place, `at` elements from the start of the whole."""
        return self.inside.get(root) == (whole, at)

    def base(self, root):
        """(array that owns the memory of a root, offset in elements)."""
        offset = 0
        while root in self.inside:
            root, more = self.inside[root]
            offset += more
        return root, offset

    def assign(self):
        """Places in the arena, first fit in the order of making."""
        start, end = {}, {}
        for root in self.stored:
            if root in self.outside or root in self.direct or root.role != "computed":
                continue
            owner, _ = self.base(root)
            if owner in self.outside or owner in self.direct:
                continue
            start[owner] = min(start.get(owner, 1 << 60), self.first[root])
            end[owner] = max(end.get(owner, -1), self.last[root], self.last.get(owner, -1))
        live = []  # (offset, size, end)
        for owner in sorted(start, key=lambda v: (start[v], v.number)):
            size = max(1, -(-owner.nbytes // ALIGN)) * ALIGN
            live = sorted(place for place in live if place[2] >= start[owner])
            at = 0
            for offset, taken, _ in live:
                if at + size <= offset:
                    break
                at = max(at, offset + taken)
            live.append((at, size, end[owner]))
            self.offsets[owner] = at
            self.size = max(self.size, at + size)


def reads(kernel, views):
    """The roots that a kernel reads from memory or makes itself."""
    members = kernel.members if isinstance(kernel, Loop) else [kernel.instruction]
    return {views.of(x).root for i in members for x in i.inputs if isinstance(x, Value)}
