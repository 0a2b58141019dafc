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
from tinygrad_notes.program.errors import Outdated
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
    """Sums in parts: of all elements, of columns, of long rows; and a mean of long rows that they themselves use."""
    rows = tn.concat([x[:2]] * 90, axis=1)
    normal = rows - tn.mean(rows, axis=1, keepdims=True)
    many = tn.concat([x] * 200, axis=0)
    return (normal, tn.sum(many ** 2), tn.max(many, axis=0),
            tn.logsumexp(tn.concat([x] * 90, axis=1), axis=1), tn.sum(tn.concat([x * y] * 300, axis=0), axis=0))


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
    run = CudaExecutor(program, gpu=Emulated())
    found = run(inputs, states, scalars)
    arrays = interpret(program, inputs, states, scalars)
    return run, found, [arrays[v] for v in program.results()]


def recording_inputs(recording):
    return [leaf.data._host if isinstance(leaf, tn.Tensor) else leaf._host for leaf in recording.arguments
            if hasattr(getattr(leaf, "data", leaf), "_host")]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_kernels_give_the_results_of_the_plain_functions(function):
    run, found, wanted = executed(record(function, data(), commit=False))
    assert any(isinstance(step, list) for step in run.steps)
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
    run = CudaExecutor(program, gpu=Emulated())
    found = run(inputs, states, scalars)
    tn.default_generator.set_state(state)
    arrays = interpret(program, inputs, states, scalars)
    for a, v in zip(found, program.results(), strict=True):
        np.testing.assert_allclose(a, arrays[v], rtol=1e-4, atol=1e-5)


# Instructions that are no loops ---------------------------------------------------------
def convolutions(x, y):
    """With strides, dilation, groups, offsets; of one, two and three axes; pooling with and without overlap."""
    image, weight = tn.reshape(x, (1, 1, *x.shape)), tn.reshape(y[:3, :6], (2, 1, 3, 3))
    out = F.conv2d(image, weight, y[0, :2], stride=2, padding=1)
    pair = tn.concat([out, out * 2], axis=1)
    wide = F.conv2d(pair, tn.reshape(y[3:, :9], (4, 1, 3, 3)), padding=2, dilation=2, groups=4)
    line = F.conv1d(tn.reshape(x, (1, *x.shape)), tn.reshape(y[:1, :21], (1, 7, 3)))
    solid = F.conv3d(tn.reshape(x[:6, :32], (1, 1, 6, 8, 4)), tn.reshape(y[:1, :8], (1, 1, 2, 2, 2)), stride=(2, 1, 1))
    one = F.conv2d(wide, tn.reshape(y[0, :8], (2, 4, 1, 1)))
    return F.max_pool2d(wide, 2), F.max_pool2d(out, 3, stride=2, padding=1), line, solid, one


def products(x, y):
    """Of stacks whose axes lie in any order, of vectors, and of what lies neither by rows nor by columns."""
    stack = tn.permute_dims(tn.reshape(x[:, :32], (7, 2, 4, 4)), (1, 0, 2, 3))
    return (x @ y.T, x.T @ y, stack @ tn.matrix_transpose(stack[:1]), x[:, :32:2] @ y[:, 1::2].T, x[:3] @ y[0],
            tn.reshape(x[:6, ::4], (2, 3, 9)) @ y[:3, :9].T)


def look_ups(x, y):
    rows = tn.tensor([2, 0, -1, 2, 2])
    return (tn.take(x, rows, axis=0), x[:, rows], tn.segment_sum(x[:5] * 2, tn.tensor([1, 0, 3, 1, 1]), 5),
            F.embedding(tn.tensor([[1, 0], [6, 6]]), x), tn.index_put(x, (slice(1, 3), slice(None)), y[:2]),
            tn.concat([x[:, :4], y[:, :1], x[:, 4:5]], axis=1))


def sparse(x, y):
    return MATRIX @ x, MATRIX.T @ x[:4]


MATRIX = tn.SparseMatrix([0, 3, 3, 1, 0], [6, 2, 0, 5, 1], tn.tensor([1, -2, 0.5, 3, 2]), shape=(4, 7))
MATRIX @ tn.ones(7), MATRIX.T @ tn.ones(4)  # sorted once, for both directions


@pytest.mark.parametrize("function", [convolutions, products, look_ups, sparse], ids=lambda f: f.__name__)
def test_other_instructions_and_their_gradients(function):
    """The same at the first run, at the second, which is captured, and at the third, which repeats what was."""
    def both(x, y):
        x, y = x.requires_grad_(), y.requires_grad_()
        outs = function(x, y)
        outs = (*outs, tn.sum(x * y))
        return (*outs, *tn.autograd.grad(sum([tn.sum(out * out) for out in outs]), (x, y), allow_unused=True))
    recording = record(both, data(), commit=False)
    program, gpu, inputs = recording.program, Emulated(), recording_inputs(recording)
    states = [recording.slots[v].get() for v in program.states]
    arrays = interpret(program, inputs, states, [])
    run = CudaExecutor(program, gpu=gpu)
    assert [step.name for step in run.steps if not isinstance(step, list)] == []  # nothing is left to Python
    for _ in range(3):
        for a, v in zip(run(inputs, states, []), program.results(), strict=True):
            np.testing.assert_allclose(a, arrays[v], rtol=1e-5, atol=1e-6 * max(1, np.abs(arrays[v]).max()))
    assert gpu.captured and run.captured()[1]


def test_what_has_no_form_here_is_called_between_two_stretches():
    def function(x, y):
        return tn.sort(x * 2, axis=1) + tn.exp(y), tn.cumulative_sum(x, axis=0)
    recording = record(function, data(), commit=False)
    inputs, program = recording_inputs(recording), recording.program
    arrays, run = interpret(program, inputs, [], []), CudaExecutor(program, gpu=Emulated())
    assert {step.name for step in run.steps if not isinstance(step, list)} == {"forward.sort", "cumulative_sum"}
    for _ in range(3):
        for a, v in zip(run(inputs, [], []), program.results(), strict=True):
            np.testing.assert_allclose(a, arrays[v], rtol=1e-5, atol=1e-6)
    assert run.captured() == (2, 1)
    clocked = CudaExecutor(program, gpu=Emulated(), timed=True)
    clocked(inputs, [], [])
    loops = [k.index for k in clocked.fusion.kernels if not clocked.in_python(k)]
    assert sorted(clocked.seconds_) == loops and min(clocked.seconds_.values()) > 0


def test_a_condition_that_does_not_hold_gives_nothing_back():
    """Labels are checked on the GPU; the weights are those from before."""
    model = nn.Linear(4, 3)
    opt = tn.optim.SGD(model.parameters(), lr=0.1)

    def step(x, y):
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss
    recording = record(step, (tn.randn(5, 4), tn.tensor([0, 1, 2, 0, 1])), commit=False)
    program = recording.program
    states, scalars = [recording.slots[v].get() for v in program.states], evaluate(program.scalars)
    before = [np.array(s) for s in states]
    run = CudaExecutor(program, gpu=Emulated(), in_place=list(program.states))
    x, y = recording_inputs(recording)
    run([x, y], states, scalars)
    with pytest.raises(Outdated):
        run([x, np.array([0, 1, 3, 0, 1])], states, scalars)
    for a, b in zip(states, before, strict=True):
        np.testing.assert_array_equal(a, b)


NVCC = shutil.which("nvcc")


class Silent(Emulated):
    """Compiles nothing."""

    def compile(self, text):
        """No kernels."""


@pytest.mark.skipif(NVCC is None, reason="needs nvcc")
def test_nvcc_compiles_the_kernels(tmp_path):
    """Of all functions here and of the step of a network, in one file for a GPU of today."""
    texts, head = [], ""
    model = Residual()

    def classify(x, y):
        F.cross_entropy(model(x), y).backward()

    made = [record(f, data(), commit=False) for f in (*FUNCTIONS, convolutions, look_ups)]
    made.append(record(classify, (tn.randn(2, 3, 6, 6), tn.randint(0, 3, (2,))), commit=False))
    for k, recording in enumerate(made):
        program = recording.program
        program.extra = [v for v in recording.gradients.values() if v is not None]
        text = CudaExecutor(program, gpu=Silent()).text
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
