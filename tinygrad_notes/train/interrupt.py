"""Ctrl-C and SIGTERM end a run between two steps, so that what is saved is whole."""
import signal
import threading
from contextlib import contextmanager


@contextmanager
def stop_on_signals(trainer):
    """Inside the block, Ctrl-C or SIGTERM asks `trainer` to stop after the step it is in.

    A second Ctrl-C raises KeyboardInterrupt at once. Outside the main thread nothing is changed.

    Args:
        trainer: a `Trainer`; anything with `interrupted` and `interrupt(reason)`.

    Yields:
        Nothing; afterwards the signals do what they did before.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.nn.Linear(2, 1)
        >>> trainer = tn.train.Trainer(model, [tn.ones((3, 2))], tn.optim.SGD(model.parameters(), lr=0.1),
        ...                            loss=lambda model, x: (model(x)**2).mean())
        >>> with tn.train.stop_on_signals(trainer):
        ...     history = trainer.fit(5)
        >>> trainer.interrupted
        ''
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
