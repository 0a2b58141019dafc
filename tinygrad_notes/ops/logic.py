"""Comparisons, tests, and operations on truth values and bits: none carries a gradient."""
from ..autograd import elementwise
from ..autograd.tensor import as_tensor
from .docs import doc

__all__ = [
    "allclose", "array_equal", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "equal", "gcd", "greater", "greater_equal", "isclose", "isfinite", "isinf",
    "isnan", "isneginf", "isposinf", "isreal", "lcm", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "logical_xor", "not_equal", "signbit",
]


def _test(name, forward, sentence, formula, call, result, args="x y", kinds="any numeric dtype, no unit",
          returns="of dtype bool and the broadcast shape"):
    text = doc(sentence + " Carries no gradient.", formula, call, result, args=args, kinds=kinds, returns=returns)
    return elementwise(name, forward, differentiable=False, doc=text)


equal = _test("equal", lambda xp, x, y: xp.equal(x, y), "Whether the elements are equal; NaN equals nothing.",
              "out = (x == y)", "equal(tn.tensor([1, 2]), 2)", "tensor([False,  True])")
not_equal = _test("not_equal", lambda xp, x, y: xp.not_equal(x, y), "Whether the elements differ.", "out = (x != y)",
                  "not_equal(tn.tensor([1, 2]), 2)", "tensor([ True, False])")
less = _test("less", lambda xp, x, y: xp.less(x, y), "Whether x is less than y.", "out = (x < y)",
             "less(tn.tensor([1, 2]), 2)", "tensor([ True, False])", kinds="real dtypes")
less_equal = _test("less_equal", lambda xp, x, y: xp.less_equal(x, y), "Whether x is at most y.", "out = (x <= y)",
                   "less_equal(tn.tensor([1, 2]), 1)", "tensor([ True, False])", kinds="real dtypes")
greater = _test("greater", lambda xp, x, y: xp.greater(x, y), "Whether x is greater than y.", "out = (x > y)",
                "greater(tn.tensor([1, 2]), 1)", "tensor([False,  True])", kinds="real dtypes")
greater_equal = _test("greater_equal", lambda xp, x, y: xp.greater_equal(x, y), "Whether x is at least y.",
                      "out = (x >= y)", "greater_equal(tn.tensor([1, 2]), 2)", "tensor([False,  True])",
                      kinds="real dtypes")

_SAME = "of dtype bool and the shape of `x`"
isnan = _test("isnan", lambda xp, x: xp.isnan(x), "Whether an element is NaN.", "out = (x is NaN)",
              "isnan(tn.tensor([1.0, float('nan')]))", "tensor([False,  True])", args="x", returns=_SAME)
isinf = _test("isinf", lambda xp, x: xp.isinf(x), "Whether an element is infinite.", "out = (abs(x) is infinite)",
              "isinf(tn.tensor([1.0, float('-inf')]))", "tensor([False,  True])", args="x", returns=_SAME)
isposinf = _test("isposinf", lambda xp, x: x == float("inf"), "Whether an element is plus infinity.",
                 "out = (x = +infinity)", "isposinf(tn.tensor([1.0, float('inf')]))", "tensor([False,  True])",
                 args="x", returns=_SAME)
isneginf = _test("isneginf", lambda xp, x: x == float("-inf"), "Whether an element is minus infinity.",
                 "out = (x = -infinity)", "isneginf(tn.tensor([1.0, float('-inf')]))", "tensor([False,  True])",
                 args="x", returns=_SAME)
isfinite = _test("isfinite", lambda xp, x: xp.isfinite(x), "Whether an element is neither infinite nor NaN.",
                 "out = (abs(x) < infinity)", "isfinite(tn.tensor([1.0, float('inf')]))", "tensor([ True, False])",
                 args="x", returns=_SAME)
isreal = _test("isreal", lambda xp, x: xp.isreal(x), "Whether the imaginary part is 0.", "out = (im(x) = 0)",
               "isreal(tn.tensor([1.0 + 0.0j, 1.0j]))", "tensor([ True, False])", args="x", returns=_SAME)
signbit = _test("signbit", lambda xp, x: xp.signbit(x), "Whether the sign bit is set: of negative numbers and of -0.",
                "out = (x < 0 or x is -0)", "signbit(tn.tensor([-0.0, 0.0]))", "tensor([ True, False])", args="x",
                kinds="real dtypes", returns=_SAME)
_isclose = elementwise("isclose", lambda xp, x, y, *, rtol, atol, equal_nan: xp.isclose(x, y, rtol, atol, equal_nan),
                       differentiable=False)


def isclose(x, y, /, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether the elements are equal within a tolerance. Carries no gradient.

    Formula: out = (abs(x - y) <= atol + rtol abs(y)); infinities are close if equal.

    Args:
        x, y: Tensors, NumPy arrays or numbers whose shapes broadcast; any numeric dtype, no unit.
        rtol, atol: relative and absolute tolerance, non-negative.
        equal_nan: whether two NaN count as close.

    Returns:
        Tensor of dtype bool and the broadcast shape.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast, or a tolerance is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.isclose(tn.tensor([1.0, 2.0]), tn.tensor([1.000001, 2.1]))
        tensor([ True, False])
    """
    if not (rtol >= 0 and atol >= 0):
        raise ValueError(f"isclose: rtol and atol must be at least 0, got {rtol} and {atol}")
    return _isclose(x, y, rtol=float(rtol), atol=float(atol), equal_nan=bool(equal_nan))


def allclose(x, y, /, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are equal within a tolerance.

    Formula: out = all(abs(x - y) <= atol + rtol abs(y)).

    Args:
        x, y: Tensors, NumPy arrays or numbers whose shapes broadcast; any numeric dtype, no unit.
        rtol, atol: relative and absolute tolerance, non-negative.
        equal_nan: whether two NaN count as close.

    Returns:
        bool.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast, or a tolerance is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.allclose(tn.tensor([1.0, 2.0]), tn.tensor([1.000001, 2.0]))
        True
    """
    return bool(isclose(x, y, rtol, atol, equal_nan).all())


def array_equal(x, y, /):
    """Whether two tensors have the same shape and equal elements.

    Formula: out = (shapes equal) and all(x == y).

    Args:
        x, y: Tensors or NumPy arrays; any numeric dtype, no unit.

    Returns:
        bool.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.array_equal(tn.tensor([1, 2]), tn.tensor([1, 3]))
        False
    """
    x = as_tensor(x)
    y = as_tensor(y, like=x)
    return x.shape == y.shape and bool(equal(x, y).all())


logical_and = _test("logical_and", lambda xp, x, y: xp.logical_and(x, y), "Whether both are true (not 0).",
                    "out = x and y", "logical_and(tn.tensor([True, False]), True)", "tensor([ True, False])")
logical_or = _test("logical_or", lambda xp, x, y: xp.logical_or(x, y), "Whether at least one is true (not 0).",
                   "out = x or y", "logical_or(tn.tensor([True, False]), False)", "tensor([ True, False])")
logical_xor = _test("logical_xor", lambda xp, x, y: xp.logical_xor(x, y), "Whether exactly one is true (not 0).",
                    "out = x xor y", "logical_xor(tn.tensor([True, False]), True)", "tensor([False,  True])")
logical_not = _test("logical_not", lambda xp, x: xp.logical_not(x), "Whether it is false (0).", "out = not x",
                    "logical_not(tn.tensor([True, False]))", "tensor([False,  True])", args="x", returns=_SAME)

_BITS = "integer or bool dtypes"
_KEPT = "of the broadcast shape and promoted dtype"
bitwise_and = _test("bitwise_and", lambda xp, x, y: xp.bitwise_and(x, y), "The bits set in both.", "out = x & y",
                    "bitwise_and(tn.tensor([6, 7]), 3)", "tensor([2, 3])", kinds=_BITS, returns=_KEPT)
bitwise_or = _test("bitwise_or", lambda xp, x, y: xp.bitwise_or(x, y), "The bits set in at least one.", "out = x | y",
                   "bitwise_or(tn.tensor([4, 1]), 3)", "tensor([7, 3])", kinds=_BITS, returns=_KEPT)
bitwise_xor = _test("bitwise_xor", lambda xp, x, y: xp.bitwise_xor(x, y), "The bits set in exactly one.", "out = x ^ y",
                    "bitwise_xor(tn.tensor([6, 7]), 3)", "tensor([5, 4])", kinds=_BITS, returns=_KEPT)
bitwise_invert = _test("bitwise_invert", lambda xp, x: xp.bitwise_invert(x), "Every bit flipped.", "out = ~x",
                       "bitwise_invert(tn.tensor([0, 5]))", "tensor([-1, -6])", args="x", kinds=_BITS,
                       returns="of the shape and dtype of `x`")
bitwise_not = bitwise_invert
bitwise_left_shift = _test("bitwise_left_shift", lambda xp, x, y: xp.bitwise_left_shift(x, y),
                           "The bits moved up by y places.", "out = x 2^y", "bitwise_left_shift(tn.tensor([1, 3]), 2)",
                           "tensor([ 4, 12])", kinds="integer dtypes", returns=_KEPT)
bitwise_right_shift = _test("bitwise_right_shift", lambda xp, x, y: xp.bitwise_right_shift(x, y),
                            "The bits moved down by y places.", "out = floor(x / 2^y)",
                            "bitwise_right_shift(tn.tensor([8, 5]), 2)", "tensor([2, 1])", kinds="integer dtypes",
                            returns=_KEPT)
gcd = _test("gcd", lambda xp, x, y: xp.gcd(x, y), "The greatest common divisor.", "out = gcd(abs(x), abs(y))",
            "gcd(tn.tensor([12, 9]), 6)", "tensor([6, 3])", kinds="integer dtypes", returns=_KEPT)
lcm = _test("lcm", lambda xp, x, y: xp.lcm(x, y), "The least common multiple.", "out = abs(x y) / gcd(x, y)",
            "lcm(tn.tensor([4, 3]), 6)", "tensor([12,  6])", kinds="integer dtypes", returns=_KEPT)
