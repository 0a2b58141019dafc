"""The functions of single elements that programs know, and the dtype in which each computes."""
import numpy as np

from .scalars import Scalar

ARITY = {
    1: """negative abs sign exp exp2 expm1 log log2 log10 log1p sqrt cbrt square reciprocal sin cos tan asin acos atan
        sinh cosh tanh asinh acosh atanh floor ceil trunc rint isnan isinf isfinite signbit logical_not bitwise_invert
        erf erfc expit gammaln""".split(),
    2: """add subtract multiply divide pow maximum minimum fmax fmin remainder fmod floor_divide atan2 hypot
        copysign logaddexp equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor
        bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift heaviside""".split(),
    3: ["where"],
}
ELEMENTWISE = {name: n for n, names in ARITY.items() for name in names}
COMPARISONS = frozenset(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"))
LOGICAL = frozenset(("logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isinf", "isfinite",
                     "signbit"))


def compute_dtype(instruction, shown):
    """The dtype in which the operands of an elementwise instruction meet.

    `shown` are its operands: values, numbers and Scalars. Python numbers are weak.
    """
    name, out = instruction.name, instruction.outputs[0].dtype
    if name in COMPARISONS or name in LOGICAL:
        strong = [v.dtype for v in shown if hasattr(v, "dtype")]
        weak = [v.value if isinstance(v, Scalar) else v for v in shown if not hasattr(v, "dtype")]
        return np.result_type(*strong, *weak)
    return out
