"""The perceptron at the command line."""
from ...viz import image_sheet
from ..mlp import MLPClassifier
from .recipe import Recipe, shaped, size


def _build_mlp(source, dtype, device, *, hidden: tuple = (256, 256), dropout: float = 0.4):
    return MLPClassifier(size(source), source.classes, hidden, dropout, device=device, dtype=dtype)


def _report_mlp(model, source, averages):
    x, y = source.test.tensors
    wrong = int((model.predict(x) != y).sum())
    share = 100 * (1 - wrong / len(y))
    text = f"held out: {share:.2f}% right, {wrong} of {len(y)} wrong, loss {averages['loss']:.4f} nats"
    return text, {"wrong": wrong, "examples": len(y), **averages}


def _pictures_mlp(model, source):
    x, y = source.test.tensors
    found = model.predict(x)
    wrong = [k for k, (a, b) in enumerate(zip(found.tolist(), y.tolist())) if a != b]
    bands = {f"held-out examples, read as {' '.join(map(str, found[:20].tolist()))}": shaped(x[:20], source)}
    if wrong:
        said = " ".join(f"{int(y[k])}>{int(found[k])}" for k in wrong[:20])
        caption = f"{len(wrong)} errors, class > answer: {said}{' ...' if len(wrong) > 20 else ''}"
        bands[caption] = shaped(x[wrong[:40]], source)
    return image_sheet(bands, columns=20, zoom=5, title=f"MLP on {source.name}")


RECIPES = (
    Recipe("mlp", "a perceptron that classifies", _build_mlp, lambda data: data, _report_mlp, _pictures_mlp,
           data="digits", epochs=60, batch_size=32, lr=1e-3, half_life=20,
           plots=(("curves.svg", "nats", ("loss",)), ("accuracy.svg", "share right", ("accuracy",)))),
)
