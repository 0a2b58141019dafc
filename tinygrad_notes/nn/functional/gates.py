"""Gated activations: one half of the input decides what passes of the other."""
from ... import ops
from ...autograd import as_tensor

__all__ = ["geglu", "glu", "reglu", "swiglu"]


def _halves(name, input, dim):
    input = as_tensor(input)
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(f"{name}: dim {dim} is out of range for a tensor with {input.ndim} axes")
    n = input.shape[dim]
    if n % 2:
        raise ValueError(f"{name}: expected an even size along axis {dim}, got shape {input.shape}")
    before = (slice(None),) * (dim % input.ndim)
    return input[(*before, slice(0, n // 2))], input[(*before, slice(n // 2, n))]


def glu(input, dim=-1):
    """One half of the input, let through by the other.

    Formula: out = a s(b), a and b the two halves along `dim`, s the logistic function.

    Args:
        input: floating, of even size along `dim`.
        dim: the axis to halve.

    Returns:
        A Tensor of half the size along `dim`.

    Raises:
        ValueError: the size along `dim` is odd.
        IndexError: there is no such axis.

    Source: Dauphin et al. 2017, "Language modeling with gated convolutional networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.glu(tn.tensor([2.0, 4.0, 0.0, 0.0]))
        tensor([1., 2.])
    """
    a, b = _halves("glu", input, dim)
    return a * ops.sigmoid(b)


def swiglu(input, dim=-1):
    """One half of the input, times the SiLU of the other.

    Formula: out = a b s(b), s the logistic function, a and b the two halves along `dim`.

    Args:
        input: floating, of even size along `dim`.
        dim: the axis to halve.

    Returns:
        A Tensor of half the size along `dim`.

    Raises:
        ValueError: the size along `dim` is odd.
        IndexError: there is no such axis.

    Source: Shazeer 2020, "GLU variants improve transformer".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.swiglu(tn.tensor([2.0, 1.0]))
        tensor([1.4621])
    """
    a, b = _halves("swiglu", input, dim)
    return a * ops.silu(b)


def geglu(input, dim=-1):
    """One half of the input, times the GELU of the other.

    Formula: out = a b Phi(b), Phi the normal distribution function, a and b the two halves along `dim`.

    Args:
        input: floating, of even size along `dim`.
        dim: the axis to halve.

    Returns:
        A Tensor of half the size along `dim`.

    Raises:
        ValueError: the size along `dim` is odd.
        IndexError: there is no such axis.

    Source: Shazeer 2020, "GLU variants improve transformer".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.geglu(tn.tensor([2.0, 1.0]))
        tensor([1.6827])
    """
    a, b = _halves("geglu", input, dim)
    return a * ops.gelu(b)


def reglu(input, dim=-1):
    """One half of the input, times the positive part of the other.

    Formula: out = a max(0, b), a and b the two halves along `dim`.

    Args:
        input: floating, of even size along `dim`.
        dim: the axis to halve.

    Returns:
        A Tensor of half the size along `dim`.

    Raises:
        ValueError: the size along `dim` is odd.
        IndexError: there is no such axis.

    Source: Shazeer 2020, "GLU variants improve transformer".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.reglu(tn.tensor([2.0, 1.0]))
        tensor([2.])
    """
    a, b = _halves("reglu", input, dim)
    return a * ops.relu(b)
