"""Affine and bilinear maps, and the look-up of vectors."""
from ... import ops
from ...autograd import Tensor, as_tensor, no_grad
from ...ops.losses import check_labels, holds

__all__ = ["bilinear", "embedding", "linear", "one_hot"]


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


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """The rows of a matrix at some indices.

    Formula: out[...] = W[input[...]].

    Args:
        input: indices in [0, V), integer, any shape.
        weight: floating, (V, D).
        padding_idx: an index whose row gets no gradient.
        max_norm: rows of larger norm are scaled down to it, in `weight` itself, before they are read.
        norm_type: which norm, for `max_norm`.
        scale_grad_by_freq: divide the gradient of each row by how often it is read here.
        sparse: must be False: gradients are dense.

    Returns:
        A Tensor (..., D).

    Raises:
        ValueError: an index is out of range, or `sparse` is asked for.
        TypeError: indices are not integers.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.embedding(tn.tensor([1, 1]), tn.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([[3., 4.],
                [3., 4.]])
    """
    if sparse:
        raise ValueError("embedding: sparse gradients are not supported, leave sparse=False")
    weight = as_tensor(weight)
    input = as_tensor(input, like=weight)
    if input.dtype.kind not in "iu":
        raise TypeError(f"embedding: input: expected integer indices, got {input.dtype}")
    if weight.ndim != 2:
        raise ValueError(f"embedding: weight: expected shape (V, D), got {weight.shape}")
    check_labels("embedding", input.data, weight.shape[0], argument="input", of="rows: expected indices")
    if max_norm is not None:
        _renormalize(weight, input, float(max_norm), float(norm_type))
    rows = ops.take(weight, input, axis=0)
    if padding_idx is not None:
        padding = (input == row_of(padding_idx, weight.shape[0])).reshape(*input.shape, 1)
        rows = ops.where(padding, rows.detach(), rows)
    if scale_grad_by_freq and rows.requires_grad:
        counts = ops.sum((input.reshape(-1, 1) == input.reshape(1, -1)).astype(weight.dtype), axis=1)
        share = (1 / counts).reshape(*input.shape, 1)
        rows = rows.detach() + (rows - rows.detach()) * share
    return rows


def row_of(padding_idx, count):
    """`padding_idx` counted from 0.

    Raises:
        ValueError: it is out of range.
    """
    if not -count <= padding_idx < count:
        raise ValueError(f"padding_idx: expected an index in [{-count}, {count}), got {padding_idx}")
    return padding_idx % count


def _renormalize(weight, input, limit, p):
    with no_grad():
        table = weight.detach()
        norms = ops.pow(ops.sum(ops.pow(ops.abs(table), p), axis=1, keepdims=True), 1 / p)
        used = ops.any(input.reshape(-1, 1) == ops.arange(weight.shape[0], device=weight.device).reshape(1, -1), axis=0)
        long = (norms > limit) & used.reshape(-1, 1)
        weight.data = ops.where(long, table * (limit / (norms + 1e-7)), table).data


def one_hot(input, num_classes=-1):
    """Class indices as rows with a single 1.

    Formula: out[..., c] = 1 if input[...] = c else 0.

    Args:
        input: indices >= 0, integer, any shape.
        num_classes: C; -1: the largest index plus one.

    Returns:
        An int64 Tensor (..., C).

    Raises:
        ValueError: an index is outside [0, C).
        TypeError: indices are not integers.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.one_hot(tn.tensor([0, 2]))
        tensor([[1, 0, 0],
                [0, 0, 1]])
    """
    input = as_tensor(input)
    if input.dtype.kind not in "iu":
        raise TypeError(f"one_hot: input: expected integer indices, got {input.dtype}")
    if num_classes == -1:
        if not input.size:
            raise ValueError("one_hot: num_classes cannot be read off an empty input, give it")
        num_classes = int(ops.max(input)) + 1
    if input.size and not holds(input.data >= 0):
        raise ValueError(f"one_hot: input: expected indices >= 0, got {int(ops.min(input))}")
    check_labels("one_hot", input.data, num_classes, argument="input")
    classes = Tensor.wrap(input.device.xp.arange(num_classes))
    return (input.reshape(*input.shape, 1) == classes).astype("int64")
