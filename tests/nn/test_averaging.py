"""Averaged models: exponential and plain means of parameters, running averages computed anew."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn.averaging import (
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)

RNG = np.random.default_rng(0)
KINDS = {"mean": {}, "mean one by one": {"avg_fn": get_swa_avg_fn()},
         "mean of all": {"multi_avg_fn": get_swa_multi_avg_fn()},
         "ema": {"avg_fn": get_ema_avg_fn(0.7)}, "ema of all": {"multi_avg_fn": get_ema_multi_avg_fn(0.7)}}


def history(net, averaged, steps=4):
    """Give the model new values and take them into the average; what it had, (steps, ...)."""
    seen = []
    for _ in range(steps):
        for p in net.parameters():
            p.data = tn.tensor(RNG.standard_normal(p.shape)).data
        net(tn.tensor(RNG.standard_normal((6, 3))))
        averaged.update_parameters(net)
        seen.append([t.numpy().copy() for _, t in [*net.named_parameters(), *net.named_buffers()]])
    return [np.array(values) for values in zip(*seen)]


def mean(values, kind):
    if kind.startswith("mean"):
        return values.mean(0)
    out = values[0]
    for value in values[1:]:
        out = 0.7 * out + 0.3 * value
    return out


@pytest.mark.parametrize("buffers", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_averages(kind, buffers):
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).double()
    averaged = AveragedModel(net, use_buffers=buffers, **KINDS[kind])
    start = [t.numpy().copy() for t in averaged.module.parameters()]
    seen = history(net, averaged)
    own = [*averaged.module.named_parameters(), *averaged.module.named_buffers()]
    for (name, t), values in zip(own, seen, strict=True):
        whole = t.dtype.kind == "i" or ("running" in name and not buffers)
        np.testing.assert_allclose(t.numpy(), values[-1] if whole else mean(values, kind), rtol=1e-12, err_msg=name)
    assert averaged.n_averaged.item() == 4 and len(start) == 4
    x = tn.tensor(RNG.standard_normal((6, 3)))
    averaged.eval()
    np.testing.assert_array_equal(averaged(x).numpy(), averaged.module(x).numpy())
    fresh = AveragedModel(net, use_buffers=buffers, **KINDS[kind])
    fresh.load_state_dict(averaged.state_dict())
    assert fresh.n_averaged.item() == 4


def test_a_pending_graph_keeps_the_average_it_used():
    net = nn.Linear(1, 1, bias=False).double()
    averaged = AveragedModel(net)
    averaged.update_parameters(net)
    x = tn.tensor([[2.0]], dtype=tn.float64, requires_grad=True)
    out, w = averaged(x), averaged.module.weight.item()
    net.weight.data = tn.tensor([[50.0]], dtype=tn.float64).data
    averaged.update_parameters(net)
    out.sum().backward()
    assert x.grad.item() == w != averaged.module.weight.item()


def test_running_averages_computed_anew():
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2, momentum=0.3), nn.Dropout(0.0)).double()
    net[2].eval()
    data = RNG.standard_normal((4, 8, 3))
    update_bn([(tn.tensor(x), "label") for x in data], net)
    hidden = data @ net[0].weight.numpy().T + net[0].bias.numpy()
    np.testing.assert_allclose(net[1].running_mean.numpy(), hidden.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(net[1].running_var.numpy(), hidden.var(1, ddof=1).mean(0), rtol=1e-12)
    assert net[1].momentum == 0.3 and net[1].training and not net[2].training
    kept = net[1].running_mean.numpy().copy()
    with pytest.raises(ValueError, match="the loader has no batch"):
        update_bn([], net)
    with pytest.raises(ValueError):
        update_bn([tn.zeros((3, 5))], net)
    assert net[1].momentum == 0.3 and kept.shape == (2,)
    update_bn([], nn.Linear(1, 1))


@pytest.mark.parametrize("call, match", [
    (lambda: AveragedModel(nn.Linear(1, 1), avg_fn=get_swa_avg_fn(), multi_avg_fn=get_swa_multi_avg_fn()), "got both"),
    (lambda: get_ema_avg_fn(1.5), "decay: expected a finite number >= 0 and <= 1, got 1.5"),
    (lambda: get_ema_multi_avg_fn(-0.1), "decay"),
    (lambda: AveragedModel(nn.Linear(1, 1)).update_parameters(nn.Linear(2, 1)), "not like the one .*: weight"),
    (lambda: AveragedModel(nn.Linear(1, 1)).update_parameters(nn.Linear(1, 1, bias=False)), "bias"),
])
def test_what_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_where_pytorch_has_it():
    from tinygrad_notes.optim.swa_utils import SWALR
    from tinygrad_notes.optim.swa_utils import AveragedModel as there
    assert there is AveragedModel and issubclass(SWALR, tn.optim.lr_scheduler.LRScheduler)


@pytest.mark.parametrize("buffers", [False, True])
def test_same_as_pytorch(buffers):
    torch = pytest.importorskip("torch")
    from torch.optim import swa_utils
    theirs_net, net = torch.nn.Linear(3, 2).double(), nn.Linear(3, 2).double()
    for ours, theirs in [(get_ema_multi_avg_fn(0.9), swa_utils.get_ema_multi_avg_fn(0.9)), (None, None)]:
        a = AveragedModel(net, multi_avg_fn=ours, use_buffers=buffers)
        b = swa_utils.AveragedModel(theirs_net, multi_avg_fn=theirs, use_buffers=buffers)
        assert list(a.state_dict()) == list(b.state_dict())
        for _ in range(4):
            values = {"weight": RNG.standard_normal((2, 3)), "bias": RNG.standard_normal(2)}
            net.load_state_dict(values)
            theirs_net.load_state_dict({key: torch.tensor(value) for key, value in values.items()})
            a.update_parameters(net), b.update_parameters(theirs_net)
        for key, value in b.state_dict().items():
            np.testing.assert_allclose(a.state_dict()[key].numpy(), value.numpy(), rtol=1e-12)
