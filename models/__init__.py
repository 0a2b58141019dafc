"""One file per model family, built from the public parts of the package."""
from . import flows, recipes
from .gnn import GCN, GIN, LinkPredictor
from .mlp import MLPClassifier
from .recipes import RECIPES, loss_of_parameters
from .vae import VAE

__all__ = ["GCN", "GIN", "LinkPredictor", "MLPClassifier", "RECIPES", "VAE", "flows", "loss_of_parameters", "recipes"]
