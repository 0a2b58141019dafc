"""Small groups of channels joined into larger ones, with zeros between them: a product of matrices of 32 channels is
faster than four of 8, although it multiplies four times as much.
"""
import numpy as np

ENOUGH = 64  # groups are joined up to so many channels


def count(g):
    """How many groups become one."""
    many = max(1, ENOUGH // max(g.channels // g.groups, g.outputs // g.groups, 1))
    return max(m for m in range(1, many + 1) if g.groups % m == 0) if g.groups > 1 else 1


def wider(g, m):
    """The geometry with `m` groups in one."""
    return g._replace(groups=g.groups // m)


def _apart(w, g, m):
    """The blocks on the diagonal of joined weights: (G / m, m, m, O / G, C / G, *K), seen with both m's."""
    outputs, channels = g.outputs // g.groups, g.channels // g.groups
    return np.moveaxis(w.reshape(g.groups // m, m, outputs, m, channels, *g.kernel), 3, 2)


def joined(w, g, m):
    """(O, C / G, *K) -> (O, m C / G, *K) with zeros where groups do not meet."""
    wide = np.zeros((g.outputs, m * (g.channels // g.groups), *g.kernel), w.dtype)
    target, source = _apart(wide, g, m), w.reshape(g.groups // m, m, g.outputs // g.groups, -1, *g.kernel)
    for k in range(m):
        target[:, k, k] = source[:, k]
    return wide


def parted(wide, g, m):
    """The transpose of `joined`: (O, m C / G, *K) -> (O, C / G, *K)."""
    source = _apart(wide, g, m)
    found = np.stack([source[:, k, k] for k in range(m)], 1)
    return found.reshape(g.outputs, g.channels // g.groups, *g.kernel)
