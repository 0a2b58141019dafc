"""`tinygrad-notes train`: what a run leaves behind, and that a run in pieces ends where a whole one does."""
import csv
import json
import signal
import xml.etree.ElementTree as ElementTree

import pytest

import tinygrad_notes as tn
from tinygrad_notes.cli import main
from tinygrad_notes.models import MLPClassifier

pytestmark = pytest.mark.host_only
SMALL = ("--epochs", "2", "--no-progress")


OF_A_VAE = {"terms.svg", "during.svg", "during.safetensors", "latent.svg", "traversals.svg", "traversals.png"}


@pytest.mark.parametrize(("name", "files"), [("mlp", {"accuracy.svg", "confusion.svg"}), ("vae", OF_A_VAE)])
def test_a_run_leaves_everything_in_its_folder(cli, tmp_path, name, files):
    code, out, err = cli("train", name, *SMALL)
    assert (code, err) == (0, "")
    assert f"{name} on digits: 1,438 examples to train on, 359 held out" in out
    assert "epoch 2/2: loss" in out and "gradient check of the trained loss" in out and "CORRECT" in out
    folder = tmp_path / "runs" / name
    always = {"config.json", "checkpoint.safetensors", "model.safetensors", "history.csv", "history.json",
              "result.json", "samples.svg", "samples.png", "curves.svg", "graph.svg", "gradcheck.txt",
              "gradcheck.json", "monitor.json", "state.json", "report.html", "graph.html"}
    assert {p.name for p in folder.iterdir()} == always | files
    for picture in folder.glob("*.svg"):
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert (folder / "samples.png").read_bytes()[:4] == b"\x89PNG"
    rows = json.loads((folder / "history.json").read_text())
    assert [row["epoch"] for row in rows] == [1, 2] and {"loss", "valid_loss", "lr", "step"} <= set(rows[0])
    assert len(list(csv.DictReader((folder / "history.csv").read_text().splitlines()))) == 2
    settings = json.loads((folder / "config.json").read_text())["settings"]
    assert settings["model"] == name and settings["epochs"] == 2 and settings["seed"] == 0
    result = json.loads((folder / "result.json").read_text())
    assert result["epoch"] == 2 and result["gradcheck"]["verdict"] == "CORRECT"
    assert result["held_out"]["loss"] > 0


def test_the_classifier_reads_held_out_digits(cli, tmp_path):
    assert cli("train", "mlp", "--epochs", 15, "--quiet") == (0, "", "")
    folder = tmp_path / "runs" / "mlp"
    assert json.loads((folder / "result.json").read_text())["held_out"]["accuracy"] >= 0.97
    model = MLPClassifier(64, 10, (256, 256), 0.4)
    model.load_state_dict(tn.load(folder / "model.safetensors"))
    assert model.accuracy(*tn.data.digits.load()[1].tensors) >= 0.97


def test_the_same_settings_give_the_same_bytes_and_a_new_folder(cli, tmp_path):
    for _ in range(3):
        assert cli("train", "mlp", "--epochs", 1, "-q")[0] == 0
    folders = sorted((tmp_path / "runs").iterdir())
    assert [f.name for f in folders] == ["mlp", "mlp-2", "mlp-3"]
    for file in ("checkpoint.safetensors", "model.safetensors", "history.csv", "samples.svg", "config.json"):
        assert len({(folder / file).read_bytes() for folder in folders}) == 1, file
    assert cli("train", "mlp", "--epochs", 1, "-q", "--seed", 1)[0] == 0
    assert (tmp_path / "runs/mlp-4/model.safetensors").read_bytes() != (folders[0] / "model.safetensors").read_bytes()


def test_settings_reach_the_run(cli, tmp_path):
    code, out, _ = cli("train", "mlp", *SMALL, "--batch-size", 100, "--lr", "0.01", "--seed", 3, "--dtype", "float64",
                       "--out", "a/b", "--data", "mnist1d")
    assert code == 0 and "mlp on mnist1d: 4,000 examples" in out and "float64 on cpu, seed 3" in out
    assert "trained 80 steps" in out
    rows = json.loads((tmp_path / "a/b/history.json").read_text())
    assert rows[0]["lr"] == 0.01
    assert all(t.dtype == tn.float64 for t in tn.load(tmp_path / "a/b/model.safetensors").values())


def test_settings_of_the_model_and_a_number_of_steps_reach_the_run(cli, tmp_path):
    code, out, _ = cli("train", "mlp", "--steps", 50, "--no-progress", "--set", "hidden=8,4", "--set", "dropout=0")
    assert code == 0 and "606 parameters" in out and "trained 90 steps" in out, "2 epochs of 45 steps"
    settings = json.loads((tmp_path / "runs/mlp/config.json").read_text())["settings"]
    assert settings["epochs"] == 2 and settings["set"] == {"hidden": [8, 4], "dropout": 0.0}
    code, out, _ = cli("train", "--resume", "runs/mlp", "--epochs", 3, "--no-progress", "--set", "hidden=8,4")
    assert code == 0 and "606 parameters" in out and "trained 45 steps" in out


def test_training_runs_behind_the_strict_wall(cli):
    code, out, err = cli("train", "vae", "--epochs", 1, "--device", "strict", "--no-progress")
    assert code == 0, err
    assert "float32 on strict" in out


@pytest.mark.parametrize(("name", "files"), [
    ("linear", {"gradcheck.txt", "gradcheck.json"}), ("pca", {"samples.png", "latent.svg", "components.svg",
                                                              "components.png", "spectrum.svg"})])
def test_models_in_closed_form_are_fitted_at_once(cli, tmp_path, name, files):
    code, out, err = cli("train", name)
    assert (code, err) == (0, "") and "held out: squared " in out
    always = {"config.json", "model.safetensors", "result.json", "samples.svg", "state.json", "report.html"}
    assert {p.name for p in (tmp_path / "runs" / name).iterdir()} == always | files
    result = json.loads((tmp_path / "runs" / name / "result.json").read_text())
    assert result["held_out"]["explained"] > 0.6
    assert result.get("gradcheck", {"verdict": None})["verdict"] == ("CORRECT" if name == "linear" else None)
    code, _, err = cli("train", name, "--epochs", 3)
    assert code == 2 and f"--epochs: {name} is fitted in closed form and has none" in err
    code, out, err = cli("gradcheck", name)
    assert (code, err) == ((0, "") if name == "linear" else (
        2, "tinygrad-notes: error: gradcheck: pca has no parameters that follow a gradient\n"))
    assert cli("graph", name, "-o", "-")[0] == 0


# Stop and go on ---------------------------------------------------------------------
@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of uninterrupted runs of 8 epochs."""
    found = {}

    def run(name):
        if name not in found:
            folder = tmp_path_factory.mktemp("whole") / name
            assert main(["train", name, "--epochs", "8", "--quiet", "--out", str(folder)]) == 0
            files = ("checkpoint.safetensors", "history.csv", "samples.svg")
            found[name] = {file: (folder / file).read_bytes() for file in files}
        return found[name]
    return run


@pytest.mark.parametrize(("name", "number"), [("mlp", signal.SIGINT), ("vae", signal.SIGTERM)])
def test_an_interrupted_run_is_resumed_bit_for_bit(start, cli, whole, tmp_path, name, number):
    process = start("train", name, "--epochs", 8)
    for line in process.stdout:
        if line.startswith("epoch 2/8"):
            process.send_signal(number)
            break
    out, err = process.communicate(timeout=100)
    assert process.returncode == 1
    assert err.startswith(f"stopped by {number.name} after epoch ") and err.count("\n") == 1
    assert f"Go on with: tinygrad-notes train --resume runs/{name}" in err
    folder = tmp_path / "runs" / name
    state = tn.load(folder / "checkpoint.safetensors")
    assert 2 <= state["epoch"] < 8
    code, out, err = cli("train", "--resume", folder, "--no-progress")
    assert (code, err) == (0, "")
    assert f"resuming after epoch {state['epoch']}, step {state['step']}" in out
    for file, body in whole(name).items():
        assert (folder / file).read_bytes() == body, f"{file} differs from that of the uninterrupted run"


def test_training_longer_equals_training_long(cli, tmp_path, whole):
    assert cli("train", "mlp", "--epochs", 5, "-q")[0] == 0
    assert cli("train", "mlp", "--resume", "runs/mlp", "--epochs", 8, "-q") == (0, "", "")
    assert (tmp_path / "runs/mlp/checkpoint.safetensors").read_bytes() == whole("mlp")["checkpoint.safetensors"]
    assert json.loads((tmp_path / "runs/mlp/config.json").read_text())["settings"]["epochs"] == 8


def test_a_finished_run_may_be_resumed_and_stays_the_same(cli, tmp_path):
    assert cli("train", "mlp", *SMALL)[0] == 0
    before = (tmp_path / "runs/mlp/checkpoint.safetensors").read_bytes()
    code, out, _ = cli("train", "--resume", "runs/mlp", "--no-progress")
    assert code == 0 and "trained 0 steps" in out
    assert (tmp_path / "runs/mlp/checkpoint.safetensors").read_bytes() == before


# Misuse -----------------------------------------------------------------------------
@pytest.mark.parametrize(("arguments", "code", "message"), [
    ((), 2, "train: which model?"),
    (("vea",), 2, "model: 'vea' is unknown; did you mean 'vae'? Known are "),
    (("vae", "--data", "digts"), 2, "'digts' is unknown; did you mean 'digits'? Known are "),
    (("vae", "--data", "mnist"), 2, "'mnist' needs a folder, as in mnist:FOLDER"),
    (("vae", "--data", "digits:x"), 2, "'digits' takes no folder"),
    (("vae", "--data", "mnist:nowhere"), 1, "train-images-idx3-ubyte: no such file"),
    (("vae", "--epochs", "0"), 2, "argument --epochs: expected a whole number >= 1, got '0'"),
    (("vae", "--epochs", "two"), 2, "got 'two'"), (("vae", "--lr", "-1"), 2, "expected a number > 0"),
    (("vae", "--lr", "nan"), 2, "expected a number > 0"), (("vae", "--lr", "inf"), 2, "expected a number > 0"),
    (("vae", "--seed", "-1"), 2, "whole number >= 0"), (("vae", "--dtype", "float8"), 2, "'float8' is unknown"),
    (("vae", "--device", "gpu"), 2, "'gpu' is unknown; did you mean cpu? known: cpu, strict, cuda"),
    (("vae", "--epoch", "3"), 2, "unknown option '--epoch', did you mean --epochs?"),
    (("vae", "--set", "beta"), 2, "--set: expected name=value, got 'beta'"),
    (("vae", "--set", "latent=two"), 2, "--set latent: expected a whole number, got 'two'"),
    (("vae", "--set", "latent=0"), 1, "sizes must be at least 1"),
    (("vae", "--steps", "5", "--epochs", "1"), 2, "--steps: give it or --epochs, not both"),
    (("vae", "--data", "karate"), 2, "vae takes data of the kinds image, signal, points; karate is of the kind nodes"),
    (("vae", "extra"), 2, "unexpected argument 'extra'"),
    (("--resume", "runs/none"), 2, "no such folder"),
    (("--resume", "."), 2, "not the folder of a run, it holds no config.json"),
    (("vae", "--out", "taken"), 1, "taken is not empty"),
    (("vae", "--out", "taken/file"), 1, "is a file, not a folder"),
    (("vae", "--out", "taken/file/below"), 1, "taken/file"), (("vae", "--out", "/proc/run"), 1, "/proc/run"),
])
def test_misuse_gets_one_clear_line(cli, tmp_path, arguments, code, message):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("x")
    found, out, err = cli("train", *arguments)
    assert found == code, err
    assert message in err and err.count("\n") == 1 and "Traceback" not in err
    assert out == "" and {p.name for p in tmp_path.iterdir()} == {"taken"}, "something was written"


def test_a_device_that_is_not_here_is_said_so(cli):
    if any(device.name == "cuda" for device in tn.devices()):
        pytest.skip("there is a GPU")
    code, _, err = cli("train", "vae", "--device", "cuda")
    assert code == 1 and "device 'cuda' needs CuPy" in err


def test_a_run_goes_on_with_its_own_settings_alone(cli, tmp_path):
    assert cli("train", "mlp", "--epochs", 1, "-q")[0] == 0
    for extra, message in [(("vae",), "was trained with model mlp, not vae"), (("--lr", "0.1"), "lr 0.001, not 0.1"),
                           (("--out", "x"), "stays in its folder"), (("--seed", "5"), "seed 0, not 5"),
                           (("--set", "dropout=0"), "set {}, not {'dropout': 0.0}")]:
        code, _, err = cli("train", *extra, "--resume", "runs/mlp")
        assert code == 2 and message in err
    code, _, err = cli("train", "--resume", "runs/vae")
    assert code == 2 and "there are runs/mlp" in err


@pytest.mark.parametrize(("file", "body", "message"), [
    ("config.json", "{", "config.json: damaged"),
    ("config.json", '{"settings": {"model": "mlp"}}', "config.json: damaged"),
    ("checkpoint.safetensors", "garbage", "checkpoint.safetensors: not a whole safetensors file"),
])
def test_a_damaged_run_is_refused_and_left_as_it_is(cli, tmp_path, file, body, message):
    assert cli("train", "mlp", "--epochs", 1, "-q")[0] == 0
    folder = tmp_path / "runs" / "mlp"
    (folder / file).write_text(body)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    code, _, err = cli("train", "--resume", folder)
    assert code == 1 and message in err and err.count("\n") == 1
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_foreign_checkpoint_is_refused(cli, tmp_path):
    assert cli("train", "mlp", "--epochs", 1, "-q")[0] == 0
    tn.save({"weight": tn.ones(3)}, tmp_path / "runs/mlp/checkpoint.safetensors")
    code, _, err = cli("train", "--resume", "runs/mlp")
    assert code == 1 and "checkpoint.safetensors: this is not the saved state of a training run" in err


def test_a_rate_that_is_too_large_ends_with_a_clear_line_and_code_1(cli):
    code, _, err = cli("train", "vae", "--lr", "1e6", "--epochs", 3, "-q")
    assert code == 1 and "error: the loss is" in err and "smaller learning rate" in err and err.count("\n") == 1


def test_debug_shows_the_traceback(cli):
    with pytest.raises(FileNotFoundError):
        cli("train", "vae", "--data", "mnist:nowhere", "--debug")
