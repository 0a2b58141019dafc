"""Numbers of 8 significant bits in arrays of 24: what a computation in bfloat16 would have given."""
from .kernels import kernel


@kernel
def round_bfloat16(xp, x):
    """`x` as float32 whose values are the nearest bfloat16 numbers, ties to even."""
    bits = xp.ascontiguousarray(x, dtype=xp.float32).view(xp.uint32)
    half = ((bits >> 16) & 1) + 0x7FFF
    return ((bits + half.astype(xp.uint32)) & 0xFFFF0000).astype(xp.uint32).view(xp.float32)
