"""Rows of discrete Fourier transforms. The oracle is the sum of the definition, as a matrix."""
import numpy as np

from tests.ops.table import Row, normal


def resized(x, n, axis):
    """Cut, or padded with zeros, at the end of an axis."""
    x = np.moveaxis(x, axis, -1)[..., :n]
    return np.moveaxis(np.concatenate([x, np.zeros((*x.shape[:-1], n - x.shape[-1]))], axis=-1), -1, axis)


def dft(x, n=None, axis=-1, sign=-1, scale=1.0):
    n = x.shape[axis] if n is None else n
    k = np.arange(n)
    matrix = np.exp(sign * 2j * np.pi * np.outer(k, k) / n) * scale
    return np.moveaxis(np.moveaxis(resized(x, n, axis), axis, -1) @ matrix, -1, axis)


def inverse(x, n=None, axis=-1):
    n = x.shape[axis] if n is None else n
    return dft(x, n, axis, 1, 1 / n)


def half(x, axis=-1):
    return np.take(x, range(x.shape[axis] // 2 + 1), axis)


def mirrored(x, n):
    """The redundant half of the spectrum of n real numbers, put back along the last axis."""
    x = resized(x, n // 2 + 1, -1).astype(complex)
    x[..., 0] = x[..., 0].real
    if n % 2 == 0:
        x[..., -1] = x[..., -1].real
    return np.concatenate([x, np.conj(x[..., 1:n - n // 2][..., ::-1])], axis=-1)


def signal(*shape):
    return lambda rng: (rng.standard_normal(shape) + 1j * rng.standard_normal(shape),)


def of(name, inputs, oracle, label="", **options):
    return Row(f"fft.{name}", inputs, oracle, label=label, order=0, tolerance=1e-11,
               call=lambda tn, x: getattr(tn.fft, name)(x, **options))


ROWS = [
    of("fft", normal((2, 5)), dft),
    of("fft", signal(4, 3), lambda x: dft(x, 6, 0), "complex, n, axis", n=6, axis=0),
    of("fft", signal(5), lambda x: dft(x, scale=5 ** -0.5), "ortho", norm="ortho"),
    of("fft", signal(5), lambda x: dft(x, 3, scale=1 / 3), "forward, cut", n=3, norm="forward"),
    of("ifft", signal(2, 6), inverse),
    of("rfft", normal((2, 5)), lambda x: half(dft(x))),
    of("rfft", normal((6, 2)), lambda x: half(dft(x, 4, 0), 0), "n, axis", n=4, axis=0),
    of("irfft", signal(2, 4), lambda x: inverse(mirrored(x, 6)).real),
    of("irfft", signal(2, 4), lambda x: inverse(mirrored(x, 7)).real, "odd", n=7),
    of("hfft", signal(2, 4), lambda x: dft(mirrored(x, 6)).real),
    of("hfft", signal(2, 4), lambda x: dft(mirrored(x, 5)).real, "odd", n=5),
    of("ihfft", normal((2, 5)), lambda x: half(inverse(x))),
    of("fftn", signal(2, 3, 4), lambda x: dft(dft(dft(x, axis=0), axis=1))),
    of("fftn", normal((2, 3, 4)), lambda x: dft(dft(x, 5, 0), 2, 1), "s, axes", s=(5, 2), axes=(0, 1)),
    of("fftn", normal((2, 3, 4)), lambda x: dft(dft(x, 5, 1), 2, 2), "s", s=(5, 2)),
    of("ifftn", signal(3, 4), lambda x: inverse(inverse(x, axis=0))),
    of("rfftn", normal((3, 4)), lambda x: dft(half(dft(x)), axis=0)),
    of("irfftn", signal(3, 4), lambda x: inverse(mirrored(inverse(x, axis=0), 6)).real),
    of("fft2", normal((2, 3, 4)), lambda x: dft(dft(x, axis=1))),
    of("ifft2", signal(2, 3, 4), lambda x: inverse(inverse(x, axis=1))),
    of("rfft2", normal((2, 3, 4)), lambda x: dft(half(dft(x)), axis=1)),
    of("irfft2", signal(2, 3, 4), lambda x: inverse(mirrored(inverse(x, axis=1), 6)).real),
    Row("fft.fftshift", normal((4, 5)), lambda x: x[[2, 3, 0, 1]][:, [3, 4, 0, 1, 2]]),
    Row("fft.fftshift", normal((4, 5)), lambda x: x[:, [3, 4, 0, 1, 2]], label="axis",
        call=lambda tn, x: tn.fft.fftshift(x, axes=1)),
    Row("fft.ifftshift", normal((4, 5)), lambda x: x[[2, 3, 0, 1]][:, [2, 3, 4, 0, 1]]),
]
