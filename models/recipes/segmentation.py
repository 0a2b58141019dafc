"""Segmentation at the command line: a class for each place of an image."""
from ...viz import heatmap, image_sheet
from ..unet import UNet, overlap
from .classes import PLOTS, confusion
from .recipe import Recipe
from .sequence import warm_then_cosine


def _build(source, dtype, device, *, widths: tuple = (8, 16, 32)):
    return UNet(1, source.classes, widths, device=device, dtype=dtype)


def report(model, source, averages):
    """Intersection over union of each class but the background."""
    x, y = source.test.tensors
    found = model.predict(x)
    shares = [overlap(found, y, label) for label in range(1, source.classes)]
    mean = sum(shares) / len(shares)
    text = (f"held out: {100 * averages['accuracy']:.2f}% of the places right; intersection over union "
            f"{100 * mean:.1f}%, of the classes {', '.join(f'{100 * share:.1f}%' for share in shares)}")
    return text, {"overlap": mean, **averages}


def pictures(model, source):
    """Images, what was found in them and what is there, the classes as shades; how often each is taken for another."""
    x, y = source.test.tensors
    found, n = model.predict(x), min(12, len(x))
    top = source.classes - 1
    sheet = image_sheet({"held-out images": x[:n, 0], "classes found, as shades": found[:n] / top,
                         "classes, as shades": y[:n] / top}, columns=12, zoom=3, title=f"U-Net on {source.name}")
    table = confusion(y.reshape(-1).tolist(), found.reshape(-1).tolist(), source.classes)
    shares = [[round(100 * count / max(sum(row), 1), 1) for count in row] for row in table]
    return {"samples": sheet, "confusion": heatmap(shares, "answers, % of a class's places", "answer", "class")}


RECIPES = (
    Recipe("unet", "a convolutional network that says what is at each place of an image", _build, lambda data: data,
           report, pictures, data="shapes", epochs=10, batch_size=32, lr=1e-2, schedule=warm_then_cosine, plots=PLOTS,
           kinds=("mask",)),
)
