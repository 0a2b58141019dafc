"""Functions of single elements as ONNX nodes."""
import math

import numpy as np

from ..elementwise import COMPARISONS, LOGICAL, compute_dtype

# One node of the same meaning.
SAME = {"negative": "Neg", "abs": "Abs", "sign": "Sign", "exp": "Exp", "log": "Log", "sqrt": "Sqrt",
        "reciprocal": "Reciprocal", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos",
        "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "tanh": "Tanh", "asinh": "Asinh", "acosh": "Acosh",
        "atanh": "Atanh", "floor": "Floor", "ceil": "Ceil", "rint": "Round", "round": "Round", "erf": "Erf",
        "expit": "Sigmoid", "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "pow": "Pow",
        "maximum": "Max", "minimum": "Min", "isnan": "IsNaN", "isinf": "IsInf", "equal": "Equal", "less": "Less",
        "less_equal": "LessOrEqual", "greater": "Greater", "greater_equal": "GreaterOrEqual"}
BOOLS = {"logical_not": "Not", "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
BITS = {"bitwise_invert": "Not", "bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor"}


class _Sheet:
    """Short names for nodes of one dtype, in which formulas are written."""

    def __init__(self, graph, dtype):
        self.graph, self.dtype = graph, dtype

    def __getattr__(self, op):
        return lambda *xs: self.graph.node(op, *[self(x) for x in xs])

    def __call__(self, x):
        """A number as a constant of the dtype."""
        return self.graph.number(x, self.dtype) if isinstance(x, (int, float)) else x


def _log1p(s, x):
    """log(u) x / (u - 1) with u = 1 + x, whose errors cancel."""
    u = s.Add(x, 1.0)
    d, log = s.Sub(u, 1.0), s.Log(u)
    near = s.Where(s.Equal(d, 0.0), x, s.Div(s.Mul(log, x), d))
    return s.Where(s.Equal(d, x), log, near)


def _logaddexp(s, x, y):
    top = s.Max(x, y)
    return s.Where(s.Equal(x, y), s.Add(x, math.log(2)), s.Add(top, _log1p(s, s.Exp(s.Neg(s.Abs(s.Sub(x, y)))))))


def _is_negative(s, x):
    return s.Or(s.Less(x, 0.0), s.Less(s.Reciprocal(x), 0.0))


def _atan2(s, y, x):
    turn = s.Where(_is_negative(s, y), -math.pi, math.pi)
    base = s.Atan(s.Div(y, x))
    side = s.Where(s.Less(x, 0.0), s.Add(base, turn), base)
    flat = s.Where(_is_negative(s, x), turn, s.Mul(turn, 0.0))
    return s.Where(s.And(s.Equal(x, 0.0), s.Equal(y, 0.0)), flat, side)


FLOATS = {
    "exp2": lambda s, x: s.Pow(2.0, x),
    "expm1": lambda s, x: s.Mul(s.Mul(2.0, s.Sinh(s.Mul(x, 0.5))), s.Exp(s.Mul(x, 0.5))),
    "log2": lambda s, x: s.Mul(s.Log(x), 1 / math.log(2)),
    "log10": lambda s, x: s.Mul(s.Log(x), 1 / math.log(10)),
    "log1p": _log1p, "logaddexp": _logaddexp, "atan2": _atan2,
    "square": lambda s, x: s.Mul(x, x),
    "cbrt": lambda s, x: s.Mul(s.Sign(x), s.Pow(s.Abs(x), 1 / 3)),
    "trunc": lambda s, x: s.Mul(s.Sign(x), s.Floor(s.Abs(x))),
    "isfinite": lambda s, x: s.Not(s.Or(s.IsNaN(x), s.IsInf(x))),
    "signbit": _is_negative,
    "erfc": lambda s, x: s.Sub(1.0, s.Erf(x)),
    "fmax": lambda s, x, y: s.Where(s.IsNaN(x), y, s.Where(s.IsNaN(y), x, s.Max(x, y))),
    "fmin": lambda s, x, y: s.Where(s.IsNaN(x), y, s.Where(s.IsNaN(y), x, s.Min(x, y))),
    "remainder": lambda s, x, y: s.Sub(x, s.Mul(s.Floor(s.Div(x, y)), y)),
    "fmod": lambda s, x, y: s.graph.node("Mod", s(x), s(y), fmod=1),
    "floor_divide": lambda s, x, y: s.Floor(s.Div(x, y)),
    "hypot": lambda s, x, y: s.Sqrt(s.Add(s.Mul(x, x), s.Mul(y, y))),
    "copysign": lambda s, x, y: s.Mul(s.Abs(x), s.Where(_is_negative(s, y), -1.0, 1.0)),
    "heaviside": lambda s, x, y: s.Where(s.Equal(x, 0.0), y, s.Max(s.Sign(x), 0.0)),
}
INTEGERS = {
    "square": lambda s, x: s.Mul(x, x), "floor": lambda s, x: x, "ceil": lambda s, x: x, "trunc": lambda s, x: x,
    "rint": lambda s, x: x, "round": lambda s, x: x,
    "remainder": lambda s, x, y: s.graph.node("Mod", s(x), s(y), fmod=0),
    "fmod": lambda s, x, y: s.graph.node("Mod", s(x), s(y), fmod=1),
    "floor_divide": lambda s, x, y: s.Div(s.Sub(x, s.graph.node("Mod", s(x), s(y), fmod=0)), y),
    "fmax": lambda s, x, y: s.Max(x, y), "fmin": lambda s, x, y: s.Min(x, y),
}


def elementwise(graph, instruction, shown):
    """The nodes of an elementwise instruction; returns the name of the result, or None if there is no form.

    Args:
        graph: the `Graph`.
        instruction: the instruction.
        shown: its operands: values and numbers.
    """
    name, out = instruction.name, instruction.outputs[0].dtype
    if name == "where":
        truth, x, y = shown
        truth, through = operand(graph, truth, np.dtype(bool)), np.dtype(np.uint8) if out == np.bool_ else out
        made = graph.node("Where", truth, operand(graph, x, through), operand(graph, y, through))
        return made if through == out else graph.cast(made, out)
    logical = name in BOOLS or name in BITS and out == np.bool_
    dtype = np.dtype(bool) if logical else compute_dtype(instruction, shown)
    if dtype == np.bool_ and not logical and name not in ("add", "multiply", "maximum", "minimum"):
        dtype = np.dtype(np.int32)  # most of ONNX takes no booleans
    if dtype.kind in "iu" and name in ("isnan", "isinf", "isfinite"):
        dtype = np.dtype(np.float64)
    given = [operand(graph, x, dtype) for x in shown]
    sheet = _Sheet(graph, dtype)
    result = np.dtype(bool) if name in COMPARISONS or name in LOGICAL else dtype
    if logical:
        made = graph.node(BOOLS.get(name) or BITS[name], *given)
    elif name in BITS:
        made = graph.node("Bitwise" + BITS[name], *given)
    elif name == "not_equal":
        made = sheet.Not(sheet.Equal(*given))
    elif dtype == np.bool_ and name in ("add", "multiply", "maximum", "minimum"):
        made = graph.node("Or" if name in ("add", "maximum") else "And", *given)
    else:
        form = (FLOATS if dtype.kind == "f" else INTEGERS).get(name)
        if form is not None:
            made = form(sheet, *given)
        elif name in SAME and (dtype.kind == "f" or name not in ("isnan", "isinf")):
            made = graph.node(SAME[name], *given)
        else:
            return None
    return made if result == out else graph.cast(made, out)


def operand(graph, x, dtype):
    """An operand in the dtype in which it is needed."""
    if not hasattr(x, "shape"):
        return graph.number(x, dtype)
    return graph.name(x) if x.dtype == dtype else graph.cast(x, dtype)
