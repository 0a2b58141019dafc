"""`gradcheck`, `graph`, `models`, `data`, `doctor`, help, and wrong words."""
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import primitive
from tinygrad_notes.cli import inspect
from tinygrad_notes.cli.inspect import arguments, operations
from tinygrad_notes.data import CATALOG
from tinygrad_notes.models import RECIPES

pytestmark = pytest.mark.host_only


# gradcheck ---------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["mlp", "vae", "softmax", "log", "acosh", "matmul", "concat", "logsumexp"])
def test_models_and_operations_are_checked_by_name(cli, name):
    code, out, err = cli("gradcheck", name)
    assert (code, err) == (0, "")
    assert f"{name} " in out and "CORRECT" in out and "relative error" in out


def test_second_order(cli):
    code, out, _ = cli("gradcheck", "tanh", "--order", 2)
    assert code == 0 and "gradgradcheck: CORRECT" in out


def test_all_are_checked_without_a_name(cli, monkeypatch):
    monkeypatch.setattr(inspect, "operations", lambda: {n: getattr(tn, n) for n in ("exp", "argmax", "sum", "zeros")})
    monkeypatch.setattr(inspect, "RECIPES", {name: RECIPES[name] for name in ("mlp", "vae")})
    code, out, _ = cli("gradcheck")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["name", "mlp", "vae", "exp", "sum", "4"]
    assert "4 checked, 0 wrong; 2 others" in out


def test_a_wrong_rule_is_found_and_is_exit_code_1(cli, monkeypatch):
    wrong = primitive("cli_wrong_square", lambda xp, x: x * x, kind="elementwise", x=lambda g, x: g * x)
    monkeypatch.setattr(inspect, "operations", lambda: {"wrong": wrong})
    code, out, _ = cli("gradcheck", "wrong")
    assert code == 1 and "WRONG" in out and "ratio 0.5" in out


def test_nearly_every_public_operation_with_a_gradient_finds_arguments():
    found = {name for name, function in operations().items() if arguments(function, 0) is not None}
    assert {"add", "sin", "sum", "matmul", "log", "acosh", "stack", "softmax", "prod", "logit", "atan2"} <= found
    assert not {"argmax", "zeros", "equal", "randint"} & found


# graph ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["mlp", "vae", "softmax", "split"])
def test_graphs_are_drawn(cli, tmp_path, name):
    if name == "split":
        code, _, err = cli("graph", name)
        assert code == 2 and "gives no gradient for the arguments that this command tries" in err
        return
    code, out, err = cli("graph", name)
    assert (code, out) == (0, "") and err.startswith(f"{name}.svg: Graph(")
    assert ElementTree.parse(tmp_path / f"{name}.svg").getroot().tag.endswith("svg")
    assert cli("graph", name, "-o", "g.dot")[0] == 0 and (tmp_path / "g.dot").read_text().startswith("digraph")
    code, out, _ = cli("graph", name, "-o", "-")
    assert code == 0 and "%0 = " in out


def test_graphs_take_options(cli, tmp_path):
    code, _, err = cli("graph", "mlp", "-o", "g.html", "--check", "--depth", "0")
    page = (tmp_path / "g.html").read_text(encoding="utf-8")
    assert code == 0 and err.startswith("g.html: Graph(") and page.startswith("<!doctype html>") and '"CORRECT"' in page
    code, out, _ = cli("graph", "tanh", "-o", "-", "--order", "2")
    assert code == 0 and "second order:" in out
    code, out, _ = cli("graph", "tanh", "-o", "-", "--order", "0")
    assert code == 0 and "backward:" not in out


def test_a_graph_in_an_unknown_format_or_place_is_refused(cli):
    code, _, err = cli("graph", "mlp", "-o", "g.bmp")
    assert code == 1 and "g.bmp" in err
    code, _, err = cli("graph", "mlp", "-o", "no/where/g.svg")
    assert code == 1 and "no/where/g.svg" in err and err.count("\n") == 1


# Lists, help, doctor -------------------------------------------------------------------
def test_lists(cli):
    code, out, _ = cli("models")
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == list(RECIPES)
    code, out, _ = cli("models", "vae")
    assert code == 0 and "--set latent=8" in out and "one of auto, bernoulli, gaussian" in out
    code, _, err = cli("models", "vea")
    assert code == 2 and "did you mean 'vae'" in err
    code, out, _ = cli("data")
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == list(CATALOG)
    assert "CC BY 4.0" in out


def test_help_lists_commands_defaults_and_examples(cli):
    code, out, _ = cli("--help")
    words = ("train", "gradcheck", "graph", "models", "data", "doctor", "examples:")
    assert code == 0 and all(word in out for word in words)
    assert cli()[1] == out
    code, out, _ = cli("train", "--help")
    assert code == 0 and "default: that of the model" in out and "--resume runs/vae" in out
    assert cli("--version")[1].strip() == f"tinygrad-notes {tn.__version__}"


def test_doctor_reports_and_warns(cli, monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    code, out, err = cli("doctor")
    assert (code, err) == (0, "")
    for word in ("python", "numpy", "scipy", "blas", "threads", "devices", "cpu", "strict", "dot", "cupy", "freed"):
        assert word in out
    assert "OPENBLAS_CORETYPE" not in out
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    assert "warning: OPENBLAS_CORETYPE=Prescott forces the kernels" in cli("doctor")[1]


@pytest.mark.parametrize(("arguments", "message"), [
    (("trian",), "'trian' is unknown; did you mean train? known: train, gradcheck"),
    (("gradcheck", "sofmax"), "'sofmax' is unknown; did you mean 'softmax'?"),
    (("graph", "vaee"), "'vaee' is unknown; did you mean 'vae'?"), (("graph",), "NAME"),
    (("gradcheck", "argmax"), "gives no gradient"),
    (("gradcheck", "exp", "--order", "3"), "'3' is unknown; known: 1, 2"),
    (("doctor", "--all"), "unknown option '--all'"),
    (("--verison",), "unknown option '--verison', did you mean --version?"),
])
def test_wrong_words_get_one_line_and_code_2(cli, arguments, message):
    code, out, err = cli(*arguments)
    assert code == 2 and message in err and err.count("\n") == 1 and out.count("\n") <= 1


def test_errors_nobody_foresaw_are_one_line_too(cli, monkeypatch):
    def broken():
        raise KeyError("odd")
    monkeypatch.setattr(inspect, "operations", broken)
    code, _, err = cli("gradcheck", "exp")
    assert code == 1 and err == "tinygrad-notes: error: KeyError: 'odd' (--debug shows where)\n"


def test_module_and_script_are_the_same_command(start):
    out, err = start("models").communicate(timeout=60)
    assert out.startswith(f"{next(iter(RECIPES))} ") and err == ""


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "tinygrad_notes", "data"], stdout=write, stderr=subprocess.PIPE,
                          text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


# profile -------------------------------------------------------------------------------
def test_a_training_step_is_profiled(cli, tmp_path):
    path = tmp_path / "mlp.html"
    code, out, err = cli("profile", "mlp", "--repeats", 1, "--rows", 3, "-o", path)
    assert code == 0 and "a training step of mlp" in out and "backward" in out and str(path) in err
    assert "<svg" in path.read_text(encoding="utf-8")
    assert cli("profile", "mlp", "-o", "mlp.png")[0] == 2
    code, _, err = cli("profile", "nlp")
    assert code == 2 and "did you mean 'mlp'" in err
