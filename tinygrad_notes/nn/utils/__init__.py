"""Helpers around layers, under PyTorch's names."""
from . import rnn as rnn
