"""Residual networks: names and sizes of torchvision, gradients, and why the sums are there."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import BasicBlock, Bottleneck, ResidualMLP, ResNet, resnet18, resnet50, resnet101


def test_sizes_and_names_are_those_of_torchvision():
    model = resnet50()
    state = model.state_dict()
    assert model.count_params() == 25557032
    assert len(state) == 320
    for name, shape in {"conv1.weight": (64, 3, 7, 7), "bn1.running_var": (64,),
                        "layer1.0.conv2.weight": (64, 64, 3, 3),
                        "layer1.0.downsample.0.weight": (256, 64, 1, 1), "layer2.0.downsample.1.bias": (512,),
                        "layer3.5.conv3.weight": (1024, 256, 1, 1), "layer4.2.bn3.num_batches_tracked": (),
                        "fc.weight": (1000, 2048), "fc.bias": (1000,)}.items():
        assert state[name].shape == shape, name
    assert resnet101(2, width=4, in_channels=1).layer3[22].conv1.weight.shape == (16, 64, 1, 1)
    assert "layer1.0.downsample.0.weight" not in resnet18(2, width=4).state_dict()


@pytest.mark.parametrize(("block", "layers", "small"), [
    (BasicBlock, (1, 1), True), (Bottleneck, (1,), True), (BasicBlock, (1,), False)])
def test_gradients(rng, block, layers, small):
    model = ResNet(block, layers, 3, in_channels=1, width=2, small=small, dtype=tn.float64)
    x, y = tn.tensor(rng.normal(size=(3, 1, 8, 8))), tn.tensor([0, 2, 1])
    assert tn.testing.check_module(model, lambda: model.loss(x, y)["loss"], directions=1, elements=0)


def test_a_block_whose_branch_is_silent_passes_its_input_on(rng):
    block = BasicBlock(3, 3)
    tn.nn.init.zeros_(block.bn2.weight)
    x = tn.tensor(rng.uniform(size=(2, 3, 5, 5)).astype(np.float32))
    np.testing.assert_array_equal(block(x).numpy(), x.numpy())


def test_it_learns_which_half_is_bright(rng):
    y = rng.integers(0, 2, 64)
    x = rng.normal(size=(64, 64)).astype(np.float32)
    x.reshape(64, 8, 8)[np.arange(64), :, :4] += (2 * y - 1)[:, None, None]
    model = ResNet(BasicBlock, (1, 1), 2, in_channels=1, width=4, small=True, shape=(1, 8, 8))
    optimizer = tn.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(30):
        optimizer.zero_grad()
        model.loss(x, y)["loss"].backward()
        optimizer.step()
    assert model.accuracy(x, y) > 0.95


@pytest.mark.row("S0-T18")
@pytest.mark.parametrize(("norm", "expected"), [
    (False, [1.00, 2.01, 3.94, 8.01, 15.5, 30.2]), (True, [1.00, 2.00, 2.96, 4.00, 4.97, 5.98])])
def test_sums_double_the_variance_or_add_one_to_it(norm, expected):
    model = ResidualMLP(1, 1, 1000, 5, norm=norm)
    with tn.no_grad():
        found = [float(tn.ops.var(h)) for h in model.states(tn.randn(300, 1000))]
    np.testing.assert_allclose(found, expected, rtol=0.06)
    np.testing.assert_allclose(found, np.arange(1, 7) if norm else 2.0 ** np.arange(6), rtol=0.06)


def plain(depth, rng, width=200):
    """A perceptron of this depth drawn as in UDL notebook 11.1: normal weights of variance 1 / width."""
    def normal(*shape):
        return tn.tensor(rng.normal(size=shape) / np.sqrt(width))
    weights, offsets = [None] * (depth + 1), [None] * (depth + 1)
    weights[0], weights[-1] = normal(width, 1), normal(1, width)
    offsets[0], offsets[-1] = normal(width, 1), normal(1, 1)
    for k in range(1, depth):
        weights[k], offsets[k] = normal(width, width), normal(width, 1)

    def net(x):
        h = x
        for k in range(depth):
            h = tn.relu(weights[k] @ h + offsets[k])
        return weights[-1] @ h + offsets[-1]
    return net


def slopes(net, x):
    x = tn.tensor(x, requires_grad=True)
    y = net(x)
    y.sum().backward()
    return y.numpy().ravel(), x.grad.numpy().ravel()


@pytest.mark.row("S0-T17")
def test_gradients_of_deep_networks_shatter():
    y, slope = slopes(plain(3, np.random.RandomState(1)), np.ones((1, 1)))
    assert y[0] == pytest.approx(-0.01887372, abs=5e-9) and slope[0] == pytest.approx(0.01324996, abs=5e-9)
    x = np.arange(-2, 2, 4 / 256)[None]  # one input in 256 places
    for depth, spread in ((1, 1.93e-2), (24, 8.2e-6), (50, 9.6e-10)):
        assert slopes(plain(depth, np.random.RandomState(1)), x)[1].std() == pytest.approx(spread, rel=5e-3)


@pytest.mark.row("S0-T17")
def test_sums_keep_neighbouring_gradients_alike():
    """Correlation of slopes 1/8 apart, mean of 5 nets: near 1 in a shallow one, lost in a deep one, kept by sums."""
    x = tn.linspace(-2, 2, 256, dtype="float64")[:, None]

    def correlation(blocks, residual, seed):
        tn.manual_seed(seed)
        model = ResidualMLP(1, 1, 100, blocks, norm=False, residual=residual, dtype="float64")
        p = tn.tensor(x, requires_grad=True)
        model(p).sum().backward()
        slope = p.grad.numpy().ravel()
        return np.corrcoef(slope[8:], slope[:-8])[0, 1]
    shallow, deep, summed = (np.mean([correlation(blocks, residual, seed) for seed in range(5)])
                             for blocks, residual in ((1, False), (24, False), (24, True)))
    assert shallow > 0.8 > 0.4 > deep and summed > deep + 0.1


@pytest.mark.parametrize("norm", [True, False])
def test_gradients_of_the_perceptron_with_sums(rng, norm):
    model = ResidualMLP(4, 3, 5, 2, norm=norm, dtype=tn.float64)
    x, y = tn.tensor(rng.normal(size=(6, 4))), tn.tensor(rng.integers(0, 3, 6))
    assert tn.testing.check_module(model, lambda: model.loss(x, y)["loss"], directions=1, elements=0)


def test_errors():
    with pytest.raises(ValueError, match="layers: expected at least one block in each stage"):
        ResNet(BasicBlock, (2, 0))
    with pytest.raises(ValueError, match="blocks: expected at least 1, got 0"):
        ResidualMLP(3, 2, blocks=0)
