"""What is drawn: nodes, the edges between them, and the groups they belong to."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

FORMATS = ("svg", "dot", "html", "txt", "json", "mmd", "tex", "png", "pdf")
LAYERS = ("forward", "backward", "second order", "third order")
UPDATE = "update"
ROLES = ("operation", "parameter", "input", "constant", "state", "output", "gradient", "sum", "group")


def layer_name(order):
    """The layer of derivatives of an order: 0 is the forward pass."""
    return LAYERS[order] if order < len(LAYERS) else f"order {order}"


@dataclass(frozen=True)
class GraphNode:
    """One box of the picture.

    Fields:
        number: position in the order of computation, from 0.
        label: the operation, or the name of the leaf.
        role: one of "operation", "parameter", "input", "constant", "state", "output", "gradient" (what arrives at a
            leaf), "sum" (cotangents that add up), "group" (nodes drawn as one).
        kind: the operation's kind of mathematics; "" for others.
        shape, dtype: of its value.
        note: keyword parameters of the operation, as text.
        layer: "forward", "backward", "second order", ..., or "update".
        module: path of the module whose call it belongs to.
        group: number of its innermost `GraphGroup`, -1 for none.
        of: for gradient rules the number of the node whose gradients they give, else None.
        anchor: the forward node beside which it is drawn, or None.
        device: where its value lives.
        site, code: the user's line that made it, as "file:line in function" and its text.
        stats: mean, std, min, max, zeros (share), nan, inf (counts) of its value, or None.
        flops: arithmetic operations; see `program.flops`.
        bytes: of its value.
        held: bytes that it keeps for the backward pass.
        live: the most bytes of computed values in memory while it runs, or None.
        seconds: time, where it was measured.
        tracked: whether a gradient can flow back through it.
        count: how many nodes a group stands for.
        marks: what is to be noticed, such as "first NaN".
        check: (verdict, words) of a gradient check, or None.
        status: in a comparison "same", "changed", "added", "removed"; else "".
        kernel: of a compiled function, the numbers of the kernels in which it runs.
        change: in a comparison, what changed, in words.
    """

    number: int
    label: str
    role: str
    kind: str
    shape: tuple
    dtype: str
    note: str = ""
    layer: str = "forward"
    module: str = ""
    group: int = -1
    of: int | None = None
    anchor: int | None = None
    device: str = ""
    site: str = ""
    code: str = ""
    stats: dict | None = None
    flops: int = 0
    bytes: int = 0
    held: int = 0
    live: int | None = None
    seconds: float | None = None
    tracked: bool = True
    count: int = 1
    marks: tuple = ()
    check: tuple | None = None
    status: str = ""
    change: str = ""
    kernel: str = ""


class GraphEdge(tuple):
    """An edge; unpacks to the numbers of the nodes it goes from and to.

    Args:
        source, target: numbers of nodes.
        kind: "data"; "gradient" for a cotangent that goes back; "saved" for a value that a gradient rule reads.
        slot: the input of the operation that it is, by name.
        formula: the gradient rule of that input, in the words of the table of rules; "" if it has none.
        stats: statistics of the cotangent, or None.
        shape: of what flows, or None where it is the value of the source.
        times: how many edges it stands for.
        status: in a comparison "added" or "removed", else "".

    Example:
        >>> import tinygrad_notes as tn
        >>> source, target = tn.viz.GraphEdge(0, 1, "data", "x", "g * cos(x)")
        >>> source, target
        (0, 1)
    """

    kind: str
    slot: str
    formula: str
    stats: dict | None
    shape: tuple | None
    times: int
    status: str

    def __new__(cls, source: int, target: int, kind: str = "data", slot: str = "", formula: str = "",
                stats: dict | None = None, shape: tuple | None = None, times: int = 1,
                status: str = "") -> GraphEdge:
        made = super().__new__(cls, (source, target))
        made.__dict__.update(kind=kind, slot=slot, formula=formula, stats=stats, shape=shape, times=times,
                             status=status)
        return made

    def moved(self, source: int, target: int, **changes: Any) -> GraphEdge:
        """The same edge between other nodes."""
        return GraphEdge(source, target, **{**self.__dict__, **changes})


@dataclass(frozen=True)
class GraphGroup:
    """Nodes that belong together.

    Fields:
        number: its place among the groups; a parent has a smaller one.
        parent: number of the group around it, -1 for none.
        name: path of the module, or what is repeated.
        label: class of the module.
        kind: "module", or "repeat" for a stretch of operations that comes again and again.
        count: of how many equal neighbours it is the first, or 1.
        first: number of the group that stands for it where repetitions are folded; its own number if none does.
    """

    number: int
    parent: int
    name: str
    label: str
    kind: str = "module"
    count: int = 1
    first: int = -1

    @property
    def title(self) -> str:
        """Path and class."""
        return f"{self.name or 'the whole'}{': ' + self.label if self.label else ''}"


@dataclass
class Facts:
    """What is known of a graph as a whole.

    Fields:
        title: what was drawn.
        passes: how many backward passes it holds.
        held: bytes kept for backward passes.
        peak: the most bytes of computed values at any time, and the number of the node after which that was.
        notes: (kind, text, node numbers): what is to be noticed; see `health`.
        twins: {node: node of the first repetition that stands for it}.
        legend: further lines for the legend, such as what a comparison compares.
    """

    title: str = ""
    passes: int = 0
    held: int = 0
    peak: tuple | None = None
    notes: list = field(default_factory=list)
    twins: dict = field(default_factory=dict)
    legend: tuple = ()


class Graph:
    """A computation as nodes and edges: it can be narrowed down, written in many formats, and compared.

    Fields:
        nodes: `GraphNode`s in the order of computation.
        edges: `GraphEdge`s; each unpacks to (from, to), numbers of nodes.
        groups: `GraphGroup`s.
        facts: what is known of the whole.
    """

    def __init__(self, nodes: list[GraphNode], edges: Sequence[tuple[int, int]],
                 groups: Sequence[GraphGroup] = (), facts: Facts | None = None) -> None:
        self.nodes = nodes
        self.edges = [e if isinstance(e, GraphEdge) else GraphEdge(*e) for e in edges]
        self.groups, self.facts = list(groups), facts or Facts()
        self._into: dict[int, list[GraphEdge]] | None = None

    def edges_into(self, number: int) -> list[GraphEdge]:
        """The edges that end at a node."""
        if self._into is None:
            self._into = {}
            for e in self.edges:
                self._into.setdefault(e[1], []).append(e)
        return self._into.get(number, [])

    # Formats --------------------------------------------------------------------------
    def svg(self, rules: bool | None = None) -> str:
        """The picture as SVG text; the same graph gives the same bytes.

        Args:
            rules: write gradient rules along the edges; default: in graphs of up to 40 nodes that have a backward pass.
        """
        from .svg import draw

        return draw(self, rules)

    def html(self) -> str:
        """An interactive page in one file, without a server or a network; the same graph gives the same bytes."""
        from .html import page

        return page(self)

    def dot(self) -> str:
        """The graph in Graphviz's language."""
        from .dot import write

        return write(self)

    def mermaid(self) -> str:
        """The graph in Mermaid's language, which Markdown viewers draw."""
        from .mermaid import write

        return write(self)

    def tikz(self) -> str:
        """The picture as LaTeX, for lecture notes: a `standalone` document with one TikZ picture."""
        from .tikz import write

        return write(self)

    def json(self) -> str:
        """Everything that is known of the graph, as JSON by the schema in `docs/graph.schema.json`."""
        from .data import text

        return text(self)

    def text(self) -> str:
        """The graph as lines of text, one per node, in the order of computation, indented by module."""
        from .listing import write

        return write(self)

    def save(self, path: str | PathLike[str]) -> Any:
        """Write the picture; the ending of `path` says how.

        Endings: .svg .html .dot .txt .json .mmd (Mermaid) .tex (TikZ), or .png .pdf with Graphviz.

        Raises:
            ValueError: the ending is none of these.
            RuntimeError: .png or .pdf is asked for and the `dot` program or its package is missing.
            OSError: the file cannot be written.

        Example:
            >>> import tinygrad_notes as tn, tempfile, pathlib
            >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
            >>> path = pathlib.Path(tempfile.mkdtemp()) / "graph.svg"
            >>> tn.graph((x * x).sum()).save(path).read_text()[:4]
            '<svg'
        """
        path = Path(path)
        ending = path.suffix[1:].lower()
        if ending not in FORMATS:
            raise ValueError(f"path: {path.name!r} ends in none of {', '.join('.' + f for f in FORMATS)}")
        if ending in ("png", "pdf"):
            from .dot import render

            body = render(self, ending)
        else:
            how = {"svg": self.svg, "html": self.html, "dot": self.dot, "txt": self.text, "json": self.json,
                   "mmd": self.mermaid, "tex": self.tikz}[ending]
            body = how().encode()
        part = path.with_name(path.name + ".part")
        try:
            part.write_bytes(body)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True) if part.parent.is_dir() else None
            raise type(error)(error.errno, f"the graph cannot be written: {error.strerror}", str(path)) from error
        return path

    # Parts ----------------------------------------------------------------------------
    def only(self, *layers: str) -> Graph:
        """The nodes of some layers: "forward", "backward", "second order", "update".

        Raises:
            ValueError: the graph has no such layer.
        """
        from .select import only

        return only(self, layers)

    def collapse(self, depth: int = 1, fold: bool = True) -> Graph:
        """Modules that lie deeper than `depth` as one node each; with `fold`, repetitions once, with their number.

        Raises:
            ValueError: `depth` is negative.
        """
        from .select import collapse

        return collapse(self, depth, fold)

    def fold(self) -> Graph:
        """Equal neighbours, such as twelve identical blocks, once, with their number."""
        from .select import collapse

        return collapse(self, None, True)

    def around(self, node: int | str, hops: int = 2) -> Graph:
        """What lies within some edges of a node, given by its number or label.

        Raises:
            ValueError: there is no such node, or `hops` is negative.
        """
        from .select import around

        return around(self, node, hops)

    def find(self, words: str) -> list[GraphNode]:
        """The nodes whose label, module, source line, shape or marks hold the words, in any case."""
        from .select import find

        return find(self, words)

    def with_backward(self) -> Graph:
        """A graph of a Tensor, with the backward pass that its rules would make beside it; nothing is computed.

        Raises:
            ValueError: the graph has a backward pass.
        """
        from .backward import with_backward

        return with_backward(self)

    def compare(self, after: Graph, values: bool = True) -> Graph:
        """This graph and a later one laid over each other; see `compare`."""
        from .compare import compare

        return compare(self, after, values)

    def health(self) -> list[tuple[str, str, tuple[int, ...]]]:
        """What a doctor would see: (kind, words, numbers of nodes), most serious first.

        Kinds: "not finite", "no gradient", "vanishing", "exploding", "dead units", "memory".
        """
        return list(self.facts.notes)

    def _repr_svg_(self):
        return self.svg()

    def _repr_html_(self):
        from .html import frame

        return frame(self)

    def __repr__(self) -> str:
        inner = sum(n.role in ("operation", "sum", "group") for n in self.nodes)
        layers = list(dict.fromkeys(n.layer for n in self.nodes))
        told = "" if layers in ([], ["forward"]) else f", {' + '.join(layers)}"
        return (f"Graph({inner} operations, {len(self.nodes) - inner} leaves and outputs, {len(self.edges)} edges"
                f"{told})")


def renumbered(nodes: Sequence[GraphNode], edges: Sequence[GraphEdge], groups: Sequence[GraphGroup],
               facts: Facts) -> Graph:
    """A graph of some nodes of another, numbered anew; edges to nodes that are not there are dropped."""
    from dataclasses import replace

    place: dict = {n.number: k for k, n in enumerate(nodes)}
    kept = [replace(n, number=place[n.number], of=place.get(n.of), anchor=place.get(n.anchor)) for n in nodes]
    links = [e.moved(place[e[0]], place[e[1]]) for e in edges if e[0] in place and e[1] in place]
    found = replace(facts, twins={place[a]: place[b] for a, b in facts.twins.items() if a in place and b in place},
                    peak=(facts.peak[0], place[facts.peak[1]]) if facts.peak and facts.peak[1] in place else None,
                    notes=[(kind, text, tuple(place[k] for k in at if k in place)) for kind, text, at in facts.notes])
    return Graph(kept, links, groups, found)
