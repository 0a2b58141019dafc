"""Initial values of parameters, written in place; each function says the standard deviation that results.

A weight has shape (fan_out, fan_in, *receptive field), as in Linear and the convolutions:
fan_in = shape[1] * prod(shape[2:]) inputs reach one output, fan_out = shape[0] * prod(shape[2:]) outputs
see one input, fan_avg is their mean. Numbers are drawn in float64 on the host, so a seed gives the same
values in every dtype and on every device.
"""
from .common import MODES as MODES
from .common import calculate_gain, fans
from .network import lsuv_
from .plain import constant_, normal_, ones_, trunc_normal_, uniform_, zeros_
from .scaled import (
    glorot_normal_,
    glorot_uniform_,
    he_normal_,
    he_uniform_,
    kaiming_normal_,
    kaiming_uniform_,
    lecun_normal_,
    lecun_uniform_,
    xavier_normal_,
    xavier_uniform_,
)
from .structured import delta_orthogonal_, dirac_, eye_, orthogonal_, sparse_

__all__ = [
    "calculate_gain", "constant_", "delta_orthogonal_", "dirac_", "eye_", "fans", "glorot_normal_", "glorot_uniform_",
    "he_normal_", "he_uniform_", "kaiming_normal_", "kaiming_uniform_", "lecun_normal_", "lecun_uniform_", "lsuv_",
    "normal_", "ones_", "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_",
    "zeros_",
]
