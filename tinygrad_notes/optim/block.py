"""The flat buffers behind a parameter group: parameters, gradients and state in one array each."""

from __future__ import annotations

from operator import is_
from sys import getrefcount
from typing import NamedTuple

from ..autograd import Tensor
from ..backend import device_of
from ..backend.threads import spread

PIECE = 1 << 15  # elements per call: parameter, gradient and state of a piece stay in the cache
SPREAD = 8  # pieces from which on several threads are worth their start


class _Held:
    """Stands for an array or a parameter where references are counted."""

    data = None


def _references():
    """What getrefcount says in `adopt` where nobody else looks: of views, and of the flat array beyond its views."""
    view, block = _Held(), _Held()
    block.data, block.views = view, [view]
    block.flat = _Held()
    del view
    return max(map(getrefcount, block.views)), getrefcount(getattr(block.flat, "_host", block.flat))


_VIEW, _FLAT = _references()


class Kept(NamedTuple):
    """What an optimizer remembers of one parameter: how many updates it had, arrays and plain numbers by name."""

    step: int
    arrays: dict[str, Tensor]
    numbers: dict[str, float]


class Block:
    """The parameters of one dtype and device of a group, flat, with their state.

    Args:
        optimizer: whose `states_for`, `state_shape` and `numbers_for` say what is kept.
        group: the options of the parameters.
        params: the parameters; their `data` becomes views of the flat array.
        pending: {parameter: Kept} from before; what belongs to `params` is taken out.
    """

    def __init__(self, optimizer, group, params, pending):
        self.params = params
        self.device = params[0].device
        xp = self.device.xp
        self.names = tuple(optimizer.states_for(group))
        self.offsets = _offsets([p.size for p in params])
        self.flat = xp.concat([xp.reshape(p.data, (-1,)) for p in params])
        self.shapes = {name: [optimizer.state_shape(name, p.shape) for p in params] for name in self.names}
        self.starts = {name: self._starts(shapes) for name, shapes in self.shapes.items()}
        self.state = {
            name: xp.zeros(starts[-1], dtype=self.flat.dtype) for name, starts in self.starts.items()
        }
        self.steps = [0] * len(params)
        first = optimizer.numbers_for(group)
        self.numbers = {name: [value] * len(params) for name, value in first.items()}
        self.views = []
        self.rebind()
        for k, p in enumerate(params):
            kept = pending.pop(p, None)
            if kept is not None and (not self.names or any(name in kept.arrays for name in self.names)):
                self._restore(k, kept)

    def _starts(self, shapes):
        if all(shape == p.shape for shape, p in zip(shapes, self.params)):
            return self.offsets
        return _offsets([0 if shape is None else _size(shape) for shape in shapes])

    def _restore(self, k, kept):
        self.steps[k] = kept.step
        for name, value in kept.numbers.items():
            if name in self.numbers:
                self.numbers[name][k] = value
        for name, array in kept.arrays.items():
            if name in self.state:
                self._part(name, k)[...] = self.device.xp.reshape(Tensor(array, device=self.device).data, (-1,))

    def _part(self, name, k):
        starts = self.starts[name]
        return self.state[name][starts[k] : starts[k + 1]]

    def _shaped(self, name, k):
        return self.device.xp.reshape(self._part(name, k), self.shapes[name][k])

    def rebind(self, flat=None):
        """Make every parameter a view of the flat array, or of another one that takes its place."""
        if flat is not None:
            self.flat = flat
        flat, offsets = self.flat, self.offsets
        self.views = [flat[offsets[k] : offsets[k + 1]].reshape(p.shape) for k, p in enumerate(self.params)]
        for p, view in zip(self.params, self.views):
            p.data = view

    def fits(self, optimizer, group):
        """Whether parameters and state names are still those this block was made for."""
        if tuple(optimizer.states_for(group)) != self.names:
            return False
        return self._untouched() or all(
            p.data.dtype == view.dtype and p.data.shape == view.shape and device_of(p.data) is self.device
            for p, view in zip(self.params, self.views)
        )

    def _untouched(self):
        """Whether every parameter still is its view of the flat array."""
        return all(map(is_, [p.data for p in self.params], self.views))

    def kept(self):
        """{parameter: Kept} of those that have been updated; arrays are views in their shapes."""
        return {
            p: Kept(
                self.steps[k],
                {name: Tensor.wrap(self._shaped(name, k)) for name in self.names if self.shapes[name][k] is not None},
                {name: values[k] for name, values in self.numbers.items()},
            )
            for k, p in enumerate(self.params)
            if self.steps[k]
        }

    # One step ----------------------------------------------------------------------
    def step(self, optimizer, group):
        """Update the parameters that have a gradient."""
        self.adopt()
        for first, last in self.runs():
            gradients = self._checked_gradients(first, last)
            t, numbers = self.advance(optimizer, group, first, last)
            if optimizer.whole:
                self._update_each(optimizer, group, first, gradients, t, numbers)
            else:
                self._update(optimizer, group, self._chunks(first, last, gradients), t, numbers)

    def advance(self, optimizer, group, first, last):
        """Count a step of parameters with one past: its number, and the numbers that it uses."""
        t = self.steps[first] + 1
        numbers, after = optimizer.numbers_at({name: values[first] for name, values in self.numbers.items()}, t, group)
        for k in range(first, last):
            self.steps[k] = t
            for name, value in after.items():
                self.numbers[name][k] = value
        return t, numbers

    def past(self, first):
        """What `advance` changes, for `restore`."""
        return self.steps[first], {name: values[first] for name, values in self.numbers.items()}

    def restore(self, first, last, past):
        """Take `advance` back."""
        for k in range(first, last):
            self.steps[k] = past[0]
            for name, value in past[1].items():
                self.numbers[name][k] = value

    def adopt(self):
        """Take over values that were assigned from outside, and leave the old ones to graphs that still need them."""
        if not self._untouched():
            for k, (p, view) in enumerate(zip(self.params, self.views)):
                if p.data is not view:
                    self.flat[self.offsets[k] : self.offsets[k + 1]] = self.device.xp.reshape(p.data, (-1,))
                    p.data = view
            del p, view  # they would count as somebody who looks at the values
        # A pending graph or the user may look at the present values: then they keep theirs, we go on with a copy.
        held = getrefcount(getattr(self.flat, "_host", self.flat)) - len(self.views) > _FLAT
        if held or max(map(getrefcount, self.views)) > _VIEW:
            self.rebind(self.flat.copy())

    def runs(self):
        """Neighbouring parameters that have gradients and the same past: (first, last)."""
        runs, k, n, kept = [], 0, len(self.params), [self.steps, *self.numbers.values()]
        present = [p.grad is not None for p in self.params]
        if all(present) and all(values.count(values[0]) == n for values in kept):
            return [(0, n)]
        while k < n:
            if not present[k]:
                k += 1
                continue
            first = k
            while k < n and present[k] and all(values[k] == values[first] for values in kept):
                k += 1
            runs.append((first, k))
        return runs

    def gradient(self):
        """The flat gradient of all parameters, zero where there is none."""
        found = []
        for k, p in enumerate(self.params):
            if p.grad is None:
                found.append(self.device.xp.zeros(p.size, dtype=self.flat.dtype))
            else:
                found.append(self._checked_gradients(k, k + 1)[0].reshape(-1))
        return self._joined(found)

    def _joined(self, arrays):
        return arrays[0] if len(arrays) == 1 else self.device.xp.concat(arrays)

    def _checked_gradients(self, first, last):
        """The gradients of parameters first..last as raw arrays of the right dtype.

        Raises:
            ValueError: one has another shape than its parameter.
        """
        found, dtype = [p.grad.data for p in self.params[first:last]], self.flat.dtype
        for k, (g, view) in enumerate(zip(found, self.views[first:last])):
            if g.shape != view.shape:
                raise ValueError(f"gradient of a parameter: expected shape {view.shape}, got {g.shape}")
            if g.dtype != dtype:
                found[k] = self.device.xp.astype(g, dtype)
        return found

    def _chunks(self, first, last, gradients):
        """(start, stop, flat gradient) of parameters first..last: a large one as it is, small neighbours joined."""
        chunks, k, offsets = [], first, self.offsets
        while k < last:
            start, small = k, []
            while k < last and offsets[k + 1] - offsets[k] < PIECE:
                small.append(gradients[k - first].reshape(-1))
                k += 1
            if small:
                chunks.append((offsets[start], offsets[k], self._joined(small)))
            if k < last:
                chunks.append((offsets[k], offsets[k + 1], gradients[k - first].reshape(-1)))
                k += 1
        return chunks

    def _update(self, optimizer, group, chunks, t, numbers):
        """One call of the rule per piece of the flat arrays."""
        xp, flat, states, maximize = self.device.xp, self.flat, self.state, group.get("maximize", False)

        def work(pieces):
            for a, b, part in pieces:
                state = {name: array[a:b] for name, array in states.items()}
                state.update(numbers)
                optimizer.update(xp, flat[a:b], -part if maximize else part, state, t, group)

        pieces = list(self._pieces(chunks))
        if len(pieces) >= SPREAD and self.device.name == "cpu":
            spread(work, pieces)
        else:
            work(pieces)

    def _pieces(self, chunks):
        """The chunks cut into what fits the cache; a GPU takes them whole."""
        for start, stop, g in chunks:
            piece = PIECE if self.device.name != "cuda" else max(stop - start, 1)
            for a in range(start, stop, piece):
                b = min(a + piece, stop)
                yield a, b, g[a - start : b - start]

    def _update_each(self, optimizer, group, first, gradients, t, numbers):
        """One call of the rule per parameter, in its own shape."""
        maximize = group.get("maximize", False)
        for k, g in enumerate(gradients, first):
            state = {name: self._shaped(name, k) for name in self.names if self.shapes[name][k] is not None}
            optimizer.update(self.device.xp, self.views[k], -g if maximize else g, {**state, **numbers}, t, group)


def _offsets(sizes):
    offsets = [0]
    for n in sizes:
        offsets.append(offsets[-1] + n)
    return offsets


def _size(shape):
    n = 1
    for length in shape:
        n *= length
    return n
