"""Programs that are kept: called, saved, loaded in another process; damaged and hostile files."""
import json
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.program.nets import GPT, Residual
from tinygrad_notes.autograd.tree import flatten
from tinygrad_notes.program import CannotRecord, Program, UnreadableProgram, trace

nn, F = tn.nn, tn.nn.functional
pytestmark = pytest.mark.host_only
ELSEWHERE = """
import sys, numpy as np, tinygrad_notes as tn
program = tn.program.Program.load(sys.argv[1])
out = program(*[tn.asarray(a) for a in np.load(sys.argv[2]).values()])
np.savez(sys.argv[3], *[t.numpy() for t in tn.autograd.tree.flatten(out)[0]])
"""


def cases():
    """{name: (function, arguments)}."""
    graph, gcn = tn.data.karate_club(), tn.models.GCN(34, 2, hidden=(8,))
    return {
        "residual": (Residual(), (tn.randn(2, 3, 6, 6),)), "gpt": (GPT(), (tn.randint(0, 11, (2, 6)),)),
        "lstm": (nn.LSTM(5, 7), (tn.randn(4, 2, 5),)), "gcn": (lambda x: gcn(x, graph), (graph.x,)),
        "others": (lambda x, y: {"a": [tn.sort(x), F.interpolate(x[None, None], scale_factor=2, mode="bilinear")],
                                 "b": (x[1:, ::2], tn.cumulative_sum(y, axis=0), F.max_pool2d(x[None], 2)),
                                 "k": tn.linalg.inv(x @ x.T + tn.eye(4))}, (tn.randn(4, 6), tn.arange(5)))}


@pytest.mark.parametrize("name", ["residual", "gpt", "lstm", "gcn", "others"])
def test_a_loaded_program_gives_the_same_bits(name, tmp_path):
    function, arguments = cases()[name]
    program = trace(function, arguments)
    wanted = program(*arguments)
    program.save(tmp_path / "program")
    loaded = Program.load(tmp_path / "program")
    for a, b in zip(*[flatten(x)[0] for x in (loaded(*arguments), wanted)], strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert flatten(loaded(*arguments))[1].kind == flatten(wanted)[1].kind
    if isinstance(function, nn.Module):
        assert function.training
        function.eval()
    with tn.no_grad():
        plain = flatten(function(*arguments))[0]
    for a, b in zip(flatten(wanted)[0], plain, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "program").read_bytes()


def test_in_another_process(tmp_path):
    function, arguments = Residual(), (tn.randn(2, 3, 6, 6),)
    program = trace(function, arguments)
    program.save(tmp_path / "program")
    np.savez(tmp_path / "in.npz", *[x.numpy() for x in arguments])
    subprocess.run([sys.executable, "-c", ELSEWHERE, *[str(tmp_path / n) for n in ("program", "in.npz", "out.npz")]],
                   check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["arr_0"], program(*arguments).numpy())


def test_weights_are_those_of_the_time_of_recording():
    model = nn.Linear(2, 2)
    program = trace(model, (tn.ones(1, 2),))
    before = program(tn.ones(1, 2)).numpy()
    with tn.no_grad():
        model.weight.add_(1.0)
    np.testing.assert_array_equal(program(tn.ones(1, 2)).numpy(), before)


def test_what_cannot_be_kept():
    with pytest.raises(TypeError, match=r"recorded for arrays \[\(\(3,\), 'float32'\)\], got \[\(\(4,\)"):
        trace(lambda x: x * 2, (tn.ones(3),))(tn.ones(4))
    with pytest.raises(TypeError, match="made by trace"):
        tn.program.record(lambda x: x * 2, (tn.ones(3),)).program(tn.ones(3))
    with pytest.raises(TypeError, match="made by trace"):
        tn.program.record(lambda x: x * 2, (tn.ones(3),)).program.save("x")
    w = tn.ones(3)
    with pytest.raises(CannotRecord, match="changes w"):
        trace(lambda x: w.add_(x), (tn.ones(3),))
    np.testing.assert_array_equal(w.numpy(), np.ones(3))
    with pytest.raises(TypeError, match="draws random numbers"):
        trace(lambda x: x + tn.randn(3), (tn.ones(3),)).save("x")


def test_damaged_files(tmp_path):
    path = tmp_path / "program"
    trace(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), (tn.ones(1, 2),)).save(path)
    whole = path.read_bytes()
    with pytest.raises(FileNotFoundError):
        Program.load(tmp_path / "none")
    for damaged in (b"", whole[:5], whole[:len(whole) // 2], whole[:-1], b"x" * 100, b"\xff" * 8 + whole[8:]):
        path.write_bytes(damaged)
        with pytest.raises(UnreadableProgram, match="program"):
            Program.load(path)
    tn.save({"a": tn.ones(2)}, path)
    with pytest.raises(UnreadableProgram, match="not a saved program"):
        Program.load(path)


def changed(whole, change):
    """A saved program with another description of itself."""
    n = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8:8 + n])
    stored = json.loads(header["__metadata__"]["program"])
    change(stored)
    header["__metadata__"]["program"] = json.dumps(stored)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + whole[8 + n:]


@pytest.mark.parametrize("change, told", [
    (lambda s: s.update(version=99), "version 99; this package reads version 1"),
    (lambda s: s.update(format="other"), "not a saved program"),
    (lambda s: s["instructions"][0].__setitem__(0, "__import__"), "function '__import__'"),
    (lambda s: s["instructions"][0].__setitem__(0, "load"), "function 'load'"),
    (lambda s: s["instructions"][0].__setitem__(0, "linalg.lapack_lite.os"), "function 'linalg"),
    (lambda s: s["instructions"][0].__setitem__(0, "rules"), "function 'rules'"),
    (lambda s: s["instructions"][0][1].__setitem__(0, 999), "999"),
    (lambda s: s["instructions"].reverse(), "not in order"),
    (lambda s: s["values"][0].__setitem__(3, "thing"), "role 'thing'"),
    (lambda s: s["values"][1].__setitem__(1, [7, 7]), "shape"),
    (lambda s: s["instructions"][0].__setitem__(3, ["ref", 5]), "input 5 of"),
    (lambda s: s["instructions"][0].__setitem__(3, ["eval", "1"]), "eval"),
    (lambda s: s.update(structure=["set", [], []]), "set"),
    (lambda s: s["leaves"].clear(), "do not fit"),
    (lambda s: s.pop("outputs"), "outputs"),
])
def test_hostile_files(change, told, tmp_path):
    path = tmp_path / "program"
    trace(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), (tn.ones(1, 2),)).save(path)
    path.write_bytes(changed(path.read_bytes(), change))
    with pytest.raises(UnreadableProgram, match=told):
        Program.load(path)
