"""Parameter groups and state: names, what a state_dict holds, what is refused, what a copy is."""
import copy

import numpy as np
import pytest

import tinygrad_notes as tn


def with_gradient(values):
    w = tn.tensor(np.array(values, dtype="float64"), requires_grad=True)
    w.grad = tn.tensor(np.cos(w.numpy()))
    return w


def test_named_parameters_keep_their_names():
    model = tn.nn.Linear(2, 3)
    opt = tn.optim.SGD(model.named_parameters(), lr=0.1)
    assert opt.param_groups[0]["param_names"] == ["weight", "bias"]
    assert opt.param_groups[0]["params"] == [model.weight, model.bias]
    assert opt.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    opt.load_state_dict(opt.state_dict())
    assert opt.param_groups[0]["param_names"] == ["weight", "bias"]


def test_a_tensor_as_rate_is_a_number():
    opt = tn.optim.SGD([{"params": [with_gradient([1.0])], "lr": tn.tensor(0.25)}], lr=tn.tensor([0.5]))
    assert opt.param_groups[0]["lr"] == 0.25 and opt.defaults["lr"] == 0.5
    opt.param_groups[0]["lr"] = tn.tensor(0.125)
    opt.step()
    assert opt.param_groups[0]["lr"] == 0.125


def test_entries_are_those_of_pytorch():
    w = with_gradient([1.0, 2.0])
    opt = tn.optim.Adam([w])
    assert opt.state_dict()["state"] == {}
    opt.step()
    entry = opt.state_dict()["state"][0]
    assert list(entry) == ["step", "exp_avg", "exp_avg_sq"]
    assert entry["step"].shape == () and entry["step"].item() == 1
    plain = tn.optim.SGD([with_gradient([1.0])])
    plain.step()
    assert plain.state_dict()["state"] == {}


def test_own_options_are_written_where_they_are_in_use_only():
    w = with_gradient([1.0])
    assert "ema" not in tn.optim.SGD([w]).state_dict()["param_groups"][0]
    ours = tn.optim.SGD([w], momentum=0.5, ema=True)
    assert ours.state_dict()["param_groups"][0]["ema"] is True
    ours.load_state_dict(tn.optim.SGD([w], momentum=0.5).state_dict())
    assert ours.param_groups[0]["ema"] is False


@pytest.mark.parametrize(("source", "target", "text"), [
    (lambda w: tn.optim.SGD(w, momentum=0.9), tn.optim.Adam, "lacks 'betas' of Adam"),
    (tn.optim.Adam, lambda w: tn.optim.SGD(w, momentum=0.9), "lacks 'momentum' of SGD"),
    (tn.optim.Adam, tn.optim.Adamax, "Adamax has no state 'exp_avg_sq'"),
    (tn.optim.AdamW, tn.optim.Lion, "Lion has no state 'exp_avg_sq'"),
    (tn.optim.RMSprop, tn.optim.LBFGS, "lacks 'max_iter' of LBFGS"),
])
def test_the_state_of_another_optimizer_is_refused(source, target, text):
    a, b = source([with_gradient([1.0, 2.0])]), target([with_gradient([1.0, 2.0])])
    a.step()
    before = repr(b)
    with pytest.raises(ValueError, match=text):
        b.load_state_dict(a.state_dict())
    assert repr(b) == before and b.state_dict()["state"] == {}


@pytest.mark.parametrize(("change", "text"), [
    (lambda s: s["param_groups"].append(s["param_groups"][0]), "2 parameter groups, the optimizer 1"),
    (lambda s: s["param_groups"][0]["params"].append(1), "2 parameters, the optimizer 1"),
    (lambda s: s["param_groups"][0].update(lr=-1.0), "lr: expected a number"),
    (lambda s: s["state"].update({7: {}}), "parameter 7, which is in no group"),
    (lambda s: s["state"][0].pop("exp_avg"), "parameter 0: state exp_avg of Adam is missing"),
    (lambda s: s.pop("state"), "'state' is missing"),
])
def test_a_damaged_state_is_refused_and_changes_nothing(change, text):
    opt = tn.optim.Adam([with_gradient([1.0, 2.0])])
    opt.step()
    damaged = opt.state_dict()
    change(damaged)
    before = repr(opt), opt.state_dict()["state"][0]["exp_avg"].tolist()
    with pytest.raises(ValueError, match=text):
        opt.load_state_dict(damaged)
    assert (repr(opt), opt.state_dict()["state"][0]["exp_avg"].tolist()) == before


def test_options_switched_on_in_mid_run_keep_what_there_is():
    w = with_gradient([1.0, -2.0])
    opt = tn.optim.Adam([w], lr=0.1)
    opt.step()
    first = opt.state[w]["exp_avg"].numpy().copy()
    opt.param_groups[0]["amsgrad"] = True
    opt.param_groups[0]["betas"] = (1.0 - 1e-12, 0.999)
    opt.step()
    np.testing.assert_allclose(opt.state[w]["exp_avg"].numpy(), first, rtol=1e-9)
    assert opt.state[w]["step"].item() == 2


def test_momentum_switched_on_later_starts_from_the_gradient():
    w = with_gradient([1.0])
    opt = tn.optim.SGD([w], lr=0.1, dampening=0.5)
    opt.step()
    opt.param_groups[0]["momentum"] = 0.9
    w.grad = tn.tensor(np.array([3.0]))
    opt.step()
    assert opt.state[w]["momentum_buffer"].item() == 3.0  # and not (1 - dampening) times it


@pytest.mark.parametrize("make", [tn.optim.Adam, tn.optim.NAdam, lambda p: tn.optim.SGD(p, momentum=0.9)])
def test_a_deep_copy_goes_its_own_way_and_the_same(make):
    w = with_gradient([1.0, -2.0])
    opt = make([w])
    opt.step()
    v, twin = copy.deepcopy((w, opt))
    assert twin.param_groups[0]["params"][0] is v
    for _ in range(3):
        for p, o in ((w, opt), (v, twin)):
            p.grad = tn.tensor(np.cos(3 * p.numpy()))
            o.step()
    assert np.array_equal(w.numpy(), v.numpy())
    w.grad = tn.tensor(np.ones(2))
    opt.step()
    assert not np.array_equal(w.numpy(), v.numpy())


def test_two_dtypes_in_one_group(rng):
    a, b = (tn.tensor(rng.standard_normal(3).astype(d), requires_grad=True) for d in ("float32", "float64"))
    opt = tn.optim.Adam([a, b], lr=0.1)
    for w in (a, b):
        w.grad = tn.tensor(np.ones(3, dtype=w.dtype))
    opt.step()
    assert {p.dtype.name for p in opt.state} == {"float32", "float64"}
    assert opt.state[a]["exp_avg"].dtype == a.dtype


def test_a_group_added_later_is_trained_too():
    w, v = with_gradient([1.0]), with_gradient([2.0])
    opt = tn.optim.SGD([w], lr=0.1)
    opt.step()
    opt.add_param_group({"params": v, "lr": 0.5})
    before = v.item()
    opt.step()
    assert v.item() == before - 0.5 * np.cos(2.0)
    with pytest.raises(TypeError, match="key 'params'"):
        opt.add_param_group([v])
    with pytest.raises(ValueError, match="given twice"):
        opt.add_param_group({"params": [v]})
