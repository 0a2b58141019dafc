"""Operations as methods and operators of Tensor, bound from one table."""
from ..autograd import Tensor, backward

# Methods that are the function of the same name, its first argument the tensor.
METHODS = """
abs acos acosh all amax amin any argmax argmin argsort asin asinh astype atan atanh broadcast_to ceil clip concat
cos cosh count_nonzero cumulative_prod cumulative_sum diagonal equal erf erfc exp expand_dims expm1 flatten flip floor
index_add index_put isfinite isinf isnan kron lgamma log log10 log1p log2 log_softmax logsumexp masked_fill matmul
matrix_transpose max mean min moveaxis nonzero norm outer pad permute_dims pow prod ravel reciprocal relu repeat reshape
roll round rsqrt scatter scatter_add sigmoid sign sin sinh softmax softplus sort split sqrt square squeeze stack std sum
swapaxes take take_along_axis tan tanh tile topk trace transpose tril triu trunc unstack var vecdot view where
""".split()

# Operators: the method's name, the function, and whether a reflected form exists.
OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "pow", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}
COMPARISONS = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
UNARY = {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_invert"}


def _reflected(function):
    def method(self, other):
        return function(other, self)
    return method


def bind():
    """Give Tensor its methods."""
    from .. import ops
    for name in METHODS:
        if name in vars(ops):
            setattr(Tensor, name, getattr(ops, name))
    for name, target in OPERATORS.items():
        if target in vars(ops):
            setattr(Tensor, f"__{name}__", getattr(ops, target))
            setattr(Tensor, f"__r{name}__", _reflected(getattr(ops, target)))
    for name, target in {**COMPARISONS, **UNARY}.items():
        if target in vars(ops):
            setattr(Tensor, f"__{name}__", getattr(ops, target))
    from .index import select
    Tensor.__getitem__ = select
    Tensor.__hash__ = object.__hash__
    Tensor.backward = backward
