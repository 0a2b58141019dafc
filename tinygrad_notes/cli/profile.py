"""`tinygrad-notes profile`: where the time of a training step of a model goes."""
import sys
from pathlib import Path

from ..backend import manual_seed, set_num_threads
from ..backend.names import unknown
from ..data import DataLoader
from ..data import find as find_data
from ..models.recipes import RECIPES
from ..program import compile
from ..train import Trainer
from ..viz import profile as measure
from ..viz.profiled import ENDINGS
from .errors import Usage


def profile(args):
    """Profile a training step; returns the exit code."""
    if args.name not in RECIPES:
        raise Usage(unknown("profile", args.name, RECIPES))
    if args.output is not None and Path(args.output).suffix.lower() not in ENDINGS:
        raise Usage(f"--output: {args.output!r} ends in none of {', '.join(ENDINGS)}")
    if args.threads is not None:
        set_num_threads(args.threads)
    step, batch = training_step(args.name, args.batch_size)
    found = measure(compile(step) if args.compiled else step, *batch, repeats=args.repeats,
                    title=f"a training step of {args.name}{', compiled' if args.compiled else ''}")
    print(found.text(args.rows), end="")
    if args.output is not None:
        print(f"{found.save(args.output)}: written", file=sys.stderr)
    return 0


def training_step(name, batch_size=None):
    """(a training step of a model as `train` would start it, a batch of its data).

    Raises:
        Usage: the model has no training steps.
    """
    recipe = RECIPES[name]
    if recipe.fit is not None:
        raise Usage(f"profile: {name} is fitted in closed form and has no training steps")
    manual_seed(0)
    source = find_data(recipe.data)
    model = recipe.build(source, None, None)
    data = recipe.inputs(source.train)
    batch = data.batch(slice(0, batch_size or recipe.batch_size))
    optimizer = recipe.optimizers(model, recipe.lr)
    if recipe.update is not None:
        trainer = Trainer(model, DataLoader(data, recipe.batch_size), optimizer, update=recipe.update)
        return (lambda *batch: recipe.update(trainer, batch)), batch

    def step(*batch):
        optimizer.zero_grad()
        found = model.loss(*batch)
        loss = found["loss"] if isinstance(found, dict) else found
        loss.backward()
        optimizer.step()
        return loss
    return step, batch
