"""Pairs of features turned by angles: the operation behind rotary positions."""
from ..autograd import primitive

__all__ = []


def _halves(x, interleaved):
    """The first and second members of the pairs, as views."""
    half = x.shape[-1] // 2
    return (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])


def _turn(xp, x, cosine, sine, *, interleaved):
    out = xp.empty_like(x)
    (a, b), (first, second) = _halves(x, interleaved), _halves(out, interleaved)
    first[...] = a * cosine - b * sine
    second[...] = b * cosine + a * sine
    return out


# (a, b) -> (a cos - b sin, b cos + a sin). A rotation: its transpose turns back.
turn_pairs = primitive("turn_pairs", _turn,
                       x=lambda xp, g, cosine, sine, interleaved: xp.turn_pairs(g, cosine, -sine,
                                                                                interleaved=interleaved),
                       kind="elementwise")
