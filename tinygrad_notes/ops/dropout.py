"""The random masks of dropout: zero, or one over the chance to stay."""
import math

import numpy as np

from ..autograd import Tensor
from .random import drawn

__all__ = []


def keep_mask(shape, p, dtype, device, generator=None):
    """A Tensor of 0 with probability `p`, else 1 / (1 - p); of zeros for p = 1.

    Each element costs 32 random bits, so that the probability is right to 2^-32.
    """
    if p >= 1:
        return Tensor.wrap(device.xp.zeros(shape, dtype=dtype))
    return Tensor.wrap(drawn("dropout", generator, device, _mask, shape, p, dtype))


def _mask(stream, shape, p, dtype):
    n = math.prod(shape)
    bits = stream.bit_generator.random_raw((n + 1) // 2).view(np.uint32)[:n].reshape(shape)
    keep = bits >= np.uint32(min(round(p * 2**32), 2**32 - 1))
    return np.multiply(keep, dtype.type(1 / (1 - p)), dtype=dtype)


def drawn_seed(name, device, generator=None):
    """A Tensor () from which a stream of its own begins, so that its random numbers can be drawn again."""
    return Tensor.wrap(drawn(name, generator, device, _seed))


def _seed(stream):
    return np.asarray(stream.bit_generator.random_raw())
