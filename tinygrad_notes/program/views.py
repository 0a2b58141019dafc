"""Where the elements of a value lie: views of other values are offsets and strides, and cost nothing."""
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """The elements of a value in the memory of its root, in units of elements.

    Fields:
        root: the value that owns the memory, laid out row by row.
        shape: of the value.
        offset: of its first element.
        strides: step per axis; 0 along axes that repeat.
    """

    root: object
    shape: tuple
    offset: int
    strides: tuple

    @property
    def contiguous(self):
        """Whether the elements lie row by row, without gaps."""
        return all(n == 1 or a == b for n, a, b in zip(self.shape, self.strides, row_major(self.shape)))


def row_major(shape):
    """The strides of an array laid out row by row."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


class Views:
    """The `View` of each value of a program; reshapes that no strides can express own memory of their own."""

    def __init__(self):
        self._known = {}

    def of(self, value):
        """The view that a value is; a value that is no view of another is its own root."""
        found = self._known.get(value)
        if found is None:
            found = self._known[value] = self._find(value) or View(value, value.shape, 0, row_major(value.shape))
        return found

    def owns(self, value):
        """Whether the value has memory of its own."""
        return self.of(value).root is value

    def _find(self, value):
        i = value.source
        if i is None or value.size == 0:
            return None
        make = {"reshape": _reshape, "permute": _permute, "broadcast": _broadcast, "slice": _slice}.get(i.name)
        if make is None or not i.kwargs or i.inputs[0].size == 0:
            return None
        inner = self.of(i.inputs[0])
        found = make(inner, value.shape, i.kwargs)
        return found and View(inner.root, value.shape, *found)


def _permute(inner, shape, attrs):
    return inner.offset, tuple([inner.strides[a] for a in attrs["axes"]])


def _broadcast(inner, shape, attrs):
    extra = len(shape) - len(inner.shape)
    strides = [0] * extra + [0 if n == 1 != m else s for n, m, s in zip(inner.shape, shape[extra:], inner.strides)]
    return inner.offset, tuple(strides)


def _slice(inner, shape, attrs):
    offset = inner.offset + sum(a * s for a, s in zip(attrs["starts"], inner.strides))
    return offset, tuple([s * step for s, step in zip(inner.strides, attrs["steps"])])


def _reshape(inner, shape, attrs):
    """Strides for another shape, if whole runs of axes can be cut and joined."""
    old = [(n, s) for n, s in zip(inner.shape, inner.strides) if n != 1]
    joined = []  # runs of axes that lie as one
    for n, s in old:
        if joined and joined[-1][1] == n * s:
            joined[-1] = (joined[-1][0] * n, s)
        else:
            joined.append((n, s))
    strides, runs = [], joined[::-1]
    left, step = runs.pop(0) if runs else (1, 1)
    for n in reversed(shape):
        if n == 1:
            strides.append(0)
            continue
        if left == 1:
            if not runs:
                return None
            left, step = runs.pop(0)
        if left % n:
            return None
        strides.append(step)
        left, step = left // n, step * n
    return (inner.offset, tuple(reversed(strides))) if left == 1 and not runs else None


def axes_of(view):
    """Per axis of a view the axis of its root that it runs along (None: length one, or repeated).

    Returns None unless the view is the whole root with axes moved, of length one, or repeated.
    """
    if view.offset:
        return None
    steps = {s: k for k, (n, s) in enumerate(zip(view.root.shape, row_major(view.root.shape))) if n != 1}
    found = []
    for n, s in zip(view.shape, view.strides):
        if n == 1 or s == 0:
            found.append(None)
            continue
        k = steps.get(s)
        if k is None or view.root.shape[k] != n or k in found:
            return None
        found.append(k)
    named = {k for k in found if k is not None}
    if any(n != 1 and k not in named for k, n in enumerate(view.root.shape)):
        return None
    return tuple(found)


def merged(sizes, strides):
    """Loops over `sizes` with as few axes as possible: neighbours that lie as one in every access are joined.

    Args:
        sizes: length per axis.
        strides: per access, the stride per axis.

    Returns:
        (sizes, strides) with fewer axes.
    """
    order = [a for a, n in enumerate(sizes) if n != 1]
    out, steps = [], [[] for _ in strides]
    for a in order:
        if out and all(s[-1] == sizes[a] * t[a] for s, t in zip(steps, strides)):
            out[-1] *= sizes[a]
            for s, t in zip(steps, strides):
                s[-1] = t[a]
        else:
            out.append(sizes[a])
            for s, t in zip(steps, strides):
                s.append(t[a])
    return tuple(out), [tuple(s) for s in steps]


def total(shape):
    """The number of elements of a shape."""
    return math.prod(shape)
