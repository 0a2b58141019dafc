"""The losses of generative adversarial networks, from the scores (logits) of the discriminator."""
from ...autograd import as_tensor
from ...ops import relu, softplus, square
from .common import check_reduction, reduced

__all__ = ["gan_discriminator_loss", "gan_generator_loss"]

# kind: (loss of the discriminator for a real score, for a false score, loss of the generator for a false score)
_KINDS = {
    "minimax": (lambda d: softplus(-d), softplus, lambda d: -softplus(d)),
    "non-saturating": (lambda d: softplus(-d), softplus, lambda d: softplus(-d)),
    "least-squares": (lambda d: square(d - 1) / 2, lambda d: square(d) / 2, lambda d: square(d - 1) / 2),
    "hinge": (lambda d: relu(1 - d), lambda d: relu(1 + d), lambda d: -d),
    "wasserstein": (lambda d: -d, lambda d: d, lambda d: -d),
}


def _terms(kind):
    if kind not in _KINDS:
        raise ValueError(f"kind: expected one of {', '.join(map(repr, _KINDS))}, got {kind!r}")
    return _KINDS[kind]


def gan_discriminator_loss(real, fake, kind="non-saturating", reduction="mean"):
    """What a discriminator minimizes: high scores for real examples, low ones for generated ones.

    Formula: mean a(real) + mean b(fake), for scores d with a, b =
        'minimax' and 'non-saturating': -log sigmoid(d), -log(1 - sigmoid(d));
        'least-squares': (d - 1)^2 / 2, d^2 / 2; 'hinge': max(0, 1 - d), max(0, 1 + d); 'wasserstein': -d, d.

    Args:
        real, fake: scores (logits) of real and of generated examples, floating, any shapes.
        kind: 'minimax', 'non-saturating', 'least-squares', 'hinge' or 'wasserstein'.
        reduction: 'mean' or 'sum', of each of the two.

    Returns:
        A 0-d Tensor (nats for the first two kinds).

    Raises:
        ValueError: the kind or the reduction is unknown, or the mean is one of nothing.

    Source: Goodfellow et al. 2014; Mao et al. 2017; Lim and Ye 2017; Arjovsky et al. 2017; the notes, chapter on GANs.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.gan_discriminator_loss(tn.zeros((4,)), tn.zeros((4,)))            # 2 log 2
        tensor(1.3863)
    """
    check_reduction(reduction, ("mean", "sum"))
    on_real, on_fake, _ = _terms(kind)
    return (reduced(on_real(as_tensor(real)), reduction, "gan_discriminator_loss: real")
            + reduced(on_fake(as_tensor(fake)), reduction, "gan_discriminator_loss: fake"))


def gan_generator_loss(fake, kind="non-saturating", reduction="mean"):
    """What a generator minimizes: a high score of what it makes.

    Formula: mean c(fake), for scores d with c = 'minimax': log(1 - sigmoid(d)), whose slope -sigmoid(d) vanishes where
        the discriminator is sure; 'non-saturating': -log sigmoid(d), whose slope sigmoid(d) - 1 does not;
        'least-squares': (d - 1)^2 / 2; 'hinge' and 'wasserstein': -d.

    Args:
        fake: scores (logits) of generated examples, floating, any shape.
        kind: 'minimax', 'non-saturating', 'least-squares', 'hinge' or 'wasserstein'.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `fake`.

    Raises:
        ValueError: the kind or the reduction is unknown, or the mean is one of nothing.

    Source: Goodfellow et al. 2014, section 3; the notes, chapter on GANs.

    Example:
        >>> import tinygrad_notes as tn
        >>> scores = tn.tensor([-20.0], requires_grad=True)
        >>> tn.nn.functional.gan_generator_loss(scores).backward(); scores.grad
        tensor([-1.])
    """
    check_reduction(reduction)
    return reduced(_terms(kind)[2](as_tensor(fake)), reduction, "gan_generator_loss")
