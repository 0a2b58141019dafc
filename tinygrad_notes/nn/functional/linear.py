"""Affine and bilinear maps."""
from ... import ops
from ...autograd import as_tensor

__all__ = ["bilinear", "linear"]


def linear(input, weight, bias=None):
    """The affine map of the last axis.

    Formula: out = x W^T + b.

    Args:
        input: floating, (..., in).
        weight: floating, (out, in).
        bias: floating, (out,), or None.

    Returns:
        A Tensor (..., out).

    Raises:
        ValueError: the shapes do not fit.

    Source: the notes, equation 1.14.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.linear(tn.tensor([1.0, 2.0]), tn.tensor([[3.0, 4.0]]))
        tensor([11.])
    """
    return ops.linear(input, weight, bias)


def bilinear(input1, input2, weight, bias=None):
    """A map linear in each of two inputs.

    Formula: out_k = sum_ij x1_i W_kij x2_j + b_k.

    Args:
        input1: floating, (..., in1).
        input2: floating, (..., in2).
        weight: floating, (out, in1, in2).
        bias: floating, (out,), or None.

    Returns:
        A Tensor (..., out).

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> one, two = tn.tensor([[1.0, 2.0]]), tn.tensor([[3.0, 4.0]])
        >>> tn.nn.functional.bilinear(one, two, tn.ones((1, 2, 2)))
        tensor([[21.]])
    """
    input1, input2, weight = as_tensor(input1), as_tensor(input2), as_tensor(weight)
    if input1.shape[:-1] != input2.shape[:-1]:
        raise ValueError(f"bilinear: the leading axes must be equal, got shapes {input1.shape} and {input2.shape}")
    if weight.ndim != 3 or (input1.shape[-1:], input2.shape[-1:]) != (weight.shape[1:2], weight.shape[2:]):
        raise ValueError(f"bilinear: weight: expected shape (out, in1, in2) for inputs of shapes {input1.shape} and "
                         f"{input2.shape}, got {weight.shape}")
    lead, (out, first, second) = input1.shape[:-1], weight.shape
    x1, x2 = input1.reshape(-1, first), input2.reshape(-1, second)
    turned = ops.permute_dims(weight, (1, 0, 2)).reshape(first, out * second)  # (out, in1, in2) -> (in1, out*in2)
    half = (x1 @ turned).reshape(-1, out, second)  # (N, out, in2)
    y = ops.sum(half * x2.reshape(-1, 1, second), axis=-1).reshape(*lead, out)
    return y if bias is None else y + bias
