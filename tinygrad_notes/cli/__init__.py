"""The command `tinygrad-notes`: train a model, check gradients, draw graphs, look at the machine."""
import os
import sys

from .errors import Usage
from .parser import make_parser


def main(argv=None):
    """Run the command line.

    Args:
        argv: the arguments, default those of the process.

    Returns:
        The exit code: 0 done, 1 failed or interrupted, 2 wrong usage.
    """
    parser = make_parser()
    try:
        args = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has said why, or has printed the help
        return stop.code
    if args.command is None:
        parser.print_help()
        return 0
    try:
        return _command(args.command)(args) or 0
    except KeyboardInterrupt:
        print("tinygrad-notes: interrupted", file=sys.stderr)
    except BrokenPipeError:  # the reader of our output, such as head, has gone: nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if args.debug:
            raise
        print(f"tinygrad-notes: error: {told(error)}", file=sys.stderr)
        return 2 if isinstance(error, Usage) else 1
    return 1


def _command(name):
    """The function behind a command; each imports what it needs and no more."""
    from . import doctor, inspect, profile, report, runs, train

    return {"train": train.train, "gradcheck": inspect.gradcheck, "graph": inspect.graph, "models": inspect.models,
            "data": inspect.data, "doctor": doctor.doctor, "report": report.report, "runs": runs.runs,
            "profile": profile.profile}[name]


def told(error):
    """An exception as one line."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    expected = isinstance(error, (ValueError, TypeError, OSError, RuntimeError, ArithmeticError))
    name = "" if expected and text else type(error).__name__ + (": " if text else "")
    return f"{name}{text}" + ("" if expected else " (--debug shows where)")
