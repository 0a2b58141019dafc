"""What cannot be recorded, and why."""


class CannotRecord(RuntimeError):
    """The computation does something that a recording cannot repeat; the message says what, and on which line."""


class Outdated(Exception):
    """Something that the recording took for granted does not hold in this run."""


class ReadsValue(CannotRecord):
    """Python asked for the values of an array while a computation was being recorded."""
