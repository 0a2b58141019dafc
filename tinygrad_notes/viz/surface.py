"""The loss around the present weights along two directions, and the way the optimizer took over it."""
from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor, no_grad
from ..backend import Generator, default_generator
from ..ops import normal
from ..ops import sum as total
from .axes import BOTTOM, LEFT, TOP, Axis, Frame
from .colors import color_bar, colored, image, limits
from .contour import contours
from .picture import Picture, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

LEVELS, FINE = 14, 4  # lines of equal loss; pixels per step of the grid


class LossSurface(Picture):
    """A picture of a loss over two directions, with its numbers.

    Fields:
        x, y: NumPy arrays of the steps along both directions; 0 are the present weights.
        values: the losses (len(y), len(x)).
        path: (T, 2), the way over it, or None.
        explained: for the directions of largest spread, the share of the path's spread along each; else None.
    """

    def __init__(self, text, x, y, values, path, explained):
        super().__init__(text)
        self.x, self.y, self.values, self.path, self.explained = x, y, values, path, explained


def loss_surface(model: Any, data: Iterable[Any], loss: Callable[..., Any] | None = None, *,
                 directions: str | Sequence[Mapping[str, Any]] = "random",
                 path: Sequence[Mapping[str, Any]] | None = None, span: float | None = None, steps: int = 25,
                 log: bool | None = None, seed: int = 0, progress: bool | None = None, title: str = "",
                 colors: str = "viridis", width: int = 520, height: int = 440) -> LossSurface:
    """Draw the loss of a model around its weights along two directions.

    Formula: L(w + a d_1 + b d_2) over a grid of a and b, L the mean over all batches, in evaluation mode and with the
        same random numbers at each point. 'random': d is normal, and each filter (row) of a weight is scaled to the
        length of that filter of w; offsets and gains, and all else with one axis, stay. 'pca': the two directions of
        largest spread of `path` around w, of length 1.

    Nothing is changed: afterwards the model has the very same arrays, and the default generator its state.

    Args:
        model: a Module.
        data: batches, such as a `DataLoader` or a list; gone through once per point.
        loss: `loss(model, *batch)`; by default `model.loss(*batch)`. A Tensor, or a dict with the Tensor "loss".
        directions: 'random', 'pca', or two dicts {name of a parameter: Tensor}; what they lack stays.
        path: states of the model in the order of training, such as `train.Snapshots.states`; drawn over the surface.
        span: the grid reaches from -span to span; by default 1 for 'random', and with 'pca' so far that the path fits.
        steps: points along each direction; the model is evaluated at steps x steps of them.
        log: whether colors follow the logarithm of the loss; by default where it spans more than a factor of 20.
        seed: of the random directions.
        progress: True for a bar, False for none, None for one in terminals.
        title: text above.
        colors: a scale, see `heatmap`.
        width, height: in pixels.

    Returns:
        A `LossSurface`: a `Picture` with the fields `x`, `y`, `values`, `path`, `explained`.

    Raises:
        ValueError: an option is out of range or unknown, there is no batch, a path is missing, has states of other
            shapes or does not move, or no loss is finite.
        TypeError: the model has no method `loss`, and none is given.

    Source: Li, Xu, Taylor, Studer, Goldstein 2018, Visualizing the loss landscape of neural nets, sections 4 and 7;
        Goodfellow, Vinyals, Saxe 2015, Qualitatively characterizing neural network optimization problems.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.nn.Linear(2, 1)
        >>> batch = (tn.randn(8, 2), tn.randn(8, 1))
        >>> found = tn.viz.loss_surface(model, [batch], lambda m, x, y: ((m(x) - y)**2).mean(), steps=5)
        >>> found.values.shape, found.svg()[:4]
        ((5, 5), '<svg')
    """
    if loss is None and not callable(getattr(model, "loss", None)):
        raise TypeError(f"loss: {type(model).__name__} has no method loss(*batch); give a function(model, *batch)")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 2:
        raise ValueError(f"steps: expected an int >= 2, got {steps!r}")
    if span is not None and not 0 < span < math.inf:
        raise ValueError(f"span: expected a number > 0, got {span!r}")
    weights = {name: p.detach() for name, p in model.named_parameters()}
    moves = None if path is None else [_difference(state, weights, k) for k, state in enumerate(path)]
    with no_grad():
        first, second, explained = _directions(directions, weights, moves, seed)
        way = None if moves is None else _projected(moves, first, second)
        (x0, x1), (y0, y1) = _extent(way, span, directions)
        x, y = np.linspace(x0, x1, steps), np.linspace(y0, y1, steps)
        values = _losses(model, list(data), loss, weights, first, second, x, y, progress)
    if not np.isfinite(values).any():
        raise ValueError("loss: it is finite at no point of the grid; a smaller span may help")
    names = [f"{'random ' if directions == 'random' else ''}direction {k}" for k in (1, 2)]
    if explained is not None:
        names = [f"{name} ({100 * share:.0f}% of the path)" for name, share in zip(names, explained)]
    text = _draw(x, y, values, way, log, title, names, colors, width, height)
    return LossSurface(text, x, y, values, way, explained)


# Directions ---------------------------------------------------------------------------
def _directions(directions, weights, moves, seed):
    """Two dicts of Tensors, and the shares of the spread along them."""
    if directions == "random":
        stream = Generator(seed)
        return *[{name: _filterwise(w, stream) for name, w in weights.items() if w.ndim > 1} for _ in range(2)], None
    if directions == "pca":
        if moves is None:
            raise ValueError("path: directions='pca' needs the states that the model went through")
        return _principal(moves)
    if isinstance(directions, str) or len(directions) != 2:
        raise ValueError(f"directions: expected 'random', 'pca' or two dicts, got {directions!r}")
    for k, direction in enumerate(directions):
        for name, d in direction.items():
            if name not in weights or tuple(d.shape) != weights[name].shape:
                raise ValueError(f"directions[{k}]: {name!r} of shape {tuple(d.shape)} is no parameter of the model")
    return *directions, None


def _filterwise(w, stream):
    """A normal direction with each row as long as that of the weight."""
    d = normal(w.shape, generator=stream, dtype=w.dtype, device=w.device)
    axes = tuple(range(1, w.ndim))
    length = lambda t: total(t * t, axis=axes, keepdims=True)**0.5
    return d * (length(w) / (length(d) + 1e-30))


def _principal(moves):
    """The two directions of largest spread around the present weights, as combinations of the moves."""
    gram = np.array([[_dot(a, b) for b in moves] for a in moves])
    shares, vectors = np.linalg.eigh(gram)
    if len(moves) < 2 or not shares[-2] > 1e-12 * shares[-1] or not shares[-1] > 0:
        raise ValueError(f"path: its {len(moves)} states do not span a plane around the present weights")
    found = []
    for k in (-1, -2):
        parts = [float(c) for c in vectors[:, k] / shares[k]**0.5]
        found.append({name: sum((c * move[name] for c, move in zip(parts[1:], moves[1:])), parts[0] * moves[0][name])
                      for name in moves[0]})
    return *found, (float(shares[-1] / shares.sum()), float(shares[-2] / shares.sum()))


def _difference(state, weights, k):
    moved = {}
    for name, w in weights.items():
        if name not in state or tuple(state[name].shape) != w.shape:
            got = f"shape {tuple(state[name].shape)}" if name in state else "nothing"
            raise ValueError(f"path[{k}]: expected {name!r} of shape {w.shape}, got {got}")
        moved[name] = Tensor(state[name], device=w.device).detach() - w
    return moved


def _dot(a, b):
    return sum(total((a[name] * b[name]).astype("float64")).item() for name in a if name in b)


def _projected(moves, first, second):
    """Coordinates (T, 2) of moves in the plane of two directions: the nearest points."""
    gram = np.array([[_dot(a, b) for b in (first, second)] for a in (first, second)])
    right = np.array([[_dot(move, d) for d in (first, second)] for move in moves])
    return np.linalg.lstsq(gram, right.T, rcond=None)[0].T


def _extent(way, span, directions):
    if span is not None or way is None or directions == "random":
        reach = 1.0 if span is None else span
        return (-reach, reach), (-reach, reach)
    both = np.concatenate([way, np.zeros((1, 2))])
    low, high = both.min(0), both.max(0)
    pad = np.maximum(0.25 * (high - low), 0.05 * (high - low).max())
    return (low[0] - pad[0], high[0] + pad[0]), (low[1] - pad[1], high[1] + pad[1])


# Losses ---------------------------------------------------------------------------------
def _losses(model, batches, loss, weights, first, second, x, y, progress):
    from tqdm import tqdm

    if not batches:
        raise ValueError("data: it has no batch")
    values = np.empty((len(y), len(x)))
    bar = tqdm(total=values.size, unit="point", desc="loss surface", disable=None if progress is None else not progress)
    with _unchanged(model) as (parameters, again), bar, np.errstate(all="ignore"):
        for i, b in enumerate(y.tolist()):
            for j, a in enumerate(x.tolist()):
                for name, p in parameters.items():
                    w = weights[name]
                    if name in first:
                        w = w + a * first[name]
                    if name in second:
                        w = w + b * second[name]
                    p.data = w.data
                again()
                values[i, j] = _mean(model, batches, loss)
                bar.update()
    return values


def _mean(model, batches, loss):
    """The mean over batches, by their numbers of examples."""
    whole = weight = 0.0
    for batch in batches:
        batch = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
        found = model.loss(*batch) if loss is None else loss(model, *batch)
        n = next((part.shape[0] for part in batch if isinstance(part, Tensor) and part.ndim), 1)
        whole += n * float(found["loss"] if isinstance(found, dict) else found)
        weight += n
    return whole / weight


@contextmanager
def _unchanged(model):
    """Evaluate as often as wanted; then put the arrays, the modes and the random stream back as they were."""
    parameters = dict(model.named_parameters())
    before = {name: p.data for name, p in parameters.items()}
    stream = default_generator.get_state()
    try:
        with model.evaluating():
            yield parameters, lambda: default_generator.set_state(stream)
    finally:
        for name, p in parameters.items():
            p.data = before[name]
        default_generator.set_state(stream)


# The picture ------------------------------------------------------------------------------
def _draw(x, y, values, way, log, title, names, colors, width, height):
    good = values[np.isfinite(values)]
    log = (good.min() > 0 and good.max() > 20 * good.min()) if log is None else log
    if log and not good.min() > 0:
        raise ValueError(f"log: the loss is {good.min():.4g} somewhere, which has no logarithm")
    shown = np.log10(values) if log else values
    low, high = limits(shown, None, None, colors)
    right, bottom = width - 70, height - BOTTOM
    xs, ys = Axis(x[0], x[-1], False, LEFT, right), Axis(y[0], y[-1], False, bottom, TOP + 4)
    frame = Frame(width, height, title, f"{title or 'loss surface'}: {len(y)} x {len(x)}, {good.min():.4g} to "
                                        f"{good.max():.4g}")
    frame.yaxis(ys, LEFT, right, names[1], rules=False)
    frame.xaxis(xs, bottom, names[0])
    rgb = colored(_finer(shown)[::-1], colors, low, high)
    frame.add(image(rgb, LEFT, TOP + 4, right - LEFT, bottom - TOP - 4, smooth=True))
    at = lambda row, column: (number(xs.start + (xs.stop - xs.start) * column / (len(x) - 1)),
                              number(ys.start + (ys.stop - ys.start) * row / (len(y) - 1)))
    for level in np.linspace(low, high, LEVELS + 2)[1:-1]:
        path = "".join("M" + "L".join(" ".join(at(*point)) for point in line) for line in contours(shown, level))
        if path:
            told = f"{10**level if log else level:.4g}"
            frame.add(f'<path d="{path}" fill="none" stroke="#ffffff" stroke-opacity="0.55" stroke-width="0.8">'
                      f'<title>loss {told}</title></path>')
    frame.add(color_bar(colors, low, high, right + 14, TOP + 4, bottom, "log10" if log else ""))
    if way is not None:
        frame.add(_way(way, xs, ys))
    frame.add(f'<path transform="translate({number(xs.at(0.0))} {number(ys.at(0.0))})" d="M-5 -5L5 5M-5 5L5 -5" '
              'stroke="#ffffff" stroke-width="3.4"/>',
              f'<path transform="translate({number(xs.at(0.0))} {number(ys.at(0.0))})" d="M-5 -5L5 5M-5 5L5 -5" '
              'stroke="#c1121f" stroke-width="1.8"><title>the present weights</title></path>')
    return "\n".join([*frame.parts, "</svg>\n"])


def _way(way, xs, ys):
    """The path as a line with a point per state, cut off at the frame."""
    at = [(number(xs.at(a)), number(ys.at(b))) for a, b in way]
    line = "M" + "L".join(" ".join(p) for p in at)
    inside = f"{number(xs.start)} {number(ys.stop)} {number(xs.stop - xs.start)} {number(ys.start - ys.stop)}".split()
    dots = "".join(f'<circle cx="{a}" cy="{b}" r="{3.4 if k == 0 else 1.8}" fill="{"#111827" if k else "#ffffff"}" '
                   f'stroke="{"#ffffff" if k else "#111827"}" stroke-width="0.8"/>' for k, (a, b) in enumerate(at))
    return (f'<svg x="{inside[0]}" y="{inside[1]}" width="{inside[2]}" height="{inside[3]}" '
            f'viewBox="{" ".join(inside)}"><path d="{line}" fill="none" stroke="#ffffff" stroke-width="3" '
            f'stroke-opacity="0.6"/><path d="{line}" fill="none" stroke="#111827" stroke-width="1.3"/>{dots}</svg>')


def _finer(values):
    """The matrix with FINE points per step, linear in between."""
    for axis in (0, 1):
        n = values.shape[axis]
        fine = np.linspace(0, n - 1, FINE * (n - 1) + 1)
        below = np.minimum(fine.astype(int), n - 2)
        share = (fine - below).reshape((-1, 1) if axis == 0 else (1, -1))
        values = np.take(values, below, axis) * (1 - share) + np.take(values, below + 1, axis) * share
    return values
