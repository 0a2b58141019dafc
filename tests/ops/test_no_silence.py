"""Where a gradient does not exist, the backward pass says so; it is never dropped in silence."""
import pytest

import tinygrad_notes as tn


@pytest.mark.parametrize("function", [
    lambda x: tn.abs(tn.fft.fft(x)), lambda x: tn.real(tn.fft.rfft(x)), lambda x: tn.fft.irfft(tn.fft.rfft(x)),
    lambda x: tn.abs(tn.linalg.eigvals(x)), lambda x: tn.abs(tn.linalg.eig(x)[0]), lambda x: tn.abs(x * 1j),
    lambda x: tn.real(tn.astype(x, "complex64"))])
def test_complex_numbers_on_the_way(function):
    x = tn.tensor([[2.0, 1.0], [0.5, 3.0]], requires_grad=True)
    y = function(x)
    assert y.requires_grad
    with pytest.raises(NotImplementedError, match="no gradient|gradient of"):
        y.sum().backward()
    assert x.grad is None


def test_numpys_fft_of_a_tracked_tensor_is_tracked():
    import numpy as np
    y = np.fft.rfft(tn.tensor([1.0, 2.0], requires_grad=True))
    assert isinstance(y, tn.Tensor)
    assert y.requires_grad
