"""The flat buffers behind a parameter group: parameters, gradients and state in one array each."""

from __future__ import annotations

from sys import getrefcount
from typing import NamedTuple

from ..autograd import Tensor
from ..backend import device_of

PIECE = 1 << 15  # elements per call: parameter, gradient and state of a piece stay in the cache


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
        xp, offsets = self.device.xp, self.offsets
        self.views = [xp.reshape(self.flat[offsets[k] : offsets[k + 1]], p.shape) for k, p in enumerate(self.params)]
        for p, view in zip(self.params, self.views):
            p.data = view

    def fits(self, optimizer, group):
        """Whether parameters and state names are still those this block was made for."""
        return tuple(optimizer.states_for(group)) == self.names and all(
            p.data is view
            or (p.data.dtype == view.dtype and p.data.shape == view.shape and device_of(p.data) is self.device)
            for p, view in zip(self.params, self.views)
        )

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
            t, numbers = self.advance(optimizer, group, first, last)
            if optimizer.whole:
                self._update_each(optimizer, group, first, last, t, numbers)
            else:
                for start, stop, g in self._gradients(first, last):
                    self._update(optimizer, group, start, stop, g, t, numbers)

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
        for k, (p, view) in enumerate(zip(self.params, self.views)):
            if p.data is not view:
                self.flat[self.offsets[k] : self.offsets[k + 1]] = self.device.xp.reshape(p.data, (-1,))
                p.data = view
        # References to the flat array: this object's, one per view, and getrefcount's own argument. More means
        # that a pending graph or the user looks at the present values: they keep theirs, we go on with a copy.
        held = getrefcount(getattr(self.flat, "_host", self.flat)) > len(self.views) + 2
        if held or any(getrefcount(view) > 4 for view in self.views):
            self.rebind(self.flat.copy())

    def runs(self):
        """Neighbouring parameters that have gradients and the same past: (first, last)."""
        runs, k, n = [], 0, len(self.params)
        while k < n:
            if self.params[k].grad is None:
                k += 1
                continue
            first, kept = k, [self.steps, *self.numbers.values()]
            while k < n and self.params[k].grad is not None and all(values[k] == values[first] for values in kept):
                k += 1
            runs.append((first, k))
        return runs

    def gradient(self):
        """The flat gradient of all parameters, zero where there is none."""
        xp = self.device.xp
        found = [
            xp.zeros(p.size, dtype=self.flat.dtype) if p.grad is None else xp.reshape(self._gradient(k), (-1,))
            for k, p in enumerate(self.params)
        ]
        return found[0] if len(found) == 1 else xp.concat(found)

    def _gradients(self, first, last):
        """Flat gradients of parameters first..last: a large one as it is, small neighbours joined."""
        xp, k = self.device.xp, first
        while k < last:
            start = k
            small = []
            while k < last and self.params[k].size < PIECE:
                small.append(xp.reshape(self._gradient(k), (-1,)))
                k += 1
            if small:
                yield self.offsets[start], self.offsets[k], small[0] if len(small) == 1 else xp.concat(small)
            else:
                yield self.offsets[k], self.offsets[k + 1], xp.reshape(self._gradient(k), (-1,))
                k += 1

    def _gradient(self, k):
        p = self.params[k]
        g = p.grad.data
        if g.shape != p.shape:
            raise ValueError(f"gradient of a parameter: expected shape {p.shape}, got {g.shape}")
        if g.dtype != self.flat.dtype:
            g = self.device.xp.astype(g, self.flat.dtype)
        return g

    def _update(self, optimizer, group, start, stop, g, t, numbers):
        """One call of the rule per piece of the flat arrays."""
        xp, states = self.device.xp, self.state
        piece = PIECE if self.device.name != "cuda" else max(stop - start, 1)
        maximize = group.get("maximize", False)
        for a in range(start, stop, piece):
            b = min(a + piece, stop)
            part = g[a - start : b - start]
            if maximize:
                part = -part
            state = {name: flat[a:b] for name, flat in states.items()}
            optimizer.update(xp, self.flat[a:b], part, state | numbers if numbers else state, t, group)

    def _update_each(self, optimizer, group, first, last, t, numbers):
        """One call of the rule per parameter, in its own shape."""
        maximize = group.get("maximize", False)
        for k in range(first, last):
            g = -self._gradient(k) if maximize else self._gradient(k)
            state = {name: self._shaped(name, k) for name in self.names if self.shapes[name][k] is not None}
            optimizer.update(self.device.xp, self.views[k], g, state | numbers, t, group)


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
