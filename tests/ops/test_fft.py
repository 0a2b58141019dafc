"""Discrete Fourier transforms beyond the table: dtypes, round trips, frequencies, errors."""
import numpy as np
import pytest

import tinygrad_notes as tn


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_round_trips(norm, n, rng):
    x = tn.Tensor(rng.standard_normal((3, n)))
    np.testing.assert_allclose(tn.fft.irfft(tn.fft.rfft(x, norm=norm), n=n, norm=norm).numpy(), x.numpy(), atol=1e-12)
    np.testing.assert_allclose(tn.fft.hfft(tn.fft.ihfft(x, norm=norm), n=n, norm=norm).numpy(), x.numpy(), atol=1e-12)
    z = tn.Tensor(rng.standard_normal((3, n)) + 1j * rng.standard_normal((3, n)))
    np.testing.assert_allclose(tn.fft.ifftn(tn.fft.fftn(z, norm=norm), norm=norm).numpy(), z.numpy(), atol=1e-12)
    for axes in (None, 0, (-1,)):
        np.testing.assert_array_equal(tn.fft.ifftshift(tn.fft.fftshift(x, axes=axes), axes=axes).numpy(), x.numpy())


def test_precision_is_kept():
    for dtype, wide in (("float32", "complex64"), ("float64", "complex128"), ("int64", "complex64")):
        x = tn.ones((4,), dtype=dtype)
        assert tn.fft.fft(x).dtype == tn.fft.rfftn(x).dtype == wide
    assert tn.fft.irfft(tn.ones(3, dtype="complex64")).dtype == "float32"
    assert tn.fft.fftfreq(4).dtype == "float32"
    assert tn.fft.rfftfreq(4, dtype="float64").dtype == "float64"


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies_are_where_a_wave_peaks(n):
    """exp(2 pi i f t) sampled every d has its whole spectrum at frequency f."""
    d = 0.5
    f = tn.fft.fftfreq(n, d=d, dtype="float64").numpy()
    t = d * np.arange(n)
    for i in range(n):
        spectrum = tn.fft.fft(tn.Tensor(np.exp(2j * np.pi * f[i] * t))).numpy()
        np.testing.assert_allclose(spectrum, n * np.eye(n)[i], atol=1e-12)
    np.testing.assert_allclose(tn.fft.rfftfreq(n, d=d, dtype="float64").numpy(), abs(f[:n // 2 + 1]))



@pytest.mark.parametrize(("call", "kind", "match"), [
    (lambda: tn.fft.fft(tn.tensor(1.0)), ValueError, r"fft: x: expected at least one axis, got shape \(\)"),
    (lambda: tn.fft.fft(tn.ones(3), norm="half"), ValueError, "fft: norm: expected .* got 'half'"),
    (lambda: tn.fft.fft(tn.ones(3), axis=1), IndexError, "fft: axis 1 is out of range"),
    (lambda: tn.fft.fft(tn.ones(3), n=0), ValueError, "fft: n: expected at least one point, got 0"),
    (lambda: tn.fft.irfft(tn.ones(1)), ValueError, "irfft: n: expected at least one point, got 0"),
    (lambda: tn.fft.rfft(tn.ones(3, dtype="complex64")), TypeError, "rfft: x: expected real numbers, got complex64"),
    (lambda: tn.fft.fftn(tn.ones((3, 3)), s=(2,), axes=(0, 1)), ValueError, "fftn: expected one size for each"),
    (lambda: tn.fft.fftn(tn.ones((3, 3)), axes=(0, 0)), ValueError, "for each of distinct axes"),
    (lambda: tn.fft.fft2(tn.ones(3)), IndexError, r"fftn: axes \(-2, -1\) for a tensor with 1 axes"),
    (lambda: tn.fft.irfftn(tn.ones((3, 1))), ValueError, "irfftn: s: expected at least one point"),
    (lambda: tn.fft.fftfreq(0), ValueError, "fftfreq: n: expected an int of at least 1, got 0"),
    (lambda: tn.fft.fftfreq(3, dtype="int64"), TypeError, "fftfreq: dtype: expected a floating dtype"),
    (lambda: tn.fft.fftshift(tn.ones(3), axes=2), IndexError, r"fftshift: axes \(2,\) for a tensor with 1 axes"),
])
def test_errors_say_what_was_expected(call, kind, match):
    with pytest.raises(kind, match=match):
        call()
