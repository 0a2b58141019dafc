"""Convolution layers: values, shapes, what they keep, how they begin, what they refuse; and the rows of the notes."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.ops.rows_conv import correlated, painted
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape)


def close(found, expected, tolerance=1e-13):
    np.testing.assert_allclose(np.asarray(found.tolist()), expected, rtol=tolerance, atol=tolerance)


def check(layer, x):
    """Gradients of order 1 and 2, for the parameters and the input."""
    names = [name for name, _ in layer.named_parameters()]
    inputs = [x, *layer.parameters()]

    def call(x, *parameters):
        return nn.functional_call(layer, dict(zip(names, parameters)), x)
    assert tn.gradcheck(call, inputs, fast_mode=True) and tn.gradgradcheck(call, inputs, fast_mode=True)


CASES = [
    (nn.Conv1d, (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (2, 4, 9)),
    (nn.Conv2d, (2, 3, (3, 2)), {"dilation": (1, 2), "padding": (0, 1), "bias": False}, (2, 2, 5, 6)),
    (nn.Conv3d, (1, 2, 2), {"stride": (1, 2, 1)}, (1, 1, 3, 4, 3)),
    (nn.ConvTranspose1d, (4, 2, 3), {"stride": 3, "output_padding": 2, "groups": 2}, (2, 4, 4)),
    (nn.ConvTranspose2d, (2, 3, (3, 2)), {"stride": 2, "padding": 1, "bias": False}, (2, 2, 3, 4)),
    (nn.ConvTranspose3d, (2, 1, 2), {"dilation": 2}, (1, 2, 2, 2, 2)),
]
IDS = [case[0].__name__ for case in CASES]


@pytest.mark.row("S0-T07", "S0-T13")
@pytest.mark.parametrize("kind, arguments, options, shape", CASES, ids=IDS)
def test_layers_compute_what_the_loops_do(kind, arguments, options, shape):
    layer, x = kind(*arguments, **options).double(), normal(*shape)
    plain = {key: value for key, value in options.items() if key != "bias"}
    bias = None if layer.bias is None else np.asarray(layer.bias.tolist())
    loop = painted if layer.transposed else correlated
    expected = loop(x, np.asarray(layer.weight.tolist()), bias, **plain)
    close(layer(tn.tensor(x)), expected)
    close(layer(tn.tensor(x[0])), expected[0])  # without a batch axis
    assert layer(tn.zeros((0, *shape[1:]), dtype="float64")).shape == (0, *expected.shape[1:])


@pytest.mark.parametrize("kind, arguments, options, shape", CASES, ids=IDS)
def test_gradients(kind, arguments, options, shape):
    check(kind(*arguments, **options).double(), tn.tensor(normal(*shape)))


@pytest.mark.row("S0-T13")
@pytest.mark.parametrize("kind, arguments, options, shape", CASES[:3], ids=IDS[:3])
def test_the_transpose_is_the_adjoint(kind, arguments, options, shape):
    """<conv x, y> = <x, conv^T y> with the same weight."""
    layer = kind(*arguments, **{**options, "bias": False}).double()
    x = tn.tensor(normal(*shape))
    y = tn.tensor(normal(*layer(x).shape))
    back = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}[layer.axes]
    other = back(layer.out_channels, layer.in_channels, layer.kernel_size, layer.stride, layer.padding,
                 groups=layer.groups, bias=False, dilation=layer.dilation).double()
    other.load_state_dict(layer.state_dict())
    there = tn.sum(layer(x) * y).item()
    assert tn.sum(x * other(y, output_size=x.shape)).item() == pytest.approx(there, rel=1e-12)


@pytest.mark.parametrize("mode, numpys", [("zeros", "constant"), ("reflect", "reflect"), ("replicate", "edge"),
                                          ("circular", "wrap")])
@pytest.mark.parametrize("padding", [2, "same"])
def test_padding_modes(mode, numpys, padding):
    layer = nn.Conv1d(2, 3, 4, padding=padding, dilation=1, padding_mode=mode).double()
    x = normal(2, 2, 6)
    widths = (2, 2) if padding == 2 else (1, 2)
    wide = np.pad(x, [(0, 0), (0, 0), widths], numpys)
    close(layer(tn.tensor(x)), correlated(wide, np.asarray(layer.weight.tolist()), np.asarray(layer.bias.tolist())))
    flat = nn.Conv2d(1, 1, 3, padding=(1, 0), padding_mode=mode).double()
    x = normal(1, 1, 4, 5)
    wide = np.pad(x, [(0, 0), (0, 0), (1, 1), (0, 0)], numpys)
    close(flat(tn.tensor(x)), correlated(wide, np.asarray(flat.weight.tolist()), np.asarray(flat.bias.tolist())))
    check(flat, tn.tensor(x))


@pytest.mark.parametrize("sizes, found", [((20,), 20), ((19,), 19), ((4, 3, 20), 20)])
def test_output_size_of_a_transpose(sizes, found):
    layer = nn.ConvTranspose1d(8, 3, 3, stride=2, padding=1)
    assert layer(tn.zeros((4, 8, 10)), output_size=sizes).shape == (4, 3, found)
    assert layer(tn.zeros((8, 10)), output_size=sizes[-1:]).shape == (3, found)
    with pytest.raises(ValueError, match=r"output_size: an input of sizes \(10,\) gives sizes from \(19,\) to \(20,\)"):
        layer(tn.zeros((4, 8, 10)), output_size=(21,))
    with pytest.raises(ValueError, match=r"output_size: expected 1 sizes, or 3 with batch and channels"):
        layer(tn.zeros((4, 8, 10)), output_size=(3, 20))


def test_initial_values():
    layer = nn.Conv2d(32, 64, 5, groups=2)
    limit = 1 / math.sqrt(16 * 25)
    for p in layer.parameters():
        values = np.asarray(p.tolist())
        assert abs(values).max() <= limit and values.std() == pytest.approx(limit / math.sqrt(3), rel=0.2)
    transpose = nn.ConvTranspose1d(32, 64, 5)
    assert 0.98 / math.sqrt(64 * 5) < np.abs(transpose.weight.tolist()).max() <= 1 / math.sqrt(64 * 5)
    before = layer.weight.tolist()
    layer.reset_parameters(tn.Generator(3))
    again = layer.weight.tolist()
    layer.reset_parameters(tn.Generator(3))
    assert before != again == layer.weight.tolist()


def test_settings_are_shown():
    assert repr(nn.Conv2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2), dilation=(3, 1))) == (
        "Conv2d(16, 33, kernel_size=(3, 5), stride=(2, 1), padding=(4, 2), dilation=(3, 1))")
    assert repr(nn.Conv1d(4, 8, 3, padding="same", groups=2, bias=False, padding_mode="circular")) == (
        "Conv1d(4, 8, kernel_size=(3,), stride=(1,), padding=same, groups=2, bias=False, padding_mode=circular)")
    assert repr(nn.ConvTranspose1d(4, 8, 3, stride=2, output_padding=1)) == (
        "ConvTranspose1d(4, 8, kernel_size=(3,), stride=(2,), output_padding=(1,))")
    assert repr(nn.Unfold(2, stride=(1, 2))) == "Unfold(kernel_size=2, dilation=1, padding=0, stride=(1, 2))"
    assert repr(nn.Fold(4, 2)) == "Fold(output_size=4, kernel_size=2, dilation=1, padding=0, stride=1)"


def test_dtype_and_device():
    layer = nn.Conv1d(2, 3, 2, device="strict", dtype="float64")
    assert layer.weight.device == "strict" and layer.bias.dtype == tn.float64
    half = nn.Conv1d(2, 3, 2, dtype="float16")
    assert half(tn.ones((1, 2, 4), dtype="float16")).dtype == tn.float16


@pytest.mark.parametrize("make, message", [
    (lambda: nn.Conv2d(3, 4, 0), r"kernel_size: expected an int >= 1 or 2 of them, got 0"),
    (lambda: nn.Conv2d(3, 4, (2, 2, 2)), r"kernel_size: expected an int >= 1 or 2 of them, got \(2, 2, 2\)"),
    (lambda: nn.Conv1d(3, 4, 2, stride=0), r"stride: expected an int >= 1, got 0"),
    (lambda: nn.Conv1d(3, 4, 2, dilation=1.5), r"dilation: expected an int >= 1, got 1.5"),
    (lambda: nn.Conv1d(3, 4, 2, padding=-1), r"padding: expected an int >= 0, got -1"),
    (lambda: nn.Conv1d(3, 4, 2, padding="some"), r"padding: expected 'same', 'valid' or numbers, got 'some'"),
    (lambda: nn.Conv1d(3, 4, 2, padding="same", stride=2), r"padding='same' needs stride 1, got stride=\(2,\)"),
    (lambda: nn.Conv1d(3, 4, 2, groups=2), r"groups=2 must divide in_channels=3"),
    (lambda: nn.Conv1d(4, 3, 2, groups=2), r"groups=2 must divide out_channels=3"),
    (lambda: nn.Conv1d(3, 4, 2, groups=0), r"groups: expected an int >= 1, got 0"),
    (lambda: nn.Conv1d(3, 4, 2, padding_mode="mirror"), r"padding_mode: expected one of 'zeros', 'reflect'"),
    (lambda: nn.ConvTranspose1d(3, 4, 2, padding_mode="reflect"), r"padding_mode: a transposed convolution has 'zero"),
    (lambda: nn.ConvTranspose1d(3, 4, 2, padding="same"), r"padding: expected numbers, got 'same'"),
])
def test_options_that_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("call, message", [
    (lambda: nn.Conv2d(3, 4, 2)(tn.ones((2, 5, 6, 6))),
     r"conv2d: weight \(4, 3, 2, 2\) with groups=1 expects an input of 3 channels, got 5: input \(2, 5, 6, 6\)"),
    (lambda: nn.Conv2d(3, 4, 3)(tn.ones((2, 3, 2, 6))),
     r"conv2d: the kernel reaches over 3 x 3 elements, but the padded input has only 2 x 6"),
    (lambda: nn.Conv1d(3, 4, 3, dilation=3)(tn.ones((2, 3, 6))), r"reaches over 7 elements, but the padded input has"),
    (lambda: nn.Conv2d(3, 4, 2)(tn.ones((6, 6))), r"conv2d: input: expected 4 axes \(N, C, H, W\), or 3 without"),
    (lambda: F.conv1d(tn.ones((1, 2, 3)), tn.ones((2, 2))), r"conv1d: weight: expected 3 axes, got shape \(2, 2\)"),
    (lambda: F.conv1d(tn.ones((1, 2, 3)), tn.ones((2, 2, 0))), r"conv1d: weight: expected a kernel of at least one"),
    (lambda: F.conv1d(tn.ones((1, 4, 3)), tn.ones((3, 2, 1)), groups=2), r"groups=2 must divide the 3 output channels"),
    (lambda: F.conv1d(tn.ones((1, 2, 3)), tn.ones((4, 2, 1)), tn.ones(3)), r"bias: expected shape \(4,\), got \(3,\)"),
    (lambda: F.conv_transpose1d(tn.ones((1, 2, 3)), tn.ones((2, 4, 1)), tn.ones(3)), r"bias: expected shape \(4,\)"),
    (lambda: F.conv_transpose1d(tn.ones((1, 3, 3)), tn.ones((2, 4, 1))), r"\(2, 4, 1\) expects an input of 2 channels"),
    (lambda: F.conv_transpose1d(tn.ones((1, 3, 3)), tn.ones((3, 4, 1)), groups=2), r"groups=2 must divide the 3 chann"),
    (lambda: F.conv_transpose1d(tn.ones((1, 2, 3)), tn.ones((2, 4, 3)), output_padding=1),
     r"output_padding must be smaller than stride or dilation, got output_padding=\(1,\), stride=\(1,\)"),
    (lambda: F.conv_transpose1d(tn.ones((1, 2, 3)), tn.ones((2, 4, 3)), padding=3), r"leaves nothing of the output"),
    (lambda: nn.Conv1d(1, 1, 3, padding=3, padding_mode="reflect")(tn.ones((1, 1, 3))),
     r"pad: mode 'reflect' can add at most 2 to an axis of 3 elements"),
    (lambda: nn.Conv1d(1, 1, 3, padding=4, padding_mode="circular")(tn.ones((1, 1, 3))), r"add at most 3 to an"),
    (lambda: F.unfold(tn.ones((1, 1, 3)), 4), r"the kernel reaches over 4 x 4 elements, but the padded input has only"),
    (lambda: F.unfold(tn.ones((3, 3)), 2), r"unfold: input: expected 4 axes"),
    (lambda: F.fold(tn.ones((1, 5, 4)), 3, 2), r"fold: input: expected a multiple of kH kW = 4 rows"),
    (lambda: F.fold(tn.ones((1, 4, 5)), 3, 2), r"expected 2 x 2 = 4 columns for an image of \(3, 3\), got"),
    (lambda: F.conv_matrix(tn.ones((2, 2)), 3), r"conv_matrix: weight: expected 3 to 5 axes"),
])
def test_inputs_that_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_data_types_are_not_mixed():
    with pytest.raises(TypeError, match="conv1d: input, weight and bias must have one dtype, got float64, float32"):
        F.conv1d(tn.ones((1, 1, 3), dtype="float64"), tn.ones((1, 1, 1)))


# Layers that learn their input ---------------------------------------------------------------------------------
LAZY = [
    (nn.LazyConv1d, (3, 2), (2, 4, 6)), (nn.LazyConv2d, (4, 3), (2, 4, 6, 5)), (nn.LazyConv3d, (3, 1), (4, 2, 2, 2)),
    (nn.LazyConvTranspose1d, (3, 2), (4, 6)), (nn.LazyConvTranspose2d, (4, 3), (2, 4, 3, 3)),
    (nn.LazyConvTranspose3d, (3, 1), (2, 4, 2, 2, 2)),
]


@pytest.mark.parametrize("kind, arguments, shape", LAZY, ids=[k[0].__name__ for k in LAZY])
def test_lazy_layers_become_ordinary_ones(kind, arguments, shape):
    plain = getattr(nn, kind.__name__.removeprefix("Lazy"))
    layer = kind(*arguments, dtype="float64")
    assert layer.has_uninitialized_params() and layer.count_params() == 0
    assert repr(layer.weight) == "<UninitializedParameter>" and list(layer.state_dict()) == ["weight", "bias"]
    optimizer = tn.optim.SGD(layer.parameters(), lr=0.1)
    seen = []
    layer.register_forward_hook(lambda module, inputs, out: seen.append(type(module)))
    x = tn.tensor(normal(*shape))
    out = layer(x)
    assert type(layer) is plain and seen == [plain] and layer.in_channels == 4
    assert layer.weight.dtype == tn.float64 and np.abs(layer.weight.tolist()).max() > 0
    again = plain(4, *arguments, dtype="float64")
    again.load_state_dict(layer.state_dict())
    close(again(x), np.asarray(out.tolist()))
    before = layer.weight.tolist()
    out.sum().backward()
    optimizer.step()  # it holds the same parameters
    assert layer.weight.tolist() != before


def test_a_lazy_layer_takes_its_shape_from_a_state_dict():
    for groups in (1, 2):
        source = nn.Conv1d(4, 6, 3, groups=groups)
        lazy = nn.LazyConv1d(6, 3, groups=groups)
        lazy.load_state_dict(source.state_dict())
        assert not lazy.has_uninitialized_params()
        x = tn.randn(2, 4, 8)
        close(lazy(x), np.asarray(source(x).tolist()), 1e-6)
        assert lazy.in_channels == 4
    lazy = nn.LazyLinear(3)
    lazy.load_state_dict(nn.Linear(5, 3).state_dict())
    assert lazy(tn.ones(5)).shape == (3,) and lazy.in_features == 5


def test_a_lazy_linear():
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2, bias=False))
    assert net(tn.randn(3, 1, 5, 5)).shape == (3, 2)
    assert repr(net[2]) == "Linear(in_features=36, out_features=2, bias=False)" and type(net[0]) is nn.Conv2d


def test_lazy_layers_refuse_too():
    with pytest.raises(ValueError, match=r"groups=2 must divide the 3 channels of input \(2, 3, 6\)"):
        nn.LazyConv1d(4, 2, groups=2)(tn.ones((2, 3, 6)))
    with pytest.raises(ValueError, match=r"LazyConv2d: input: expected 4 axes"):
        nn.LazyConv2d(4, 2)(tn.ones((2, 3)))


# Rows of the notes -----------------------------------------------------------------------------------------------
X = [5.2, 5.3, 5.4, 5.1, 10.1, 10.3, 9.9, 10.3, 3.2, 3.4, 3.3, 3.1]


def sequence(weights, **options):
    x = tn.tensor([X], dtype=tn.float64)
    return F.conv1d(x, tn.tensor([[weights]], dtype=tn.float64), **options)[0]


@pytest.mark.row("S0-T05", "S0-T11")
def test_zero_padding_and_dilation_of_the_book():
    """Prince, Understanding Deep Learning, notebook 10.1. Dilation 1 leaves no gap (the first print calls that 0)."""
    sums = [sequence([0.33] * 3, padding=1), sequence([0.2] * 5, padding=2),
            sequence([0.33] * 3, padding=2, dilation=2)]
    np.testing.assert_allclose([s.sum().item() for s in sums], [71.115, 69.56, 68.277], atol=5e-4)
    close(sequence([0.33] * 3, padding=1, stride=2), [3.465, 5.214, 8.415, 10.065, 5.577, 3.234], 1e-12)
    close(sequence([-1, 0.5, -0.2], padding=1),
          [1.54, -3.63, -3.62, -4.87, -2.11, -6.93, -7.41, -5.39, -9.38, -2.16, -2.37, -1.75], 1e-12)


@pytest.mark.row("S0-T04")
def test_layers_correlate_and_convolve_turns_the_kernel_around():
    x, w = normal(12), normal(5)
    layer = F.conv1d(tn.tensor(x[None]), tn.tensor(w[None, None]))[0]
    close(layer, np.correlate(x, w, "valid"))
    close(F.conv1d(tn.tensor(x[None]), tn.flip(tn.tensor(w), axis=0)[None, None])[0], np.convolve(x, w, "valid"))
    for mode in ("full", "same", "valid"):
        close(tn.convolve(tn.tensor(x), tn.tensor(w), mode), np.convolve(x, w, mode))


@pytest.mark.row("S0-T03")
def test_convolution_of_functions():
    t = tn.linspace(-4, 4, 33, dtype=tn.float64)

    def bell(width):
        return lambda x: tn.exp(-x * x / (2 * width**2)) / (width * math.sqrt(2 * math.pi))

    one, other = bell(0.6), bell(1.1)
    both = tn.convolution_integral(one, other, t, -12, 12)
    close(both, np.asarray(bell(math.hypot(0.6, 1.1))(t).tolist()), 1e-6)  # variances add
    close(both, np.asarray(tn.convolution_integral(other, one, t, -12, 12).tolist()), 1e-6)

    def box(x):
        return (tn.abs(x) < 0.5).astype("float64") + 0.5 * (tn.abs(x) == 0.5).astype("float64")

    triangle = tn.convolution_integral(box, box, t, -2, 2, points=40001)
    close(triangle, np.clip(1 - np.abs(np.asarray(t.tolist())), 0, None), 1e-4)
    third = bell(0.4)
    inner = lambda x: tn.convolution_integral(one, other, x, -9, 9, points=201)
    left = tn.convolution_integral(inner, third, t, -9, 9, points=401)
    close(left, np.asarray(bell(math.sqrt(0.6**2 + 1.1**2 + 0.4**2))(t).tolist()), 1e-6)  # associative
    x = tn.tensor(0.7, dtype=tn.float64, requires_grad=True)
    slope = tn.grad(lambda x: tn.convolution_integral(one, other, x, -12, 12))(x)  # (f * g)' = f * g'
    other_slope = tn.convolution_integral(one, lambda y: -y / 1.1**2 * other(y), x, -12, 12)
    assert slope.item() == pytest.approx(other_slope.item(), abs=1e-12)
    for arguments in ((1, 1), (2, 1)):
        with pytest.raises(ValueError, match="expected low < high"):
            tn.convolution_integral(one, other, t, *arguments)
    with pytest.raises(ValueError, match="points: expected an int >= 2, got 1"):
        tn.convolution_integral(one, other, t, 0, 1, points=1)


@pytest.mark.row("S0-T03")
def test_the_transform_of_a_convolution_is_a_product():
    a, v = tn.tensor(normal(9)), tn.tensor(normal(6))
    product = tn.fft.ifft(tn.fft.fft(a, n=14) * tn.fft.fft(v, n=14))
    close(tn.real(product), np.asarray(tn.convolve(a, v).tolist()))


@pytest.mark.row("S0-T06")
def test_a_convolution_is_a_banded_matrix():
    a, v = normal(4), normal(7)
    for mode in ("full", "same", "valid"):
        matrix = tn.linalg.convolution_matrix(tn.tensor(a), 7, mode)
        close(matrix @ tn.tensor(v), np.convolve(a, v, mode))
    for axes, options in ((1, {"stride": 2, "padding": 1, "dilation": 2}), (2, {"groups": 2, "padding": 1})):
        w = tn.tensor(normal(4, 2 if axes == 1 else 1, *[3] * axes))
        x = tn.tensor(normal(2, *[8, 5][:axes]))
        matrix = F.conv_matrix(w, x.shape[1:], **options)
        out = getattr(F, f"conv{axes}d")(x, w, **options)
        close(matrix @ x.reshape(-1), np.asarray(out.reshape(-1).tolist()))
    twice = tn.linalg.convolution_matrix(tn.tensor([1, -0.5, 0.2], dtype=tn.float64), 9, "same")
    inner = np.asarray((twice @ twice).tolist())[4]
    np.testing.assert_allclose(inner, [0, 0, 0.04, -0.2, 0.65, -1, 1, 0, 0], atol=1e-13)
    with pytest.raises(ValueError, match="n: expected an int >= 1, got 0"):
        tn.linalg.convolution_matrix(tn.ones(2), 0)


def book_network():
    """Notebook 10.2: 40 samples, three convolutions with stride 2, a linear layer."""
    return nn.Sequential(nn.Conv1d(1, 15, 3, stride=2), nn.ReLU(), nn.Conv1d(15, 15, 3, stride=2), nn.ReLU(),
                         nn.Conv1d(15, 15, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(60, 10))


@pytest.mark.row("S0-T08", "S0-81")
def test_parameters_of_convolutional_layers():
    base = nn.Sequential(nn.Conv1d(1, 25, 5, stride=2, padding=1), nn.Conv1d(25, 25, 3, stride=2, padding=1),
                         nn.Conv1d(25, 25, 3, stride=2, padding=1), nn.Flatten(), nn.Linear(125, 10))
    assert base.count_params() == 5210 and book_network().count_params() == 2050
    for c, o, k in ((3, 64, 3), (5, 7, 4)):
        assert nn.Conv1d(c, o, k).count_params() == o * (c * k + 1)
        assert nn.Conv2d(c, o, k).count_params() == o * (c * k * k + 1)
    assert nn.Conv2d(3, 64, 3).count_params() == 1792
    inputs = 224 * 224 * 3  # a fully connected layer of as many outputs: 22 658 678 784 weights
    assert inputs == 150_528 and inputs**2 == 22_658_678_784
    assert nn.Linear(147, 147, bias=False).count_params() == (7 * 7 * 3) ** 2


@pytest.mark.row("S0-T09")
def test_receptive_field_is_what_an_output_depends_on():
    net = book_network()
    assert nn.receptive_field(net) == 15
    for layers, field in (([nn.Conv1d(1, 1, 3, stride=2)] * 3, 15), ([nn.Conv1d(1, 1, 4, dilation=3)] * 2, 19),
                          ([nn.Conv1d(1, 1, 2, stride=3), nn.Conv1d(1, 1, 3, dilation=2, stride=2)], 14)):
        assert nn.receptive_field(layers) == field
        assert nn.receptive_field([(m.kernel_size, m.stride, m.dilation) for m in layers]) == field
        x = tn.ones((1, 1, 60), dtype=tn.float64, requires_grad=True)
        out = x
        for layer in layers:
            layer.weight.data[...] = 1.0
            out = F.conv1d(out, layer.weight.astype("float64"), stride=layer.stride, dilation=layer.dilation)
        out[0, 0, 1].backward()
        seen = np.flatnonzero(np.asarray(x.grad.tolist())[0, 0])
        assert seen[-1] - seen[0] + 1 == field
    assert nn.receptive_field([((3, 5), 2), ((3, 3), (1, 2))]) == (7, 9)
    assert nn.receptive_field([(2,)]) == 2
    with pytest.raises(ValueError, match="none of them has a kernel"):
        nn.receptive_field(nn.Linear(2, 3))
    with pytest.raises(ValueError, match="kernels over one number of axes"):
        nn.receptive_field([((3, 3),), ((2, 2, 2),)])
    with pytest.raises(ValueError, match="ConvTranspose1d spreads its input"):
        nn.receptive_field(nn.ConvTranspose1d(1, 1, 3))


@pytest.mark.row("S0-T10")
def test_output_sizes():
    def chain(n, *layers):
        sizes, x = [], tn.zeros((1, 1, n))
        for k, s, p in layers:
            x = nn.Conv1d(1, 1, k, stride=s, padding=p)(x)
            sizes.append(x.shape[-1])
            n = nn.conv_output_size(n, k, s, p)
            assert n == x.shape[-1]
        return sizes
    assert chain(40, (5, 2, 1), (3, 2, 1), (3, 2, 1)) == [19, 10, 5]
    assert chain(40, (3, 2, 0), (3, 2, 0), (3, 2, 0)) == [19, 9, 4]
    assert nn.conv_output_size((10, 11), (3, 4), stride=(1, 2), dilation=2) == (6, 3)
    with pytest.raises(ValueError, match="reaches beyond size=4"):
        nn.conv_output_size(4, 3, dilation=2)


@pytest.mark.row("S0-T01")
def test_a_convolution_commutes_with_shifts():
    x = tn.tensor(normal(2, 3, 12))
    shift = lambda t: tn.roll(t, 2, axis=-1)
    circular = nn.Conv1d(3, 4, 5, padding="same", padding_mode="circular").double()
    assert nn.equivariance_error(circular, shift, x) < 1e-12
    zero = nn.Conv1d(3, 4, 5, padding="same").double()
    assert nn.equivariance_error(zero, shift, x) > 1e-2
    inside = lambda t: zero(t)[..., 4:-4]
    assert nn.equivariance_error(inside, shift, x, lambda y: shift(zero(x))[..., 4:-4]) < 1e-12
    pooled = lambda t: circular(t).mean(axis=-1)
    assert nn.equivariance_error(pooled, shift, x, lambda y: y) < 1e-12  # invariant
    with pytest.raises(ValueError, match="has shape"):
        nn.equivariance_error(pooled, shift, x, lambda y: y[0])


@pytest.mark.row("S0-T14")
def test_a_kernel_of_one_element_is_a_linear_layer_at_every_place():
    layer, linear = nn.Conv2d(5, 3, 1).double(), nn.Linear(5, 3).double()
    linear.load_state_dict({"weight": layer.weight.reshape(3, 5), "bias": layer.bias})
    x = tn.tensor(normal(2, 5, 4, 6))
    close(layer(x), np.moveaxis(np.asarray(linear(tn.moveaxis(x, 1, -1)).tolist()), -1, 1))


@pytest.mark.same_on_strict
@pytest.mark.parametrize(("call", "text"), [
    (lambda F: F.unfold(tn.zeros((1, 2, 8, 8)), 9), r"unfold: input: the kernel reaches over 9 x 9 elements, but the "
                                                    r"padded input has only 8 x 8"),
    (lambda F: F.fold(tn.zeros((1, 8, 5)), (4, 4), 2), r"fold: input: expected 3 x 3 = 9 columns .*shape \(1, 8, 5\)"),
    (lambda F: F.fold(tn.zeros((1, 4, 1)), (1, 4), 2), "fold: output_size: the kernel reaches over 2 x 2"),
    (lambda F: F.binary_cross_entropy_with_logits(tn.zeros((2, 3)), tn.zeros((2, 3)), pos_weight=tn.ones(4)),
     r"pos_weight: expected a shape that broadcasts to \(2, 3\), got \(4,\)")])
def test_messages_name_the_argument_of_the_user(call, text):
    with pytest.raises(ValueError, match=text):
        call(tn.nn.functional)
