"""Where a query may look, and where in a sequence it stands.

    T places   D features   H heads   E features of a head   L queries   S keys
"""
import math

from ...autograd import Tensor, as_tensor
from ...backend import as_device, default_float, to_dtype
from ...ops import abs, arange, clip, concat, cos, log, maximum, reshape, sin, stack, where
from ...ops.rotate import turn_pairs
from .common import number

__all__ = ["alibi_bias", "causal_mask", "relative_position_bucket", "rotary_angles", "rotary_embedding",
           "sinusoidal_positions"]


def _whole(name, value, low=1):
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ValueError(f"{name}: expected an int >= {low}, got {value!r}")
    return value


def _even(name, dim):
    if _whole(name, dim) % 2:
        raise ValueError(f"{name}: features go in pairs, expected an even number, got {dim}")
    return dim


def _floating(dtype):
    return default_float if dtype is None else to_dtype(dtype)


def _distances(length, source, offset, device):
    """(L, S) ints: the number of the key minus that of the query, which begin at `offset`."""
    queries = arange(offset, offset + _whole("length", length, 0), device=as_device(device))
    keys = arange(offset + length if source is None else _whole("source", source, 0), device=as_device(device))
    return reshape(keys, (1, -1)) - reshape(queries, (-1, 1))


def causal_mask(length, source=None, *, offset=0, window=None, dtype=None, device=None):
    """What is added to the scores so that a query looks at its own place and earlier ones only.

    Formula: out_ij = 0 if i + offset - window < j <= i + offset else -inf.

    Args:
        length: L, the number of queries.
        source: S, the number of keys; None: offset + L.
        offset: the place of the first query among the keys: how many keys came before, as with a cache.
        window: how many places back it looks, its own included; None: all.
        dtype, device: of the result; default float32, the current device.

    Returns:
        A Tensor (L, S), for `attn_mask` of `scaled_dot_product_attention` and of `MultiheadAttention` alike.

    Raises:
        ValueError: a number is negative, or `window` is below 1.

    Source: the notes and UDL 12.7.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.causal_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
    """
    far = _distances(length, source, _whole("offset", offset, 0), device)
    late = far > 0
    if window is not None:
        late = late | (far <= -_whole("window", window))
    xp, kind = far.device.xp, _floating(dtype)
    return Tensor.wrap(xp.where(late.data, xp.asarray(-math.inf, dtype=kind), xp.asarray(0, dtype=kind)))


def sinusoidal_positions(length, dim, *, start=0, base=10000.0, dtype=None, device=None):
    """Waves of geometrically growing length that tell places apart.

    Formula: out[t, 2 i] = sin((start + t) w_i), out[t, 2 i + 1] = cos((start + t) w_i), w_i = base^(-2 i / D). So the
        code of place p + k is that of p with its pairs turned by the angles k w_i, whatever p.

    Args:
        length: T.
        dim: D, even.
        start: the number of the first place.
        base: the longest wave is 2 pi base places.
        dtype, device: of the result; default float32, the current device.

    Returns:
        A Tensor (T, D).

    Raises:
        ValueError: `dim` is odd, or a number is out of range.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.5; UDL 12.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.sinusoidal_positions(2, 2)
        tensor([[0.0000, 1.0000],
                [0.8415, 0.5403]])
    """
    angles = rotary_angles(_whole("length", length, 0), dim, start=start, base=base, device=device)
    waves = stack([sin(angles), cos(angles)], axis=-1)  # (T, D / 2, 2)
    return reshape(waves, (length, dim)).astype(_floating(dtype))


def rotary_angles(length, dim, *, start=0, base=10000.0, device=None):
    """The angles by which the pairs of a head are turned at each place.

    Formula: out[t, i] = (start + t) base^(-2 i / dim).

    Args:
        length: T.
        dim: number of features that are turned, even.
        start: the number of the first place.
        base: the slowest pair turns by 1 radian in about that many places.
        device: of the result.

    Returns:
        A float64 Tensor (T, dim / 2), in radians.

    Raises:
        ValueError: `dim` is odd, or a number is out of range.

    Source: Su et al. 2021, "RoFormer: enhanced transformer with rotary position embedding", equation 15.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.rotary_angles(2, 4, base=100.0).tolist()
        [[0.0, 0.0], [1.0, 0.1]]
    """
    number("base", base, 0, low_open=True)
    home = as_device(device)
    places = arange(start, start + _whole("length", length, 0), dtype="float64", device=home)
    speeds = base ** (arange(0, _even("dim", dim), 2, dtype="float64", device=home) * (-1 / dim))
    return reshape(places, (-1, 1)) * speeds


def rotary_embedding(x, cosine, sine, interleaved=False):
    """Turn pairs of features, so that the product of a query and a key depends on their distance alone.

    Formula: (a, b) -> (a cos - b sin, b cos + a sin) for each pair of the first R = 2 * cosine.shape[-1] features:
        x_i and x_(i + R / 2), or, interleaved, x_(2 i) and x_(2 i + 1). The other features stay.

    Args:
        x: floating, (..., T, E).
        cosine, sine: of the angles, shapes that broadcast to (..., T, R / 2); see `rotary_angles`.
        interleaved: whether neighbours make a pair (RoFormer, GPT-J) or the two halves (GPT-NeoX, Llama).

    Returns:
        A Tensor of the shape and dtype of `x`.

    Raises:
        ValueError: R is larger than E, or the shapes do not broadcast.

    Source: Su et al. 2021, "RoFormer: enhanced transformer with rotary position embedding", equation 34.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.rotary_embedding(tn.tensor([[1.0, 2.0]]), tn.tensor([[0.0]]), tn.tensor([[1.0]]))
        tensor([[-2.,  1.]])
    """
    x = as_tensor(x)
    cosine, sine = [as_tensor(part, like=x).astype(x.dtype) for part in (cosine, sine)]
    turned = 2 * cosine.shape[-1] if cosine.ndim else 0
    if x.ndim < 1 or not 0 < turned <= x.shape[-1] or cosine.shape != sine.shape:
        raise ValueError("rotary_embedding: expected cosine and sine of one shape (..., T, R / 2) with R <= E, got "
                         f"cosine {cosine.shape}, sine {sine.shape}, x {x.shape}")
    if turned == x.shape[-1]:
        return turn_pairs(x, cosine, sine, interleaved=bool(interleaved))
    first = turn_pairs(x[..., :turned], cosine, sine, interleaved=bool(interleaved))
    return concat([first, x[..., turned:]], axis=-1)


def alibi_bias(num_heads, length, source=None, *, offset=0, dtype=None, device=None):
    """A penalty that grows with the distance of query and key, at another rate in every head.

    Formula: out_hij = -m_h |i + offset - j|, m_h = 2^(-8 h / H) for h = 1 ... H if H is a power of two; else the rates
        of the next lower power of two, then every second one of the next higher.

    Args:
        num_heads: H.
        length: L, the number of queries.
        source: S, the number of keys; None: offset + L.
        offset: the place of the first query among the keys.
        dtype, device: of the result; default float32, the current device.

    Returns:
        A Tensor (H, L, S), for `attn_mask`.

    Raises:
        ValueError: a number is out of range.

    Source: Press et al. 2022, "Train short, test long: attention with linear biases enables input length
        extrapolation".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.alibi_bias(8, 2)[0].tolist()
        [[0.0, -0.5], [-0.5, 0.0]]
    """
    heads = _whole("num_heads", num_heads)
    far = (-abs(_distances(length, source, _whole("offset", offset, 0), device))).astype("float64")
    lower = 2 ** int(math.log2(heads))
    rates = [2 ** (-8 * h / lower) for h in range(1, lower + 1)]
    rates += [2 ** (-4 * h / lower) for h in range(1, 2 * (heads - lower), 2)]
    slopes = as_tensor(rates, like=far).astype("float64")
    return (reshape(slopes, (heads, 1, 1)) * far).astype(_floating(dtype))


def relative_position_bucket(relative_position, bidirectional=True, num_buckets=32, max_distance=128):
    """Distances sorted into buckets: near ones each in their own, far ones in buckets of growing width.

    Formula: with B buckets per direction and n the distance backward (also forward, in a second set of buckets, where
        `bidirectional`): n if n < B / 2, else min(B - 1, B/2 + floor(B/2 log(2 n / B) / log(2 max_distance / B))).

    Args:
        relative_position: int Tensor, place of the key minus place of the query.
        bidirectional: tell keys after the query apart; False: they count as distance 0.
        num_buckets: how many buckets there are, even if `bidirectional`.
        max_distance: from here on all share the last bucket.

    Returns:
        An int64 Tensor of the same shape, in [0, num_buckets).

    Raises:
        ValueError: a number is out of range.
        TypeError: the positions are not integers.

    Source: Raffel et al. 2020, "Exploring the limits of transfer learning with a unified text-to-text transformer",
        section 2.1, and the code that goes with it.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.relative_position_bucket(tn.tensor([-100, -1, 0, 1, 100])).tolist()
        [15, 1, 0, 17, 31]
    """
    relative = as_tensor(relative_position)
    if relative.dtype.kind not in "iu":
        raise TypeError(f"relative_position: expected integers, got {relative.dtype}")
    buckets = _whole("num_buckets", num_buckets, 4 if bidirectional else 2)
    if bidirectional and buckets % 2:
        raise ValueError(f"num_buckets: expected an even number for two directions, got {num_buckets}")
    if bidirectional:
        buckets //= 2
        first, n = (relative > 0).astype("int64") * buckets, abs(relative)
    else:
        first, n = 0, maximum(-relative, 0)
    exact = buckets // 2
    if _whole("max_distance", max_distance) <= exact:
        raise ValueError(f"max_distance: expected more than {exact}, the distances with a bucket of their own, got "
                         f"{max_distance}")
    share = log(maximum(n, 1).astype("float32") * (1 / exact)) * (1 / math.log(max_distance / exact))
    far = exact + (share * (buckets - exact)).astype("int64")
    return first + where(n < exact, n, clip(far, None, buckets - 1)).astype("int64")
