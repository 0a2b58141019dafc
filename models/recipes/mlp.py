"""The perceptron at the command line."""
from ..mlp import MLPClassifier
from .classes import PLOTS, pictures, report
from .recipe import Recipe, size


def _build_mlp(source, dtype, device, *, hidden: tuple = (256, 256), dropout: float = 0.4):
    return MLPClassifier(size(source), source.classes, hidden, dropout, device=device, dtype=dtype)


RECIPES = (
    Recipe("mlp", "a perceptron that classifies", _build_mlp, lambda data: data, report, pictures,
           data="digits", epochs=60, batch_size=32, lr=1e-3, half_life=20, plots=PLOTS),
)
