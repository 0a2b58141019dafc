"""Curves that grow: in place in a notebook, above the bar in a terminal, nowhere else, and never a difference."""
import io
import re
import sys
import types

import pytest

import tinygrad_notes as tn
from tests.train.test_trainer import noisy_run
from tinygrad_notes.train import History, LiveCurves, history_curves

pytestmark = pytest.mark.host_only


class Terminal(io.StringIO):
    """A terminal that knows line feeds, returns, and the two codes that are used: up, and erase the line."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def fileno(self):
        raise OSError

    def screen(self):
        cells, row, column = {}, 0, 0
        for count, kind, char in re.findall(r"\x1b\[(\d*)([A-Za-z])|([\s\S])", self.getvalue()):
            if kind == "A":
                row -= int(count or 1)
            elif kind == "K":
                cells = {at: c for at, c in cells.items() if at[0] != row}
            elif char == "\r":
                column = 0
            elif char == "\n":
                row, column = row + 1, 0
            elif char:
                cells[row, column] = char
                column += 1
        last = max(row for row, _ in cells)
        return ["".join(cells.get((y, x), " ") for x in range(120)).rstrip() for y in range(last + 1)]


def run(monkeypatch, callbacks, terminal=None, epochs=3):
    if terminal is not None:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
    trainer = noisy_run()
    trainer.callbacks += callbacks
    trainer.fit(epochs, progress=None)
    return trainer


def test_in_a_terminal_the_chart_stays_above_the_bar(monkeypatch):
    terminal = Terminal()
    run(monkeypatch, [LiveCurves(seconds=0, height=8)], terminal)
    screen = [line for line in terminal.screen() if line.strip()]
    assert screen[0].startswith("\u2501 loss, training  \u2501 loss, held out")
    assert screen[7].endswith("epoch 3") and screen[8].startswith("epoch 3/3: 100%") and len(screen) == 9
    assert sum("loss, training" in line for line in screen) == 1


def test_a_terminal_without_unicode_gets_letters(monkeypatch):
    terminal = Terminal()
    terminal.encoding = "ascii"
    run(monkeypatch, [LiveCurves(seconds=0)], terminal)
    assert any(line.startswith("* loss, training  o loss, held out") for line in terminal.screen())


def test_elsewhere_nothing_is_drawn_and_the_numbers_are_the_same(monkeypatch, capsys):
    plain = run(monkeypatch, [])
    assert run(monkeypatch, [LiveCurves(seconds=0)]).history.rows == plain.history.rows
    assert capsys.readouterr() == ("", "")
    assert run(monkeypatch, [LiveCurves(seconds=0)], Terminal()).history.rows == plain.history.rows


def test_in_a_notebook_one_picture_is_updated(monkeypatch):
    shown = []

    class Handle:
        def update(self, picture):
            shown.append(("update", picture))

    def display(picture, display_id):
        shown.append(("display", picture))
        return Handle()
    shell = types.ModuleType("IPython")
    shell.get_ipython = type("ZMQInteractiveShell", (), {})
    shell.display = types.SimpleNamespace(display=display)
    monkeypatch.setitem(sys.modules, "IPython", shell)
    trainer = noisy_run()
    trainer.callbacks.append(LiveCurves("accuracy", seconds=0, compare={"old": History([{"accuracy": 0.5}])}))
    trainer.fit(3)
    assert [kind for kind, _ in shown] == ["display", "update", "update"]
    assert "accuracy, held out" in shown[-1][1]._repr_svg_() and "old: accuracy" in shown[-1][1].svg()
    trainer.fit(4)
    assert shown[-1][0] == "display"


def test_a_loss_that_cannot_be_drawn_does_not_end_the_run(monkeypatch):
    terminal = Terminal()
    trainer = noisy_run()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    inner = trainer.loss
    trainer.loss = lambda model, *batch: {**inner(model, *batch), "odd": float("nan")}
    trainer.callbacks.append(LiveCurves("odd", seconds=0))
    assert len(trainer.fit(2)) == 2


def test_curves_of_a_history_and_wrong_names():
    history = History([{"epoch": 2, "loss": 1.0, "valid_loss": 2.0, "lr": 0.1}])
    assert history_curves(history, ["loss", "lr"]) == {
        "loss, training": ([2], [1.0]), "loss, held out": ([2], [2.0]), "lr": ([2], [0.1])}
    assert "loss, held out" in history.plot(logy=True).svg()
    with pytest.raises(KeyError, match="no column 'acc'; it has epoch, loss"):
        history.plot("acc")
    with pytest.raises(ValueError, match="show: expected 'notebook'"):
        LiveCurves(show="web")
    assert tn.train.display_in_place(object()) is None
