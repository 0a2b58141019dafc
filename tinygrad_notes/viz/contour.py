"""Lines of equal value through a grid of numbers: marching squares, then pieces joined end to end."""
import numpy as np

# Which edges of a cell a line crosses, by which of its corners lie above: bits 1 2 4 8 for (i, j), (i, j+1),
# (i+1, j+1), (i+1, j); edges 0 below, 1 right, 2 above, 3 left. Saddles (5, 10) go by the mean of the corners.
CROSSED = {1: [(3, 0)], 2: [(0, 1)], 3: [(3, 1)], 4: [(1, 2)], 6: [(0, 2)], 7: [(3, 2)], 8: [(2, 3)], 9: [(0, 2)],
           11: [(1, 2)], 12: [(1, 3)], 13: [(0, 1)], 14: [(3, 0)]}
SADDLE = {(5, True): [(3, 2), (0, 1)], (5, False): [(3, 0), (1, 2)], (10, True): [(3, 0), (1, 2)],
          (10, False): [(3, 2), (0, 1)]}


def contours(values, level):
    """Lines along which a matrix has a value, linear between its elements.

    Args:
        values: (H, W) numbers; cells with a corner that is not finite are left out.
        level: the value.

    Returns:
        A list of lines, each a list of (row, column) as floats; closed ones end where they begin.
    """
    pieces = []
    above = values >= level
    corners = above[:-1, :-1] * 1 + above[:-1, 1:] * 2 + above[1:, 1:] * 4 + above[1:, :-1] * 8
    good = np.isfinite(values)
    good = good[:-1, :-1] & good[:-1, 1:] & good[1:, 1:] & good[1:, :-1]
    for i, j in zip(*np.nonzero(good & (corners > 0) & (corners < 15))):
        kind = int(corners[i, j])
        if kind in (5, 10):
            crossed = SADDLE[kind, bool(values[i:i + 2, j:j + 2].mean() >= level)]
        else:
            crossed = CROSSED[kind]
        pieces += [(_edge(i, j, a), _edge(i, j, b)) for a, b in crossed]
    return [[_place(values, level, edge) for edge in line] for line in _joined(pieces)]


def _edge(i, j, side):
    """An edge of the grid by its lower left end and direction, the same for both cells beside it."""
    return ((i, j, 0), (i, j + 1, 1), (i + 1, j, 0), (i, j, 1))[side]


def _place(values, level, edge):
    i, j, down = (int(k) for k in edge)
    a, b = values[i, j], values[i + down, j + 1 - down]
    share = float((level - a) / (b - a)) if b != a else 0.5
    return (i + share, float(j)) if down else (float(i), j + share)


def _joined(pieces):
    """Lines of edges from pieces that share them."""
    ends = {}
    for k, piece in enumerate(pieces):
        for edge in piece:
            ends.setdefault(edge, []).append(k)
    left, lines = dict.fromkeys(range(len(pieces))), []
    # Lines that end at the border first, so that they are walked from end to end; what is left then is closed.
    starts = [edges[0] for edges in ends.values() if len(edges) == 1]
    for first in [*starts, *range(len(pieces))]:
        if first not in left:
            continue
        a, b = pieces[first]
        line = [a, b] if len(ends[a]) == 1 or len(ends[b]) > 1 else [b, a]
        del left[first]
        while True:
            k = next((k for k in ends[line[-1]] if k in left), None)
            if k is None:
                break
            del left[k]
            a, b = pieces[k]
            line.append(b if a == line[-1] else a)
        lines.append(line)
    return lines
