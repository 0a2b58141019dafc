"""Where the time of a step goes: sums, phases, modules, counts, no influence on results, pictures in a browser."""
import json
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.browser import visit
from tinygrad_notes.autograd import primitive
from tinygrad_notes.autograd.plan import CALLS, PRIMITIVES
from tinygrad_notes.program.errors import CannotRecord
from tinygrad_notes.program.work import flops_of
from tinygrad_notes.viz.flame import quantity, seconds_text, tree

nn, F = tn.nn, tn.nn.functional
pytestmark = pytest.mark.host_only


class Slow(nn.Module):
    """Waits in its forward, in an operation and in that one's rule."""

    def forward(self, x):
        time.sleep(0.02)
        return slow(x)


def _wait(xp, x):
    time.sleep(0.03)
    return x * 2


def _wait_back(g):
    time.sleep(0.05)
    return g * 2


slow = primitive("profile_slow", _wait, kind="elementwise", x=_wait_back)


def made(seed=0):
    """(model, optimizer, step)."""
    tn.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3),
                          nn.Dropout(0.1))
    optimizer = tn.optim.AdamW(model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss
    return model, optimizer, step


BATCH = tn.randn(8, 1, 4, 4), tn.randint(0, 3, (8,))


def test_times_land_where_they_are_spent():
    model = nn.Sequential(Slow(), nn.Linear(3, 2))
    found = tn.profile(lambda x: model(x).sum().backward(), tn.randn(2, 3, requires_grad=True), repeats=1, warmup=0)
    rows = {(r.phase, r.module, r.name): r for r in found.rows}
    for key, seconds in ((("forward", "model.0", "(Python)"), 0.02), (("forward", "model.0", "profile_slow"), 0.03),
                         (("backward", "model.0", "profile_slow"), 0.05)):
        assert seconds <= rows[key].seconds < seconds + 0.05
        assert rows[key].calls == 1
    assert rows["forward", "model.1", "linear"].flops == 2 * 2 * 3 * 2 + 4
    assert found.measured == pytest.approx(sum(r.seconds for r in found.rows))
    assert {r.phase: r.seconds for r in found.by_phase()}["backward"] >= 0.05
    assert found.by_operation()[0].name == "profile_slow" and found.by_module()[0].module == "model.0"


def test_profiling_changes_no_number_and_leaves_nothing_behind():
    cells = {name: [c.cell_contents for c in call.__closure__ or ()] for name, call in CALLS.items()
             if hasattr(call, "__closure__")}
    forwards = {name: op.forward for name, op in PRIMITIVES.items()}
    a, _, plain = made()
    for _ in range(6):
        plain(*BATCH)
    b, optimizer, profiled = made()
    tn.profile(profiled, *BATCH, repeats=2, warmup=2)
    for (name, x), y in zip(a.state_dict().items(), b.state_dict().values()):
        np.testing.assert_array_equal(x.numpy(), y.numpy(), err_msg=name)
    assert {name: op.forward for name, op in PRIMITIVES.items()} == forwards
    for name, contents in cells.items():
        assert all(x is c.cell_contents for x, c in zip(contents, CALLS[name].__closure__ or ()))
    assert "step" not in vars(optimizer)
    with pytest.raises(ZeroDivisionError):
        tn.profile(lambda: 1 / 0)
    assert {name: op.forward for name, op in PRIMITIVES.items()} == forwards


def test_a_training_step_by_phase_module_and_operation():
    _, _, step = made()
    found = tn.profile(step, *BATCH, repeats=1)
    assert [r.phase for r in found.by_phase()] == ["forward", "backward", "update", "other"]
    modules = {r.module: r for r in found.by_module()}
    assert modules["model.0"].name == "Conv2d" and modules["model.4"].name == "Linear"
    linear = {r.phase: r for r in found.rows if r.module == "model.4" and r.name == "linear"}
    assert linear["forward"].flops == 2 * 8 * 64 * 3 + 24
    assert linear["forward"].bytes == 4 * (8 * 64 + 64 * 3 + 3 + 8 * 3)
    conv = {r.phase: r for r in found.rows if r.module == "model.0" and r.name.startswith("conv")}
    assert conv["forward"].flops == 8 * 4 * 16 * (2 * 9 + 1)
    assert conv["backward"].flops >= 2 * 8 * 4 * 16 * 9  # of the weight alone: x wants no gradient
    assert [r.name for r in found.rows if r.phase == "update"] == ["AdamW"]


@pytest.mark.parametrize("backend", ["auto", "numpy"])
def test_a_compiled_step_kernel_by_kernel(backend):
    _, _, step = made()
    compiled = tn.compile(step, backend=backend)
    found = tn.profile(compiled, *BATCH, repeats=2, warmup=1)
    assert found.kernels and all(k.seconds >= 0 for k in found.kernels)
    assert sum(k.seconds > 0 for k in found.kernels) > len(found.kernels) / 2
    parts = sum(r.seconds for r in found.rows if r.name != "(Python)")
    assert parts == pytest.approx(sum(k.seconds for k in found.kernels))
    assert {"forward", "backward", "update"} <= {r.phase for r in found.rows}
    assert any(r.module == "model.4" for r in found.rows)
    assert compiled.recorded == 1 and "kernel" in found.text()


def test_what_cannot_be_profiled():
    with pytest.raises(TypeError, match="expected a function, got int"):
        tn.profile(3)
    with pytest.raises(ValueError, match="repeats: expected a whole number >= 1, got 0"):
        tn.profile(lambda: None, repeats=0)
    with pytest.raises(CannotRecord, match="no kernels"):
        tn.profile(tn.compile(lambda x: x * 2, backend="interpret"), tn.ones(2), repeats=1)
    with pytest.warns(RuntimeWarning), pytest.raises(CannotRecord, match="runs uncompiled"):
        tn.profile(tn.compile(lambda x: x * x.sum().item()), tn.ones(2), repeats=1)


@pytest.mark.parametrize("name, shapes, flops", [
    ("matmul", [(2, 3), (3, 4)], 48), ("exp", [(5,)], 5), ("sum", [(2, 3)], 6), ("reshape", [(6,)], 0)])
def test_work_of_instructions(name, shapes, flops):
    call = {"reshape": lambda x: tn.reshape(x, (2, 3))}.get(name, getattr(tn, name))
    program = tn.program.record(call, tuple(tn.ones(*s) for s in shapes)).program
    assert sum(map(flops_of, program.instructions)) == flops


def test_boxes_hold_their_parts():
    _, _, step = made()
    root = tree(tn.profile(step, *BATCH, repeats=1))

    def check(box):
        assert sum(part.seconds for part in box.parts.values()) <= box.seconds * (1 + 1e-9)
        for part in box.parts.values():
            check(part)
    check(root)
    assert list(root.parts["m:forward"].parts["m:model"].parts)[0] == "m:0"


def test_pictures_and_files(tmp_path):
    def step(x):
        return tn.sum(x * 2)
    found = tn.profile(step, tn.randn(4), repeats=1, title="<script>alert(1)</script> & co")
    ElementTree.fromstring(found.svg())
    assert "<script>alert" not in found.svg() + found._repr_html_() and "<script>alert" not in found.html()
    for ending in (".html", ".svg", ".txt", ".json"):
        assert found.save(tmp_path / f"p{ending}").stat().st_size > 200
    assert json.loads((tmp_path / "p.json").read_text())["rows"][0]["phase"] in ("forward", "other")
    with pytest.raises(ValueError, match="ends in .html, .svg"):
        found.save(tmp_path / "p.png")
    assert (seconds_text(0.00123), seconds_text(2), seconds_text(5e-9)) == ("1.23 ms", "2.00 s", "5 ns")
    assert (quantity(1.5e9, "FLOP"), quantity(12, "B")) == ("1.50 GFLOP", "12 B")


def test_the_page_in_a_browser(tmp_path):
    """A click on a box widens it to the whole picture, a click on the top box brings everything back."""
    _, _, step = made()
    path = tn.profile(step, *BATCH, repeats=1).save(tmp_path / "p.html")
    _, told = visit(path, """
        const boxes = [...document.querySelectorAll(".tnf-box")];
        const width = b => +b.querySelector("rect").getAttribute("width");
        const whole = boxes[0], forward = boxes.find(b => b.dataset.n === "forward"), before = width(forward);
        forward.dispatchEvent(new MouseEvent("click"));
        told.push(Math.abs(width(forward) - width(whole)) < 2, width(forward) > before);
        whole.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter"}));
        told.push(Math.abs(width(forward) - before) < 0.5);""")
    assert json.loads(told) == [True, True, True]
