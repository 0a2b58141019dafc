"""Weights with a structure: identities, orthogonal and sparse matrices."""
import math

from ...backend import as_device
from .common import host_of, number, write


def eye_(tensor):
    """Fill a matrix with the identity: ones on its diagonal.

    Formula: x_ij = 1 if i = j else 0.

    Args:
        tensor: (M, N).

    Returns:
        The tensor.

    Raises:
        ValueError: it does not have two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.eye_(tn.zeros((2, 2)))
        tensor([[1., 0.],
                [0., 1.]])
    """
    if len(tensor.shape) != 2:
        raise ValueError(f"eye_: expected two axes, got shape {tensor.shape}")
    return write(tensor, as_device("cpu").xp.eye(*tensor.shape), "eye_")


def dirac_(tensor, groups=1):
    """Fill a convolution's weight so that it passes its input channels on unchanged.

    Formula: x[i, i mod (C_out / groups), centre] = 1, else 0; only as many channels as there are inputs.

    Args:
        tensor: (C_out, C_in / groups, *kernel), three to five axes.
        groups: number of groups of the convolution; divides C_out.

    Returns:
        The tensor.

    Raises:
        ValueError: another number of axes, or `groups` does not divide C_out.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.dirac_(tn.zeros((1, 1, 3)))
        tensor([[[0., 1., 0.]]])
    """
    shape = tensor.shape
    if not 3 <= len(shape) <= 5:
        raise ValueError(f"dirac_: expected three to five axes (C_out, C_in, *kernel), got shape {shape}")
    if not isinstance(groups, int) or groups < 1 or shape[0] % groups:
        raise ValueError(f"groups: expected a divisor of C_out = {shape[0]}, got {groups!r}")
    values = as_device("cpu").xp.zeros(shape)
    per_group = shape[0] // groups
    centre = tuple(n // 2 for n in shape[2:])
    for g in range(groups):
        for k in range(min(per_group, shape[1])):
            values[(g * per_group + k, k, *centre)] = 1
    return write(tensor, values, "dirac_")


def orthogonal_(tensor, gain=1.0, generator=None):
    """Fill with a random matrix whose rows (or columns, if there are fewer) are orthonormal.

    Formula: x = gain * Q with Q from the QR decomposition of a normal matrix, uniform among such matrices;
        std = gain / sqrt(max(M, N)) for the shape (M, N).

    Args:
        tensor: floating, at least two axes; all but the first count as one.
        gain: factor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes.

    Source: Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.orthogonal_(tn.zeros((2, 2), dtype=tn.float64))
        >>> bool((abs(w @ w.T - tn.eye(2)) < 1e-12).all())
        True
    """
    gain = number("gain", gain)
    shape = tensor.shape
    if len(shape) < 2:
        raise ValueError(f"orthogonal_: expected at least two axes, got shape {shape}")
    rows, columns = shape[0], math.prod(shape[1:])
    if not rows or not columns:
        return tensor
    return write(tensor, (_orthonormal(rows, columns, generator) * gain).reshape(shape), "orthogonal_")


def _orthonormal(rows, columns, generator):
    """A matrix with orthonormal rows or columns, uniform among such matrices, on the host."""
    xp = as_device("cpu").xp
    normal = host_of(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = xp.linalg.qr(normal)
    q = q * xp.sign(xp.linalg.diagonal(r))  # without the signs, Q would not be uniform
    return q if rows >= columns else q.T


def delta_orthogonal_(tensor, gain=1.0, generator=None):
    """Fill the kernel of a convolution with an orthogonal matrix at its center and zeros around it.

    Formula: x[:, :, center] = gain * Q, 0 elsewhere, Q as in `orthogonal_`. Of a convolution of stride 1 with circular
        padding and at least as many outputs as inputs, the output has gain times the norm of the input.

    Args:
        tensor: floating, (out channels, in channels, ...), the other axes of odd size.
        gain: factor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than three axes, or an even size of the kernel, which has no center.

    Source: Xiao et al. 2018, "Dynamical isometry and a mean field theory of CNNs", algorithm 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.delta_orthogonal_(tn.zeros((4, 2, 3)))
        >>> w[:, :, 0].abs().sum(), round((w[:, :, 1] ** 2).sum().item(), 5)
        (tensor(0.), 2.0)
    """
    gain = number("gain", gain)
    shape = tensor.shape
    if len(shape) < 3 or not all(n % 2 for n in shape[2:]):
        raise ValueError("delta_orthogonal_: expected (out, in, ...) with at least one further axis, all of odd size, "
                         f"got shape {shape}")
    values = as_device("cpu").xp.zeros(shape)
    if shape[0] and shape[1]:
        values[(..., *(n // 2 for n in shape[2:]))] = gain * _orthonormal(shape[0], shape[1], generator)
    return write(tensor, values, "delta_orthogonal_")


def sparse_(tensor, sparsity, std=0.01, generator=None):
    """Fill a matrix with normal numbers, of which a fraction in each column is zero.

    Formula: ceil(sparsity * M) zeros in each column, the rest ~ N(0, std^2);
        std of all is std * sqrt(1 - zeros / M).

    Args:
        tensor: floating (M, N).
        sparsity: fraction of zeros, in [0, 1].
        std: standard deviation of the others, >= 0.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: not two axes, or a number is out of range.

    Source: Martens 2010, "Deep learning via Hessian-free optimization", section 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.sparse_(tn.zeros((4, 2)), 0.5)
        >>> (w == 0).sum(axis=0)
        tensor([2, 2])
    """
    if len(tensor.shape) != 2:
        raise ValueError(f"sparse_: expected two axes, got shape {tensor.shape}")
    std = number("std", std, 0)
    if not 0 <= number("sparsity", sparsity) <= 1:
        raise ValueError(f"sparsity: expected a fraction in [0, 1], got {sparsity!r}")
    host = host_of(generator)
    values = host.standard_normal(tensor.shape) * std
    rows = tensor.shape[0]
    zeros = math.ceil(sparsity * rows)
    order = host.random(tensor.shape).argsort(axis=0)
    values[order < zeros] = 0
    return write(tensor, values, "sparse_")
