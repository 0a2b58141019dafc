"""Small convolutional networks: their sizes, their gradients, and that they read what perceptrons do not."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.models.shapes import drawn_shapes
from tinygrad_notes.data import DataLoader, TensorDataset
from tinygrad_notes.models import LeNet, MLPClassifier, SignalConvNet

UDL_10_5 = {"shape": (1, 28, 28), "channels": (10, 20), "hidden": 50, "kernel_size": 5, "padding": 0, "dropout": 0.5,
            "norm": False}


def fit(model, x, y, epochs, batch=50, lr=3e-3):
    loader = DataLoader(TensorDataset(tn.tensor(x), tn.tensor(y)), batch, shuffle=True, generator=0)
    tn.train.fit(model, loader, tn.optim.Adam(model.parameters(), lr=lr), epochs)
    return model


@pytest.mark.row("S0-T16")
def test_the_small_network_for_images_has_the_sizes_of_the_book():
    model = LeNet(classes=10, **UDL_10_5)
    assert model.count_params() == 21840
    sizes = []
    for layer in model.features:
        layer.register_forward_hook(lambda m, _, out: sizes.append(out.shape))
    model(tn.zeros((2, 1, 28, 28)))
    seen = [(type(layer).__name__, s[1:]) for layer, s in zip(model.features, sizes)]
    assert [s for name, s in seen if name in ("Conv2d", "MaxPool2d")] == [
        (10, 24, 24), (10, 12, 12), (20, 8, 8), (20, 4, 4)]
    assert model.head[1].in_features == 320


@pytest.mark.row("S0-T16")
@pytest.mark.same_on_strict
def test_it_reads_drawn_shapes(rng):
    x, y = drawn_shapes(rng, 700)
    model = fit(LeNet(classes=4, **UDL_10_5), x[:500], y[:500], 9, 20)
    assert model.accuracy(tn.tensor(x[500:]), y[500:]) > 0.95


@pytest.mark.row("S0-T15")
def test_networks_for_signals_have_the_published_sizes():
    assert SignalConvNet().count_params() == 5210
    assert SignalConvNet(40, 10, (15, 15, 15), (3, 3, 3), 2, 0).count_params() == 2050
    assert SignalConvNet(40, 10, (15, 15, 15), (3, 3, 3), 2, 0).head[2].in_features == 15 * 4


@pytest.mark.row("S0-T15")
@pytest.mark.same_on_strict
def test_a_convolution_reads_signals_that_a_perceptron_does_not():
    (x, y), (unseen, truth) = (part.tensors for part in tn.data.mnist1d.make())
    nets = [SignalConvNet(), MLPClassifier(40, 10, (100, 100))]
    right = [fit(net, x, y, 3, 50, 1e-2).accuracy(unseen, truth) for net in nets]
    assert right[0] > 0.62 > right[1] and right[0] > right[1] + 0.1


@pytest.mark.parametrize("model", [
    LeNet((1, 8, 8), 3, (2, 3), 5, dtype=tn.float64),
    LeNet((2, 12, 12), 3, (2, 3), 4, 3, 0, norm=False, dtype=tn.float64),
    SignalConvNet(20, 3, (3, 2), (5, 3), norm=True, dtype=tn.float64),
    SignalConvNet(16, 3, (4,), (3,), in_channels=2, dtype=tn.float64),
], ids=["lenet", "lenet-plain", "signal-norm", "signal"])
@pytest.mark.parametrize("training", [True, False])
def test_gradients(rng, model, training):
    model.train(training)
    x, y = tn.tensor(rng.normal(size=(4, *model.shape))), tn.tensor(rng.integers(0, 3, 4))

    def loss():
        tn.manual_seed(0)  # the same units are dropped each time
        return model.loss(x, y)["loss"]
    assert tn.testing.check_module(model, loss, directions=1, elements=0)


def test_images_may_come_as_rows():
    model = LeNet((1, 8, 8), 3, (2, 3), 5).eval()
    x = tn.randn(4, 64)
    np.testing.assert_array_equal(model(x).numpy(), model(x.reshape((4, 1, 8, 8))).numpy())
    with pytest.raises(ValueError, match=r"x: expected \(N, 1, 8, 8\) or rows \(N, 64\), got \(4, 63\)"):
        model(tn.zeros((4, 63)))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: LeNet((1, 3, 3)), r"shape: images \(1, 3, 3\) are too small"),
    (lambda: LeNet((1, 10, 10), kernel_size=5, padding=0), "too small"),
    (lambda: SignalConvNet(40, 10, (5, 5)), r"kernel_sizes: expected one for each of the channels \(5, 5\)"),
    (lambda: SignalConvNet(3, padding=0), "nothing is left of a signal of 3 places"),
])
def test_what_cannot_be_built_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
