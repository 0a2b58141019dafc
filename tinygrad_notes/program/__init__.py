"""A recorded computation: one structure that is drawn, measured, compiled and exported."""
from .errors import CannotRecord, ReadsValue
from .program import Instruction, Program, Scope, Value
from .record import Recording, record

__all__ = ["CannotRecord", "Instruction", "Program", "ReadsValue", "Recording", "Scope", "Value", "record"]
