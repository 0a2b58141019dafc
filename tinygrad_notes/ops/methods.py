"""Operations as methods and operators of Tensor, bound from one table."""
from ..autograd import Tensor, backward

# Methods that are the function of the same name, its first argument the tensor.
METHODS = """
abs acos acosh all amax amin aminmax any argmax argmin argsort array_split asin asinh astype atan atanh broadcast_to
ceil chunk clip clone concat contiguous copy cos cosh count_nonzero cummax cummin cumprod cumsum cumulative_prod
cumulative_sum diag diag_embed diagonal diff equal erf erfc exp expand expand_as expand_dims expm1 flatten flip floor
index_add index_put isfinite isinf isnan kron lgamma log log10 log1p log2 log_softmax logcumsumexp logsumexp
masked_fill matmul matrix_transpose max mean median min moveaxis nanmean nansum nonzero norm outer pad permute
permute_dims pow prod quantile ravel reciprocal relu repeat reshape reshape_as roll rot90 round rsqrt scatter
scatter_add sigmoid sign sin sinh softmax softmin softplus sort split sqrt square squeeze stack std std_mean sum
swapaxes take take_along_axis tan tanh tile to topk trace transpose tril triu trunc unflatten unsqueeze unstack var
var_mean vecdot view where
""".split()

# Operators: the method's name, the function, and whether a reflected form exists.
OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "pow", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}
COMPARISONS = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
UNARY = {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_invert"}

# Conversions by PyTorch's names: method, and dtype or device.
CASTS = {"float": "float32", "double": "float64", "half": "float16", "int": "int32", "long": "int64", "bool": "bool"}
HOMES = ("cpu", "cuda")


def _converting(name, kind, target):
    def method(self):
        return self.to(**{kind: target})
    method.__name__ = name
    method.__doc__ = f"The tensor as {target}; itself if it is so already."
    return method


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
    for name, target in CASTS.items():
        setattr(Tensor, name, _converting(name, "dtype", target))
    for name in HOMES:
        setattr(Tensor, name, _converting(name, "device", name))
    Tensor.T = property(ops.transpose, doc="All axes in reverse order.")
    Tensor.mT = property(ops.matrix_transpose, doc="The last two axes exchanged.")
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
