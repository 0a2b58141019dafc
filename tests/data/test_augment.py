"""Images moved, turned, mirrored and cut: what must be the same image, what must be another, and the gradient."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import augment, digits

RNG = np.random.default_rng(0)
SQUARE = RNG.standard_normal((2, 3, 6, 6))
WIDE = RNG.standard_normal((2, 3, 4, 7))


def close(found, expected, tolerance=1e-12):
    np.testing.assert_allclose(found.numpy(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.row("S0-T02")
def test_transformations_that_change_nothing():
    for images in (SQUARE, WIDE):
        x = tn.tensor(images)
        turned = x
        for _ in range(4):
            turned = tn.rot90(turned, axes=(-2, -1))
        close(turned, images)
        close(augment.horizontal_flip(augment.horizontal_flip(x)), images)
        close(augment.vertical_flip(augment.vertical_flip(x)), images)
        close(augment.affine(x), images)
        close(augment.crop(x, 0, 0, *images.shape[-2:]), images)
    turned = tn.tensor(SQUARE)
    for _ in range(4):
        turned = augment.rotate(turned, 90)
    close(turned, SQUARE)


@pytest.mark.row("S0-T02")
def test_transformations_against_numpy():
    x = tn.tensor(SQUARE)
    for k in (1, 2, 3):
        close(augment.rotate(x, 90 * k), np.rot90(SQUARE, k, axes=(-2, -1)))
    moved = np.zeros_like(WIDE)
    moved[..., 1:, :-2] = WIDE[..., :-1, 2:]
    close(augment.translate(tn.tensor(WIDE), -2, 1), moved)
    close(augment.translate(x[0, 0], 0.5, 0)[:, 1:], (SQUARE[0, 0, :, 1:] + SQUARE[0, 0, :, :-1]) / 2)
    close(augment.rescale(x, 3)[..., 1::3, 1::3], SQUARE[..., 2:4, 2:4])  # a pixel becomes 3 x 3 pixels
    odd = RNG.standard_normal((1, 1, 5, 5))
    rows = np.zeros_like(odd)
    for i, shift in enumerate((2, 1, 0, -1, -2)):
        for j in range(5):
            if 0 <= j - shift < 5:
                rows[..., i, j] = odd[..., i, j - shift]
    close(augment.shear(tn.tensor(odd), 45), rows)
    close(augment.center_crop(tn.tensor(WIDE), (2, 3)), WIDE[..., 1:3, 2:5])


def test_a_turn_undoes_itself_in_the_middle_of_a_smooth_image():
    i, j = np.mgrid[:40, :40] / 8
    image = tn.tensor(np.sin(i) * np.cos(j))
    back = augment.rotate(augment.rotate(image, 30, "bicubic"), -30, "bicubic")
    close(augment.center_crop(back, 20), image.numpy()[10:30, 10:30], 1e-2)


def test_one_number_per_image_and_gradients():
    x = tn.tensor(SQUARE[:, :1])
    angles, factors = tn.tensor(np.array([20.0, -50.0])), tn.tensor(np.array([0.8, 1.3]))
    both = augment.affine(x, angles, (0.3, -0.2), factors, 10.0)
    for n in range(2):
        one = augment.affine(x[n], angles[n], (0.3, -0.2), factors[n], 10.0)
        close(one, both[n].numpy())
    function = lambda x, a, s: augment.affine(x, a, (0.3, -0.2), s, 10.0)
    assert tn.gradcheck(function, [x[:, :, :3, :3], angles, factors], fast_mode=True, elements=2)


@pytest.mark.row("S0-62")
def test_draws_follow_the_seed_and_stay_within_limits():
    x = tn.tensor(RNG.standard_normal((64, 1, 8, 8)))
    for make in (
        lambda seed: augment.RandomAffine(20, 0.1, 0.2, 5, generator=seed),
        lambda seed: augment.RandomFlip(generator=seed),
        lambda seed: augment.RandomCrop(6, padding=1, generator=seed),
    ):
        one, same, other = (make(seed)(x).numpy() for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, same)
        assert (one != other).any() and np.isfinite(one).all()
    flipped = augment.RandomFlip(generator=0)(x).numpy()
    share = np.mean([(f == i[..., ::-1]).all() for f, i in zip(flipped, x.numpy())])
    assert 0.3 < share < 0.7
    assert all((f == i).all() or (f == i[..., ::-1]).all() for f, i in zip(flipped, x.numpy()))
    ramp = np.tile(np.arange(100.0).reshape(1, 1, 10, 10), (300, 1, 1, 1))
    corners = augment.RandomCrop(7, generator=0)(tn.tensor(ramp)).numpy()
    first = corners[:, 0, 0, 0]
    assert {int(v) for v in first} == {10 * i + j for i in range(4) for j in range(4)}
    np.testing.assert_array_equal(corners - first[:, None, None, None], np.tile(ramp[:1, :, :7, :7], (300, 1, 1, 1)))


@pytest.mark.row("S0-82")
def test_neighbouring_pixels_are_alike_and_a_small_shift_keeps_the_class():
    """What makes images different from other vectors: near pixels correlate, and moving one keeps what it shows."""
    train, _ = digits.load()
    images, labels = train[:]
    x = images.numpy().reshape(-1, 1, 8, 8)
    flat = x.reshape(len(x), 64)
    used = flat.std(0) > 0.1 * flat.std()
    correlation = np.corrcoef(flat[:, used].T)
    places = np.argwhere(used.reshape(8, 8))
    distance = np.abs(places[:, None] - places[None]).sum(-1)
    near, far = correlation[distance == 1].mean(), np.abs(correlation[distance >= 5]).mean()
    assert near > 0.3 and near > 2 * far
    half = len(x) // 2
    means = np.stack([x[:half][labels.numpy()[:half] == k].mean(0) for k in range(10)])

    def right(images):
        nearest = ((images[:, None] - means[None]) ** 2).sum((2, 3, 4)).argmin(1)
        return (nearest == labels.numpy()[half:]).mean()

    plain = right(x[half:])
    turned = right(augment.rotate(tn.tensor(x[half:]), 10).numpy())
    mixed = right(RNG.permuted(x[half:].reshape(-1, 64), axis=1).reshape(-1, 1, 8, 8))
    assert plain > 0.8 and turned > plain - 0.1 and mixed < 0.3


def test_what_raises():
    x = tn.tensor(SQUARE)
    for call, message in [
        (lambda: augment.affine(tn.ones(3)), "expected \\(N, C, H, W\\), \\(C, H, W\\) or \\(H, W\\)"),
        (lambda: augment.rotate(x, tn.ones(3)), r"angle: expected a number or shape \(2,\)"),
        (lambda: augment.crop(x, 4, 0, 3, 3), "no part of an image"),
        (lambda: augment.crop(x, -1, 0, 3, 3), "no part of an image"),
        (lambda: augment.center_crop(x, 7), "has no part of 7 x 7 pixels"),
        (lambda: augment.center_crop(x, 0), "size: expected an int >= 1"),
        (lambda: augment.RandomAffine(degrees=-1), "degrees: expected a finite number >= 0"),
        (lambda: augment.RandomFlip(2), "p: expected a number from 0 to 1"),
        (lambda: augment.RandomCrop(3, padding=-1), "padding: expected an int >= 0"),
        (lambda: augment.RandomCrop(9)(x), "have no part of 9 x 9 pixels"),
        (lambda: augment.RandomFlip()(x[0]), r"expected a batch \(N, C, H, W\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
