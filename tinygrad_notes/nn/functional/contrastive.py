"""Contrastive losses: an example shall be told from all others by its other view.

    N pairs   M negatives   D features
"""
from ...autograd import as_tensor
from ...ops import arange, concat, matrix_transpose, reshape, sum, where
from .classification import cross_entropy
from .common import check_reduction, number, same_shape
from .pairs import normalize

__all__ = ["info_nce", "nt_xent"]


def info_nce(query, positive, negatives=None, temperature=0.1, reduction="mean"):
    """The negative log-probability of finding the right partner of each query among others, by cosine similarity.

    Formula: l_n = -log(exp(s(q_n, k_n) / t) / sum_m exp(s(q_n, k_m) / t)), s the cosine. The k_m are the partners of
        all queries, or, with `negatives`, the own partner k_n and all negatives.

    Args:
        query, positive: floating, (N, D).
        negatives: vectors that are nobody's partner, floating, (M, D).
        temperature: t > 0.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of shape (N,).

    Raises:
        ValueError: shapes do not fit, t <= 0, or the reduction is unknown.

    Source: van den Oord et al. 2018, "Representation learning with contrastive predictive coding", equation 4.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> tn.nn.functional.info_nce(x, x, temperature=1.0)
        tensor(0.3133)
    """
    check_reduction(reduction)
    temperature = number("temperature", temperature, 0, low_open=True)
    query, positive = _vectors("info_nce", query, positive, ("query", "positive"))
    if negatives is None:
        return cross_entropy(query @ matrix_transpose(positive) / temperature,
                             arange(query.shape[0], device=query.device), reduction=reduction)
    negatives = as_tensor(negatives, like=query)
    if negatives.ndim != 2 or negatives.shape[1] != query.shape[1]:
        raise ValueError(f"info_nce: negatives: expected shape (M, {query.shape[1]}), got {negatives.shape}")
    own = sum(query * positive, axis=1, keepdims=True)
    others = query @ matrix_transpose(normalize(negatives))
    first = arange(query.shape[0], device=query.device) * 0
    return cross_entropy(concat([own, others], axis=1) / temperature, first, reduction=reduction)


def nt_xent(first, second, temperature=0.5, reduction="mean"):
    """The loss of SimCLR: each of 2 N views shall find the other view of its example among the 2 N - 1 others.

    Formula: l_i = -log(exp(s(z_i, z_j) / t) / sum_{k != i} exp(s(z_i, z_k) / t)), s the cosine, j the other view of i.

    Args:
        first, second: the two views of each example, floating, (N, D).
        temperature: t > 0.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of shape (2 N,): those of the first views, then of the second.

    Raises:
        ValueError: shapes do not fit, t <= 0, or the reduction is unknown.

    Source: Chen et al. 2020, "A simple framework for contrastive learning of visual representations", equation 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> tn.nn.functional.nt_xent(x, x, temperature=1.0)
        tensor(0.5514)
    """
    check_reduction(reduction)
    temperature = number("temperature", temperature, 0, low_open=True)
    first, second = _vectors("nt_xent", first, second, ("first", "second"))
    n, z = first.shape[0], concat([first, second], axis=0)
    place = arange(2 * n, device=z.device)
    itself = reshape(place, (-1, 1)) == place
    scores = where(itself, float("-inf"), z @ matrix_transpose(z) / temperature)
    return cross_entropy(scores, (place + n) % max(2 * n, 1), reduction=reduction)


def _vectors(name, x, y, labels):
    x, y = same_shape(name, x, y, labels)
    if x.ndim != 2:
        raise ValueError(f"{name}: {labels[0]}: expected shape (N, D), got {x.shape}")
    return normalize(x), normalize(y)
