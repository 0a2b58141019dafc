"""Operations as methods and operators of Tensor, bound from one table."""
from ..autograd import Tensor, backward
from . import inplace, protocols
from .index import select

# Methods that are the function of the same name, its first argument the tensor.
METHODS = """
abs acos acosh add addbmm addcdiv addcmul addmm addmv addr all allclose amax amin aminmax angle any argmax argmin
argsort argwhere array_split asin asinh astype atan atan2 atanh baddbmm bincount bitwise_and bitwise_invert
bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm broadcast_to cbrt ceil chunk clip clone
concat conj contiguous copy copysign cos cosh count_nonzero cross cummax cummin cumprod cumsum cumulative_prod
cumulative_sum deg2rad diag diag_embed diagonal diff digamma divide dot equal erf erfc erfcx erfinv exp exp2 expand
expand_as expand_dims expit expm1 fix flatten flip float_power floor floor_divide fmax fmin fmod frac frexp gammainc
gammaincc gather gcd greater greater_equal hardshrink heaviside hypot i0 index_add index_copy index_fill index_put
index_select inner isclose isfinite isin isinf isnan isneginf isposinf isreal kron kthvalue lcm ldexp lerp less
less_equal lgamma log log10 log1p log2 log_sigmoid log_softmax logaddexp logaddexp2 logcumsumexp logical_and
logical_not logical_or logical_xor logit logsumexp masked_fill masked_scatter masked_select matmul matrix_transpose
max maximum mean median min minimum mm moveaxis multinomial multiply mv mvlgamma nan_to_num nanmean nansum negative
nextafter nonzero norm not_equal outer pad permute permute_dims polygamma positive pow prelu prod put_along_axis
quantile rad2deg ravel reciprocal relu remainder repeat reshape reshape_as roll rot90 round rsqrt scatter scatter_add
scatter_reduce searchsorted sgn sigmoid sign signbit sin sinc sinh softmax softmin softplus sort split sqrt square
squeeze stack std std_mean subtract sum swapaxes take take_along_axis tan tanh tile to topk trace transpose tril triu
true_divide trunc unflatten unsqueeze unstack var var_mean vdot vecdot view where xlog1py xlogy
""".split()  # noqa: SIM905 (a table of names reads better so)

# Methods that are functions of `linalg`: the method's name, the function.
LINALG = {"cholesky": "cholesky", "cholesky_inverse": "cholesky_inverse", "cholesky_solve": "cholesky_solve",
          "det": "det", "inverse": "inv", "logdet": "logdet", "matrix_exp": "matrix_exp",
          "matrix_power": "matrix_power", "pinverse": "pinv", "qr": "qr", "slogdet": "slogdet", "svd": "svd"}

# Operators: the method's name, the function, and whether a reflected form exists.
OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "pow", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}
COMPARISONS = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
               "ge": "greater_equal"}
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


def _operator(function):
    """`function` as an operator: leaves what is not a number to the other operand (`x == None` is False)."""
    def method(self, other):
        if other is None:
            return NotImplemented
        try:
            return function(self, other)
        except TypeError:
            if _numeric(other):
                raise
            return NotImplemented
    return method


def _reflected(function):
    def method(self, other):
        try:
            return function(other, self)
        except TypeError:
            if _numeric(other):
                raise
            return NotImplemented
    return method


def _numeric(value):
    return isinstance(value, (Tensor, int, float, complex, list, tuple)) or hasattr(value, "dtype")


def _divmod(self, other):
    return self // other, self % other


def _round(self, ndigits=0):
    return self.round(ndigits)


def _adjoint(self):
    """The last two axes exchanged, and the conjugate of complex numbers."""
    from .. import ops
    return ops.conj(ops.matrix_transpose(self))


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
    Tensor.H = Tensor.mH = property(_adjoint)
    Tensor.real = property(ops.real, doc="The real part.")
    Tensor.imag = property(ops.imag, doc="The imaginary part.")
    for name, target in LINALG.items():
        setattr(Tensor, name, getattr(ops.linalg, target))
    for name, target in OPERATORS.items():
        if target in vars(ops):
            setattr(Tensor, f"__{name}__", _operator(getattr(ops, target)))
            setattr(Tensor, f"__r{name}__", _reflected(getattr(ops, target)))
    for name, target in COMPARISONS.items():
        setattr(Tensor, f"__{name}__", _operator(getattr(ops, target)))
    for name, target in UNARY.items():
        setattr(Tensor, f"__{name}__", getattr(ops, target))
    Tensor.__divmod__, Tensor.__round__ = _divmod, _round
    Tensor.__getitem__ = select
    inplace.bind()
    protocols.bind()
    Tensor.__hash__ = object.__hash__
    Tensor.backward = backward
