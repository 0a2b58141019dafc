"""The options of all commands, and what is said about wrong ones."""
import argparse
import difflib

from .. import __version__

EXAMPLES = {
    "": """examples:
  tinygrad-notes train vae              train on handwritten digits, check the gradient, draw samples
  tinygrad-notes train mlp --epochs 20
  tinygrad-notes gradcheck vae          or the name of an operation: gradcheck softmax
  tinygrad-notes graph vae -o vae.html
  tinygrad-notes report runs/vae
  tinygrad-notes runs --log
  tinygrad-notes doctor""",
    "train": """examples:
  tinygrad-notes train vae
  tinygrad-notes train mlp --data mnist1d --epochs 100 --seed 1
  tinygrad-notes train vae --data mnist:~/mnist --epochs 10 --batch-size 128
  tinygrad-notes train resnet --data cifar:~/cifar-10-batches-bin --epochs 10
  tinygrad-notes train vae --set latent=2 --set beta=4
  tinygrad-notes train --resume runs/vae               go on after Ctrl-C
  tinygrad-notes train --resume runs/vae --epochs 400  train longer

Ctrl-C (or SIGTERM) ends the run after the present step and keeps its state; a run that is resumed ends bit for bit
where it would have ended without the interruption. The run folder then holds: report.html, which shows all of it on one
page; model.safetensors (the parameters), checkpoint.safetensors (all state), config.json, state.json (how the run
stands, and on which machine), history.csv and .json, monitor.json (activations, gradients and updates over time),
result.json, curves.svg, samples.svg and .png, graph.svg, gradcheck.txt and .json.""",
    "report": """examples:
  tinygrad-notes report runs/vae
  tinygrad-notes report runs/vae -o ~/vae.html

The page needs no network: send it to somebody, print it. A run that was interrupted, failed, or is still training gets
a page of what there is.""",
    "profile": """examples:
  tinygrad-notes profile vae
  tinygrad-notes profile gcn --compiled -o gcn.html   a page with a flame picture""",
    "runs": """examples:
  tinygrad-notes runs
  tinygrad-notes runs runs/mlp runs/mlp-2 --column valid_accuracy
  tinygrad-notes runs --log --smooth 0.8 -o compared.html""",
    "gradcheck": """examples:
  tinygrad-notes gradcheck              every model and every operation that needs no further arguments
  tinygrad-notes gradcheck vae
  tinygrad-notes gradcheck softmax --order 2

Exit code 1 if a gradient is wrong.""",
    "graph": """examples:
  tinygrad-notes graph vae -o vae.html  interactive: collapse, search, step through the backward pass
  tinygrad-notes graph mlp -o mlp.svg
  tinygrad-notes graph softmax -o -     as text, on the terminal""",
}


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Examples as written, and columns wide enough for the names of options."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=26, width=110)


class Parser(argparse.ArgumentParser):
    """argparse with errors in one line that name the nearest known word."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, allow_abbrev=False, formatter_class=_Formatter, **kwargs)

    def error(self, message):
        """Say what is wrong in one line and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())} (see {self.prog} --help)\n")

    def parse_args(self, args=None, namespace=None):
        """Parse; unknown options name the nearest known one."""
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            parser = getattr(found, "parser", self)
            parser.error(parser.unrecognized(rest[0]))
        return found

    def unrecognized(self, word):
        """What is said of a word that no option or argument explains."""
        if not word.startswith("-"):
            return f"unexpected argument {word!r}"
        near = difflib.get_close_matches(word.split("=")[0], self._option_string_actions, n=1, cutoff=0.5)
        return f"unknown option {word!r}" + (f", did you mean {near[0]}?" if near else "")

    def _check_value(self, action, value):
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            near = difflib.get_close_matches(str(value), known, n=1, cutoff=0.5)
            name = action.option_strings[0] if action.option_strings else action.metavar or action.dest
            hint = f"did you mean {near[0]}? known: " if near else "known: "
            raise argparse.ArgumentError(None, f"{name}: {str(value)!r} is unknown; {hint}{', '.join(known)}")


def number(kind, low, what):
    """A converter for argparse: an int or float from `low` on."""
    def convert(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"expected {what}, got {text!r}")
        return value
    return convert


COUNT = number(int, 1, "a whole number >= 1")


def make_parser():
    """The parser of `tinygrad-notes`."""
    parser = Parser(prog="tinygrad-notes", epilog=EXAMPLES[""],
                    description="An autograd engine on NumPy and CuPy and models built on it. Unrelated to tinygrad.")
    parser.add_argument("--version", action="version", version=f"tinygrad-notes {__version__}")
    parser.set_defaults(debug=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, add, summary in (
        ("train", _train, "train a model, check its gradient, write pictures"),
        ("gradcheck", _gradcheck, "compare gradients with finite differences"),
        ("graph", _graph, "draw the computation graph of a model or an operation"),
        ("profile", _profile, "measure where the time of a training step of a model goes"),
        ("report", _report, "write a page about a run, finished or not"),
        ("runs", _runs, "list runs, and compare their curves"),
        ("models", _models, "list the models, or the settings of one"), ("data", _nothing, "list the data sets"),
        ("doctor", _nothing, "show versions, BLAS, threads, devices"),
    ):
        sub = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".",
                                  epilog=EXAMPLES.get(name))
        add(sub)
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        sub.set_defaults(parser=sub)
    return parser


def _train(parser):
    from ..models.recipes import RECIPES

    add = parser.add_argument
    add("model", nargs="?", metavar="MODEL", help=f"one of: {', '.join(RECIPES)}; not needed with --resume")
    add("--data", metavar="NAME", help="see tinygrad-notes data (default: that of the model)")
    add("--epochs", type=COUNT, metavar="N", help="passes through the data (default: see tinygrad-notes models)")
    add("--steps", type=COUNT, metavar="N", help="in place of --epochs: as many passes as make N steps")
    add("--set", action="append", metavar="NAME=VALUE",
        help="a setting of the model, see tinygrad-notes models MODEL; may be given several times")
    add("--batch-size", type=COUNT, metavar="N", help="examples per step (default: that of the model)")
    add("--lr", type=number(float, 1e-300, "a number > 0"), metavar="X",
        help="learning rate at the start (default: that of the model, which also says how fast it falls)")
    add("--seed", type=number(int, 0, "a whole number >= 0"), metavar="N",
        help="of the initial parameters, the batches and the noise (default 0)")
    add("--dtype", choices=("float32", "float64"), help="of the parameters (default float32)")
    add("--device", choices=("cpu", "strict", "cuda"), help="where to compute (default cpu)")
    add("--threads", type=COUNT, metavar="N",
        help="threads of the BLAS (default 1: small products are fastest so, and the bits are the same everywhere)")
    add("--out", metavar="FOLDER", help="the run folder (default runs/MODEL, with a number if it exists)")
    add("--resume", metavar="FOLDER", help="continue this run")
    add("--tensorboard", action="store_true",
        help="also write event files for TensorBoard into FOLDER/tensorboard (needs its package)")
    add("--surface", action="store_true",
        help="also draw the loss around the final parameters, with the way there (a few hundred evaluations)")
    add("--no-monitor", action="store_true",
        help="do not look at activations, gradients and updates once per epoch (looking changes no bit)")
    add("--no-curves", action="store_true", help="a progress bar alone, without curves above it")
    add("--no-progress", action="store_true", help="lines instead of a progress bar")
    add("--quiet", "-q", action="store_true", help="print errors only")


def _gradcheck(parser):
    parser.add_argument("name", nargs="?", metavar="NAME", help="a model or an operation; default: all")
    parser.add_argument("--order", type=int, choices=(1, 2), default=1, help="of the derivatives (default 1)")
    parser.add_argument("--full", action="store_true",
                        help="of a model: every element of all but the largest parameters, not random directions")
    parser.add_argument("--seed", type=number(int, 0, "a whole number >= 0"), default=0, metavar="N",
                        help="of the inputs (default 0)")
    parser.add_argument("--device", choices=("cpu", "strict", "cuda"), help="where to compute (default cpu)")


def _graph(parser):
    parser.add_argument("name", metavar="NAME", help="a model or an operation")
    parser.add_argument("-o", "--output", metavar="FILE",
                        help="ends in .svg .html .dot .txt .json .mmd (Mermaid) .tex (TikZ), or .png .pdf with "
                        "Graphviz; - for text (default NAME.svg)")
    parser.add_argument("--depth", type=number(int, 0, "a whole number >= 0"), metavar="N",
                        help="draw modules that lie deeper than N as one box each, repetitions once")
    parser.add_argument("--order", type=int, choices=(0, 1, 2), default=1,
                        help="0 forward alone, 1 with the backward pass, 2 with second derivatives (default 1)")
    parser.add_argument("--check", action="store_true", help="check the gradient rule of every node")
    parser.add_argument("--timed", action="store_true", help="measure the time of every node")


def _profile(parser):
    parser.add_argument("name", metavar="MODEL", help="see tinygrad-notes models")
    parser.add_argument("--compiled", action="store_true", help="the compiled step, kernel by kernel")
    parser.add_argument("-o", "--output", metavar="FILE", help="also write it into a file that ends in .html (flame "
                        "picture and tables), .svg (the picture), .txt or .json")
    parser.add_argument("--repeats", type=COUNT, default=5, metavar="N", help="measured steps (default 5)")
    parser.add_argument("--rows", type=COUNT, default=12, metavar="N", help="rows of each table (default 12)")
    parser.add_argument("--batch-size", type=COUNT, metavar="N", help="examples (default: that of the model)")
    parser.add_argument("--threads", type=COUNT, metavar="N", help="threads of large operations (default: all)")


def _report(parser):
    parser.add_argument("folder", metavar="FOLDER", help="of a run, such as runs/vae")
    parser.add_argument("-o", "--output", metavar="FILE", help="the page (default FOLDER/report.html)")
    parser.add_argument("--fast", action="store_true",
                        help="only of the files in the folder: do not build the model to draw and check what they lack")


def _runs(parser):
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="of runs (default: all in runs/)")
    parser.add_argument("--column", action="append", metavar="NAME",
                        help="a column of the history to compare (default valid_loss, or loss where there is none)")
    parser.add_argument("--log", action="store_true", help="logarithmic axis")
    parser.add_argument("--smooth", type=number(float, 0, "a number from 0 to below 1"), default=0.0, metavar="X",
                        help="share of the past in a moving average, from 0 to below 1 (default 0)")
    parser.add_argument("-o", "--output", metavar="FILE",
                        help="write the comparison into a file that ends in .html or .svg")
    parser.add_argument("--no-curves", action="store_true", help="the table alone")


def _models(parser):
    parser.add_argument("name", nargs="?", metavar="MODEL", help="show what can be set of this one")


def _nothing(parser):
    """A command without arguments."""
