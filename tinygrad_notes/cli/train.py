"""`tinygrad-notes train`: the run from its first step to its pictures."""
import sys
import time
import warnings
from pathlib import Path

from ..backend import as_device
from ..backend.blas import blas_threads
from ..models.recipes import loss_of_parameters
from ..testing import CORRECT, WRONG
from ..testing import gradcheck as check_gradient
from ..testing.verdict import REASONS
from ..train import LiveCurves, Monitor, Snapshots, TensorBoard, save, stop_on_signals
from ..train.files import write_bytes, write_json, write_text
from ..train.progress import wanted
from ..train.tensorboard import event_writer
from ..train.trainer import batch_size
from ..viz import graph, loss_surface
from .during import During
from .errors import Usage
from .reading import CHECKPOINT, MONITOR, read_json
from .report import write_report
from .run import Config, Run, new_folder
from .state import FAILED, FINISHED, STOPPED, TRAINING, State, check_writable

EXAMPLES = 200   # held-out ones for the picture of the loss surface
PATIENCE = 0.03  # seconds that the loss takes, times parameters, up to which several directions of each are checked


def train(args):
    """Train, or continue to train; returns the exit code."""
    say = (lambda *text: None) if args.quiet else (lambda *text: print(*text, flush=True))
    config = Config.stored(args.resume, args) if args.resume is not None else Config.of(args)
    if args.tensorboard:
        try:
            event_writer()  # an error now rather than later
        except ImportError as error:
            raise Usage(f"--tensorboard: {error}") from error
    with as_device(config.device), blas_threads(config.threads):
        run = Run(config, args.steps)
        if args.resume is None:
            folder = new_folder(args.out, config.model)
            check_writable(folder)
        else:
            folder = Path(args.resume)
            check_writable(folder)
            run.trainer.load(folder / CHECKPOINT)
        config.write(folder)
        say(_headline(run, args.resume is not None))
        state = State(folder, config.epochs, run.model.count_params())
        state.write(TRAINING, run.trainer)
        try:
            code = _trained(run, folder, args, say, state)
        except BaseException as error:
            word = STOPPED if isinstance(error, KeyboardInterrupt) else FAILED
            state.write(word, run.trainer, f"{type(error).__name__}: {error}")
            if run.trainer is not None and len(run.trainer.history):
                _write_history(run, folder)
                write_report(folder)
            raise
        say(f"{write_report(folder, run)}: all of it on one page")
        return code


def _trained(run, folder, args, say, state):
    """Train, check and draw; returns the exit code."""
    if run.trainer is None:
        run.recipe.fit(run.model, run.source)
    elif not _fit(run, folder, args, say):
        state.write(STOPPED, run.trainer, f"stopped by {run.trainer.interrupted}; go on with: tinygrad-notes train "
                    f"--resume {folder}")
        return 1
    code = _finish(run, folder, say)
    if args.surface and run.trainer is not None:
        _surface(run, folder, args.quiet)
    state.write(FINISHED, run.trainer, run.trainer.finished if run.trainer is not None else "")
    return code


def _headline(run, resumed):
    config, source, trainer = run.config, run.source, run.trainer
    text = (f"{config.model} on {source.name}: {len(source.train):,} examples to train on, {len(source.test):,} "
            f"held out, {run.model.count_params():,} parameters, {config.dtype} on {config.device}, seed {config.seed}")
    return text + (f"\nresuming after epoch {trainer.epoch}, step {trainer.step}" if resumed else "")


def _fit(run, folder, args, say):
    """Train; False if interrupted."""
    trainer, epochs = run.trainer, run.config.epochs
    if run.recipe.during is not None:
        trainer.callbacks.append(During(run, folder))
    bar = not (args.quiet or args.no_progress) and wanted()
    monitor = None if args.no_monitor else _monitored(trainer, folder)
    if args.surface:
        trainer.callbacks.append(Snapshots())
    if args.tensorboard:
        trainer.callbacks.append(TensorBoard(folder / "tensorboard", monitor))
    if bar and not args.no_curves:
        trainer.callbacks.append(LiveCurves(run.recipe.plots[0][2] if run.recipe.plots else None))
    if not bar:
        every = max(1, epochs // 10)
        trainer.callbacks.append(lambda trainer, row: row["epoch"] % every == 0 and say(_line(row, epochs)))
    started, first = time.perf_counter(), trainer.step
    # A loss that is not finite ends the run with an error that says more than NumPy's warning before it.
    try:
        with stop_on_signals(trainer), warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            trainer.fit(epochs, checkpoint=folder / CHECKPOINT, progress=bar)
    finally:
        if monitor is not None and monitor.rows:
            monitor.to_json(folder / MONITOR)
    seconds = time.perf_counter() - started
    _write_history(run, folder)
    if trainer.interrupted:
        print(f"stopped by {trainer.interrupted} after epoch {trainer.epoch} of {epochs}, step {trainer.step}; the "
              f"state is saved. Go on with: tinygrad-notes train --resume {folder}", file=sys.stderr)
        return False
    steps = trainer.step - first
    if bar and len(trainer.history):
        say(_line(trainer.history[-1], epochs))
    say(f"trained {steps:,} steps in {seconds:.1f} s" + (f", {steps / seconds:,.0f} steps/s" if steps else ""))
    return True


def _monitored(trainer, folder):
    """A `Monitor` that looks on, and goes on where the one of a run that is resumed was."""
    monitor, before = Monitor(), read_json(folder / MONITOR)
    if before is not None:
        monitor.load_state_dict(before)
    trainer.callbacks.append(monitor)
    return monitor


def _write_history(run, folder):
    run.trainer.history.to_csv(folder / "history.csv")
    run.trainer.history.to_json(folder / "history.json")


def _line(row, epochs):
    held = f", held out {row['valid_loss']:.4g}" if "valid_loss" in row else ""
    right = f", {100 * row['valid_accuracy']:.2f}% right" if "valid_accuracy" in row else ""
    return f"epoch {row['epoch']}/{epochs}: loss {row['loss']:.4g}{held}{right}"


def _finish(run, folder, say):
    """Measure, check the gradient, write the parameters and the pictures."""
    trainer, model = run.trainer, run.model
    averages = trainer.evaluate(run.held_out) if trainer is not None else {}
    text, numbers = run.recipe.report(model, run.source, averages)
    say(text)
    save(model.state_dict(), folder / "model.safetensors")
    result = {} if trainer is None else {"epoch": trainer.epoch, "step": trainer.step}
    result.update(text=text, held_out=numbers)
    checked = check_gradient_of(run, folder, say) if list(model.parameters()) else None
    if checked is not None:
        result["gradcheck"] = {"verdict": checked.verdict, "error": checked.error}
    names = draw(run, folder)
    write_json(folder / "result.json", result)
    say(f"{folder}: {', '.join(names)}, model.safetensors, ...")
    if checked is not None and checked.verdict == WRONG:
        print(checked.report(), file=sys.stderr)
        return 1
    return 0


def check_gradient_of(run, folder, say=lambda *text: None):
    """The gradient of the trained loss against finite differences, also written into the folder."""
    batch, options = run.batch(), {}
    loss, parameters = loss_of_parameters(run.model, batch)
    began = time.perf_counter()
    loss(*parameters)
    if (time.perf_counter() - began) * len(parameters) > PATIENCE:  # a large model: one direction for each parameter
        batch, options = run.batch(2), {"directions": 1, "elements": 0}
        loss, parameters = loss_of_parameters(run.model, batch)
    result = check_gradient(loss, parameters, raise_exception=False, fast_mode=True, **options)
    write_text(folder / "gradcheck.txt", result.report() + "\n")
    write_json(folder / "gradcheck.json", _told(result, [name for name, _ in run.model.named_parameters()], batch))
    say(f"gradient check of the trained loss, {len(parameters)} parameters: {result.verdict}, relative error "
        f"{result.error:.1e} ({result.evaluations} evaluations, {result.seconds:.1f} s)")
    return result


def _told(result, names, batch):
    """A gradient check as numbers and texts, its inputs by the names of the parameters."""
    rows = []
    for name, found in zip(names, result.inputs):
        remarks = [f"{times} x {REASONS[reason]}" for reason, times in found.reasons.items()]
        if found.worst is not None and found.verdict != CORRECT:
            remarks.append(f"worst: {found.worst}")
        rows.append({"path": name, "shape": list(found.shape), "verdict": found.verdict, "error": found.error,
                     "checked": found.checked, "unit": found.mode.replace("every element", "elements"),
                     "remark": "; ".join(remarks)})
    return {"verdict": result.verdict, "error": result.error, "evaluations": result.evaluations,
            "seconds": round(result.seconds, 2), "batch": batch_size(batch), "guess": result.guess,
            "culprit": result.culprit, "inputs": rows}


def draw(run, folder):
    """Draw samples, curves and the graph; returns the names of the files."""
    drawn, names = run.recipe.pictures(run.model, run.source), []
    for name, picture in (drawn if isinstance(drawn, dict) else {"samples": drawn}).items():
        write_text(folder / f"{name}.svg", picture.svg())
        names.append(f"{name}.svg")
        if picture.pixels is not None:
            write_bytes(folder / f"{name}.png", picture.png())
            names.append(f"{name}.png")
    if run.trainer is None:
        return names
    for file, unit, columns in run.recipe.plots:
        write_text(folder / file, _plot(run, unit, columns).svg())
    if run.recipe.during is not None:
        write_text(folder / "during.svg", During(run, folder).picture().svg())
        names.append("during.svg")

    batch = run.batch()
    write_text(folder / "graph.svg", graph(run.model.loss, *batch, order=0).svg())
    write_text(folder / "graph.html", graph(run.model.loss, *batch).html())
    return [*names, *(plot[0] for plot in run.recipe.plots), "graph.svg", "graph.html"]


def _surface(run, folder, quiet):
    """Draw the loss of some held-out examples in the plane of the way that the parameters took."""
    path = next(c for c in run.trainer.callbacks if isinstance(c, Snapshots)).states
    picture = loss_surface(run.model, [run.batch(EXAMPLES)], run.trainer.loss, path=path, steps=21,
                           directions="pca" if len(path) > 2 else "random", progress=False if quiet else None,
                           title=f"loss of {run.config.model} around its parameters, with the way there")
    write_text(folder / "surface.svg", picture.svg())


def _plot(run, unit, columns):
    """Columns of the history, on training and on held-out data, over epochs."""
    return run.trainer.history.plot(columns, title=f"{run.config.model} on {run.source.name}", ylabel=unit)
