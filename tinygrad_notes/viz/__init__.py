"""Pictures without any binary or plotting library: the computation graph, loss curves, sheets of images."""

from .curves import plot_curves, plot_variances
from .graph import Graph, GraphNode, graph
from .picture import Picture, png_bytes
from .sheet import image_sheet

__all__ = ["Graph", "GraphNode", "Picture", "graph", "image_sheet", "plot_curves", "plot_variances", "png_bytes"]
