"""What the command line knows of the models: one file of recipes per family."""
from ...backend.names import unknown
from ...nn.state import replaced
from . import autoencoder, cnn, diffusion, flows, gan, graph, linear, mlp, segmentation, sequence, translation, vae
from .recipe import Recipe

__all__ = ["RECIPES", "Recipe", "find", "loss_of_parameters"]

FAMILIES = (  # in the order in which they are listed
    linear,
    mlp,
    cnn,
    segmentation,
    sequence,
    translation,
    graph,
    autoencoder,
    vae,
    gan,
    flows,
    diffusion,
)
RECIPES = {recipe.name: recipe for family in FAMILIES for recipe in family.RECIPES}


def find(name):
    """The `Recipe` called `name`.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in RECIPES:
        raise ValueError(unknown("model", name, RECIPES))
    return RECIPES[name]


def loss_of_parameters(model, batch):
    """The loss as a function of the parameters, and their values: what a gradient check needs.

    Args:
        model: a Module with `loss(*batch)`; where the loss has stops of gradients, it also has `stops(*batch)`: what is
            behind them now, which `loss(*batch, stops=...)` keeps, so that its slopes are the gradient.
        batch: the arguments of `loss`.

    Returns:
        A function of as many Tensors as there are parameters, and the list of the parameters.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.MLPClassifier(2, 3, hidden=(4,))
        >>> loss, parameters = tn.models.loss_of_parameters(model, (tn.ones((1, 2)), tn.tensor([0])))
        >>> tn.gradcheck(loss, parameters).verdict
        'CORRECT'
    """
    names, values = zip(*model.named_parameters())
    with model.evaluating():
        kept = {"stops": model.stops(*batch)} if hasattr(model, "stops") else {}

    def loss(*parameters):
        with replaced(model, dict(zip(names, parameters))), model.evaluating():
            found = model.loss(*batch, **kept)
        return found["loss"] if isinstance(found, dict) else found
    return loss, list(values)
