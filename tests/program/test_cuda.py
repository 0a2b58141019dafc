"""CUDA kernels without a GPU: compiled by nvcc, and run on the CPU against the plain step."""
import shutil
import subprocess

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.program.emulated import Emulated
from tests.program.nets import Residual
from tests.program.steps import WORKS
from tinygrad_notes.program.cuda.executor import CudaExecutor
from tinygrad_notes.program.interpret import interpret
from tinygrad_notes.program.record import record
from tinygrad_notes.program.scalars import evaluate

nn, F = tn.nn, tn.nn.functional
pytestmark = [pytest.mark.host_only, pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")]


def chain(x, y):
    return F.gelu(x * 2 + y) - tn.sigmoid(x) * tn.where(y > 0, tn.log1p(tn.abs(y)), x), tn.floor(x) % 3


def rows(x, y):
    """Reductions of rows whose results are used in the row, of several stages, and of columns."""
    p = tn.softmax(x + y, axis=-1)
    centered = (x - tn.mean(x, axis=-1, keepdims=True)) / tn.sqrt(tn.var(x, axis=-1, keepdims=True) + 1e-5)
    return p, centered, tn.sum(p * y, axis=0), tn.max(x, axis=1), tn.sum(x * y), tn.any(x > 2, axis=0)


def turned(x, y):
    """Views: transposes, slices, broadcasts, flips."""
    return tn.exp(x.T) + y.T * 2, x[1:, ::2] * 3, tn.flip(x, axis=1) - y[:1], tn.sum(tn.exp(x), axis=(0, 1))


def long_rows(x, y):
    return tn.logsumexp(tn.concat([x] * 90, axis=1), axis=1), tn.sum(tn.concat([x * y] * 300, axis=0), axis=0)


def integers(x, y):
    i = tn.astype(x * 4, tn.int32)
    return i // 3, i % 5, tn.sum(i, axis=1), tn.max(i), (i > 1) & (i < 3), tn.astype(y, tn.float64) * 0.5


FUNCTIONS = [chain, rows, turned, long_rows, integers]


def data(shape=(7, 33)):
    tn.manual_seed(1)
    return tn.randn(*shape), tn.randn(*shape)


def executed(recording):
    """Results by generated kernels, and one array function after the other."""
    program = recording.program
    extra = [v for v in recording.gradients.values() if v is not None]
    program.extra = list(dict.fromkeys(extra))
    inputs = recording_inputs(recording)
    states = [recording.slots[v].get() for v in program.states]
    scalars = evaluate(program.scalars)
    run = CudaExecutor(program, module=Emulated)
    found = run(inputs, states, scalars)
    arrays = interpret(program, inputs, states, scalars)
    return run, found, [arrays[v] for v in program.results()]


def recording_inputs(recording):
    return [leaf.data._host if isinstance(leaf, tn.Tensor) else leaf._host for leaf in recording.arguments
            if hasattr(getattr(leaf, "data", leaf), "_host")]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_kernels_give_the_results_of_the_plain_functions(function):
    run, found, wanted = executed(record(function, data(), commit=False))
    assert any(hasattr(step, "blocks") for step, _ in run.steps)
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=3e-5, atol=3e-6)


def test_nan_and_infinity_pass_through():
    x = tn.asarray(np.array([[1, np.nan, 2], [np.inf, 1, 0], [-np.inf, 3, 4]], "float32"))
    _, found, wanted = executed(record(lambda x: (tn.max(x, axis=1), tn.min(x, axis=0), tn.maximum(x, 1), tn.sign(x),
                                                  tn.isfinite(x), tn.sum(x, axis=1)), (x,), commit=False))
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["classifier", "penalty", "by hand"])
def test_whole_training_steps(name):
    """Forward, backward and update; with dropout, norms, second derivatives."""
    work = WORKS[name]()
    work.step(*[tn.asarray(a) for a in work.batches[0]])
    recording = record(work.step, tuple(tn.asarray(a) for a in work.batches[1]), commit=False)
    state = tn.default_generator.get_state()
    program = recording.program
    program.extra = [v for v in recording.gradients.values() if v is not None]
    inputs, states = recording_inputs(recording), [recording.slots[v].get() for v in program.states]
    scalars = evaluate(program.scalars)
    run = CudaExecutor(program, module=Emulated)
    found = run(inputs, states, scalars)
    tn.default_generator.set_state(state)
    arrays = interpret(program, inputs, states, scalars)
    for a, v in zip(found, program.results(), strict=True):
        np.testing.assert_allclose(a, arrays[v], rtol=1e-4, atol=1e-5)


NVCC = shutil.which("nvcc")


@pytest.mark.skipif(NVCC is None, reason="needs nvcc")
def test_nvcc_compiles_the_kernels(tmp_path):
    """Of all functions here and of the step of a network, in one file for a GPU of today."""
    texts, head = [], ""
    model = Residual()

    def classify(x, y):
        F.cross_entropy(model(x), y).backward()

    made = [record(f, data(), commit=False) for f in FUNCTIONS]
    made.append(record(classify, (tn.randn(2, 3, 6, 6), tn.randint(0, 3, (2,))), commit=False))
    for k, recording in enumerate(made):
        program = recording.program
        program.extra = [v for v in recording.gradients.values() if v is not None]
        text = CudaExecutor(program, module=lambda text: None).text
        head, _, kernels = text.partition("KERNEL void")
        texts.append(("KERNEL void" + kernels).replace("KERNEL void kernel", f"KERNEL void program{k}_"))
    source = tmp_path / "kernels.cu"
    source.write_text(head + "\n".join(texts), encoding="utf-8")
    done = subprocess.run([NVCC, "-arch=sm_80", "-cubin", "-o", str(tmp_path / "kernels.cubin"), str(source)],
                          capture_output=True, text=True)
    assert not done.returncode, done.stderr[:3000]
    assert (tmp_path / "kernels.cubin").stat().st_size > 10000


def test_another_device_is_refused():
    with pytest.raises(ValueError, match="recorded on cpu"):
        tn.compile(lambda x: x * 2, backend="cuda")(tn.ones(2))
