"""What recipes for points of the plane share: limits of the picture, and clouds side by side."""
from ...viz import panels, scatter


def limits(x):
    """((low, high), (low, high)): the range of the points (N, 2) and a tenth more on all sides."""
    found = []
    for k in range(2):
        low, high = float(x[:, k].min()), float(x[:, k].max())
        found.append((low - 0.1 * (high - low), high + 0.1 * (high - low)))
    return tuple(found)


def clouds(captions, columns=2):
    """{caption: points (N, 2), or points and labels} side by side, in the range of the first; codes have their own."""
    drawn, shared = [], None
    for caption, points in captions.items():
        points, labels = points if isinstance(points, tuple) else (points, None)
        shared = shared or limits(points)
        xlim, ylim = (None, None) if caption.startswith("codes") else shared
        drawn.append(scatter(points, labels, title=caption, width=360, height=340, equal=True, size=0.6, xlim=xlim,
                             ylim=ylim))
    return panels(drawn, columns)
