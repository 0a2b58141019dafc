"""Ctrl-C and SIGTERM end a run between two steps, so that what is saved is whole."""
import signal
import threading
from contextlib import contextmanager


@contextmanager
def stop_on_signals(trainer):
    """Inside the block, Ctrl-C or SIGTERM asks `trainer` to stop after the step it is in.

    A second Ctrl-C raises KeyboardInterrupt at once. Outside the main thread nothing is changed.

    Example:
        >>> import tinygrad_notes as tn
        >>> with tn.train.stop_on_signals(trainer):   # doctest: +SKIP
        ...     trainer.fit(100, checkpoint="run.safetensors")
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number, frame):
        if trainer.interrupted:
            raise KeyboardInterrupt
        trainer.interrupt(signal.Signals(number).name)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
