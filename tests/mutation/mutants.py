"""Gradient rules broken on purpose, one small change at a time, to see whether the table of operations notices.

The source of a rule is parsed, one node of it is changed (a sign, a factor, + for -), and the rule is compiled
again and put in place of the right one for as long as the block lasts.
"""
import ast
import copy
import functools
import inspect
from contextlib import contextmanager
from dataclasses import dataclass

from tests.ops.drive import ROWS, active_of, inputs_of, nodes_of, pull, tracked
from tinygrad_notes.autograd import PRIMITIVES


@dataclass(frozen=True)
class Mutant:
    """One broken rule: of which operation and input, what was changed, and the function."""

    operation: str
    input: str
    change: str
    function: object

    @property
    def id(self):
        """A name for it."""
        return f"{self.operation}.{self.input}: {self.change}"


ZERO = ("flat", "zeros_like")  # functions whose value does not depend on that of their argument


# One change -------------------------------------------------------------------------
def changes(node):
    """(name, changed node) for every way to break one node."""
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Mult):
            yield "left factor dropped", node.right
            yield "right factor dropped", node.left
            if called(node.right) != "sign":  # x / 1 is x * 1
                yield "* became /", ast.BinOp(node.left, ast.Div(), node.right)
        if isinstance(node.op, ast.Div):
            yield "divisor dropped", node.left
            yield "/ became *", ast.BinOp(node.left, ast.Mult(), node.right)
        if isinstance(node.op, ast.Add):
            yield "+ became -", ast.BinOp(node.left, ast.Sub(), node.right)
            yield "left term dropped", node.right
        if isinstance(node.op, ast.Sub):
            yield "- became +", ast.BinOp(node.left, ast.Add(), node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield "sign dropped", node.operand


def called(node):
    """The name of the array function that an expression calls, or ""."""
    return node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""


def variants(tree):
    """(change, changed tree) for every node of what a rule returns, and for its result as a whole."""
    roots = [tree] if isinstance(tree, ast.Lambda) else [n for n in ast.walk(tree) if isinstance(n, ast.Return)]
    for number, root in enumerate(roots):
        field = "body" if isinstance(root, ast.Lambda) else "value"
        result = getattr(root, field)
        if result is None or isinstance(result, ast.Tuple) or called(result) in ZERO:
            continue
        yield "sign of the result", replaced(tree, number, field, [], ast.UnaryOp(ast.USub(), copy.deepcopy(result)))
        for path, node in walk(result):
            for name, changed in changes(node):
                text = ast.unparse(node)
                yield (f"{name} in {text if len(text) < 50 else text[:47] + '...'}",
                       replaced(tree, number, field, path, changed))


def walk(node, path=()):
    """(path, node) of an expression; what indexes or shapes arrays is left alone."""
    yield list(path), node
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.Call) and (field != "args" or called(node) in ZERO):
            continue
        if isinstance(node, ast.Subscript) and field == "slice":
            continue
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.expr):
                yield from walk(child, (*path, (field, place)))


def replaced(tree, number, field, path, new):
    """A copy of a rule's tree with one expression exchanged."""
    tree = copy.deepcopy(tree)
    new = copy.deepcopy(new)
    root = tree if isinstance(tree, ast.Lambda) else [n for n in ast.walk(tree) if isinstance(n, ast.Return)][number]
    if not path:
        setattr(root, field, new)
        return tree
    node = getattr(root, field)
    for name, place in path[:-1]:
        node = getattr(node, name) if place is None else getattr(node, name)[place]
    name, place = path[-1]
    if place is None:
        setattr(node, name, new)
    else:
        getattr(node, name)[place] = new
    return tree


# Rules of the package ---------------------------------------------------------------
@functools.cache
def functions_of(file):
    """Every lambda and function of a source file, by its first line."""
    found = {}
    with open(file, encoding="utf-8") as source:
        for node in ast.walk(ast.parse(source.read())):
            if isinstance(node, (ast.Lambda, ast.FunctionDef)):
                found.setdefault(node.lineno, []).append(node)
    return found


def tree_of(rule):
    """The syntax tree of a rule, or None where it cannot be told for sure."""
    file = inspect.getsourcefile(rule)
    if file is None or file.startswith("<") or rule.__code__.co_freevars:
        return None
    same = [node for node in functions_of(file).get(rule.__code__.co_firstlineno, ())
            if compiled(node, {}).__code__.co_code == rule.__code__.co_code
            and compiled(node, {}).__code__.co_consts == rule.__code__.co_consts
            and compiled(node, {}).__code__.co_names == rule.__code__.co_names]
    return same[0] if same and all(ast.dump(node) == ast.dump(same[0]) for node in same) else None


def compiled(tree, scope):
    """The function that a tree means, with these globals."""
    if isinstance(tree, ast.Lambda):
        tree = ast.Expression(copy.deepcopy(tree))
        return eval(compile(ast.fix_missing_locations(tree), "<mutant>", "eval"), scope)
    scope, body = dict(scope), copy.deepcopy(tree)
    exec(compile(ast.fix_missing_locations(ast.Module([body], [])), "<mutant>", "exec"), scope)
    return scope[body.name]


@functools.cache
def mutants():
    """Every mutant of every rule of the package whose source can be found."""
    found = []
    for op in PRIMITIVES.values():
        if not (op.forward.__module__ or "").startswith("tinygrad_notes."):
            continue
        for name, rule in op.rules.items():
            tree = tree_of(rule)
            for change, changed in variants(tree) if tree is not None else ():
                found.append(Mutant(op.name, name, change, compiled(changed, rule.__globals__)))
    return found


@contextmanager
def in_place(mutant):
    """Inside the block the broken rule is the rule."""
    op = PRIMITIVES[mutant.operation]
    right = op.rules[mutant.input]
    try:
        use(op, mutant.input, mutant.function)
        yield
    finally:
        use(op, mutant.input, right)


def use(op, name, rule):
    """Exchange a rule; everything that was compiled with the old one is forgotten."""
    op.rules[name] = rule
    for plan in op._plans.values():
        plan._compiled.clear()
        plan.vjp = plan._first_vjp


@functools.cache
def rows_by_rule():
    """{(operation, input): rows whose first or second derivative runs that rule}."""
    found = {}
    for row in ROWS:
        arrays = inputs_of(row)
        active = active_of(row, arrays)
        if not active:
            continue
        outputs, wanted, gradients = pull(row, arrays, active, create_graph=True)
        nodes = [(1, node) for node in nodes_of(outputs)]
        if row.order >= 2 and tracked(gradients):
            nodes += [(2, node) for node in nodes_of(tracked(gradients))]
        for order, node in nodes:
            op = node.plan.primitive
            for i in node.plan.wanted:
                if not op.variadic:
                    rows = found.setdefault((op.name, op.inputs[i]), [])
                    if (order, row) not in rows:
                        rows.append((order, row))
    def own_and_small_first(rule):
        return lambda entry: (entry[1].name != rule[0], entry[0], sum(a.size for a in inputs_of(entry[1])))
    return {rule: sorted(rows, key=own_and_small_first(rule)) for rule, rows in found.items()}


