"""Functions of single elements as C expressions."""
import math

import numpy as np

from ..elementwise import COMPARISONS, compute_dtype
from ..scalars import Scalar

TYPES = {"float32": "float", "float64": "double", "bool": "bool8", "int8": "int8_t", "int16": "int16_t",
         "int32": "int32_t", "int64": "int64_t", "uint8": "uint8_t", "uint16": "uint16_t", "uint32": "uint32_t",
         "uint64": "uint64_t"}
INTEGER = "biu"

# Of the same name in C, with an f behind it for float.
_LIBRARY = """exp2 log2 log10 cbrt sin cos tan asin acos atan sinh cosh asinh acosh atanh floor ceil trunc rint fmin
    fmax fmod atan2 hypot copysign""".split()
_OWN = "exp expm1 log log1p tanh expit erf erfc".split()  # in prelude.h for float, with _f behind the name
_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
          "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}


class NotInC(Exception):
    """This instruction has no C form here."""


def c_type(dtype):
    """The C type of a dtype.

    Raises:
        NotInC: C has none.
    """
    found = TYPES.get(np.dtype(dtype).name)
    if found is None:
        raise NotInC(f"dtype {dtype}")
    return found


def number(value, dtype):
    """A Python number as a C constant of a dtype."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        value = float(value)
        if math.isnan(value):
            return "NAN"
        rounded = float(np.float32(value)) if dtype == np.float32 and abs(value) < 3.5e38 else value
        if math.isinf(rounded):
            return "INFINITY" if rounded > 0 else "(-INFINITY)"
        text = rounded.hex() + ("f" if dtype == np.float32 else "")
        return f"({text})" if text[0] == "-" else text
    if dtype == np.bool_:
        return str(int(bool(value)))
    return f"INT64_C({int(value)})" if dtype.itemsize == 8 and dtype.kind == "i" else f"({int(value)})"


def expression(instruction, shown, texts, scalar):
    """The C expression of an elementwise instruction.

    Args:
        instruction: the instruction.
        shown: its operands: values, numbers and Scalars.
        texts: the C text of those operands that are values, in their place; None elsewhere.
        scalar: a function that gives the C text (a double) of a Scalar.

    Raises:
        NotInC: it has no C form.
    """
    name, out = instruction.name, instruction.outputs[0].dtype
    if name == "cast":
        return cast(texts[0], shown[0].dtype, out)
    if name == "where":
        truth = texts[0] if texts[0] is not None else str(int(bool(shown[0])))
        x, y = (_operand(shown[k], texts[k], out, scalar) for k in (1, 2))
        return f"({truth} ? {x} : {y})"
    dtype = compute_dtype(instruction, shown)
    given = [_operand(v, t, dtype, scalar) for v, t in zip(shown, texts)]
    number = isinstance(shown[1], (int, float)) and shown[1] == shown[1] if len(shown) > 1 else False
    if name in ("maximum", "minimum") and dtype.kind == "f" and number:
        made = f"(!({given[0]} {'<=' if name == 'maximum' else '>='} {given[1]}) ? {given[0]} : {given[1]})"
    else:
        made = _apply(name, given, dtype)
    result = np.dtype(bool) if name in COMPARISONS else dtype
    return f"(({c_type(out)})({made}))" if out != result or dtype.kind in INTEGER else made


def _operand(value, text, dtype, scalar):
    if text is not None:
        return cast(text, value.dtype, dtype)
    if isinstance(value, Scalar):
        return f"(({c_type(dtype)}){scalar(value)})"
    return number(value, dtype)


def cast(text, old, new):
    """A C expression of one dtype in another."""
    if old == new:
        return text
    if new == np.bool_:
        return f"((bool8)({text} != 0))"
    return f"(({c_type(new)}){text})"


def _apply(name, given, dtype):
    x, y = given[0], given[-1]
    f = "f" if dtype == np.float32 else ""
    suffix = "_f" if dtype == np.float32 else "_d" if dtype == np.float64 else "_i"
    floating = dtype.kind == "f"
    if name in _INFIX:
        if dtype == np.bool_ and name in ("add", "multiply"):
            return f"({x} {'|' if name == 'add' else '&'} {y})"
        return f"({x} {_INFIX[name]} {y})"
    if name in ("maximum", "minimum"):
        sign = ">" if name == "maximum" else "<"
        return f"(({x} {sign} {y}) | ({x} != {x}) ? {x} : {y})" if floating else f"({x} {sign} {y} ? {x} : {y})"
    simple = {
        "negative": f"(-{x})", "reciprocal": f"({number(1, dtype)} / {x})",
        "logical_not": f"({x} == 0)", "logical_and": f"({x} != 0 && {y} != 0)",
        "logical_or": f"({x} != 0 || {y} != 0)", "logical_xor": f"(({x} != 0) != ({y} != 0))",
        "bitwise_invert": f"({x} == 0)" if dtype == np.bool_ else f"(~{x})",
        "bitwise_left_shift": f"({x} << {y})", "bitwise_right_shift": f"({x} >> {y})",
    }
    if name in simple:
        return simple[name]
    if floating:
        if name in _OWN:
            return f"{name}_f({x})" if f else f"expit_d({x})" if name == "expit" else f"{name}({x})"
        if name in _LIBRARY:
            return f"{name}{f}({', '.join(given)})"
        forms = {
            "divide": f"({x} / {y})", "abs": f"__builtin_fabs{f}({x})", "sqrt": f"__builtin_sqrt{f}({x})",
            "sign": f"({x} != {x} ? {x} : ({c_type(dtype)})(({x} > 0) - ({x} < 0)))",
            "isnan": f"({x} != {x})", "isinf": f"(__builtin_fabs{f}({x}) == INFINITY)",
            "isfinite": f"(__builtin_fabs{f}({x}) < INFINITY)", "signbit": f"(__builtin_signbit({x}) != 0)",
            "remainder": f"remainder{suffix}({x}, {y})", "logaddexp": f"logaddexp{suffix}({x}, {y})",
            "pow": f"pow{f}({x}, {y})", "gammaln": f"lgamma{f}({x})",
            "heaviside": f"({x} != {x} ? {x} : ({x} == 0 ? {y} : ({x} > 0 ? {number(1, dtype)} : {number(0, dtype)})))",
        }
    else:
        forms = {
            "abs": f"({x} < 0 ? -{x} : {x})", "sign": f"(({x} > 0) - ({x} < 0))", "floor": x, "ceil": x, "trunc": x,
            "rint": x, "isnan": "0", "isinf": "0", "isfinite": "1", "remainder": f"remainder_i({x}, {y})",
            "floor_divide": f"floor_divide_i({x}, {y})", "pow": f"power_i({x}, {y})",
            "fmin": f"({x} < {y} ? {x} : {y})", "fmax": f"({x} > {y} ? {x} : {y})",
        }
        if dtype.kind == "u" and name in ("remainder", "floor_divide", "pow"):
            raise NotInC(f"{name} of {dtype}")
    if name not in forms:
        raise NotInC(f"{name} of {dtype}")
    return forms[name]


# Functions that have no C form for some dtype are told before a kernel is made of them.
def supported(instruction, shown):
    """Whether an elementwise instruction has a C form."""
    try:
        texts = ["x" if hasattr(v, "dtype") else None for v in shown]
        expression(instruction, shown, texts, lambda s: "s")
        for v in (*[v for v in shown if hasattr(v, "dtype")], *instruction.made):
            c_type(v.dtype)
    except NotInC:
        return False
    return True
