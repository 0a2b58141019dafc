"""The page of a run: everything on it, whatever became of the run; nothing from outside; and it works in a browser."""
import html
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

import tinygrad_notes as tn
from tests.browser import visit
from tinygrad_notes.cli import main
from tinygrad_notes.cli.report import write_report
from tinygrad_notes.cli.state import check_writable
from tinygrad_notes.viz import page as pages

pytestmark = pytest.mark.host_only
VOID = {"meta", "link", "input", "br", "img"}


class Checked(HTMLParser):
    """The tags of a page, which must be closed in order; and its text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of two epochs, and one beside it."""
    base = tmp_path_factory.mktemp("finished")
    for name, seed in (("mlp", 0), ("other", 1)):
        code = main(["train", "mlp", "--epochs", "2", "-q", "--seed", str(seed), "--out", str(base / "runs" / name),
                     "--set", "hidden=16"])
        assert code == 0
    return base / "runs"


def test_the_page_of_a_run_holds_everything_and_needs_nothing_else(finished):
    text = (finished / "mlp" / "report.html").read_text(encoding="utf-8")
    found = Checked(text)
    for section in ("Results", "Curves", "Pictures", "Inside the model", "Gradient check", "Computation graph",
                    "Settings"):
        assert section in found.text
    for said in ("mlp on digits", "2 of 2 epochs, seed 0", "CORRECT", "layers.0.weight", "held out", "16 x 64", "numpy",
                 "tinygrad-notes train mlp --data digits --epochs 2", "--set hidden=16"):
        assert said in found.text, said
    links = [value for _, attributes in found.tags for name, value in attributes.items()
             if name in ("src", "href", "xlink:href", "action", "data") and value]
    assert all(link.startswith(("#", "data:")) for link in links), [link for link in links if link[:4] != "data"]
    frame, = (attributes for tag, attributes in found.tags if tag == "iframe")
    assert frame["sandbox"] == "allow-scripts"
    Checked(frame["srcdoc"])
    text = text.replace(html.escape(frame["srcdoc"]), "")
    assert "@import" not in text and "url(http" not in text
    assert set(re.findall(r"https?://[^\s\"'<>]+", text)) <= {"http://www.w3.org/2000/svg"}
    data = [json.loads(s) for s in re.findall(r'<script type="application/json">(.*?)</script>', text)]
    loss = next(d for d in data if d["title"] == "loss")
    rows = json.loads((finished / "mlp" / "history.json").read_text())
    assert loss["series"] == [{"name": "training", "x": [1, 2], "y": [row["loss"] for row in rows]},
                              {"name": "held out", "x": [1, 2], "y": [row["valid_loss"] for row in rows]}]
    state = json.loads((finished / "mlp" / "state.json").read_text())
    assert (state["state"], state["epoch"], state["step"]) == ("finished", 2, 90) and state["parameters"] == 1210


def test_the_page_works_in_a_browser(finished, tmp_path):
    page = finished / "mlp" / "report.html"
    dom, told = visit(page, """
      const live = [...document.querySelectorAll("svg.live")];
      told.push(live.length, document.querySelectorAll("figure.chart").length);
      const svg = live[0], room = svg.getBoundingClientRect(), tip = svg.parentNode.querySelector(".tip");
      svg.dispatchEvent(new PointerEvent("pointermove", {clientX: room.right - 5, clientY: room.top + 20}));
      told.push(tip.hidden, tip.textContent);
      svg.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft"}));
      told.push(tip.textContent);
      const label = () => svg.querySelector("text").textContent, before = label();
      const box = svg.parentNode.querySelector("input[type=checkbox]");
      box.click();
      told.push(before !== label());
      const slider = svg.parentNode.querySelector("input[type=range]");
      slider.value = 0.5; slider.dispatchEvent(new Event("input"));
      told.push(svg.querySelectorAll("path[fill=none]").length);
      svg.parentNode.querySelector(".key button").click();
      told.push(svg.querySelectorAll("path[fill=none]").length);
      document.querySelector("button.theme").click();
      told.push(document.documentElement.dataset.theme);
    """, tmp_path / "profile")
    live, charts, hidden, text, left, other, smooth, fewer, theme = json.loads(told)
    assert live == charts >= 6 and hidden is False and other is True and (smooth, fewer) == (4, 2)
    assert text.startswith("epoch 2training: ") and left.startswith("epoch 1training: ") and "held out: " in text
    assert theme in ("dark", "light")


def test_a_run_without_its_end_gets_a_page_too(cli, tmp_path, monkeypatch):
    """Interrupted: the page is written at once, and `report` adds what only a whole run has."""
    def stop(trainer, row):
        trainer.interrupt("SIGINT")
    from tinygrad_notes.cli import train as command
    monkeypatch.setattr(command, "LiveCurves", lambda *a: None)
    monitored = command._monitored
    monkeypatch.setattr(command, "_monitored", lambda trainer, folder: trainer.callbacks.append(stop)
                        or monitored(trainer, folder))
    assert cli("train", "mlp", "--epochs", 9, "-q", "--set", "hidden=8")[0] == 1
    folder = tmp_path / "runs" / "mlp"
    text = Checked((folder / "report.html").read_text()).text
    assert "stopped" in text and "1 of 9 epochs" in text
    assert "go on with: tinygrad-notes train --resume runs/mlp" in text
    assert "was not checked" in text and "Computation graph" not in text
    code, out, err = cli("report", "runs/mlp")
    assert (code, err) == (0, "") and out.startswith("runs/mlp/report.html: ")
    text = Checked((folder / "report.html").read_text()).text
    assert "CORRECT" in text and "Computation graph" in text and "Pictures" in text and "1 of 9 epochs" in text


def test_a_run_that_fails_says_why_on_its_page(cli, tmp_path):
    code, _, err = cli("train", "mlp", "--epochs", 3, "-q", "--lr", "1e30", "--set", "hidden=8")
    assert code == 1 and "the loss is" in err
    state = json.loads((tmp_path / "runs/mlp/state.json").read_text())
    assert state["state"] == "failed" and "NonFiniteLoss: the loss is" in state["message"]
    code, out, err = cli("report", "runs/mlp")
    assert code == 0 and "note: the model could not be brought back" in err
    assert "NonFiniteLoss" in Checked((tmp_path / "runs/mlp/report.html").read_text()).text


def test_texts_of_a_run_are_text(finished, tmp_path):
    """Names, messages and columns from outside stay what they are; nothing of them is a tag."""
    evil = "</script><script>alert(1)</script><b>&"
    folder = tmp_path / "<i>run"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"settings": {
        "model": evil, "data": evil, "seed": 0, "dtype": "float32", "device": "cpu", "epochs": 2}}))
    (folder / "state.json").write_text(json.dumps({"state": evil, "message": evil, "environment": {evil: evil}}))
    (folder / "history.json").write_text(json.dumps([{"epoch": 1, "loss": 1.0, evil: 2.0}]))
    (folder / "gradcheck.json").write_text(json.dumps({
        "verdict": evil, "error": 0, "evaluations": 1, "seconds": 1, "batch": 1, "guess": evil, "culprit": evil,
        "inputs": [{"path": evil, "shape": [1], "verdict": evil, "error": 0, "checked": 1, "unit": evil,
                    "remark": evil}]}))
    text = write_report(folder).read_text(encoding="utf-8")
    found = Checked(text)
    assert not any(tag in ("b", "i") and "class" not in attributes for tag, attributes in found.tags)
    assert sum(tag == "script" for tag, _ in found.tags) == 1 + text.count("application/json")
    assert found.text.count("alert(1)") > 10
    visit(folder / "report.html", "", tmp_path / "profile")


def test_pages_have_no_holes(finished):
    assert pages.table([("a", ("b", "bad"))], ("x", "y"), numbers=(1,)).count('class="n bad"') == 1
    svg = tn.viz.plot_curves({"a": [1.0, 2.0]}).svg()
    assert pages.frames({"<x>": svg}).count("&lt;x&gt;") == 1
    assert "2 more" in pages.grid(["<figure></figure>"] * 5, most=3)
    assert json.loads(re.search(r"json\">(.*?)</script>", pages.chart({"a": [1.0, float("nan")]}))[1])["series"] == [
        {"name": "a", "x": [1, 2], "y": [1.0, None]}]


def test_folders_that_cannot_be_written_are_named_before_the_training(cli, tmp_path, monkeypatch):
    from tinygrad_notes.cli import state

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))
    monkeypatch.setattr(state.Path if hasattr(state, "Path") else type(tmp_path), "touch", refuse)
    with pytest.raises(PermissionError, match="cannot write into this folder"):
        check_writable(tmp_path)
    code, out, err = cli("train", "mlp", "--epochs", 1)
    assert code == 1 and "runs/mlp: cannot write into this folder (Permission denied)" in err and out == ""


def test_the_loss_surface_is_drawn_where_it_is_asked_for(cli, tmp_path):
    for options in ((), ("--surface",)):
        assert cli("train", "mlp", "--epochs", 2, "-q", "--set", "hidden=4", *options) == (0, "", "")
    plain, surface = (tmp_path / "runs" / name for name in ("mlp", "mlp-2"))
    assert "of the path" in (surface / "surface.svg").read_text() and not (plain / "surface.svg").exists()
    assert "around its parameters, with the way there" in (surface / "report.html").read_text()
    assert (plain / "checkpoint.safetensors").read_bytes() == (surface / "checkpoint.safetensors").read_bytes()


# The list of runs ---------------------------------------------------------------------
def test_runs_are_listed_and_compared(finished, cli, monkeypatch, tmp_path):
    monkeypatch.chdir(finished.parent)
    code, out, err = cli("runs")
    assert (code, err) == (0, "") and "valid_loss" in out.splitlines()[4]
    code, out, err = cli("runs", finished / "mlp", finished / "other", "--column", "valid_accuracy", "--smooth", "0.5")
    lines = out.splitlines()
    assert (code, err) == (0, "") and lines[0].split()[:3] == ["run", "state", "epoch"] and "seed" in lines[0]
    assert [line.split()[:3] for line in lines[1:3]] == [["mlp", "finished", "2"], ["other", "finished", "2"]]
    assert "valid_accuracy" in lines[4] and "epoch 2" in lines[-1]
    for file in ("both.html", "both.svg"):
        code, out, _ = cli("runs", finished / "mlp", finished / "other", "-o", tmp_path / file, "--no-curves", "--log")
        assert code == 0 and "2 runs compared" in out
    assert ElementTree.parse(tmp_path / "both.svg").getroot().tag.endswith("svg")
    text = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert "valid_loss" in Checked(text).text
    visit(tmp_path / "both.html", "told.push(document.querySelectorAll('svg.live').length)", tmp_path / "profile")


@pytest.mark.parametrize(("arguments", "code", "message"), [
    (("runs",), 2, "there is no run in runs/"), (("runs", "nowhere"), 2, "nowhere: no such folder"),
    (("runs", "."), 2, "not the folder of a run, it holds no config.json"),
    (("runs", "--smooth", "1"), 2, "--smooth: expected a number from 0 to below 1, got 1"),
    (("runs", "-o", "x.png"), 2, "'x.png': expected a name that ends in .html or .svg"),
    (("report",), 2, "the following arguments are required: FOLDER"),
    (("report", "nowhere"), 2, "nowhere: no such folder"),
])
def test_misuse_gets_one_clear_line(cli, arguments, code, message):
    found, out, err = cli(*arguments)
    assert (found, out) == (code, "") and message in err and err.count("\n") == 1


def test_an_unknown_column_and_a_damaged_file_are_named(finished, cli, tmp_path):
    code, _, err = cli("runs", finished / "mlp", "--column", "acc")
    assert code == 2 and "no run has 'acc'; there are epoch, step, lr, loss" in err
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_text("{")
    code, _, err = cli("report", folder)
    assert code == 1 and "config.json: damaged" in err


# TensorBoard ----------------------------------------------------------------------------
def test_event_files_hold_the_history_and_the_histograms(cli, tmp_path):
    pytest.importorskip("tensorboard", reason="needs the package tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    assert cli("train", "mlp", "--epochs", 2, "-q", "--tensorboard", "--set", "hidden=8")[0] == 0
    rows = json.loads((tmp_path / "runs/mlp/history.json").read_text())
    found = EventAccumulator(str(tmp_path / "runs/mlp/tensorboard"), size_guidance={"histograms": 0}).Reload()
    read = [(event.step, event.value) for event in found.Scalars("loss/valid")]
    assert read == [(row["step"], pytest.approx(row["valid_loss"], rel=1e-6)) for row in rows]
    assert {"lr", "accuracy/train", "weights/layers.0.weight/update", "dead/layers.1"} <= set(found.Tags()["scalars"])
    first = found.Histograms("outputs/layers.0")[0]
    assert first.step == 1 and first.histogram_value.num == 32 * 8 and sum(first.histogram_value.bucket) == 32 * 8


def test_without_its_package_tensorboard_is_refused_before_anything_is_written(cli, tmp_path, monkeypatch):
    for name in ("tensorboard", "tensorboardX"):
        monkeypatch.setitem(sys.modules, name, None)
    code, out, err = cli("train", "mlp", "--tensorboard")
    assert code == 2 and "pip install 'tinygrad-notes[tensorboard]'" in err and out == ""
    assert not list(tmp_path.iterdir())
