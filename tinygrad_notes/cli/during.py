"""Examples as a model makes them at several times of its training, and the picture of them."""
from contextlib import contextmanager

from ..backend import default_generator, manual_seed
from ..train import load, save
from ..viz import image_sheet, panels, scatter

FILE, TIMES = "during.safetensors", 8


@contextmanager
def same_draws(seed=0):
    """Draw the same numbers each time, and leave the default stream as it was."""
    before = default_generator.get_state()
    manual_seed(seed)
    try:
        yield
    finally:
        default_generator.set_state(before)


class During:
    """A callback of the `Trainer` that keeps what `recipe.during` returns after some of the epochs, in one file."""

    def __init__(self, run, folder):
        self.run, self.path = run, folder / FILE
        self.epochs = run.config.epochs

    def __call__(self, trainer, row):
        """Keep the examples after the first, the last, and some epochs in between."""
        epoch = row["epoch"]
        if epoch not in (1, self.epochs) and epoch % max(1, self.epochs // TIMES):
            return
        with same_draws():
            found = self.run.recipe.during(self.run.model, self.run.source)
        save({**self.kept(), str(epoch): found}, self.path)

    def kept(self):
        """{epoch as text: examples}."""
        return load(self.path) if self.path.exists() else {}

    def named(self):
        """{caption: examples}, in the order of training."""
        return {f"after epoch {k}": x for k, x in sorted(self.kept().items(), key=lambda item: int(item[0]))}

    def picture(self):
        """All that was kept, in the order of training."""
        return self._drawn(self.named(), f"{self.run.config.model} on {self.run.source.name}")

    def pictures(self):
        """{caption: picture} of each time."""
        return {text: self._drawn({text: x}, "") for text, x in self.named().items()}

    def _drawn(self, kept, title):
        source = self.run.source
        if source.kind in ("image", "signal"):
            return image_sheet({text: x.reshape((-1, *source.shape)).numpy() for text, x in kept.items()}, columns=20,
                               title=title)
        xlim, ylim = self._limits()
        return panels([scatter(x[:, :2], title=text, width=320, height=300, equal=True, xlim=xlim, ylim=ylim)
                       for text, x in kept.items()])

    def _limits(self):
        """The same part of the plane for all times: where the data are, and a bit more."""
        points = self.run.source.test.tensors[0][:, :2]
        lows, highs = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        pads = [0.25 * (high - low) or 1.0 for low, high in zip(lows, highs)]
        return [(low - pad, high + pad) for low, high, pad in zip(lows, highs, pads)]
