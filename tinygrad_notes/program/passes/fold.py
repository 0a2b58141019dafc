"""Constants: what depends on no input is computed now, if it is small."""
import numpy as np

from ..build import rebuild
from ..functions import resolve
from ..interpret import as_array, filled
from ..program import Value
from .canonical import run_canonical
from .dead import EFFECTS

LARGEST = 1 << 20  # elements


def fold(program, xp):
    """The program in which such results are constants; `xp` computes them."""
    def visit(builder, instruction, inputs):
        if instruction.name in EFFECTS or instruction.name in ("full", "broadcast"):
            return None
        if any(not (isinstance(v, Value) and v.role == "constant") for v in inputs):
            return None
        if None in instruction.outputs or any(v.size > LARGEST for v in instruction.outputs):
            return None
        hosts = [v.host for v in inputs]
        with np.errstate(all="ignore"):
            out = run_canonical(xp, instruction, hosts)
            if out is None:
                out = resolve(xp, instruction.name)(*filled(instruction.args, hosts),
                                                    **filled(instruction.kwargs, hosts))
        parts = (out,) if instruction.single else out
        hosts = [as_array(xp, part).astype(v.dtype) for part, v in zip(parts, instruction.outputs)]
        return tuple([builder.constant(host) for host in hosts])
    return rebuild(program, visit)
