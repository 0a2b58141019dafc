"""Hypothesis strategies for what goes into operations: shapes, dtypes, values, memory layouts, axes, index keys.

    from hypothesis import given
    from tinygrad_notes.testing import strategies as some

    @given(some.tensors(shape=some.shapes(max_dims=3)))
    def test_negation_undoes_itself(x): ...

Everything shrinks: to fewer axes, shorter axes, contiguous memory, values near zero.
"""
import numpy as np

from ..autograd import Tensor
from ..backend import as_device

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("the strategies need Hypothesis: pip install 'tinygrad-notes[test]'") from error

__all__ = [
    "FLOATING", "INTEGERS", "LAYOUTS", "arrays", "axes", "broadcastable", "dtypes", "index_keys", "many_axes",
    "op_inputs", "shapes", "tensors",
]

FLOATING = ("float64", "float32")
INTEGERS = ("int64", "int32", "uint8", "bool")
LAYOUTS = ("contiguous", "fortran", "reversed", "strided", "broadcast")


def shapes(min_dims=0, max_dims=3, min_side=0, max_side=4):
    """Shapes, the one of a scalar and those with an empty axis included.

    Args:
        min_dims, max_dims: number of axes.
        min_side, max_side: length of an axis.

    Returns:
        Strategy of tuples of ints.

    Example:
        >>> from hypothesis import find
        >>> find(shapes(), lambda s: len(s) == 2)
        (0, 0)
    """
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


@st.composite
def broadcastable(draw, count=2, max_dims=3, min_side=0, max_side=4):
    """Sets of shapes that broadcast against each other.

    Args:
        count: how many shapes.
        max_dims, min_side, max_side: limits of the shape they broadcast to.

    Returns:
        Strategy of lists of `count` shapes; axes are left out at the front or have length 1 at random.

    Example:
        >>> from hypothesis import find
        >>> sorted(find(broadcastable(2), lambda s: len(s[0]) == 0 and s[1] == (2,)))
        [(), (2,)]
    """
    whole = draw(shapes(0, max_dims, min_side, max_side))
    found = []
    for _ in range(count):
        kept = whole[draw(st.integers(0, len(whole))):]
        found.append(tuple([1 if draw(st.booleans()) else n for n in kept]))
    return found


def dtypes(floating=True, integer=False):
    """Names of data types.

    Args:
        floating: include float64 and float32.
        integer: include int64, int32, uint8 and bool.

    Returns:
        Strategy of strings.

    Example:
        >>> from hypothesis import find
        >>> find(dtypes(), lambda d: True)
        'float64'
    """
    return st.sampled_from((FLOATING if floating else ()) + (INTEGERS if integer else ()))


@st.composite
def arrays(draw, shape=None, dtype="float64", low=-3.0, high=3.0, away_from=(0.0,), distance=0.05, distinct=False,
           layouts=LAYOUTS):
    """NumPy arrays of any memory layout whose elements keep away from kinks.

    Args:
        shape: a shape or a strategy of shapes; default: `shapes()`.
        dtype: a data type or a strategy of them.
        low, high: range of the elements.
        away_from: values near which a function is not smooth (0 for relu); no element is closer than `distance`.
        distance: see `away_from`.
        distinct: no two elements are closer than `distance`, so that max and sort have no ties.
        layouts: the memory layouts to choose from, among `LAYOUTS`; "broadcast" makes elements that share memory,
            and is left out where `distinct` is asked for.

    Returns:
        Strategy of arrays.

    Raises:
        ValueError: a layout is unknown, or the range has no room for distinct elements.

    Example:
        >>> from hypothesis import find
        >>> find(arrays(shape=(2,), layouts=("reversed",)), lambda a: True).strides
        (-8,)
    """
    unknown = set(layouts) - set(LAYOUTS)
    if unknown:
        raise ValueError(f"layouts: {sorted(unknown)} are unknown; known are {', '.join(LAYOUTS)}")
    shape = draw(shapes() if shape is None else shape) if _drawn(shape) else tuple(shape)
    dtype = np.dtype(draw(dtype) if _drawn(dtype) else dtype)
    layouts = [name for name in layouts if not (distinct and name == "broadcast")]
    layout = draw(st.sampled_from(layouts or ["contiguous"]))
    size = int(np.prod(shape))
    if dtype.kind == "b":
        flat = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)
    elif dtype.kind in "iu":
        least = max(0, int(low)) if dtype.kind == "u" else int(low)
        flat = np.array(draw(st.lists(st.integers(least, int(high)), min_size=size, max_size=size)), dtype=dtype)
    else:
        flat = np.array(draw(_floats(size, low, high, away_from, distance, distinct)), dtype=dtype)
    return laid_out(flat.reshape(shape), layout)


def _drawn(value):
    return value is None or isinstance(value, st.SearchStrategy)


def _floats(size, low, high, away_from, distance, distinct):
    """Lists of numbers on a grid finer than `distance`, or on one of that very width where they must differ."""
    step = distance if distinct else distance / 16
    cells = int((high - low) / step)
    clear = [k for k in range(cells + 1) if all(abs(low + k * step - a) >= distance for a in away_from)]
    if len(clear) < size * distinct or not clear:
        raise ValueError(f"no room for {size} elements at a distance of {distance} between {low} and {high}")
    clear.sort(key=lambda k: abs(low + k * step))  # shrinks towards zero
    places = st.sampled_from(clear)
    return st.lists(places.map(lambda k: low + k * step), min_size=size, max_size=size, unique=distinct)


def laid_out(array, layout):
    """The values of `array` in another layout of memory; "broadcast" repeats the first of the first axis."""
    if array.ndim == 0 or array.size == 0 or layout == "contiguous":
        return array
    if layout == "fortran":
        return np.asfortranarray(array)
    if layout == "reversed":
        back = (slice(None, None, -1),) * array.ndim
        return np.ascontiguousarray(array[back])[back]
    if layout == "broadcast":
        return np.broadcast_to(array[:1], array.shape)
    wide = np.zeros([2 * n for n in array.shape], dtype=array.dtype)
    strided = wide[(slice(None, None, 2),) * array.ndim]
    strided[...] = array
    return strided


@st.composite
def tensors(draw, requires_grad=False, device=None, **options):
    """Tensors of any memory layout.

    Args:
        requires_grad: whether they want a gradient (floating dtypes only).
        device: where they live; default: the current device.
        **options: as for `arrays`.

    Returns:
        Strategy of Tensors.

    Example:
        >>> from hypothesis import find
        >>> find(tensors(shape=(2, 2), low=0.5, high=1.0), lambda t: True).shape
        (2, 2)
    """
    array = draw(arrays(**options))
    return Tensor(array, device=as_device(device), requires_grad=requires_grad and array.dtype.kind == "f")


@st.composite
def op_inputs(draw, count=2, max_dims=3, requires_grad=True, **options):
    """The inputs of an elementwise operation: Tensors that broadcast against each other.

    Args:
        count: how many inputs.
        max_dims: the most axes.
        requires_grad: whether they want a gradient.
        **options: as for `arrays`, but for the shape.

    Returns:
        Strategy of tuples of Tensors.

    Example:
        >>> from hypothesis import find
        >>> len(find(op_inputs(3), lambda ts: True))
        3
    """
    return tuple([draw(tensors(shape=shape, requires_grad=requires_grad, **options))
                  for shape in draw(broadcastable(count, max_dims))])


def axes(ndim):
    """One axis, counted from either end.

    Args:
        ndim: number of axes, at least 1.

    Returns:
        Strategy of ints in [-ndim, ndim).

    Example:
        >>> from hypothesis import find
        >>> find(axes(3), lambda a: a < 0)
        -1
    """
    return st.one_of(st.integers(0, ndim - 1), st.integers(-ndim, -1))


@st.composite
def many_axes(draw, ndim):
    """None, one axis, or a tuple of different axes, counted from either end.

    Args:
        ndim: number of axes.

    Returns:
        Strategy of None, ints and tuples of ints.

    Example:
        >>> from hypothesis import find
        >>> find(many_axes(3), lambda a: isinstance(a, tuple) and len(a) == 2)
        (0, 1)
    """
    kind = draw(st.sampled_from(("none", "one", "many") if ndim else ("none", "many")))
    if kind == "none":
        return None
    if kind == "one":
        return draw(axes(ndim))
    chosen = draw(st.lists(st.integers(0, ndim - 1), unique=True, max_size=ndim)) if ndim else []
    return tuple([a - ndim if draw(st.booleans()) else a for a in chosen])


@st.composite
def index_keys(draw, shape, advanced=True):
    """What may stand between brackets for an array of this shape.

    Args:
        shape: of the array that is indexed.
        advanced: include lists of ints and bool masks beside ints, slices, None and the ellipsis.

    Returns:
        Strategy of keys that are in bounds: tuples, or a single bool mask.

    Example:
        >>> from hypothesis import find
        >>> find(index_keys((4, 5)), lambda key: len(key) == 1 and isinstance(key[0], int))
        (0,)
    """
    if advanced and shape and draw(st.integers(0, 5)) == 5:
        return draw(arrays(shape=shape, dtype="bool", layouts=("contiguous",)))
    used = draw(st.integers(0, len(shape)))
    length = draw(st.integers(0, 4))
    key, listed = [], False
    for n in shape[:used]:
        kinds = ["slice"] + (["int"] if n else []) + (["list"] if advanced and n else [])
        kind = draw(st.sampled_from(kinds))
        if kind == "int":
            key.append(draw(st.integers(-n, n - 1)))
        elif kind == "list":
            key.append(draw(st.lists(st.integers(-n, n - 1), min_size=length, max_size=length)))
            listed = True
        else:
            key.append(draw(st.slices(n)))
    if not listed:
        for _ in range(draw(st.integers(0, 2))):
            key.insert(draw(st.integers(0, len(key))), None)
    if draw(st.booleans()):
        key.append(Ellipsis)
    return tuple(key)
