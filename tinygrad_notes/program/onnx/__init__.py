"""ONNX: a function as a file that other runtimes run. Needs the package onnx: `pip install "tinygrad-notes[onnx]"`."""
from .export import export
from .graph import NoOnnxForm

__all__ = ["NoOnnxForm", "export"]
