"""A recorded computation: one structure that is drawn, measured, compiled and exported."""
from .compiled import Compiled, compile
from .errors import CannotRecord, ReadsValue
from .program import Instruction, Program, Scope, Value
from .record import Recording, record
from .saved import UnreadableProgram
from .trace import trace

__all__ = ["CannotRecord", "Compiled", "Instruction", "Program", "ReadsValue", "Recording", "Scope",
           "UnreadableProgram", "Value", "compile", "record", "trace"]
