"""The names under which array functions are recorded, and how a name is run again.

A name is that of the Array API standard where it has one (`pow`, never `power`), else that of the array namespace; dots
lead into its parts ("linalg.solve"). `OWN` holds what arrays do by methods and operators.
"""
from ..backend.kernels import FORWARDS
from .errors import Outdated

CANONICAL = {
    "absolute": "abs", "power": "pow", "concatenate": "concat",
    "true_divide": "divide", "invert": "bitwise_invert", "bitwise_not": "bitwise_invert",
    "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "amax": "max", "amin": "min",
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin",
    "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "conjugate": "conj",
    "mod": "remainder",
}


def _getitem(xp, x, key):
    return x[key]


def _setitem(xp, x, key, value):
    out = x.copy()
    out[key] = value
    return out


def _astype(xp, x, dtype):
    return x.astype(dtype, copy=False)


def _copy(xp, x):
    return x.copy()


def _permute(xp, x, axes):
    return xp.permute_dims(x, axes)


def _draw(xp, *, stream, draw, args, to_device):
    return to_device(draw(stream.host, *args))


def _assume(xp, x, expected):
    """What was assumed when the computation was recorded.

    Raises:
        Outdated: it does not hold now.
    """
    if bool(x.item()) is not expected:
        raise Outdated
    return x.copy()  # a result that is `x` itself would not be written down


def _rules(xp, vjp, node, saved, g):
    return vjp(xp, node, saved, g)


OWN = {"rules": _rules, "assume": _assume, "getitem": _getitem, "setitem": _setitem, "cast": _astype, "copy": _copy,
       "permute": _permute, "draw": _draw}

FORWARD = "forward."  # before the name of an operation that is recorded as one instruction

ELEMENTWISE_KERNELS = ("rectify", "softplus")  # written down function by function even in a coarse recording

# Functions whose answer depends on shapes and dtypes alone, and is no array: they are not recorded.
STATIC = frozenset(("result_type", "finfo", "iinfo", "isdtype", "can_cast", "promote_types", "ndim", "shape", "size",
                    "broadcast_shapes", "iscomplexobj", "isrealobj"))
# Functions whose shape of result depends on values.
SHAPE_BY_VALUE = frozenset(("nonzero", "argwhere", "flatnonzero", "unique", "unique_values", "unique_counts",
                            "unique_inverse", "unique_all", "bincount", "extract", "compress", "trim_zeros",
                            "union1d", "intersect1d", "setdiff1d", "setxor1d", "histogram", "histogram_bin_edges"))
# Functions that make arrays of which the inputs tell at most shape and dtype.
MAKES = frozenset(("zeros", "ones", "full", "empty", "eye", "arange", "linspace", "zeros_like", "ones_like",
                   "full_like", "empty_like", "tri", "identity", "fill_like"))


def resolve(xp, name):
    """The plain function of that name for the namespace of a device."""
    own = FORWARDS.get(name[len(FORWARD):]) if name.startswith(FORWARD) else OWN.get(name)
    if own is not None:
        return lambda *args, **kwargs: own(xp, *args, **kwargs)
    found = xp
    for part in name.split("."):
        found = getattr(found, part)
    return found
