"""The gradient rule of an input as a formula, in the words in which the table of operations writes it."""
from __future__ import annotations

import ast
import functools
import linecache

from ..autograd.plan import parameters

LONGEST = 96


def formula(primitive, position):
    """The rule of input `position` of an operation, such as "g * cos(x)"; "" if it has none."""
    key = (primitive, position)
    if key not in _known:
        _known[key] = _formula(primitive, position)
    return _known[key]


_known: dict = {}


def _formula(primitive, position):
    if primitive.joint is not None:
        name = f"#{position}" if position >= len(primitive.inputs) else None
        body = _body(primitive.joint)
        if isinstance(body, ast.Tuple) and name is None and len(body.elts) == len(primitive.inputs):
            return _text(body.elts[position], primitive.joint)
        return _call(primitive.joint, position)
    name = primitive.inputs[position] if position < len(primitive.inputs) else None
    rule = primitive.rules.get(name)
    if rule is None:
        return ""
    body = _body(rule)
    return _call(rule) if body is None else _text(body, rule)


def _text(body, rule):
    while isinstance(body, ast.IfExp):  # a gradient that is needed; else the general way beside a faster one
        body = body.body if "needs" in ast.unparse(body.test) else body.orelse
    text = ast.unparse(_Plain().visit(ast.fix_missing_locations(body)))
    return text if len(text) <= LONGEST and "\n" not in text else _call(rule)


def _call(rule, position=None):
    """A rule that is too long for a picture: its name and what it reads."""
    name = rule.__name__.strip("_") if rule.__name__ != "<lambda>" else "rule"
    told = f"{name}({', '.join(p for p in parameters(rule) if p not in ('xp', 'needs'))})"
    return told if position is None else f"{told}[{position}]"


class _Plain(ast.NodeTransformer):
    """Without the `xp.` before the functions."""

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "xp":
            return ast.Name(node.attr, node.ctx)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        node.args = [a for a in node.args
                     if not (isinstance(a, ast.Name) and (a.id == "xp" or a.id.endswith("_shape")))]
        node.keywords = [k for k in node.keywords if not _plumbing(k)]
        if isinstance(node.func, ast.Name):
            node.func = ast.Name(node.func.id.strip("_"), node.func.ctx)
        return node


def _plumbing(keyword):
    """Whether a keyword hands on a parameter of the operation as it is, or says what shape the input had."""
    value = keyword.value
    return isinstance(value, ast.Name) and (value.id == keyword.arg or value.id.endswith("_shape"))


def _body(rule):
    """The expression that a rule returns, with names that were given once put in; None if it is no one expression."""
    text = getattr(rule, "text", None)
    if text is not None:
        return ast.parse(text, mode="eval").body
    found = _find(rule.__code__)
    if found is None or isinstance(found, ast.Lambda):
        return found.body if found else None
    steps = [s for s in found.body if not isinstance(s, ast.Expr)]
    known: dict[str, ast.expr] = {}
    for step in steps[:-1]:
        if not (isinstance(step, ast.Assign) and len(step.targets) == 1 and isinstance(step.targets[0], ast.Name)):
            return None
        known[step.targets[0].id] = _Filled(known).visit(ast.parse(ast.unparse(step.value), mode="eval").body)
    last = steps[-1] if steps else None
    if not isinstance(last, ast.Return) or last.value is None:
        return None
    return _Filled(known).visit(ast.parse(ast.unparse(last.value), mode="eval").body)


class _Filled(ast.NodeTransformer):
    def __init__(self, known):
        self.known = known

    def visit_Name(self, node):
        return ast.parse(ast.unparse(self.known[node.id]), mode="eval").body if node.id in self.known else node


def _find(code):
    """The syntax of the function that a code object was compiled from; None if its source is not at hand."""
    names = list(code.co_varnames[:code.co_argcount + code.co_kwonlyargcount])
    spots = [(line, column) for line, _, column, _ in code.co_positions() if line and column is not None]
    inside = max(spots, default=None)
    for node in _functions(code.co_filename).get(code.co_firstlineno, ()):
        given = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        if given != names:
            continue
        if isinstance(node, ast.FunctionDef):
            return node if node.name == code.co_name else None
        start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        if inside is None or start <= inside < end:
            return node
    return None


@functools.lru_cache(maxsize=64)
def _functions(filename):
    """{line: the functions that begin there}."""
    lines = linecache.getlines(filename)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        return {}
    found: dict[int, list] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Lambda, ast.FunctionDef)):
            line = node.decorator_list[0].lineno if getattr(node, "decorator_list", None) else node.lineno
            found.setdefault(line, []).append(node)
    return found
