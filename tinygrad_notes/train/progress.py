"""The progress bar: epoch, loss, steps per second, time left; in terminals and notebooks, silent elsewhere."""
import os
import sys


def wanted(show=None):
    """Whether a bar is drawn: as asked, or else in notebooks and where stderr is a terminal."""
    return (in_notebook() or sys.stderr.isatty()) if show is None else bool(show)


def in_notebook():
    """Whether this is a Jupyter kernel with widgets, which draw their own bar."""
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return type(found).__name__ == "ZMQInteractiveShell"


class Progress:
    """A bar over the steps of a run; as a context manager it is closed at the end.

    Args:
        total: steps of the whole run.
        done: steps that lie behind already (a run that is continued).
        show: True or False, or None to draw it in notebooks and on terminals only.

    Example:
        >>> import tinygrad_notes as tn
        >>> with tn.train.Progress(total=10, show=False) as bar:
        ...     bar.epoch(1, 1)
        ...     bar.step(loss=0.5)
    """

    def __init__(self, total, done=0, show=None):
        self.bar, self._lines = None, 0
        if wanted(show):
            self.bar = _bar_class()(total=total, initial=done, unit="step", smoothing=0.1, mininterval=0.1,
                                    file=sys.stderr, **_size())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.bar is not None:
            self.bar.close()

    def epoch(self, number, epochs):
        """Say which epoch is running."""
        if self.bar is not None:
            self.bar.set_description_str(f"epoch {number}/{epochs}", refresh=False)

    def step(self, loss):
        """One step is done."""
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
            self.bar.update()

    def above(self, lines):
        """Show lines of text above the bar, in the place of those shown before; without a bar, nowhere."""
        if self.bar is None:
            return
        with self.bar.get_lock():
            self.bar.clear(nolock=True)
            up = f"\x1b[{self._lines}A" if self._lines else ""
            rest = "\x1b[2K\n" * (self._lines - len(lines))
            self.bar.fp.write(up + "".join(f"\x1b[2K{line}\n" for line in lines) + rest)
            self._lines = max(len(lines), self._lines)
            self.bar.refresh(nolock=True)


def _size():
    """Follow the terminal's size; where it says 0 rows or columns, take 24 x 80, for tqdm would draw nothing."""
    try:
        known = min(os.get_terminal_size(sys.stderr.fileno()))
    except (OSError, ValueError, AttributeError):
        known = True  # no terminal: tqdm has its own way
    return {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 24}


def _bar_class():
    if in_notebook():
        try:
            import ipywidgets  # noqa: F401 - the notebook bar warns without it
            from tqdm.notebook import tqdm

            return tqdm
        except ImportError:
            pass
    from tqdm import tqdm

    return tqdm
