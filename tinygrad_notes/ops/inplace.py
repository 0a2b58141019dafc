"""Writing in place: `x[key] = v`, `x += y`, and PyTorch's methods with a trailing underscore.

Outside a graph (no operand is tracked, or inside `no_grad`) the memory is written. Where the value is
tracked the tensor takes the result of the operation instead: its old value stays as it was for the
backward pass, and so do views that were taken of it earlier. A leaf that requires a gradient is refused.
"""
import operator

import numpy as np

from ..autograd import Tensor, as_tensor, no_grad
from ..autograd.call import operand
from ..autograd.errors import describe, plain_words
from ..autograd.mode import mode
from ..autograd.tensor import to_array
from ..autograd.write import become, check_leaf, check_writable
from .bounds import check_key
from .index import full_key, split_key, written
from .scatter import index_put, last_stays

__all__ = []

# Operators: name, operation.
OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}
# Methods that write the result of an operation back: method, operation.
METHODS = {
    "mul_": "multiply", "div_": "divide", "pow_": "pow", "remainder_": "remainder", "clamp_": "clip", "clip_": "clip",
    "neg_": "negative", "abs_": "abs", "exp_": "exp", "log_": "log", "sqrt_": "sqrt", "rsqrt_": "rsqrt",
    "square_": "square", "reciprocal_": "reciprocal", "sigmoid_": "sigmoid", "tanh_": "tanh", "relu_": "relu",
    "sin_": "sin", "cos_": "cos", "round_": "round", "floor_": "floor", "ceil_": "ceil", "trunc_": "trunc",
    "sign_": "sign", "masked_fill_": "masked_fill", "masked_scatter_": "masked_scatter", "index_add_": "index_add",
    "index_copy_": "index_copy", "index_fill_": "index_fill", "index_put_": "index_put", "scatter_": "scatter",
    "scatter_add_": "scatter_add", "scatter_reduce_": "scatter_reduce", "lerp_": "lerp", "addcmul_": "addcmul",
    "addcdiv_": "addcdiv", "maximum_": "maximum", "minimum_": "minimum", "tril_": "tril", "triu_": "triu",
    "logical_not_": "logical_not", "bitwise_not_": "bitwise_not",
    **{f"{name}_": name for name in """
        acos acosh addbmm addmm addmv addr asin asinh atan atan2 atanh baddbmm bitwise_and bitwise_left_shift bitwise_or
        bitwise_right_shift bitwise_xor copysign cosh cumprod cumsum deg2rad digamma divide erf erfc erfinv exp2 expm1
        fix float_power floor_divide fmod frac gcd heaviside hypot i0 lcm ldexp lgamma log10 log1p log2 logical_and
        logical_or logical_xor logit multiply nan_to_num negative nextafter rad2deg sgn sinc sinh subtract tan
        true_divide xlogy
    """.split()},  # noqa: SIM905 (as in `methods`)
}


def recorded(*operands):
    """Whether an operation on these would be recorded."""
    return mode.grad and any(isinstance(x, Tensor) and x.requires_grad for x in operands)


def set_item(x, key, value, what="x[key] = value"):
    """`x[key] = value`, as NumPy writes it; `what` is the name of the operation in messages.

    Raises:
        RuntimeError: `x` is a leaf that requires a gradient, or a pending backward pass needs its values.
        IndexError: an index is out of range.
        ValueError: `value` does not broadcast to the shape of `x[key]`.
    """
    if recorded(x, value):
        check_leaf(x, what)
        become(x, index_put(x, key, value), what)
        return
    static, arrays = split_key(what, key, x.device)
    value = _raw(x, value, what)
    check_key(what, x.data, static, arrays)
    full = full_key(static, arrays)
    try:
        if arrays:
            value = last_stays(x.device.xp, x.shape, value, static, arrays)
        check_writable(x, what, None if arrays else lambda: x.data[full])
        x.data[full] = value
    except (IndexError, ValueError, TypeError) as error:
        raise _named(error, f"{what}: {plain_words(error)} (x: {describe(x)}, value: {describe(value)})") from error


def _named(error, text):
    """An error of the same kind with another text; NumPy's own subclasses take no text."""
    return next(kind for kind in (IndexError, TypeError, ValueError) if isinstance(error, kind))(text)


def _raw(x, value, what):
    """`value` as a raw array on the device of `x`, or a Python number."""
    if isinstance(value, Tensor):
        if value.device is not x.device:
            raise TypeError(f"{what}: value lives on {value.device}, this tensor on {x.device}; move it with .to()")
        return value.data
    if isinstance(value, (list, tuple)):
        return to_array(value, x.dtype, x.device)
    return operand(value, x)


def _write_back(x, result, what):
    """Write `result` over `x`, shapes equal, dtypes of one kind."""
    if result.shape != x.shape:
        raise ValueError(f"{what}: the result has shape {result.shape}, this tensor has shape {x.shape}")
    if not np.can_cast(result.dtype, x.dtype, "same_kind"):
        raise TypeError(f"{what}: the result is {result.dtype} and cannot be written into a {x.dtype} tensor")
    x.data[...] = result.data
    return x


def _in_place_operator(name, function):
    in_place, symbol = getattr(operator, f"i{name}"), f"x {SYMBOLS[name]}= y"

    def method(self, other, what=symbol):
        if recorded(self, other):
            check_leaf(self, what)
            return become(self, function(self, other), what)
        check_writable(self, what)
        if name == "floordiv" or name == "pow" and not isinstance(self.data, np.ndarray):
            # the array's own differs at infinities, and on a GPU is silent about integers to negative powers
            return _write_back(self, function(self, other), what)
        value = _raw(self, other, what)
        try:
            in_place(self.data, value)
        except (ValueError, TypeError) as error:
            raise _named(error, f"{what}: {error} (x: {describe(self)}, y: {describe(other)})") from error
        return self
    method.__name__ = f"__i{name}__"
    return method


SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "and": "&",
           "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>", "matmul": "@"}


def in_place_method(name, function):
    """A method that writes what `function` of the tensor returns."""
    def method(self, *args, **kwargs):
        if recorded(self, *args, *kwargs.values()):
            check_leaf(self, name)
            return become(self, function(self, *args, **kwargs), name)
        check_writable(self, name)
        with no_grad():
            return _write_back(self, function(self, *args, **kwargs), name)
    method.__name__ = name
    method.__doc__ = f"`{function.__name__}` in place; returns the tensor."
    return method


def _scaled(name, function):
    def method(self, other, *, alpha=1):
        if alpha != 1:
            other = (other if isinstance(other, Tensor) else as_tensor(other, like=self)) * alpha
        return function(self, other, name)
    method.__name__ = name
    method.__doc__ = f"x {'+' if name == 'add_' else '-'}= alpha * other; returns the tensor."
    return method


def copy_(x, source):
    """Write `source`, broadcast and cast to the shape and dtype of `x`, from any device; returns `x`."""
    from .. import ops
    source = source.to(x.device) if isinstance(source, Tensor) else written(source, x)
    if recorded(x, source):
        check_leaf(x, "copy_")
        return become(x, ops.broadcast_to(source.astype(x.dtype), x.shape), "copy_")
    check_writable(x, "copy_")
    try:
        x.data[...] = source.data
    except ValueError as error:
        raise ValueError(f"copy_: source, shape {source.shape}, does not broadcast to {x.shape}") from error
    return x


def fill_(x, value):
    """Write one number everywhere; returns `x`."""
    if getattr(value, "shape", ()) != ():
        raise ValueError(f"fill_: value has shape {value.shape}, expected a number")
    set_item(x, ..., value, "fill_")
    return x


def zero_(x):
    """Write zero everywhere; returns `x`."""
    set_item(x, ..., 0, "zero_")
    return x


def detach_(x):
    """Leave the graph: from here on this tensor is a leaf without gradient; returns it."""
    x.node, x.requires_grad = None, False
    return x


def normal_(x, mean=0.0, std=1.0, *, generator=None):
    """Write normal random numbers; returns `x`."""
    from .random import normal
    check_writable(x, "normal_")
    return _write_back(x, normal(x.shape, mean, std, generator=generator, dtype=x.dtype, device=x.device), "normal_")


def uniform_(x, low=0.0, high=1.0, *, generator=None):
    """Write uniform random numbers of [low, high); returns `x`."""
    from .random import uniform
    check_writable(x, "uniform_")
    return _write_back(x, uniform(x.shape, low, high, generator=generator, dtype=x.dtype, device=x.device), "uniform_")


def bind():
    """Give Tensor its methods that write."""
    from .. import ops
    for name, target in OPERATORS.items():
        setattr(Tensor, f"__i{name}__", _in_place_operator(name, getattr(ops, target)))
    Tensor.__imatmul__ = in_place_method("x @= y", ops.matmul)
    for name, target in METHODS.items():
        if target in vars(ops):
            setattr(Tensor, name, in_place_method(name, getattr(ops, target)))
    Tensor.add_ = _scaled("add_", Tensor.__iadd__)
    Tensor.sub_ = _scaled("sub_", Tensor.__isub__)
    Tensor.__setitem__ = set_item
    for function in (copy_, fill_, zero_, detach_, normal_, uniform_):
        setattr(Tensor, function.__name__, function)
