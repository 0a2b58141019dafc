"""Dead code: instructions whose results nobody needs are left out."""
from ..program import Program, Value

EFFECTS = ("draw", "assume")  # what must happen although its result may be unused


def dead(program):
    """The program without them."""
    needed = {v for v in program.results() if isinstance(v, Value)}
    kept = []
    for instruction in reversed(program.instructions):
        if instruction.name in EFFECTS or any(v in needed for v in instruction.made):
            kept.append(instruction)
            needed.update(v for v in instruction.inputs if isinstance(v, Value))
    new = Program(program.device)
    vars(new).update(vars(program))
    new.instructions = kept[::-1]
    return new
