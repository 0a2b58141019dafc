"""`tinygrad-notes report`: everything about a run on one page, report.html, that needs no network and no server."""
import sys
import time
from pathlib import Path

from ..backend import as_device
from ..backend.blas import blas_threads
from ..models.recipes import find as find_recipe
from ..train.files import write_text
from ..viz import page
from .reading import CHECKPOINT, Folder

FILE = "report.html"
OURS = ("during.svg", "graph.svg")  # pictures that are shown in sections of their own, beside the plots of the recipe
MANY = 10  # curves in one frame
LAYERS, GRADIENTS = 6, 6  # histograms that are shown at once


def report(args):
    """Write the page of a run, finished or not; returns the exit code."""
    folder, started = Folder(args.folder), time.perf_counter()
    notes = []
    run = None if args.fast else _rebuilt(folder, notes)
    path = write_report(folder.path, run, args.output, notes)
    for text in notes:
        print(f"note: {text}", file=sys.stderr)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {time.perf_counter() - started:.1f} s")
    return 0


def _rebuilt(folder, notes):
    """The `Run` where it stands, with what its folder lacks of pictures and checks; None if it cannot be had."""
    from .run import Config, Run
    from .train import check_gradient_of, draw

    try:
        config = Config.of_stored(folder.settings)
        with as_device(config.device), blas_threads(config.threads):
            run = Run(config)
            if run.trainer is not None:
                run.trainer.load(folder.path / CHECKPOINT)
            missing = not (folder.path / "graph.svg").is_file() or folder.gradcheck is None
            if missing and run.trainer is not None:
                draw(run, folder.path)
                check_gradient_of(run, folder.path)
        return run
    except Exception as error:  # the page is wanted most where something is wrong
        notes.append(f"the model could not be brought back ({type(error).__name__}: {error}); the page shows what the "
                     "folder holds")
        return None


def write_report(path, run=None, output=None, notes=()):
    """Write the page of the run in a folder.

    Args:
        path: the folder.
        run: its `Run`, for pictures that are drawn from what the run kept.
        output: the file, by default report.html in the folder.
        notes: texts for the reader.

    Returns:
        The path of the file.
    """
    folder = Folder(path)
    output = Path(output) if output else folder.path / FILE
    write_text(output, _page(folder, run, notes))
    return output


def _page(folder, run, notes):
    settings, state = folder.settings, folder.state
    done, wanted = _progress(folder)
    title = f"{settings['model']} on {settings['data']}"
    named = folder.name if folder.name == settings["model"] else f"{folder.name}: {title}"
    found = page.Page(title if named == settings["model"] else named, _subtitle(folder, done, wanted),
                      folder.standing)
    found.section("Results", page.cards(_figures(folder, done, wanted)),
                  page.note(folder.result["text"]) if "text" in folder.result else "",
                  page.block(state["message"]) if state.get("message") else "", *map(page.note, notes))
    found.section("Curves", _curves(folder))
    plots = tuple(plot[0] for plot in _plots(settings["model"]))
    pictures = folder.pictures(*OURS, *plots)
    found.section("Pictures", "".join(page.figure(svg, name, "wide") for name, svg in pictures.items()))
    found.section("Over the training", _during(folder, run))
    found.section("Inside the model", *_inside(folder))
    found.section("Gradient check", *_gradcheck(folder))
    found.section("Computation graph", *_graph(folder))
    found.section("Settings", *_settings(folder))
    return found.html(f"tinygrad_notes {state.get('environment', {}).get('tinygrad_notes', '')}, state of "
                      f"{state.get('noted', 'unknown date')}")


def _progress(folder):
    done = folder.state.get("epoch") or (folder.history[-1].get("epoch", 0) if len(folder.history) else 0)
    return done, folder.settings.get("epochs")


def _subtitle(folder, done, wanted):
    settings = folder.settings
    parts = [f"seed {settings['seed']}", f"{settings['dtype']} on {settings['device']}"]
    if len(folder.history):
        parts.insert(0, f"{done} of {wanted} epochs")
    if folder.state.get("started"):
        parts.append(f"begun {folder.state['started'].replace('T', ' ').replace('+00:00', ' UTC')}")
    return ", ".join(parts)


def _figures(folder, done, wanted):
    """(name, value, tone) of the cards above."""
    history, rows = folder.history, []
    held = folder.result.get("held_out") or {}
    if not held and len(history):
        held = {key[6:]: value for key, value in history[-1].items() if key.startswith("valid_")}
    for key, value in sorted(held.items(), key=lambda item: (item[0] != "loss", item[0] != "accuracy")):
        if isinstance(value, (int, float)):
            rows.append((f"{key.replace('_', ' ')}, held out", _number(key, value), ""))
    if "valid_loss" in history.columns:
        epochs, losses = history.curve("valid_loss")
        best = min(range(len(losses)), key=losses.__getitem__)
        rows.append((f"best held-out loss, epoch {epochs[best]}", _number("loss", losses[best]), ""))
    if len(history):
        rows.append(("loss, training", _number("loss", history[-1].get("loss", float("nan"))), ""))
        rows.append(("epochs", f"{done} / {wanted}", "" if done == wanted else "odd"))
        rows.append(("steps", f"{history[-1].get('step', 0):,}", ""))
    if "parameters" in folder.state:
        rows.append(("parameters", f"{folder.state['parameters']:,}", ""))
    if "seconds" in folder.state:
        rows.append(("time", _time(folder.state["seconds"]), ""))
    if folder.gradcheck is not None:
        rows.append(("gradient check", folder.gradcheck["verdict"], _tone(folder.gradcheck["verdict"])))
    return rows


def _number(name, value):
    if name in ("accuracy", "right") and 0 <= value <= 1:
        return f"{100 * value:.2f}%"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _time(seconds):
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"


def _tone(verdict):
    return {"CORRECT": "good", "WRONG": "bad"}.get(verdict, "odd")


def _plots(model):
    try:
        return find_recipe(model).plots
    except ValueError:  # a model of another version
        return ()


def _curves(folder):
    """One chart per quantity, training and held-out data together."""
    history, units = folder.history, {c: unit for _, unit, columns in _plots(folder.settings["model"]) for c in columns}
    names = dict.fromkeys(c.removeprefix("valid_") for c in history.columns if c not in ("epoch", "step"))
    charts = []
    for name in sorted(names, key=lambda n: (n != "loss", n == "lr")):
        curves = {}
        for column, text in ((name, "training"), (f"valid_{name}", "held out")):
            if column in history.columns:
                curves[text if name != "lr" else "rate"] = history.curve(column)
        values = [v for _, y in curves.values() for v in y if isinstance(v, (int, float))]
        positive = [v for v in values if v > 0]
        log = len(positive) == len(values) > 0 and max(values) > 50 * min(values)
        title = "learning rate" if name == "lr" else name.replace("_", " ")
        try:
            charts.append(page.chart(curves, title, "epoch", units.get(name, ""), log))
        except ValueError:  # nothing finite
            continue
    return page.grid(charts)


def _during(folder, run):
    if run is not None and run.recipe.during is not None:
        from .during import During

        return page.frames({name: picture.svg() for name, picture in During(run, folder.path).pictures().items()})
    picture = folder.text("during.svg")
    return page.figure(picture, "", "wide") if picture else ""


def _inside(folder):
    """What the monitor saw."""
    monitor = folder.monitor()
    if monitor is None:
        return []
    charts = []
    for what, title in (("update", "size of updates / size of weights"), ("gradient", "gradient norm"),
                        ("norm", "weight norm"), ("dead", "share of dead units")):
        curves = _chosen(monitor.series(what))
        if what == "dead":  # layers where no unit is ever dead say nothing
            curves = {name: curve for name, curve in curves.items() if any(curve[1])}
        shown = dict(list(curves.items())[:MANY])
        title += f" ({MANY} of {len(curves)} parameters)" if len(curves) > MANY else ""
        try:
            charts.append(page.chart(shown, title, "step", "", what != "dead"))
        except ValueError:
            continue
    parts = [page.note("About 1e-3 is a healthy ratio of update to weight; far below, a layer hardly learns, far "
                       "above, it jumps. A dead unit gives 0 for every example of the batch."), page.grid(charts)]
    for kind, title, most in (("outputs", "Outputs of the layers", LAYERS), ("gradients", "Gradients", GRADIENTS)):
        figures = [page.figure(monitor.histogram(kind, path).svg(), "", "field") for path in monitor.paths(kind)]
        if figures:
            parts += [f"<h3>{title}</h3>", page.grid(figures, small=True, most=most)]
    return parts


def _chosen(curves):
    """Weights before offsets, where there are too many to draw."""
    if len(curves) <= MANY:
        return curves
    return dict(sorted(curves.items(), key=lambda item: not item[0].endswith("weight")))


def _gradcheck(folder):
    check = folder.gradcheck
    if check is None:
        return [page.note("The gradient was not checked: that is done at the end of a run, or by tinygrad-notes "
                          "report.")]
    head = ("parameter", "shape", "verdict", "relative error", "compared", "remark")
    rows = [(r["path"], " x ".join(map(str, r["shape"])) or "number", (r["verdict"], _tone(r["verdict"])),
             f"{r['error']:.1e}" if r["checked"] else "-", f"{r['checked']} {r['unit']}", r["remark"])
            for r in check["inputs"]]
    if not any(row[-1] for row in rows):
        head, rows = head[:-1], [row[:-1] for row in rows]
    text = (f"The gradient of the loss of {check['batch']} held-out examples at the final parameters against central "
            f"differences in float64: {check['verdict']}, relative error {check['error']:.1e}, "
            f"{check['evaluations']} evaluations in {check['seconds']:.1f} s.")
    extra = [page.note(text) for text in (check["guess"] and f"It looks like: {check['guess']}", check["culprit"]
             and f"First operation whose own rule fails: {check['culprit']}") if text]
    return [page.note(text), *extra, page.table(rows, head, numbers=(3, 4))]


def _graph(folder):
    still, live = folder.text("graph.svg"), folder.text("graph.html")
    if still is None:
        return []
    text = ("What the loss of 8 examples is computed from, and its backward pass. To have each rule checked: "
            f"tinygrad-notes graph {folder.settings['model']} --check -o graph.html")
    return [page.note(text), page.framed(live, "computation graph", still) if live else page.figure(still, "", "wide")]


def _settings(folder):
    settings = {**folder.settings, **{f"set {k}": v for k, v in (folder.settings.get("set") or {}).items()}}
    settings.pop("set", None)
    machine = folder.state.get("environment") or {}
    rows = {"Configuration": [(key.replace("_", " "), value) for key, value in settings.items()],
            "Machine": list(machine.items())}
    parts = [page.grid([f"<div><h3>{title}</h3>{page.table(cells)}</div>" for title, cells in rows.items() if cells])]
    again = " ".join([f"tinygrad-notes train {settings['model']}", *(
        f"--{key.replace('_', '-')} {settings[key]}" for key in
        ("data", "epochs", "batch_size", "lr", "seed", "dtype", "device", "threads") if key in settings),
        *(f"--set {k}={','.join(map(str, v)) if isinstance(v, (list, tuple)) else v}"
          for k, v in (folder.settings.get("set") or {}).items())])
    return [*parts, "<h3>The same run again</h3>", page.block(again)]
