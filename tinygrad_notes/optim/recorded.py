"""An optimizer inside a recorded computation: its flat buffers are states of the program, its step one piece of it."""
from ..autograd import Tensor
from ..program.errors import CannotRecord
from ..program.scalars import Scalar


class BufferSlot:
    """Where a flat buffer of a block lives: the parameters (`name` None) or a state array. Written in place."""

    __slots__ = ("block", "name")
    in_place = True

    def __init__(self, block, name=None):
        self.block, self.name = block, name

    def get(self):
        """The present array."""
        return self.block.flat if self.name is None else self.block.state[self.name]

    def set(self, array):
        """Copy `array` into the buffer."""
        if array is not self.get():
            self.get()[...] = array


class RecordedOptimizer:
    """The blocks of an optimizer for the time of one recording."""

    def __init__(self, optimizer, recording, path):
        self.optimizer = optimizer
        self.groups = [[RecordedBlock(block, recording, path) for block in optimizer._blocks_of(k)]
                       for k in range(len(optimizer.param_groups))]
        optimizer._recorded = self
        self.pasts = [(block.block, [block.block.past(k) for k in range(len(block.block.params))])
                      for blocks in self.groups for block in blocks]

    def step(self, tape):
        """Record the update of every parameter that has a gradient."""
        optimizer = self.optimizer
        for group, blocks in zip(optimizer.param_groups, self.groups):
            optimizer.check(group)
            options = scalar_options(tape, group, optimizer.steering)
            for block in blocks:
                with tape.inside(type(optimizer).__name__, "update") as scope:
                    scope.inputs, scope.outputs = block.step(tape, optimizer, group, options)

    def close(self, committed):
        """After the recording: if it does not count, neither do its steps."""
        del self.optimizer._recorded
        if not committed:
            for block, pasts in self.pasts:
                for k, past in enumerate(pasts):
                    block.restore(k, k + 1, past)

    def holds(self):
        """Whether the buffers are still those of the recording; takes over parameters assigned from outside."""
        optimizer = self.optimizer
        for k, blocks in enumerate(self.groups):
            now = optimizer._blocks_of(k)
            if len(now) != len(blocks) or any(a is not b.block for a, b in zip(now, blocks)):
                return False
            for block in now:
                block.adopt()
        return len(self.groups) == len(optimizer.param_groups)

    def end(self, recording):
        """Say what the buffers have become."""
        for blocks in self.groups:
            for block in blocks:
                block.end(recording)


class RecordedBlock:
    """One block: its buffers as recorded arrays, and each parameter as a part of them."""

    def __init__(self, block, recording, path):
        self.block = block
        self.flat = recording.state(BufferSlot(block), f"{path}.parameters")
        self.state = {name: recording.state(BufferSlot(block, name), f"{path}.{name}") for name in block.state}
        self.start = {None: self.flat.value, **{name: array.value for name, array in self.state.items()}}
        self.parts = []
        for k, p in enumerate(block.params):
            self.parts.append(self.part(self.flat, k))
            recording.own(p, self.parts[k])

    def part(self, flat, k):
        """Parameter k of a flat array."""
        block = self.block
        return flat[block.offsets[k]:block.offsets[k + 1]].reshape(block.params[k].shape)

    def gather(self):
        """The flat parameters as they are now, also where somebody assigned to single ones."""
        params = self.block.params
        if any(p.data.value is not part.value for p, part in zip(params, self.parts)):
            xp = self.block.device.xp if self.flat is None else self.flat.tape.device.xp
            self.flat = xp.concat([xp.reshape(p.data, (-1,)) for p in params])
        return self.flat

    def step(self, tape, optimizer, group, options):
        """Update; returns the values that went in and came out. `options` are those of the group, as scalars."""
        block, xp = self.block, tape.device.xp
        read, made = [], []
        for first, last in block.runs():
            count = Count(block, optimizer, group, first, last)
            tape.effect(count.do, count.undo)
            t = tape.scalar(lambda count=count: count.t)
            numbers = {name: tape.scalar(lambda count=count, name=name: count.numbers[name]) for name in count.numbers}
            pieces = [(k, k + 1) for k in range(first, last)] if optimizer.whole else [(first, last)]
            for i, j in pieces:
                gradients = [xp.reshape(_gradient(p), (-1,)) for p in block.params[i:j]]
                g = xp.concat(gradients) if len(gradients) > 1 else gradients[0]
                if group.get("maximize", False):
                    g = -g
                p, state = _cut(self.gather(), block.offsets, i, j), {}
                for name, array in self.state.items():
                    if not optimizer.whole or block.shapes[name][i] is not None:
                        state[name] = _cut(array, block.starts[name], i, j)
                read += [g.value, p.value]
                if optimizer.whole:
                    g, p = (array.reshape(block.params[i].shape).copy() for array in (g, p))
                    state = {name: array.reshape(block.shapes[name][i]).copy() for name, array in state.items()}
                optimizer.update(xp, p, g, {**state, **numbers}, t, options)
                made.append(p.value)
                self.flat = _pasted(self.flat, block.offsets, i, j, p)
                for name, new in state.items():
                    self.state[name] = _pasted(self.state[name], block.starts[name], i, j, new)
                for k, q in enumerate(block.params):
                    self.parts[k] = q.data = self.part(self.flat, k)
        return tuple(read), tuple(made)

    def end(self, recording):
        """Say what the buffers have become."""
        recording.update(self.start[None], self.gather())
        for name, array in self.state.items():
            recording.update(self.start[name], array)


def _gradient(p):
    if p.grad.shape != p.shape:
        raise ValueError(f"gradient of a parameter: expected shape {p.shape}, got {p.grad.shape}")
    return p.grad.data.astype(p.dtype) if p.grad.dtype != p.dtype else p.grad.data


def _cut(array, offsets, i, j):
    """A copy of parts i..j of a flat array."""
    a, b = offsets[i], offsets[j]
    return array.copy() if (a, b) == (0, offsets[-1]) else array[a:b].copy()


def _pasted(array, offsets, i, j, part):
    """The flat array with parts i..j replaced."""
    a, b = offsets[i], offsets[j]
    part = part.reshape((b - a,))
    if (a, b) == (0, offsets[-1]):
        return part
    changed = array.copy()
    changed[a:b] = part
    return changed


class Count:
    """The counting of one step of some parameters, done in every run and taken back where the run does not count."""

    def __init__(self, block, optimizer, group, first, last):
        self.block, self.optimizer, self.group, self.first, self.last = block, optimizer, group, first, last

    def do(self):
        """Count."""
        self.past = self.block.past(self.first)
        self.t, self.numbers = self.block.advance(self.optimizer, self.group, self.first, self.last)

    def undo(self):
        """Take it back."""
        self.block.restore(self.first, self.last, self.past)


def scalar_options(tape, group, steering=()):
    """The options of a group with numbers that are read anew in every run; `steering` and anything else is a guard."""
    def read(*keys):
        found = group
        for key in keys:
            found = found[key]
        if not isinstance(found, (int, float)) or isinstance(found, bool) or keys[0] in steering:
            if isinstance(found, Tensor):
                raise CannotRecord(f"option {keys[0]!r} is a Tensor; give a number to record an optimizer")
            tape.guards.append((lambda: _at(group, keys), (), found))
            return found
        return tape.scalar(lambda: _at(group, keys))
    options = {}
    for key, value in group.items():
        if key == "params":
            options[key] = value
        elif isinstance(value, tuple):
            options[key] = tuple([read(key, k) for k in range(len(value))])
        else:
            options[key] = read(key)
    return options


def _at(group, keys):
    found = group
    for key in keys:
        found = found[key]
    return found


__all__ = ["RecordedOptimizer", "Scalar"]
