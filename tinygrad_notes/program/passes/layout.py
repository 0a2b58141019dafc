"""Transposes go into the products that read them: a permuted operand of `matmul` is read as it lies."""
from ..build import rebuild
from .simplify import made_by


def layout(program):
    """Products with flags `transpose_x`, `transpose_y` in place of permuted operands."""
    def visit(builder, instruction, inputs):
        if instruction.name != "matmul" or instruction.kwargs.get("transpose_x") is not None or len(inputs) != 2:
            return None
        flags, plain = [], []
        for x in inputs:
            inner = made_by(x, "permute")
            n = len(x.shape)
            turned = inner is not None and inner.kwargs.get("axes") == (*range(n - 2), n - 1, n - 2)
            flags.append(turned)
            plain.append(inner.inputs[0] if turned else x)
        out = instruction.outputs[0]
        return builder.emit("matmul", plain, out.shape, out.dtype, transpose_x=flags[0], transpose_y=flags[1])
    return rebuild(program, visit)
