"""What the notes say of width, noise, batches and augmentation: their figures 2.4 to 2.9, on this engine."""
import inspect

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.data import augment, mnist1d
from tinygrad_notes.nn import functional as F

pytestmark = pytest.mark.same_on_strict


def perceptron(*widths, dropout=0.0):
    """Linear layers with ReLUs between them, of He's initialization."""
    layers = []
    for m, n in zip(widths, widths[1:]):
        layers += [nn.Linear(m, n), nn.ReLU(), nn.Dropout(dropout)]
        nn.init.kaiming_normal_(layers[-3].weight, nonlinearity="relu")
        nn.init.zeros_(layers[-3].bias)
    return nn.Sequential(*layers[:-2])


def wrong(model, x, y):
    """The percentage of examples that are classed wrongly."""
    with tn.no_grad():
        return 100 * float((model(x).numpy().argmax(-1) != y.numpy()).mean())


def descend(model, optimizer, x, y, size, epochs, schedule=None):
    """Epochs of shuffled batches of a size."""
    for epoch in range(epochs):
        for rows in tn.data.minibatches(len(x), size, epoch):
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
        if schedule is not None:
            schedule.step()


# Basis functions: figure 8.9 of the book -----------------------------------------------------------------------
def truth(x):
    return np.exp(np.sin(2 * np.pi * x))


def relu_basis(x, hidden):
    """1 and hidden ReLUs that begin at k / hidden, as columns."""
    x = tn.tensor(x)[:, None]
    return tn.concat([tn.ones_like(x), tn.relu(x - tn.arange(hidden) / hidden)], axis=1)


@pytest.mark.row("S0-52")
def test_bias_falls_and_variance_grows_with_the_number_of_hidden_units():
    """100 data sets of 15 points, one in each fifteenth of [0, 1)."""
    published = {1: (.3079, .0136), 3: (.0609, .0245), 5: (.0109, .0399), 7: (.0026, .0547), 12: (.0041, .2081)}
    grid = np.linspace(0, 1, 100)
    for hidden, (bias, variance) in published.items():
        rng, fits = np.random.RandomState(1), []
        for _ in range(100):
            x = (np.arange(15) + rng.uniform(size=15)) / 15
            y = truth(x) + 0.3 * rng.standard_normal(15)
            weights = tn.linalg.lstsq(relu_basis(x, hidden), tn.tensor(y)[:, None])[0]
            fits.append((relu_basis(grid, hidden) @ weights).numpy()[:, 0])
        found = ((np.mean(fits, 0) - truth(grid)) ** 2).mean(), np.var(fits, 0).mean()
        assert found == (pytest.approx(bias, rel=0.1, abs=variance / 50), pytest.approx(variance, rel=0.25)), hidden


# Width and label noise: figures 2.4 and 2.5 --------------------------------------------------------------------
@pytest.mark.row("S0-53")
def test_the_data_are_drawn_from_ten_templates_of_twelve_points():
    """Not compressed digits: the first 12 of 40 numbers are no pixels. 5,000 by default; 16,000 is a variant."""
    assert mnist1d.templates().shape == (10, 12)
    assert inspect.signature(mnist1d.make).parameters["n"].default == 5000
    train, test = mnist1d.make(100)
    assert train.tensors[0].shape == (80, 40) and len(test) == 20


@pytest.fixture(scope="module")
def many():
    (x, y), (x_test, y_test) = (part.tensors for part in mnist1d.make(16000, split=0.25))
    return x, y, x_test, y_test


def descended(k, x, y, epochs=500):
    """40-k-k-10 with PyTorch's initialization after 500 epochs of batches of 100, rate 0.01, momentum 0.9."""
    model = nn.Sequential(nn.Linear(40, k), nn.ReLU(), nn.Linear(k, k), nn.ReLU(), nn.Linear(k, 10))
    optimizer = tn.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    descend(model, optimizer, x, y, 100, epochs)
    return model


@pytest.mark.slow
@pytest.mark.row("S0-54")
def test_without_label_noise_the_error_falls_with_the_width(many):
    x, y, x_test, y_test = many
    published = {16: 44.55, 61: 41.24, 300: 37.25}
    models = {k: descended(k, x, y) for k in published}
    for k, percent in published.items():
        assert wrong(models[k], x_test, y_test) == pytest.approx(percent, abs=2.5)
    assert wrong(models[16], x, y) > 1 and wrong(models[61], x, y) == wrong(models[300], x, y) == 0


@pytest.mark.slow
@pytest.mark.row("S0-55")
def test_with_label_noise_the_error_peaks_where_training_ends_at_zero(many):
    x, y, x_test, y_test = many
    noisy = tn.data.label_noise(y, 0.135, 10, generator=0)  # 15% drawn anew, of which a tenth stay what they were
    published = {16: 47.24, 47: 54.05, 300: 45.47}
    models = {k: descended(k, x, noisy) for k in published}
    errors = {k: wrong(models[k], x_test, y_test) for k in published}
    for k, percent in published.items():
        assert errors[k] == pytest.approx(percent, abs=2.5)
    assert errors[47] > errors[16] + 2 and errors[47] > errors[300] + 5
    assert wrong(models[16], x, noisy) > 20 and wrong(models[300], x, noisy) == 0


# Augmentation ----------------------------------------------------------------------------------------------------
@pytest.mark.row("S0-61")
def test_augmentation_label_noise_and_label_smoothing_are_three_things(rng):
    """Moved images keep their labels; noise draws labels anew; smoothing changes the target of each by the same."""
    labels = tn.tensor(rng.integers(0, 10, 20_000))
    redrawn = np.where(rng.uniform(size=20_000) < 0.15, rng.integers(0, 10, 20_000), labels.numpy())
    share = (redrawn != labels.numpy()).mean()
    assert share == pytest.approx(0.135, abs=4 * (0.135 * 0.865 / 20_000) ** 0.5)
    noisy = tn.data.label_noise(labels, 0.135, 10, generator=0)
    assert float((noisy != labels).astype("float64").mean()) == 0.135
    counts = np.bincount(((noisy - labels) % 10).numpy(), minlength=10)[1:]  # which of the other nine: all alike
    assert np.abs(counts - 300).max() < 4 * (2700 * (1 / 9) * (8 / 9)) ** 0.5
    images = tn.tensor(rng.standard_normal((3, 1, 4, 4)))
    assert augment.RandomFlip(1.0)(images).numpy().tolist() == images.numpy()[..., ::-1].tolist()
    logits, y = rng.standard_normal((3, 10)), labels.numpy()[:3]
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = -0.9 * log_p[range(3), y] - 0.1 * log_p.mean(1)
    smoothed = F.cross_entropy(tn.tensor(logits), tn.tensor(y), label_smoothing=0.1, reduction="none")
    np.testing.assert_allclose(smoothed.numpy(), expected, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.row("S0-61")
def test_rolled_and_scaled_copies_lower_the_test_error(rng):
    """40-200-200-10 with and without 4,000 more examples, rolled by any number of places and scaled by U[0.8, 1.2].

    The book has an error of 33% without, and the notes want 3 points less with them. Of four seeds it was 3.2 less
    here, from 2.1 to 4.0; the mean of two is held to 2.
    """
    (x, y), (x_test, y_test) = (part.tensors for part in mnist1d.make())
    plain, augmented = [], []
    for seed in range(2):
        turned = np.stack([np.roll(row, k) for row, k in zip(x.numpy(), rng.integers(0, 40, len(x)))])
        more = tn.tensor((turned * rng.uniform(0.8, 1.2, (len(x), 1))).astype("float32"))
        for errors, inputs, labels in ((plain, x, y), (augmented, tn.concat([x, more]), tn.concat([y, y]))):
            tn.manual_seed(seed)
            model = perceptron(40, 200, 200, 10)
            optimizer = tn.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
            descend(model, optimizer, inputs, labels, 100, 50, tn.optim.lr_scheduler.StepLR(optimizer, 10, 0.5))
            errors.append(wrong(model, x_test, y_test))
    assert np.mean(plain) == pytest.approx(33, abs=3) and np.mean(plain) - np.mean(augmented) > 2


# Batches: figure 2.7 ----------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.row("S0-71")
def test_mini_batches_generalize_better_than_all_data_at_once():
    """2,000 updates of rate 0.1 each, in batches of 100 or of all 4,000: a mean over 5 seeds.

    The notes say 41.4% and 42.5%. They also have a width of 20, where 5 seeds show no difference.
    """
    (x, y), (x_test, y_test) = (part.tensors for part in mnist1d.make())
    errors = []
    for size in (100, len(x)):
        found = []
        for seed in range(5):
            tn.manual_seed(seed)
            model = perceptron(40, 40, 40, 10)
            descend(model, tn.optim.SGD(model.parameters(), lr=0.1), x, y, size, 2000 * size // len(x))
            found.append(wrong(model, x_test, y_test))
        errors.append(np.mean(found))
    assert errors == pytest.approx([41.4, 42.5], abs=2.5)
    assert errors[0] < errors[1]


# A network that overfits: figures 2.8 and 2.9 ---------------------------------------------------------------------
STEPS = (1, 50, 200, 500, 1750)


def well(seeds, dropout):
    """Mean test and training errors of 1-200-200-1 after some steps of Adam on 20 points of a double well."""
    grid = tn.linspace(-1.5, 1.5, 200)[:, None]
    clean = 2 * (grid * grid - 1) ** 2
    test, train = dict.fromkeys(STEPS, 0.0), dict.fromkeys(STEPS, 0.0)
    for seed in range(seeds):
        tn.manual_seed(seed)
        x, y = tn.data.double_well(generator=seed)
        model = perceptron(1, 200, 200, 1, dropout=dropout)
        optimizer = tn.optim.Adam(model.parameters(), lr=3e-3)
        for step in range(1, STEPS[-1] + 1):
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
            if step in STEPS:
                model.eval()
                with tn.no_grad():
                    test[step] += float(F.mse_loss(model(grid), clean)) / seeds
                    train[step] += float(F.mse_loss(model(x), y)) / seeds
                model.train()
    return test, train


@pytest.mark.slow
@pytest.mark.row("S0-74")
def test_a_large_network_overfits_when_it_is_trained_for_long():
    """The notes have test errors of 5.54, 0.906, 0.645, 0.890 and 2.97, and 5.94 to 0.236 in training, of 4 seeds.

    Twenty points are few: data sets differ by more than that. Of these four the last error is 1.7 times the least.
    """
    test, train = well(4, 0.0)
    best = min(test, key=test.get)
    assert best in (50, 200, 500) and test[1750] > 1.5 * test[best]
    assert train[1] > 3 * train[1750] and list(train.values()) == sorted(train.values(), reverse=True)


@pytest.mark.slow
@pytest.mark.row("S0-78")
def test_dropout_keeps_it_from_overfitting():
    """The notes have 0.968, 0.619 and 0.667 after 50, 500 and 1,750 steps, and 0.772 in training, of 4 seeds."""
    test, train = well(4, 0.5)
    assert test[1750] < 1.5 * min(test.values())
    assert test[1750] == pytest.approx(0.667, abs=0.5) and train[1750] == pytest.approx(0.772, abs=0.5)
