"""Histograms that change over time: as a field of color with time to the right, or as a range of hills."""
from __future__ import annotations

from typing import Any

import numpy as np

from .axes import BOTTOM, LEFT, RIGHT, Axis, Frame, numbers
from .colors import colored, hex_of, image
from .picture import Picture, number

ROWS, COLUMNS, HILLS = 72, 240, 14  # of the field; the most hills


def plot_histograms(times: Any, ranges: Any, counts: Any, title: str = "", xlabel: str = "step", ylabel: str = "value",
                    *, kind: str = "field", width: int = 420, height: int = 240) -> Picture:
    """Draw how a distribution changes.

    Formula: the color (or height) at value v and time t is sqrt(p_t(v) / max p), p_t the density of the histogram at
        time t (for colors, with the largest hundredth of all densities cut off); the root lets the tails be seen.

    Args:
        times: T numbers that grow, such as steps.
        ranges: (T, 2), the lower and upper end of each histogram.
        counts: (T, bins), how many values lie in each of the equally wide bins.
        title, xlabel, ylabel: texts.
        kind: 'field' for a field of color, 'ridge' for hills behind each other, the latest in front.
        width, height: in pixels.

    Returns:
        A `Picture`.

    Raises:
        ValueError: `kind` is neither, shapes do not fit, or all histograms are empty.
        TypeError: there are no numbers.

    Source: Abadi et al. 2015, TensorFlow, section 9.1 (the dashboards of histograms).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.viz.plot_histograms([0, 1], [[-1, 1], [-2, 2]], [[1, 4, 1], [2, 2, 2]]).svg()[:4]
        '<svg'
    """
    if kind not in ("field", "ridge"):
        raise ValueError(f"kind: expected 'field' or 'ridge', got {kind!r}")
    times = numbers("times", times, (1,))
    ranges, counts = numbers("ranges", ranges, (2,)), numbers("counts", counts, (2,))
    if ranges.shape != (len(times), 2) or len(counts) != len(times):
        raise ValueError(f"ranges, counts: expected {len(times)} rows, one per time, got shapes {ranges.shape}, "
                         f"{counts.shape}")
    if not counts.sum() > 0:
        raise ValueError("counts: all histograms are empty")
    values, shares = _common(ranges, counts)
    frame = Frame(width, height, title, f"{title or 'histograms'}: {len(times)} times")
    top = 34 if title else 12
    if kind == "field":
        _field(frame, times, values, shares, top, xlabel, ylabel)
    else:
        _hills(frame, times, values, shares, top, xlabel, ylabel)
    return frame.picture()


def _common(ranges, counts):
    """Values (ROWS + 1) that all histograms share, and the share of the values in each of ROWS bins (T, ROWS)."""
    full = counts.sum(1) > 0
    low, high = ranges[full, 0].min(), ranges[full, 1].max()
    if not high > low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    values = np.linspace(low, high, ROWS + 1)
    shares = np.zeros((len(counts), ROWS))
    for k in np.nonzero(full)[0]:
        a, b = ranges[k]
        if b - a <= 1e-9 * (high - low):
            shares[k, min(int((a - low) / (high - low) * ROWS), ROWS - 1)] = 1.0
            continue
        below = np.concatenate([[0.0], np.cumsum(counts[k])]) / counts[k].sum()
        shares[k] = np.diff(np.interp(values, np.linspace(a, b, counts.shape[1] + 1), below))
    return values, shares


def _field(frame, times, values, shares, top, xlabel, ylabel):
    right, bottom = frame.width - RIGHT, frame.height - BOTTOM
    xs = Axis(times[0], times[-1], False, LEFT, right)
    ys = Axis(values[0], values[-1], False, bottom, top)
    frame.yaxis(ys, LEFT, right, ylabel, rules=False)
    frame.xaxis(xs, bottom, xlabel)
    at = np.linspace(xs.low, xs.high, COLUMNS)
    nearest = np.abs(at[:, None] - times[None]).argmin(1)
    light = np.sqrt(shares / np.quantile(shares[shares > 0], 0.99))  # a spike at 0 must not hide all else
    rgb = colored(light[nearest].T[::-1], "blues", 0.0, 1.0)
    frame.add(image(rgb, LEFT, top, right - LEFT, bottom - top, smooth=True))


def _hills(frame, times, values, shares, top, xlabel, ylabel):
    """The value to the right, time from back to front."""
    chosen = np.unique(np.linspace(0, len(times) - 1, min(HILLS, len(times))).round().astype(int))
    right, bottom = frame.width - 52, frame.height - BOTTOM
    xs = Axis(values[0], values[-1], False, 14, right)
    room = 0.42 * (bottom - top)
    frame.xaxis(xs, bottom, ylabel)
    x = xs.pixels((values[1:] + values[:-1]) / 2)
    tall = np.sqrt(shares / shares.max()) * room
    for place, k in enumerate(chosen):
        base = top + room + (bottom - top - room) * (place / max(len(chosen) - 1, 1))
        line = "L".join(f"{number(a)} {number(base - b)}" for a, b in zip(x, tall[k]))
        color = hex_of(colored(np.array(0.35 + 0.5 * place / max(len(chosen) - 1, 1)), "blues", 0.0, 1.0))
        frame.add(f'<path d="M{number(x[0])} {number(base)}L{line}L{number(x[-1])} {number(base)}z" fill="{color}" '
                  'fill-opacity="0.8" stroke="#ffffff" stroke-width="0.7"/>')
        if place in (0, len(chosen) // 2, len(chosen) - 1):
            frame.add(f'<text class="faint" x="{number(right + 5)}" y="{number(base + 3)}" font-size="10" '
                      f'fill="#4b5563">{times[k]:g}</text>')
    frame.add(f'<text class="faint" x="{number(right + 5)}" y="{number(top + room - 14)}" font-size="10" '
              f'fill="#4b5563">{xlabel}</text>')
