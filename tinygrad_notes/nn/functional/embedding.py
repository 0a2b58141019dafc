"""Rows of a table by index, alone or in bags, and indices as rows of a table.

    V rows of the table   D their length   B bags   E indices
"""
from ... import ops
from ...autograd import Tensor, as_tensor, no_grad
from ...ops.losses import check_labels, holds

__all__ = ["embedding", "embedding_bag", "one_hot"]


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
    return _read("embedding", input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)


def _read(name, input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq):
    weight = as_tensor(weight)
    input = as_tensor(input, like=weight)
    if input.dtype.kind not in "iu":
        raise TypeError(f"{name}: input: expected integer indices, got {input.dtype}")
    if weight.ndim != 2:
        raise ValueError(f"{name}: weight: expected shape (V, D), got {weight.shape}")
    check_labels(name, input.data, weight.shape[0], argument="input", of="rows: expected indices")
    if max_norm is not None:
        _renormalize(weight, input, float(max_norm), float(norm_type))
    rows = ops.take(weight, input, axis=0)
    if padding_idx is not None:
        padding = (input == row_of(padding_idx, weight.shape[0])).reshape(*input.shape, 1)
        rows = ops.where(padding, rows.detach(), rows)
    if scale_grad_by_freq and rows.requires_grad:
        times = ops.bincount(input.reshape(-1), minlength=weight.shape[0])
        share = 1 / ops.take(times, input, axis=0).astype(weight.dtype)
        rows = rows.detach() + (rows - rows.detach()) * share.reshape(*input.shape, 1)
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
    """Scale the rows that are read down to a norm, in the table itself."""
    with no_grad():
        places = input.reshape(-1)
        rows = ops.take(weight.detach(), places, axis=0)
        norms = ops.norm(rows, p, axis=1, keepdims=True)
        short = ops.where(norms > limit, rows * (limit / (norms + 1e-7)), rows)
        weight.data = ops.index_put(weight.detach(), places, short).data


def embedding_bag(input, weight, offsets=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, mode="mean",
                  sparse=False, per_sample_weights=None, include_last_offset=False, padding_idx=None):
    """The sum, mean or maximum of rows of a matrix, over bags of indices.

    Formula: out[b] = sum_{e in bag b} s_e W[input[e]]; 'mean': divided by the size of the bag; 'max': the maximum of
        each column. A bag without indices gives 0.

    Args:
        input: indices in [0, V), integer: (B, E), each row a bag; or (E,), all bags one after the other.
        weight: floating, (V, D).
        offsets: where each bag of an `input` (E,) begins, (B,), integers from 0 on that do not fall.
        max_norm: rows of larger norm are scaled down to it, in `weight` itself, before they are read.
        norm_type: which norm, for `max_norm`.
        scale_grad_by_freq: divide the gradient of each row by how often it is read here; not for 'max'.
        mode: 'sum', 'mean' or 'max'.
        sparse: must be False: gradients are dense.
        per_sample_weights: s, floating, of the shape of `input`; only for 'sum'.
        include_last_offset: `offsets` is (B + 1,): its last element is where the last bag ends.
        padding_idx: an index that is left out of its bag, in the mean's divisor too.

    Returns:
        A Tensor (B, D).

    Raises:
        ValueError: shapes do not fit, offsets are none, an index or the mode is out of range, or the options do not go
            together.
        TypeError: indices or offsets are not integers.

    Example:
        >>> import tinygrad_notes as tn
        >>> table = tn.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
        >>> tn.nn.functional.embedding_bag(tn.tensor([0, 1, 2]), table, tn.tensor([0, 2]), mode="sum")
        tensor([[4., 6.],
                [5., 6.]])
    """
    check_bags(mode, sparse, scale_grad_by_freq)
    weight = as_tensor(weight)
    input = as_tensor(input, like=weight)
    if per_sample_weights is not None:
        if mode != "sum":
            raise ValueError(f"embedding_bag: per_sample_weights: only for mode 'sum', got mode {mode!r}")
        per_sample_weights = as_tensor(per_sample_weights, like=weight)
        if per_sample_weights.shape != input.shape:
            raise ValueError(f"embedding_bag: per_sample_weights: expected shape {input.shape}, that of the input, got "
                             f"{per_sample_weights.shape}")
    bags, owner = _bags(input, offsets, include_last_offset)
    rows = _read("embedding_bag", input.reshape(-1), weight, None, max_norm, norm_type, scale_grad_by_freq)
    if padding_idx is not None:
        owner = ops.where(input.reshape(-1) == row_of(padding_idx, weight.shape[0]), bags, owner)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1, 1)
    # One bag more than there are takes what belongs to none.
    if mode == "max":
        return ops.segment_max(rows, owner, bags + 1, empty=0.0)[:bags]
    return (ops.segment_sum if mode == "sum" else ops.segment_mean)(rows, owner, bags + 1)[:bags]


def check_bags(mode, sparse, scale_grad_by_freq):
    """Raise ValueError for a mode that does not exist, or options that do not go together."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: mode: expected 'sum', 'mean' or 'max', got {mode!r}")
    if sparse:
        raise ValueError("embedding_bag: sparse gradients are not supported, leave sparse=False")
    if scale_grad_by_freq and mode == "max":
        raise ValueError("embedding_bag: scale_grad_by_freq: not for mode 'max'")


def _bags(input, offsets, include_last):
    """How many bags there are, and for each index the bag it is in; the number of bags for none."""
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(f"embedding_bag: offsets: the rows of an input of shape {input.shape} are the bags, "
                             "leave them out")
        n, size = input.shape
        return n, (ops.arange(n * size, device=input.device) // max(size, 1))
    if input.ndim != 1 or offsets is None:
        raise ValueError("embedding_bag: expected input (B, E), or input (E,) and offsets (B,), got input of shape "
                         f"{input.shape}" + ("" if offsets is None else f" and offsets of shape {offsets.shape}"))
    offsets = as_tensor(offsets, like=input)
    if offsets.dtype.kind not in "iu":
        raise TypeError(f"embedding_bag: offsets: expected integers, got {offsets.dtype}")
    if offsets.ndim != 1 or offsets.size < include_last:
        raise ValueError(f"embedding_bag: offsets: expected shape (B,), got {offsets.shape}")
    n, places = offsets.size - bool(include_last), ops.arange(input.size, device=input.device)
    if offsets.size and not (holds(offsets.data[:1] == 0) and holds(offsets.data[1:] >= offsets.data[:-1])
                             and holds(offsets.data[-1:] <= int(input.size))):
        raise ValueError(f"embedding_bag: offsets: expected integers that rise from 0 to at most {input.size}, the "
                         f"number of indices, got {offsets.numpy().tolist()[:8]}")
    return n, ops.searchsorted(offsets, places, side="right") - 1 if n else places * 0


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
