"""Initializers: the standard deviation that each promises, its shape of distribution, and its errors."""

import math

import numpy as np
import pytest
from scipy import stats

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import init

N = 1000  # weights of (N, N/2): half a million numbers, so that a std is known to about 0.1%


def drawn(fill, shape=(N, N // 2), dtype="float64"):
    return fill(tn.zeros(shape, dtype=dtype)).numpy()


def uniform_like(x, low, high):
    """Whether a sample may be uniform on [low, high]."""
    return stats.kstest(x.ravel()[:20000], stats.uniform(low, high - low).cdf).pvalue > 1e-3


def normal_like(x, std):
    return stats.kstest(x.ravel()[:20000], stats.norm(0, std).cdf).pvalue > 1e-3


FAN_IN, FAN_OUT = N // 2, N
PROMISES = {  # name of the function: (call, std in the docstring, kind)
    "uniform_": (lambda w: init.uniform_(w, -2, 4), 6 / math.sqrt(12), None),
    "normal_": (lambda w: init.normal_(w, 0, 0.3), 0.3, "normal"),
    "trunc_normal_ at 2 std": (lambda w: init.trunc_normal_(w, 0, 0.5, -1, 1), 0.8796 * 0.5, None),
    "trunc_normal_ at 1 std": (lambda w: init.trunc_normal_(w, 0, 0.5, -0.5, 0.5), 0.5396 * 0.5, None),
    "xavier_uniform_": (lambda w: init.xavier_uniform_(w, 2), 2 * math.sqrt(2 / (FAN_IN + FAN_OUT)), "uniform"),
    "xavier_normal_": (init.xavier_normal_, math.sqrt(2 / (FAN_IN + FAN_OUT)), "normal"),
    "glorot_uniform_": (init.glorot_uniform_, math.sqrt(2 / (FAN_IN + FAN_OUT)), "uniform"),
    "glorot_normal_": (init.glorot_normal_, math.sqrt(2 / (FAN_IN + FAN_OUT)), "normal"),
    "kaiming_uniform_ default of Linear": (
        lambda w: init.kaiming_uniform_(w, math.sqrt(5)),
        1 / math.sqrt(3 * FAN_IN),
        "uniform",
    ),
    "kaiming_normal_ tanh": (
        lambda w: init.kaiming_normal_(w, nonlinearity="tanh"),
        5 / 3 / math.sqrt(FAN_IN),
        "normal",
    ),
    "lecun_uniform_": (init.lecun_uniform_, 1 / math.sqrt(FAN_IN), "uniform"),
    "lecun_normal_": (init.lecun_normal_, 1 / math.sqrt(FAN_IN), "normal"),
    "sparse_": (lambda w: init.sparse_(w, 0.75, 0.4), 0.4 * math.sqrt(0.25), None),
}


@pytest.mark.parametrize("name", PROMISES)
def test_std_is_as_promised(name):
    fill, std, kind = PROMISES[name]
    x = drawn(fill)
    assert x.std() == pytest.approx(std, rel=0.01)
    if kind:
        assert abs(x.mean()) < 4 * std / math.sqrt(x.size)
        assert uniform_like(x, -std * math.sqrt(3), std * math.sqrt(3)) if kind == "uniform" else normal_like(x, std)


@pytest.mark.row("S0-30")
@pytest.mark.row("S0-35")
@pytest.mark.parametrize("mode, fan", [("fan_in", FAN_IN), ("fan_out", FAN_OUT), ("fan_avg", (FAN_IN + FAN_OUT) / 2)])
@pytest.mark.parametrize("fill", [init.he_normal_, init.he_uniform_])
def test_he_variance_is_two_over_fan(fill, mode, fan):
    x = drawn(lambda w: fill(w, mode), (2 * N, N))  # two million numbers
    fan = {"fan_in": N, "fan_out": 2 * N, "fan_avg": 1.5 * N}[mode]
    assert x.var() == pytest.approx(2 / fan, rel=0.01)
    if fill is init.he_uniform_:
        limit = math.sqrt(6 / fan)
        assert abs(x).max() <= limit and abs(x).max() > 0.999 * limit and uniform_like(x, -limit, limit)
    else:
        assert normal_like(x, math.sqrt(2 / fan))


@pytest.mark.row("S0-35")
def test_glorot_variance_is_two_over_the_sum_of_fans():
    for fill in (init.glorot_normal_, init.glorot_uniform_):
        assert drawn(fill).var() == pytest.approx(2 / (FAN_IN + FAN_OUT), rel=0.01)
    avg, glorot = drawn(lambda w: init.he_normal_(w, "fan_avg")).var(), drawn(init.glorot_normal_).var()
    assert avg / glorot == pytest.approx(2, rel=0.02)  # He with both fans: 4 / (fan_in + fan_out)


def test_fans_of_convolutions():
    assert init.fans(tn.zeros((8, 3, 5, 7))) == (3 * 35, 8 * 35) and init.fans(tn.zeros((4, 6))) == (6, 4)
    for shape in [(), (3,)]:
        with pytest.raises(ValueError, match="at least two axes"):
            init.xavier_normal_(tn.zeros(shape))


def test_gains():
    assert init.calculate_gain("relu") == math.sqrt(2) and init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("conv_transpose2d") == init.calculate_gain("sigmoid") == 1
    assert (
        init.calculate_gain("leaky_relu", 0.2) == pytest.approx(math.sqrt(2 / 1.04))
        and init.calculate_gain("selu") == 0.75
    )
    assert init.calculate_gain("leaky_relu") == pytest.approx(math.sqrt(2 / 1.0001))
    with pytest.raises(ValueError, match="'gelu' is unknown; known are"):
        init.calculate_gain("gelu")
    with pytest.raises(ValueError, match="param"):
        init.calculate_gain("leaky_relu", "0.2")


def test_trunc_normal_follows_its_law():
    for mean, std, a, b in [(0, 1, -2, 2), (1, 2, 0, 1), (0, 1, 6, 7), (0, 1, -9, -8), (3, 0.5, 2, 10)]:
        x = init.trunc_normal_(tn.zeros((20000,), dtype="float64"), mean, std, a, b).numpy()
        assert x.min() >= a and x.max() <= b
        law = stats.truncnorm((a - mean) / std, (b - mean) / std, loc=mean, scale=std)
        assert stats.kstest(x, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (3, 2, 2), (1, 7)])
def test_orthogonal_is(shape):
    x = drawn(lambda w: init.orthogonal_(w, 2), shape).reshape(shape[0], -1)
    small = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)
    assert math.sqrt((x * x).mean()) == pytest.approx(2 / math.sqrt(max(x.shape)))


def test_orthogonal_is_uniform():
    """Without the correction by the signs of R, the first column would point into one half space."""
    first = np.array([drawn(init.orthogonal_, (3, 3))[:, 0] for _ in range(2000)])
    assert np.all(abs(first.mean(0)) < 4 / np.sqrt(3 * 2000))
    np.testing.assert_allclose(first.T @ first / 2000, np.eye(3) / 3, atol=0.04)


def test_sparse_has_its_zeros_in_every_column():
    x = drawn(lambda w: init.sparse_(w, 0.3), (10, 50))
    assert np.all((x == 0).sum(0) == 3) and len({tuple(column == 0) for column in x.T}) > 10
    assert not drawn(lambda w: init.sparse_(w, 1.0), (3, 3)).any()


def test_constants_and_identities():
    w = tn.ones((2, 3))
    assert init.zeros_(w) is w and not w.numpy().any() and init.ones_(w).numpy().all()
    assert init.constant_(w, 0.25).numpy().tolist() == [[0.25] * 3] * 2
    assert init.eye_(tn.ones((2, 3))).numpy().tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match="expected two axes"):
        init.eye_(tn.ones((2, 3, 4)))


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_passes_channels_on(groups):
    w = drawn(lambda w: init.dirac_(w, groups), (4, 2, 3, 5))
    signal = np.random.default_rng(0).standard_normal((2 * groups, 9, 11))
    out = np.zeros((4, 7, 7))
    for o in range(4):  # a plain correlation, group by group
        g = o // (4 // groups)
        for i in range(2):
            for r in range(7):
                for c in range(7):
                    out[o, r, c] += (w[o, i] * signal[g * 2 + i, r : r + 3, c : c + 5]).sum()
    for o in range(4):
        g, k = divmod(o, 4 // groups)
        wanted = signal[g * 2 + k, 1:-1, 2:-2] if k < 2 else 0
        np.testing.assert_allclose(out[o], wanted)
    for shape, groups in [((4, 2), 1), ((4, 2, 3), 3), ((4, 2, 3), 0)]:
        with pytest.raises(ValueError):
            init.dirac_(tn.zeros(shape), groups)


def test_same_seed_same_numbers_in_every_dtype_and_on_every_device():
    a = init.he_normal_(tn.zeros((4, 5), dtype="float64"), generator=tn.Generator(3)).numpy()
    b = init.he_normal_(tn.zeros((4, 5), device="strict"), generator=tn.Generator(3)).numpy()
    np.testing.assert_array_equal(a.astype("float32"), b)
    tn.manual_seed(5)
    first = drawn(init.xavier_uniform_, (3, 3))
    tn.manual_seed(5)
    np.testing.assert_array_equal(first, drawn(init.xavier_uniform_, (3, 3)))


def test_parameters_and_their_parts_are_written_in_place():
    p = tn.nn.Parameter(tn.ones((4, 3)))
    held = p.detach()
    init.zeros_(p)
    assert not held.numpy().any() and p.requires_grad and p.node is None
    with tn.no_grad():
        init.constant_(p[1:3], 5)
    assert p.numpy().sum(1).tolist() == [0, 15, 15, 0]


def test_a_pending_graph_is_protected():
    p = tn.nn.Parameter(tn.ones((3,)))
    loss = (p * p).sum()
    with pytest.raises(RuntimeError, match="zeros_: a pending backward pass still needs the present values"):
        init.zeros_(p)
    assert p.numpy().all()
    loss.backward()
    init.zeros_(p)


def test_nothing_to_fill():
    for shape in [(0, 3), (3, 0)]:
        for fill in (init.kaiming_uniform_, init.xavier_normal_, init.orthogonal_):
            assert fill(tn.zeros(shape)).shape == shape


@pytest.mark.parametrize(
    "call",
    [
        lambda w: init.uniform_(w, 1, 0),
        lambda w: init.uniform_(w, 0, float("inf")),
        lambda w: init.normal_(w, 0, -1),
        lambda w: init.normal_(w, float("nan")),
        lambda w: init.trunc_normal_(w, a=1, b=1),
        lambda w: init.trunc_normal_(w, std=0),
        lambda w: init.constant_(w, "1"),
        lambda w: init.sparse_(w, 1.5),
        lambda w: init.kaiming_normal_(w, mode="fan"),
        lambda w: init.kaiming_normal_(w, nonlinearity="what"),
        lambda w: init.xavier_normal_(w, gain=None),
    ],
)
def test_wrong_arguments_raise_and_change_nothing(call):
    w = tn.ones((2, 2))
    with pytest.raises(ValueError):
        call(w)
    assert w.numpy().tolist() == [[1, 1], [1, 1]]


def test_arrays_are_not_tensors():
    with pytest.raises(TypeError, match="ones_: expected a Tensor, got ndarray"):
        init.ones_(np.zeros(3))


# Convolutions, whole networks -----------------------------------------------------------
@pytest.mark.parametrize("shape", [(6, 4, 3, 3), (4, 6, 5), (3, 3, 1, 3, 3)])
def test_delta_orthogonal_is(shape):
    """Zero but at the center, orthonormal there; a circular convolution then keeps the norm of its input."""
    w = init.delta_orthogonal_(tn.zeros(shape, dtype="float64"), gain=1.5).numpy()
    center = w[(..., *(n // 2 for n in shape[2:]))]
    assert np.count_nonzero(w) == center.size
    small = center @ center.T if shape[0] <= shape[1] else center.T @ center
    np.testing.assert_allclose(small, 1.5**2 * np.eye(min(shape[:2])), atol=1e-12)


def test_delta_orthogonal_keeps_the_norm():
    layer = nn.Conv2d(3, 5, 3, padding="same", padding_mode="circular", bias=False, dtype="float64")
    init.delta_orthogonal_(layer.weight)
    x = tn.randn(4, 3, 6, 6, dtype="float64")
    out = layer(x).numpy()
    np.testing.assert_allclose((out**2).sum((1, 2, 3)), (x.numpy() ** 2).sum((1, 2, 3)), rtol=1e-10)
    for shape in [(4, 4), (4, 4, 2), (4, 4, 3, 4)]:
        with pytest.raises(ValueError, match="all of odd size, got shape"):
            init.delta_orthogonal_(tn.zeros(shape))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.Sigmoid])
def test_every_layer_has_unit_variance_for_the_batch(activation):
    """Deep, with layers of any kind and widths; the default weights would shrink or grow with depth."""
    tn.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), activation(), nn.Flatten(), nn.Linear(4 * 36, 30), activation(),
                        *[layer for _ in range(8) for layer in (nn.Linear(30, 30), activation())], nn.Linear(30, 2))
    x = 7 * tn.randn(64, 1, 8, 8) + 3
    found = init.lsuv_(net, x)
    assert [path for path, _ in found] == ["0", "3", *[str(5 + 2 * k) for k in range(8)], "21"]
    assert all(abs(variance - 1) < 0.01 for _, variance in found)
    measured = nn.preactivation_stats(net, x, layers=(nn.Conv2d, nn.Linear))
    np.testing.assert_allclose([row["var"] for row in measured], [v for _, v in found], rtol=1e-5)


def test_lsuv_keeps_what_is_not_a_weight():
    net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    state = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    weight = net[0].weight
    init.lsuv_(net, tn.randn(40, 3), orthogonal=False)
    assert net[0].weight is weight and net.training
    for name, value in net.state_dict().items():
        same = (value.numpy() == state[name]).all()
        assert same == (name not in ("0.weight", "3.weight")), name
    ratio = net[0].weight.numpy() / state["0.weight"]
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-5)  # scaled, not drawn anew
    assert not any(module._forward_hooks for module in net.modules() if getattr(module, "_forward_hooks", None))


@pytest.mark.parametrize("call, message", [
    (lambda net, x: init.lsuv_(nn.ReLU(), x), "ReLU called no layer with a weight"),
    (lambda net, x: init.lsuv_(net, 0 * x), r"the output of layer '0' has no variance to divide by: 0"),
    (lambda net, x: init.lsuv_(net, x, tolerance=0), "expected tolerance > 0"),
    (lambda net, x: init.lsuv_(net, x, iterations=0), "an integer iterations > 0"),
])
def test_what_raises_for_networks(call, message):
    with pytest.raises(ValueError, match=message):
        call(nn.Sequential(nn.Linear(3, 2, bias=False)), tn.ones((4, 3)) * tn.tensor([[1.0], [2.0], [3.0], [5.0]]))
