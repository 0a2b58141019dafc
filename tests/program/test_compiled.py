"""A compiled step does what the plain one does: results, parameters, gradients, buffers, state, random stream."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.program.steps import WORKS, classifier, data
from tinygrad_notes.program import compile

nn, F = tn.nn, tn.nn.functional


def run(work, step, batches=None):
    """The results of all calls, as lists of arrays."""
    tn.manual_seed(5)
    found = []
    for batch in batches or work.batches:
        out = step(*[tn.asarray(a) for a in batch])
        found.append([np.asarray(t.numpy()) for t in (out if isinstance(out, tuple) else (out,))])
    return found


def same(a, b, tolerance=0.0):
    assert a.keys() == b.keys()
    for name in a:
        near(a[name], b[name], tolerance, name)


def near(a, b, tolerance, name=""):
    if not tolerance:
        np.testing.assert_array_equal(a, b, err_msg=name)
    else:
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)


def weights(work):
    return {name: p.numpy().copy() for m in work.modules for name, p in m.named_parameters()}


BACKENDS = {"interpret": 0.0, "numpy": 2e-5, "c": 2e-5}  # and how far results may lie from those of the plain step


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", WORKS)
def test_replays_equal_the_plain_step(name, backend):
    tolerance = BACKENDS[backend] or 2e-5 * (name == "classifier")  # its norms are computed in another way
    works = []
    for _ in range(2):
        tn.manual_seed(0)
        works.append(WORKS[name]())
    compiled = compile(works[1].step, backend=backend)
    plain, replayed = run(works[0], works[0].step), run(works[1], compiled)
    assert compiled.recorded and not compiled.broken
    for a, b in zip(plain, replayed):
        for x, y in zip(a, b):
            near(x, y, tolerance)
    same(works[0].state(), works[1].state(), tolerance)
    np.testing.assert_array_equal(*[tn.default_generator.get_state() for _ in range(2)])


@pytest.mark.parametrize("optimizer", [
    lambda p: tn.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True), lambda p: tn.optim.SGD(p, lr=0.1, weight_decay=0.1),
    lambda p: tn.optim.Adam(p, lr=0.1, amsgrad=True), lambda p: tn.optim.RMSprop(p, centered=True, momentum=0.5),
    lambda p: tn.optim.Adagrad(p), lambda p: tn.optim.Adadelta(p), lambda p: tn.optim.Adamax(p),
    lambda p: tn.optim.Lion(p), lambda p: tn.optim.Rprop(p), lambda p: tn.optim.Adam(p, maximize=True),
    lambda p: tn.optim.NAdam(p), lambda p: tn.optim.ASGD(p, t0=2), lambda p: tn.optim.Adafactor(p, lr=0.9),
    lambda p: tn.optim.RAdam(p, lr=0.1)],
    ids=["SGD nesterov", "SGD decay", "AMSGrad", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Lion", "Rprop",
         "maximize", "NAdam", "ASGD", "Adafactor", "RAdam"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_optimizer(optimizer, backend):
    works = []
    for _ in range(2):
        tn.manual_seed(0)
        works.append(classifier(optimizer))
    compiled = compile(works[1].step, backend=backend)
    run(works[0], works[0].step), run(works[1], compiled)
    assert compiled.recorded <= 2 and not compiled.broken  # the first step of some differs from all later ones
    same(works[0].state(), works[1].state(), 1e-4)


def test_parameters_that_are_updated_one_by_one():
    steps, models = [], []
    for _ in range(2):
        tn.manual_seed(0)
        models.append(nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)))
        weights = [p for p in models[-1].parameters() if p.ndim == 2]
        muon = tn.optim.Muon(weights, lr=0.1)
        other = tn.optim.Adafactor([p for p in models[-1].parameters() if p.ndim == 1], lr=0.9)

        def step(x, model=models[-1], optimizers=(muon, other)):
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            return loss
        steps.append(step)
    compiled = compile(steps[1])
    for (x,) in data((4, 5), n=4):
        steps[0](tn.asarray(x)), compiled(tn.asarray(x))
    assert compiled.recorded <= 2 and not compiled.broken
    for a, b in zip(models[0].parameters(), models[1].parameters()):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("wrap", [tn.optim.SAM, tn.optim.Lookahead])
def test_optimizers_whose_steps_differ_run_uncompiled(wrap):
    w = tn.tensor([1.0, 2.0], requires_grad=True)
    opt = wrap(tn.optim.SGD([w], lr=0.1))

    def closure():
        opt.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    compiled = compile(lambda: opt.step(closure))
    with pytest.warns(RuntimeWarning, match=f"steps of {wrap.__name__} cannot be recorded"):
        compiled()
    assert compiled.broken and w.tolist() != [1.0, 2.0]


def test_one_recording_serves_a_training_loop():
    work = classifier()
    compiled = compile(work.step)
    run(work, compiled)
    assert compiled.recorded == 1


def test_a_learning_rate_set_between_steps_is_used():
    works = []
    for _ in range(2):
        tn.manual_seed(0)
        works.append(classifier())
    compiled = compile(works[1].step, backend="interpret")
    for work, step in ((works[0], works[0].step), (works[1], compiled)):
        for k, batch in enumerate(work.batches):
            work.optimizers[0].param_groups[0]["lr"] = 0.1 / (k + 1)
            tn.manual_seed(k)
            step(*[tn.asarray(a) for a in batch])
    assert compiled.recorded == 1
    same(works[0].state(), works[1].state(), 2e-5)


def test_parameters_loaded_between_steps_are_used():
    work = classifier()
    compiled = compile(work.step)
    start = {k: v.clone() for k, v in work.modules[0].state_dict().items()}
    first = run(work, compiled)[0]
    work.modules[0].load_state_dict(start)
    np.testing.assert_allclose(run(work, compiled)[0], first, rtol=1e-6)


def test_shapes_modes_and_python_arguments_record_again():
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    compiled = compile(lambda x, k: model(x) * k)
    x = tn.ones(2, 3)
    for _ in range(2):
        for call in (lambda: compiled(x, 1), lambda: compiled(tn.ones(4, 3), 1), lambda: compiled(x, 2)):
            call()
    assert compiled.recorded == 3
    model.eval()
    np.testing.assert_array_equal(compiled(x, 2).numpy(), (model(x) * 2).detach().numpy())
    assert compiled.recorded == 4


def test_a_condition_on_values_names_the_line():
    def step(x):
        if tn.sum(x) > 0:
            return x
        return -x
    compiled = compile(step)
    with pytest.warns(RuntimeWarning, match=r"test_compiled\.py:\d+ in step"):
        assert compiled(-tn.ones(2)).tolist() == [1.0, 1.0]
    assert compiled(tn.ones(2)).tolist() == [1.0, 1.0]


def test_too_many_variants_warn_once():
    compiled = compile(lambda x: x * 2, variants=2)
    for n in (1, 2):
        compiled(tn.ones(n))
    with pytest.warns(RuntimeWarning, match="more than 2 ways"):
        assert compiled(tn.ones(3)).tolist() == [2.0, 2.0, 2.0]
    assert compiled(tn.ones(4)).tolist() == [2.0] * 4


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("label", [7, -1])
def test_bad_labels_raise_as_they_do_uncompiled(backend, label):
    work = classifier()
    compiled = compile(work.step, backend=backend)
    x, y = work.batches[0]
    for _ in range(2):
        compiled(tn.asarray(x), tn.asarray(y))
    before = weights(work)
    with pytest.raises(ValueError, match=f"is {label}, but there are 3 classes"):
        compiled(tn.asarray(x), tn.asarray(np.full(5, label)))
    same(before, weights(work))
    compiled(tn.asarray(x), tn.asarray(y))
    assert not compiled.broken


def test_a_tensor_that_would_be_lost_is_refused():
    kept = []
    compiled = compile(lambda x: kept.append(x * 2) or x)
    with pytest.warns(RuntimeWarning, match="outlives the call"):
        compiled(tn.ones(2))
    assert kept[-1].tolist() == [2.0, 2.0]


def test_nothing_changes_when_a_recording_fails():
    model = nn.Linear(4, 1)
    opt = tn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def step(x):
        opt.zero_grad()
        loss = tn.mean(model(x))
        loss.backward()
        opt.step()
        return loss.item()
    ((x,),) = data((5, 4), n=1)
    before = model.weight.numpy().copy()
    with pytest.warns(RuntimeWarning, match="reads a value"):
        compile(step)(tn.asarray(x))
    expected = before - 0.1 * np.asarray(x.mean(0))[None]
    np.testing.assert_allclose(model.weight.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(opt.state[model.weight]["momentum_buffer"].numpy(), np.asarray(x.mean(0))[None])


def test_results_of_a_compiled_function_can_be_differentiated():
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    compiled = compile(lambda x, scale: (model(x) * scale, tn.sum(x)))
    ((x,),) = data((5, 4), n=1)
    for _ in range(3):
        found = []
        for function in (lambda x: (model(x) * 2.0, tn.sum(x)), lambda x: compiled(x, 2.0)):
            leaf = tn.asarray(x).requires_grad_()
            model.zero_grad()
            inner = leaf * 1.5
            out, total = function(inner)
            (tn.sum(out ** 2) + total).backward()
            found.append([leaf.grad.numpy(), *[p.grad.numpy() for p in model.parameters()], out.detach().numpy()])
        for a, b in zip(*found):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert compiled.recorded == 1 and not compiled.broken


def test_second_derivatives_through_a_compiled_function():
    f = compile(lambda x: tn.sum(tn.sin(x) * x ** 2))
    x = tn.tensor([0.5, -1.0, 2.0], dtype="float64", requires_grad=True)
    plain = lambda x: tn.sum(tn.sin(x) * x ** 2)
    for _ in range(2):
        (g,) = tn.autograd.grad([f(x)], [x], create_graph=True)
        (h,) = tn.autograd.grad([tn.sum(g)], [x])
        np.testing.assert_allclose(h.numpy(), np.diag(tn.hessian(plain)(x).numpy()), rtol=1e-12)


def test_backward_inside_leaves_gradients_on_arguments():
    def attack(x):
        tn.sum(x ** 3).backward()
        return x * 1.0
    compiled = compile(attack)
    for _ in range(3):
        x = tn.tensor([1.0, 2.0], requires_grad=True)
        compiled(x)
        assert x.grad.tolist() == [3.0, 12.0]
    assert not compiled.broken


def test_numbers_that_the_function_reads_are_guarded():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = 2.0

        def forward(self, x):
            return x * self.factor
    model, beta = Scaled(), 1.0
    compiled = compile(lambda x: model(x) + beta)
    x = tn.ones(2)
    for _ in range(2):
        assert compiled(x).tolist() == [3.0, 3.0]
    model.factor = 3.0
    assert compiled(x).tolist() == [4.0, 4.0]
    beta = 5.0
    assert compiled(x).tolist() == [8.0, 8.0]
    model.factor, beta = 2.0, 1.0
    assert compiled(x).tolist() == [3.0, 3.0] and compiled.recorded == 3


def test_an_argument_may_be_reachable_and_written_into():
    x = tn.ones(2)
    compiled = compile(lambda t: t.mul_(2.0) + x)
    for _ in range(3):
        y = tn.tensor([1.0, 2.0])
        assert compiled(y).tolist() == [3.0, 5.0] and y.tolist() == [2.0, 4.0]
    assert x.tolist() == [1.0, 1.0]
