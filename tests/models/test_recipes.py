"""What the command line knows of the models."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import Source, TensorDataset
from tinygrad_notes.models import RECIPES, loss_of_parameters, recipes


@pytest.fixture(params=["image", "signal"])
def source(request, rng):
    shape, unit = ((4, 4), True) if request.param == "image" else ((16,), False)
    def part(n):
        x = rng.uniform(size=(n, 16)) if unit else rng.normal(size=(n, 16))
        return TensorDataset(x.astype(np.float32), rng.integers(0, 3, n))
    return Source("made up", part(40), part(25), shape, 3, unit)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_builds_checks_reports_and_draws(name, source):
    recipe = recipes.find(name)
    model = recipe.build(source, "float64", "cpu")
    assert all(p.dtype == tn.float64 for p in model.parameters())
    model = recipe.build(source, None, None)
    held_out = recipe.inputs(source.test)
    loss, parameters = loss_of_parameters(model, held_out.batch(slice(0, 3)))
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=1)

    averages = {key: float(value) for key, value in model.loss(*held_out.tensors).items()}
    text, numbers = recipe.report(model, source, averages)
    assert text.startswith("held out:") and all(isinstance(v, (int, float)) for v in numbers.values())
    picture = recipe.pictures(model, source)
    assert picture.png()[:4] == b"\x89PNG" and "<image" in picture.svg()


def test_the_classifier_counts_its_errors(source):
    model = recipes.find("mlp").build(source, None, None)
    x, y = source.test.tensors
    _, numbers = recipes.find("mlp").report(model, source, {"loss": 1.0})
    assert numbers["wrong"] == int((model.predict(x).numpy() != y.numpy()).sum())


def test_unknown_models_name_the_nearest():
    with pytest.raises(ValueError, match=r"model: 'vea' is unknown; did you mean 'vae'\? Known are mlp, vae"):
        recipes.find("vea")
