"""The computation graph as a picture: SVG without any binary, DOT for Graphviz, text for terminals."""

from .graph import Graph, GraphNode, graph

__all__ = ["Graph", "GraphNode", "graph"]
