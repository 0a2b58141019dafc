"""What is drawn: the operations a Tensor was computed by, its leaves, and the edges between them."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..autograd.node import Bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

FORMATS = ("svg", "dot", "txt", "png", "pdf")


@dataclass(frozen=True)
class GraphNode:
    """One box of the picture.

    Fields:
        number: position in the order of computation, from 0.
        label: the operation, or the name of the leaf.
        role: "operation", "parameter", "input" or "output".
        kind: the operation's kind of mathematics; "" for leaves.
        shape, dtype: of its value.
        note: keyword parameters of the operation, as text.
    """

    number: int
    label: str
    role: str
    kind: str
    shape: tuple
    dtype: str
    note: str = ""


class Graph:
    """The recorded computation behind one or more Tensors.

    Fields:
        nodes: `GraphNode`s in the order of computation.
        edges: (from, to) pairs of node numbers.
    """

    def __init__(self, nodes: list[GraphNode], edges: list[tuple[int, int]]) -> None:
        self.nodes, self.edges = nodes, edges

    def svg(self) -> str:
        """The picture as SVG text; the same graph gives the same bytes."""
        from .svg import draw

        return draw(self)

    def dot(self) -> str:
        """The graph in Graphviz's language."""
        from .dot import write

        return write(self)

    def text(self) -> str:
        """The graph as lines of text, one per operation, in the order of computation."""
        names = [f"%{n.number}" for n in self.nodes]
        sources: dict[int, list[str]] = {n.number: [] for n in self.nodes}
        for a, b in self.edges:
            sources[b].append(names[a])
        lines = []
        for n in self.nodes:
            call = (
                n.label
                if n.role != "operation"
                else f"{n.label}({', '.join(sources[n.number])}{', ' + n.note if n.note else ''})"
            )
            lines.append(
                f"{names[n.number]:>5} = {call}    {n.dtype} {n.shape}"
                + (f"  {n.role}" if n.role != "operation" else "")
            )
        return "\n".join(lines)

    def save(self, path: str | PathLike[str]) -> Any:
        """Write the picture; the ending of `path` says how: .svg .dot .txt, or .png .pdf with Graphviz.

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

            path.write_bytes(render(self, ending))
        else:
            path.write_text({"svg": self.svg, "dot": self.dot, "txt": self.text}[ending](), encoding="utf-8")
        return path

    def _repr_svg_(self):
        return self.svg()

    def __repr__(self) -> str:
        inner = sum(n.role == "operation" for n in self.nodes)
        return f"Graph({inner} operations, {len(self.nodes) - inner} leaves and outputs, {len(self.edges)} edges)"


def graph(outputs: Tensor | Sequence[Tensor], names: Mapping[str, Tensor] | None = None) -> Graph:
    """The graph of what `outputs` was computed from, back to the leaves that want a gradient.

    Args:
        outputs: a Tensor or a sequence of Tensors with a recorded history; draw before `backward()` frees it.
        names: {name: Tensor} of leaves (and outputs), such as `dict(model.named_parameters())`.

    Returns:
        A `Graph`: `.svg()`, `.dot()`, `.text()`, `.save(path)`; shown as a picture in notebooks.

    Raises:
        TypeError: an output is not a Tensor.
        ValueError: nothing was recorded, or backward has freed the graph.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([1.0, 2.0], requires_grad=True)
        >>> print(tn.graph((x * x).sum(), {"x": x}).text())
           %0 = x    float32 (2,)  input
           %1 = multiply(%0, %0)    float32 (2,)
           %2 = sum(%1, axis=None, keepdims=False)    float32 ()
           %3 = output    float32 ()  output
    """
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    known = {id(t.node if t.node is not None else t): name for name, t in (names or {}).items()}
    for k, t in enumerate(outputs):
        if not isinstance(t, Tensor):
            raise TypeError(f"outputs[{k}]: expected a Tensor, got {type(t).__name__}")
        if t.node is None:
            raise ValueError(
                f"outputs[{k}], shape {t.shape}: nothing to draw, no operation was recorded. Compute it from "
                "tensors with requires_grad=True, outside no_grad"
            )
        if t.node.saved is None:
            raise ValueError(
                f"outputs[{k}], shape {t.shape}: its graph was freed by backward(). Draw before backward(), "
                "or keep it with retain_graph=True"
            )
    recorded, leaves = _collect([t.node for t in outputs])
    nodes: list[GraphNode] = []
    edges, number = [], {}

    def place(key, label, role, kind, shape, dtype, note=""):
        number[key] = len(nodes)
        nodes.append(GraphNode(len(nodes), label, role, kind, tuple(shape), str(dtype), note))

    for k, leaf in enumerate(leaves):
        name = known.get(id(leaf))
        role = "parameter" if type(leaf) is not Tensor else "input"
        place(id(leaf), name or f"{role} {k}", role, "", leaf.shape, leaf.dtype)
    for node in recorded:
        primitive = node.plan.primitive
        shape, dtype = (node.shape[0], node.dtype[0]) if isinstance(node, Bundle) else (node.shape, node.dtype)
        note = ", ".join(f"{key}={value!r}" for key, value in (node.attrs or {}).items() if len(repr(value)) <= 24)
        place(id(node), primitive.name, "operation", primitive.kind, shape, dtype, note)
        edges += [(number[id(p)], number[id(node)]) for p in node.parents]
    for k, t in enumerate(outputs):
        label = known.get(id(t.node)) or ("output" if len(outputs) == 1 else f"output {k}")
        place(("output", k), label, "output", "", t.shape, t.dtype)
        edges.append((number[id(t.node)], number["output", k]))
    return Graph(nodes, edges)


def _collect(roots):
    """All nodes behind `roots`, oldest first, and their leaves in the order of first use."""
    seen, stack = {}, list(roots)
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            stack.extend(p for p in node.parents if not isinstance(p, Tensor))
    recorded = sorted(seen.values(), key=lambda node: -node.order)
    leaves = {id(p): p for node in recorded for p in node.parents if isinstance(p, Tensor)}
    return recorded, list(leaves.values())
