"""`tinygrad-notes runs`: a table of runs, and their curves over each other."""
import sys
from pathlib import Path

from ..train.files import write_text
from ..train.live import text_options
from ..viz import page, plot_curves, text_curves
from .errors import Usage
from .reading import CONFIG, Folder

SETTINGS = ("model", "data", "epochs", "batch_size", "lr", "seed", "dtype", "device")


def runs(args):
    """List runs and compare them; returns the exit code."""
    if not args.smooth < 1:
        raise Usage(f"--smooth: expected a number from 0 to below 1, got {args.smooth:g}")
    if args.output and Path(args.output).suffix.lower() not in (".html", ".svg"):
        raise Usage(f"--output: {args.output!r}: expected a name that ends in .html or .svg")
    paths = [Path(p) for p in args.folders] or sorted(p.parent for p in Path("runs").glob(f"*/{CONFIG}"))
    if not paths:
        raise Usage("runs: there is no run in runs/; train a model, or name folders")
    folders = [Folder(path) for path in paths]
    head, rows = _table(folders)
    _print(head, rows)
    columns = args.column or [_usual(folders)]
    curves = _curves(folders, columns)
    if curves and not args.no_curves:
        print()
        print(text_curves(curves, ", ".join(columns), logy=args.log, smooth=args.smooth, height=16,
                          **text_options(sys.stdout)))
    if args.output:
        path = _write(args, folders, head, rows, curves, columns)
        print(f"{path}: {len(folders)} runs compared")
    return 0


def _usual(folders):
    """The column that most people look at."""
    return next((c for c in ("valid_loss", "loss") for f in folders if c in f.history.columns), "loss")


def _curves(folders, columns):
    """{run: curve}, or {run, column: curve} where there are several columns.

    Raises:
        Usage: no run has such a column.
    """
    curves = {}
    for column in columns:
        found = [f for f in folders if column in f.history.columns]
        known = list(dict.fromkeys(c for f in folders for c in f.history.columns))
        if not found and known:
            raise Usage(f"--column: no run has {column!r}; there are {', '.join(known)}")
        for f in found:
            curves[f.name if len(columns) == 1 else f"{f.name}, {column}"] = f.history.curve(column)
    return {name: curve for name, curve in curves.items() if curve[0]}


def _table(folders):
    """Head and rows: the run, how it stands, the settings in which runs differ, what came out."""
    differ = [key for key in SETTINGS
              if key in ("model", "data") or len({str(f.settings.get(key)) for f in folders}) > 1]
    sets = sorted({key for f in folders for key in f.settings.get("set") or {}})
    results = [c for c in ("loss", "valid_loss", "valid_accuracy") if any(c in f.history.columns for f in folders)]
    best = ["best valid_loss"] if "valid_loss" in results else []
    head = ["run", "state", "epoch", *differ, *sets, *results, *best, "gradient"]
    rows = []
    for f in folders:
        last = f.history[-1] if len(f.history) else {}
        row = [f.name, f.standing, last.get("epoch", "-")]
        row += [f.settings.get(key, "-") for key in differ]
        row += [(f.settings.get("set") or {}).get(key, "-") for key in sets]
        row += [_short(last.get(c)) for c in results]
        if best:
            losses = f.history.curve("valid_loss")[1]
            row.append(_short(min(losses, default=None)))
        row.append(f.gradcheck["verdict"] if f.gradcheck else f.result.get("gradcheck", {}).get("verdict", "-"))
        rows.append(row)
    return head, rows


def _short(value):
    return "-" if value is None else f"{value:.4g}"


def _print(head, rows):
    texts = [head, *([str(c[0] if isinstance(c, tuple) else c) for c in row] for row in rows)]
    widths = [max(len(row[k]) for row in texts) for k in range(len(head))]
    for row in texts:
        print("  ".join(f"{text:{width}}" for text, width in zip(row, widths)).rstrip())


def _write(args, folders, head, rows, curves, columns):
    path = Path(args.output)
    title = f"{len(folders)} runs: {', '.join(columns)}"
    if path.suffix.lower() == ".svg":
        if not curves:
            raise Usage("--output: no run has a curve yet")
        write_text(path, plot_curves(curves, title, logy=args.log, smooth=args.smooth).svg())
        return path
    found = page.Page(f"{len(folders)} runs compared", ", ".join(f.name for f in folders))
    found.section("Runs", page.table(rows, head, numbers=range(2, len(head) - 1)))
    both = dict.fromkeys([*columns, *(c for f in folders for c in f.history.columns if c not in ("epoch", "step"))])
    charts = []
    for column in both:
        try:
            charts.append(page.chart(_curves(folders, [column]), column, logy=args.log))
        except ValueError:  # nothing finite
            continue
    found.section("Curves", page.grid(charts))
    write_text(path, found.html())
    return path
