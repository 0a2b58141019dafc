"""The names of `torch.utils.data` that are in `tinygrad_notes.data`."""
from ..data import DataLoader, Dataset, Subset, TensorDataset, random_split
from ..data import collate as default_collate

__all__ = ["DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "random_split"]
