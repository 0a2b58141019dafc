"""`tinygrad-notes train`: the run from its first step to its pictures."""
import sys
import time
import warnings
from pathlib import Path

from ..autograd import enable_grad
from ..backend import as_device
from ..backend.blas import blas_threads
from ..models.recipes import loss_of_parameters
from ..testing import WRONG
from ..testing import gradcheck as check_gradient
from ..train import save, stop_on_signals
from ..train.files import write_bytes, write_json, write_text
from ..train.progress import wanted
from ..viz import graph, plot_curves
from .run import CHECKPOINT, Config, Run, new_folder


def train(args):
    """Train, or continue to train; returns the exit code."""
    say = (lambda *text: None) if args.quiet else (lambda *text: print(*text, flush=True))
    config = Config.stored(args.resume, args) if args.resume is not None else Config.of(args)
    with as_device(config.device), blas_threads(config.threads):
        run = Run(config)
        if args.resume is None:
            folder = new_folder(args.out, config.model)
        else:
            folder = Path(args.resume)
            run.trainer.load(folder / CHECKPOINT)
        config.write(folder)
        say(_headline(run, args.resume is not None))
        if not _fit(run, folder, args, say):
            return 1
        return _finish(run, folder, say)


def _headline(run, resumed):
    config, source, trainer = run.config, run.source, run.trainer
    text = (f"{config.model} on {source.name}: {len(source.train):,} examples to train on, {len(source.test):,} "
            f"held out, {run.model.count_params():,} parameters, {config.dtype} on {config.device}, seed {config.seed}")
    return text + (f"\nresuming after epoch {trainer.epoch}, step {trainer.step}" if resumed else "")


def _fit(run, folder, args, say):
    """Train; False if interrupted."""
    trainer, epochs = run.trainer, run.config.epochs
    bar = not (args.quiet or args.no_progress) and wanted()
    if not bar:
        every = max(1, epochs // 10)
        trainer.callbacks.append(lambda trainer, row: row["epoch"] % every == 0 and say(_line(row, epochs)))
    started, first = time.perf_counter(), trainer.step
    # A loss that is not finite ends the run with an error that says more than NumPy's warning before it.
    with stop_on_signals(trainer), warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        trainer.fit(epochs, checkpoint=folder / CHECKPOINT, progress=bar)
    seconds = time.perf_counter() - started
    trainer.history.to_csv(folder / "history.csv")
    trainer.history.to_json(folder / "history.json")
    if trainer.interrupted:
        print(f"stopped by {trainer.interrupted} after epoch {trainer.epoch} of {epochs}, step {trainer.step}; the "
              f"state is saved. Go on with: tinygrad-notes train --resume {folder}", file=sys.stderr)
        return False
    steps = trainer.step - first
    if bar and len(trainer.history):
        say(_line(trainer.history[-1], epochs))
    say(f"trained {steps:,} steps in {seconds:.1f} s" + (f", {steps / seconds:,.0f} steps/s" if steps else ""))
    return True


def _line(row, epochs):
    held = f", held out {row['valid_loss']:.4g}" if "valid_loss" in row else ""
    right = f", {100 * row['valid_accuracy']:.2f}% right" if "valid_accuracy" in row else ""
    return f"epoch {row['epoch']}/{epochs}: loss {row['loss']:.4g}{held}{right}"


def _finish(run, folder, say):
    """Measure, check the gradient, write the parameters and the pictures."""
    trainer, model = run.trainer, run.model
    text, numbers = run.recipe.report(model, run.source, trainer.evaluate(run.held_out))
    say(text)
    save(model.state_dict(), folder / "model.safetensors")

    loss, parameters = loss_of_parameters(model, run.batch())
    result = check_gradient(loss, parameters, raise_exception=False, fast_mode=True)
    write_text(folder / "gradcheck.txt", result.report() + "\n")
    say(f"gradient check of the trained loss, {len(parameters)} parameters: {result.verdict}, relative error "
        f"{result.error:.1e} ({result.evaluations} evaluations, {result.seconds:.1f} s)")

    names = _pictures(run, folder)
    write_json(folder / "result.json", {
        "epoch": trainer.epoch, "step": trainer.step, "held_out": numbers,
        "gradcheck": {"verdict": result.verdict, "error": result.error}})
    say(f"{folder}: {', '.join(names)}, model.safetensors, history.csv, ...")
    if result.verdict == WRONG:
        print(result.report(), file=sys.stderr)
        return 1
    return 0


def _pictures(run, folder):
    """Draw samples, curves and the graph; returns the names of the files."""
    sheet = run.recipe.pictures(run.model, run.source)
    write_text(folder / "samples.svg", sheet.svg())
    write_bytes(folder / "samples.png", sheet.png())

    for file, unit, columns in run.recipe.plots:
        write_text(folder / file, _plot(run, unit, columns).svg())

    with enable_grad():
        found = run.model.loss(*run.batch())
    drawn = graph(found["loss"], names=dict(run.model.named_parameters()))
    write_text(folder / "graph.svg", drawn.svg())
    return ["samples.svg", "samples.png", *(plot[0] for plot in run.recipe.plots), "graph.svg"]


def _plot(run, unit, columns):
    """Columns of the history, on training and on held-out data, over epochs."""
    history, curves = run.trainer.history, {}
    for column in columns:
        curves[f"{column}, training"] = history.curve(column)
        if f"valid_{column}" in history.columns:
            curves[f"{column}, held out"] = history.curve(f"valid_{column}")
    return plot_curves(curves, f"{run.config.model} on {run.source.name}", ylabel=unit)
