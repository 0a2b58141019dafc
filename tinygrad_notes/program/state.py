"""What a function reaches by itself, through closures, globals and attributes: tensors, modules, optimizers."""
import operator
import types

from ..autograd.tensor import Tensor
from ..backend import Generator, default_generator

_PLAIN = (str, bytes, int, float, complex, bool, type(None), type, types.ModuleType, types.BuiltinFunctionType)


FEW = 64  # values of a list or dict that are looked at before every run
_GONE = object()


class Facts:
    """Plain Python values that a function may read: a recording holds while they are what they were.

    Fields:
        fixed: (dict, key, value) of the attributes of modules, which tell when one is set (`mode.changes`).
        loose: (read, key, value, write) of others: `read(key)` gives the present value, `write(key, value)` sets it.
    """

    def __init__(self):
        self.fixed, self.loose = [], []

    def attributes(self, thing, is_module):
        """Take down the plain attributes of an object."""
        namespace = vars(thing)
        for key, value in namespace.items():
            if _is_plain(value) and is_module:
                self.fixed.append((namespace, key, value))
            elif _is_plain(value):
                self.loose.append((namespace.get, key, value, namespace.__setitem__))
        if is_module:
            self.fixed.append((namespace, "training", namespace.get("training")))

    def put_back(self):
        """Let every value be again what it was; returns (key, before, then) of the first that was another, or None.

        What was made meanwhile and is no plain value, such as a table made when it is first needed, may stay.
        """
        first = None
        for namespace, key, value in self.fixed:
            if _is_plain(namespace.get(key)) and namespace.get(key) != value:
                first = first or (key, value, namespace.get(key))
                namespace[key] = value
        for read, key, value, write in self.loose:
            now = read(key)
            if _is_plain(now) and now is not value and now != value:
                first = first or (key, value, now)
                write(key, value)
        return first


def _is_plain(value):
    if isinstance(value, tuple):
        return all(_is_plain(part) for part in value)
    return value is None or isinstance(value, (bool, int, float, complex, str))


class Reach:
    """The tensors and other objects of interest that were found, each with the path by which it was found first.

    Fields:
        tensors: {Tensor: path}.
        modules: {Module: path}.
        participants: {object: path} of objects that take part in a recording themselves, such as optimizers: they have
            `prepare_recording()`, and `begin_recording(recording, path)`, which returns an object with
            `end(recording)`, `close(committed)` and `holds()`.
        generators: the random streams, the default one among them.
        facts: plain values that the function may read (`Facts`).
        places: (dict, key, path) of the attributes that hold tensors.
    """

    def __init__(self):
        self.tensors, self.modules, self.participants = {}, {}, {}
        self.generators = [default_generator]
        self.places = []  # (dict, key, path) of the attributes in which tensors were found
        self.facts = Facts()
        self._seen = {id(default_generator)}

    def search(self, roots):
        """Look behind (path, object) pairs, nearest first."""
        queue = list(roots)
        for path, thing in queue:  # grows while it is walked: breadth first
            if isinstance(thing, _PLAIN) or id(thing) in self._seen or getattr(type(thing), "never_changes", False):
                continue
            self._seen.add(id(thing))
            if isinstance(thing, Tensor):
                self.tensors[thing] = path
                continue
            if isinstance(thing, dict):
                self.places += [(thing, key, f"{path}.{key}") for key, v in thing.items() if isinstance(v, Tensor)]
            module = hasattr(type(thing), "register_forward_pre_hook")
            if module:
                self.modules[thing] = path
            if hasattr(type(thing), "begin_recording"):
                self.participants[thing] = path
            elif isinstance(thing, types.FunctionType):
                self.facts.loose += _read_by(thing)
            elif hasattr(thing, "__dict__") and (module or not _of_package(thing)):
                self.facts.attributes(thing, module)
            if isinstance(thing, Generator):
                self.generators.append(thing)
            queue.extend(_inside(path, thing))
        self._held = [thing for _, thing in queue]  # so that no id is used twice while this lives
        return self


def _inside(path, thing):
    """(path, object) of what is directly behind an object."""
    dot = path + "." if path else ""
    if isinstance(thing, types.FunctionType):
        yield from _of_function(path, thing)
    elif isinstance(thing, types.MethodType):
        yield path, thing.__self__
        yield from _of_function("", thing.__func__)
    elif isinstance(thing, dict):
        yield from ((f"{dot}{key}" if isinstance(key, str) else path, value) for key, value in list(thing.items()))
        yield from ((path, key) for key in list(thing) if not isinstance(key, _PLAIN))
    elif isinstance(thing, (list, tuple, set, frozenset)):
        yield from ((f"{dot}{k}", value) for k, value in enumerate(thing))
    else:
        if hasattr(thing, "__wrapped__") and callable(thing):
            yield path, thing.__wrapped__
        if hasattr(thing, "func") and hasattr(thing, "keywords"):  # functools.partial
            yield from ((path, part) for part in (thing.func, thing.args, thing.keywords))
        if hasattr(thing, "__dict__"):
            yield path, vars(thing)
        for cls in type(thing).__mro__:
            slots = cls.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if not name.startswith("__") and hasattr(thing, name):
                    yield dot + name, getattr(thing, name)


def _of_function(path, function):
    """What a function closes over, its defaults, and the globals that it and the functions inside it name."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield path, value
    if not (function.__module__ or "").startswith("tinygrad_notes."):  # the package's own globals hold no state
        for name in _names(function.__code__):
            if name in function.__globals__:
                yield name, function.__globals__[name]
    yield from ((f"{path}.{name}", value) for name, value in vars(function).items())


def _read_by(function):
    """(read, key, value, write) of the plain values that a function closes over or finds among the globals."""
    if (function.__module__ or "").startswith("tinygrad_notes."):
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        if _is_plain(value):
            yield (lambda key, cell=cell: cell.cell_contents, name, value,
                   lambda key, new, cell=cell: setattr(cell, "cell_contents", new))
        else:
            yield from _elements(name, value)
    for name in set(_names(function.__code__)):
        value = function.__globals__.get(name)
        if name in function.__globals__ and _is_plain(value) and not name.startswith("__"):
            yield function.__globals__.get, name, value, function.__globals__.__setitem__
        elif name in function.__globals__:
            yield from _elements(name, value)


def _elements(name, value):
    """The plain values directly in a list or dict, of which Python programs make counters and settings."""
    if type(value) not in (list, dict) or len(value) > FEW:
        return
    for key, part in (value.items() if type(value) is dict else enumerate(value)):
        if _is_plain(part):
            yield (lambda _, key=key: _at(value, key), f"{name}[{key!r}]", part,
                   lambda _, new, key=key: operator.setitem(value, key, new))


def _at(container, key):
    try:
        return container[key]
    except (KeyError, IndexError):
        return _GONE


def _of_package(thing):
    return (type(thing).__module__ or "").startswith("tinygrad_notes.")


def _names(code):
    """The global names that some code reads, also in functions defined inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
