"""Files that are whole or not there; histories; the progress bar."""
import csv
import io
import json
import os
import signal
import stat
import sys
import threading

import pytest

import tinygrad_notes as tn
from tinygrad_notes.train import History, Progress, Trainer, stop_on_signals
from tinygrad_notes.train.files import replacing, write_bytes, write_json, write_rows, write_text

pytestmark = pytest.mark.host_only


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old\n")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        assert path.read_text() == "old\n"
        raise RuntimeError
    assert path.read_text() == "old\n" and os.listdir(tmp_path) == ["a.txt"]
    with open(path) as reader:
        write_text(path, "new")
        assert reader.read() == "old\n", "who reads the old file sees it whole: it was not written over"
    write_text(path, "tëxt\r\n")
    assert path.read_bytes() == "tëxt\r\n".encode()
    write_bytes(path, b"\0\1")
    assert path.read_bytes() == b"\0\1"


def test_a_link_stays_a_link_and_the_permissions_are_the_usual_ones(tmp_path):
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"
    tn.save({"n": 1}, tmp_path / "state")
    (tmp_path / "plain").touch()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_rows_become_columns_in_order_of_appearance(tmp_path):
    write_rows(tmp_path / "t.csv", [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": 1 / 3, "valid": 2.0}])
    rows = list(csv.reader((tmp_path / "t.csv").read_text().splitlines()))
    assert rows == [["epoch", "loss", "valid"], ["1", "0.1", ""], ["2", repr(1 / 3), "2.0"]]
    write_json(tmp_path / "t.json", {"x": [1 / 3]})
    assert json.loads((tmp_path / "t.json").read_text()) == {"x": [1 / 3]}


def test_a_history_reads_by_column_and_by_row(tmp_path):
    history = History([{"epoch": 1, "loss": 3.0}])
    history.append({"epoch": 2, "loss": 2.0, "valid_loss": 2.5})
    assert history["loss"] == [3.0, 2.0] and history["valid_loss"] == [None, 2.5]
    assert history.curve("valid_loss") == ([2], [2.5])
    assert history[-1]["epoch"] == 2 and len(history) == 2 and [row["epoch"] for row in history] == [1, 2]
    with pytest.raises(KeyError, match="no column 'los'; it has epoch, loss, valid_loss"):
        history["los"]
    history.to_csv(tmp_path / "h.csv")
    history.to_json(tmp_path / "h.json")
    assert json.loads((tmp_path / "h.json").read_text()) == history.rows
    assert (tmp_path / "h.csv").read_text().splitlines()[0] == "epoch,loss,valid_loss"


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self):
        return True


def test_the_bar_shows_epoch_loss_rate_and_time_left(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress(total=4, done=1) as bar:
        bar.bar.mininterval = bar.bar.miniters = 0
        bar.epoch(2, 3)
        bar.step(1.25)
        bar.step(0.125)
    shown = sys.stderr.getvalue()
    for part in ("epoch 2/3", "loss 0.125", "3/4", "step/s", "<00:"):
        assert part in shown, shown


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")
def test_the_bar_shows_on_a_terminal_that_claims_to_have_no_size(monkeypatch):
    mine, theirs = os.openpty()
    with os.fdopen(mine, "rb", buffering=0) as reader, os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Progress(total=4) as bar:
            bar.step(1.25)
        terminal.flush()
        assert b"/4 [" in reader.read(4096)


@pytest.mark.parametrize(("stream", "show"), [(io.StringIO, None), (Terminal, False)])
def test_the_bar_is_silent_off_terminals_and_when_told(monkeypatch, stream, show):
    monkeypatch.setattr(sys, "stderr", stream())
    with Progress(total=4, show=show) as bar:
        bar.epoch(1, 1)
        bar.step(1.0)
    assert sys.stderr.getvalue() == ""


def endless(send):
    """A trainer whose third loss sends a signal."""
    model = tn.nn.Linear(1, 1)
    loader = tn.data.DataLoader(tn.data.TensorDataset(tn.ones((8, 1))), 2)

    def loss(model, x):
        if trainer.step >= 2:
            send(trainer)
        return (model(x)**2).mean()
    trainer = Trainer(model, loader, tn.optim.SGD(model.parameters(), lr=0.01), loss=loss)
    return trainer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_step_it_is_in(number, tmp_path):
    before = signal.getsignal(number)
    trainer = endless(lambda trainer: os.kill(os.getpid(), number))
    with stop_on_signals(trainer):
        trainer.fit(1000, checkpoint=tmp_path / "run")
    assert trainer.step == 3 and trainer.interrupted == number.name
    assert signal.getsignal(number) is before
    assert tn.load(tmp_path / "run")["step"] == 3


def test_a_second_signal_is_a_keyboard_interrupt():
    def twice(trainer):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    trainer, before = endless(twice), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_on_signals(trainer):
        trainer.fit(1000)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_nothing_is_changed():
    seen = []

    def work():
        with stop_on_signals(None):
            seen.append(signal.getsignal(signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
