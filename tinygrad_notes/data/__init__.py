"""Data sets that ship, generators of toy data, and loaders that go through them batch by batch."""
from . import augment, cifar, digits, mnist, mnist1d, text
from .catalog import CATALOG, Source, find
from .dataset import Dataset, Subset, TensorDataset, collate
from .graphs import karate_club, stochastic_block_model
from .loader import DataLoader, minibatches
from .networks import GraphDataset, random_networks
from .pairs import reversals
from .shapes import drawn_shapes
from .split import bootstrap, random_split, stratified_split
from .text import TokenWindows
from .tokenizer import BPETokenizer, CharTokenizer, learn_merges
from .toy import (
    checkerboard,
    double_well,
    eight_gaussians,
    gabor,
    line,
    linear_teacher,
    rings,
    sine4,
    spiral,
    two_moons,
)
from .transform import label_noise, standardize

__all__ = [
    "BPETokenizer", "CATALOG", "CharTokenizer", "DataLoader", "Dataset", "GraphDataset", "Source", "Subset",
    "TensorDataset", "TokenWindows", "augment", "bootstrap", "checkerboard", "cifar", "collate", "digits",
    "double_well", "drawn_shapes", "eight_gaussians", "find", "gabor", "karate_club", "label_noise", "learn_merges",
    "line", "linear_teacher", "minibatches", "mnist", "mnist1d", "random_networks", "random_split", "reversals",
    "rings", "sine4", "spiral", "standardize", "stochastic_block_model", "stratified_split", "text", "two_moons",
]
