"""What is the fault of the command line, not of the machine: exit code 2."""


class Usage(ValueError):
    """The command line asks for something that is not there; the message says what is."""
