"""Pictures without any binary or plotting library: the computation graph, curves, fields, points, sheets of images."""

from .capture import graph
from .compare import compare
from .curves import plot_curves, plot_variances
from .heat import attention_map, heatmap
from .histograms import plot_histograms
from .model import Graph, GraphEdge, GraphGroup, GraphNode
from .network import network
from .panels import panels
from .picture import Picture, png_bytes
from .plane import density, scatter
from .profiled import Profile, profile
from .sheet import image_sheet
from .surface import LossSurface, loss_surface
from .text import text_curves

__all__ = [
    "Graph", "GraphEdge", "GraphGroup", "GraphNode", "LossSurface", "Picture", "Profile", "attention_map", "compare",
    "density", "graph", "heatmap", "image_sheet", "loss_surface", "network", "panels", "plot_curves", "plot_histograms",
    "plot_variances", "png_bytes", "profile", "scatter", "text_curves",
]
