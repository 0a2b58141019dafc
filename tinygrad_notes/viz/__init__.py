"""Pictures without any binary or plotting library: the computation graph, curves, fields, points, sheets of images."""

from .curves import plot_curves, plot_variances
from .graph import Graph, GraphNode, graph
from .heat import attention_map, heatmap
from .histograms import plot_histograms
from .network import network
from .panels import panels
from .picture import Picture, png_bytes
from .plane import density, scatter
from .sheet import image_sheet
from .text import text_curves

__all__ = [
    "Graph", "GraphNode", "Picture", "attention_map", "density", "graph", "heatmap", "image_sheet", "network",
    "panels", "plot_curves", "plot_histograms", "plot_variances", "png_bytes", "scatter", "text_curves",
]
