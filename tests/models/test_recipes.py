"""What the command line knows of the models."""
import math
from typing import Literal

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import CharTokenizer, DataLoader, GraphDataset, Source, TensorDataset, TokenWindows
from tinygrad_notes.models import RECIPES, loss_of_parameters, recipes
from tinygrad_notes.models.recipes import Recipe
from tinygrad_notes.train import Callback, Trainer
from tinygrad_notes.train.trainer import as_parts

pytestmark = pytest.mark.same_on_strict  # of each model, its own file has tests behind the wall

SMALLER = {
    "cnn": {"channels": (2, 3), "hidden": 5}, "resnet": {"layers": (1,), "width": 2}, "rnn": {"width": 4},
    "bert": {"width": 4, "heads": 2, "layers": 1}, "vit": {"width": 4, "heads": 2, "layers": 1},
    "gpt": {"width": 4, "heads": 2, "layers": 1}, "glow": {"steps": 1, "stages": 1}, "flow": {"layers": 2},
    "unet": {"widths": (2, 3)}, "seq2seq": {"width": 4, "heads": 2}, "gin": {"hidden": (4,)},
    "mpnn": {"width": 4, "layers": 1}, "bagging": {"count": 2, "degree": 2},
    "linear": {"features": "rbf", "centers": 3}, "kernel-ridge": {}, "pca": {},
}  # settings of models that are large by default
CHECKED = {"unet", "seq2seq"}  # have many parameters even so; their own files check the gradient of each


def made_up(kind):
    """Small data of one kind, with 3 classes."""
    rng = np.random.default_rng(0)
    if kind == "nodes":
        return tn.data.find("karate")
    if kind == "text":
        letters = CharTokenizer("abc")
        parts = (TokenWindows(rng.integers(0, 3, n), 6) for n in (90, 60))
        return Source("made up", *parts, (6,), 3, False, kind=kind, tokenizer=letters)
    if kind == "graphs":
        parts = (GraphDataset(tn.data.random_networks(n, (6, 8), generator=n)) for n in (40, 25))
        return Source("made up", *parts, (1,), 3, False, kind=kind)
    if kind == "pairs":
        parts = (TensorDataset(*tn.data.reversals(n, 4, 3, generator=n)) for n in (40, 25))
        return Source("made up", *parts, (4,), 3, False, kind=kind)
    if kind == "curve":
        parts = (TensorDataset(rng.normal(size=(n, 1)).astype("f"), rng.normal(size=n).astype("f")) for n in (40, 25))
        return Source("made up", *parts, (1,), 1, False, kind=kind)
    if kind == "mask":
        parts = (TensorDataset(rng.normal(size=(n, 1, 4, 4)).astype("f"), rng.integers(0, 3, (n, 4, 4)))
                 for n in (40, 25))
        return Source("made up", *parts, (4, 4), 3, False, kind=kind)
    shape = {"image": (4, 4), "color": (3, 4, 4), "signal": (16,), "points": (2,)}[kind]
    size, unit = math.prod(shape), kind in ("image", "color")

    def part(n):
        x = rng.uniform(size=(n, size)) if unit else rng.normal(size=(n, size))
        return TensorDataset(x.astype(np.float32), rng.integers(0, 3, n))
    return Source("made up", part(40), part(25), shape, 3, unit, kind="image" if unit else kind)


SMALL = {"hidden": (8,), "channels": 4, "width": 8}  # settings, where a recipe has them


COLORFUL = ("cnn", "resnet", "vit", "dcgan", "glow", "ddpm", "vae")  # convolutions over three planes, and one without


def sources():
    """(recipe, kind of data) for all that each recipe takes of what `made_up` makes."""
    cases = []
    for name, recipe in RECIPES.items():
        kinds = [*recipe.kinds, *["color"] * (name in COLORFUL)]
        cases += [pytest.param(name, kind, k == 0, id=f"{name}-{kind}", marks=[pytest.mark.host_only] * (k > 0))
                  for k, kind in enumerate(kinds)]
    return cases


@pytest.mark.parametrize(("name", "kind", "first"), sources())
def test_every_recipe_builds_checks_reports_and_draws(name, kind, first):
    recipe, source = recipes.find(name), made_up(kind)
    model = recipe.build(source, "float64", "cpu", **SMALLER.get(name, {}))
    assert all(p.dtype == tn.float64 for p in model.parameters())
    small = SMALLER[name] if name in SMALLER else {key: value for key, value in SMALL.items() if key in recipe.settings}
    model = recipe.build(source, None, None, **small)
    held_out = recipe.inputs(source.test)
    averages = {}
    if recipe.fit is not None:
        recipe.fit(model, source)
        if list(model.parameters()):
            loss, parameters = loss_of_parameters(model, held_out.batch(slice(0, 3)))
            assert tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=1)
    else:
        if first and name not in CHECKED:
            loss, parameters = loss_of_parameters(model, held_out.batch(slice(0, 3)))
            assert tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=1)
        averages = {key: float(value) for key, value in as_parts(model.loss(*held_out.batch(slice(0, 25)))).items()}
        optimizer = recipe.optimizers(model, recipe.lr)
        trainer = Trainer(model, DataLoader(recipe.inputs(source.train), 20), optimizer, update=recipe.update)
        row = trainer.fit(1)[-1]
        assert all(column in row for _, _, columns in recipe.plots for column in columns), "a plot of what is not there"
    text, numbers = recipe.report(model, source, averages)
    assert text.startswith("held out:") and all(isinstance(v, (int, float)) for v in numbers.values())
    found = recipe.pictures(model, source)
    for picture in found.values() if isinstance(found, dict) else [found]:
        assert picture.svg().startswith("<svg") and (picture.pixels is None or picture.png()[:4] == b"\x89PNG")
    if recipe.during is not None:
        assert recipe.during(model, source).ndim == 2


@pytest.mark.parametrize(("name", "kind"), [
    ("cnn", "image"), ("gpt", "text"), ("bert", "text"), ("seq2seq", "pairs"), ("gin", "graphs"), ("vq-vae", "image"),
    ("vae", "image"), ("gan", "points"), ("wgan", "points"), ("flow", "points"), ("ddpm", "points"),
])
def test_a_run_stopped_in_mid_epoch_goes_on_bit_for_bit(name, kind, tmp_path):
    recipe, source = recipes.find(name), made_up(kind)
    small = SMALLER[name] if name in SMALLER else {key: value for key, value in SMALL.items() if key in recipe.settings}

    def trained(path=None, stop=None):
        tn.manual_seed(0 if path is None else 1)  # whoever goes on knows nothing of the seed
        model = recipe.build(source, None, None, **small)
        loader = DataLoader(recipe.inputs(source.train), 5, shuffle=True)
        optimizer = recipe.optimizers(model, recipe.lr)
        scheduler, per = recipe.schedulers(optimizer, 3, 3 * len(loader))
        trainer = Trainer(model, loader, optimizer, scheduler=scheduler, scheduler_per=per, update=recipe.update,
                          callbacks=[] if stop is None else [StopAfter(stop)])
        if path is not None:
            trainer.load(path)
        trainer.fit(3)
        return trainer
    whole, part = trained(), trained(stop=3)
    assert part.interrupted and part.step == 4
    part.save(tmp_path / "state.safetensors")
    parts = [t.model.state_dict() for t in (whole, part, trained(tmp_path / "state.safetensors"))]
    for key, value in parts[0].items():
        np.testing.assert_array_equal(parts[2][key].numpy(), value.numpy(), err_msg=key)
    assert any((parts[1][key].numpy() != value.numpy()).any() for key, value in parts[0].items()), "it was stopped"


class StopAfter(Callback):
    """Interrupts in the step that follows so many."""

    def __init__(self, steps):
        self.steps = steps

    def after_step(self, trainer):
        if trainer.step == self.steps:  # not counted yet
            trainer.interrupt("test")


def test_the_classifier_counts_its_errors():
    source = made_up("image")
    model = recipes.find("mlp").build(source, None, None)
    x, y = source.test.tensors
    _, numbers = recipes.find("mlp").report(model, source, {"loss": 1.0})
    assert numbers["wrong"] == int((model.predict(x).numpy() != y.numpy()).sum())


def test_unknown_models_name_the_nearest():
    with pytest.raises(ValueError, match=r"model: 'vea' is unknown; did you mean 'vae'\? Known are "):
        recipes.find("vea")


# Settings ---------------------------------------------------------------------------
def build(source, dtype, device, *, width: int = 3, rate: float | None = None, deep: bool = False,
          sizes: tuple = (4, 2), kind: Literal["hinge", "least-squares"] = "hinge"):
    """Nothing."""


RECIPE = Recipe("toy", "a toy", build, None, None, None, "digits")


def test_settings_are_read_as_their_type():
    assert RECIPE.settings["rate"] == (float, None)
    found = RECIPE.parse(["width=5", "rate=1e-2", "deep=yes", "sizes=8,8,2", "kind=least-squares"])
    assert found == {"width": 5, "rate": 0.01, "deep": True, "sizes": (8, 8, 2), "kind": "least-squares"}


@pytest.mark.parametrize(("word", "message"), [
    ("width", "expected name=value, got 'width'"), ("widht=3", "setting: 'widht' is unknown; did you mean 'width'"),
    ("width=x", "--set width: expected a whole number, got 'x'"), ("rate=x", "--set rate: expected a number"),
    ("deep=maybe", "--set deep: expected yes or no"), ("sizes=a", "--set sizes: expected whole numbers"),
    ("kind=hing", "--set kind: 'hing' is unknown; did you mean 'hinge'"),
])
def test_wrong_settings_are_named(word, message):
    with pytest.raises(ValueError, match=message):
        RECIPE.parse([word])


def test_a_schedule_of_steps_is_made_for_every_optimizer():
    weights = [tn.nn.Parameter(1.0), tn.nn.Parameter(1.0)]
    several = {name: tn.optim.SGD([w], lr=1.0) for name, w in zip("ab", weights)}
    warm = Recipe("toy", "", build, None, None, None, "digits", schedule=lambda one, epochs, steps: (
        tn.optim.lr_scheduler.OneCycleLR(one, 1.0, total_steps=steps)))
    found, per = warm.schedulers(several, 2, 10)
    assert len(found) == 2 and per == "step" and found[0].total_steps == 10
    assert RECIPE.schedulers(several, 2, 10) == (None, "epoch")
