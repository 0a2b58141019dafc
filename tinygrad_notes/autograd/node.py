"""The recorded graph: one `Node` per operation that a gradient may flow through."""
from __future__ import annotations

from itertools import count
from typing import Any

tick = count(0, -1).__next__  # later nodes have smaller numbers: a heap then yields the latest first


class Node:
    """One recorded operation.

    Fields:
        order: its number; a smaller one was made later.
        plan: the rules for the inputs that want a gradient (`plan.Plan`).
        parents: per such input, the Node that made it, or the leaf Tensor itself.
        saved: what the rules read: per input its array, its shape or None, last the output or None;
            None once backward has freed it.
        attrs: the keyword parameters of the operation.
        shape, dtype: of the output.
        extra: None, or a dict with `hooks`, `retain` (weak reference to the tensor), `site` (source line).
    """

    __slots__ = ("order", "plan", "parents", "saved", "attrs", "shape", "dtype", "extra")
    shape: tuple
    dtype: Any

    @property
    def name(self):
        """The operation's name; for one of its outputs that of the operation with several."""
        above = self.parents[0] if len(self.parents) == 1 else None
        return above.name if isinstance(above, Bundle) else self.plan.primitive.name

    def __repr__(self):
        return f"<{self.name} node, shape {self.shape}>"


class Bundle(Node):
    """The node of an operation with several outputs: `shape` and `dtype` are tuples of theirs.

    Each output has a node of its own (`pick`) with this one as its parent.
    """

    __slots__ = ()
