"""Curves that grow while a model trains: in place in a notebook, above the progress bar in a terminal."""
from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

from ..viz import plot_curves, text_curves
from .callback import Callback
from .progress import in_notebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..viz import Picture
    from .history import History


def history_curves(history: History, columns: Iterable[str] | str | None = None) -> dict[str, tuple[list, list]]:
    """The curves of some columns of a history, with those on held-out data beside them.

    Args:
        history: a `History`.
        columns: one name or several, such as "loss"; by default "loss". "valid_loss" is added where it is there.

    Returns:
        {name: (epochs, values)}, as `tn.viz.plot_curves` takes them.

    Raises:
        KeyError: the history has no such column.

    Example:
        >>> import tinygrad_notes as tn
        >>> history = tn.train.History([{"epoch": 1, "loss": 3.0, "valid_loss": 3.5}, {"epoch": 2, "loss": 2.0}])
        >>> tn.train.history_curves(history)
        {'loss, training': ([1, 2], [3.0, 2.0]), 'loss, held out': ([1], [3.5])}
    """
    columns = ["loss"] if columns is None else [columns] if isinstance(columns, str) else list(columns)
    curves = {}
    for column in columns:
        history[column]  # KeyError with the names there are
        both = f"valid_{column}" in history.columns
        curves[f"{column}, training" if both else column] = history.curve(column)
        if both:
            curves[f"{column}, held out"] = history.curve(f"valid_{column}")
    return curves


class LiveCurves(Callback):
    """Draws the history while it grows. In a notebook the picture is updated in place; in a terminal it is text above
    the progress bar; where neither is there, nothing is drawn.

    Args:
        columns: of the history, "loss" by default; with their held-out twins.
        logy: logarithmic y axis.
        smooth: share of the past in a moving average, from 0 (none) to below 1.
        compare: other histories by name, drawn beside this one: {"lr 0.1": history}.
        seconds: at least so many between two pictures.
        height: lines of text in a terminal.
        show: 'notebook', 'terminal', or None to find out.

    Raises:
        ValueError: `show` is none of these.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.nn.Linear(2, 1)
        >>> history = tn.train.fit(model, [tn.ones((3, 2))], tn.optim.SGD(model.parameters(), lr=0.1), 5, progress=None,
        ...                        loss=lambda model, x: (model(x)**2).mean(),
        ...                        callbacks=[tn.train.LiveCurves(logy=True, smooth=0.6)])
    """

    def __init__(self, columns: Any = None, logy: bool = False, smooth: float = 0.0,
                 compare: Mapping[str, History] | None = None, seconds: float = 0.5, height: int = 12,
                 show: str | None = None) -> None:
        if show not in (None, "notebook", "terminal"):
            raise ValueError(f"show: expected 'notebook', 'terminal' or None, got {show!r}")
        self.columns, self.logy, self.smooth, self.height = columns, logy, smooth, height
        self.compare, self.seconds, self.show = dict(compare or {}), seconds, show
        self._last, self._handle, self._drawn = -float("inf"), None, 0

    def curves(self, history: History) -> dict[str, tuple[list, list]]:
        """What is drawn: of this run and of those it is compared with."""
        curves = history_curves(history, self.columns)
        for name, other in self.compare.items():
            curves.update({f"{name}: {key}": curve for key, curve in history_curves(other, self.columns).items()})
        return curves

    def picture(self, history: History) -> Picture:
        """The curves as a picture."""
        return plot_curves(self.curves(history), logy=self.logy, smooth=self.smooth)

    def begin(self, trainer: Any) -> None:
        """A new run of `fit` gets a picture of its own."""
        self._last, self._handle, self._drawn = -float("inf"), None, 0

    def __call__(self, trainer: Any, row: dict[str, Any]) -> None:
        """Draw, if it is time to."""
        if time.monotonic() - self._last >= self.seconds:
            self._draw(trainer)

    def end(self, trainer: Any) -> None:
        """Draw the last state."""
        if len(trainer.history) > self._drawn:
            self._draw(trainer)

    def _draw(self, trainer):
        where = self.show or ("notebook" if in_notebook() else "terminal" if _terminal() else None)
        if where is None:
            return
        try:
            if where == "notebook":
                self._handle = display_in_place(self.picture(trainer.history), self._handle)
            else:
                self._text(trainer)
        except ValueError as error:  # a loss of nothing but NaN has no curve; the run goes on
            if "no curve has a point" not in str(error):
                raise
        self._last, self._drawn = time.monotonic(), len(trainer.history)

    def _text(self, trainer):
        text = text_curves(self.curves(trainer.history), logy=self.logy, smooth=self.smooth, height=self.height,
                           **text_options(sys.stderr))
        if trainer.progress is not None:
            trainer.progress.above(text.split("\n"))


def display_in_place(picture: Any, handle: Any = None) -> Any:
    """Show a picture in a notebook, or put it in the place of the one shown before.

    Args:
        picture: a `Picture`, or anything that a notebook can show.
        handle: what an earlier call returned.

    Returns:
        What to give to the next call; None where no notebook is running.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.train.display_in_place(tn.viz.plot_curves({"loss": [2.0, 1.0]})) is None
        True
    """
    shell = sys.modules.get("IPython")
    if shell is None or shell.get_ipython() is None:
        return None
    if handle is None:
        return shell.display.display(picture, display_id=True)
    handle.update(picture)
    return handle


def _terminal():
    """Whether stderr, where the progress bar is, is a terminal that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def text_options(stream):
    """Of `text_curves`: as wide as the terminal, in the letters and colors that the stream takes."""
    unicode = (getattr(stream, "encoding", None) or "").lower().startswith("utf")
    return {"width": max(min(shutil.get_terminal_size().columns - 1, 110), 24), "ascii": not unicode,
            "color": unicode and stream.isatty() and not os.environ.get("NO_COLOR")}
