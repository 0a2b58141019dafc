"""What canonical instructions compute, on arrays: for constants now, and for the interpreter."""
from ..elementwise import ELEMENTWISE
from ..functions import resolve
from ..interpret import filled

VIEWS = ("reshape", "permute", "broadcast", "slice")
REDUCTIONS = ("sum", "prod", "max", "min", "all", "any")


def key_of(attrs):
    """The key of a canonical slice for indexing."""
    return tuple([slice(a, None if s < 0 and b < 0 else b, s)
                  for a, b, s in zip(attrs["starts"], attrs["stops"], attrs["steps"])])


def factors(xp, args, attrs):
    """The operands of a canonical product, turned as its flags say."""
    turned = attrs["transpose_x"], attrs["transpose_y"]
    return [xp.matrix_transpose(x) if t else x for x, t in zip(args, turned)]


def run_canonical(xp, instruction, arrays):
    """The result of a canonical instruction, or None if it is not of such a form."""
    name, attrs = instruction.name, instruction.kwargs
    args = filled(instruction.args, arrays)
    dtype = instruction.outputs[0].dtype
    if name in ELEMENTWISE:
        return xp.astype(xp.asarray(resolve(xp, name)(*args)), dtype, copy=False)
    if name == "cast":
        return args[0].astype(dtype)
    if name == "reshape" and "shape" in attrs:
        return xp.reshape(args[0], attrs["shape"])
    if name == "permute" and "axes" in attrs:
        return xp.permute_dims(args[0], attrs["axes"])
    if name == "broadcast":
        return xp.broadcast_to(args[0], attrs["shape"])
    if name == "slice":
        return args[0][key_of(attrs)]
    if name == "full" and "value" in attrs:
        return xp.full(attrs["shape"], attrs["value"], dtype=dtype)
    if name in REDUCTIONS and "axes" in attrs:
        return xp.astype(xp.asarray(getattr(xp, name)(args[0], axis=attrs["axes"])), dtype, copy=False)
    if name == "concat" and "axis" in attrs and len(args) > 1 and not isinstance(args[0], tuple):
        return xp.concat(args, axis=attrs["axis"])
    if name == "matmul" and "transpose_x" in attrs:
        return xp.matmul(*factors(xp, args, attrs))
    if name == "take" and "axis" in attrs:
        return xp.take(args[0], args[1], axis=attrs["axis"])
    if name == "write" and "starts" in attrs:
        out = args[0].copy()
        out[key_of(attrs)] = args[1]
        return out
    return None
