"""Pooling to a size that is given: even windows, windows at random places, and max pooling undone.

    N batch   C channels   L, D, H, W sizes of the input   L', D', H', W' of the result
"""
from ...autograd import as_tensor
from ...ops import pooling as windows
from ...ops import rand, zeros
from ...ops import resample as resampling
from ...ops.losses import comparable, holds
from .common import per_axis
from .pooling import planes

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices", "fractional_max_pool3d", "fractional_max_pool3d_with_indices",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
]


# Even windows ---------------------------------------------------------------------------------
def _counts(name, input, axes, output_size):
    """How many windows along each axis; None keeps the size."""
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    given = given * axes if len(given) == 1 else given
    if len(given) != axes:
        raise ValueError(f"{name}: output_size: expected an int or {axes} of them, got {output_size!r}")
    kept = [n if m is None else m for n, m in zip(input.shape[-axes:], given)]
    return per_axis(f"{name}: output_size", kept, axes)


def _nothing(input, counts):
    """A result without elements that hangs on the input all the same."""
    return input[..., :0].sum() + zeros(input.shape[:input.ndim - len(counts)] + counts, dtype=input.dtype,
                                        device=input.device)


def _adaptive_avg(name, axes, input, output_size):
    input = planes(name, input, axes)
    counts = _counts(name, input, axes, output_size)
    if 0 in counts:
        return _nothing(input, counts)
    sizes = input.shape[-axes:]
    if all(n % m == 0 for n, m in zip(sizes, counts)):
        return windows.average(input, windows.sharing(sizes, counts))
    return resampling.area(input, counts)


def _adaptive_max(name, axes, input, output_size, return_indices):
    input = planes(name, input, axes)
    counts = _counts(name, input, axes, output_size)
    if 0 in counts:
        out = _nothing(input, counts)
        return (out, out.detach().astype("int64")) if return_indices else out
    return windows.largest(input, windows.sharing(input.shape[-axes:], counts), return_indices)


def adaptive_avg_pool1d(input, output_size):
    """The means of `output_size` windows that share out a sequence.

    Formula: out[c, i] = mean of x[c, floor(i L / L') : ceil((i + 1) L / L')].

    Args:
        input: real, (N, C, L) or (C, L).
        output_size: L' >= 0; None: L.

    Returns:
        A Tensor (N, C, L').

    Raises:
        ValueError: the input has other axes, or `output_size` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.adaptive_avg_pool1d(tn.tensor([[1.0, 2.0, 6.0]]), 2)
        tensor([[1.5000, 4.0000]])
    """
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input, output_size):
    """The means of windows that share out an image; of all of it for `output_size=1` (global average pooling).

    Formula: along each axis as `adaptive_avg_pool1d`.

    Args:
        input: real, (N, C, H, W) or (C, H, W).
        output_size: (H', W') >= 0, or an int for both; None for an axis that keeps its size.

    Returns:
        A Tensor (N, C, H', W').

    Raises:
        ValueError: the input has other axes, or a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.adaptive_avg_pool2d(tn.tensor([[[1.0, 3.0], [6.0, 2.0]]]), 1)
        tensor([[[3.]]])
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input, output_size):
    """The means of windows that share out a volume.

    Formula: along each axis as `adaptive_avg_pool1d`.

    Args:
        input: real, (N, C, D, H, W) or (C, D, H, W).
        output_size: (D', H', W') >= 0, or an int for all; None for an axis that keeps its size.

    Returns:
        A Tensor (N, C, D', H', W').

    Raises:
        ValueError: the input has other axes, or a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.adaptive_avg_pool3d(tn.ones((1, 2, 3, 4)), (1, None, 2)).shape
        (1, 1, 3, 2)
    """
    return _adaptive_avg("adaptive_avg_pool3d", 3, input, output_size)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The largest elements of `output_size` windows that share out a sequence.

    Formula: out[c, i] = max of x[c, floor(i L / L') : ceil((i + 1) L / L')].

    Args:
        input: real, (N, C, L) or (C, L).
        output_size: L' >= 0; None: L.
        return_indices: return the places of the largest elements too.

    Returns:
        A Tensor (N, C, L'); with `return_indices` a tuple of it and int64 places in [0, L).

    Raises:
        ValueError: the input has other axes, or `output_size` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.adaptive_max_pool1d(tn.tensor([[1.0, 2.0, 6.0]]), 2)
        tensor([[2., 6.]])
    """
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The largest elements of windows that share out an image.

    Formula: along each axis as `adaptive_max_pool1d`.

    Args:
        input: real, (N, C, H, W) or (C, H, W).
        output_size: (H', W') >= 0, or an int for both; None for an axis that keeps its size.
        return_indices: return the places of the largest elements too.

    Returns:
        A Tensor (N, C, H', W'); with `return_indices` a tuple of it and int64 places in the flattened image.

    Raises:
        ValueError: the input has other axes, or a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.adaptive_max_pool2d(tn.tensor([[[1.0, 3.0], [6.0, 2.0]]]), (1, None))
        tensor([[[6., 3.]]])
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """The largest elements of windows that share out a volume.

    Formula: along each axis as `adaptive_max_pool1d`.

    Args:
        input: real, (N, C, D, H, W) or (C, D, H, W).
        output_size: (D', H', W') >= 0, or an int for all; None for an axis that keeps its size.
        return_indices: return the places of the largest elements too.

    Returns:
        A Tensor (N, C, D', H', W'); with `return_indices` a tuple of it and int64 places in the flattened volume.

    Raises:
        ValueError: the input has other axes, or a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.adaptive_max_pool3d(tn.ones((1, 2, 3, 4)), 1).shape
        (1, 1, 1, 1)
    """
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    """`adaptive_max_pool1d` that always returns the places too.

    Args:
        input, output_size: as in `adaptive_max_pool1d`.
        return_indices: has no effect.

    Returns:
        A tuple: the largest elements and their places.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.adaptive_max_pool1d_with_indices(tn.tensor([[1.0, 4.0]]), 1)
        (tensor([[4.]]), tensor([[1]]))
    """
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, True)


def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    """`adaptive_max_pool2d` that always returns the places too.

    Args:
        input, output_size: as in `adaptive_max_pool2d`.
        return_indices: has no effect.

    Returns:
        A tuple: the largest elements and their places.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.adaptive_max_pool2d_with_indices(tn.tensor([[[1.0, 4.0], [2.0, 3.0]]]), 1)
        (tensor([[[4.]]]), tensor([[[1]]]))
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, True)


def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    """`adaptive_max_pool3d` that always returns the places too.

    Args:
        input, output_size: as in `adaptive_max_pool3d`.
        return_indices: has no effect.

    Returns:
        A tuple: the largest elements and their places.

    Example:
        >>> import tinygrad_notes as tn
        >>> out, places = tn.nn.functional.adaptive_max_pool3d_with_indices(tn.ones((1, 2, 2, 2)), 1)
        >>> places
        tensor([[[[0]]]])
    """
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, True)


# Windows at random places ------------------------------------------------------------------------
def _fractional(name, axes, input, kernel_size, output_size, output_ratio, samples, return_indices):
    input = planes(name, input, axes)
    kernel, sizes = per_axis(f"{name}: kernel_size", kernel_size, axes, 1), input.shape[-axes:]
    if (output_size is None) == (output_ratio is None):
        raise ValueError(f"{name}: expected either output_size or output_ratio, got {output_size!r} and "
                         f"{output_ratio!r}")
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * axes
        if len(ratios) != axes or not all(0 < r < 1 for r in ratios):
            raise ValueError(f"{name}: output_ratio: expected numbers between 0 and 1, one or {axes}, got "
                             f"{output_ratio!r}")
        output_size = [int(n * r) for n, r in zip(sizes, ratios)]
    counts = per_axis(f"{name}: output_size", output_size, axes, 1)
    if any(m + k - 1 > n for n, k, m in zip(sizes, kernel, counts)):
        raise ValueError(f"{name}: an input of size {sizes} has no {counts} windows of {kernel}: expected at most "
                         "size - kernel_size + 1 along each axis")
    lead = input.shape[:-axes]
    expected = (lead if len(lead) == 2 else (1, *lead)) + (axes,)
    if samples is None:
        samples = rand(expected, dtype=input.dtype if input.dtype.kind == "f" else None, device=input.device)
    samples = as_tensor(samples, like=input)
    if samples.shape != expected and (len(lead) == 2 or samples.ndim != 3 or samples.shape[1:] != expected[1:]):
        raise ValueError(f"{name}: _random_samples: expected shape {expected}, got {samples.shape}")
    samples = samples.detach().astype(input.dtype if input.dtype.kind == "f" else samples.dtype)
    samples = samples if len(lead) == 2 else samples[0]
    places = windows.fractional_places(input, samples, kernel=kernel, counts=counts)
    out = windows.pick(input, places, axes)
    return (out, places) if return_indices else out


def fractional_max_pool2d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """The largest elements of windows at random places, so that an image shrinks by any factor.

    Formula: along an axis of n elements window i of m starts at floor((i + u) a) - floor(u a) with
        a = (n - kernel_size) / (m - 1) and u ~ U(0, 1) drawn per plane; the last window ends the axis.

    Args:
        input: real, (N, C, H, W) or (C, H, W).
        kernel_size: rows and columns of a window, an int or a pair, >= 1.
        output_size: (H', W'), or an int for both.
        output_ratio: instead, H' / H and W' / W, each between 0 and 1.
        return_indices: return the places of the largest elements too.
        _random_samples: the u, (N, C, 2), columns first; by default drawn from the default generator.

    Returns:
        A Tensor (N, C, H', W'); with `return_indices` a tuple of it and int64 places in the flattened image.

    Raises:
        ValueError: not exactly one of size and ratio is given, or the image is too small.

    Source: Graham 2014, "Fractional max-pooling".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.fractional_max_pool2d(tn.ones((1, 7, 7)), 2, output_ratio=0.7).shape
        (1, 4, 4)
    """
    return _fractional("fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, _random_samples,
                       return_indices)


def fractional_max_pool3d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """The largest elements of windows at random places, so that a volume shrinks by any factor.

    Formula: along each axis as `fractional_max_pool2d`.

    Args:
        input: real, (N, C, D, H, W) or (C, D, H, W).
        kernel_size, output_size, output_ratio, return_indices: as in `fractional_max_pool2d`, for three axes.
        _random_samples: the u, (N, C, 3), in the order of the axes.

    Returns:
        A Tensor (N, C, D', H', W'); with `return_indices` a tuple of it and int64 places in the flattened volume.

    Raises:
        ValueError: not exactly one of size and ratio is given, or the volume is too small.

    Source: Graham 2014, "Fractional max-pooling".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.fractional_max_pool3d(tn.ones((1, 5, 5, 5)), 2, output_size=3).shape
        (1, 3, 3, 3)
    """
    return _fractional("fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, _random_samples,
                       return_indices)


def fractional_max_pool2d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                                       _random_samples=None):
    """`fractional_max_pool2d` that always returns the places too.

    Args:
        input, kernel_size, output_size, output_ratio, _random_samples: as in `fractional_max_pool2d`.
        return_indices: has no effect.

    Returns:
        A tuple: the largest elements and their places.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.fractional_max_pool2d_with_indices(tn.tensor([[[1.0, 4.0]]]), (1, 2), (1, 1))
        (tensor([[[4.]]]), tensor([[[1]]]))
    """
    return _fractional("fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, _random_samples, True)


def fractional_max_pool3d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                                       _random_samples=None):
    """`fractional_max_pool3d` that always returns the places too.

    Args:
        input, kernel_size, output_size, output_ratio, _random_samples: as in `fractional_max_pool3d`.
        return_indices: has no effect.

    Returns:
        A tuple: the largest elements and their places.

    Example:
        >>> import tinygrad_notes as tn
        >>> out, places = tn.nn.functional.fractional_max_pool3d_with_indices(tn.ones((1, 2, 2, 2)), 2, 1)
        >>> places
        tensor([[[[0]]]])
    """
    return _fractional("fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, _random_samples, True)


# Max pooling undone ---------------------------------------------------------------------------
def _unpool(name, axes, input, indices, kernel_size, stride, padding, output_size):
    input = planes(name, input, axes)
    indices = as_tensor(indices, like=input)
    if indices.shape != input.shape or indices.dtype.kind not in "iu":
        raise ValueError(f"{name}: indices: expected integers of the shape of input, {input.shape}, got "
                         f"{indices.dtype} of shape {indices.shape}")
    kernel = per_axis(f"{name}: kernel_size", kernel_size, axes, 1)
    steps = kernel if stride is None or stride in ((), []) else per_axis(f"{name}: stride", stride, axes, 1)
    border = per_axis(f"{name}: padding", padding, axes)
    sizes = [(n - 1) * s + k - 2 * p for n, k, s, p in zip(input.shape[-axes:], kernel, steps, border)]
    if output_size is not None:
        given = [output_size] if not isinstance(output_size, (tuple, list)) else list(output_size)
        given = given[2:] if len(given) == axes + 2 else given
        if len(given) != axes or not all(n - s < m < n + s for n, m, s in zip(sizes, given, steps)):
            raise ValueError(f"{name}: output_size: expected {axes} sizes that differ from {sizes} by less than the "
                             f"stride {steps}, got {output_size!r}")
        sizes = given
    sizes = per_axis(f"{name}: size of the result", sizes, axes)
    plane = 1
    for n in sizes:
        plane *= n
    places = comparable(indices.data, plane)
    if not holds((places >= 0) & (places < plane)):
        raise ValueError(f"{name}: indices: expected places in [0, {plane}), the flattened result of size {sizes}, got "
                         f"{int(indices.min())} to {int(indices.max())}")
    return windows.scattered(input, indices, sizes)


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The elements of `input` back where `max_pool1d` took them from, zero elsewhere.

    Formula: out[c, indices[c, t]] = x[c, t]. Of several elements for one place the last stays; each of them gets the
        gradient of that place, as in PyTorch.

    Args:
        input: real, (N, C, L) or (C, L).
        indices: integer places in [0, L'), of the shape of `input`.
        kernel_size, stride, padding: of the pooling.
        output_size: L', where several lengths are pooled to L; or a whole shape.

    Returns:
        A Tensor (N, C, L') with L' = (L - 1) stride - 2 padding + kernel_size unless `output_size` says otherwise.

    Raises:
        ValueError: an index is out of range, the shapes differ, or `output_size` does not belong to this pooling.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.max_unpool1d(tn.tensor([[4.0, 3.0]]), tn.tensor([[1, 2]]), 2)
        tensor([[0., 4., 3., 0.]])
    """
    return _unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The elements of `input` back where `max_pool2d` took them from, zero elsewhere.

    Formula: as `max_unpool1d`, with places in the flattened image.

    Args:
        input: real, (N, C, H, W) or (C, H, W).
        indices: integer places in [0, H' * W'), of the shape of `input`.
        kernel_size, stride, padding: of the pooling.
        output_size: (H', W'), where several sizes are pooled to (H, W); or a whole shape.

    Returns:
        A Tensor (N, C, H', W') with sizes as in `max_unpool1d`.

    Raises:
        ValueError: an index is out of range, the shapes differ, or `output_size` does not belong to this pooling.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.max_unpool2d(tn.tensor([[[6.0]]]), tn.tensor([[[2]]]), 2)
        tensor([[[0., 0.],
                 [6., 0.]]])
    """
    return _unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The elements of `input` back where `max_pool3d` took them from, zero elsewhere.

    Formula: as `max_unpool1d`, with places in the flattened volume.

    Args:
        input: real, (N, C, D, H, W) or (C, D, H, W).
        indices: integer places in [0, D' * H' * W'), of the shape of `input`.
        kernel_size, stride, padding: of the pooling.
        output_size: (D', H', W'), where several sizes are pooled to (D, H, W); or a whole shape.

    Returns:
        A Tensor (N, C, D', H', W') with sizes as in `max_unpool1d`.

    Raises:
        ValueError: an index is out of range, the shapes differ, or `output_size` does not belong to this pooling.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.max_unpool3d(tn.ones((1, 1, 1, 1)), tn.zeros((1, 1, 1, 1), dtype="int64"), 2).sum()
        tensor(1.)
    """
    return _unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
