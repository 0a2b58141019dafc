"""The examples run as they stand and print what they claim."""
import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

import tinygrad_notes as tn

EXAMPLES = Path(__file__).parents[1] / "examples"
pytestmark = pytest.mark.host_only


def run(name, folder):
    """Run an example in `folder` as a user would; returns what it prints."""
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "TINYGRAD_NOTES_DEVICE": "cpu"}
    done = subprocess.run([sys.executable, "-W", "error", EXAMPLES / name], cwd=folder, env=env, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def load(name):
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_quickstart_is_short_trains_and_checks(tmp_path):
    assert len((EXAMPLES / "quickstart.py").read_text().splitlines()) <= 25
    out = run("quickstart.py", tmp_path)
    right = float(out.split("%")[0].split()[-1])
    assert right >= 97
    assert out.count("gradcheck: CORRECT") == 2
    assert {p.name for p in tmp_path.iterdir()} == {"samples.svg", "quickstart.safetensors"}
    state = tn.load(tmp_path / "quickstart.safetensors")
    model = tn.models.MLPClassifier(64, 10, hidden=(128,))
    model.load_state_dict(state["classifier"])
    assert model.accuracy(*tn.data.digits.load()[1].tensors) == pytest.approx(right / 100, abs=6e-4)


def test_the_line_of_chapter_1_prints_its_table(tmp_path):
    out = run("ch1_linear_sgd.py", tmp_path)
    assert "least squares: (0.99744, 2.99309), mean square 4.20644" in out
    assert (tmp_path / "ch1_linear_sgd.svg").read_text().startswith("<svg")


@pytest.mark.row("S0-05")
@pytest.mark.row("S0-06")
def test_the_numbers_of_the_line_of_chapter_1():
    example = load("ch1_linear_sgd")
    X, y = tn.data.line(1000, generator=np.random.default_rng(0), dtype=tn.float64)
    found = {batch: example.descend(X, y, batch) for batch in (1000, 100, 50)}
    np.testing.assert_allclose(found[1000][0], [0.99746, 2.99308], atol=6e-6)
    np.testing.assert_allclose(found[100][0], [1.00684, 3.00921], atol=6e-6)
    for batch, table in ((1000, [122.15, 4.489, 4.343, 4.210, 4.206]), (100, [4.413, 4.289, 4.219, 4.217, 4.211]),
                         (50, [4.348, 4.442, 4.285, 4.232, 4.245])):
        losses = found[batch][1]
        digits = 6e-3 if batch == 1000 else 6e-4
        assert [losses[k - 1] for k in (1, 5, 20, 100, 500)] == pytest.approx(table, abs=digits)
    assert found[100][1][0] < found[1000][1][0] and found[1000][1][-1] <= found[100][1][-1]


@pytest.mark.row("S0-02")
def test_the_sum_over_a_batch_diverges_where_its_mean_is_stable():
    """With x ~ U(0, 6) the mean's curvature is 25.53: stable to the rate 2/25.53, the sum over 50 to 1/50 of it."""
    curvature = np.linalg.eigvalsh(2 * np.array([[1, 3], [3, 12]]))[-1]
    assert 2 / curvature == pytest.approx(0.07834, abs=5e-6)
    assert 2 / (50 * curvature) == pytest.approx(1.567e-3, abs=5e-7)
    example = load("ch1_linear_sgd")
    X, y = tn.data.line(1000, generator=np.random.default_rng(0), dtype=tn.float64)

    def summed(model, X, y):
        return ((model(X) - y)**2).sum()

    first = X[:50], y[:50]
    assert example.descend(*first, 50, epochs=30)[1][-1] < 10
    assert example.descend(*first, 50, epochs=30, loss=summed)[1][-1] > 1e6
    scaled, plain = (example.descend(*first, 50, 30, **options)[0] for options in ({"rate": 0.001, "loss": summed}, {}))
    assert scaled == pytest.approx(plain, rel=1e-12)


@pytest.mark.row("S0-31")
def test_the_variance_figure_of_chapter_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    traces = load("ch1_variance").main(20_000)
    assert capsys.readouterr().out.count("predicted") == 5
    for s, (forward, backward) in traces.items():
        assert forward[0] == pytest.approx(4 * s, rel=0.05) and backward[-1] == pytest.approx(1, rel=0.05)
        assert (forward[3] / forward[0]) ** (1 / 3) == pytest.approx(2 * s, rel=0.04)
    for name in ("forward", "backward"):
        text = (tmp_path / f"ch1_variance_{name}.svg").read_text()
        assert text.startswith("<svg") and text.count("<path") > 10 and ">layer<" in text and "s = 0.001" in text


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.row("S1-10")
def test_narrow_clouds_on_a_circle_are_all_reached(tmp_path, monkeypatch):
    """Both reach all eight; within three standard deviations are 92% of the samples, 76% of those of the penalty."""
    monkeypatch.chdir(tmp_path)
    found = load("gan_ring").main()
    assert [modes for modes, _ in found.values()] == [8, 8]
    assert found["GAN"][1] >= 0.85 and found["WGAN with gradient penalty"][1] >= 0.65
    assert {p.name for p in tmp_path.iterdir()} == {"gan_ring.svg", "wgan_ring.svg"}


def test_the_ring_counts_clouds(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = load("gan_ring").main(1)
    assert capsys.readouterr().out.count(" of 8 clouds, ") == 2 and all(0 <= share < 0.1 for _, share in found.values())


@pytest.mark.row("S0-84")
def test_figures_and_tables_are_the_same_bytes_each_time(tmp_path, monkeypatch, capsys):
    def draw(folder):
        folder.mkdir()
        monkeypatch.chdir(folder)
        load("ch1_variance").main(500)
        model = tn.nn.Linear(2, 1, bias=False)
        model.load_state_dict({"weight": tn.zeros((1, 2))})
        history = tn.train.fit(model, tn.data.DataLoader(tn.data.TensorDataset(*tn.data.line(60, generator=0)), 20,
                                                         shuffle=True, generator=tn.Generator(0)),
                               tn.optim.SGD(model.parameters(), lr=0.01), 5, loss=load("ch1_linear_sgd").mean_square)
        tn.viz.plot_curves({"loss": history["loss"]}, "loss").save("loss.svg")
        (folder / "loss.csv").write_text("\n".join(map(str, history["loss"])))
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    first, second = draw(tmp_path / "first"), draw(tmp_path / "second")
    assert sorted(first) == ["ch1_variance_backward.svg", "ch1_variance_forward.svg", "loss.csv", "loss.svg"]
    assert first == second
