"""Data sets by name, with what a program must know of them to train on them."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import to_dtype
from ..backend.names import unknown
from ..nn.graph import to_dense_adjacency
from . import cifar, digits, mnist, mnist1d, networks, shapes
from .dataset import TensorDataset
from .graphs import karate_club, stochastic_block_model
from .networks import GraphDataset, random_networks
from .pairs import reversals
from .shapes import drawn_shapes
from .stream import stream, to_tensor
from .text import TokenWindows, corpus, split
from .tokenizer import BPETokenizer, CharTokenizer
from .toy import checkerboard, eight_gaussians, line, rings, sine4, spiral, two_moons

KINDS = ("image", "signal", "points", "nodes", "text", "curve", "mask", "pairs", "graphs")


@dataclass(frozen=True)
class Source:
    """A data set in two parts.

    Fields:
        name: as it was asked for.
        train, test: `TensorDataset`s of inputs (N, D) and labels (N,).
        shape: of one example before it was made a row: (H, W) of an image, (3, H, W) of one in color, (T,) of a signal.
        classes: number of classes.
        unit: whether all values are from 0 to 1.
        graph: where the examples are nodes, the `Graph` that joins them; its `y` holds all labels.
        kind: what an example is, one of `KINDS`; a text is windows of `shape` (T,) tokens out of `classes`, pairs are
            two such sequences; a curve has numbers in place of labels, a mask a label for each place of its images
            (N, 1, H, W); the parts of graphs are `GraphDataset`s.
        tokenizer: of a text, how it was made tokens; the parts are then `TokenWindows`.
    """

    name: str
    train: TensorDataset
    test: TensorDataset
    shape: tuple
    classes: int
    unit: bool
    graph: Any = None
    kind: str = "image"
    tokenizer: Any = None

    @property
    def planes(self):
        """The shape of an example as convolutions see it, with its channels: (C, H, W) or (C, T)."""
        return self.shape if len(self.shape) == 3 else (1, *self.shape)


@dataclass(frozen=True)
class Entry:
    """A line of the catalog: what it is, and the function (folder, dtype, device) -> `Source`."""

    summary: str
    licence: str
    open: object
    folder: bool = False


def _digits(folder, dtype, device):
    return Source("digits", *digits.load(dtype=dtype, device=device), (8, 8), digits.CLASSES, True)


def _mnist1d(folder, dtype, device):
    return Source("mnist1d", *mnist1d.make(dtype=dtype, device=device), (mnist1d.FINAL,), mnist1d.CLASSES, False,
                  kind="signal")


def _mnist(folder, dtype, device):
    train, test = mnist.load(Path(folder).expanduser(), dtype=dtype, device=device)
    side = round(train.tensors[0].shape[1]**0.5)
    classes = int(train.tensors[1].max()) + 1
    return Source(f"mnist:{folder}", train, test, (side, train.tensors[0].shape[1] // side), classes, True)


def _cifar(folder, dtype, device):
    train, test = cifar.load(Path(folder).expanduser(), dtype=dtype, device=device)
    return Source(f"cifar:{folder}", train, test, cifar.SHAPE, int(train.tensors[1].max()) + 1, True)


def _karate(folder, dtype, device):
    graph = karate_club(dtype=dtype, device=device)
    return _nodes("karate", graph, np.array([0, 33]), dtype)


def _blocks(folder, dtype, device):
    graph = stochastic_block_model((100, 100), (0.1, 0.01), generator=0, device=device)
    chosen = stream(1).permutation(100)[:10]
    return _nodes("sbm", graph, np.sort(chosen + 100 * (np.arange(10) % 2)), dtype)


def _text(folder, dtype, device):
    train, test = split(corpus())
    return _windows("text", train, test, BPETokenizer(train, 1024), 64, device)


def _characters(folder, dtype, device):
    text = corpus()
    return _windows("text-chars", *split(text), CharTokenizer(text), 128, device)


def _windows(name, train, test, tokenizer, length, device):
    """Windows to train on overlap by half, so that every token is also asked for with something before it."""
    parts = (TokenWindows(tokenizer.encode(train), length, length // 2, device=device),
             TokenWindows(tokenizer.encode(test), length, device=device))
    return Source(name, *parts, (length,), tokenizer.vocab_size, False, None, "text", tokenizer)


def _nodes(name, graph, train, dtype):
    """A few nodes with labels, all others to be classified: rows of the adjacency matrix, labels, numbers of nodes."""
    adjacency = to_dense_adjacency(graph, to_dtype(dtype))
    graph = graph.replace(x=adjacency)
    data = TensorDataset(adjacency, graph.y, to_tensor(np.arange(graph.num_nodes), device=graph.device))
    test = np.setdiff1d(np.arange(graph.num_nodes), train)
    parts = (TensorDataset(*data.batch(rows)) for rows in (train, test))
    return Source(name, *parts, (graph.num_nodes,), 2, True, graph, "nodes")


def _points(name, make, classes):
    """(folder, dtype, device) -> `Source` of points made on the spot, always the same ones."""
    def open_points(folder, dtype, device):
        train, test = (TensorDataset(*make(4000, generator=seed, dtype=dtype, device=device)) for seed in (0, 1))
        return Source(name, train, test, (2,), classes, False, kind="points")
    return open_points



def _curve(name, make):
    """(folder, dtype, device) -> `Source` of points of a curve with noise: few to learn from, many held out."""
    def open_curve(folder, dtype, device):
        train, test = (make(n, generator=seed, dtype=dtype, device=device) for seed, n in enumerate((60, 1000)))
        train, test = (TensorDataset(x[:, -1:], y[:, 0]) for x, y in (train, test))  # without a column of ones
        return Source(name, train, test, (1,), 1, False, kind="curve")
    return open_curve


def _shapes(folder, dtype, device):
    train, test = (TensorDataset(*drawn_shapes(n, generator=seed, dtype=dtype, device=device))
                   for seed, n in enumerate((1000, 200)))
    return Source("shapes", train, test, train.tensors[0].shape[2:], len(shapes.CLASSES), False, kind="mask")


def _reversals(folder, dtype, device):
    train, test = (TensorDataset(*reversals(n, generator=seed, device=device)) for seed, n in enumerate((8000, 1000)))
    return Source("reversals", train, test, train.tensors[0].shape[1:], 10, False, kind="pairs")


def _networks(folder, dtype, device):
    train, test = (GraphDataset(random_networks(n, generator=seed, dtype=dtype, device=device))
                   for seed, n in enumerate((900, 300)))
    return Source("networks", train, test, (1,), len(networks.CLASSES), False, kind="graphs")


CATALOG = {
    "digits": Entry("1,797 handwritten digits, 8x8, ship with the package",
                    "CC BY 4.0, Alpaydin & Kaynak 1998", _digits),
    "mnist1d": Entry("5,000 one-dimensional digits of 40 points, made on the spot",
                     "after Greydanus & Kobak 2024", _mnist1d),
    "mnist": Entry("MNIST or its kin from four idx files of yours, as mnist:FOLDER",
                   "that of your files", _mnist, True),
    "cifar": Entry("CIFAR-10 or CIFAR-100 from files of yours, binary or pickled, as cifar:FOLDER",
                   "that of your files", _cifar, True),
    "text": Entry("the language reference of Python, 380,000 characters, as 1,024 byte-pair tokens",
                  "PSF License, ships with Python", _text),
    "text-chars": Entry("the same text character by character", "PSF License, ships with Python", _characters),
    "karate": Entry("34 members of a karate club, a graph of 78 friendships; 2 of them labelled",
                    "published by Zachary 1977", _karate),
    "sbm": Entry("200 nodes in two blocks, a random graph made on the spot; 10 of them labelled",
                 "after Holland, Laskey & Leinhardt 1983", _blocks),
    "moons": Entry("4,000 points of two half circles that interlock, made on the spot", "made here",
                   _points("moons", two_moons, 2)),
    "rings": Entry("4,000 points of three circles around one center, made on the spot", "made here",
                   _points("rings", rings, 3)),
    "gaussians8": Entry("4,000 points of eight clouds on a circle, made on the spot", "made here",
                        _points("gaussians8", eight_gaussians, 8)),
    "spiral": Entry("4,000 points of two arms that wind out, made on the spot", "made here",
                    _points("spiral", spiral, 2)),
    "checkerboard": Entry("4,000 points on every second square of a board, made on the spot", "made here",
                          _points("checkerboard", checkerboard, 8)),
    "line": Entry("60 points of a straight line with noise of 2, made on the spot", "made here", _curve("line", line)),
    "sine": Entry("60 points of 4 sin x with noise of 2, made on the spot", "made here", _curve("sine", sine4)),
    "shapes": Entry("1,000 noisy images of two shapes each, 24x24, and where they are, made on the spot", "made here",
                    _shapes),
    "reversals": Entry("8,000 words of 8 letters and the same from back to front, made on the spot", "made here",
                       _reversals),
    "networks": Entry("900 graphs of 20 to 40 nodes, of three kinds that are equally dense, made on the spot",
                      "after Erdos, Watts, Barabasi and others", _networks),
}


def find(name, dtype=None, device=None):
    """The data set called `name`.

    Args:
        name: 'digits', 'mnist1d', 'text', 'text-chars', 'karate', 'sbm', 'moons', 'rings', 'gaussians8', 'spiral',
            'checkerboard', 'line', 'sine', 'shapes', 'reversals', 'networks', 'mnist:FOLDER' with a folder of idx
            files, or 'cifar:FOLDER' with one of CIFAR's batches.
        dtype: floating dtype of the inputs, default float32.
        device: where the tensors live.

    Returns:
        A `Source`.

    Raises:
        ValueError: the name is unknown (the message lists those there are), or a folder is missing or not wanted.
        FileNotFoundError: the folder lacks a file.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.find("digits").shape
        (8, 8)
    """
    entry, folder = look_up(name)
    return entry.open(folder, dtype, device)


def look_up(name):
    """The `Entry` that a name stands for, and the folder in it, without reading anything.

    Raises:
        ValueError: as in `find`.
    """
    kind, _, folder = name.partition(":")
    if kind not in CATALOG:
        raise ValueError(unknown("data", name, CATALOG))
    entry = CATALOG[kind]
    if entry.folder != bool(folder):
        raise ValueError(f"data: {kind!r} needs a folder, as in {kind}:FOLDER" if entry.folder else
                         f"data: {kind!r} takes no folder, got {name!r}")
    return entry, folder
