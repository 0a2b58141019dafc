"""A training run: its settings, the parts built from them, and its folder."""
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from .. import __version__
from ..backend import manual_seed
from ..data import DataLoader
from ..data import find as find_data
from ..data.catalog import look_up
from ..models.recipes import find as find_recipe
from ..optim import AdamW
from ..optim.lr_scheduler import InverseTimeLR
from ..train import Trainer
from ..train.files import write_json
from .errors import Usage

CHECKPOINT, CONFIG = "checkpoint.safetensors", "config.json"


@dataclass
class Config:
    """The settings of a run: all that its numbers depend on."""

    model: str
    data: str
    epochs: int
    batch_size: int
    lr: float
    seed: int
    dtype: str
    device: str
    threads: int

    @classmethod
    def of(cls, args):
        """From command-line arguments, with the defaults of the model.

        Raises:
            Usage: no model is named, or it or the data are unknown.
        """
        if args.model is None:
            raise Usage("train: which model? See tinygrad-notes models, or give --resume FOLDER")
        try:
            recipe = find_recipe(args.model)
            look_up(args.data or recipe.data)
        except ValueError as error:
            raise Usage(str(error)) from error
        given = {f.name: getattr(args, f.name) for f in fields(cls) if getattr(args, f.name) is not None}
        defaults = {"data": recipe.data, "epochs": recipe.epochs, "batch_size": recipe.batch_size, "lr": recipe.lr,
                    "seed": 0, "dtype": "float32", "device": "cpu", "threads": 1}
        return cls(**{**defaults, **given})

    @classmethod
    def stored(cls, folder, args):
        """Those of a run that is continued; only --epochs may be given anew.

        Raises:
            Usage: the folder holds no run, or another setting is asked for.
            ValueError: its settings are damaged.
        """
        folder = Path(folder)
        path = folder / CONFIG
        if not folder.is_dir():
            raise Usage(f"--resume: {folder}: no such folder{_runs_near(folder)}")
        if not path.is_file() or not (folder / CHECKPOINT).is_file():
            missing = CONFIG if not path.is_file() else CHECKPOINT
            raise Usage(f"--resume: {folder}: not the folder of a run, it holds no {missing}{_runs_near(folder)}")
        try:
            config = cls(**json.loads(path.read_text(encoding="utf-8"))["settings"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"--resume: {path}: damaged ({type(error).__name__}: {error})") from error
        for field in fields(cls):
            asked, used = getattr(args, field.name), getattr(config, field.name)
            if field.name != "epochs" and asked is not None and asked != used:
                raise Usage(f"--resume: {folder} was trained with {field.name} {used}, not {asked}; a run is continued "
                            "with its own settings, only --epochs may be changed")
        if args.out is not None:
            raise Usage("--out: a run that is resumed stays in its folder")
        if args.epochs is not None:
            config.epochs = args.epochs
        return config

    def write(self, folder):
        """Put the settings into the folder of the run."""
        write_json(folder / CONFIG, {"settings": asdict(self), "tinygrad_notes": __version__})


def _runs_near(folder):
    """Which folders of runs there are."""
    base = folder.parent if folder.parent.is_dir() else Path("runs")
    found = sorted(str(path.parent) for path in base.glob(f"*/{CONFIG}"))
    return f"; there are {', '.join(found[:10])}" if found else ""


def new_folder(out, name):
    """Make the folder of a new run: `out`, which must be new or empty, or else the first free of runs/NAME, -2, -3 ...

    Raises:
        FileExistsError: `out` is a file, or holds something already.
        OSError: it cannot be made.
    """
    if out is not None:
        folder = Path(out)
        if folder.exists() and not folder.is_dir():
            raise FileExistsError(f"--out: {folder} is a file, not a folder")
        if folder.is_dir() and any(folder.iterdir()):
            raise FileExistsError(f"--out: {folder} is not empty; name another folder, or --resume it")
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    base = Path("runs")
    base.mkdir(exist_ok=True)
    number = 1
    while True:
        folder = base / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


class Run:
    """What a `Config` stands for: data, model, optimizer and schedule in a `Trainer`. Equal configs give equal bits."""

    def __init__(self, config):
        manual_seed(config.seed)
        self.config, self.recipe = config, find_recipe(config.model)
        self.source = find_data(config.data, config.dtype, config.device)
        self.model = self.recipe.build(self.source, config.dtype, config.device)
        train, test = (self.recipe.inputs(part) for part in (self.source.train, self.source.test))
        optimizer = AdamW(self.model.parameters(), lr=config.lr, weight_decay=1e-2)
        self.held_out = DataLoader(test, min(500, len(test)))
        self.trainer = Trainer(
            self.model, DataLoader(train, config.batch_size, shuffle=True), optimizer, valid=self.held_out,
            scheduler=InverseTimeLR(optimizer, self.recipe.half_life))

    def batch(self, n=8):
        """The first `n` held-out examples, as arguments of the model's loss."""
        return self.held_out.dataset.batch(slice(0, n))
