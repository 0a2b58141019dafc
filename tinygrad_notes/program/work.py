"""How much arithmetic and traffic one instruction of a program is; the convention of counting is that of `flops`."""
from math import prod

from .flops import flops
from .functions import FORWARD, MAKES
from .passes.canonical import REDUCTIONS
from .program import Value

# What moves or makes elements without arithmetic.
MOVES = MAKES | frozenset("""reshape permute permute_dims transpose matrix_transpose swapaxes moveaxis expand_dims
    squeeze ravel broadcast broadcast_to slice getitem setitem write concat stack split unstack take take_lines
    put_along_axis copy cast astype ascontiguousarray asarray pad roll flip repeat tile unfold_windows
    window_take window_places assume empty""".split())


def _shape(x):
    return x.shape if isinstance(x, Value) else ()


def _matmul(i):
    x = i.inputs[0].shape
    summed = x[-2] if i.kwargs.get("transpose_x") else x[-1] if x else 1
    return 2 * prod(i.outputs[0].shape) * summed


def _attention(i, factor=1.0):
    """Query, key and value are the first three arrays of matrices (of the gradients: behind that of the result)."""
    q, k, v = [x for x in i.inputs if len(_shape(x)) > 1][-4 if factor > 1 else 0:][:3]
    return round(factor * prod(q.shape[:-1]) * k.shape[-2] * (2 * q.shape[-1] + 2 * v.shape[-1] + 5))


KERNELS = {
    "matmul": _matmul, "dot": _matmul, "vecdot": lambda i: 2 * prod(_shape(i.inputs[0])),
    "tensordot": lambda i: 2 * prod(_shape(i.inputs[0])) * prod(_shape(i.inputs[1])),
    "conv_forward": lambda i: (2 * prod(i.inputs[1].shape[1:]) + (len(i.inputs) > 2)) * prod(i.outputs[0].shape),
    "conv_to_input": lambda i: 2 * prod(i.inputs[0].shape) * prod(i.inputs[1].shape[1:]),
    "conv_to_weight": lambda i: 2 * prod(i.inputs[1].shape) * prod(i.outputs[0].shape[1:]),
    "csr_product": lambda i: 2 * prod(i.inputs[2].shape) * prod(i.inputs[0].shape[1:]),
    "squared_distances": lambda i: 3 * prod(i.outputs[0].shape) * i.inputs[0].shape[-1],
    "attention_forward": _attention, "attention_gradients": lambda i: _attention(i, 2.5),
}


def flops_of(instruction):
    """How many arithmetic operations an instruction is."""
    i, name = instruction, instruction.name
    if name in MOVES or not i.made or name == "rules":
        return 0
    if name in KERNELS:
        return int(KERNELS[name](i))
    if name.startswith(FORWARD):
        try:
            return flops(name[len(FORWARD):], [_shape(x) for x in i.inputs], [v.shape for v in i.made], i.kwargs)
        except (KeyError, IndexError, TypeError, AttributeError):
            return sum(v.size for v in i.made)
    if name.startswith(("linalg.", "fft.")):
        return flops(name if name.startswith("fft.") else name[7:], [_shape(x) for x in i.inputs],
                     [v.shape for v in i.made], {k: v for k, v in i.kwargs.items() if not isinstance(v, Value)})
    if name in REDUCTIONS or name in ("mean", "argmax", "argmin", "window_sum", "window_max", "count_nonzero"):
        return prod(_shape(i.inputs[0])) if i.inputs else 0
    return sum(v.size for v in i.made)


def bytes_of(instruction):
    """The bytes that an instruction reads and writes, each array counted once; views cost none."""
    if instruction.made and instruction.made[0].alias is not None:
        return 0
    read = {x for x in instruction.inputs if isinstance(x, Value)}
    return sum(v.nbytes for v in (*read, *instruction.made))
