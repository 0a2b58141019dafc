"""Ways to run a program."""
from ..interpret import interpret

__all__ = ["executor"]


def executor(program, extra=(), **options):
    """`run(inputs, states, scalars)`, which returns {Value: array} of all results of the program."""
    return lambda inputs, states, scalars: interpret(program, inputs, states, scalars)
