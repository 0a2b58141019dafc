"""A training run: its settings, the parts built from them, and its folder."""
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from .. import __version__
from ..backend import manual_seed
from ..data import DataLoader
from ..data import find as find_data
from ..data.catalog import look_up
from ..models.recipes import find as find_recipe
from ..train import Trainer
from ..train.files import write_json
from .errors import Usage
from .reading import CHECKPOINT, CONFIG, runs_near


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
    set: dict = field(default_factory=dict)  # the model's own settings, where they are not the default

    @classmethod
    def of(cls, args):
        """From command-line arguments, with the defaults of the model.

        Raises:
            Usage: no model is named, or it or the data are unknown.
        """
        if args.epochs is not None and args.steps is not None:
            raise Usage("--steps: give it or --epochs, not both")
        if args.model is None:
            raise Usage("train: which model? See tinygrad-notes models, or give --resume FOLDER")
        try:
            recipe = find_recipe(args.model)
            look_up(args.data or recipe.data)
            settings = recipe.parse(args.set or ())
        except ValueError as error:
            raise Usage(str(error)) from error
        if recipe.fit is not None:
            for name in ("epochs", "steps", "batch_size", "lr"):
                if getattr(args, name) is not None:
                    raise Usage(f"--{name.replace('_', '-')}: {recipe.name} is fitted in closed form and has none")
        given = {f.name: getattr(args, f.name) for f in fields(cls) if getattr(args, f.name) is not None}
        defaults = {"data": recipe.data, "epochs": recipe.epochs, "batch_size": recipe.batch_size, "lr": recipe.lr,
                    "seed": 0, "dtype": "float32", "device": "cpu", "threads": 1}
        return cls(**{**defaults, **given, "set": settings})

    @classmethod
    def of_stored(cls, settings):
        """From settings as `write` has put them; JSON has lists where they had tuples."""
        config = cls(**settings)
        config.set = {key: tuple(v) if isinstance(v, list) else v for key, v in config.set.items()}
        return config

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
            raise Usage(f"--resume: {folder}: no such folder{runs_near(folder)}")
        if not path.is_file() or not (folder / CHECKPOINT).is_file():
            missing = CONFIG if not path.is_file() else CHECKPOINT
            raise Usage(f"--resume: {folder}: not the folder of a run, it holds no {missing}{runs_near(folder)}")
        try:
            config = cls.of_stored(json.loads(path.read_text(encoding="utf-8"))["settings"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"--resume: {path}: damaged ({type(error).__name__}: {error})") from error
        for name in (f.name for f in fields(cls)):
            asked, used = getattr(args, name), getattr(config, name)
            if name == "set" and asked is not None:
                asked = {**used, **find_recipe(config.model).parse(asked)}
            if name != "epochs" and asked is not None and asked != used:
                raise Usage(f"--resume: {folder} was trained with {name} {used}, not {asked}; a run is continued "
                            "with its own settings, only --epochs may be changed")
        if args.out is not None:
            raise Usage("--out: a run that is resumed stays in its folder")
        if args.epochs is not None:
            config.epochs = args.epochs
        return config

    def write(self, folder):
        """Put the settings into the folder of the run."""
        write_json(folder / CONFIG, {"settings": asdict(self), "tinygrad_notes": __version__})


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
    """What a `Config` stands for: data, model, optimizer and schedule in a `Trainer`. Equal configs give equal bits.

    Args:
        config: the settings.
        steps: train at least so many steps, in whole epochs; sets `config.epochs`.

    Raises:
        Usage: the model cannot be trained on data of this kind.
    """

    def __init__(self, config, steps=None):
        manual_seed(config.seed)
        self.config, self.recipe = config, find_recipe(config.model)
        self.source = find_data(config.data, config.dtype, config.device)
        recipe = self.recipe
        if self.source.kind not in recipe.kinds:
            raise Usage(f"--data: {recipe.name} takes data of the kinds {', '.join(recipe.kinds)}; "
                        f"{config.data} is of the kind {self.source.kind}")
        self.model = recipe.build(self.source, config.dtype, config.device, **config.set)
        train, test = (recipe.inputs(part) for part in (self.source.train, self.source.test))
        self.held_out = DataLoader(test, min(500, len(test)))
        self.trainer = None  # of models in closed form
        if recipe.fit is None:
            loader = DataLoader(train, config.batch_size, shuffle=True)
            if steps is not None:
                config.epochs = -(-steps // len(loader))
            optimizer = recipe.optimizers(self.model, config.lr)
            scheduler, per = recipe.schedulers(optimizer, config.epochs, config.epochs * len(loader))
            self.trainer = Trainer(self.model, loader, optimizer, valid=self.held_out, scheduler=scheduler,
                                   scheduler_per=per, update=recipe.update)

    def batch(self, n=8):
        """The first `n` held-out examples, as arguments of the model's loss."""
        return self.held_out.dataset.batch(slice(0, n))
