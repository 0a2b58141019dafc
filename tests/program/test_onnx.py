"""Exported models, run by another runtime, give what ours gives; what cannot be exported says what and where."""
import inspect
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.program.nets import GPT, Residual
from tinygrad_notes.autograd.tree import flatten
from tinygrad_notes.program.elementwise import ARITY
from tinygrad_notes.program.errors import CannotRecord

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.host_only
nn, F = tn.nn, tn.nn.functional


def trained(model, *batch):
    """The model after a pass in training mode, so that running statistics are no longer 0 and 1."""
    model(*batch)
    return model


def cases():
    """{name: (function, example, axis 0 may be open)}."""
    images, club = tn.randn(2, 3, 6, 6), tn.data.karate_club()
    gcn, vae = tn.models.GCN(34, 2, hidden=(8,)), tn.models.VAE(16, 4, (8,))
    return {
        "mlp": (nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 3), nn.Softplus(),
                              nn.LogSoftmax(1)), tn.randn(5, 4), True),
        "cnn": (nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1, groups=1), nn.ReLU(), nn.MaxPool2d(2, 1, 1),
                              nn.Conv2d(4, 4, 2, dilation=2, groups=2), nn.SiLU(), nn.AvgPool2d(2), nn.Flatten(),
                              nn.Linear(4, 3)), images, True),
        "gpt": (GPT(), tn.randint(0, 11, (2, 6)), True),
        "gcn": (lambda x: gcn(x, club), club.x, False),
        "vae decoder": (vae.decoder, tn.randn(3, 4), True),
        "convolutional decoder": (nn.Sequential(
            nn.Linear(4, 32), nn.Unflatten(1, (8, 2, 2)), nn.ConvTranspose2d(8, 4, 3, 2, 1, 1), nn.ELU(),
            nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(4, 1, 3, padding=1), nn.Sigmoid()),
            tn.randn(3, 4), True),
        "residual": (trained(Residual(), images), images, True),
        "lstm": (nn.LSTM(5, 7, 2, bidirectional=True, batch_first=True), tn.randn(2, 4, 5), True),
        "lstm with projection": (nn.LSTM(5, 7, proj_size=3), tn.randn(4, 2, 5), False),
        "gru": (nn.GRU(5, 3), tn.randn(3, 2, 5), False),
        "norms": (nn.Sequential(nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.LocalResponseNorm(3)),
                  tn.randn(2, 4, 5, 5), True),
        "windows": (lambda x: (F.fold(F.unfold(x, 2), (6, 6), 2), F.adaptive_max_pool2d(x, 4), F.lp_pool2d(x, 2, 2),
                               F.max_pool2d(x, 2, ceil_mode=True), F.adaptive_avg_pool2d(x, 4)), images, True),
        "borders": (lambda x: (F.pad(x, (1, 2), mode="reflect"), tn.roll(x, 1, axis=1), x[:, ::-2], tn.tril(x),
                               tn.stack([x, 2 * x], axis=1), x[tn.tensor([0, 2])]), tn.randn(3, 4), False),
        "order": (lambda x: (tn.sort(x), tn.argmax(x, axis=1), *tn.topk(x, 2), tn.cumulative_sum(x, axis=1),
                             tn.cdist(x, x), tn.std(x), tn.any(x > 1, axis=0), tn.prod(x, axis=0)), tn.randn(3, 4),
                  False),
    }


def run(model, *arguments):
    session = runtime.InferenceSession(model if isinstance(model, str) else model.SerializeToString(),
                                       providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: x.numpy() for i, x in zip(session.get_inputs(), arguments)})


def compare(model, function, *arguments):
    with tn.no_grad():
        wanted = flatten(function(*arguments))[0]
    found = run(model, *arguments)
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a, b.numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", list(cases()))
def test_another_runtime_gives_the_same(name, tmp_path):
    function, x, open_axis = cases()[name]
    path = str(tmp_path / "model.onnx")
    model = tn.onnx.export(function, x, path)
    if isinstance(function, nn.Module):
        assert function.training
        function.eval()
        read = {n for node in model.graph.node for n in node.input}
        assert {w.name for w in model.graph.initializer} >= {n for n, _ in function.named_parameters()} & read
    compare(path, function, x)
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == list(x.shape)
    if open_axis:
        argument = model.graph.input[0].name
        model = tn.onnx.export(function, x, dynamic_axes={argument: {0: "batch"}})
        assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
        for n in (1, 7):
            compare(model, function, tn.concat([x] * 4)[:n])


def test_two_open_sizes():
    layer = nn.MultiheadAttention(8, 2, batch_first=True).eval()

    def attend(x):
        return layer(x, x, x, need_weights=False)[0] + tn.mean(x, axis=1, keepdims=True) * x.shape[1]
    model = tn.onnx.export(attend, tn.randn(2, 5, 8), dynamic_axes={"x": {0: "batch", 1: "time"}})
    for shape in ((2, 5, 8), (1, 9, 8), (4, 1, 8)):
        compare(model, attend, tn.randn(*shape))


UNKNOWN = ("gammaln", "bitwise_left_shift", "bitwise_right_shift")


@pytest.mark.parametrize("count", ARITY)
def test_every_function_of_single_elements(count, rng):
    """All in one model, in float32 and int64."""
    names = [n for n in ARITY[count] if n not in UNKNOWN]
    arguments = [rng.standard_normal((4, 5)).astype("float32") for _ in range(count)]
    arguments[-1][0, :3] = [np.nan, np.inf, 0.0]
    inside = {"log": np.abs, "log2": np.abs, "log10": np.abs, "sqrt": np.abs, "log1p": np.abs,
              "acosh": lambda x: 1 + x * x, "asin": np.tanh, "acos": np.tanh, "pow": np.abs,
              "atanh": lambda x: np.tanh(x / 2)}
    if count == 3:
        arguments[0] = arguments[0] > 0
    for name in names:
        given = [inside[name](x) if name in inside and k == 0 else x for k, x in enumerate(arguments)]
        if name in ("bitwise_invert", "bitwise_and", "bitwise_or", "bitwise_xor"):
            given = [np.arange(k, k + 4, dtype="int64") for k in range(count)]
        if name in ("maximum", "minimum", "logaddexp", "atan2", "hypot", "remainder", "fmod", "heaviside",
                    "floor_divide"):
            given = [np.nan_to_num(x, posinf=3) + 0.5 for x in given]
        function = getattr(tn, name, None)
        if function is None:
            continue
        tensors = [tn.asarray(x) for x in given]
        with np.errstate(all="ignore"):
            model = tn.onnx.export(lambda *xs, function=function: function(*xs), tuple(tensors))
            wanted = function(*tensors).numpy()
        found = run(model, *tensors)[0]
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6, err_msg=name)


def test_nested_arguments_and_names():
    def f(pair, scale, k):
        return {"sum": (pair["a"] + pair["b"]) * scale, "k": k}
    a, b, s = tn.randn(3), tn.randn(3), tn.tensor(2.0)
    model = tn.onnx.export(f, ({"a": a, "b": b}, s, 5), output_names=["total"])
    assert [i.name for i in model.graph.input] == ["pair_0", "pair_1", "scale"]
    assert [o.name for o in model.graph.output] == ["total"]
    np.testing.assert_allclose(run(model, a, b, s)[0], (a + b).numpy() * 2, rtol=1e-6)


def test_errors_say_what_and_where():
    line = inspect.currentframe().f_lineno + 3

    def inverse(x):
        return tn.linalg.inv(x) + 1
    with pytest.raises(tn.onnx.NoOnnxForm, match=rf"'forward.inv'.*'inv'.*test_onnx.py:{line} in inverse"):
        tn.onnx.export(inverse, tn.eye(3))
    with pytest.raises(tn.onnx.NoOnnxForm, match="draws random numbers"):
        tn.onnx.export(lambda x: x + tn.randn(3), tn.zeros(3))
    with pytest.raises(tn.onnx.NoOnnxForm, match="cannot be left open.*depends on the size"):
        tn.onnx.export(lambda x: x + tn.arange(x.shape[0]), tn.zeros(3), dynamic_axes={"x": {0: "n"}})
    with pytest.raises(CannotRecord, match="reads a value"):
        tn.onnx.export(lambda x: x * x.sum().item(), tn.zeros(3))
    w = nn.Parameter(tn.ones(3))
    with pytest.raises(CannotRecord, match="changes w"):
        tn.onnx.export(lambda x: w.add_(x), tn.zeros(3))
    with pytest.raises(ValueError, match="'y'"):
        tn.onnx.export(lambda x: x, tn.zeros(3), dynamic_axes={"y": {0: "n"}})
    with pytest.raises(ValueError, match="axes 0 to 0, got 1"):
        tn.onnx.export(lambda x: x, tn.zeros(3), dynamic_axes={"x": {1: "n"}})
    with pytest.raises(ValueError, match="is 3 in one argument and 4"):
        tn.onnx.export(lambda x, y: x, (tn.zeros(3), tn.zeros(4)), dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
    with pytest.raises(ValueError, match="opset: expected a whole number from 18"):
        tn.onnx.export(lambda x: x, tn.zeros(3), opset=7)
    with pytest.raises(ValueError, match="output_names: .* 1 Tensors, got 2"):
        tn.onnx.export(lambda x: x, tn.zeros(3), output_names=["a", "b"])


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match="pip install"):
        tn.onnx.export(lambda x: x, tn.zeros(3))


def test_a_failed_export_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.onnx"
    tn.onnx.export(lambda x: x * 2, tn.zeros(3), path)
    before = path.read_bytes()
    with pytest.raises(tn.onnx.NoOnnxForm):
        tn.onnx.export(lambda x: tn.linalg.inv(x), tn.eye(3), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_the_page_on_programs(tmp_path, monkeypatch):
    """Its indented block on ONNX, which only this test runs."""
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "programs.md").read_text(encoding="utf-8")
    block = text.partition("<!-- run by tests/program/test_onnx.py")[2].partition("\n")[2].partition("\n- ")[0]
    code = textwrap.dedent(block)
    assert "InferenceSession" in code
    exec(code, {"tn": tn, "nn": nn})
