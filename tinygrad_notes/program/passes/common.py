"""Common subexpressions: what is computed twice from the same values is computed once."""
from ..build import copy_of, rebuild
from ..scalars import Scalar
from .dead import EFFECTS


def common(program):
    """The program in which equal instructions are one."""
    known = {}

    def visit(builder, instruction, inputs):
        if instruction.name in EFFECTS or instruction.name == "assume":
            return None
        key = (instruction.name, tuple([("s", x.index) if isinstance(x, Scalar) else x for x in inputs]),
               _frozen(instruction.args), _frozen(instruction.kwargs), instruction.made[0].dtype)
        if key not in known:
            known[key] = copy_of(builder, instruction, inputs)
        return known[key]
    return rebuild(program, visit)


def _frozen(tree):
    """Static arguments as something that can be looked up; 1, 1.0, True and -0.0 stay apart."""
    if tree.__class__ in (tuple, list):
        return tuple([_frozen(part) for part in tree])
    if tree.__class__ is dict:
        return tuple([(key, _frozen(value)) for key, value in tree.items()])
    if tree.__class__ is slice:
        return "slice", tree.start, tree.stop, tree.step
    if tree.__class__ in (int, float, bool):
        return tree.__class__, repr(tree)
    try:
        hash(tree)
    except TypeError:
        return id(tree)
    return tree
