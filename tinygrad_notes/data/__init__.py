"""Data sets that ship, generators of toy data, and loaders that go through them batch by batch."""
from . import augment, digits, mnist, mnist1d
from .catalog import CATALOG, Source, find
from .dataset import Dataset, Subset, TensorDataset, collate
from .graphs import karate_club, stochastic_block_model
from .loader import DataLoader, minibatches
from .split import bootstrap, random_split, stratified_split
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
    "CATALOG", "DataLoader", "Dataset", "Source", "Subset", "TensorDataset", "augment", "bootstrap", "checkerboard",
    "collate", "digits", "double_well", "eight_gaussians", "find", "gabor", "karate_club", "label_noise", "line",
    "linear_teacher", "minibatches", "mnist", "mnist1d", "random_split", "rings", "sine4", "spiral", "standardize",
    "stochastic_block_model", "stratified_split", "two_moons",
]
