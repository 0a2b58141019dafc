"""`tinygrad-notes gradcheck`, `graph`, `models`, `data`: what there is, is its gradient right, how does it look."""
import functools
import inspect
import sys
import time
import warnings
from pathlib import Path
from typing import get_args

from .. import ops
from ..autograd import Tensor, enable_grad, grad
from ..backend import Generator, as_device, manual_seed
from ..backend.blas import blas_threads
from ..backend.names import unknown
from ..data import CATALOG
from ..data import find as find_data
from ..models.recipes import RECIPES, loss_of_parameters
from ..models.recipes import find as find_recipe
from ..testing import CORRECT, WRONG, gradgradcheck
from ..testing import gradcheck as check_gradient
from ..viz import graph as draw
from ..viz.model import FORMATS
from .errors import Usage

BATCH = 4
NONE_FIT = "{0}: {1} gives no gradient for the arguments that this command tries; use tn.{2}{1}{3}"


# Models ---------------------------------------------------------------------------
def model_and_batch(name):
    """A model as `train` would start it, or as it is fitted, and a small batch for its loss."""
    recipe = RECIPES[name]
    source = find_data(recipe.data)
    model = recipe.build(source, None, None)
    if recipe.fit is not None:
        recipe.fit(model, source)
    return model, recipe.inputs(source.test).batch(slice(0, BATCH))


# Operations -----------------------------------------------------------------------
def operations():
    """The public array functions by name."""
    return {name: f for name, f in vars(ops).items() if not name.startswith("_") and inspect.isfunction(f)}


def arguments(function, seed):
    """Arguments on which an operation gives a finite result that carries a gradient; None if none of ours fit.

    Tried in turn: real numbers, numbers from 0.1 to 0.9, numbers from 1.1 to 3, positive definite matrices; then
    matrices that can be multiplied, and lists of arrays.
    """
    count = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
                for p in _signature(function))
    for tensors in _candidates(count, seed):
        flat = [t for part in tensors for t in (part if isinstance(part, list) else [part])]
        for t in flat:
            t.requires_grad_()
        try:
            with enable_grad(), warnings.catch_warnings(action="ignore"):
                found = function(*tensors)
        except Exception:
            continue  # these arguments do not suit the operation
        outputs = found if isinstance(found, (tuple, list)) else [found]
        outputs = [t for t in outputs if isinstance(t, Tensor) and t.requires_grad and t.node is not None]
        if outputs and all(bool(ops.all(ops.isfinite(t))) for t in outputs) and _keep_differentiable(outputs, flat):
            return tensors
    return None


def _keep_differentiable(outputs, tensors):
    """Want no gradient for inputs that have none by definition (a shape parameter); False if that is all of them."""
    total = sum((ops.sum(t) for t in outputs[1:]), ops.sum(outputs[0]))
    for t in tensors:
        try:
            grad(total, t, retain_graph=True, allow_unused=True)
        except NotImplementedError:
            t.requires_grad_(False)
    return any(t.requires_grad for t in tensors)


def _signature(function):
    try:
        return inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()


def _candidates(count, seed):
    def real(*shape):
        return ops.normal(shape, generator=stream, dtype="float64")

    def between(low, high, *shape):
        return ops.uniform(shape, low, high, generator=stream, dtype="float64")

    def definite(n):
        root = real(n, n)
        return root @ root.T + n * ops.eye(n, dtype="float64")

    stream = Generator(seed)
    if count == 1:
        yield [real(3, 4)]
        yield [between(0.1, 0.9, 3, 4)]
        yield [between(1.1, 3.0, 3, 4)]
        yield [definite(3)]
        yield [[real(3, 4), real(3, 4)]]
    elif count in (2, 3):
        yield [real(3, 4) for _ in range(count)]
        yield [between(0.1, 0.9, 3, 4) for _ in range(count)]
        yield [between(1.1, 3.0, 3, 4) for _ in range(count)]
        yield [real(3, 4), real(4, 3), real(3, 3)][:count]
        yield [real(5, 4), real(3, 4), real(3)][:count]
        yield [definite(3), real(3, 2), real(3, 2)][:count]
        yield [real(4) for _ in range(count)]


# Commands ---------------------------------------------------------------------------
def gradcheck(args):
    """Check a model or an operation by name, or all; returns the exit code."""
    known = operations()
    if args.name is not None and args.name not in RECIPES and args.name not in known:
        raise Usage(unknown("gradcheck", args.name, [*RECIPES, *known]))
    names = [args.name] if args.name is not None else [*RECIPES, *sorted(known)]
    with as_device(args.device), blas_threads(1):
        results, skipped = [], []
        print(f"{'name':24} {'verdict':13} {'rel. error':>10} {'inputs':>6} {'evaluations':>11} {'seconds':>8}")
        for name in names:
            result = _checked(name, known, args)
            if result is None:
                skipped.append(name)
                continue
            results.append(result)
            print(f"{name:24} {result.verdict:13} {result.error:10.1e} {len(result.inputs):6} "
                  f"{result.evaluations:11} {result.seconds:8.2f}", flush=True)
    if args.name in RECIPES and skipped:
        raise Usage(f"gradcheck: {args.name} has no parameters that follow a gradient")
    if args.name is not None and skipped:
        raise Usage(NONE_FIT.format("gradcheck", args.name, "gradcheck(lambda x: tn.", "(x, ...), x)"))
    for result in results:
        if result.verdict != CORRECT or args.name is not None:
            print(result.report())
    wrong = sum(result.verdict == WRONG for result in results)
    if args.name is None:
        print(f"{len(results)} checked, {wrong} wrong; {len(skipped)} others have no gradient or need more arguments")
    return 1 if wrong else 0


def _checked(name, known, args):
    check = check_gradient if args.order == 1 else gradgradcheck
    manual_seed(args.seed)
    if name in RECIPES:
        model, batch = model_and_batch(name)
        if not list(model.parameters()):
            return None
        return check(*loss_of_parameters(model, batch), raise_exception=False, fast_mode=not args.full)
    found = arguments(known[name], args.seed)
    return None if found is None else check(known[name], found, raise_exception=False)


def graph(args):
    """Draw the graph of a model's loss or of an operation, forward and backward; returns the exit code."""
    known = operations()
    if args.output not in (None, "-"):
        _writable(Path(args.output))
    if args.name in RECIPES:
        manual_seed(0)
        model, batch = model_and_batch(args.name)
        drawn = draw(model.loss, *batch, order=args.order, timed=args.timed, check=args.check)
    elif args.name in known:
        tensors = arguments(known[args.name], 0)
        if tensors is None:
            raise Usage(NONE_FIT.format("graph", args.name, "graph(tn.", ", x, ...)"))
        drawn = draw(known[args.name], *tensors, order=args.order, timed=args.timed, check=args.check)
    else:
        raise Usage(unknown("graph", args.name, [*RECIPES, *known]))
    if args.depth is not None:
        drawn = drawn.collapse(args.depth)
    if args.output == "-":
        print(drawn.text())
        return 0
    started = time.perf_counter()
    path = drawn.save(Path(args.output or f"{args.name}.svg"))
    print(f"{path}: {drawn!r}, {time.perf_counter() - started:.1f} s", file=sys.stderr)
    return 0


def _writable(path):
    """Refuse an ending or a folder that cannot be, before anything is computed."""
    if path.suffix[1:].lower() not in FORMATS:
        raise ValueError(f"{path.name!r} ends in none of {', '.join('.' + f for f in FORMATS)}")
    if not path.resolve().parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {str(path.parent)!r}")


def models(args):
    """List the models, or the settings of one."""
    if args.name is not None:
        return _settings(args.name)
    open_once = functools.cache(find_data)
    width = max(map(len, RECIPES))
    for name, recipe in RECIPES.items():
        model = recipe.build(open_once(recipe.data), None, None)
        time = f"{recipe.epochs} epochs" if recipe.fit is None else "closed form"
        print(f"{name:{width}} {recipe.summary}; {model.count_params():,} parameters on {recipe.data}, {time}")
    return 0


def _settings(name):
    try:
        recipe = find_recipe(name)
    except ValueError as error:
        raise Usage(str(error)) from error
    print(f"{name}: {recipe.summary}\ndata of the kinds {', '.join(recipe.kinds)}; default {recipe.data}")
    if recipe.fit is None:
        print(f"{recipe.epochs} epochs, batches of {recipe.batch_size}, learning rate {recipe.lr:g}")
    for key, (kind, default) in recipe.settings.items():
        shown = ",".join(map(str, default)) if isinstance(default, tuple) else default
        choices = f"one of {', '.join(map(str, get_args(kind)))}" if get_args(kind) else kind.__name__
        print(f"  --set {key}={'...' if default is None else shown}  {choices}"
              + (", default depends on the data" if default is None else ""))
    return 0


def data(args):
    """List the data sets."""
    for name, entry in CATALOG.items():
        print(f"{name:12} {entry.summary} ({entry.licence})")
