"""Parts written into an array: what is read of it again is the part; an array that is all parts is their joining."""
from ..build import operands
from .simplify import made_by, rule

FAR = 64  # writes that are looked through


def _plain(attrs):
    return "starts" in attrs and all(s == 1 for s in attrs["steps"])


def _inside(small, large):
    """Whether one region lies in another."""
    return all(a <= c and d <= b for a, b, c, d in zip(large["starts"], large["stops"], small["starts"],
                                                       small["stops"]))


def _apart(one, other):
    """Whether two regions have no element in common."""
    return any(b <= c or d <= a for a, b, c, d in zip(one["starts"], one["stops"], other["starts"], other["stops"]))


@rule("slice")
def slice_of_write(b, out, attrs, x):
    if not _plain(attrs):
        return None
    start = x
    for _ in range(FAR):
        source = made_by(x, "write")
        if source is None or not _plain(source.kwargs):
            break
        whole, part = operands(source)
        if _inside(attrs, source.kwargs):
            shift = source.kwargs["starts"]
            return b.slice(part, [a - s for a, s in zip(attrs["starts"], shift)],
                           [e - s for e, s in zip(attrs["stops"], shift)], attrs["steps"])
        if not _apart(attrs, source.kwargs):
            break
        x = whole
    return None if x is start else b.slice(x, attrs["starts"], attrs["stops"], attrs["steps"])


@rule("write")
def write_over_write(b, out, attrs, x, part):
    """What is written over was written for nothing."""
    start = x
    while _plain(attrs) and (source := made_by(x, "write")) is not None and _plain(source.kwargs) \
            and _inside(source.kwargs, attrs):
        x = operands(source)[0]
    return None if x is start else b.write(x, part, attrs["starts"], attrs["stops"], attrs["steps"])


@rule("write")
def writes_of_all(b, out, attrs, x, part):
    """Writes that cover an array along one axis are the concatenation of their parts."""
    axes = [a for a, n in enumerate(out.shape) if (attrs["starts"][a], attrs["stops"][a]) != (0, n)]
    if len(axes) != 1 or not _plain(attrs):
        return None
    axis, n = axes[0], out.shape[axes[0]]
    found, left = {attrs["starts"][axis]: (attrs["stops"][axis], part)}, n - part.shape[axis]
    while left > 0 and (source := made_by(x, "write")) is not None and _plain(source.kwargs):
        x, other = operands(source)
        region = source.kwargs
        others = [a for a, size in enumerate(out.shape) if (region["starts"][a], region["stops"][a]) != (0, size)]
        low, high = region["starts"][axis], region["stops"][axis]
        if others != [axis] or any(low < stop and start < high for start, (stop, _) in found.items()):
            return None
        found[low], left = (high, other), left - other.shape[axis]
    if left or any(p.dtype != out.dtype for _, p in found.values()):
        return None
    return b.concat([found[start][1] for start in sorted(found)], axis)
