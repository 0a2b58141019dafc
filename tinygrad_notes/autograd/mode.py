"""What the engine is doing in this thread: recording gradients or not, looking for anomalies or not."""
import functools
import threading


class _Mode(threading.local):
    grad = True      # record operations for the backward pass
    anomaly = False  # note source lines, look for the first NaN or infinity
    record = 1       # both in one number, for the hot path: 0 nothing, 1 nodes, 2 nodes with notes
    watch = None     # a function (node, arrays, out) that sees every recorded operation with its inputs
    rule = None      # the node whose gradient rule is running, while anomalies are looked for


mode = _Mode()


class Switch:
    """Sets one field of `mode` inside a `with` block or a decorated function, then restores it."""

    field: str

    def __init__(self, value):
        self._value = value
        self._outer = []

    def __enter__(self):
        self._outer.append(getattr(mode, self.field))
        self._set(self._value)
        return self

    def __exit__(self, *exc):
        self._set(self._outer.pop())

    def _set(self, value):
        setattr(mode, self.field, value)
        mode.record = 0 if not mode.grad else 2 if mode.anomaly or mode.watch is not None else 1

    def __call__(self, function):
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            with type(self)(self._value):
                return function(*args, **kwargs)
        return wrapped


class set_grad_enabled(Switch):
    """Record operations for backward inside the block if `value`, else do not."""

    field = "grad"


class watching(Switch):
    """Inside the block, call a function of (node, arrays, out) for every operation that is recorded."""

    field = "watch"


class no_grad(set_grad_enabled):
    """Nothing computed inside is recorded: results have `requires_grad=False`.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([1.0], requires_grad=True)
        >>> with tn.no_grad():
        ...     (2 * x).requires_grad
        False
    """

    def __init__(self, value=False):
        if callable(value):
            raise TypeError("no_grad: write @tn.no_grad() with parentheses")
        super().__init__(False)


class enable_grad(set_grad_enabled):
    """Record operations for backward inside the block, also within `no_grad`."""

    def __init__(self, value=True):
        if callable(value):
            raise TypeError("enable_grad: write @tn.enable_grad() with parentheses")
        super().__init__(True)


def is_grad_enabled():
    """Whether operations are recorded in this thread."""
    return mode.grad
