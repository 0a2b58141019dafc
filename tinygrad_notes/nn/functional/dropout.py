"""Dropout: random zeros while training, nothing in evaluation."""
from ...autograd import as_tensor
from ...ops.dropout import keep_mask
from .common import number

__all__ = [
    "alpha_dropout", "drop_path", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
]

_ALPHA = -1.7580993408473766  # what SELU tends to at minus infinity


def dropout(input, p=0.5, training=True, inplace=False, generator=None):
    """Zero each element with probability p and scale the others, so that the mean stays (inverted dropout).

    Formula: out = x m / (1 - p), m ~ Bernoulli(1 - p); mean x, variance x^2 p / (1 - p). The backward pass uses the
        same m.

    Args:
        input: floating, any shape.
        p: probability of a zero, in [0, 1].
        training: False returns the input itself.
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: p is outside [0, 1].
        TypeError: the input is not floating.

    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting"; the notes,
        section 2.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.dropout(tn.ones((3,)), 0.5, training=False)
        tensor([1., 1., 1.])
    """
    return _dropped("dropout", input, p, training, generator, None)


def _dropped(name, input, p, training, generator, shared):
    """`shared`: how many leading axes have masks of their own; the others share one."""
    p = number(f"{name}: p", p, 0, high=1)
    input = as_tensor(input)
    if input.dtype.kind != "f":
        raise TypeError(f"{name}: expected a floating dtype, got {input.dtype}")
    if not training or not p:
        return input
    return input * keep_mask(_mask_shape(input, shared), p, input.dtype, input.device, generator)


def _mask_shape(input, shared):
    return input.shape if shared is None else input.shape[:shared] + (1,) * (input.ndim - shared)


def _channels(name, input, p, training, generator, axes):
    input = as_tensor(input)
    if input.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"{name}: expected {axes + 1} axes (C, ...) or {axes + 2} axes (N, C, ...), "
                         f"got shape {input.shape}")
    return _dropped(name, input, p, training, generator, input.ndim - axes)


def dropout1d(input, p=0.5, training=True, inplace=False, generator=None):
    """Zero whole channels of (N, C, L) or (C, L), and scale the others.

    Formula: out[n, c] = x[n, c] m[n, c] / (1 - p), m ~ Bernoulli(1 - p).

    Args:
        input: floating, (N, C, L) or (C, L).
        p: probability of a zero, in [0, 1].
        training: False returns the input itself.
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: p is outside [0, 1], or the number of axes is another.

    Source: Tompson et al. 2015, "Efficient object localization using convolutional networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.dropout1d(tn.ones((2, 3, 4)), 1.0).sum()
        tensor(0.)
    """
    return _channels("dropout1d", input, p, training, generator, 1)


def dropout2d(input, p=0.5, training=True, inplace=False, generator=None):
    """Zero whole channels of (N, C, H, W) or (C, H, W), and scale the others.

    Formula: out[n, c] = x[n, c] m[n, c] / (1 - p), m ~ Bernoulli(1 - p).

    Args:
        input: floating, (N, C, H, W) or (C, H, W).
        p: probability of a zero, in [0, 1].
        training: False returns the input itself.
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: p is outside [0, 1], or the number of axes is another.

    Source: Tompson et al. 2015, "Efficient object localization using convolutional networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.dropout2d(tn.ones((2, 3, 4, 4)), 1.0).sum()
        tensor(0.)
    """
    return _channels("dropout2d", input, p, training, generator, 2)


def dropout3d(input, p=0.5, training=True, inplace=False, generator=None):
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W), and scale the others.

    Formula: out[n, c] = x[n, c] m[n, c] / (1 - p), m ~ Bernoulli(1 - p).

    Args:
        input: floating, (N, C, D, H, W) or (C, D, H, W).
        p: probability of a zero, in [0, 1].
        training: False returns the input itself.
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: p is outside [0, 1], or the number of axes is another.

    Source: Tompson et al. 2015, "Efficient object localization using convolutional networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.dropout3d(tn.ones((2, 3, 2, 2, 2)), 1.0).sum()
        tensor(0.)
    """
    return _channels("dropout3d", input, p, training, generator, 3)


def alpha_dropout(input, p=0.5, training=False, inplace=False, generator=None):
    """Dropout that keeps zero mean and unit variance, for layers with SELU.

    Formula: out = a (x m + alpha (1 - m)) + b, m ~ Bernoulli(1 - p), alpha = -1.7581,
        a = ((1 - p) (1 + p alpha^2))^(-1/2), b = -a p alpha.

    Args:
        input: floating, any shape.
        p: probability of a replacement, in [0, 1].
        training: False returns the input itself.
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: p is outside [0, 1].

    Source: Klambauer et al. 2017, "Self-normalizing neural networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.alpha_dropout(tn.ones((2,)), 0.5)
        tensor([1., 1.])
    """
    return _alpha("alpha_dropout", input, p, training, generator, None)


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False, generator=None):
    """`alpha_dropout` of whole channels of (N, C, ...).

    Formula: out = a (x m + alpha (1 - m)) + b, one m ~ Bernoulli(1 - p) per example and channel; a, b, alpha as in
        `alpha_dropout`.

    Args:
        input: floating, (N, C, ...).
        p: probability of a replacement, in [0, 1].
        training: False returns the input itself.
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: p is outside [0, 1], or there are less than two axes.

    Source: Klambauer et al. 2017, "Self-normalizing neural networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.feature_alpha_dropout(tn.ones((1, 2, 3)), 0.5)
        tensor([[[1., 1., 1.],
                 [1., 1., 1.]]])
    """
    input = as_tensor(input)
    if input.ndim < 2:
        raise ValueError(f"feature_alpha_dropout: expected shape (N, C, ...), got {input.shape}")
    return _alpha("feature_alpha_dropout", input, p, training, generator, 2)


def _alpha(name, input, p, training, generator, shared):
    p = number(f"{name}: p", p, 0, high=1)
    input = as_tensor(input)
    if not training or not p:
        return input
    if p == 1:
        return input * 0.0
    a = ((1 - p) * (1 + p * _ALPHA**2)) ** -0.5
    shape = _mask_shape(input, shared)
    mask = keep_mask(shape, p, input.dtype, input.device, generator) * (1 - p)  # zeros and ones
    return input * (a * mask) + (a * _ALPHA * (1 - mask) - a * p * _ALPHA)


def drop_path(input, p=0.0, mode="row", training=True, generator=None):
    """Zero all of an example with probability p: the branch of a residual layer that is left out (stochastic depth).

    Formula: out[n] = x[n] m_n / (1 - p), m_n ~ Bernoulli(1 - p); with mode 'batch' one m for all examples.

    Args:
        input: floating, (N, ...).
        p: probability of a zero, in [0, 1].
        mode: 'row' for each example on its own, 'batch' for all together.
        training: False returns the input itself.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: p is outside [0, 1], the mode is unknown, or there is no axis of examples.
        TypeError: the input is not floating.

    Source: Huang et al. 2016, "Deep networks with stochastic depth".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.drop_path(tn.ones((2, 3)), 1.0).sum()
        tensor(0.)
    """
    if mode not in ("row", "batch"):
        raise ValueError(f"drop_path: mode: expected 'row' or 'batch', got {mode!r}")
    input = as_tensor(input)
    if not input.ndim:
        raise ValueError("drop_path: expected shape (N, ...), got ()")
    return _dropped("drop_path", input, p, training, generator, 1 if mode == "row" else 0)
