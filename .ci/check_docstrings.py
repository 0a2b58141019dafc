#!/usr/bin/env python3
"""Every public function, class and method has a docstring that says what must be known to use it.

Required: a first sentence that ends with a full stop; `Args:` where there are parameters; `Returns:` where a value
is returned (or `Yields:`); `Raises:` where an exception is raised in its own body; `Example:` for functions and
classes. Methods need the sentence alone: they are listed under their class. Prints what is missing; exit status 1.
"""
import ast
import importlib
import inspect
import sys
import textwrap
import types

PUBLIC = [
    "tinygrad_notes", "tinygrad_notes.analysis",
    "tinygrad_notes.autograd", "tinygrad_notes.backend", "tinygrad_notes.linalg",
    "tinygrad_notes.nn", "tinygrad_notes.nn.functional", "tinygrad_notes.nn.graph", "tinygrad_notes.nn.init",
    "tinygrad_notes.nn.utils", "tinygrad_notes.nn.utils.parametrizations", "tinygrad_notes.nn.utils.parametrize",
    "tinygrad_notes.nn.utils.prune",
    "tinygrad_notes.nn.utils.rnn", "tinygrad_notes.optim", "tinygrad_notes.optim.lr_scheduler",
    "tinygrad_notes.program", "tinygrad_notes.program.onnx", "tinygrad_notes.data", "tinygrad_notes.data.augment",
    "tinygrad_notes.distributions", "tinygrad_notes.distributions.constraints",
    "tinygrad_notes.func", "tinygrad_notes.special",
    "tinygrad_notes.train", "tinygrad_notes.testing", "tinygrad_notes.testing.strategies", "tinygrad_notes.viz",
    "tinygrad_notes.models", "tinygrad_notes.models.diffusion",
    "tinygrad_notes.models.flows", "tinygrad_notes.models.measures",
]


def modules():
    """The public modules that exist."""
    for name in PUBLIC:
        parent, _, last = name.rpartition(".")
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            module = getattr(importlib.import_module(parent), last, None)
        if isinstance(module, types.ModuleType):
            yield name, module


def objects():
    """(name, object) of every public function and class, once each, under its first name."""
    seen = set()
    for name, module in modules():
        for public in getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]:
            found = getattr(module, public, None)
            home = getattr(found, "__module__", None) or ""
            within = "tinygrad_notes" if hasattr(module, "__all__") else name  # what a module merely imports is not its
            if not (inspect.isfunction(found) or inspect.isclass(found)) or not home.startswith(within):
                continue
            if id(found) not in seen:
                seen.add(id(found))
                yield f"{name}.{public}", found


def body(function):
    """The syntax tree of a function, or None where it has no source of its own (made by a table)."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, IndentationError):
        return None
    found = tree.body[0] if tree.body else None
    return found if isinstance(found, ast.FunctionDef) and found.name == function.__name__ else None


def own_nodes(tree):
    """The nodes of a function without those of functions inside it."""
    stack = list(tree.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))


def missing_in_function(function, doc):
    """The sections that a function's docstring lacks."""
    parameters = [p for p in signature(function) if p not in ("self", "cls")]
    lacks = [] if not parameters or "Args:" in doc else ["Args"]
    tree = body(function)
    nodes = list(own_nodes(tree)) if tree is not None else []
    returns = any(isinstance(n, ast.Return) and n.value is not None
                  and not (isinstance(n.value, ast.Constant) and n.value.value is None) for n in nodes)
    if returns and "Returns:" not in doc:
        lacks.append("Returns")
    if any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in nodes) and not {"Yields:", "Returns:"} & set(doc.split()):
        lacks.append("Yields")
    if any(isinstance(n, ast.Raise) and n.exc is not None for n in nodes) and "Raises:" not in doc:
        lacks.append("Raises")
    return lacks if "Example:" in doc else [*lacks, "Example"]


def missing_in_class(cls, doc):
    """The sections that a class's docstring lacks."""
    if issubclass(cls, BaseException):
        return []
    own = cls.__dict__.get("__init__")
    takes = [p for p in signature(own) if p != "self"] if inspect.isfunction(own) else []
    lacks = ["Args"] if takes and not any(part in doc for part in ("Args:", "Fields:")) else []
    tree = body(own) if own is not None else None
    if tree is not None and any(isinstance(n, ast.Raise) and n.exc is not None for n in own_nodes(tree)) \
            and "Raises:" not in doc:
        lacks.append("Raises")
    record = "Fields:" in doc or issubclass(cls, tuple)  # what functions return is shown in their examples
    if "Example:" not in doc and not record:
        lacks.append("Example")
    return lacks


def signature(function):
    """The names of the parameters."""
    try:
        return [p.name for p in inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        return []


def sentence(doc):
    """Whether the docstring starts with a whole sentence."""
    first = doc.strip().split("\n\n")[0].strip()
    return bool(first) and first.rstrip(":")[-1] in ".:?!"


def check(name, found):
    """Yield (name, what is missing)."""
    doc = inspect.cleandoc((vars(found) if inspect.isclass(found) else {"__doc__": found.__doc__})["__doc__"] or "")
    if not doc:
        yield name, ["docstring"]
        return
    lacks = missing_in_class(found, doc) if inspect.isclass(found) else missing_in_function(found, doc)
    lacks += [] if sentence(doc) else ["first sentence"]
    if lacks:
        yield name, lacks
    if inspect.isclass(found):
        for method, function in vars(found).items():
            function = function.fget if isinstance(function, property) else getattr(function, "__func__", function)
            overrides = any(hasattr(base, method) for base in found.__mro__[1:])
            if inspect.isfunction(function) and not method.startswith("_") and not overrides and not function.__doc__:
                yield f"{name}.{method}", ["docstring"]


def main():
    """Print what is missing; the exit status."""
    gaps = [gap for name, found in objects() for gap in check(name, found)]
    for name, lacks in gaps:
        print(f"{name}: no {', '.join(lacks)}")
    total = sum(1 for _ in objects())
    print(f"{total} public names, {len(gaps)} with gaps in their docstrings")
    return bool(gaps)


if __name__ == "__main__":
    sys.exit(main())
